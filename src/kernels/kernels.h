/* The kernels' interface. For each rule and each set of kept slots one loop over plain arrays of real numbers, in
 * float and in double; and codecs between 16-bit formats and float. A table of each per instruction set. Kernels
 * know no object, allocate nothing, and cannot fail. */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include "prefix.h"

#include <rmsprop.h>

/* Room for any rule's coefficients for one step, in either precision; only the kernels look inside. */
struct coefficients {
    _Alignas(double) unsigned char bytes[128];
};

/* Works out the coefficients of step number step, from 1. */
typedef void coefficients_kernel(struct coefficients *coefficients, const rms_options *options, uint64_t step,
                                 double clip_factor);

/* Updates count parameters in place. A slot that is not kept is null. Arrays do not overlap. */
typedef void update_kernel(const struct coefficients *coefficients, size_t count, void *param, const void *grad,
                           void *slot0, void *slot1, void *slot2);

/* Writes the effective learning rate of count parameters. */
typedef void rate_kernel(const struct coefficients *coefficients, size_t count, const void *slot0, const void *slot1,
                         const void *slot2, void *rate);
_Static_assert(RMS_RULE_SLOTS == 3, "kernels take three slots");

/* average = decay * average + intake * param, in this order of operations. */
typedef void average_kernel(size_t count, const void *param, void *average, double decay, double intake);

/* Sum of the squares of the gradients times scale, in double, in an order that only count decides. The product is
 * rounded to the precision of the computation before it is squared. */
typedef double square_sum_kernel(size_t count, const void *grad, double scale);

/* What is computed in one precision. Kernels by rule and by kept optional slots: bit i stands for optional slot
 * number i. */
#define KERNEL_VARIANTS 4
struct kernels {
    update_kernel *update[RMS_RULE_COUNT][KERNEL_VARIANTS];
    average_kernel *average;
    square_sum_kernel *square_sum;
};

/* What need not be fast is compiled once for each precision, for the least that the architecture guarantees. The
 * shared kernels may run at the same time on the same parameters and slots: each number is read and written by one
 * relaxed atomic access, so that none is torn, and what another thread has written in between is lost. Run alone they
 * give the bits of all others. */
struct common_kernels {
    coefficients_kernel *coefficients[RMS_RULE_COUNT];
    rate_kernel *rate[RMS_RULE_COUNT][KERNEL_VARIANTS];
    update_kernel *shared[RMS_RULE_COUNT][KERNEL_VARIANTS];
};
extern const struct common_kernels kernels_common, kernels_common_f64;

/* Where random bits come from: Philox-4x32-7 with this key; the counter holds the step and the element's number. */
struct random_source {
    uint64_t key;
    uint64_t step;
};

/* A 16-bit format. Encoding rounds to nearest even; what is too large becomes infinite. */
struct codec {
    void (*decode)(size_t count, const uint16_t *from, float *to);
    void (*encode)(size_t count, const float *from, uint16_t *to);
    /* Rounds up or down at random; element is the number of the first of them in its tensor. A finite value never becomes
     * infinite. */
    void (*encode_at_random)(size_t count, const float *from, uint16_t *to, const struct random_source *source,
                             uint64_t element);
    square_sum_kernel *square_sum; /* of gradients in this format, in the order of float's */
};

/* State in 8 bits, in blocks of so many elements: a code for each, and a scale for all. */
enum { STATE_BLOCK = RMS_STATE_BLOCK };
struct state_codec {
    /* Codes and scales may be any. There is a scale for each block, the last of which may be short. */
    void (*decode)(size_t count, const uint8_t *codes, const uint8_t *scales, float *to);
    /* Rounds up or down at random, or to nearest if source is NULL. element is a multiple of STATE_BLOCK; a short block
     * is a tensor's last. */
    void (*encode)(size_t count, const float *from, uint8_t *codes, uint8_t *scales, const struct random_source *source,
                   uint64_t element);
};

struct codecs {
    struct codec f16;
    struct codec bf16;
    struct state_codec squares;  /* of numbers that are not negative: what is not 0 does not become 0 */
    struct state_codec averages; /* of numbers of both signs */
    /* State as bf16, which bf16.decode reads. As encode_at_random, or to nearest if source is NULL; but what is not 0
     * does not become 0. */
    void (*encode_state)(size_t count, const float *from, uint16_t *to, const struct random_source *source,
                         uint64_t element);
    /* A float as the nearest bf16, ties away from zero, and the 16 bits that tell it from all others that round there:
     * with ties to even they would be one too many (codec.h). Only signalling NaNs come back changed, as quiet ones. */
    void (*join)(size_t count, const uint16_t *bf16, const uint16_t *remainder, float *to);
    void (*split)(size_t count, const float *from, uint16_t *bf16, uint16_t *remainder);
};

/* Everything that is compiled for one instruction set. */
struct isa_kernels {
    const struct kernels *f32;
    const struct kernels *f64;
    const struct codecs *codecs;
};

/* A table per stub; which of them a build has is its architecture's matter. */
extern const struct kernels kernels_baseline, kernels_avx2, kernels_avx512, kernels_neon;
extern const struct kernels kernels_baseline_f64, kernels_avx2_f64, kernels_avx512_f64, kernels_neon_f64;
extern const struct codecs codecs_baseline, codecs_avx2, codecs_avx512, codecs_neon;

/* The tables of an instruction set, or NULL where this build or this CPU lacks it. */
const struct isa_kernels *kernels_for(rms_isa isa);

/* Turns RMS_ISA_AUTO into RMSPROP_ISA's choice or the best, and checks that this machine runs it. */
rms_status kernels_choose(rms_isa asked, rms_isa *chosen, rms_error *error);

#endif
