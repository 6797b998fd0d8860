/* Gradients as the numbers that are computed with, wherever they come from: an array in the precision of the
 * computation, 16-bit numbers to decode, or rows to add up. */
#ifndef GRADIENT_H
#define GRADIENT_H

#include "tensor.h"

/* So many elements are brought into the first-level cache at a time. */
enum { BLOCK = 512 };
union block {
    float f32[BLOCK];
    double f64[BLOCK];
};

/* How many of those that are left come next. */
static inline size_t block_length(size_t left)
{
    return left < BLOCK ? left : BLOCK;
}

/* A tensor's gradient as some of its rows: the given rows in order of their index, and among equals in the order
 * in which they were given. */
struct row_gradient {
    size_t width;
    const int64_t *indices;
    const char *values;
    const size_t *order; /* numbers of the given rows */
    const size_t *first; /* where in order each distinct row begins; one more closes the last */
    size_t distinct;
    rms_rows_mode mode;
};

/* Whether a step touches only the rows that are given. */
static inline bool tensor_is_lazy(const struct tensor *tensor)
{
    return tensor->rows && tensor->rows->mode == RMS_ROWS_LAZY;
}

/* The index in the tensor of distinct row number i. */
size_t row_index(const struct row_gradient *rows, size_t i);

/* The number of the first distinct row whose index is at least index. */
size_t row_from(const struct row_gradient *rows, size_t index);

/* The gradients of count elements, at most BLOCK, from begin on: where they lie already, or brought into room. Rows
 * that were not given count as 0. */
const void *gradient_block(const struct isa_kernels *kernels, const struct tensor *tensor, size_t begin, size_t count,
                           union block *room);

/* The same for elements begin to begin + count of distinct row number i. */
const void *row_block(const struct isa_kernels *kernels, const struct tensor *tensor, size_t i, size_t begin,
                      size_t count, union block *room);

#endif
