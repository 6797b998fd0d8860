/* The state of an object's tensors, for those who look at it and write to it. */
#include "gradient.h"
#include "memory.h"
#include "message.h"
#include "object.h"
#include "options.h"
#include "tables.h"

#include <string.h>

/* Whether there is such a tensor, and where to store what is asked of it. */
rms_status object_check_query(rms_optimizer *optimizer, size_t tensor, const void *out, const char *name)
{
    if (optimizer && !out)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "%s: NULL", name);
    return object_check_tensor(optimizer, tensor);
}

static size_t find_slot(const struct tensor *tensor, const char *slot)
{
    for (size_t i = 0; i < RMS_SLOTS_MAX; ++i) {
        const char *name = rms_slot_name(tensor->options->rule, i);
        if (name && strcmp(name, slot) == 0)
            return i;
    }
    return RMS_SLOTS_MAX;
}

void *rms_state(rms_optimizer *optimizer, size_t tensor, const char *slot)
{
    if (!optimizer || !slot || tensor >= optimizer->tensor_count)
        return NULL;
    const struct tensor *owner = optimizer->tensors[tensor];
    const size_t found = find_slot(owner, slot);
    object_start_if_needed(optimizer);
    return found < RMS_SLOTS_MAX ? owner->slots[found] : NULL;
}

size_t rms_state_size(const rms_optimizer *optimizer, size_t tensor, const char *slot)
{
    if (!optimizer || !slot || tensor >= optimizer->tensor_count)
        return 0;
    const struct tensor *owner = optimizer->tensors[tensor];
    const size_t found = find_slot(owner, slot);
    if (found == RMS_SLOTS_MAX || !owner->slots[found])
        return 0;
    return slot_bytes(owner->codings[found], owner->count);
}

static bool lies_in_state(const rms_optimizer *optimizer, const void *memory, size_t bytes)
{
    for (size_t i = 0; i < optimizer->tensor_count; ++i)
        if (memory_overlaps(memory, bytes, entry_at(optimizer, i), entry_at(optimizer, i)->bytes))
            return true;
    return false;
}

/* Checks what both directions need; *found is the slot. */
static rms_status check_copy(rms_optimizer *optimizer, size_t tensor, const char *slot, const void *numbers,
                             size_t *found)
{
    const rms_status status = object_check_query(optimizer, tensor, numbers, "numbers");
    if (status != RMS_OK)
        return status;
    rms_error *error = &optimizer->error;
    const struct entry *entry = entry_at(optimizer, tensor);
    const struct tensor *owner = &entry->tensor;
    const unsigned kept = options_slots(owner->options, owner->dtype);
    *found = slot ? find_slot(owner, slot) : RMS_SLOTS_MAX;
    if (*found == RMS_SLOTS_MAX || *found == RMS_SLOT_REMAINDER || !(kept >> *found & 1))
        return fail(error, RMS_ERROR_NAME, "tensor \"%.80s\": keeps no numbers named \"%.40s\"", entry->name,
                    slot ? slot : "NULL");
    const size_t size = tensor_real_size(owner);
    if ((uintptr_t)numbers % size != 0 || lies_in_state(optimizer, numbers, owner->count * size))
        return fail(error, RMS_ERROR_ARGUMENT, "numbers: not aligned to %zu bytes, or in the optimizer's own state",
                    size);
    return RMS_OK;
}

rms_status rms_read_state(rms_optimizer *optimizer, size_t tensor, const char *slot, void *numbers)
{
    size_t found = 0;
    const rms_status status = check_copy(optimizer, tensor, slot, numbers, &found);
    if (status != RMS_OK)
        return status;
    const struct tensor *owner = optimizer->tensors[tensor];
    object_start_if_needed(optimizer);
    for (size_t begin = 0; begin < owner->count; begin += BLOCK)
        tensor_read_slot(optimizer->kernels, owner, found, begin, block_length(owner->count - begin),
                         (char *)numbers + begin * tensor_real_size(owner));
    return succeed(&optimizer->error);
}

static rms_status check_squares(rms_optimizer *optimizer, const struct entry *entry, size_t slot, const void *numbers)
{
    const struct tensor *tensor = &entry->tensor;
    const bool wide = tensor->dtype == RMS_F64;
    if (slot >= RMS_RULE_SLOTS || rule_of(tensor->options->rule)->slots[slot].kind != SQUARES)
        return RMS_OK;
    for (size_t i = 0; i < tensor->count; ++i) {
        const double number = wide ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
        if (number < 0)
            return fail(&optimizer->error, RMS_ERROR_RANGE,
                        "tensor \"%.80s\": numbers[%zu] is %g, but %s holds squares, which are 0 or more", entry->name,
                        i, number, rms_slot_name(tensor->options->rule, slot));
    }
    return RMS_OK;
}

rms_status rms_write_state(rms_optimizer *optimizer, size_t tensor, const char *slot, const void *numbers)
{
    size_t found = 0;
    rms_status status = object_check_ready(optimizer, "write state");
    if (status == RMS_OK)
        status = check_copy(optimizer, tensor, slot, numbers, &found);
    if (status == RMS_OK)
        status = check_squares(optimizer, entry_at(optimizer, tensor), found, numbers);
    if (status != RMS_OK)
        return status;
    const struct tensor *owner = optimizer->tensors[tensor];
    object_start_if_needed(optimizer);
    for (size_t begin = 0; begin < owner->count; begin += BLOCK)
        tensor_write_slot(optimizer->kernels, owner, found, begin, block_length(owner->count - begin),
                          (const char *)numbers + begin * tensor_real_size(owner), NULL);
    return succeed(&optimizer->error);
}

/* Rates of an f64 tensor are worked out in double, block by block, and rounded once. */
static void write_rates(const struct isa_kernels *kernels, const struct tensor *tensor, float *out)
{
    const bool wide = tensor->dtype == RMS_F64;
    rate_kernel *const rate = tensor_common_kernels(tensor)->rate[tensor->options->rule][tensor->variant];
    for (size_t begin = 0; begin < tensor->count; begin += BLOCK) {
        double room[BLOCK];
        union block blocks[RMS_RULE_SLOTS];
        const size_t count = block_length(tensor->count - begin);
        for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
            if (tensor->slots[slot])
                tensor_read_slot(kernels, tensor, slot, begin, count, &blocks[slot]);
        rate(&tensor->coefficients, count, &blocks[0], &blocks[1], &blocks[2],
             wide ? (void *)room : (void *)(out + begin));
        for (size_t i = 0; wide && i < count; ++i)
            out[begin + i] = (float)room[i];
    }
}

rms_status rms_effective_lr(rms_optimizer *optimizer, size_t tensor, float *out)
{
    const rms_status status = object_check_query(optimizer, tensor, out, "out");
    if (status != RMS_OK)
        return status;
    struct entry *entry = entry_at(optimizer, tensor);
    struct tensor *asked = &entry->tensor;
    if ((uintptr_t)out % sizeof *out != 0 || lies_in_state(optimizer, out, asked->count * sizeof *out))
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "out is not aligned, or lies in the optimizer's own state");
    object_start_if_needed(optimizer);
    step_coefficients(asked, asked->steps, 1.0);
    write_rates(optimizer->kernels, asked, out);
    return succeed(&optimizer->error);
}
