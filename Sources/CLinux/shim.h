// What Swift's Glibc module leaves out of Linux: epoll, eventfd, timerfd, signalfd, inotify, prctl.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <poll.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
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

// pipe2 is declared for _GNU_SOURCE only.
static inline int freshet_pipe_ends(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

struct freshet_spawn_request {
    const char *path;
    char *const *arguments;
    char *const *environment;
    int output;        // becomes descriptor 1 of the child
    int error;         // becomes descriptor 2
    int keep;          // stays open in the child; -1: none
    int death_signal;  // sent to the child when the calling thread ends, however it ends
};

// Starts a program in a process group of its own, with no signal blocked and nothing on standard
// input. posix_spawn can do neither the death signal nor close what it does not know, hence fork;
// between it and exec only async-signal-safe calls are made. Returns the process id or -errno.
static inline pid_t freshet_spawn(const struct freshet_spawn_request *spawn) {
    int report[2];
    if (freshet_pipe_ends(report) < 0) return -errno;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) {
        int code = errno;
        close(report[0]);
        close(report[1]);
        return -code;
    }
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        int null = open("/dev/null", O_RDONLY);
        int failed = null < 0 || dup2(null, 0) < 0 || dup2(spawn->output, 1) < 0
            || dup2(spawn->error, 2) < 0 || setpgid(0, 0) < 0
            || prctl(PR_SET_PDEATHSIG, (unsigned long)spawn->death_signal, 0UL, 0UL, 0UL) < 0;
        // The parent may have died before the death signal was asked for.
        if (!failed && getppid() != parent) _exit(0);
        if (!failed) {
            syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
            if (spawn->keep >= 0) fcntl(spawn->keep, F_SETFD, 0);
            for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
            sigprocmask(SIG_SETMASK, &none, NULL);
            execve(spawn->path, spawn->arguments, spawn->environment);
        }
        int code = errno;
        ssize_t written = write(report[1], &code, sizeof code);
        (void)written;
        _exit(127);
    }
    close(report[1]);
    int code = 0;
    ssize_t count;
    do count = read(report[0], &code, sizeof code);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count != (ssize_t)sizeof code) return child;
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return -code;
}

// Readable once the process has ended. glibc has no wrapper before 2.36.
static inline int freshet_pidfd_open(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0U);
}

// The exit status of an ended child: its code, or minus the signal that ended it.
static inline int freshet_reap_child(pid_t process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// open is variadic. A lock file is private to its owner.
static inline int freshet_open_lock(const char *path) {
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

// strerror_r has two shapes, by macro; glibc's strerror keeps its text per thread.
static inline void freshet_error_text(int code, char *buffer, size_t capacity) {
    snprintf(buffer, capacity, "%s", strerror(code));
}

// ioctl is variadic. Columns and rows of the terminal, or 0 when it is none.
static inline int freshet_terminal_size(int descriptor, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) < 0) return 0;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 1;
}

// Keys come one by one and unechoed; Ctrl-C still interrupts. `saved` takes what was before.
static inline int freshet_terminal_raw(int descriptor, struct termios *saved) {
    if (tcgetattr(descriptor, saved) < 0) return -1;
    struct termios raw = *saved;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(descriptor, TCSANOW, &raw);
}

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
