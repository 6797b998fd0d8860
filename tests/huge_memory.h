/* Arrays of many gigabytes in a few megabytes: address space is filled with one block of zeros, mapped over and over. A
 * zero that stays zero may be written by whom you like, as often as you like. Only the pages around some chosen bytes,
 * the islands, are memory of their own. */
#ifndef TESTS_HUGE_MEMORY_H
#define TESTS_HUGE_MEMORY_H

#include <stddef.h>

/* NULL where the system refuses the address space. All bytes are 0. */
void *huge_create(size_t bytes, const size_t *islands, size_t island_count);
void huge_free(void *memory, size_t bytes);

#endif
