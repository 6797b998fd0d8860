/* What an optimizer is made of. */
#ifndef OBJECT_H
#define OBJECT_H

#include "step.h"
#include "workers.h"

#include <stdatomic.h>

/* One block of memory per tensor: this, then the kept slots, each aligned, then the name. */
struct entry {
    struct tensor tensor;
    size_t group;
    size_t bytes;
    char *name;
};

struct group {
    rms_options options;
    size_t tensor_count;
};

struct rms_optimizer {
    rms_allocator allocator;
    rms_parallel parallel;
    const struct isa_kernels *kernels;
    uint64_t steps;
    struct group **groups; /* blocks that stay where they are: tensors point at their options */
    size_t group_count;
    size_t group_capacity;
    struct tensor **tensors; /* each the beginning of an entry */
    size_t tensor_count;
    size_t tensor_capacity;
    atomic_size_t started; /* so many tensors have their state at its start, or further */
    atomic_flag starting;
    double *sums; /* room for the norm, one for each chunk of all tensors */
    size_t sum_capacity;
    void *row_memory; /* room to sort rows in */
    size_t row_bytes;
    bool averages_in;
    bool broken;
    rms_error error;
};

struct entry *entry_at(const rms_optimizer *optimizer, size_t index);

/* Whether the optimizer has such a tensor, or such a group. */
rms_status object_check_tensor(rms_optimizer *optimizer, size_t tensor);
rms_status object_check_group(rms_optimizer *optimizer, size_t group);

/* Whether there is such a tensor, and out, which an argument of that name gives, is not NULL. */
rms_status object_check_query(rms_optimizer *optimizer, size_t tensor, const void *out, const char *name);

/* Whether what verb says can be done now: not while averages are in, nor when the object is broken. */
rms_status object_check_ready(rms_optimizer *optimizer, const char *verb);

/* Whether no gradient overlaps another's, as zero_grad asks. */
rms_status object_check_gradients_apart(rms_optimizer *optimizer);

/* An array of pointers with room for one more: itself, or a copy of twice the size that replaces it. NULL, a
 * sentence, and nothing changed, when memory is short. */
void *object_with_room(rms_optimizer *optimizer, void *pointers, size_t count, size_t *capacity);

/* Memory from the object's allocator, or NULL and a sentence. */
void *object_allocate(rms_optimizer *optimizer, size_t bytes);

/* Sets the state of tensors that were added since the last call to its start, each part on the thread that will step
 * it, so that a machine of several memories puts it there. */
void object_start(rms_optimizer *optimizer, const struct workers *workers);

static inline bool object_has_started(const rms_optimizer *optimizer)
{
    return atomic_load_explicit(&optimizer->started, memory_order_acquire) == optimizer->tensor_count;
}

/* The same with the object's own workers, where there is something to do. */
void object_start_if_needed(rms_optimizer *optimizer);

#endif
