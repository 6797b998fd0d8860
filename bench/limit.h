/* The machine's own limit: a pass that only moves the bytes that an update must move. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <rmsprop.h>

enum { LIMIT_HALVES_MAX = 2, LIMIT_WORDS_MAX = 5 };

/* Arrays of 2 bytes or of 4 a number, all of the same count. One of doubles is one of twice as many words. */
struct limit_arrays {
    const void *grad;
    bool half_grad;
    void *halves[LIMIT_HALVES_MAX];
    size_t half_count;
    void *words[LIMIT_WORDS_MAX];
    size_t word_count;
};

/* Reads grad, and reads and writes each of the other arrays without changing them, in one pass, in the widest
 * registers of isa. The arrays are those of the update, so that pages, alignment and cache are the same. A gradient of
 * words takes no halves, one of halves takes at least one of them. */
void limit_update(rms_isa isa, size_t count, const struct limit_arrays *arrays);

/* Reads so many words once; the value only keeps the compiler from leaving the reading out. */
unsigned limit_read(rms_isa isa, size_t word_count, const void *array);

#endif
