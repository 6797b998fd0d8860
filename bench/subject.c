/* A case's memory and its optimizer. */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, NAME_SIZE = 32 };

rms_options subject_options(const struct bench_case *c)
{
    rms_options options = rms_options_for(c->rule);
    options.lr = 1e-6;
    options.momentum = c->rule == RMS_SGD ? 0.9 : 0;
    options.threads = c->threads;
    options.isa = c->isa;
    options.nonfinite = c->nonfinite;
    options.clip_norm = c->clip_norm;
    options.master = c->master;
    options.state_format = c->state;
    return options;
}

/* ---- numbers ------------------------------------------------------------------------------------ */

/* Parameters of 1; gradients of both signs and some spread: none so small that squares become subnormal. All are whole
 * multiples of 2^-7, which every dtype holds; of f16 and bf16 the codes are listed. */
static void fill(rms_dtype dtype, size_t count, void *param, void *grad)
{
    static const uint16_t f16[] = {0x3c00, 0x2000, 0x2400, 0x2600, 0x2800, 0x2900, 0x2a00, 0x2b00};
    static const uint16_t bf16[] = {0x3f80, 0x3c00, 0x3c80, 0x3cc0, 0x3d00, 0x3d20, 0x3d40, 0x3d60};
    const uint16_t *const codes = dtype == RMS_F16 ? f16 : bf16;
    for (size_t i = 0; i < count; ++i) {
        const size_t size = i % 7 + 1;
        const float number = (float)size * (i % 2 ? 0x1p-7F : -0x1p-7F);
        switch (dtype) {
        case RMS_F32:
            ((float *)param)[i] = 1;
            ((float *)grad)[i] = number;
            break;
        case RMS_F64:
            ((double *)param)[i] = 1;
            ((double *)grad)[i] = (double)number;
            break;
        case RMS_F16:
        case RMS_BF16:
            ((uint16_t *)param)[i] = codes[0];
            ((uint16_t *)grad)[i] = (uint16_t)(codes[size] | (i % 2 ? 0 : 0x8000));
            break;
        }
    }
}

/* Of doubles, the upper half tells. */
bool subject_is_finite(const struct subject *subject)
{
    const size_t step = subject->words;
    const uint32_t exponent = step == 2 ? 0x7ff00000 : 0x7f800000;
    for (size_t t = 0; t < subject->bench_case->tensors; ++t)
        for (size_t i = 0; i < subject->arrays[t].word_count; ++i)
            for (size_t j = step - 1; j < subject->bench_case->count * step; j += step) {
                uint32_t bits;
                memcpy(&bits, (const char *)subject->arrays[t].words[i] + j * sizeof bits, sizeof bits);
                if ((bits & exponent) == exponent)
                    return false;
            }
    return true;
}

/* ---- arrays that a step writes ------------------------------------------------------------------ */

static size_t multiple_of(size_t unit, size_t bytes)
{
    return (bytes + unit - 1) / unit * unit;
}

/* Notes an array of so many bytes a number; false where there is no room for it. */
static bool note_written(struct limit_arrays *arrays, size_t count, void *array, size_t size)
{
    switch (size) {
    case sizeof(uint8_t):
        if (arrays->byte_count == LIMIT_BYTES_MAX)
            return false;
        arrays->scales[arrays->byte_count] = (uint8_t *)array + multiple_of(LIMIT_SCALED, count);
        arrays->bytes[arrays->byte_count++] = array;
        return true;
    case sizeof(uint16_t):
        if (arrays->half_count == LIMIT_HALVES_MAX)
            return false;
        arrays->halves[arrays->half_count++] = array;
        return true;
    default:
        if (arrays->word_count == LIMIT_WORDS_MAX)
            return false;
        arrays->words[arrays->word_count++] = array;
        return true;
    }
}

static bool note_arrays(struct subject *subject, size_t tensor)
{
    const struct bench_case *c = subject->bench_case;
    const size_t size = rms_dtype_size(c->dtype);
    struct limit_arrays *const arrays = &subject->arrays[tensor];
    arrays->grad = subject->grad + tensor * subject->stride;
    arrays->half_grad = size == sizeof(uint16_t);
    bool noted = note_written(arrays, c->count, subject->param + tensor * subject->stride, size);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const char *const name = rms_slot_name(c->rule, slot);
        void *const state = name ? rms_state(subject->optimizer, tensor, name) : NULL;
        const size_t bytes = state ? rms_state_size(subject->optimizer, tensor, name) : 0;
        const bool is_codes = c->state == RMS_STATE_8_BIT && slot < RMS_RULE_SLOTS;
        if (state)
            noted = noted && note_written(arrays, c->count, state, is_codes ? 1 : bytes / c->count);
    }
    return noted;
}

/* Bytes that a step moves, and that there are, for each parameter. */
static void count_bytes(struct subject *subject)
{
    const struct bench_case *c = subject->bench_case;
    const struct limit_arrays *const arrays = &subject->arrays[0];
    const bool reads_twice = c->nonfinite == RMS_NONFINITE_SKIP || c->clip_norm > 0;
    const double grad = (double)rms_dtype_size(c->dtype);
    const double written = (double)arrays->byte_count * (1 + 1.0 / LIMIT_SCALED) +
                           (double)(arrays->half_count * sizeof(uint16_t)) +
                           (double)(arrays->word_count * sizeof(uint32_t)) * (double)subject->words;
    subject->bytes_per_param = (reads_twice ? 2 : 1) * grad + 2 * written;
    subject->held_per_param = grad + written;
}

/* ---- threads ------------------------------------------------------------------------------------ */

static void count_parts(void *context, size_t task_count, rms_task *task, void *task_context)
{
    size_t *const most = context;
    *most = task_count > *most ? task_count : *most;
    for (size_t i = 0; i < task_count; ++i)
        task(task_context, i);
}

static rms_status add_tensors(rms_optimizer *optimizer, const struct subject *subject, rms_error *error)
{
    rms_status status = RMS_OK;
    for (size_t t = 0; t < subject->bench_case->tensors && status == RMS_OK; ++t) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof name, "tensor%zu", t);
        const rms_tensor tensor = {.name = name,
                                   .count = subject->bench_case->count,
                                   .param = subject->param + t * subject->stride,
                                   .grad = subject->grad + t * subject->stride,
                                   .dtype = subject->bench_case->dtype};
        status = rms_add(optimizer, &tensor);
    }
    (void)snprintf(error->message, sizeof error->message, "%s", rms_message(optimizer));
    return status;
}

/* Asks the library itself into how many parts it cuts such a step; of so large a one, into as many as there are
 * threads, and a second state would take long to make. */
static size_t parts_of_step(const struct subject *subject, const rms_options *case_options)
{
    const struct bench_case *c = subject->bench_case;
    const size_t large = 4000000;
    size_t parts = 1;
    if (c->threads == 1 || c->count * c->tensors > large)
        return (size_t)c->threads;
    const rms_parallel counting = {.parallel_for = count_parts, .context = &parts};
    rms_options options = *case_options;
    options.parallel = &counting;
    rms_optimizer *probe = NULL;
    rms_error error;
    if (rms_create(&probe, &options, &error) == RMS_OK && add_tensors(probe, subject, &error) == RMS_OK)
        (void)rms_step(probe, NULL);
    rms_free(probe);
    return parts < (size_t)c->threads ? parts : (size_t)c->threads;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static rms_status short_of_memory(const struct bench_case *c, rms_error *error)
{
    (void)snprintf(error->message, sizeof error->message, "out of memory for %zu tensor%s of %zu parameters",
                   c->tensors, c->tensors == 1 ? "" : "s", c->count);
    return RMS_ERROR_MEMORY;
}

static rms_status allocate(struct subject *subject, rms_error *error)
{
    const struct bench_case *c = subject->bench_case;
    const size_t size = rms_dtype_size(c->dtype);
    if (c->count > SIZE_MAX / 2 / size / c->tensors - ALIGNMENT)
        return short_of_memory(c, error);
    subject->stride = multiple_of(ALIGNMENT, c->count * size);
    subject->param = aligned_alloc(ALIGNMENT, c->tensors * subject->stride);
    subject->grad = aligned_alloc(ALIGNMENT, c->tensors * subject->stride);
    subject->arrays = calloc(c->tensors, sizeof *subject->arrays);
    if (!subject->param || !subject->grad || !subject->arrays)
        return short_of_memory(c, error);
    for (size_t t = 0; t < c->tensors; ++t)
        fill(c->dtype, c->count, subject->param + t * subject->stride, subject->grad + t * subject->stride);
    return RMS_OK;
}

static rms_status allocate_blocks(struct subject *subject, rms_error *error)
{
    const size_t bytes = BLOCKS_OF_PART * sizeof *subject->blocks;
    subject->blocks = aligned_alloc(ALIGNMENT, subject->parts * bytes);
    if (!subject->blocks)
        return short_of_memory(subject->bench_case, error);
    memset(subject->blocks, 0, subject->parts * bytes);
    for (size_t part = 0; part < subject->parts; ++part)
        arithmetic_fill(subject->bench_case->dtype == RMS_F64, subject->blocks + part * BLOCKS_OF_PART);
    return RMS_OK;
}

static rms_status note_all(struct subject *subject, rms_error *error)
{
    for (size_t t = 0; t < subject->bench_case->tensors; ++t)
        if (!note_arrays(subject, t) || !limit_update(RMS_ISA_BASELINE, 0, &subject->arrays[t])) {
            (void)snprintf(error->message, sizeof error->message, "%s has more arrays than the bare pass can move",
                           rms_rule_name(subject->bench_case->rule));
            return RMS_ERROR_UNSUPPORTED;
        }
    count_bytes(subject);
    return RMS_OK;
}

rms_status subject_prepare(struct subject *subject, const struct bench_case *c, rms_error *error)
{
    const size_t size = rms_dtype_size(c->dtype);
    const rms_options options = subject_options(c);
    *subject = (struct subject){.bench_case = c, .limit_isa = c->isa, .arithmetic = arithmetic_of(c->rule)};
    subject->words = size > sizeof(uint32_t) ? size / sizeof(uint32_t) : 1;
    rms_status status = allocate(subject, error);
    if (status == RMS_OK)
        status = rms_create(&subject->optimizer, &options, error);
    if (status == RMS_OK)
        status = add_tensors(subject->optimizer, subject, error);
    if (status != RMS_OK)
        return status;
    (void)rms_step(subject->optimizer, NULL); /* gives the state its start, by the threads that will use it */
    status = note_all(subject, error);
    if (status != RMS_OK)
        return status;
    subject->parts = parts_of_step(subject, &options);
    return allocate_blocks(subject, error);
}

void subject_release(struct subject *subject)
{
    rms_free(subject->optimizer);
    free(subject->param);
    free(subject->grad);
    free(subject->arrays);
    free(subject->blocks);
}
