/* The kernels' interface: for each rule and each set of kept slots one loop over plain arrays, and the
 * norm's reduction; a table of them per instruction set. Kernels know no object, allocate nothing, and
 * cannot fail. */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include "prefix.h"

#include "rules/adagrad.h"
#include "rules/adam.h"
#include "rules/rmsprop.h"
#include "rules/sgd.h"
#include <rmsprop.h>

/* A rule's coefficients for one step. */
union coefficients {
    struct sgd_coefficients sgd;
    struct adagrad_coefficients adagrad;
    struct rmsprop_coefficients rmsprop;
    struct adam_coefficients adam;
};

/* Updates count parameters in place. A slot that is not kept is null. Arrays do not overlap. */
typedef void update_kernel(const union coefficients *coefficients, size_t count, float *param, const float *grad,
                           float *slot0, float *slot1, float *slot2);

/* Writes the effective learning rate of count parameters. */
typedef void rate_kernel(const union coefficients *coefficients, size_t count, const float *slot0, const float *slot1,
                         const float *slot2, float *rate);
_Static_assert(RMS_SLOTS_MAX == 3, "kernels take three slots");

/* Sum of the squares of grad[i] * scale, in double, in an order that only count decides. Finite exactly
 * when every product is: the largest float squared, times any count, stays far below double's limit. */
typedef double square_sum_kernel(size_t count, const float *grad, float scale);

/* Kernels by rule and by kept optional slots: bit i stands for optional slot number i. */
#define KERNEL_VARIANTS 4
struct kernels {
    update_kernel *update[RMS_RULE_COUNT][KERNEL_VARIANTS];
    rate_kernel *rate[RMS_RULE_COUNT][KERNEL_VARIANTS];
    square_sum_kernel *square_sum;
};

/* A table per stub; which of them a build has is its architecture's matter. */
extern const struct kernels kernels_baseline, kernels_avx2, kernels_avx512, kernels_neon;

/* The table of an instruction set, or NULL where this build or this CPU lacks it. */
const struct kernels *kernels_for(rms_isa isa);

/* Turns RMS_ISA_AUTO into RMSPROP_ISA's choice or the best, and checks that this machine runs it. */
rms_status kernels_choose(rms_isa asked, rms_isa *chosen, rms_error *error);

#endif
