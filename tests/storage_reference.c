/* Dtypes, masters, rows, averages and the norm, one number after the other; storage_reference.h says what is whose. */
#include "storage_reference.h"

#include "oracle_codec.h"
#include "oracle_state.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

rms_dtype real_dtype(rms_dtype dtype)
{
    return dtype == RMS_F64 ? RMS_F64 : RMS_F32;
}

static bool is_short(rms_dtype dtype)
{
    return dtype == RMS_F16 || dtype == RMS_BF16;
}

static size_t real_size(const struct reference *tensor)
{
    return rms_dtype_size(real_dtype(tensor->dtype));
}

static double real_at(const struct reference *tensor, const void *array, size_t i)
{
    return tensor->dtype == RMS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static void set_real(const struct reference *tensor, void *array, size_t i, double value)
{
    if (tensor->dtype == RMS_F64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
}

/* Number i of an array of the tensor's dtype; exact. */
static double number_at(const struct reference *tensor, const void *array, size_t i)
{
    return is_short(tensor->dtype) ? oracle_decode(tensor->dtype, ((const uint16_t *)array)[i])
                                   : real_at(tensor, array, i);
}

static void forget_rows(struct reference *tensor)
{
    free(tensor->touched);
    tensor->touched = NULL;
}

/* ---- Shortened state */

static struct shortened shortened_create(const struct reference *tensor)
{
    const size_t blocks = (tensor->count + RMS_STATE_BLOCK - 1) / RMS_STATE_BLOCK;
    return (struct shortened){.codes = memset(bytes_create(2 * tensor->count), 0, 2 * tensor->count),
                              .scales = memset(bytes_create(blocks), 0, blocks)};
}

static void shortened_destroy(struct shortened *codes)
{
    free(codes->codes);
    free(codes->scales);
}

/* Takes over the codes of what a step touches: of whole blocks where they share a scale. */
static void take_codes(struct reference *tensor, struct shortened *to, const struct shortened *from)
{
    const bool is_16_bit = tensor->options->state_format == RMS_STATE_16_BIT;
    const size_t size = is_16_bit ? 2 : 1;
    for (size_t i = 0; i < tensor->count; ++i) {
        const size_t block = i / RMS_STATE_BLOCK;
        if (tensor->touched && !tensor->touched[i])
            continue;
        assert_true(is_16_bit || !tensor->touched || tensor->touched[block * RMS_STATE_BLOCK]);
        memcpy((char *)to->codes + i * size, (char *)from->codes + i * size, size);
        to->scales[block] = from->scales[block];
    }
}

/* Rounds a slot's numbers, as at the next step, or to nearest if source is NULL. */
static void shorten(struct reference *tensor, size_t slot, const struct oracle_source *source)
{
    const rms_state_format format = tensor->options->state_format;
    const bool squares = oracle_holds_squares(tensor->options->rule, slot);
    struct shortened *const kept = &tensor->shortened[slot];
    if (!kept->codes)
        return;
    struct shortened fresh = shortened_create(tensor);
    oracle_encode_slot(format, squares, tensor->count, tensor->slots[slot], fresh.codes, fresh.scales, source, 0);
    take_codes(tensor, kept, &fresh);
    oracle_decode_slot(format, squares, tensor->count, kept->codes, kept->scales, tensor->slots[slot]);
    shortened_destroy(&fresh);
}

static void shorten_at_random(struct reference *tensor, int seed)
{
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot) {
        const struct oracle_source source = {.key = oracle_key_of_use(seed, tensor->name, slot + 1),
                                             .step = tensor->steps + 1};
        shorten(tensor, slot, &source);
    }
}

void reference_write_slot(struct reference *tensor, size_t slot, const void *numbers)
{
    forget_rows(tensor);
    if (tensor->count > 0)
        memcpy(tensor->slots[slot], numbers, tensor->count * real_size(tensor));
    shorten(tensor, slot, NULL);
}

/* ---- Life */

static void *reals_create(const struct reference *tensor)
{
    return memset(bytes_create(tensor->count * real_size(tensor)), 0, tensor->count * real_size(tensor));
}

struct reference *reference_create(const char *name, rms_dtype dtype, const rms_options *options, size_t count,
                                   const void *param)
{
    struct reference *tensor = calloc(1, sizeof *tensor);
    assert_non_null(tensor);
    assert_true((size_t)snprintf(tensor->name, sizeof tensor->name, "%s", name) < sizeof tensor->name);
    tensor->dtype = dtype;
    tensor->options = options;
    tensor->count = count;
    tensor->param = bytes_create(count * rms_dtype_size(dtype));
    if (count > 0)
        memcpy(tensor->param, param, count * rms_dtype_size(dtype));
    tensor->real = reals_create(tensor);
    tensor->grad = reals_create(tensor);
    const unsigned kept = rms_slots_kept(options, dtype);
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
        if (kept >> slot & 1) {
            tensor->slots[slot] = reals_create(tensor);
            if (options->state_format != RMS_STATE_FULL)
                tensor->shortened[slot] = shortened_create(tensor);
        }
    if (options->average_decay > 0)
        tensor->average = reals_create(tensor);
    if (dtype == RMS_BF16 && options->master == RMS_MASTER_REMAINDER)
        tensor->remainder = bytes_create(count * sizeof(uint16_t));
    reference_restart(tensor);
    return tensor;
}

void reference_destroy(struct reference *tensor)
{
    if (!tensor)
        return;
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot) {
        free(tensor->slots[slot]);
        shortened_destroy(&tensor->shortened[slot]);
    }
    free(tensor->param);
    free(tensor->real);
    free(tensor->grad);
    free(tensor->average);
    free(tensor->remainder);
    free(tensor->touched);
    free(tensor);
}

void reference_restart(struct reference *tensor)
{
    tensor->steps = 0;
    forget_rows(tensor);
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
        if (tensor->slots[slot]) {
            fill_slot(tensor->options, tensor->dtype, slot, tensor->slots[slot], tensor->count);
            shorten(tensor, slot, NULL);
        }
    for (size_t i = 0; i < tensor->count; ++i) {
        set_real(tensor, tensor->real, i, number_at(tensor, tensor->param, i));
        if (tensor->average)
            set_real(tensor, tensor->average, i, 0);
        if (tensor->remainder)
            tensor->remainder[i] = 0;
    }
}

/* ---- Gradients */

void reference_set_gradient(struct reference *tensor, const void *grad)
{
    forget_rows(tensor);
    for (size_t i = 0; i < tensor->count; ++i)
        set_real(tensor, tensor->grad, i, number_at(tensor, grad, i));
}

void reference_set_rows(struct reference *tensor, const rms_rows *rows)
{
    forget_rows(tensor);
    bool *const touched = memset(bytes_create(tensor->count), 0, tensor->count);
    for (size_t i = 0; i < tensor->count; ++i)
        set_real(tensor, tensor->grad, i, 0);
    for (size_t k = 0; k < rows->row_count; ++k)
        for (size_t column = 0; column < rows->width; ++column) {
            const size_t i = (size_t)rows->indices[k] * rows->width + column;
            const double value = number_at(tensor, rows->values, k * rows->width + column);
            set_real(tensor, tensor->grad, i, touched[i] ? real_at(tensor, tensor->grad, i) + value : value);
            touched[i] = true;
        }
    if (rows->mode == RMS_ROWS_LAZY)
        tensor->touched = touched;
    else
        free(touched);
}

/* ---- The norm: chunks, lanes and folds of docs/math.md. */

static double product_at(const struct reference *tensor, double scale, size_t i)
{
    if (tensor->dtype == RMS_F64)
        return ((const double *)tensor->grad)[i] * scale;
    return (double)(((const float *)tensor->grad)[i] * (float)scale);
}

static double sum_of_squares(struct reference *const *tensors, size_t tensor_count, double scale)
{
    enum { CHUNK = 65536, LANES = 32 };
    double total = 0;
    for (size_t t = 0; t < tensor_count; ++t)
        for (size_t begin = 0; begin < tensors[t]->count; begin += CHUNK) {
            double lane[LANES] = {0};
            for (size_t i = begin; i < tensors[t]->count && i < begin + CHUNK; ++i) {
                const double product = product_at(tensors[t], scale, i);
                lane[(i - begin) % LANES] += product * product;
            }
            for (size_t half = LANES / 2; half > 0; half /= 2)
                for (size_t j = 0; j < half; ++j)
                    lane[j] += lane[j + half];
            total += lane[0];
        }
    return total;
}

static struct reference_report norm_of(struct reference *const *tensors, size_t tensor_count, const rms_options *step)
{
    const double scale = step->grad_scale;
    const double norm = sqrt(sum_of_squares(tensors, tensor_count, scale));
    for (size_t t = 0; t < tensor_count; ++t)
        for (size_t i = 0; i < tensors[t]->count; ++i)
            if (!isfinite(product_at(tensors[t], scale, i)))
                return (struct reference_report){norm, 1, step->nonfinite == RMS_NONFINITE_SKIP, t, i};
    struct reference_report report = {.norm = norm, .clip_factor = 1};
    if (isinf(norm))
        report.norm = fmin(DBL_MAX, sqrt(sum_of_squares(tensors, tensor_count, ldexp(scale, -600))) * ldexp(1, 600));
    if (step->clip_norm > 0 && report.norm > step->clip_norm)
        report.clip_factor = step->clip_norm / report.norm;
    return report;
}

/* ---- The step */

static rms_options rule_options(const struct reference *tensor, const rms_options *step, double clip_factor)
{
    rms_options options = *tensor->options;
    options.grad_scale = step->grad_scale * clip_factor;
    options.clip_value = step->clip_value;
    options.clip_norm = 0;
    options.nonfinite = RMS_NONFINITE_PROPAGATE;
    options.average_decay = 0;
    options.state_format = RMS_STATE_FULL;
    options.zero_grad = false;
    options.isa = RMS_ISA_BASELINE;
    options.threads = 1;
    options.allocator = NULL;
    options.parallel = NULL;
    return options;
}

/* Copies the touched elements of an array to the front of another, or back from there. */
static size_t move_touched(const struct reference *tensor, char *front, char *array, bool back)
{
    const size_t size = real_size(tensor);
    size_t moved = 0;
    for (size_t i = 0; i < tensor->count; ++i) {
        if (tensor->touched && !tensor->touched[i])
            continue;
        memcpy(back ? array + i * size : front + moved * size, back ? front + moved * size : array + i * size, size);
        ++moved;
    }
    return moved;
}

/* The rule sees nothing but the touched elements. */
static void apply_rule(struct reference *tensor, const rms_options *step, double clip_factor)
{
    const rms_options options = rule_options(tensor, step, clip_factor);
    char *const param = reals_create(tensor);
    char *const grad = reals_create(tensor);
    void *slots[RMS_SLOTS_MAX] = {NULL};
    move_touched(tensor, grad, tensor->grad, false);
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
        if (tensor->slots[slot]) {
            slots[slot] = reals_create(tensor);
            move_touched(tensor, slots[slot], tensor->slots[slot], false);
        }
    const size_t moved = move_touched(tensor, param, tensor->real, false);
    rms_error error;
    assert_ok(
        rms_apply(&options, real_dtype(tensor->dtype), tensor->steps + 1, moved, param, grad, slots, NULL, &error),
        error.message);
    move_touched(tensor, param, tensor->real, true);
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot) {
        if (tensor->slots[slot])
            move_touched(tensor, slots[slot], tensor->slots[slot], true);
        free(slots[slot]);
    }
    free(param);
    free(grad);
}

/* Rounds where it is stored in fewer bits. */
static void store(struct reference *tensor, size_t i, uint64_t key)
{
    uint16_t *const short_param = tensor->param;
    const float value = tensor->dtype == RMS_F64 ? 0 : ((const float *)tensor->real)[i];
    if (!is_short(tensor->dtype)) {
        memcpy((char *)tensor->param + i * real_size(tensor), (char *)tensor->real + i * real_size(tensor),
               real_size(tensor));
    } else if (tensor->remainder) {
        short_param[i] = oracle_split(value, &tensor->remainder[i]);
    } else if (tensor->options->master == RMS_MASTER_F32) {
        short_param[i] = oracle_encode(tensor->dtype, value);
    } else {
        short_param[i] = oracle_encode_at_random(tensor->dtype, value, oracle_random(key, tensor->steps + 1, i));
        ((float *)tensor->real)[i] = (float)oracle_decode(tensor->dtype, short_param[i]);
    }
}

/* In the order of operations of docs/math.md. Averages start from the parameters after the first step, which a lazy
 * step does not change everywhere. */
static void move_average(struct reference *tensor, size_t i, bool touched)
{
    const double decay = tensor->options->average_decay;
    if (tensor->steps == 0) {
        set_real(tensor, tensor->average, i, real_at(tensor, tensor->real, i));
    } else if (touched && tensor->dtype == RMS_F64) {
        double *const average = tensor->average;
        average[i] = decay * average[i] + (1 - decay) * ((const double *)tensor->real)[i];
    } else if (touched) {
        float *const average = tensor->average;
        average[i] = (float)decay * average[i] + (float)(1 - decay) * ((const float *)tensor->real)[i];
    }
}

static void step_tensor(struct reference *tensor, const rms_options *step, double clip_factor)
{
    const uint64_t key = oracle_key_of_use(step->seed, tensor->name, 0);
    apply_rule(tensor, step, clip_factor);
    shorten_at_random(tensor, step->seed);
    for (size_t i = 0; i < tensor->count; ++i) {
        const bool touched = !tensor->touched || tensor->touched[i];
        if (tensor->average)
            move_average(tensor, i, touched);
        if (touched)
            store(tensor, i, key);
    }
    ++tensor->steps;
}

struct reference_report reference_step(struct reference *const *tensors, size_t tensor_count, const rms_options *step)
{
    const struct reference_report report = norm_of(tensors, tensor_count, step);
    for (size_t t = 0; t < tensor_count && !report.skipped; ++t)
        step_tensor(tensors[t], step, report.clip_factor);
    return report;
}

/* ---- Comparison */

static const void *slot_of(const struct reference *tensor, size_t slot)
{
    const bool masters = is_short(tensor->dtype) && tensor->options->master == RMS_MASTER_F32;
    switch (slot) {
    case RMS_SLOT_MASTER:
        return masters ? tensor->real : NULL;
    case RMS_SLOT_REMAINDER:
        return tensor->remainder;
    case RMS_SLOT_AVERAGE:
        return tensor->average;
    default:
        return tensor->slots[slot];
    }
}

/* Remainders of NaNs say nothing; those of numbers are compared as f16 codes would be, but none of them is NaN. */
static void assert_same_remainders(const uint16_t *library, const struct reference *tensor, const char *context)
{
    numbers_compared += tensor->count;
    for (size_t i = 0; i < tensor->count; ++i)
        if (library[i] != tensor->remainder[i] && !isnan(((const float *)tensor->real)[i]))
            fail_msg("%s, n = %zu, element %zu: 0x%04x (library) != 0x%04x (reference); options: %s", context,
                     tensor->count, i, (unsigned)library[i], (unsigned)tensor->remainder[i],
                     describe_options(tensor->options));
}

/* Codes of one NaN differ by its sign. */
static void assert_same_codes(const uint8_t *library, const struct reference *tensor, size_t slot, const char *context)
{
    const struct shortened *const codes = &tensor->shortened[slot];
    const bool squares = oracle_holds_squares(tensor->options->rule, slot);
    const size_t padded = (tensor->count + RMS_STATE_BLOCK - 1) / RMS_STATE_BLOCK * RMS_STATE_BLOCK;
    numbers_compared += tensor->count;
    for (size_t i = 0; i < padded; ++i) {
        const uint8_t scale = library[padded + i / RMS_STATE_BLOCK];
        const uint8_t expected = i < tensor->count ? ((const uint8_t *)codes->codes)[i] : 0;
        const uint8_t expected_scale = codes->scales[i / RMS_STATE_BLOCK];
        if (library[i] == expected && scale == expected_scale)
            continue;
        float a, b;
        oracle_decode_slot(RMS_STATE_8_BIT, squares, 1, &library[i], &scale, &a);
        oracle_decode_slot(RMS_STATE_8_BIT, squares, 1, &expected, &expected_scale, &b);
        if (!isnan(a) || !isnan(b) || scale != expected_scale)
            fail_msg("%s, n = %zu, element %zu: 0x%02x of scale %d, %a (library) != 0x%02x of scale %d, %a (reference);"
                     " options: %s",
                     context, tensor->count, i, (unsigned)library[i], (int)scale, (double)a, (unsigned)expected,
                     (int)expected_scale, (double)b, describe_options(tensor->options));
    }
}

void assert_same_slot(const void *library, const struct reference *tensor, size_t slot, const char *context)
{
    const bool shortened = slot < RMS_RULE_SLOTS && tensor->shortened[slot].codes;
    if (slot == RMS_SLOT_REMAINDER)
        assert_same_remainders(library, tensor, context);
    else if (!shortened)
        assert_same_numbers(real_dtype(tensor->dtype), library, slot_of(tensor, slot), tensor->count, context,
                            tensor->options);
    else if (tensor->options->state_format == RMS_STATE_16_BIT)
        assert_same_numbers(RMS_BF16, library, tensor->shortened[slot].codes, tensor->count, context, tensor->options);
    else
        assert_same_codes(library, tensor, slot, context);
}

void assert_same_tensor(rms_optimizer *optimizer, size_t index, const void *param, const struct reference *tensor,
                        const char *context)
{
    char what[256];
    uint64_t steps;
    assert_ok(rms_get_steps(optimizer, index, &steps), rms_message(optimizer));
    if (steps != tensor->steps)
        fail_msg("%s, %s: %llu steps (library) != %llu (reference)", context, tensor->name, (unsigned long long)steps,
                 (unsigned long long)tensor->steps);
    snprintf(what, sizeof what, "%s, %s", context, tensor->name);
    assert_same_numbers(tensor->dtype, param, tensor->param, tensor->count, what, tensor->options);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const char *const name = rms_slot_name(tensor->options->rule, slot);
        const void *const expected = tensor->count > 0 ? slot_of(tensor, slot) : NULL;
        const void *const state = name ? rms_state(optimizer, index, name) : NULL;
        snprintf(what, sizeof what, "%s, %s/%s", context, tensor->name, name ? name : "none");
        if (!expected != !state)
            fail_msg("%s is kept by the %s only", what, expected ? "reference" : "library");
        if (expected && state)
            assert_same_slot(state, tensor, slot, what);
    }
}

void assert_same_report(rms_status status, const rms_report *report, const struct reference_report *found,
                        const char *context)
{
    assert_status(found->skipped ? RMS_SKIPPED_NONFINITE : RMS_OK, status, context);
    assert_int_equal(report->skipped, found->skipped);
    const bool both_nan = isnan(report->gradient_norm) && isnan(found->norm);
    if ((!both_nan && bits_of_double(report->gradient_norm) != bits_of_double(found->norm)) ||
        bits_of_double(report->clip_factor) != bits_of_double(found->clip_factor))
        fail_msg("%s: norm %a, factor %a (library) != %a, %a (reference)", context, report->gradient_norm,
                 report->clip_factor, found->norm, found->clip_factor);
}

/* ---- Data */

struct numbers numbers_create(rms_dtype dtype, size_t count, size_t offset)
{
    const size_t size = rms_dtype_size(dtype);
    struct numbers numbers = {.memory = guarded_create(count * size, offset * size)};
    numbers.at = numbers.memory.data;
    return numbers;
}

void numbers_destroy(struct numbers *numbers)
{
    const ptrdiff_t breach = guarded_breach(&numbers->memory);
    if (breach != PTRDIFF_MAX)
        fail_msg("byte %td was written, outside of the array", breach);
    guarded_destroy(&numbers->memory);
}

rms_options storage_options(uint64_t *state, rms_rule rule, rms_master master, double average_decay)
{
    static const double scales[] = {1, 0x1p-16, 3};
    static const double norms[] = {0, 1, 40, 1e10};
    rms_options options;
    do {
        options = random_options(state, rule);
        options.master = master;
        options.average_decay = average_decay;
        options.grad_scale = scales[random_below(state, COUNT_OF(scales))];
        options.clip_norm = norms[random_below(state, COUNT_OF(norms))];
        options.seed = (int)(random_bits(state) >> 33);
    } while (rms_options_check(&options, NULL) != RMS_OK);
    return options;
}

bool takes_state_format(rms_rule rule, rms_state_format format)
{
    rms_options options = rms_options_for(rule);
    options.state_format = format;
    return rms_options_check(&options, NULL) == RMS_OK;
}

rms_options shortened_options(uint64_t *state, rms_rule rule, rms_master master, double average_decay,
                              rms_state_format format)
{
    rms_options options;
    do {
        options = storage_options(state, rule, master, average_decay);
        options.state_format = format;
    } while (rms_options_check(&options, NULL) != RMS_OK);
    return options;
}

rms_state_format draw_state_format(uint64_t *state, rms_rule rule)
{
    const rms_state_format format = (rms_state_format)random_below(state, 3);
    return takes_state_format(rule, format) ? format : RMS_STATE_FULL;
}
