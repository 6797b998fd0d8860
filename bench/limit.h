/* The machine's own limit: a pass that only moves the bytes that an update must move. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <rmsprop.h>

enum { LIMIT_BYTES_MAX = 2, LIMIT_HALVES_MAX = 4, LIMIT_WORDS_MAX = 5, LIMIT_SCALED = 64 };

/* Arrays of 1, 2 or 4 bytes a number, all of the same count. One of doubles is one of twice as many words. Beside an
 * array of bytes lies one of a byte for each LIMIT_SCALED of them. */
struct limit_arrays {
    const void *grad;
    bool half_grad;
    void *bytes[LIMIT_BYTES_MAX];
    void *scales[LIMIT_BYTES_MAX];
    size_t byte_count;
    void *halves[LIMIT_HALVES_MAX];
    size_t half_count;
    void *words[LIMIT_WORDS_MAX];
    size_t word_count;
};

/* The same arrays from an element on, a multiple of LIMIT_SCALED where there are scales. */
struct limit_arrays limit_stretch(const struct limit_arrays *arrays, size_t begin);

/* Reads grad, and reads and writes each of the other arrays without changing them, in one pass, in the widest
 * registers of isa. The arrays are those of the update, so that pages, alignment and cache are the same. A gradient of
 * words takes at least one array of words, one of halves at least one of those; limit.c lists the numbers of arrays
 * that there are passes for: false, and nothing has been done, for others. */
bool limit_update(rms_isa isa, size_t count, const struct limit_arrays *arrays);

/* Reads so many words once; the value only keeps the compiler from leaving the reading out. */
unsigned limit_read(rms_isa isa, size_t word_count, const void *array);

#endif
