/* The step: check, clip, coefficients, update. */
#include "step.h"

#include "message.h"
#include "norm.h"

#include <math.h>
#include <stdio.h>

void step_coefficients(struct tensor *tensor, uint64_t number, double clip_factor)
{
    switch (tensor->options->rule) {
#define RULE(CONSTANT, name, ...)                                                                                      \
    case RMS_##CONSTANT:                                                                                               \
        tensor->coefficients.name = name##_coefficients(tensor->options, number, clip_factor);                         \
        break;
#include "rules.def"
#undef RULE
    }
}

/* Neighbours mostly share group and age, and so their coefficients. */
static void prepare_tensors(const struct step *step, double clip_factor)
{
    for (size_t t = 0; t < step->tensor_count; ++t) {
        struct tensor *tensor = step->tensors[t];
        const struct tensor *previous = t > 0 ? step->tensors[t - 1] : NULL;
        if (previous && previous->options == tensor->options && previous->steps == tensor->steps)
            tensor->coefficients = previous->coefficients;
        else
            step_coefficients(tensor, tensor->steps + 1, clip_factor);
    }
}

static void update_range(const struct step *step, const struct tensor *tensor, size_t begin, size_t end)
{
    float *const *slots = tensor->slots;
    update_kernel *const update = step->kernels->update[tensor->options->rule][tensor->variant];
    update(&tensor->coefficients, end - begin, tensor->param + begin, tensor->grad + begin,
           slots[0] ? slots[0] + begin : NULL, slots[1] ? slots[1] + begin : NULL, slots[2] ? slots[2] + begin : NULL);
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
        const size_t from = begin > offset ? begin - offset : 0;
        const size_t to = end - offset < tensor->count ? end - offset : tensor->count;
        if (from < to)
            update_range(cut->step, tensor, from, to);
        offset += tensor->count;
    }
}

static size_t count_elements(const struct step *step)
{
    size_t count = 0;
    for (size_t t = 0; t < step->tensor_count; ++t)
        count += step->tensors[t]->count;
    return count;
}

struct step_result step_run(const struct step *step, bool want_norm)
{
    const rms_options *options = step->options;
    const struct workers workers = workers_of(options);
    const bool check = options->nonfinite == RMS_NONFINITE_SKIP;
    struct step_result result = {.gradient_norm = 0, .clip_factor = 1};

    if (want_norm || check || options->clip_norm > 0)
        result.gradient_norm = gradient_norm_of(step, &workers);
    if (check && !isfinite(result.gradient_norm)) {
        result.skipped = true;
        find_nonfinite(step, &result.bad_tensor, &result.bad_element);
        return result;
    }
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
static void describe(float gradient, char *text, size_t size)
{
    if (isnan(gradient))
        snprintf(text, size, "NaN");
    else
        snprintf(text, size, "%g%s", (double)gradient, isfinite(gradient) ? ", which overflows by grad_scale" : "");
}

rms_status step_skipped(const struct step *step, const struct step_result *result, const char *name, rms_error *error)
{
    char gradient[48];
    describe(step->tensors[result->bad_tensor]->grad[result->bad_element], gradient, sizeof gradient);
    return fail(error, RMS_SKIPPED_NONFINITE,
                "%s%.80s%s: the gradient of element %zu is %s (the step was skipped, nothing has changed)",
                name ? "tensor \"" : "", name ? name : "grad", name ? "\"" : "", result->bad_element, gradient);
}
