// Starts programs for the command source. Between fork and exec only C may run: Swift's runtime
// may allocate at any line, which is not safe in the child of a process with threads.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Declared here because glibc does so only for _GNU_SOURCE, which has to be the same in all modules.
extern int clone(int (*body)(void *), void *stack, int flags, void *argument, ...);
extern int pipe2(int ends[2], int flags);
extern int mkostemp(char *template, int flags);

// SIGKILL follows SIGTERM after this long, in the source and in the guardian.
#define FRESHET_GRACE_MILLISECONDS 5000

struct freshet_command {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;  // NULL: where the parent is
    int output;             // becomes descriptor 1
    int errors;             // becomes descriptor 2
    int progress;           // becomes descriptor 3
    int guardian;           // told of the new group; -1: none
    pid_t parent;
    int error;              // errno of the step that failed; 0: the program runs
};

struct freshet_group {
    int32_t leader;
    int32_t is_member;  // 1: watch this group, 0: it is gone
};

static inline int freshet_tell_guardian(int guardian, pid_t leader, int is_member) {
    struct freshet_group message = {.leader = leader, .is_member = is_member};
    return send(guardian, &message, sizeof message, MSG_NOSIGNAL) == sizeof message ? 0 : -1;
}

static inline void freshet_default_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 65; number++) sigaction(number, &standard, NULL);
}

static inline void freshet_close_from(unsigned first) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
    struct rlimit limit;
    unsigned last = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536
        ? (unsigned)limit.rlim_cur : 65536;
    for (unsigned descriptor = first; descriptor < last; descriptor++) close((int)descriptor);
}

// Runs in the child, on its own stack but in the parent's memory; the calling thread waits.
static inline int freshet_spawn_child(void *argument) {
    struct freshet_command *spawn = (struct freshet_command *)argument;
    freshet_default_signals();
    if (setpgid(0, 0) < 0) goto failed;
    // Without a guardian nobody could send the SIGKILL later.
    if (prctl(PR_SET_PDEATHSIG, spawn->guardian < 0 ? SIGKILL : SIGTERM, 0, 0, 0) < 0) goto failed;
    if (getppid() != spawn->parent) _exit(127);  // died before the line above
    if (spawn->guardian >= 0) freshet_tell_guardian(spawn->guardian, getpid(), 1);

    // Out of the way first, since each may stand where another has to go.
    int sources[4] = {open("/dev/null", O_RDONLY | O_CLOEXEC), spawn->output, spawn->errors,
                      spawn->progress};
    for (int index = 0; index < 4; index++) {
        sources[index] = fcntl(sources[index], F_DUPFD_CLOEXEC, 10);
        if (sources[index] < 0) goto failed;
    }
    for (int index = 0; index < 4; index++) {
        if (dup2(sources[index], index) < 0) goto failed;
    }
    freshet_close_from(4);

    struct rlimit limit = {0, 0};
    setrlimit(RLIMIT_CORE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 1024) {
        limit.rlim_cur = 1024;
        if (limit.rlim_max > 4096) limit.rlim_max = 4096;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    // Short of memory, the kernel shall end the command rather than the worker.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        if (write(score, "500", 3) < 0) { /* already higher, or not allowed: as it was */ }
        close(score);
    }
    if (spawn->directory != NULL && chdir(spawn->directory) < 0) goto failed;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(spawn->path, spawn->arguments, spawn->environment);
failed:
    spawn->error = errno == 0 ? EINVAL : errno;
    _exit(127);
}

// Starts a program as the leader of its own process group with no descriptor above 3.
// Returns its process id, or -1 with `error` set. The calling thread has to outlive the program:
// the kernel sends the parent-death signal when that thread ends.
static inline pid_t freshet_start(struct freshet_command *spawn) {
    const size_t size = 64 << 10;
    char *stack = (char *)mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        spawn->error = errno;
        return -1;
    }
    spawn->parent = getpid();
    spawn->error = 0;
    // No handler of the parent may run in the child, which shares its memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t child = clone(
        freshet_spawn_child, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, spawn);
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, size);
    if (child < 0) {
        spawn->error = failure;
        return -1;
    }
    if (spawn->error == 0) return child;
    if (spawn->guardian >= 0) freshet_tell_guardian(spawn->guardian, child, 0);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return -1;
}

// Waits for the end of the other process, then ends the groups it left behind.
static inline void freshet_guard(int lifeline) {
    enum { capacity = 1024 };
    pid_t groups[capacity];
    int count = 0;
    while (1) {
        struct freshet_group message;
        ssize_t got = recv(lifeline, &message, sizeof message, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got != sizeof message) break;
        int index = 0;
        while (index < count && groups[index] != message.leader) index++;
        if (message.is_member) {
            if (index == count && count < capacity) groups[count++] = message.leader;
        } else if (index < count) {
            groups[index] = groups[--count];
        }
    }
    for (int index = 0; index < count; index++) {
        kill(-groups[index], SIGTERM);
        kill(-groups[index], SIGCONT);
    }
    for (int waited = 0; waited < FRESHET_GRACE_MILLISECONDS; waited += 20) {
        int alive = 0;
        for (int index = 0; index < count; index++) alive |= kill(-groups[index], 0) == 0;
        if (!alive) break;
        poll(NULL, 0, 20);
    }
    for (int index = 0; index < count; index++) kill(-groups[index], SIGKILL);
}

// Forks the guardian of this process. Returns the descriptor that groups are told to and that
// keeps it waiting; -1 when there is none.
static inline int freshet_start_guardian(pid_t *guardian) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        // Signals stay blocked: a terminal's SIGINT or a supervisor's SIGTERM is not for it.
        setsid();
        prctl(PR_SET_NAME, (unsigned long)"freshet-guard", 0UL, 0UL, 0UL);
        int null = open("/dev/null", O_RDWR);
        int lifeline = fcntl(ends[0], F_DUPFD, 10);
        if (null < 0 || lifeline < 0) _exit(0);
        for (int index = 0; index < 3; index++) dup2(null, index);
        dup2(lifeline, 3);
        freshet_close_from(4);
        if (chdir("/") < 0) { /* it only keeps a directory from being unmounted */ }
        freshet_guard(3);
        _exit(0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        return -1;
    }
    *guardian = child;
    return ends[1];
}

// Lets the guardian end and takes its exit status, so that no trace of it stays.
static inline void freshet_end_guardian(int lifeline, pid_t guardian) {
    close(lifeline);
    while (waitpid(guardian, NULL, 0) < 0 && errno == EINTR) {}
}

// A descriptor that becomes readable when the child ends; -1 on kernels before 5.3.
static inline int freshet_process_descriptor(pid_t child) {
    return (int)syscall(SYS_pidfd_open, child, 0U);
}

// How a child ended, if it did: 0 not yet, 1 it did. `status` is the exit status, or the negative
// number of the signal that ended it.
static inline int freshet_reap(pid_t child, int *status) {
    int raw = 0;
    pid_t got;
    do { got = waitpid(child, &raw, WNOHANG); } while (got < 0 && errno == EINTR);
    if (got == 0) return 0;
    *status = got < 0 ? 127 : WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
    return 1;
}

// Both ends are closed by exec; the parent's is not to block.
static inline int freshet_spawn_pipe(int *reader, int *writer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *reader = ends[0];
    *writer = ends[1];
    return 0;
}

static inline int freshet_wakeup_descriptor(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline void freshet_wake(int descriptor) {
    uint64_t one = 1;
    if (write(descriptor, &one, sizeof one) < 0) { /* full: it is readable already */ }
}

// A new file that only this user may read; `path` ends in XXXXXX, which is replaced.
static inline int freshet_temporary_file(char *path) { return mkostemp(path, O_CLOEXEC); }

// What struct stat says, in a type of our own: several system modules bring struct stat along, and
// which of them Swift takes it from changes from build to build.
struct freshet_file {
    int is_regular;
    int is_directory;
    uint32_t owner;
    int64_t size;
    int64_t modified_ms;  // clamped to the years 1 to 9999, which are all that RFC 3339 has
    uint64_t inode;
};

static inline void freshet_describe(const struct stat *status, struct freshet_file *file) {
    int64_t seconds = status->st_mtim.tv_sec;
    if (seconds < -62135596800) seconds = -62135596800;
    if (seconds > 253402300799) seconds = 253402300799;
    file->is_regular = S_ISREG(status->st_mode);
    file->is_directory = S_ISDIR(status->st_mode);
    file->owner = status->st_uid;
    file->size = status->st_size;
    file->modified_ms = seconds * 1000 + status->st_mtim.tv_nsec / 1000000;
    file->inode = status->st_ino;
}

// Does not follow a symbolic link. 0 on success.
static inline int freshet_file_at(int directory, const char *name, struct freshet_file *file) {
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return -1;
    freshet_describe(&status, file);
    return 0;
}

static inline int freshet_file_of(int descriptor, struct freshet_file *file) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -1;
    freshet_describe(&status, file);
    return 0;
}

// The clock of file times.
static inline int64_t freshet_file_clock_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The name of the calling thread, for ps and debuggers; at most 15 bytes.
static inline void freshet_name_thread(const char *name) {
    prctl(PR_SET_NAME, (unsigned long)name, 0UL, 0UL, 0UL);
}
