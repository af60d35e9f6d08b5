// libpq. Notices would be printed to standard error; nobody asked for them.
#pragma once
#include <postgresql/libpq-fe.h>

static inline void freshet_postgres_ignore(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

static inline void freshet_postgres_silence(PGconn *connection) {
    PQsetNoticeReceiver(connection, freshet_postgres_ignore, NULL);
}
