// What Swift's Glibc module leaves out of Linux: epoll, eventfd, timerfd, signalfd, inotify, prctl.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// prctl is variadic, which Swift does not import. Asks for `signal` when the parent dies.
static inline int freshet_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

// fcntl is variadic.
static inline int freshet_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL, 0);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

static inline int freshet_set_cloexec(int descriptor) {
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

// struct epoll_event holds a union, which strict memory safety calls unsafe at every touch.
struct freshet_ready {
    int32_t descriptor;
    uint32_t events;
};

static inline int freshet_epoll_control(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

// Waits for at most `capacity` (256 at the most) descriptors.
static inline int freshet_epoll_wait(
    int epoll, struct freshet_ready *ready, int capacity, int timeout_ms) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, capacity > 256 ? 256 : capacity, timeout_ms);
    for (int i = 0; i < count; i++) {
        ready[i].descriptor = events[i].data.fd;
        ready[i].events = events[i].events;
    }
    return count;
}

// gettid is a system call each time; this is a register read.
static inline uintptr_t freshet_thread_id(void) { return (uintptr_t)pthread_self(); }

static inline uint64_t freshet_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline int64_t freshet_realtime_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// errno is a macro.
static inline int freshet_errno(void) { return errno; }

// SIG_IGN is a cast.
static inline void freshet_ignore_signal(int signal_number) { signal(signal_number, SIG_IGN); }
