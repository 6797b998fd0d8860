/* rms_apply: one step on memory that the caller owns. */
#include "kernels/kernels.h"
#include "memory.h"
#include "message.h"
#include "options.h"
#include "step.h"

#include <inttypes.h>

/* Every pair of the arrays that the rule uses must be apart. */
static rms_status check_arrays(const struct tensor *tensor, rms_error *error)
{
    const rms_rule rule = tensor->options->rule;
    const struct {
        const char *name;
        const float *data;
    } arrays[] = {
        {"param", tensor->param},
        {"grad", tensor->grad},
        {rms_slot_name(rule, 0), tensor->slots[0]},
        {rms_slot_name(rule, 1), tensor->slots[1]},
        {rms_slot_name(rule, 2), tensor->slots[2]},
    };
    const size_t bytes = tensor->count * sizeof(float);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; ++i) {
        if ((uintptr_t)arrays[i].data % sizeof(float) != 0)
            return fail(error, RMS_ERROR_ARGUMENT, "%s is not aligned to %zu bytes, as float must be", arrays[i].name,
                        sizeof(float));
        for (size_t j = 0; j < i; ++j)
            if (arrays[i].data && arrays[j].data && memory_overlaps(arrays[i].data, bytes, arrays[j].data, bytes))
                return fail(error, RMS_ERROR_ARGUMENT, "%s and %s overlap", arrays[j].name, arrays[i].name);
    }
    return RMS_OK;
}

/* Takes over the slots that are kept, and no others. */
static rms_status take_slots(struct tensor *tensor, void *const *slots, rms_error *error)
{
    const unsigned kept = options_slots(tensor->options);
    for (size_t i = 0; i < RMS_SLOTS_MAX; ++i) {
        if (!(kept >> i & 1))
            continue;
        if (!slots || !slots[i])
            return fail(error, RMS_ERROR_ARGUMENT, "slots[%zu] is NULL, but these options keep %s there", i,
                        rms_slot_name(tensor->options->rule, i));
        tensor->slots[i] = slots[i];
    }
    return RMS_OK;
}

static rms_status check_call(uint64_t number, size_t count, const void *param, const void *grad, rms_error *error)
{
    if (number < 1 || number > RMS_STEPS_MAX)
        return fail(error, RMS_ERROR_RANGE, "step %" PRIu64 " is out of bounds: expected 1 to %" PRIu64, number,
                    RMS_STEPS_MAX);
    if (count > PTRDIFF_MAX / sizeof(float))
        return fail(error, RMS_ERROR_RANGE, "count %zu is above %zu, the most floats that memory can hold", count,
                    PTRDIFF_MAX / sizeof(float));
    if (count > 0 && (!param || !grad))
        return fail(error, RMS_ERROR_ARGUMENT, "%s is NULL, but count is %zu", param ? "grad" : "param", count);
    return RMS_OK;
}

rms_status rms_apply(const rms_options *options, uint64_t number, size_t count, void *param, const void *grad,
                     void *const *slots, rms_report *report, rms_error *error)
{
    rms_options full;
    rms_isa isa;
    rms_status status = options_admit(&full, options, error);
    if (status == RMS_OK)
        status = kernels_choose(full.isa, &isa, error);
    if (status == RMS_OK)
        status = check_call(number, count, param, grad, error);
    if (status != RMS_OK)
        return status;

    struct tensor tensor = {.count = count,
                            .param = param,
                            .grad = grad,
                            .options = &full,
                            .variant = options_variant(&full),
                            .steps = number - 1};
    if (count > 0)
        status = take_slots(&tensor, slots, error);
    if (status == RMS_OK)
        status = check_arrays(&tensor, error);
    if (status != RMS_OK)
        return status;

    struct tensor *const tensors[] = {&tensor};
    const struct step step = {.kernels = kernels_for(isa), .options = &full, .tensors = tensors, .tensor_count = 1};
    const struct step_result result = step_run(&step, report != NULL);
    if (report)
        *report = step_report(&result, tensor.steps);
    return result.skipped ? step_skipped(&step, &result, NULL, error) : succeed(error);
}
