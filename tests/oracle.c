/* The step of docs/math.md, written out: norm, clipping, preparation, storage, averages. The rules are in
 * oracle_rules.c. */
#include "oracle.h"

#include "oracle_codec.h"
#include "oracle_rules.h"

#include <float.h>
#include <math.h>

enum { CHUNK = 65536, LANES = 32 };

static bool is_wide(rms_dtype dtype)
{
    return dtype == RMS_F64;
}

/* Number i of an array. */
static double number_at(const void *array, rms_dtype dtype, size_t i)
{
    switch (dtype) {
    case RMS_F32:
        return (double)((const float *)array)[i];
    case RMS_F64:
        return ((const double *)array)[i];
    case RMS_F16:
    case RMS_BF16:
        return oracle_decode(dtype, ((const uint16_t *)array)[i]);
    }
    return (double)NAN;
}

/* State is in the precision of the computation. */
static double state_at(const struct oracle_tensor *x, size_t slot, size_t i)
{
    return number_at(x->slots[slot], is_wide(x->dtype) ? RMS_F64 : RMS_F32, i);
}

static void write_state(const struct oracle_tensor *x, size_t slot, size_t i, double value)
{
    if (is_wide(x->dtype))
        ((double *)x->slots[slot])[i] = value;
    else
        ((float *)x->slots[slot])[i] = (float)value;
}

static struct oracle_element element_of(const struct oracle_tensor *x, const rms_options *options)
{
    return (struct oracle_element){.options = options, .wide = is_wide(x->dtype), .step = x->step};
}

/* ---- The norm */

static double product_at(const struct oracle_tensor *x, double unscale, size_t i)
{
    const struct oracle_element e = element_of(x, x->options);
    return oracle_rounded(&e, number_at(x->grad, x->dtype, i) * oracle_rounded(&e, unscale));
}

static double chunk_sum(const struct oracle_tensor *x, double unscale, size_t begin, size_t count)
{
    double lane[LANES];
    for (size_t j = 0; j < LANES; ++j) {
        lane[j] = 0.0;
        for (size_t i = j; i < count; i += LANES) {
            const double product = product_at(x, unscale, begin + i);
            lane[j] = lane[j] + product * product;
        }
    }
    for (size_t width = 16; width >= 1; width /= 2)
        for (size_t j = 0; j < width; ++j)
            lane[j] = lane[j] + lane[j + width];
    return lane[0];
}

static double sum_of_squares(const struct oracle_tensor *tensors, size_t tensor_count, double unscale)
{
    double sum = 0.0;
    for (size_t k = 0; k < tensor_count; ++k)
        for (size_t begin = 0; begin < tensors[k].count; begin += CHUNK) {
            const size_t left = tensors[k].count - begin;
            sum = sum + chunk_sum(&tensors[k], unscale, begin, left < CHUNK ? left : CHUNK);
        }
    return sum;
}

static bool all_finite(const struct oracle_tensor *tensors, size_t tensor_count, double unscale)
{
    for (size_t k = 0; k < tensor_count; ++k)
        for (size_t i = 0; i < tensors[k].count; ++i)
            if (!isfinite(product_at(&tensors[k], unscale, i)))
                return false;
    return true;
}

/* Sets *finite to whether all products are. */
static double norm_of(const struct oracle_tensor *tensors, size_t tensor_count, bool *finite)
{
    const double unscale = tensors[0].options->grad_scale;
    const double sum = sum_of_squares(tensors, tensor_count, unscale);
    *finite = true;
    if (isfinite(sum))
        return sqrt(sum);
    *finite = all_finite(tensors, tensor_count, unscale);
    if (!*finite)
        return sqrt(sum);
    const double norm = sqrt(sum_of_squares(tensors, tensor_count, unscale * ldexp(1.0, -600))) * ldexp(1.0, 600);
    return isinf(norm) ? DBL_MAX : norm;
}

/* ---- One parameter */

static double prepared(const struct oracle_element *e, double clip_factor, double g0)
{
    const rms_options *o = e->options;
    double scale = o->grad_scale * clip_factor;
    if (o->maximize)
        scale = -scale;
    double x = oracle_rounded(e, g0 * oracle_rounded(e, scale));
    if (o->clip_value > 0) {
        const double kappa = oracle_rounded(e, o->clip_value);
        if (x > kappa)
            x = kappa;
        else if (x < -kappa)
            x = -kappa;
    }
    const double decay = oracle_rounded(e, oracle_rounded(e, o->l2_decay) * e->p);
    return oracle_rounded(e, x + decay);
}

/* The number to compute with. */
static double taken_out(const struct oracle_tensor *x, size_t i)
{
    if (x->slots[RMS_SLOT_MASTER])
        return state_at(x, RMS_SLOT_MASTER, i);
    if (x->slots[RMS_SLOT_REMAINDER])
        return (double)oracle_join(((const uint16_t *)x->param)[i],
                                   ((const uint16_t *)x->slots[RMS_SLOT_REMAINDER])[i]);
    return number_at(x->param, x->dtype, i);
}

static uint16_t rounded_at_random(const struct oracle_tensor *x, const rms_options *options, size_t i, double p)
{
    const uint64_t key = oracle_key(options->seed, x->name ? x->name : "");
    return oracle_encode_at_random(x->dtype, (float)p, oracle_random(key, x->step, i));
}

static void put_back(const struct oracle_tensor *x, const rms_options *options, size_t i, double p)
{
    if (x->dtype == RMS_F64) {
        ((double *)x->param)[i] = p;
    } else if (x->dtype == RMS_F32) {
        ((float *)x->param)[i] = (float)p;
    } else if (x->slots[RMS_SLOT_MASTER]) {
        write_state(x, RMS_SLOT_MASTER, i, p);
        ((uint16_t *)x->param)[i] = oracle_encode(x->dtype, (float)p);
    } else if (x->slots[RMS_SLOT_REMAINDER]) {
        uint16_t *const remainder = x->slots[RMS_SLOT_REMAINDER];
        ((uint16_t *)x->param)[i] = oracle_split((float)p, &remainder[i]);
    } else {
        ((uint16_t *)x->param)[i] = rounded_at_random(x, options, i, p);
    }
}

static void move_average(const struct oracle_tensor *x, const struct oracle_element *e, size_t i)
{
    const double alpha = e->options->average_decay;
    if (x->step == 1) {
        write_state(x, RMS_SLOT_AVERAGE, i, e->p);
        return;
    }
    const double kept = oracle_rounded(e, oracle_rounded(e, alpha) * state_at(x, RMS_SLOT_AVERAGE, i));
    const double taken = oracle_rounded(e, oracle_rounded(e, 1.0 - alpha) * e->p);
    write_state(x, RMS_SLOT_AVERAGE, i, oracle_rounded(e, kept + taken));
}

static void step_of_one(const struct oracle_tensor *x, const rms_options *options, double clip_factor, size_t i)
{
    struct oracle_element e = element_of(x, options);
    e.p = taken_out(x, i);
    for (size_t s = 0; s < RMS_RULE_SLOTS; ++s)
        if (x->slots[s])
            e.slot[s] = state_at(x, s, i);
    oracle_apply_rule(&e, prepared(&e, clip_factor, number_at(x->grad, x->dtype, i)));
    for (size_t s = 0; s < RMS_RULE_SLOTS; ++s)
        if (x->slots[s])
            write_state(x, s, i, e.slot[s]);
    if (x->slots[RMS_SLOT_AVERAGE])
        move_average(x, &e, i);
    put_back(x, options, i, e.p);
}

/* Options of the step are those of the first tensor. */
static void step_of_tensor(const struct oracle_tensor *x, double clip_factor, const rms_options *of_step)
{
    rms_options options = *x->options;
    options.grad_scale = of_step->grad_scale;
    options.clip_value = of_step->clip_value;
    options.seed = of_step->seed;
    for (size_t i = 0; i < x->count; ++i)
        if (!x->absent || !x->absent[i])
            step_of_one(x, &options, clip_factor, i);
        else if (x->slots[RMS_SLOT_AVERAGE] && x->step == 1)
            write_state(x, RMS_SLOT_AVERAGE, i, taken_out(x, i));
}

struct oracle_report oracle_step(const struct oracle_tensor *tensors, size_t tensor_count)
{
    struct oracle_report report = {0.0, 1.0, false};
    if (tensor_count == 0)
        return report;
    const rms_options *o = tensors[0].options;
    bool finite;
    report.norm = norm_of(tensors, tensor_count, &finite);
    if (o->nonfinite == RMS_NONFINITE_SKIP && !finite) {
        report.skipped = true;
        return report;
    }
    if (o->clip_norm > 0 && isfinite(report.norm) && o->clip_norm < report.norm)
        report.clip_factor = o->clip_norm / report.norm;
    for (size_t k = 0; k < tensor_count; ++k)
        step_of_tensor(&tensors[k], report.clip_factor, o);
    return report;
}

void oracle_rate(const struct oracle_tensor *tensor, float *out)
{
    struct oracle_element e = element_of(tensor, tensor->options);
    if (e.step == 0)
        e.step = 1;
    for (size_t i = 0; i < tensor->count; ++i) {
        for (size_t s = 0; s < RMS_RULE_SLOTS; ++s)
            if (tensor->slots[s])
                e.slot[s] = state_at(tensor, s, i);
        out[i] = (float)oracle_rate_of_rule(&e);
    }
}
