/* One step of any number of tensors: the fixed order from unscaling to the rule. It knows no object, so that rms_step
 * and rms_apply are the same code. */
#ifndef STEP_H
#define STEP_H

#include "tensor.h"

struct step {
    const struct isa_kernels *kernels;
    const rms_options *options; /* those of the step, admitted */
    struct tensor *const *tensors;
    size_t tensor_count;
    double *sums; /* one for each chunk of the norm, from the first tensor's on; NULL: there is no room for them */
};

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

/* What gradients of that norm are multiplied by. */
double step_clip_factor(const rms_options *options, double gradient_norm);

/* What the caller is told of it. */
rms_report step_report(const struct step_result *result, uint64_t steps);

/* Says which gradient made the step be skipped; name is that tensor's, or NULL if it has none. */
rms_status step_skipped(const struct step_result *result, const char *name, rms_error *error);

/* Works out a tensor's coefficients for its step number. */
void step_coefficients(struct tensor *tensor, uint64_t number, double clip_factor);

#endif
