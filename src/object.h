/* What an optimizer is made of. */
#ifndef OBJECT_H
#define OBJECT_H

#include "step.h"

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

/* Whether what verb says can be done now: not while averages are in, nor when the object is broken. */
rms_status object_check_ready(rms_optimizer *optimizer, const char *verb);

/* An array of pointers with room for one more: itself, or a copy of twice the size that replaces it. NULL, a
 * sentence, and nothing changed, when memory is short. */
void *object_with_room(rms_optimizer *optimizer, void *pointers, size_t count, size_t *capacity);

/* Memory from the object's allocator, or NULL and a sentence. */
void *object_allocate(rms_optimizer *optimizer, size_t bytes);

/* Sets a tensor's state and steps to their start; masters become the parameters. */
void entry_start(rms_optimizer *optimizer, struct entry *entry);

#endif
