/* What a tensor keeps, where it starts, and its numbers in whatever way they are kept. */
#include "tensor.h"

#include "gradient.h"
#include "options.h"

#include <string.h>

/* FNV-1a. */
uint64_t stream_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *name != '\0'; ++name)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3U;
    return hash;
}

/* Reads and writes parameters and kept slots, and reads gradients. */
void tensor_describe(struct tensor *tensor)
{
    const unsigned kept = options_slots(tensor->options, tensor->dtype);
    tensor->variant = options_variant(tensor->options);
    tensor->step_bytes = 3 * rms_dtype_size(tensor->dtype);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        if (kept >> slot & 1) {
            tensor->codings[slot] = options_slot_coding(tensor->options, tensor->dtype, slot);
            tensor->step_bytes += 2 * slot_size(tensor->codings[slot]);
        }
}

void tensor_zero_gradient(const struct tensor *tensor, size_t begin, size_t count)
{
    const size_t size = rms_dtype_size(tensor->dtype);
    char *grad;
    memcpy(&grad, &tensor->grad, sizeof grad); /* a cast would take away const, which warnings forbid */
    if (!tensor->rows)
        memset(grad + begin * size, 0, count * size);
}

static const struct state_codec *state_codec(const struct isa_kernels *kernels, enum slot_coding coding)
{
    return coding == CODED_SQUARES ? &kernels->codecs->squares : &kernels->codecs->averages;
}

static uint8_t *scales_of(const struct tensor *tensor, size_t slot, size_t element)
{
    return (uint8_t *)tensor->slots[slot] + slot_whole_blocks(tensor->count) + element / RMS_STATE_BLOCK;
}

void tensor_read_slot(const struct isa_kernels *kernels, const struct tensor *tensor, size_t slot, size_t begin,
                      size_t count, void *numbers)
{
    const enum slot_coding coding = tensor->codings[slot];
    const void *const at = tensor_slot(tensor, slot, begin);
    if (slot_is_scaled(coding))
        state_codec(kernels, coding)->decode(count, at, scales_of(tensor, slot, begin), numbers);
    else if (coding == CODED_BF16)
        kernels->codecs->bf16.decode(count, at, numbers);
    else
        memcpy(numbers, at, count * slot_size(coding));
}

void tensor_write_slot(const struct isa_kernels *kernels, const struct tensor *tensor, size_t slot, size_t begin,
                       size_t count, const void *numbers, const struct random_source *source)
{
    const enum slot_coding coding = tensor->codings[slot];
    void *const at = tensor_slot(tensor, slot, begin);
    if (slot_is_scaled(coding))
        state_codec(kernels, coding)->encode(count, numbers, at, scales_of(tensor, slot, begin), source, begin);
    else if (coding == CODED_BF16)
        kernels->codecs->encode_state(count, numbers, at, source, begin);
    else
        memcpy(at, numbers, count * slot_size(coding));
}

static void fill(union block *block, rms_dtype dtype, double value)
{
    for (size_t i = 0; i < BLOCK; ++i)
        if (dtype == RMS_F64)
            block->f64[i] = value;
        else
            block->f32[i] = (float)value;
}

/* The zeros behind the last code are written with it. */
void tensor_fill_slot(const struct isa_kernels *kernels, const struct tensor *tensor, size_t slot, size_t begin,
                      size_t end, double value)
{
    union block block;
    fill(&block, tensor->dtype, value);
    if (slot_is_scaled(tensor->codings[slot]) && end == tensor->count)
        memset(tensor_slot(tensor, slot, end), 0, slot_whole_blocks(end) - end);
    for (; begin < end; begin += BLOCK)
        tensor_write_slot(kernels, tensor, slot, begin, block_length(end - begin), &block, NULL);
}

void tensor_start(const struct isa_kernels *kernels, const struct tensor *tensor, size_t begin, size_t end)
{
    const char *const param = tensor->param;
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        if (!tensor->slots[slot])
            continue;
        if (slot == RMS_SLOT_MASTER)
            tensor_codec(kernels, tensor)
                ->decode(end - begin, (const void *)(param + begin * sizeof(uint16_t)),
                         tensor_slot(tensor, slot, begin));
        else if (slot == RMS_SLOT_REMAINDER)
            memset(tensor_slot(tensor, slot, begin), 0, (end - begin) * sizeof(uint16_t));
        else
            tensor_fill_slot(kernels, tensor, slot, begin, end,
                             slot < RMS_RULE_SLOTS ? options_slot_start(tensor->options, slot) : 0);
    }
}
