// libmicrohttpd 0.9.75 (Debian 12), and the socket calls around it that Swift does not import.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <microhttpd.h>

// Declared for GNU programs alone, which these headers must not be: Swift's own Glibc module is not.
extern int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);

typedef void *(*freshet_mhd_target)(void *, const char *, struct MHD_Connection *);
typedef size_t (*freshet_mhd_unescape)(void *, struct MHD_Connection *, char *);

struct freshet_mhd_settings {
    unsigned int flags;
    void *context;  // given to every callback
    MHD_AccessHandlerCallback access;
    freshet_mhd_target target;
    freshet_mhd_unescape unescape;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
    MHD_LogCallback log;
    size_t pool_bytes;
    unsigned int connections;
    const char *certificate;  // PEM, NULL: plain HTTP
    const char *key;
};

// MHD_start_daemon is variadic. No socket of its own, no timeouts of its own.
static inline struct MHD_Daemon *freshet_mhd_start(const struct freshet_mhd_settings *s) {
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)s->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)s->key},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(
        s->flags, 0, NULL, NULL, s->access, s->context,
        // First, so that it hears of what the others lead to.
        MHD_OPTION_EXTERNAL_LOGGER, s->log, s->context,
        MHD_OPTION_URI_LOG_CALLBACK, s->target, s->context,
        MHD_OPTION_UNESCAPE_CALLBACK, s->unescape, s->context,
        MHD_OPTION_NOTIFY_COMPLETED, s->completed, s->context,
        MHD_OPTION_NOTIFY_CONNECTION, s->connection, s->context,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->pool_bytes,
        MHD_OPTION_CONNECTION_LIMIT, s->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_ARRAY, s->certificate ? tls : plain,
        MHD_OPTION_END);
}

// MHD_get_daemon_info and MHD_get_connection_info are variadic.
static inline int freshet_mhd_epoll(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}
static inline int freshet_mhd_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}
static inline void *freshet_mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}
static inline size_t freshet_mhd_header_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}
static inline void *freshet_mhd_tls_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

// Variadic too. The connection is closed after this response.
static inline void freshet_mhd_close_after(struct MHD_Response *response) {
    MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

// Variadic too. The connection is closed when it was idle for a second.
static inline void freshet_mhd_expire(struct MHD_Connection *connection) {
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
}

// More than one pass of the daemon's loop is needed at once.
static inline int freshet_mhd_is_pending(struct MHD_Daemon *daemon) {
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    return MHD_get_timeout(daemon, &timeout) == MHD_YES && timeout == 0;
}

// GnuTLS comes with libmicrohttpd; one call of it is used, on a session that libmicrohttpd owns.
extern ssize_t gnutls_record_send(void *session, const void *data, size_t size);
enum { freshet_tls_again = -28, freshet_tls_interrupted = -52 };

// Sockets. accept4 and fcntl are variadic or hidden; socket options take pointers to pointers.
static inline int freshet_accept(int listener, struct sockaddr_storage *address, socklen_t *length) {
    *length = sizeof(*address);
    return accept4(
        listener, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
static inline int freshet_duplicate(int descriptor) {
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}
static inline int freshet_unread(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : 0;
}
static inline int freshet_set_option(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof(value));
}
static inline int freshet_errno(void) { return errno; }

// Opens, binds and listens; the descriptor, or minus errno.
static inline int freshet_listen(
    const struct sockaddr *address, socklen_t length, int shares_port, int backlog) {
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    freshet_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (shares_port) freshet_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
    // What is accepted inherits it.
    freshet_set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (bind(descriptor, address, length) != 0 || listen(descriptor, backlog) != 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

// From now on the kernel lets nobody in by this listener: what comes for it is dropped, so that a
// client sends it again, to whoever listens then. Who was let in already can be accepted.
static inline void freshet_let_nobody_in(int descriptor) {
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &drop};
    setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static inline int freshet_bound_port(int descriptor) {
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return -1;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return -1;
}

static inline void freshet_set_port(struct sockaddr_storage *address, int port) {
    if (address->ss_family == AF_INET) ((struct sockaddr_in *)address)->sin_port = htons(port);
    if (address->ss_family == AF_INET6) ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

// The address as text without port, IPv4 in IPv6 as IPv4; at most INET6_ADDRSTRLEN bytes.
static inline void freshet_address_text(const struct sockaddr_storage *address, char *text) {
    text[0] = 0;
    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, INET6_ADDRSTRLEN);
    } else if (address->ss_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(six))
            inet_ntop(AF_INET, &six->s6_addr[12], text, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, six, text, INET6_ADDRSTRLEN);
    }
}

// Bytes the other side has acknowledged, and bytes received, over the life of the connection. The
// C library's struct ends before what newer kernels tell.
static inline int freshet_tcp_progress(int descriptor, uint64_t *acknowledged, uint64_t *received) {
    struct {
        struct tcp_info known;
        uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    } info;
    socklen_t length = sizeof(info);
    memset(&info, 0, sizeof(info));
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    if (length < sizeof(info)) return -1;
    *acknowledged = info.bytes_acked;
    *received = info.bytes_received;
    return 0;
}
