/* The cutting of work: all tensors together are one job, cut into parts of as many bytes each. */
#ifndef WORK_H
#define WORK_H

#include "tensor.h"
#include "workers.h"

struct work {
    struct tensor *const *tensors;
    size_t tensor_count;

    /* The last place at or before element position, out of those that work_extent counts, where a tensor may be cut;
     * for work_extent itself, the end. From place to place they rise. */
    size_t (*edge)(const struct tensor *tensor, size_t position);

    /* Does a tensor's work between two such places. */
    void (*run)(const void *context, const struct tensor *tensor, size_t begin, size_t end);
    const void *context;
};

/* How many elements a step touches. */
size_t work_extent(const struct tensor *tensor);

/* Edges that keep cache lines, pages and blocks of state whole, as far as the caller's arrays are aligned. */
size_t work_page_edge(const struct tensor *tensor, size_t position);

void work_run(const struct work *work, const struct workers *workers);

#endif
