// The entry point of libFuzzer, which replay.c calls too.
#pragma once

// The checks are the test: a release build must not leave them out.
#undef NDEBUG

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
