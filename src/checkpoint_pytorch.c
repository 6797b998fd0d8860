/* PyTorch's layout: the flattened state_dict of an optimizer, by this library or by whoever wrote it. */
#include "checkpoint.h"
#include "checksum.h"
#include "message.h"
#include "pytorch_names.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sets of options that differ; a program has a handful. */
enum { GROUPS_MAX = 1024 };

static const char state_prefix[] = "state.", option_prefix[] = "param_groups.";

/* An entry, taken apart. */
struct part {
    const char *name; /* the tensor's */
    bool is_slot;
    const char *key;
    const struct stored *stored;
};

/* ---- names ----------------------------------------------------------------------------------------- */

/* Neither slots nor options have a dot in their names, tensors may. *room is where the tensor's name goes. */
static rms_status take_apart(const struct rms_checkpoint *checkpoint, const struct stored *stored, char **room,
                             struct part *part, rms_error *error)
{
    const bool is_slot = strncmp(stored->name, state_prefix, sizeof state_prefix - 1) == 0;
    const bool is_option = strncmp(stored->name, option_prefix, sizeof option_prefix - 1) == 0;
    const char *name = stored->name + (is_slot ? sizeof state_prefix : sizeof option_prefix) - 1;
    const char *dot = is_slot || is_option ? strrchr(name, '.') : NULL;
    if (!dot || dot == name || dot[1] == '\0')
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: is no checkpoint: it holds \"%.100s\", and neither this library nor the state_dict of one "
                    "of PyTorch's optimizers does",
                    checkpoint->path, stored->name);
    const size_t length = (size_t)(dot - name);
    memcpy(*room, name, length);
    (*room)[length] = '\0';
    *part = (struct part){.name = *room, .is_slot = is_slot, .key = dot + 1, .stored = stored};
    *room += length + 1;
    return RMS_OK;
}

static int by_name(const void *left, const void *right)
{
    const struct part *a = left, *b = right;
    const int order = strcmp(a->name, b->name);
    if (order != 0)
        return order;
    return a->is_slot != b->is_slot ? (int)a->is_slot - (int)b->is_slot : strcmp(a->key, b->key);
}

/* All entries, sorted by tensor and name; NULL, with a sentence, on failure. */
static struct part *take_all_apart(struct rms_checkpoint *checkpoint, rms_error *error)
{
    const struct safetensors *header = &checkpoint->header;
    size_t bytes = 1;
    for (size_t i = 0; i < header->count; ++i)
        bytes += strlen(header->entries[i].name);
    struct part *parts = malloc((header->count + 1) * sizeof *parts);
    char *room = checkpoint->names = malloc(bytes);
    rms_status status = RMS_OK;
    if (!parts || !room)
        status = fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for its names", checkpoint->path);
    for (size_t i = 0; status == RMS_OK && i < header->count; ++i)
        status = take_apart(checkpoint, &header->entries[i], &room, &parts[i], error);
    if (status != RMS_OK) {
        free(parts);
        return NULL;
    }
    qsort(parts, header->count, sizeof *parts, by_name);
    return parts;
}

static bool holds(const struct part *parts, size_t count, const struct pytorch_marker *marker)
{
    for (size_t i = 0; i < count; ++i)
        if (parts[i].is_slot == marker->is_slot && strcmp(parts[i].key, marker->name) == 0)
            return true;
    return false;
}

/* The library writes the rule down; of other files it is told by the names. */
static rms_status find_rule(struct rms_checkpoint *checkpoint, const struct part *parts, size_t count, rms_error *error)
{
    if (checkpoint->own) {
        const char *name = safetensors_text(&checkpoint->header, "rule");
        if (rms_rule_from_name(name, &checkpoint->rule))
            return RMS_OK;
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: version %s has no rule \"%.40s\" (the file was written by version %.20s)",
                    checkpoint->path, rms_version(), name ? name : "", checkpoint->version);
    }
    const struct pytorch_marker *marker;
    for (size_t i = 0; (marker = pytorch_marker_at(i)) != NULL; ++i)
        if (holds(parts, count, marker)) {
            checkpoint->rule = marker->rule;
            return RMS_OK;
        }
    return fail(error, RMS_ERROR_FORMAT,
                "%.160s: is no checkpoint: nothing in it tells which of PyTorch's optimizers it comes from",
                checkpoint->path);
}

/* ---- numbers that are stored as small tensors ------------------------------------------------------ */

static double number_of(const unsigned char *bytes, enum stored_dtype dtype)
{
    float single;
    double real;
    int32_t whole;
    int64_t large;
    switch (dtype) {
    case STORED_F32:
        memcpy(&single, bytes, sizeof single);
        return (double)single;
    case STORED_F64:
        memcpy(&real, bytes, sizeof real);
        return real;
    case STORED_I32:
        memcpy(&whole, bytes, sizeof whole);
        return whole;
    case STORED_I64:
        memcpy(&large, bytes, sizeof large);
        return (double)large;
    case STORED_BOOL:
    case STORED_U8:
        return bytes[0];
    case STORED_I8:
    case STORED_U16:
    case STORED_I16:
    case STORED_F16:
    case STORED_BF16:
    case STORED_U32:
    case STORED_U64:
        break;
    }
    return (double)NAN;
}

/* Reads one or two. */
static rms_status read_numbers(const struct rms_checkpoint *checkpoint, const struct stored *stored, size_t count,
                               double numbers[2], rms_error *error)
{
    unsigned char bytes[2 * sizeof(double)];
    if (stored->count != count)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: \"%.100s\" holds %" PRIu64 " numbers (expected %zu)",
                    checkpoint->path, stored->name, stored->count, count);
    const rms_status status = source_read(&checkpoint->source, bytes, (size_t)stored->bytes, stored->begin, error);
    if (status != RMS_OK)
        return status;
    if (!checkpoint_agrees(checkpoint, stored, checksum_of(bytes, (size_t)stored->bytes)))
        return checkpoint_damaged(checkpoint, stored, error);
    for (size_t i = 0; i < count; ++i) {
        numbers[i] = number_of(bytes + i * stored_dtype_size(stored->dtype), stored->dtype);
        if (!isfinite(numbers[i]))
            return fail(error, RMS_ERROR_FORMAT, "%.160s: \"%.100s\" is no finite number of F64, F32, I64, I32 or BOOL",
                        checkpoint->path, stored->name);
    }
    return RMS_OK;
}

static rms_status read_steps(const struct rms_checkpoint *checkpoint, const struct stored *stored, uint64_t *steps,
                             rms_error *error)
{
    double number[2] = {0};
    const rms_status status = read_numbers(checkpoint, stored, 1, number, error);
    if (status != RMS_OK)
        return status;
    if (!(number[0] >= 0 && number[0] < 0x1p63) || number[0] != floor(number[0]))
        return fail(error, RMS_ERROR_FORMAT, "%.160s: \"%.100s\" is %.17g, no count of steps", checkpoint->path,
                    stored->name, number[0]);
    *steps = (uint64_t)number[0];
    return RMS_OK;
}

/* ---- one tensor ------------------------------------------------------------------------------------ */

static rms_status unknown_name(const struct rms_checkpoint *checkpoint, const struct part *part, rms_error *error)
{
    return fail(error, RMS_ERROR_FORMAT, "%.160s: \"%.100s\": nothing that %s has", checkpoint->path,
                part->stored->name, rms_rule_name(checkpoint->rule));
}

static rms_status read_slot(const struct rms_checkpoint *checkpoint, const struct part *part,
                            struct file_tensor *tensor, rms_error *error)
{
    const struct stored *stored = part->stored;
    const size_t slot = pytorch_slot(checkpoint->rule, part->key);
    if (strcmp(part->key, "step") == 0)
        return read_steps(checkpoint, stored, &tensor->steps, error);
    if (strcmp(part->key, "mu_product") == 0 && checkpoint->rule == RMS_NADAM)
        return RMS_OK; /* follows from the step */
    if (slot == RMS_SLOTS_MAX)
        return unknown_name(checkpoint, part, error);
    const rms_dtype dtype = stored->dtype == STORED_F64 ? RMS_F64 : RMS_F32;
    if (stored->dtype != STORED_F64 && stored->dtype != STORED_F32)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: \"%.100s\" is stored as %s (expected F32 or F64)",
                    checkpoint->path, stored->name, stored_dtype_name(stored->dtype));
    if (stored->count > SIZE_MAX || (tensor->has_shape && (tensor->count != stored->count || tensor->dtype != dtype)))
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: \"%.100s\" differs in size or dtype from the tensor's other slots", checkpoint->path,
                    stored->name);
    tensor->count = (size_t)stored->count;
    tensor->dtype = dtype;
    tensor->has_shape = true;
    tensor->slot[slot] = stored;
    tensor->slots |= 1U << slot;
    return RMS_OK;
}

static void add_setting(struct file_group *group, const char *key, double value)
{
    if (group->setting_count < SETTINGS_MAX)
        group->settings[group->setting_count++] = (struct setting){key, value};
}

static rms_status read_option(const struct rms_checkpoint *checkpoint, const struct part *part,
                              struct file_group *group, bool *decoupled, rms_error *error)
{
    double numbers[2] = {0};
    if (strcmp(part->key, PYTORCH_DECOUPLED) == 0 && pytorch_has_decoupled(checkpoint->rule)) {
        const rms_status status = read_numbers(checkpoint, part->stored, 1, numbers, error);
        *decoupled = numbers[0] != 0;
        return status;
    }
    const struct pytorch_option *option = NULL;
    for (size_t i = 0; (option = pytorch_option_at(checkpoint->rule, i)) != NULL; ++i)
        if (strcmp(option->name, part->key) == 0)
            break;
    if (!option)
        return pytorch_is_ignored(part->key) ? RMS_OK : unknown_name(checkpoint, part, error);
    const size_t count = option->keys[1] ? 2 : 1;
    const rms_status status = read_numbers(checkpoint, part->stored, count, numbers, error);
    for (size_t i = 0; status == RMS_OK && i < count; ++i)
        add_setting(group, option->keys[i], numbers[i]);
    return status;
}

/* Weight decay is one number in PyTorch, and two options here: the one that is not meant is 0. */
static void settle_decay(const struct rms_checkpoint *checkpoint, struct file_group *group, bool decoupled)
{
    if (!pytorch_has_decoupled(checkpoint->rule))
        return;
    for (size_t i = 0; i < group->setting_count; ++i)
        if (strcmp(group->settings[i].key, "l2_decay") == 0) {
            if (decoupled)
                group->settings[i].key = "decoupled_decay";
            add_setting(group, decoupled ? "l2_decay" : "decoupled_decay", 0);
            return;
        }
}

/* PyTorch does not count the steps of every rule; where a slot is kept, there has been one. */
static rms_status settle_steps(const struct rms_checkpoint *checkpoint, bool counted, struct file_tensor *tensor,
                               rms_error *error)
{
    if (counted || tensor->slots == 0)
        return RMS_OK;
    if (pytorch_has_step(checkpoint->rule))
        return fail(error, RMS_ERROR_FORMAT, "%.160s: lacks \"state.%.100s.step\"", checkpoint->path, tensor->name);
    tensor->steps = 1;
    return RMS_OK;
}

/* Reads the parts of one tensor, count of them. */
static rms_status read_tensor(const struct rms_checkpoint *checkpoint, const struct part *parts, size_t count,
                              struct file_tensor *tensor, struct file_group *group, rms_error *error)
{
    bool decoupled = false, counted = false;
    *tensor = (struct file_tensor){.name = parts[0].name};
    *group = (struct file_group){.setting_count = 0};
    for (size_t i = 0; i < count; ++i) {
        const rms_status status = parts[i].is_slot ? read_slot(checkpoint, &parts[i], tensor, error)
                                                   : read_option(checkpoint, &parts[i], group, &decoupled, error);
        if (status != RMS_OK)
            return status;
        counted |= parts[i].is_slot && strcmp(parts[i].key, "step") == 0;
    }
    settle_decay(checkpoint, group, decoupled);
    return settle_steps(checkpoint, counted, tensor, error);
}

/* ---- groups: tensors whose options are the same ---------------------------------------------------- */

static rms_status apply_settings(const struct rms_checkpoint *checkpoint, const char *tensor, struct file_group *group,
                                 rms_error *error)
{
    rms_error reason;
    rms_status status = RMS_OK;
    group->options = rms_options_for(checkpoint->rule);
    for (size_t i = 0; status == RMS_OK && i < group->setting_count; ++i)
        status = rms_options_set(&group->options, group->settings[i].key, group->settings[i].value, &reason);
    if (status == RMS_OK)
        status = rms_options_check(&group->options, &reason);
    return status == RMS_OK ? RMS_OK
                            : fail(error, RMS_ERROR_FORMAT, "%.160s: options of \"%.100s\": %.200s", checkpoint->path,
                                   tensor, reason.message);
}

static bool same_settings(const struct file_group *a, const struct file_group *b)
{
    bool same = a->setting_count == b->setting_count;
    for (size_t i = 0; same && i < a->setting_count; ++i)
        same = strcmp(a->settings[i].key, b->settings[i].key) == 0 && !(a->settings[i].value < b->settings[i].value) &&
               !(a->settings[i].value > b->settings[i].value);
    return same;
}

/* Stores the number of the group that these options are of, a new one if need be. */
static rms_status find_group(struct rms_checkpoint *checkpoint, struct file_group *wanted, struct file_tensor *tensor,
                             rms_error *error)
{
    for (size_t i = checkpoint->group_count; i-- > 0;)
        if (same_settings(&checkpoint->groups[i], wanted)) {
            tensor->group = i;
            return RMS_OK;
        }
    if (checkpoint->group_count == GROUPS_MAX)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: holds more than %d different sets of options", checkpoint->path,
                    GROUPS_MAX);
    const rms_status status = apply_settings(checkpoint, tensor->name, wanted, error);
    if (status == RMS_OK) {
        tensor->group = checkpoint->group_count;
        checkpoint->groups[checkpoint->group_count++] = *wanted;
    }
    return status;
}

static rms_status read_tensors(struct rms_checkpoint *checkpoint, const struct part *parts, size_t count,
                               rms_error *error)
{
    checkpoint->tensors = malloc((count + 1) * sizeof *checkpoint->tensors);
    checkpoint->groups = malloc(GROUPS_MAX * sizeof *checkpoint->groups);
    if (!checkpoint->tensors || !checkpoint->groups)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for its tensors", checkpoint->path);
    for (size_t begin = 0, end; begin < count; begin = end) {
        struct file_tensor *tensor = &checkpoint->tensors[checkpoint->tensor_count++];
        struct file_group group;
        for (end = begin + 1; end < count && strcmp(parts[end].name, parts[begin].name) == 0;)
            ++end;
        rms_status status = read_tensor(checkpoint, &parts[begin], end - begin, tensor, &group, error);
        if (status == RMS_OK)
            status = find_group(checkpoint, &group, tensor, error);
        if (status != RMS_OK)
            return status;
        if (!checkpoint->own && checkpoint->steps < tensor->steps)
            checkpoint->steps = tensor->steps;
    }
    return checkpoint_sort(checkpoint, error);
}

rms_status checkpoint_read_pytorch(struct rms_checkpoint *checkpoint, rms_error *error)
{
    const size_t count = checkpoint->header.count;
    if (count == 0 && !checkpoint->own)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: is no checkpoint: it holds nothing", checkpoint->path);
    struct part *parts = take_all_apart(checkpoint, error);
    if (!parts)
        return RMS_ERROR_FORMAT;
    rms_status status = find_rule(checkpoint, parts, count, error);
    if (status == RMS_OK)
        status = read_tensors(checkpoint, parts, count, error);
    free(parts);
    return status;
}
