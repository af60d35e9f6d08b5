// What Swift's Glibc module leaves out of Linux: epoll, eventfd, timerfd, signalfd, inotify, prctl.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Declared for GNU programs alone, which these headers must not be: Swift's own Glibc module is not.
extern int pipe2(int ends[2], int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);

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
// `tag` comes back as it was given: an event that was waiting when its descriptor was closed and its
// number used again can be told from one of the new descriptor.
struct freshet_ready {
    uint64_t tag;
    uint32_t events;
};

static inline int freshet_epoll_control(
    int epoll, int operation, int descriptor, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data = {.u64 = tag}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

// Waits for at most `capacity` (256 at the most) descriptors.
static inline int freshet_epoll_wait(
    int epoll, struct freshet_ready *ready, int capacity, int timeout_ms) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, capacity > 256 ? 256 : capacity, timeout_ms);
    for (int i = 0; i < count; i++) {
        ready[i].tag = events[i].data.u64;
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

// A signal handler may do little more than write to a pipe. The numbers arrive there as bytes.
static volatile int freshet_signal_pipe = -1;

static void freshet_tell_signal(int signal_number) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal_number;
    ssize_t written = write(freshet_signal_pipe, &byte, 1);
    (void)written;  // A full pipe has told enough.
    errno = saved;
}

// sigaction holds a union and a function pointer.
static inline int freshet_catch_signal(int signal_number, int pipe_descriptor) {
    struct sigaction action = {.sa_flags = SA_RESTART};
    freshet_signal_pipe = pipe_descriptor;
    action.sa_handler = freshet_tell_signal;
    sigemptyset(&action.sa_mask);
    return sigaction(signal_number, &action, 0);
}

static inline void freshet_default_signal(int signal_number) { signal(signal_number, SIG_DFL); }

// The most descriptors this process may have; asks for as many as the system lets it.
static inline uint64_t freshet_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? (uint64_t)limit.rlim_cur : (uint64_t)before;
}

// Starts a thread named `name`, cut to what the system shows.
static inline int freshet_start_thread(
    pthread_t *thread, const char *name, void *(*body)(void *), void *argument) {
    int error = pthread_create(thread, 0, body, argument);
    if (error != 0) return error;
    char shown[16];
    size_t length = strnlen(name, sizeof(shown) - 1);
    memcpy(shown, name, length);
    shown[length] = 0;
    pthread_setname_np(*thread, shown);
    return 0;
}

// Both ends do not block and are closed on exec.
static inline int freshet_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}
