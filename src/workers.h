/* Who does the work of a step: the caller's parallel_for, OpenMP, or the calling thread alone. */
#ifndef WORKERS_H
#define WORKERS_H

#include "prefix.h"

#include <rmsprop.h>

struct workers {
    int threads;
    rms_parallel parallel; /* parallel_for is NULL without the caller's */
};

struct workers workers_of(const rms_options *options);

/* Into how many parts to cut work that moves so many bytes: 1 where more would cost more than they give. */
size_t workers_parts(const struct workers *workers, uint64_t bytes);

/* Runs task(context, i) for each i in 0..parts-1 and waits for all. */
void workers_run(const struct workers *workers, size_t parts, rms_task *task, void *context);

#endif
