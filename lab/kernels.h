/* The net's inner loops, once per instruction set. Each number they make is worked out by the same operations in the
 * same order on all of them: vectors run over independent numbers, and a product is rounded before it is added. */
#ifndef LAB_KERNELS_H
#define LAB_KERNELS_H

#include <rmsprop.h>

/* A matrix in memory: element (row, column) lies at values[row * row_step + column * column_step]. */
struct lab_matrix {
    const float *values;
    size_t row_step;
    size_t column_step;
};

struct lab_kernels {
    /* c += a b, with a: rows x depth, b: depth x columns, c: rows x columns, both row by row. Each c takes its
     * additions in rising depth. */
    void (*multiply_add)(size_t rows, size_t depth, size_t columns, struct lab_matrix a, const float *restrict b,
                         float *restrict c);

    /* values[i] = (float)lab_tanh(values[i]), bit for bit. */
    void (*tanh)(float *values, size_t count);
};

/* NULL where this build has none for isa, or the machine does not run them. */
const struct lab_kernels *lab_kernels_for(rms_isa isa);

/* The best that this machine runs. */
const struct lab_kernels *lab_kernels_best(void);

#endif
