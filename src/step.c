/* The step: check, clip, coefficients, update. */
#include "step.h"

#include "gradient.h"
#include "message.h"
#include "norm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a. */
uint64_t stream_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *name != '\0'; ++name)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3U;
    return hash;
}

void step_coefficients(struct tensor *tensor, uint64_t number, double clip_factor)
{
    const struct common_kernels *common = tensor_common_kernels(tensor);
    common->coefficients[tensor->options->rule](&tensor->coefficients, tensor->options, number, clip_factor);
}

/* Rounds at random; the codec wants to begin where a group of eight elements does. */
static void encode_at_random(const struct step *step, const struct tensor *tensor, size_t begin, size_t count,
                             const float *from, uint16_t *to)
{
    const struct codec *codec = tensor_codec(step->kernels, tensor);
    const struct random_source source = {
        .key = ((tensor->stream ^ tensor->stream >> 32) << 32) | (uint32_t)step->options->seed,
        .step = tensor->steps + 1,
    };
    const size_t ahead = begin % 8;
    if (ahead > 0) {
        float group[8] = {0};
        uint16_t rounded[8];
        const size_t head = count < 8 - ahead ? count : 8 - ahead;
        memcpy(group + ahead, from, head * sizeof *from);
        codec->encode_at_random(8, group, rounded, &source, begin - ahead);
        memcpy(to, rounded + ahead, head * sizeof *to);
        begin += head;
        count -= head;
        from += head;
        to += head;
    }
    codec->encode_at_random(count, from, to, &source, begin);
}

/* The parameters of a block as numbers to compute with: in place, the master, or brought into room. */
static void *working_param(const struct step *step, const struct tensor *tensor, size_t begin, size_t count,
                           float *room)
{
    const struct codec *codec = tensor_codec(step->kernels, tensor);
    char *const param = tensor->param;
    void *const at = param + begin * rms_dtype_size(tensor->dtype);
    if (!codec)
        return at;
    if (tensor->slots[RMS_SLOT_MASTER])
        return tensor_slot(tensor, RMS_SLOT_MASTER, begin);
    if (tensor->slots[RMS_SLOT_REMAINDER]) /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): all have codecs */
        step->kernels->codecs->join(count, at, tensor_slot(tensor, RMS_SLOT_REMAINDER, begin), room);
    else
        codec->decode(count, at, room);
    return room;
}

/* Puts updated parameters back where they are shorter than what was computed with. */
static void store_param(const struct step *step, const struct tensor *tensor, size_t begin, size_t count,
                        const float *updated)
{
    const struct codec *codec = tensor_codec(step->kernels, tensor);
    if (!codec)
        return;
    uint16_t *const param = (uint16_t *)tensor->param + begin;
    if (tensor->slots[RMS_SLOT_MASTER])
        codec->encode(count, updated, param);
    else if (tensor->slots[RMS_SLOT_REMAINDER])
        step->kernels->codecs->split(count, updated, param, tensor_slot(tensor, RMS_SLOT_REMAINDER, begin));
    else
        encode_at_random(step, tensor, begin, count, updated, param);
}

static void update(const struct step *step, const struct tensor *tensor, size_t begin, size_t count, void *param,
                   const void *gradient)
{
    update_kernel *const kernel = tensor_kernels(step->kernels, tensor)->update[tensor->options->rule][tensor->variant];
    kernel(&tensor->coefficients, count, param, gradient, tensor_slot(tensor, 0, begin), tensor_slot(tensor, 1, begin),
           tensor_slot(tensor, 2, begin));
}

/* At the first step the average becomes the parameters themselves: copied, since 0 times an old average may be NaN, and
 * added to a negative zero turns it into a positive one. */
static void update_average(const struct step *step, const struct tensor *tensor, size_t begin, size_t count,
                           const void *param)
{
    void *const average = tensor_slot(tensor, RMS_SLOT_AVERAGE, begin);
    const double decay = tensor->options->average_decay;
    if (tensor->steps == 0)
        memcpy(average, param, count * tensor_real_size(tensor));
    else
        tensor_kernels(step->kernels, tensor)->average(count, param, average, decay, 1.0 - decay);
}

static void update_block(const struct step *step, const struct tensor *tensor, size_t begin, size_t count,
                         const void *gradient)
{
    float room[BLOCK];
    void *const param = working_param(step, tensor, begin, count, room);
    update(step, tensor, begin, count, param, gradient);
    if (tensor->slots[RMS_SLOT_AVERAGE])
        update_average(step, tensor, begin, count, param);
    store_param(step, tensor, begin, count, param);
}

static size_t block_length(size_t left)
{
    return left < BLOCK ? left : BLOCK;
}

static bool is_lazy(const struct tensor *tensor)
{
    return tensor->rows && tensor->rows->mode == RMS_ROWS_LAZY;
}

/* Averages start from the first step's parameters, those of rows that it does not touch among them. */
static void start_average(const struct step *step, const struct tensor *tensor)
{
    for (size_t begin = 0; begin < tensor->count; begin += BLOCK) {
        float room[BLOCK];
        const size_t count = block_length(tensor->count - begin);
        update_average(step, tensor, begin, count, working_param(step, tensor, begin, count, room));
    }
}

/* Neighbours mostly share group, age and precision, and so their coefficients. */
static void prepare_tensors(const struct step *step, double clip_factor)
{
    for (size_t t = 0; t < step->tensor_count; ++t) {
        struct tensor *tensor = step->tensors[t];
        const struct tensor *previous = t > 0 ? step->tensors[t - 1] : NULL;
        if (previous && previous->options == tensor->options && previous->steps == tensor->steps &&
            tensor_common_kernels(previous) == tensor_common_kernels(tensor))
            tensor->coefficients = previous->coefficients;
        else
            step_coefficients(tensor, tensor->steps + 1, clip_factor);
        if (is_lazy(tensor) && tensor->steps == 0 && tensor->slots[RMS_SLOT_AVERAGE])
            start_average(step, tensor);
    }
}

/* Elements from begin to end of the given rows, laid end to end. */
static void update_rows(const struct step *step, const struct tensor *tensor, size_t begin, size_t end)
{
    const size_t width = tensor->rows->width;
    while (begin < end) {
        union block room;
        const size_t row = begin / width;
        const size_t column = begin % width;
        const size_t left = width - column < end - begin ? width - column : end - begin;
        const size_t count = block_length(left);
        const void *const gradient = row_block(step->kernels, tensor, row, column, count, &room);
        update_block(step, tensor, row_index(tensor->rows, row) * width + column, count, gradient);
        begin += count;
    }
}

static void update_blocks(const struct step *step, const struct tensor *tensor, size_t begin, size_t end)
{
    for (; begin < end; begin += block_length(end - begin)) {
        union block room;
        const size_t count = block_length(end - begin);
        update_block(step, tensor, begin, count, gradient_block(step->kernels, tensor, begin, count, &room));
    }
}

/* What needs neither decoding nor a second array at its side is updated in place, in one go. */
static void update_range(const struct step *step, const struct tensor *tensor, size_t begin, size_t end)
{
    const size_t size = tensor_real_size(tensor);
    char *const param = tensor->param;
    const char *const grad = tensor->grad;
    if (is_lazy(tensor))
        update_rows(step, tensor, begin, end);
    else if (tensor_codec(step->kernels, tensor) || tensor->rows || tensor->slots[RMS_SLOT_AVERAGE])
        update_blocks(step, tensor, begin, end);
    else
        update(step, tensor, begin, end - begin, param + begin * size, grad + begin * size);
}

/* How many elements a step touches. */
static size_t extent(const struct tensor *tensor)
{
    return is_lazy(tensor) ? tensor->rows->distinct * tensor->rows->width : tensor->count;
}

struct cut {
    const struct step *step;
    size_t element_count;
    size_t parts;
};

/* All tensors, laid end to end, are one row of elements; a part is a stretch of it. */
static void update_part(void *context, size_t part)
{
    const struct cut *cut = context;
    const size_t begin = workers_edge(cut->element_count, cut->parts, part);
    const size_t end = workers_edge(cut->element_count, cut->parts, part + 1);
    size_t offset = 0;
    for (size_t t = 0; t < cut->step->tensor_count && offset < end; ++t) {
        const struct tensor *tensor = cut->step->tensors[t];
        const size_t count = extent(tensor);
        const size_t from = begin > offset ? begin - offset : 0;
        const size_t to = end - offset < count ? end - offset : count;
        if (from < to)
            update_range(cut->step, tensor, from, to);
        offset += count;
    }
}

static size_t count_elements(const struct step *step)
{
    size_t count = 0;
    for (size_t t = 0; t < step->tensor_count; ++t)
        count += extent(step->tensors[t]);
    return count;
}

struct step_result step_run(const struct step *step, bool want_norm)
{
    const rms_options *options = step->options;
    const struct workers workers = workers_of(options);
    const bool check = options->nonfinite == RMS_NONFINITE_SKIP;
    struct step_result result = {.gradient_norm = 0, .clip_factor = 1};

    if (want_norm || check || options->clip_norm > 0)
        gradient_norm_of(step, &workers, &result);
    if (check && result.skipped)
        return result;
    result.skipped = false;
    if (options->clip_norm > 0 && isfinite(result.gradient_norm) && result.gradient_norm > options->clip_norm)
        result.clip_factor = options->clip_norm / result.gradient_norm;

    prepare_tensors(step, result.clip_factor);
    struct cut cut = {.step = step, .element_count = count_elements(step)};
    cut.parts = workers_parts(&workers, cut.element_count);
    workers_run(&workers, cut.parts, update_part, &cut);
    for (size_t t = 0; t < step->tensor_count; ++t)
        step->tensors[t]->steps += step->tensors[t]->steps < RMS_STEPS_MAX;
    return result;
}

rms_report step_report(const struct step_result *result, uint64_t steps)
{
    return (rms_report){
        .gradient_norm = result->gradient_norm,
        .clip_factor = result->clip_factor,
        .skipped = result->skipped,
        .steps = steps,
    };
}

/* NaN is written as such: its sign is a payload, which differs between CPUs. */
static void describe(double gradient, char *text, size_t size)
{
    if (isnan(gradient))
        snprintf(text, size, "NaN");
    else
        snprintf(text, size, "%g%s", gradient, isfinite(gradient) ? ", which overflows by grad_scale" : "");
}

rms_status step_skipped(const struct step_result *result, const char *name, rms_error *error)
{
    char gradient[48];
    describe(result->bad_gradient, gradient, sizeof gradient);
    return fail(error, RMS_SKIPPED_NONFINITE,
                "%s%.80s%s: the gradient of element %zu is %s (the step was skipped, nothing has changed)",
                name ? "tensor \"" : "", name ? name : "grad", name ? "\"" : "", result->bad_element, gradient);
}
