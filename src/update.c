/* Updating stretches of a tensor: in place where its numbers are those that are computed with, else block by block:
 * decode, the same rule, encode. */
#include "update.h"

#include "gradient.h"

#include <string.h>

/* Where a tensor's random bits come from: those of the parameters (use 0), and of each slot (from 1). The odd number,
 * 2^64 over the golden ratio, keeps uses apart whatever the names of tensors are. */
static struct random_source random_source(const struct step *step, const struct tensor *tensor, size_t use)
{
    const uint64_t stream = tensor->stream + use * UINT64_C(0x9e3779b97f4a7c15);
    return (struct random_source){
        .key = ((stream ^ stream >> 32) << 32) | (uint32_t)step->options->seed,
        .step = tensor->steps + 1,
    };
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
    if (tensor->slots[RMS_SLOT_MASTER]) {
        codec->encode(count, updated, param);
    } else if (tensor->slots[RMS_SLOT_REMAINDER]) {
        step->kernels->codecs->split(count, updated, param, tensor_slot(tensor, RMS_SLOT_REMAINDER, begin));
    } else {
        const struct random_source source = random_source(step, tensor, 0);
        codec->encode_at_random(count, updated, param, &source, begin);
    }
}

/* A slot's numbers likewise. */
static void *working_slot(const struct step *step, const struct tensor *tensor, size_t slot, size_t begin, size_t count,
                          float *room)
{
    if (!tensor->slots[slot] || !tensor_is_shortened(tensor))
        return tensor_slot(tensor, slot, begin);
    tensor_read_slot(step->kernels, tensor, slot, begin, count, room);
    return room;
}

static void store_slot(const struct step *step, const struct tensor *tensor, size_t slot, size_t begin, size_t count,
                       const float *updated)
{
    if (!tensor->slots[slot] || !tensor_is_shortened(tensor))
        return;
    const struct random_source source = random_source(step, tensor, slot + 1);
    tensor_write_slot(step->kernels, tensor, slot, begin, count, updated, &source);
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

static void update(const struct step *step, const struct tensor *tensor, size_t count, void *param,
                   const void *gradient, void *const slots[RMS_RULE_SLOTS])
{
    update_kernel *const kernel = tensor_kernels(step->kernels, tensor)->update[tensor->options->rule][tensor->variant];
    kernel(&tensor->coefficients, count, param, gradient, slots[0], slots[1], slots[2]);
}

static void update_block(const struct step *step, const struct tensor *tensor, size_t begin, size_t count,
                         const void *gradient)
{
    _Alignas(64) float param_room[BLOCK];
    _Alignas(64) float slot_rooms[RMS_RULE_SLOTS][BLOCK];
    void *slots[RMS_RULE_SLOTS];
    void *const param = working_param(step, tensor, begin, count, param_room);
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
        slots[slot] = working_slot(step, tensor, slot, begin, count, slot_rooms[slot]);
    update(step, tensor, count, param, gradient, slots);
    if (tensor->slots[RMS_SLOT_AVERAGE])
        update_average(step, tensor, begin, count, param);
    store_param(step, tensor, begin, count, param);
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
        store_slot(step, tensor, slot, begin, count, slots[slot]);
}

/* Averages start from the first step's parameters, those of rows that it does not touch among them. */
void update_start_average(const struct step *step, const struct tensor *tensor)
{
    for (size_t begin = 0; begin < tensor->count; begin += BLOCK) {
        float room[BLOCK];
        const size_t count = block_length(tensor->count - begin);
        update_average(step, tensor, begin, count, working_param(step, tensor, begin, count, room));
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
    while (begin < end) {
        union block room;
        const size_t count = block_length(end - begin);
        update_block(step, tensor, begin, count, gradient_block(step->kernels, tensor, begin, count, &room));
        if (step->options->zero_grad)
            tensor_zero_gradient(tensor, begin, count);
        begin += count;
    }
}

/* What needs neither decoding nor a second array at its side. Gradients are set to 0 before they leave the cache. */
static void update_in_place(const struct step *step, const struct tensor *tensor, size_t begin, size_t end)
{
    enum { IN_CACHE = 2048 };
    const size_t size = tensor_real_size(tensor);
    char *const param = tensor->param;
    const char *const grad = tensor->grad;
    while (begin < end) {
        const size_t left = end - begin;
        const size_t count = step->options->zero_grad && left > IN_CACHE ? IN_CACHE : left;
        void *const slots[RMS_RULE_SLOTS] = {tensor_slot(tensor, 0, begin), tensor_slot(tensor, 1, begin),
                                             tensor_slot(tensor, 2, begin)};
        update(step, tensor, count, param + begin * size, grad + begin * size, slots);
        if (step->options->zero_grad)
            tensor_zero_gradient(tensor, begin, count);
        begin += count;
    }
}

void update_range(const struct step *step, const struct tensor *tensor, size_t begin, size_t end)
{
    if (tensor_is_lazy(tensor))
        update_rows(step, tensor, begin, end);
    else if (tensor_codec(step->kernels, tensor) || tensor->rows || tensor->slots[RMS_SLOT_AVERAGE] ||
             tensor_is_shortened(tensor))
        update_blocks(step, tensor, begin, end);
    else
        update_in_place(step, tensor, begin, end);
}
