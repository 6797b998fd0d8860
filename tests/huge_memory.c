/* One block of zeros, mapped over and over. */
#define _GNU_SOURCE

#include "huge_memory.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 26)
#define PAGE ((size_t)65536) /* a multiple of every page size in use */

static size_t span(size_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static int open_block(void)
{
    const int file = memfd_create("zeros", 0);
    if (file >= 0 && ftruncate(file, (off_t)BLOCK) == 0)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

static bool map_at(char *address, size_t bytes, int flags, int file)
{
    return mmap(address, bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, file, 0) == address;
}

static bool map_all(char *base, size_t bytes, const size_t *islands, size_t island_count, int file)
{
    bool mapped = true;
    for (size_t offset = 0; offset < span(bytes) && mapped; offset += BLOCK)
        mapped = map_at(base + offset, BLOCK, MAP_SHARED, file);
    for (size_t i = 0; i < island_count && mapped; ++i)
        mapped = map_at(base + islands[i] / PAGE * PAGE, PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    return mapped;
}

void *huge_create(size_t bytes, const size_t *islands, size_t island_count)
{
    const int file = open_block();
    if (file < 0)
        return NULL;
    char *base = mmap(NULL, span(bytes), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        base = NULL;
    } else if (!map_all(base, bytes, islands, island_count, file)) {
        munmap(base, span(bytes));
        base = NULL;
    }
    close(file);
    return base;
}

void huge_free(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, span(bytes));
}
