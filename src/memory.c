/* Allocation and ranges. */
#define _POSIX_C_SOURCE 200809L

#include "memory.h"

#include "options.h"

#include <stdlib.h>

static void *allocate_by_default(void *context, size_t bytes, size_t alignment)
{
    (void)context;
    void *memory;
    return posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}

static void release_by_default(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

rms_allocator memory_allocator(const rms_allocator *given)
{
    return given ? *given : (rms_allocator){.allocate = allocate_by_default, .release = release_by_default};
}

void *memory_allocate(const rms_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->context, bytes, STATE_ALIGNMENT);
}

void memory_release(const rms_allocator *allocator, void *memory, size_t bytes)
{
    if (memory)
        allocator->release(allocator->context, memory, bytes);
}

bool memory_overlaps(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    /* Unsigned differences wrap, so that of two ranges that are apart both are large. */
    const uintptr_t a_begin = (uintptr_t)a;
    const uintptr_t b_begin = (uintptr_t)b;
    return a_bytes > 0 && b_bytes > 0 && (a_begin - b_begin < b_bytes || b_begin - a_begin < a_bytes);
}
