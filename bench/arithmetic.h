/* The other limit: the roots and divisions that a rule cannot do without, on numbers in the nearest cache. */
#ifndef BENCH_ARITHMETIC_H
#define BENCH_ARITHMETIC_H

#include <rmsprop.h>

/* What one number takes. */
struct arithmetic {
    int roots;     /* 0 to 2 */
    int divisions; /* 0 or 1; 1 if there is a root */
};
struct arithmetic arithmetic_of(rms_rule rule);

/* Numbers in a block; two of them, of doubles, fit every nearest cache. */
enum { ARITHMETIC_BLOCK = 512 };

/* Takes the roots and divisions of count numbers, in the widest registers of isa, from one block to another, over and
 * over. The blocks hold ARITHMETIC_BLOCK doubles, or floats. */
void arithmetic_pass(rms_isa isa, bool in_double, struct arithmetic arithmetic, size_t count, const void *from,
                     void *to);

/* Fills a block with what is to be worked on: numbers that no unit takes a short cut for. */
void arithmetic_fill(bool in_double, void *block);

#endif
