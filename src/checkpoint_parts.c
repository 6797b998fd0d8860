/* Lists what goes into a checkpoint. */
#include "checkpoint_parts.h"

#include "json_text.h"
#include "message.h"
#include "optimizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t part_bytes(const struct part *part)
{
    return part->count * stored_dtype_size(part->dtype);
}

const void *part_data(const struct part *part, size_t begin, size_t *bytes, float room[PART_ROOM / sizeof(float)])
{
    const size_t rest = part_bytes(part) - begin;
    *bytes = *bytes < rest ? *bytes : rest;
    if (!part->decoded)
        return (part->data ? (const unsigned char *)part->data : part->own) + begin;
    *bytes = *bytes < PART_ROOM ? *bytes : PART_ROOM;
    optimizer_read_slot(part->decoded, part->tensor, part->slot, begin / sizeof *room, *bytes / sizeof *room, room);
    return room;
}

void part_list_free(struct part_list *list)
{
    for (size_t i = 0; i < list->count; ++i)
        free(list->parts[i].name);
    free(list->parts);
    *list = (struct part_list){.parts = NULL};
}

static bool has_room(struct part_list *list)
{
    if (list->count < list->capacity)
        return true;
    const size_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
    struct part *larger = realloc(list->parts, capacity * sizeof *larger);
    if (!larger)
        return false;
    list->parts = larger;
    list->capacity = capacity;
    return true;
}

rms_status part_list_add(struct part_list *list, const char *prefix, const char *name, const char *suffix,
                         const struct part *part, rms_error *error)
{
    const size_t length = strlen(prefix) + strlen(name) + strlen(suffix) + 1;
    char *whole = has_room(list) ? malloc(length) : NULL;
    if (!whole)
        return fail(error, RMS_ERROR_MEMORY, "out of memory for the list of what is to be saved");
    if (list->count == SAFETENSORS_ENTRIES_MAX) {
        free(whole);
        return fail(error, RMS_ERROR_UNSUPPORTED, "more than %d arrays are to be saved: no file may hold so many",
                    SAFETENSORS_ENTRIES_MAX);
    }
    (void)snprintf(whole, length, "%s%s%s", prefix, name, suffix);
    list->parts[list->count] = *part;
    list->parts[list->count++].name = whole;
    return RMS_OK;
}

/* ---- the library's own layouts --------------------------------------------------------------------- */

static rms_status add_native(struct part_list *list, const char *name, const char *slot, const struct part *part,
                             rms_error *error)
{
    char suffix[64];
    (void)snprintf(suffix, sizeof suffix, "/%s", slot);
    return part_list_add(list, "", name, suffix, part, error);
}

static rms_status add_slot(struct part_list *list, rms_optimizer *optimizer, const rms_tensor *tensor, size_t index,
                           size_t slot, rms_error *error)
{
    const rms_options *options = optimizer_options(optimizer, tensor->group);
    const char *name = rms_slot_name(options->rule, slot);
    const enum stored_dtype dtype = checkpoint_slot_dtype(options, tensor->dtype, slot);
    const struct part part = {.dtype = dtype,
                              .count = rms_state_size(optimizer, index, name) / stored_dtype_size(dtype),
                              .data = rms_state(optimizer, index, name)};
    return add_native(list, tensor->name, name, &part, error);
}

static rms_status add_tensor(struct part_list *list, rms_optimizer *optimizer, const rms_tensor *tensor, size_t index,
                             rms_layout layout, rms_error *error)
{
    const rms_options *options = optimizer_options(optimizer, tensor->group);
    const unsigned kept = rms_slots_kept(options, tensor->dtype);
    rms_status status = RMS_OK;
    const struct part param = {
        .dtype = checkpoint_param_dtype(tensor->dtype), .count = tensor->count, .data = tensor->param};
    if (layout == RMS_LAYOUT_FULL)
        status = add_native(list, tensor->name, "param", &param, error);
    for (size_t slot = 0; status == RMS_OK && slot < RMS_SLOTS_MAX; ++slot)
        if (kept >> slot & 1)
            status = add_slot(list, optimizer, tensor, index, slot, error);
    return status;
}

/* ---- the order ------------------------------------------------------------------------------------- */

/* Stable, and each number lies aligned to its size. */
static rms_status arrange(struct part_list *list, rms_error *error)
{
    struct part *arranged = malloc((list->count + 1) * sizeof *arranged);
    if (!arranged)
        return fail(error, RMS_ERROR_MEMORY, "out of memory for the list of what is to be saved");
    size_t placed = 0;
    for (size_t size = sizeof(double); size > 0; size /= 2)
        for (size_t i = 0; i < list->count; ++i)
            if (stored_dtype_size(list->parts[i].dtype) == size) {
                arranged[placed] = list->parts[i];
                arranged[placed].begin = list->bytes;
                list->bytes += part_bytes(&arranged[placed++]);
            }
    free(list->parts);
    list->parts = arranged;
    list->capacity = list->count + 1;
    return RMS_OK;
}

rms_status part_list_fill(struct part_list *list, rms_optimizer *optimizer, rms_layout layout, rms_error *error)
{
    *list = (struct part_list){.parts = NULL};
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < rms_tensor_count(optimizer); ++i) {
        rms_tensor tensor;
        status = rms_tensor_at(optimizer, i, &tensor);
        if (status == RMS_OK && !json_text_is_utf8(tensor.name))
            status = fail(error, RMS_ERROR_ARGUMENT,
                          "tensor %zu: its name is not UTF-8, and a checkpoint could not hold it", i);
        if (status == RMS_OK)
            status = layout == RMS_LAYOUT_PYTORCH ? part_list_add_pytorch(list, optimizer, i, error)
                                                  : add_tensor(list, optimizer, &tensor, i, layout, error);
    }
    if (status == RMS_OK)
        status = arrange(list, error);
    if (status != RMS_OK)
        part_list_free(list);
    return status;
}
