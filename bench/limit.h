/* The machine's own limit: a pass that only moves the bytes that an update must move. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <rmsprop.h>

#define LIMIT_WRITTEN_MAX (1 + RMS_SLOTS_MAX)

/* Reads grad, and reads and writes each of the written arrays without changing them, in one pass, in the
 * widest registers of isa. The arrays are those of the update, so that pages, alignment and cache are the
 * same. */
void limit_update(rms_isa isa, size_t count, const float *grad, float *const *written, size_t written_count);

/* Reads grad once; the value only keeps the compiler from leaving the reading out. */
unsigned limit_read(rms_isa isa, size_t count, const float *grad);

#endif
