// zlib; its init calls are macros that add the version, which Swift does not import.
#pragma once
#include <zlib.h>

// Window bits: 15 + 16 writes gzip, 15 zlib; 15 + 32 reads either.
static inline int freshet_deflate_init(z_stream *stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}
static inline int freshet_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}
