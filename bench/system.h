/* What the system tells of the machine. */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

/* Caches in bytes: the first two levels are a core's own, for data; the third is shared. */
enum { SYSTEM_CACHES = 3 };
struct system_caches {
    size_t bytes[SYSTEM_CACHES];
    bool guessed; /* the system did not tell all of them */
};
struct system_caches system_caches(void);

/* Memory in bytes; what is available without pushing anything out. 0 where the system does not tell. */
size_t system_memory(void);
size_t system_memory_available(void);

/* The processor's name; "unknown processor" where the system does not tell. */
enum { SYSTEM_NAME_SIZE = 96 };
const char *system_processor(char name[SYSTEM_NAME_SIZE]);

/* Processors that are there. */
int system_processors(void);

#endif
