/* The library's own layouts: tensors NAME/param and NAME/slot, and in the metadata what they mean. */
#include "checkpoint.h"

#include "message.h"
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const metadata_keys[] = {"format", "format_version", "library",   "layout",         "steps",
                                            "groups", "tensors",        "checksums", "header_checksum"};
enum { METADATA_KEYS = sizeof metadata_keys / sizeof *metadata_keys };

/* A key that a later version may have brought; its file says so, so that nobody looks for damage. */
static rms_status unknown_key(const struct rms_checkpoint *checkpoint, const char *where, const char *key,
                              rms_error *error)
{
    return fail(error, RMS_ERROR_FORMAT,
                "%.160s: %.60s: version %s does not know \"%.60s\" (the file was written by version %.20s)",
                checkpoint->path, where, rms_version(), key, checkpoint->version);
}

static rms_status check_metadata(const struct rms_checkpoint *checkpoint, rms_error *error)
{
    const struct json_value *metadata = checkpoint->header.metadata;
    const struct json_value *value = value_first(metadata);
    for (size_t k = 0; k < metadata->count; ++k, value = value_next(value)) {
        size_t i = 0;
        while (i < METADATA_KEYS && strcmp(metadata_keys[i], value->key) != 0)
            ++i;
        if (i == METADATA_KEYS)
            return unknown_key(checkpoint, "__metadata__", value->key, error);
    }
    return RMS_OK;
}

/* A part of the metadata that is JSON itself. */
static rms_status read_part(const struct rms_checkpoint *checkpoint, const char *key, struct json *json,
                            rms_error *error)
{
    const char *text = safetensors_text(&checkpoint->header, key);
    if (text)
        return json_read(json, text, strlen(text), checkpoint->path, key, error);
    *json = (struct json){.values = NULL};
    return fail(error, RMS_ERROR_FORMAT, "%.160s: its metadata lack %s", checkpoint->path, key);
}

/* ---- groups ---------------------------------------------------------------------------------------- */

static rms_status read_option(const struct rms_checkpoint *checkpoint, size_t group, const struct json_value *value,
                              rms_options *options, rms_error *error)
{
    char where[64];
    (void)snprintf(where, sizeof where, "group %zu", group);
    const enum option option = option_of_key(value->key);
    if (option == NO_OPTION || !rule_takes(rule_of(options->rule), option))
        return unknown_key(checkpoint, where, value->key, error);
    rms_error reason;
    rms_status status = RMS_ERROR_FORMAT;
    if (value->kind == VALUE_NUMBER || value->kind == VALUE_FLAG)
        status = rms_options_set(options, value->key, value->number, &reason);
    else if (value->kind == VALUE_STRING)
        status = rms_options_set_text(options, value->key, value->text, &reason);
    else
        say(&reason, "%.40s is no number, flag or word", value->key);
    if (status != RMS_OK)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: %s: %.250s", checkpoint->path, where, reason.message);
    return RMS_OK;
}

static rms_status read_rule(struct rms_checkpoint *checkpoint, size_t group, const char *name, rms_error *error)
{
    rms_rule rule;
    if (!rms_rule_from_name(name, &rule))
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: group %zu: version %s has no rule \"%.40s\" (the file was written by version %.20s)",
                    checkpoint->path, group, rms_version(), name, checkpoint->version);
    if (group > 0 && rule != checkpoint->rule)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: group %zu is of rule %s, but group 0 of %s", checkpoint->path,
                    group, name, rms_rule_name(checkpoint->rule));
    checkpoint->rule = rule;
    return RMS_OK;
}

static rms_status read_group(struct rms_checkpoint *checkpoint, size_t group, const struct json_value *text,
                             rms_error *error)
{
    rms_options *options = &checkpoint->groups[group].options;
    const char *name = value_text(value_find(text, "rule"));
    const struct json_value *values = value_find(text, "options");
    if (!name || !values || values->kind != VALUE_OBJECT || text->count != 2)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: group %zu is no object of rule and options", checkpoint->path,
                    group);
    rms_status status = read_rule(checkpoint, group, name, error);
    if (status != RMS_OK)
        return status;
    *options = rms_options_for(checkpoint->rule);
    const struct json_value *value = value_first(values);
    for (size_t i = 0; status == RMS_OK && i < values->count; ++i, value = value_next(value))
        status = read_option(checkpoint, group, value, options, error);
    rms_error reason;
    if (status == RMS_OK && rms_options_check(options, &reason) != RMS_OK)
        status = fail(error, RMS_ERROR_FORMAT, "%.160s: group %zu: %.250s", checkpoint->path, group, reason.message);
    return status;
}

static rms_status read_groups(struct rms_checkpoint *checkpoint, rms_error *error)
{
    struct json json;
    rms_status status = read_part(checkpoint, "groups", &json, error);
    if (status != RMS_OK)
        return status;
    const struct json_value *value = value_first(json.values);
    if (json.values->kind != VALUE_ARRAY || json.values->count == 0)
        status = fail(error, RMS_ERROR_FORMAT, "%.160s: groups is no array of at least one", checkpoint->path);
    else if (!(checkpoint->groups = calloc(json.values->count, sizeof *checkpoint->groups)))
        status = fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for its groups", checkpoint->path);
    else
        checkpoint->group_count = json.values->count;
    for (size_t i = 0; status == RMS_OK && i < checkpoint->group_count; ++i, value = value_next(value))
        status = read_group(checkpoint, i, value, error);
    json_release(&json);
    return status;
}

/* ---- tensors --------------------------------------------------------------------------------------- */

static rms_status read_text(const struct rms_checkpoint *checkpoint, const struct json_value *text,
                            struct file_tensor *tensor, rms_error *error)
{
    uint64_t group, count;
    *tensor = (struct file_tensor){.name = text->key, .has_shape = true};
    if (text->key[0] == '\0' || text->kind != VALUE_OBJECT || text->count != 4 ||
        !value_whole(value_find(text, "group"), &group) || !value_whole(value_find(text, "steps"), &tensor->steps) ||
        !value_whole(value_find(text, "count"), &count) ||
        !rms_dtype_from_name(value_text(value_find(text, "dtype")), &tensor->dtype))
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: tensors: \"%.100s\" is no object of group, steps, count and dtype (f32, f64, f16, bf16)",
                    checkpoint->path, text->key);
    if (group >= checkpoint->group_count)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: tensor \"%.100s\" is of group %" PRIu64 ", but there are %zu",
                    checkpoint->path, text->key, group, checkpoint->group_count);
    if (count > SIZE_MAX)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: tensor \"%.100s\" exceeds this machine's memory",
                    checkpoint->path, text->key);
    tensor->group = (size_t)group;
    tensor->count = (size_t)count;
    return RMS_OK;
}

/* The entry of a tensor's slot, which must be there and hold so many numbers of that dtype. */
static rms_status find_entry(const struct rms_checkpoint *checkpoint, const struct file_tensor *tensor,
                             const char *slot, enum stored_dtype dtype, size_t count, const struct stored **found,
                             rms_error *error)
{
    const size_t length = strlen(tensor->name) + 1 + strlen(slot) + 1;
    char *name = malloc(length);
    if (!name)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for a tensor's name", checkpoint->path);
    (void)snprintf(name, length, "%s/%s", tensor->name, slot);
    const struct stored *stored = safetensors_find(&checkpoint->header, name);
    free(name);
    if (!stored)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: lacks \"%.100s/%s\", which its options ask for", checkpoint->path,
                    tensor->name, slot);
    if (stored->dtype != dtype || stored->count != count || stored->dimensions != 1)
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: \"%.100s\" holds %" PRIu64 " numbers of %s in %zu dimensions (expected %zu of %s in 1)",
                    checkpoint->path, stored->name, stored->count, stored_dtype_name(stored->dtype), stored->dimensions,
                    count, stored_dtype_name(dtype));
    *found = stored;
    return RMS_OK;
}

static rms_status find_slot(const struct rms_checkpoint *checkpoint, struct file_tensor *tensor, size_t slot,
                            rms_error *error)
{
    const rms_options *options = &checkpoint->groups[tensor->group].options;
    const enum stored_dtype dtype = checkpoint_slot_dtype(options, tensor->dtype, slot);
    const size_t bytes = slot_bytes(options_slot_coding(options, tensor->dtype, slot), tensor->count);
    if (bytes == 0 && tensor->count > 0)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: tensor \"%.100s\" exceeds this machine's memory",
                    checkpoint->path, tensor->name);
    return find_entry(checkpoint, tensor, rms_slot_name(checkpoint->rule, slot), dtype,
                      bytes / stored_dtype_size(dtype), &tensor->slot[slot], error);
}

/* Finds all entries of a tensor, and adds their number to *used. */
static rms_status find_entries(const struct rms_checkpoint *checkpoint, struct file_tensor *tensor, size_t *used,
                               rms_error *error)
{
    const rms_options *options = &checkpoint->groups[tensor->group].options;
    rms_error reason;
    rms_status status = options_check_dtype(options, tensor->dtype, &reason);
    if (status != RMS_OK)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: tensor \"%.100s\": %.200s", checkpoint->path, tensor->name,
                    reason.message);
    tensor->slots = options_slots(options, tensor->dtype);
    if (checkpoint->layout == RMS_LAYOUT_FULL) {
        status = find_entry(checkpoint, tensor, "param", checkpoint_param_dtype(tensor->dtype), tensor->count,
                            &tensor->param, error);
        ++*used;
    }
    for (size_t i = 0; status == RMS_OK && i < RMS_SLOTS_MAX; ++i)
        if (tensor->slots >> i & 1) {
            status = find_slot(checkpoint, tensor, i, error);
            ++*used;
        }
    return status;
}

static rms_status read_tensors(struct rms_checkpoint *checkpoint, rms_error *error)
{
    rms_status status = read_part(checkpoint, "tensors", &checkpoint->tensor_texts, error);
    if (status != RMS_OK)
        return status;
    const struct json_value *texts = checkpoint->tensor_texts.values;
    if (texts->kind != VALUE_OBJECT)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: tensors is no object", checkpoint->path);
    checkpoint->tensors = malloc((texts->count + 1) * sizeof *checkpoint->tensors);
    if (!checkpoint->tensors)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for its tensors", checkpoint->path);
    size_t used = 0;
    const struct json_value *text = value_first(texts);
    for (size_t i = 0; status == RMS_OK && i < texts->count; ++i, text = value_next(text)) {
        struct file_tensor *tensor = &checkpoint->tensors[checkpoint->tensor_count++];
        status = read_text(checkpoint, text, tensor, error);
        if (status == RMS_OK)
            status = find_entries(checkpoint, tensor, &used, error);
    }
    if (status == RMS_OK && used != checkpoint->header.count)
        status = fail(error, RMS_ERROR_FORMAT, "%.160s: holds %zu arrays, but its tensors account for %zu",
                      checkpoint->path, checkpoint->header.count, used);
    return status == RMS_OK ? checkpoint_sort(checkpoint, error) : status;
}

rms_status checkpoint_read_native(struct rms_checkpoint *checkpoint, rms_error *error)
{
    rms_status status = check_metadata(checkpoint, error);
    if (status == RMS_OK)
        status = read_groups(checkpoint, error);
    if (status == RMS_OK)
        status = read_tensors(checkpoint, error);
    return status;
}
