/* One step of any number of tensors: the fixed order from unscaling to the rule, and the cutting of the
 * work. It knows no object, so that rms_step and rms_apply are the same code. */
#ifndef STEP_H
#define STEP_H

#include "kernels/kernels.h"
#include "workers.h"

struct row_gradient;

/* A tensor as a step sees it. */
struct tensor {
    size_t count;
    void *param;
    const void *grad;                /* NULL where only rows will do, or where there are no elements */
    const struct row_gradient *rows; /* instead of grad, for this step; or NULL */
    void *slots[RMS_SLOTS_MAX];
    const rms_options *options; /* its group's, admitted */
    unsigned variant;           /* of the kernel: which optional slots it keeps */
    rms_dtype dtype;
    uint64_t stream; /* tells its random bits from those of other tensors */
    uint64_t steps;  /* taken so far */
    struct coefficients coefficients;
};

struct step {
    const struct isa_kernels *kernels;
    const rms_options *options; /* those of the step, admitted */
    struct tensor *const *tensors;
    size_t tensor_count;
};

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
    return array ? array + element * (slot == RMS_SLOT_REMAINDER ? sizeof(uint16_t) : tensor_real_size(tensor)) : NULL;
}

/* What a step found. */
struct step_result {
    double gradient_norm;
    double clip_factor;
    bool skipped;
    size_t bad_tensor; /* when skipped: where the first non-finite gradient is, and what it is */
    size_t bad_element;
    double bad_gradient;
};

/* Performs the step; raises the steps of every tensor unless it is skipped. The norm is computed where
 * clipping or the non-finite check needs it, or always if want_norm. */
struct step_result step_run(const struct step *step, bool want_norm);

/* What the caller is told of it. */
rms_report step_report(const struct step_result *result, uint64_t steps);

/* Says which gradient made the step be skipped; name is that tensor's, or NULL if it has none. */
rms_status step_skipped(const struct step_result *result, const char *name, rms_error *error);

/* Works out a tensor's coefficients for its step number. */
void step_coefficients(struct tensor *tensor, uint64_t number, double clip_factor);

/* The stream of random bits of a tensor of that name. */
uint64_t stream_of(const char *name);

#endif
