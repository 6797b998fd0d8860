/* The step: check, clip, coefficients, update. */
#include "step.h"

#include "gradient.h"
#include "message.h"
#include "norm.h"
#include "update.h"
#include "work.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void step_coefficients(struct tensor *tensor, uint64_t number, double clip_factor)
{
    const struct common_kernels *common = tensor_common_kernels(tensor);
    common->coefficients[tensor->options->rule](&tensor->coefficients, tensor->options, number, clip_factor);
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
        if (tensor_is_lazy(tensor) && tensor->steps == 0 && tensor->slots[RMS_SLOT_AVERAGE])
            update_start_average(step, tensor);
    }
}

static void run_update(const void *context, const struct tensor *tensor, size_t begin, size_t end)
{
    update_range(context, tensor, begin, end);
}

/* The gradients of a chunk are still in the cache when the rule reads them again. */
static void run_norm_and_update(const void *context, const struct tensor *tensor, size_t begin, size_t end)
{
    const struct step *step = context;
    while (begin < end) {
        const size_t next = end - begin < NORM_CHUNK ? end : begin + NORM_CHUNK;
        norm_sum_range(step, tensor, begin, next);
        update_range(step, tensor, begin, next);
        begin = next;
    }
}

static void zero_range(const void *context, const struct tensor *tensor, size_t begin, size_t end)
{
    (void)context;
    tensor_zero_gradient(tensor, begin, end - begin);
}

static void run_work(const struct step *step, const struct workers *workers,
                     void (*run)(const void *context, const struct tensor *tensor, size_t begin, size_t end),
                     size_t (*edge)(const struct tensor *tensor, size_t position))
{
    const struct work work = {
        .tensors = step->tensors, .tensor_count = step->tensor_count, .edge = edge, .run = run, .context = step};
    work_run(&work, workers);
}

/* Where nothing depends on the norm but the report, it is summed up on the way. Not where the gradients are gone
 * afterwards: the sum of their squares may have overflowed, and then it is done again. */
static bool norm_can_wait(const struct step *step)
{
    const rms_options *options = step->options;
    bool dense = step->sums != NULL;
    for (size_t t = 0; t < step->tensor_count && dense; ++t)
        dense = !step->tensors[t]->rows;
    return dense && options->nonfinite == RMS_NONFINITE_PROPAGATE && !(options->clip_norm > 0) && !options->zero_grad;
}

static void update_all(const struct step *step, const struct workers *workers, bool with_norm,
                       struct step_result *result)
{
    prepare_tensors(step, result->clip_factor);
    if (with_norm) {
        norm_clear(step);
        run_work(step, workers, run_norm_and_update, norm_edge);
        norm_finish(step, workers, norm_total(step), result);
        result->skipped = false;
    } else {
        run_work(step, workers, run_update, work_page_edge);
    }
    for (size_t t = 0; t < step->tensor_count; ++t)
        step->tensors[t]->steps += step->tensors[t]->steps < RMS_STEPS_MAX;
}

double step_clip_factor(const rms_options *options, double gradient_norm)
{
    if (options->clip_norm > 0 && isfinite(gradient_norm) && gradient_norm > options->clip_norm)
        return options->clip_norm / gradient_norm;
    return 1;
}

struct step_result step_run(const struct step *step, bool want_norm)
{
    const rms_options *options = step->options;
    const struct workers workers = workers_of(options);
    const bool check = options->nonfinite == RMS_NONFINITE_SKIP;
    const bool later = want_norm && norm_can_wait(step);
    struct step_result result = {.gradient_norm = 0, .clip_factor = 1};

    if (!later && (want_norm || check || options->clip_norm > 0))
        norm_of(step, &workers, &result);
    if (check && result.skipped) {
        if (options->zero_grad)
            run_work(step, &workers, zero_range, work_page_edge);
        return result;
    }
    result.skipped = false;
    result.clip_factor = step_clip_factor(options, result.gradient_norm);
    update_all(step, &workers, later, &result);
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
    return fail(
        error, RMS_SKIPPED_NONFINITE,
        "%s%.80s%s: the gradient of element %zu is %s (the step was skipped; parameters and state are as they were)",
        name ? "tensor \"" : "", name ? name : "grad", name ? "\"" : "", result->bad_element, gradient);
}
