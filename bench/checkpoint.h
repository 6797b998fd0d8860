/* Measures saving and loading of checkpoints against what the disk and the system do with the same bytes. */
#ifndef BENCH_CHECKPOINT_H
#define BENCH_CHECKPOINT_H

#include <rmsprop.h>

/* Gigabytes a second, medians over rounds; a ratio is the median of those within one round, 1 is as fast. */
struct bench_speed {
    double gb_per_s;
    double limit_gb_per_s;
    double ratio_to_limit;
};

struct bench_checkpoint_result {
    uint64_t bytes;          /* of the file */
    struct bench_speed save; /* limit: the same bytes written in blocks of 1 MiB, and fsync */
    struct bench_speed load; /* from the system's cache; limit: the same bytes read into memory in use, one thread */
    struct bench_speed cold; /* the same from the disk; NaN where the cache cannot be emptied */
};

/* Saves and loads RMSProp's f32 parameters and state, bytes bytes in all, in a file of folder, which is deleted. rounds 1
 * to 1000. */
rms_status bench_checkpoint(const char *folder, uint64_t bytes, int threads, size_t rounds,
                            struct bench_checkpoint_result *result, rms_error *error);

#endif
