// libFuzzer as a library: clang's runtime has it when the program is built with -sanitize=fuzzer.
#pragma once
#include <stddef.h>
#include <stdint.h>

extern int LLVMFuzzerRunDriver(
    int *argument_count, char ***arguments, int (*try_input)(const uint8_t *bytes, size_t count));
