/* The machine's limits by themselves: how fast each level of memory is, and how fast roots and divisions are. */
#ifndef BENCH_LEVELS_H
#define BENCH_LEVELS_H

#include "system.h"

#include <rmsprop.h>

enum bench_level { LEVEL_1, LEVEL_2, LEVEL_3, LEVEL_MEMORY, LEVEL_COUNT };

/* Gigabytes a second, of all threads together, medians over rounds; in the registers that are fastest there. */
struct level_speed {
    enum bench_level level;
    size_t bytes; /* that are worked on: by each thread in the first two levels, by all together in the others */
    int threads;
    double pass; /* reads one array, reads and writes two, as RMSProp's step does; 20 bytes for 12 that there are */
    double read;
    double copy; /* the C library's memcpy; what is read and what is written */
};

/* "L1", "L2", "L3", "memory". */
const char *level_name(enum bench_level level);

/* How many bytes stand for a level: small enough to stay in it beside other data, too many for the one below. Memory: at
 * least four times the largest cache, and at least so many. */
size_t level_bytes(const struct system_caches *caches, enum bench_level level, size_t least_in_memory);

/* Fills speed, of which level, bytes and threads are set. */
rms_status level_measure(struct level_speed *speed, size_t rounds, rms_error *error);

/* Nanoseconds for the root and the division of one number, in the nearest cache, by one thread. */
double level_arithmetic(rms_isa isa, bool in_double, size_t rounds);

#endif
