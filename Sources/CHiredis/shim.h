// hiredis 0.14 (Debian 12) and 1.x: the reply parser, seen as a stream of events.
#pragma once
#include <hiredis/hiredis.h>

// What the parser finds, in order. An array announces how many values follow; nesting is depth
// first. `reset` says that a reply was given up half-way.
struct freshet_reply_sink {
    void *context;
    void (*string)(void *context, int type, const char *bytes, size_t length);
    void (*array)(void *context, size_t count);
    void (*integer)(void *context, long long value);
    void (*null)(void *context);
    void (*reset)(void *context);
};

// hiredis keeps "objects" for the values it has built; the sink itself stands for all of them.

static inline void *freshet_on_string(const redisReadTask *task, char *bytes, size_t length) {
    struct freshet_reply_sink *sink = (struct freshet_reply_sink *)task->privdata;
    sink->string(sink->context, task->type, bytes, length);
    return sink;
}

#if HIREDIS_MAJOR >= 1
static inline void *freshet_on_array(const redisReadTask *task, size_t count) {
#else
static inline void *freshet_on_array(const redisReadTask *task, int count) {
#endif
    struct freshet_reply_sink *sink = (struct freshet_reply_sink *)task->privdata;
    sink->array(sink->context, (size_t)count);
    return sink;
}

static inline void *freshet_on_integer(const redisReadTask *task, long long value) {
    struct freshet_reply_sink *sink = (struct freshet_reply_sink *)task->privdata;
    sink->integer(sink->context, value);
    return sink;
}

static inline void *freshet_on_null(const redisReadTask *task) {
    struct freshet_reply_sink *sink = (struct freshet_reply_sink *)task->privdata;
    sink->null(sink->context);
    return sink;
}

static inline void freshet_on_free(void *object) {
    struct freshet_reply_sink *sink = (struct freshet_reply_sink *)object;
    if (sink) sink->reset(sink->context);
}

// A reader that reports to `sink`, which must outlive it.
static inline redisReader *freshet_reader_create(struct freshet_reply_sink *sink) {
    static redisReplyObjectFunctions functions = {
        .createString = freshet_on_string,
        .createArray = freshet_on_array,
        .createInteger = freshet_on_integer,
        .createNil = freshet_on_null,
        .freeObject = freshet_on_free,
    };
    redisReader *reader = redisReaderCreateWithFunctions(&functions);
    if (reader) reader->privdata = sink;
    return reader;
}

// 1: a reply is complete; 0: more bytes are needed; -1: what came is not the Redis protocol.
static inline int freshet_reader_next(redisReader *reader) {
    void *reply = NULL;
    if (redisReaderGetReply(reader, &reply) != REDIS_OK) return -1;
    return reply != NULL;
}
