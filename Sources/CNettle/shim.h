// nettle's SHA-256 and comparison, and the kernel's random bytes.
#pragma once
#include <errno.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <sys/random.h>

static inline void freshet_sha256_digest(struct sha256_ctx *context, uint8_t *digest) {
    sha256_digest(context, SHA256_DIGEST_SIZE, digest);
}

// Fills `bytes` from the kernel; 0 on success. Blocks only in the first moments after boot.
static inline int freshet_random_bytes(void *bytes, size_t count) {
    uint8_t *next = (uint8_t *)bytes;
    while (count > 0) {
        ssize_t got = getrandom(next, count > 256 ? 256 : count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        next += got;
        count -= (size_t)got;
    }
    return 0;
}
