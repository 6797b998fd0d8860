/* Opening checkpoints, and looking into them. */
#define _POSIX_C_SOURCE 200809L

#include "checkpoint.h"

#include "checksum.h"
#include "message.h"
#include "options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ----------------------------------------------------------------------------------------- */

enum stored_dtype checkpoint_param_dtype(rms_dtype dtype)
{
    switch (dtype) {
    case RMS_F64:
        return STORED_F64;
    case RMS_F16:
        return STORED_F16;
    case RMS_BF16:
        return STORED_BF16;
    case RMS_F32:
        break;
    }
    return STORED_F32;
}

enum stored_dtype checkpoint_slot_dtype(const rms_options *options, rms_dtype dtype, size_t slot)
{
    static const enum stored_dtype dtypes[] = {
        [CODED_F32] = STORED_F32,   [CODED_F64] = STORED_F64,    [CODED_REMAINDER] = STORED_U16,
        [CODED_BF16] = STORED_BF16, [CODED_SQUARES] = STORED_U8, [CODED_AVERAGES] = STORED_U8,
    };
    return dtypes[options_slot_coding(options, dtype, slot)];
}

/* ---- what vouches for the file --------------------------------------------------------------------- */

/* The header's checksum is that of its text with these digits as zeros. The text appears once: within a string,
 * its quotes would be escaped. */
static rms_status check_header(const struct rms_checkpoint *checkpoint, rms_error *error)
{
    static const char key[] = "\"header_checksum\":\"";
    const struct safetensors *header = &checkpoint->header;
    const char *said = safetensors_text(header, "header_checksum");
    char *found = strstr(header->header, key);
    uint64_t expected;
    if (!said || !checksum_read(said, &expected))
        return fail(error, RMS_ERROR_FORMAT, "%.160s: its header has no checksum (expected 16 hexadecimal digits)",
                    checkpoint->path);
    bool agrees = false;
    if (found && strncmp(found + sizeof key - 1, said, CHECKSUM_DIGITS) == 0) {
        memset(found + sizeof key - 1, '0', CHECKSUM_DIGITS);
        agrees = checksum_of(header->header, header->header_bytes) == expected;
        memcpy(found + sizeof key - 1, said, CHECKSUM_DIGITS);
    }
    return agrees ? RMS_OK
                  : fail(error, RMS_ERROR_FORMAT,
                         "%.160s: its header is damaged, or another program has rewritten it: its checksum is wrong",
                         checkpoint->path);
}

/* One for each entry, and for nothing else: as many as there are entries, each of another one. */
static rms_status read_checksums(struct rms_checkpoint *checkpoint, rms_error *error)
{
    const struct safetensors *header = &checkpoint->header;
    const char *text = safetensors_text(header, "checksums");
    struct json json;
    if (!text)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: its metadata lack checksums", checkpoint->path);
    rms_status status = json_read(&json, text, strlen(text), checkpoint->path, "checksums", error);
    if (status != RMS_OK)
        return status;
    checkpoint->checksums = malloc((header->count + 1) * sizeof *checkpoint->checksums);
    if (!checkpoint->checksums)
        status = fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for its checksums", checkpoint->path);
    else if (json.values->kind != VALUE_OBJECT || json.values->count != header->count)
        status = fail(error, RMS_ERROR_FORMAT, "%.160s: holds %zu arrays, and checksums of %zu", checkpoint->path,
                      header->count, json.values->count);
    const struct json_value *value = value_first(json.values);
    for (size_t i = 0; status == RMS_OK && i < header->count; ++i, value = value_next(value)) {
        const struct stored *stored = safetensors_find(header, value->key);
        const char *digits = value_text(value);
        if (!stored || !digits || !checksum_read(digits, &checkpoint->checksums[stored - header->entries]))
            status = fail(error, RMS_ERROR_FORMAT,
                          "%.160s: the checksum of \"%.100s\" is none (expected 16 hexadecimal digits), or nothing is "
                          "there that has it",
                          checkpoint->path, value->key);
    }
    json_release(&json);
    return status;
}

bool checkpoint_agrees(const struct rms_checkpoint *checkpoint, const struct stored *stored, uint64_t checksum)
{
    return !checkpoint->own || checkpoint->checksums[stored - checkpoint->header.entries] == checksum;
}

rms_status checkpoint_damaged(const struct rms_checkpoint *checkpoint, const struct stored *stored, rms_error *error)
{
    return fail(error, RMS_ERROR_FORMAT, "%.160s: the data of \"%.100s\" are damaged: their checksum is wrong",
                checkpoint->path, stored->name);
}

/* ---- opening --------------------------------------------------------------------------------------- */

static rms_status read_version(struct rms_checkpoint *checkpoint, rms_error *error)
{
    const char *format = safetensors_text(&checkpoint->header, "format_version");
    const char *version = safetensors_text(&checkpoint->header, "library");
    if (!format || !version)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: its metadata lack %s", checkpoint->path,
                    format ? "library" : "format_version");
    char *end;
    const unsigned long number = strtoul(format, &end, 10);
    if (format[0] < '1' || format[0] > '9' || *end != '\0')
        return fail(error, RMS_ERROR_FORMAT, "%.160s: format_version \"%.20s\" is no version", checkpoint->path,
                    format);
    if (number > FORMAT_VERSION)
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: was written by version %.20s of the library, in format %.20s; version %s reads formats up "
                    "to %d",
                    checkpoint->path, version, format, rms_version(), FORMAT_VERSION);
    checkpoint->version = version;
    checkpoint->format = (int)number;
    return RMS_OK;
}

static rms_status read_layout(struct rms_checkpoint *checkpoint, rms_error *error)
{
    const char *layout = safetensors_text(&checkpoint->header, "layout");
    const char *steps = safetensors_text(&checkpoint->header, "steps");
    if (!rms_layout_from_name(layout, &checkpoint->layout))
        return fail(error, RMS_ERROR_FORMAT, "%.160s: layout \"%.20s\" is unknown (expected full, state or pytorch)",
                    checkpoint->path, layout ? layout : "");
    char *end = NULL;
    const unsigned long long number = steps ? strtoull(steps, &end, 10) : 0;
    if (!steps || steps[0] < '0' || steps[0] > '9' || *end != '\0' || number > RMS_STEPS_MAX)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: steps \"%.30s\" is no count of steps", checkpoint->path,
                    steps ? steps : "");
    checkpoint->steps = number;
    return RMS_OK;
}

static rms_status read_own(struct rms_checkpoint *checkpoint, rms_error *error)
{
    rms_status status = read_version(checkpoint, error);
    if (status == RMS_OK)
        status = check_header(checkpoint, error);
    if (status == RMS_OK)
        status = read_layout(checkpoint, error);
    if (status == RMS_OK)
        status = read_checksums(checkpoint, error);
    if (status != RMS_OK)
        return status;
    return checkpoint->layout == RMS_LAYOUT_PYTORCH ? checkpoint_read_pytorch(checkpoint, error)
                                                    : checkpoint_read_native(checkpoint, error);
}

/* What others have written can only be of PyTorch's layout. */
static rms_status read_foreign(struct rms_checkpoint *checkpoint, rms_error *error)
{
    checkpoint->layout = RMS_LAYOUT_PYTORCH;
    checkpoint->version = "";
    checkpoint->format = FORMAT_VERSION;
    return checkpoint_read_pytorch(checkpoint, error);
}

static rms_status read_file(struct rms_checkpoint *checkpoint, rms_error *error)
{
    rms_status status = source_open(&checkpoint->source, checkpoint->path, error);
    if (status == RMS_OK)
        status = safetensors_read(&checkpoint->header, &checkpoint->source, error);
    if (status != RMS_OK)
        return status;
    /* Either word is enough: one damaged byte must not turn a file that has checksums into one that has none. */
    const char *format = safetensors_text(&checkpoint->header, "format");
    checkpoint->own =
        (format && strcmp(format, "rmsprop") == 0) || safetensors_text(&checkpoint->header, "header_checksum");
    return checkpoint->own ? read_own(checkpoint, error) : read_foreign(checkpoint, error);
}

rms_status checkpoint_open(struct rms_checkpoint *checkpoint, const char *path, rms_error *error)
{
    *checkpoint = (struct rms_checkpoint){.source = {.file = -1}};
    if (!path || path[0] == '\0')
        return fail(error, RMS_ERROR_ARGUMENT, "path: %s (expected the name of a file)", path ? "empty" : "NULL");
    checkpoint->path = strdup(path);
    if (!checkpoint->path)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for its name", path);
    const rms_status status = read_file(checkpoint, error);
    if (status != RMS_OK)
        checkpoint_close(checkpoint);
    return status == RMS_OK ? succeed(error) : status;
}

void checkpoint_close(struct rms_checkpoint *checkpoint)
{
    source_close(&checkpoint->source);
    safetensors_free(&checkpoint->header);
    json_release(&checkpoint->tensor_texts);
    free(checkpoint->path);
    free(checkpoint->names);
    free(checkpoint->groups);
    free(checkpoint->tensors);
    free(checkpoint->by_name);
    free(checkpoint->checksums);
    *checkpoint = (struct rms_checkpoint){.source = {.file = -1}};
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct file_name *)left)->name, ((const struct file_name *)right)->name);
}

rms_status checkpoint_sort(struct rms_checkpoint *checkpoint, rms_error *error)
{
    const size_t count = checkpoint->tensor_count;
    checkpoint->by_name = malloc((count + 1) * sizeof *checkpoint->by_name);
    if (!checkpoint->by_name)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for its tensors", checkpoint->path);
    for (size_t i = 0; i < count; ++i)
        checkpoint->by_name[i] = (struct file_name){checkpoint->tensors[i].name, &checkpoint->tensors[i]};
    qsort(checkpoint->by_name, count, sizeof *checkpoint->by_name, by_name);
    return RMS_OK;
}

const struct file_tensor *checkpoint_find(const struct rms_checkpoint *checkpoint, const char *name)
{
    const struct file_name wanted = {.name = name};
    const struct file_name *found =
        bsearch(&wanted, checkpoint->by_name, checkpoint->tensor_count, sizeof wanted, by_name);
    return found ? found->tensor : NULL;
}

/* ---- looking into them ----------------------------------------------------------------------------- */

rms_status rms_checkpoint_open(rms_checkpoint **checkpoint, const char *path, rms_error *error)
{
    if (!checkpoint)
        return fail(error, RMS_ERROR_ARGUMENT, "checkpoint: NULL (expected where to store the new object)");
    *checkpoint = malloc(sizeof **checkpoint);
    if (!*checkpoint)
        return fail(error, RMS_ERROR_MEMORY, "out of memory for a checkpoint");
    const rms_status status = checkpoint_open(*checkpoint, path, error);
    if (status != RMS_OK) {
        free(*checkpoint);
        *checkpoint = NULL;
    }
    return status;
}

void rms_checkpoint_close(rms_checkpoint *checkpoint)
{
    if (checkpoint)
        checkpoint_close(checkpoint);
    free(checkpoint);
}

rms_status rms_checkpoint_info_of(const rms_checkpoint *checkpoint, rms_checkpoint_info *info)
{
    if (!checkpoint || !info)
        return RMS_ERROR_ARGUMENT;
    *info = (rms_checkpoint_info){
        .layout = checkpoint->layout,
        .version = checkpoint->version,
        .format = checkpoint->format,
        .steps = checkpoint->steps,
        .tensor_count = checkpoint->tensor_count,
        .group_count = checkpoint->group_count,
        .file_bytes = checkpoint->source.bytes,
    };
    return RMS_OK;
}

rms_status rms_checkpoint_tensor_at(const rms_checkpoint *checkpoint, size_t tensor, rms_checkpoint_tensor *out)
{
    if (!checkpoint || !out)
        return RMS_ERROR_ARGUMENT;
    if (tensor >= checkpoint->tensor_count)
        return RMS_ERROR_RANGE;
    const struct file_tensor *found = &checkpoint->tensors[tensor];
    *out = (rms_checkpoint_tensor){
        .name = found->name,
        .count = found->count,
        .dtype = found->dtype,
        .group = found->group,
        .steps = found->steps,
        .slots = found->slots,
        .has_param = found->param != NULL,
    };
    return RMS_OK;
}

/* An older program's struct may lack fields that this file sets. */
static bool says_the_same(const rms_options *shorter, const rms_options *whole)
{
    rms_option_info info;
    for (size_t i = 0; rms_option_at(whole->rule, i, &info); ++i) {
        double a = 0, b = 0;
        if (rms_options_get(shorter, info.key, &a, NULL) != RMS_OK ||
            rms_options_get(whole, info.key, &b, NULL) != RMS_OK || a < b || a > b)
            return false;
    }
    return true;
}

rms_status rms_checkpoint_options(const rms_checkpoint *checkpoint, size_t group, rms_options *options,
                                  size_t struct_size)
{
    if (!checkpoint || !options)
        return RMS_ERROR_ARGUMENT;
    if (group >= checkpoint->group_count)
        return RMS_ERROR_RANGE;
    const rms_options *found = &checkpoint->groups[group].options;
    const rms_status status = rms_options_init(options, struct_size, found->rule);
    if (status != RMS_OK)
        return status;
    options_write(options, struct_size, found);
    return says_the_same(options, found) ? RMS_OK : RMS_ERROR_UNSUPPORTED;
}

/* The entry that a slot's name, or "param", means. */
static const struct stored *find_slot(const rms_checkpoint *checkpoint, size_t tensor, const char *slot)
{
    const struct file_tensor *found = &checkpoint->tensors[tensor];
    if (strcmp(slot, "param") == 0)
        return found->param;
    for (size_t i = 0; i < RMS_SLOTS_MAX; ++i) {
        const char *name = rms_slot_name(checkpoint->rule, i);
        if (name && strcmp(name, slot) == 0)
            return found->slot[i];
    }
    return NULL;
}

rms_status rms_checkpoint_read(rms_checkpoint *checkpoint, size_t tensor, const char *slot, void *out, size_t bytes,
                               rms_error *error)
{
    if (!checkpoint || !slot || (!out && bytes > 0))
        return fail(error, RMS_ERROR_ARGUMENT, "%s: NULL", !checkpoint ? "checkpoint" : slot ? "out" : "slot");
    if (tensor >= checkpoint->tensor_count)
        return fail(error, RMS_ERROR_RANGE, "tensor %zu does not exist: there are %zu, numbered from 0", tensor,
                    checkpoint->tensor_count);
    const struct stored *stored = find_slot(checkpoint, tensor, slot);
    if (!stored)
        return fail(error, RMS_ERROR_NAME, "%.160s: holds no \"%.40s\" of tensor \"%.100s\"", checkpoint->path, slot,
                    checkpoint->tensors[tensor].name);
    if (bytes != stored->bytes)
        return fail(error, RMS_ERROR_RANGE, "bytes is %zu, but \"%.160s\" has %" PRIu64, bytes, stored->name,
                    stored->bytes);
    const rms_status status = source_read(&checkpoint->source, out, bytes, stored->begin, error);
    if (status != RMS_OK)
        return status;
    if (checkpoint->own && !checkpoint_agrees(checkpoint, stored, checksum_of(out, bytes)))
        return checkpoint_damaged(checkpoint, stored, error);
    return succeed(error);
}
