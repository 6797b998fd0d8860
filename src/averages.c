/* Exchanging parameters with their averages. What is exchanged must come back bit for bit, so that each kind of
 * parameter has its own way. */
#include "gradient.h"
#include "message.h"
#include "object.h"

#include <string.h>

/* The parameters are as long as the average. */
static void exchange_in_place(void *param, void *average, size_t bytes)
{
    union block room;
    memcpy(&room, param, bytes);
    memcpy(param, average, bytes);
    memcpy(average, &room, bytes);
}

/* The parameters follow from a master, which stays: they become the average, or the master, rounded. */
static void show(const rms_optimizer *optimizer, const struct tensor *tensor, size_t begin, size_t count)
{
    const size_t shown = optimizer->averages_in ? RMS_SLOT_MASTER : RMS_SLOT_AVERAGE;
    uint16_t *const param = (uint16_t *)tensor->param + begin;
    tensor_codec(optimizer->kernels, tensor)->encode(count, tensor_slot(tensor, shown, begin), param);
}

/* Parameter and remainder together are as long as the average. */
static void exchange_joined(const rms_optimizer *optimizer, const struct tensor *tensor, size_t begin, size_t count)
{
    float joined[BLOCK];
    const struct codecs *codecs = optimizer->kernels->codecs;
    uint16_t *const param = (uint16_t *)tensor->param + begin;
    uint16_t *const remainder = tensor_slot(tensor, RMS_SLOT_REMAINDER, begin);
    float *const average = tensor_slot(tensor, RMS_SLOT_AVERAGE, begin);
    codecs->join(count, param, remainder, joined);
    codecs->split(count, average, param, remainder);
    memcpy(average, joined, count * sizeof *average);
}

/* There is only the bf16 parameter: while the average is in its place, it waits in the average's, together with what
 * the average has more than 16 bits. */
static void park(const rms_optimizer *optimizer, const struct tensor *tensor, size_t begin, size_t count)
{
    uint32_t parked[BLOCK];
    uint16_t remainder[BLOCK];
    float average[BLOCK];
    uint16_t *const param = (uint16_t *)tensor->param + begin;
    void *const slot = tensor_slot(tensor, RMS_SLOT_AVERAGE, begin);
    memcpy(average, slot, count * sizeof *average);
    for (size_t i = 0; i < count; ++i)
        parked[i] = (uint32_t)param[i] << 16;
    optimizer->kernels->codecs->split(count, average, param, remainder);
    for (size_t i = 0; i < count; ++i)
        parked[i] |= remainder[i];
    memcpy(slot, parked, count * sizeof *parked);
}

static void unpark(const rms_optimizer *optimizer, const struct tensor *tensor, size_t begin, size_t count)
{
    uint32_t parked[BLOCK];
    uint16_t remainder[BLOCK] = {0};
    float average[BLOCK];
    uint16_t *const param = (uint16_t *)tensor->param + begin;
    void *const slot = tensor_slot(tensor, RMS_SLOT_AVERAGE, begin);
    memcpy(parked, slot, count * sizeof *parked);
    for (size_t i = 0; i < count; ++i)
        remainder[i] = (uint16_t)(parked[i] & 0xffffU);
    optimizer->kernels->codecs->join(count, param, remainder, average);
    for (size_t i = 0; i < count; ++i)
        param[i] = (uint16_t)(parked[i] >> 16);
    memcpy(slot, average, count * sizeof *average);
}

static void exchange(const rms_optimizer *optimizer, const struct tensor *tensor, size_t begin, size_t count)
{
    const size_t size = rms_dtype_size(tensor->dtype);
    if (size > sizeof(uint16_t))
        exchange_in_place((char *)tensor->param + begin * size, tensor_slot(tensor, RMS_SLOT_AVERAGE, begin),
                          count * size);
    else if (tensor->slots[RMS_SLOT_MASTER])
        show(optimizer, tensor, begin, count);
    else if (tensor->slots[RMS_SLOT_REMAINDER])
        exchange_joined(optimizer, tensor, begin, count);
    else if (optimizer->averages_in)
        unpark(optimizer, tensor, begin, count);
    else
        park(optimizer, tensor, begin, count);
}

rms_status rms_swap_averages(rms_optimizer *optimizer)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    if (optimizer->broken)
        return object_check_ready(optimizer, "swap averages");
    object_start_if_needed(optimizer);
    for (size_t t = 0; t < optimizer->tensor_count; ++t) {
        const struct tensor *tensor = optimizer->tensors[t];
        if (!tensor->slots[RMS_SLOT_AVERAGE] || tensor->steps == 0)
            continue;
        for (size_t begin = 0; begin < tensor->count; begin += BLOCK)
            exchange(optimizer, tensor, begin, block_length(tensor->count - begin));
    }
    optimizer->averages_in = !optimizer->averages_in;
    return succeed(&optimizer->error);
}

bool rms_averages_in(const rms_optimizer *optimizer)
{
    return optimizer && optimizer->averages_in;
}
