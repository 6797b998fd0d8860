/* The one allocation path, and what can be said of ranges of memory. */
#ifndef MEMORY_H
#define MEMORY_H

#include "prefix.h"

#include <rmsprop.h>

/* The allocator to use: a copy of the caller's, or the C library's. */
rms_allocator memory_allocator(const rms_allocator *given);

/* NULL on failure; 64-byte aligned. bytes > 0. */
void *memory_allocate(const rms_allocator *allocator, size_t bytes);

/* memory may be NULL. */
void memory_release(const rms_allocator *allocator, void *memory, size_t bytes);

/* Whether two ranges share a byte; an empty range shares nothing. */
bool memory_overlaps(const void *a, size_t a_bytes, const void *b, size_t b_bytes);

#endif
