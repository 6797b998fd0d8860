/* What the system tells of the machine: Linux's files, else sysconf, else what is usual. */
#define _DEFAULT_SOURCE

#include "system.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 256, CACHE_ENTRIES = 8 };

/* The first line of a file, without its end; empty if there is none. */
static void read_line(const char *path, char line[LINE_SIZE])
{
    line[0] = '\0';
    FILE *const file = fopen(path, "r");
    if (!file)
        return;
    if (!fgets(line, LINE_SIZE, file))
        line[0] = '\0';
    (void)fclose(file);
    line[strcspn(line, "\n")] = '\0';
}

/* What follows "KEY :" in a file of such lines; empty if there is no such line. */
static void read_value(const char *path, const char *key, char line[LINE_SIZE])
{
    line[0] = '\0';
    FILE *const file = fopen(path, "r");
    if (!file)
        return;
    bool found = false;
    while (!found && fgets(line, LINE_SIZE, file))
        found = strncmp(line, key, strlen(key)) == 0 && strchr(line, ':');
    (void)fclose(file);
    const char *const value = found ? strchr(line, ':') + 1 : "";
    memmove(line, value + strspn(value, " \t"), strlen(value + strspn(value, " \t")) + 1);
    line[strcspn(line, "\n")] = '\0';
}

/* "1024K" and "32M". */
static size_t size_of(const char *text)
{
    char *end = NULL;
    const unsigned long number = strtoul(text, &end, 10);
    const size_t unit = *end == 'K' ? 1024 : *end == 'M' ? 1024 * 1024 : 1;
    return number <= SIZE_MAX / unit ? number * unit : 0;
}

static void note_cache(struct system_caches *caches, int entry)
{
    static const char folder[] = "/sys/devices/system/cpu/cpu0/cache";
    char path[LINE_SIZE], level[LINE_SIZE], type[LINE_SIZE], size[LINE_SIZE];
    (void)snprintf(path, sizeof path, "%s/index%d/level", folder, entry);
    read_line(path, level);
    (void)snprintf(path, sizeof path, "%s/index%d/type", folder, entry);
    read_line(path, type);
    (void)snprintf(path, sizeof path, "%s/index%d/size", folder, entry);
    read_line(path, size);
    const int number = level[0] - '0';
    if (number >= 1 && number <= SYSTEM_CACHES && strcmp(type, "Instruction") != 0)
        caches->bytes[number - 1] = size_of(size);
}

/* Linux's files come first: of a third level that a part of the cores shares, glibc's sysconf tells the sum. */
struct system_caches system_caches(void)
{
    static const size_t usual[SYSTEM_CACHES] = {32768, 1048576, 33554432};
    struct system_caches caches = {.guessed = false};
    for (int entry = 0; entry < CACHE_ENTRIES; ++entry)
        note_cache(&caches, entry);
#ifdef _SC_LEVEL1_DCACHE_SIZE
    static const int names[SYSTEM_CACHES] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
    for (int i = 0; i < SYSTEM_CACHES; ++i)
        if (caches.bytes[i] == 0 && sysconf(names[i]) > 0)
            caches.bytes[i] = (size_t)sysconf(names[i]);
#endif
    for (int i = 0; i < SYSTEM_CACHES; ++i)
        if (caches.bytes[i] == 0 || (i > 0 && caches.bytes[i] <= caches.bytes[i - 1])) {
            caches.bytes[i] = i > 0 && usual[i] <= caches.bytes[i - 1] ? 4 * caches.bytes[i - 1] : usual[i];
            caches.guessed = true;
        }
    return caches;
}

size_t system_memory(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
}

size_t system_memory_available(void)
{
    char line[LINE_SIZE];
    read_value("/proc/meminfo", "MemAvailable", line);
    return (size_t)strtoul(line, NULL, 10) * 1024;
}

const char *system_processor(char name[SYSTEM_NAME_SIZE])
{
    char line[LINE_SIZE];
    read_value("/proc/cpuinfo", "model name", line);
    (void)snprintf(name, SYSTEM_NAME_SIZE, "%.*s", SYSTEM_NAME_SIZE - 1, line[0] ? line : "unknown processor");
    return name;
}

int system_processors(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 0 ? (int)processors : 1;
}
