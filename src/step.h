/* One step of any number of tensors: the fixed order from unscaling to the rule, and the cutting of the
 * work. It knows no object, so that rms_step and rms_apply are the same code. */
#ifndef STEP_H
#define STEP_H

#include "kernels/kernels.h"
#include "workers.h"

/* A tensor as a step sees it. */
struct tensor {
    size_t count;
    float *param;
    const float *grad;
    float *slots[RMS_SLOTS_MAX];
    const rms_options *options; /* its group's, admitted */
    unsigned variant;           /* of the kernel: which optional slots it keeps */
    uint64_t steps;             /* taken so far */
    union coefficients coefficients;
};

struct step {
    const struct kernels *kernels;
    const rms_options *options; /* those of the step, admitted */
    struct tensor *const *tensors;
    size_t tensor_count;
};

/* What a step found. */
struct step_result {
    double gradient_norm;
    double clip_factor;
    bool skipped;
    size_t bad_tensor; /* when skipped: where the first non-finite gradient is */
    size_t bad_element;
};

/* Performs the step; raises the steps of every tensor unless it is skipped. The norm is computed where
 * clipping or the non-finite check needs it, or always if want_norm. */
struct step_result step_run(const struct step *step, bool want_norm);

/* What the caller is told of it. */
rms_report step_report(const struct step_result *result, uint64_t steps);

/* Says which gradient made the step be skipped; name is that tensor's, or NULL if it has none. */
rms_status step_skipped(const struct step *step, const struct step_result *result, const char *name, rms_error *error);

/* Works out a tensor's coefficients for its step number. */
void step_coefficients(struct tensor *tensor, uint64_t number, double clip_factor);

#endif
