/* A program that includes this counts its own calls of malloc and its kin, and those of what it links, in heap_calls.
 * (Not under sanitizers, which have a malloc of their own: COUNTING is 0 there.) */
#ifndef TESTS_HEAP_CALLS_H
#define TESTS_HEAP_CALLS_H

#include "support.h"

#include <stdlib.h>

static size_t heap_calls;

#if defined(__GLIBC__) && OWN_MALLOC
enum { COUNTING = 1 };

/* glibc lets a program define these, and offers its own under other names. Libraries must see them. */
#define SEEN __attribute__((visibility("default")))
extern void *__libc_malloc(size_t bytes);                     /* NOLINT */
extern void *__libc_calloc(size_t count, size_t bytes);       /* NOLINT */
extern void *__libc_realloc(void *memory, size_t bytes);      /* NOLINT */
extern void *__libc_memalign(size_t alignment, size_t bytes); /* NOLINT */

SEEN void *malloc(size_t bytes)
{
    ++heap_calls;
    return __libc_malloc(bytes);
}

SEEN void *calloc(size_t count, size_t bytes)
{
    ++heap_calls;
    return __libc_calloc(count, bytes);
}

SEEN void *realloc(void *memory, size_t bytes)
{
    ++heap_calls;
    return __libc_realloc(memory, bytes);
}

SEEN void *aligned_alloc(size_t alignment, size_t bytes)
{
    ++heap_calls;
    return __libc_memalign(alignment, bytes);
}

SEEN int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    ++heap_calls;
    *memory = __libc_memalign(alignment, bytes);
    return *memory ? 0 : 12; /* ENOMEM */
}
#else
enum { COUNTING = 0 };
#endif

static inline void skip_unless_counting(void)
{
    if (!COUNTING) {
        print_message("SKIP: malloc cannot be replaced here\n");
        skip();
    }
}

#endif
