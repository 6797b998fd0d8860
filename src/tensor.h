/* A tensor as a step sees it, and its slots as arrays. It knows no object, so that rms_step and rms_apply are the same
 * code. */
#ifndef TENSOR_H
#define TENSOR_H

#include "kernels/kernels.h"
#include "slot.h"

struct row_gradient;

struct tensor {
    size_t count;
    void *param;
    const void *grad;                /* NULL where only rows will do, or where there are no elements */
    const struct row_gradient *rows; /* instead of grad, for this step; or NULL */
    void *slots[RMS_SLOTS_MAX];
    enum slot_coding codings[RMS_SLOTS_MAX]; /* of those that are kept */
    const rms_options *options;              /* its group's, admitted */
    unsigned variant;                        /* of the kernel: which optional slots it keeps */
    rms_dtype dtype;
    uint64_t stream;    /* tells its random bits from those of other tensors */
    uint64_t steps;     /* taken so far */
    size_t step_bytes;  /* that a step moves for each element: what work is measured in */
    size_t first_chunk; /* how many chunks of the norm the tensors before it have */
    struct coefficients coefficients;
};

/* The stream of random bits of a tensor of that name. */
uint64_t stream_of(const char *name);

/* Fills in codings, variant and step_bytes from options and dtype. */
void tensor_describe(struct tensor *tensor);

/* Sets its rule's slots to what the options, as they are now, let them start from, and everything else to what the
 * parameters say, from element begin to end: multiples of RMS_STATE_BLOCK, or the last. */
void tensor_start(const struct isa_kernels *kernels, const struct tensor *tensor, size_t begin, size_t end);

/* Sets gradients to 0, but not those that came as rows. zero_grad says that their memory may be written, although it was
 * given as const. */
void tensor_zero_gradient(const struct tensor *tensor, size_t begin, size_t count);

/* Sets a kept slot of the rule, or the average, to one value, rounded to nearest; begin and end likewise. */
void tensor_fill_slot(const struct isa_kernels *kernels, const struct tensor *tensor, size_t slot, size_t begin,
                      size_t end, double value);

/* Numbers of a slot, in the precision of the computation, from element begin on: a multiple of RMS_STATE_BLOCK in 8
 * bits. Written numbers are rounded at random, or to nearest if source is NULL. */
void tensor_read_slot(const struct isa_kernels *kernels, const struct tensor *tensor, size_t slot, size_t begin,
                      size_t count, void *numbers);
void tensor_write_slot(const struct isa_kernels *kernels, const struct tensor *tensor, size_t slot, size_t begin,
                       size_t count, const void *numbers, const struct random_source *source);

/* The following are asked for every block, and of small tensors at every step: hence no calls. */

/* The kernels of a tensor's precision. */
static inline const struct kernels *tensor_kernels(const struct isa_kernels *kernels, const struct tensor *tensor)
{
    return tensor->dtype == RMS_F64 ? kernels->f64 : kernels->f32;
}

static inline const struct common_kernels *tensor_common_kernels(const struct tensor *tensor)
{
    return tensor->dtype == RMS_F64 ? &kernels_common_f64 : &kernels_common;
}

/* Its codec; NULL for what needs none. */
static inline const struct codec *tensor_codec(const struct isa_kernels *kernels, const struct tensor *tensor)
{
    const struct codec *const brain = tensor->dtype == RMS_BF16 ? &kernels->codecs->bf16 : NULL;
    return tensor->dtype == RMS_F16 ? &kernels->codecs->f16 : brain;
}

/* Bytes of a number that its parameters are computed in. */
static inline size_t tensor_real_size(const struct tensor *tensor)
{
    return tensor->dtype == RMS_F64 ? sizeof(double) : sizeof(float);
}

/* Where a slot's element lies; NULL if the slot is not kept. */
static inline void *tensor_slot(const struct tensor *tensor, size_t slot, size_t element)
{
    char *const array = tensor->slots[slot];
    return array ? array + element * slot_size(tensor->codings[slot]) : NULL;
}

/* Whether the rule's slots are kept in fewer bits than it computes with. */
static inline bool tensor_is_shortened(const struct tensor *tensor)
{
    return tensor->options->state_format != RMS_STATE_FULL;
}

#endif
