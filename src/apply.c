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
    enum { ARRAYS = 2 + RMS_SLOTS_MAX };
    struct array {
        const char *name;
        const void *data;
        size_t size;
        size_t bytes;
    } arrays[ARRAYS];
    const size_t size = rms_dtype_size(tensor->dtype);
    arrays[0] = (struct array){"param", tensor->param, size, tensor->count * size};
    arrays[1] = (struct array){"grad", tensor->grad, size, tensor->count * size};
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const enum slot_coding coding = tensor->codings[slot];
        arrays[2 + slot] = (struct array){rms_slot_name(tensor->options->rule, slot), tensor->slots[slot],
                                          slot_size(coding), slot_bytes(coding, tensor->count)};
    }
    for (size_t i = 0; i < ARRAYS; ++i) {
        if ((uintptr_t)arrays[i].data % arrays[i].size != 0)
            return fail(error, RMS_ERROR_ARGUMENT, "%s is not aligned to %zu bytes, as its numbers must be",
                        arrays[i].name, arrays[i].size);
        for (size_t j = 0; j < i; ++j)
            if (arrays[i].data && arrays[j].data &&
                memory_overlaps(arrays[i].data, arrays[i].bytes, arrays[j].data, arrays[j].bytes))
                return fail(error, RMS_ERROR_ARGUMENT, "%s and %s overlap", arrays[j].name, arrays[i].name);
    }
    return RMS_OK;
}

/* Takes over the slots that are kept, and no others. */
static rms_status take_slots(struct tensor *tensor, void *const *slots, rms_error *error)
{
    const unsigned kept = options_slots(tensor->options, tensor->dtype);
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

static rms_status check_call(uint64_t number, const struct tensor *tensor, rms_error *error)
{
    const size_t most = PTRDIFF_MAX / sizeof(double);
    if (number < 1 || number > RMS_STEPS_MAX)
        return fail(error, RMS_ERROR_RANGE, "step %" PRIu64 " is out of bounds: expected 1 to %" PRIu64, number,
                    RMS_STEPS_MAX);
    if (tensor->count > most)
        return fail(error, RMS_ERROR_RANGE, "count %zu is above %zu, the most numbers that memory can hold",
                    tensor->count, most);
    if (tensor->count > 0 && (!tensor->param || !tensor->grad))
        return fail(error, RMS_ERROR_ARGUMENT, "%s is NULL, but count is %zu", tensor->param ? "grad" : "param",
                    tensor->count);
    return RMS_OK;
}

rms_status rms_apply(const rms_options *options, rms_dtype dtype, uint64_t number, size_t count, void *param,
                     const void *grad, void *const *slots, rms_report *report, rms_error *error)
{
    rms_options full;
    rms_isa isa;
    rms_status status = options_admit(&full, options, error);
    if (status == RMS_OK)
        status = kernels_choose(full.isa, &isa, error);
    if (status == RMS_OK)
        status = options_check_dtype(&full, dtype, error);
    if (status == RMS_OK && full.zero_grad)
        status = fail(error, RMS_ERROR_UNSUPPORTED, "zero_grad: rms_apply only reads gradients; set it to 0");
    if (status != RMS_OK)
        return status;

    struct tensor tensor = {.count = count,
                            .param = param,
                            .grad = grad,
                            .options = &full,
                            .dtype = dtype,
                            .stream = stream_of(""),
                            .steps = number - 1};
    tensor_describe(&tensor);
    status = check_call(number, &tensor, error);
    if (status == RMS_OK && count > 0)
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
    return result.skipped ? step_skipped(&result, NULL, error) : succeed(error);
}
