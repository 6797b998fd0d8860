/* Saving: sizes are known in advance, so the data are written first, straight from where they lie, and the header,
 * which holds their checksums, last. */
#include "checkpoint_parts.h"
#include "checksum.h"
#include "json_text.h"
#include "message.h"
#include "optimizer.h"
#include "replace_file.h"

#include <stdlib.h>
#include <string.h>

enum {
    LENGTH_BYTES = 8,
    ALIGNMENT = 64,      /* of the first byte of data */
    CHUNK_BYTES = 262144 /* what stays in the cache between its checksum and the system's copy */
};

static const char header_key[] = "\"header_checksum\":\"";
static const char no_checksum[] = "0000000000000000";

/* ---- what the file says of itself ------------------------------------------------------------------ */

static void add_key(struct json_text *json, const char *before, const char *key)
{
    json_text_add(json, before);
    json_text_add_string(json, key);
    json_text_add(json, ":");
}

static void add_choice(struct json_text *json, const char *choices, size_t number)
{
    for (; number > 0; --number)
        choices += strcspn(choices, " ") + 1;
    char word[32] = "";
    strncat(word, choices, strcspn(choices, ","));
    json_text_add_string(json, word);
}

/* Where it runs is no part of the run, nor who sets gradients to 0. */
static bool is_kept(const char *key)
{
    return strcmp(key, "isa") != 0 && strcmp(key, "threads") != 0 && strcmp(key, "nonfinite") != 0 &&
           strcmp(key, "zero_grad") != 0;
}

static void add_option(struct json_text *json, const rms_option_info *info, double value)
{
    switch (info->type) {
    case RMS_OPTION_REAL:
        json_text_add_real(json, value);
        break;
    case RMS_OPTION_COUNT:
        json_text_add_whole(json, (uint64_t)value);
        break;
    case RMS_OPTION_FLAG:
        json_text_add(json, value != 0 ? "true" : "false");
        break;
    case RMS_OPTION_CHOICE:
        add_choice(json, info->choices, (size_t)value);
        break;
    }
}

static void describe_groups(struct json_text *json, const rms_optimizer *optimizer)
{
    for (size_t group = 0; group < optimizer_group_count(optimizer); ++group) {
        const rms_options *options = optimizer_options(optimizer, group);
        rms_option_info info;
        add_key(json, group > 0 ? ",{" : "[{", "rule");
        json_text_add_string(json, rms_rule_name(options->rule));
        add_key(json, ",", "options");
        const char *before = "{";
        for (size_t i = 0; rms_option_at(options->rule, i, &info); ++i) {
            double value = 0;
            if (!is_kept(info.key) || rms_options_get(options, info.key, &value, NULL) != RMS_OK)
                continue;
            add_key(json, before, info.key);
            add_option(json, &info, value);
            before = ",";
        }
        json_text_add(json, "}}");
    }
    json_text_add(json, "]");
}

static void describe_tensors(struct json_text *json, rms_optimizer *optimizer)
{
    json_text_add(json, "{");
    for (size_t i = 0; i < rms_tensor_count(optimizer); ++i) {
        rms_tensor tensor = {.name = ""};
        uint64_t steps = 0;
        if (rms_tensor_at(optimizer, i, &tensor) != RMS_OK || rms_get_steps(optimizer, i, &steps) != RMS_OK)
            continue;
        add_key(json, i > 0 ? "," : "", tensor.name);
        add_key(json, "{", "group");
        json_text_add_whole(json, tensor.group);
        add_key(json, ",", "steps");
        json_text_add_whole(json, steps);
        add_key(json, ",", "count");
        json_text_add_whole(json, tensor.count);
        add_key(json, ",", "dtype");
        json_text_add_string(json, rms_dtype_name(tensor.dtype));
        json_text_add(json, "}");
    }
    json_text_add(json, "}");
}

static void describe_checksums(struct json_text *json, const struct part_list *list)
{
    json_text_add(json, "{");
    for (size_t i = 0; i < list->count; ++i) {
        char digits[CHECKSUM_DIGITS + 1];
        checksum_write(list->parts[i].checksum, digits);
        add_key(json, i > 0 ? "," : "", list->parts[i].name);
        json_text_add_string(json, digits);
    }
    json_text_add(json, "}");
}

/* JSON within a string, as safetensors wants its metadata; frees the inner text. */
static void add_text(struct json_text *json, const char *key, struct json_text *inner)
{
    add_key(json, ",", key);
    json_text_add_string(json, inner->text ? inner->text : "");
    json->failed |= inner->failed;
    json_text_free(inner);
}

static void describe(struct json_text *json, rms_optimizer *optimizer, rms_layout layout, const struct part_list *list)
{
    struct json_text inner = {.text = NULL};
    add_key(json, "{", "__metadata__");
    json_text_add(json, "{\"format\":\"rmsprop\",\"format_version\":\"");
    json_text_add_whole(json, FORMAT_VERSION);
    json_text_add(json, "\"");
    add_key(json, ",", "library");
    json_text_add_string(json, rms_version());
    add_key(json, ",", "layout");
    json_text_add_string(json, rms_layout_name(layout));
    json_text_add(json, ",\"steps\":\"");
    json_text_add_whole(json, optimizer_steps(optimizer));
    json_text_add(json, "\"");
    if (layout == RMS_LAYOUT_PYTORCH) {
        add_key(json, ",", "rule");
        json_text_add_string(json, rms_rule_name(optimizer_options(optimizer, 0)->rule));
    } else {
        describe_groups(&inner, optimizer);
        add_text(json, "groups", &inner);
        describe_tensors(&inner, optimizer);
        add_text(json, "tensors", &inner);
    }
    describe_checksums(&inner, list);
    add_text(json, "checksums", &inner);
    json_text_add(json, ",");
    json_text_add(json, header_key);
    json_text_add(json, no_checksum);
    json_text_add(json, "\"}");
}

/* ---- the header ------------------------------------------------------------------------------------ */

static void add_entry(struct json_text *json, const struct part *part)
{
    add_key(json, ",", part->name);
    add_key(json, "{", "dtype");
    json_text_add_string(json, stored_dtype_name(part->dtype));
    json_text_add(json, ",\"shape\":[");
    if (!part->scalar)
        json_text_add_whole(json, part->count);
    json_text_add(json, "],\"data_offsets\":[");
    json_text_add_whole(json, part->begin);
    json_text_add(json, ",");
    json_text_add_whole(json, part->begin + part_bytes(part));
    json_text_add(json, "]}");
}

/* The whole header, filled up with spaces so that the data begin aligned. Its length does not depend on checksums. */
static rms_status make_header(struct json_text *json, rms_optimizer *optimizer, rms_layout layout,
                              const struct part_list *list, rms_error *error)
{
    *json = (struct json_text){.text = NULL};
    describe(json, optimizer, layout, list);
    for (size_t i = 0; i < list->count; ++i)
        add_entry(json, &list->parts[i]);
    json_text_add(json, "}");
    while (!json->failed && (LENGTH_BYTES + json->length) % ALIGNMENT != 0)
        json_text_add(json, " ");
    if (json->failed)
        return fail(error, RMS_ERROR_MEMORY, "out of memory for the header of a checkpoint of %zu arrays", list->count);
    if (json->length <= SAFETENSORS_HEADER_MAX)
        return RMS_OK;
    json_text_free(json);
    return fail(error, RMS_ERROR_UNSUPPORTED,
                "%zu arrays need a header of more than %d bytes, and no file may have one", list->count,
                SAFETENSORS_HEADER_MAX);
}

static rms_status write_header(struct replacement *file, struct json_text *json, rms_error *error)
{
    unsigned char length[LENGTH_BYTES];
    for (size_t i = 0; i < LENGTH_BYTES; ++i)
        length[i] = (unsigned char)(json->length >> 8 * i);
    char digits[CHECKSUM_DIGITS + 1];
    checksum_write(checksum_of(json->text, json->length), digits);
    memcpy(strstr(json->text, header_key) + sizeof header_key - 1, digits, CHECKSUM_DIGITS);
    const rms_status status = replacement_write(file, length, sizeof length, 0, error);
    return status == RMS_OK ? replacement_write(file, json->text, json->length, LENGTH_BYTES, error) : status;
}

/* ---- the data -------------------------------------------------------------------------------------- */

static rms_status write_part(struct replacement *file, struct part *part, uint64_t data_begin, rms_error *error)
{
    float room[PART_ROOM / sizeof(float)];
    struct checksum checksum;
    checksum_start(&checksum);
    rms_status status = RMS_OK;
    for (size_t done = 0; status == RMS_OK && done < part_bytes(part);) {
        size_t count = CHUNK_BYTES;
        const void *data = part_data(part, done, &count, room);
        checksum_add(&checksum, data, count);
        status = replacement_write(file, data, count, data_begin + part->begin + done, error);
        done += count;
    }
    part->checksum = checksum_end(&checksum);
    return status;
}

static rms_status write_all(rms_optimizer *optimizer, const char *path, rms_layout layout, struct part_list *list,
                            rms_error *error)
{
    struct replacement file;
    struct json_text header;
    rms_status status = make_header(&header, optimizer, layout, list, error);
    if (status != RMS_OK)
        return status;
    const uint64_t data_begin = LENGTH_BYTES + header.length;
    json_text_free(&header);
    status = replacement_begin(&file, path, data_begin + list->bytes, error);
    if (status != RMS_OK)
        return status;
    for (size_t i = 0; status == RMS_OK && i < list->count; ++i)
        status = write_part(&file, &list->parts[i], data_begin, error);
    if (status == RMS_OK)
        status = make_header(&header, optimizer, layout, list, error);
    if (status == RMS_OK)
        status = write_header(&file, &header, error);
    if (status == RMS_OK)
        status = replacement_commit(&file, error);
    json_text_free(&header);
    replacement_end(&file);
    return status;
}

rms_status rms_save_as(rms_optimizer *optimizer, const char *path, rms_layout layout)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    rms_error *out = optimizer_error(optimizer);
    if (rms_averages_in(optimizer) || optimizer_broken(optimizer))
        return fail(out, RMS_ERROR_ARGUMENT, "cannot save: %s",
                    optimizer_broken(optimizer)
                        ? "a load that failed halfway has left mixed state (load again, or rms_reset)"
                        : "the averages are in place of the parameters (rms_swap_averages takes them out)");
    if (!rms_layout_name(layout))
        return fail(out, RMS_ERROR_ARGUMENT, "layout is %d, expected one of the rms_layout constants (0 to 2)",
                    (int)layout);
    if (!path || path[0] == '\0')
        return fail(out, RMS_ERROR_ARGUMENT, "path: %s (expected the name of a file)", path ? "empty" : "NULL");
    struct part_list list;
    rms_error error = {.message = ""}; /* copied at the end: reading the object clears its own */
    rms_status status = part_list_fill(&list, optimizer, layout, &error);
    if (status == RMS_OK)
        status = write_all(optimizer, path, layout, &list, &error);
    part_list_free(&list);
    *out = error;
    return status;
}

rms_status rms_save(rms_optimizer *optimizer, const char *path)
{
    return rms_save_as(optimizer, path, RMS_LAYOUT_FULL);
}
