/* rms_step_shared: a step that several threads may take at once. What they share is read and written by relaxed atomic
 * accesses; everything else of a call lives on its own stack, so that nothing is allocated, and nothing locked but while
 * the first call of all sets state to its start. */
#include "message.h"
#include "norm.h"
#include "object.h"

#include <math.h>

/* One call. */
struct call {
    rms_optimizer *optimizer;
    const void *const *grads;
    struct workers workers;
    rms_error *error;
};

static const rms_options *options_of(const struct call *call)
{
    return &call->optimizer->groups[0]->options;
}

static rms_status check_tensor(const struct call *call, size_t index)
{
    const struct entry *entry = entry_at(call->optimizer, index);
    const struct tensor *tensor = &entry->tensor;
    const char *const name = entry->name;
    if (tensor->dtype != RMS_F32 && tensor->dtype != RMS_F64)
        return fail(call->error, RMS_ERROR_UNSUPPORTED, "tensor \"%.80s\": shared steps take f32 and f64, not %s", name,
                    rms_dtype_name(tensor->dtype));
    if (tensor_is_shortened(tensor) || tensor->options->average_decay > 0)
        return fail(call->error, RMS_ERROR_UNSUPPORTED,
                    "tensor \"%.80s\": shared steps take neither average_decay nor a state_format other than full",
                    name);
    if (tensor->count > 0 && !call->grads[index])
        return fail(call->error, RMS_ERROR_ARGUMENT, "grads[%zu] is NULL, but tensor \"%.80s\" has %zu elements", index,
                    name, tensor->count);
    if ((uintptr_t)call->grads[index] % tensor_real_size(tensor) != 0)
        return fail(call->error, RMS_ERROR_ARGUMENT, "grads[%zu] is not aligned to %zu bytes, as its numbers must be",
                    index, tensor_real_size(tensor));
    return RMS_OK;
}

static rms_status check_call(const struct call *call, size_t grads_count)
{
    const rms_optimizer *optimizer = call->optimizer;
    if (optimizer->broken || optimizer->averages_in)
        return fail(call->error, RMS_ERROR_ARGUMENT, "cannot step: %s",
                    optimizer->broken ? "loading a checkpoint failed half-way" : "averages are swapped in");
    if (grads_count != optimizer->tensor_count || (!call->grads && grads_count > 0))
        return fail(call->error, RMS_ERROR_ARGUMENT, "grads: %zu arrays%s (expected one for each of %zu tensors)",
                    grads_count, call->grads ? "" : ", but NULL", optimizer->tensor_count);
    if (options_of(call)->zero_grad)
        return fail(call->error, RMS_ERROR_UNSUPPORTED,
                    "zero_grad: shared steps only read gradients; set it to 0 and clear them yourself");
    for (size_t i = 0; i < grads_count; ++i) {
        const rms_status status = check_tensor(call, i);
        if (status != RMS_OK)
            return status;
    }
    return RMS_OK;
}

static uint64_t steps_of(const uint64_t *steps)
{
    return __atomic_load_n(steps, __ATOMIC_RELAXED);
}

static uint64_t count_step(uint64_t *steps)
{
    uint64_t taken = steps_of(steps);
    while (taken < RMS_STEPS_MAX &&
           !__atomic_compare_exchange_n(steps, &taken, taken + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    return taken < RMS_STEPS_MAX ? taken + 1 : taken;
}

/* A tensor with this worker's gradients. What does not change is copied field by field: steps may be written
 * meanwhile. */
static struct tensor own_view(const struct call *call, size_t index)
{
    const struct tensor *tensor = call->optimizer->tensors[index];
    struct tensor view = {.count = tensor->count,
                          .param = tensor->param,
                          .grad = call->grads[index],
                          .options = tensor->options,
                          .variant = tensor->variant,
                          .dtype = tensor->dtype,
                          .step_bytes = tensor->step_bytes};
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
        view.slots[slot] = tensor->slots[slot];
    return view;
}

static struct step step_of(const struct call *call, struct tensor *const *tensor)
{
    return (struct step){
        .kernels = call->optimizer->kernels, .options = options_of(call), .tensors = tensor, .tensor_count = 1};
}

static double square_sum(const struct call *call, double scale)
{
    double total = 0;
    for (size_t i = 0; i < call->optimizer->tensor_count; ++i) {
        struct tensor view = own_view(call, i);
        struct tensor *const tensors[] = {&view};
        const struct step step = step_of(call, tensors);
        total = norm_add(&step, &call->workers, scale, total);
    }
    return total;
}

static bool find_bad(const struct call *call, struct step_result *result)
{
    for (size_t i = 0; i < call->optimizer->tensor_count; ++i) {
        struct tensor view = own_view(call, i);
        struct tensor *const tensors[] = {&view};
        const struct step step = step_of(call, tensors);
        if (norm_find_bad(&step, result)) {
            result->bad_tensor = i;
            return true;
        }
    }
    return false;
}

static void find_norm(const struct call *call, struct step_result *result)
{
    const double scale = options_of(call)->grad_scale;
    result->gradient_norm = sqrt(square_sum(call, scale));
    if (!isfinite(result->gradient_norm) && !find_bad(call, result))
        result->gradient_norm = norm_grow(square_sum(call, scale * NORM_SHRINK));
}

static void update_tensor(const struct call *call, size_t index, double clip_factor)
{
    struct tensor view = own_view(call, index);
    step_coefficients(&view, count_step(&call->optimizer->tensors[index]->steps), clip_factor);
    update_kernel *const kernel = tensor_common_kernels(&view)->shared[view.options->rule][view.variant];
    kernel(&view.coefficients, view.count, view.param, view.grad, view.slots[0], view.slots[1], view.slots[2]);
}

static rms_status run(const struct call *call, rms_report *report)
{
    const rms_options *options = options_of(call);
    const bool check = options->nonfinite == RMS_NONFINITE_SKIP;
    struct step_result result = {.clip_factor = 1};
    uint64_t *const steps = &call->optimizer->steps;
    if (report || check || options->clip_norm > 0)
        find_norm(call, &result);
    result.skipped = check && result.skipped;
    if (result.skipped) {
        if (report)
            *report = step_report(&result, steps_of(steps));
        return step_skipped(&result, entry_at(call->optimizer, result.bad_tensor)->name, call->error);
    }
    result.clip_factor = step_clip_factor(options, result.gradient_norm);
    for (size_t i = 0; i < call->optimizer->tensor_count; ++i)
        update_tensor(call, i, result.clip_factor);
    const uint64_t taken = count_step(steps);
    if (report)
        *report = step_report(&result, taken);
    return succeed(call->error);
}

rms_status rms_step_shared(rms_optimizer *optimizer, const void *const *grads, size_t grads_count, rms_report *report,
                           rms_error *error)
{
    if (!optimizer)
        return fail(error, RMS_ERROR_ARGUMENT, "optimizer: NULL");
    const struct call call = {.optimizer = optimizer, .grads = grads, .workers = {.threads = 1}, .error = error};
    const rms_status status = check_call(&call, grads_count);
    if (status != RMS_OK)
        return status;
    if (!object_has_started(optimizer))
        object_start(optimizer, &call.workers);
    return run(&call, report);
}
