/* Headers of safetensors files, checked before they are believed. */
#include "safetensors.h"

#include "message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSIONS_MAX = 64, LENGTH_BYTES = 8 };

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [STORED_BOOL] = {"BOOL", 1}, [STORED_U8] = {"U8", 1},   [STORED_I8] = {"I8", 1},     [STORED_U16] = {"U16", 2},
    [STORED_I16] = {"I16", 2},   [STORED_F16] = {"F16", 2}, [STORED_BF16] = {"BF16", 2}, [STORED_U32] = {"U32", 4},
    [STORED_I32] = {"I32", 4},   [STORED_F32] = {"F32", 4}, [STORED_U64] = {"U64", 8},   [STORED_I64] = {"I64", 8},
    [STORED_F64] = {"F64", 8},
};
enum { DTYPE_COUNT = sizeof dtypes / sizeof *dtypes };

const char *stored_dtype_name(enum stored_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t stored_dtype_size(enum stored_dtype dtype)
{
    return dtypes[dtype].size;
}

/* ---- one entry ------------------------------------------------------------------------------------- */

struct reader {
    const char *path;
    uint64_t data_begin;
    uint64_t file_bytes;
    rms_error *error;
};

static rms_status bad_entry(const struct reader *reader, const char *name, const char *reason)
{
    return fail(reader->error, RMS_ERROR_FORMAT, "%.160s: tensor \"%.100s\": %s", reader->path, name, reason);
}

static rms_status read_dtype(const struct reader *reader, const struct json_value *value, struct stored *stored)
{
    const char *text = value_text(value);
    if (!text)
        return bad_entry(reader, stored->name, "has no dtype (expected a string)");
    for (int dtype = 0; dtype < DTYPE_COUNT; ++dtype)
        if (strcmp(text, dtypes[dtype].name) == 0) {
            stored->dtype = (enum stored_dtype)dtype;
            return RMS_OK;
        }
    return fail(
        reader->error, RMS_ERROR_FORMAT,
        "%.160s: tensor \"%.100s\": dtype \"%.20s\" is unknown (expected F32, F64, F16, BF16 or a whole number's)",
        reader->path, stored->name, text);
}

static rms_status read_shape(const struct reader *reader, const struct json_value *value, struct stored *stored)
{
    if (!value || value->kind != VALUE_ARRAY || value->count > DIMENSIONS_MAX)
        return bad_entry(reader, stored->name, "has no shape (expected an array of at most 64 whole numbers)");
    const uint64_t most = INT64_MAX / dtypes[stored->dtype].size;
    const struct json_value *next = value_first(value);
    bool empty = false;
    uint64_t count = 1;
    stored->dimensions = value->count;
    for (size_t i = 0; i < stored->dimensions; ++i, next = value_next(next)) {
        uint64_t extent;
        if (!value_whole(next, &extent))
            return bad_entry(reader, stored->name, "its shape holds something else than whole numbers from 0 on");
        empty |= extent == 0;
        if (extent > 0 && count > most / extent)
            return bad_entry(reader, stored->name, "its shape has more elements than any file");
        count *= extent > 0 ? extent : 1;
    }
    stored->count = empty ? 0 : count;
    stored->bytes = stored->count * dtypes[stored->dtype].size;
    return RMS_OK;
}

static rms_status read_offsets(const struct reader *reader, const struct json_value *value, struct stored *stored)
{
    uint64_t begin, end;
    if (!value || value->kind != VALUE_ARRAY || value->count != 2 || !value_whole(value_first(value), &begin) ||
        !value_whole(value_next(value_first(value)), &end))
        return bad_entry(reader, stored->name, "has no data_offsets (expected two whole numbers from 0 on)");
    const uint64_t data_bytes = reader->file_bytes - reader->data_begin;
    if (begin > end || end > data_bytes)
        return fail(reader->error, RMS_ERROR_FORMAT,
                    "%.160s: tensor \"%.100s\": data_offsets %" PRIu64 " to %" PRIu64
                    " are out of bounds: the file holds %" PRIu64 " bytes of data",
                    reader->path, stored->name, begin, end, data_bytes);
    if (end - begin != stored->bytes)
        return fail(reader->error, RMS_ERROR_FORMAT,
                    "%.160s: tensor \"%.100s\": data_offsets span %" PRIu64 " bytes, but its shape needs %" PRIu64,
                    reader->path, stored->name, end - begin, stored->bytes);
    stored->begin = reader->data_begin + begin;
    return RMS_OK;
}

static rms_status read_entry(const struct reader *reader, const char *name, const struct json_value *value,
                             struct stored *stored)
{
    stored->name = name;
    if (value->kind != VALUE_OBJECT)
        return bad_entry(reader, name, "is no object");
    rms_status status = read_dtype(reader, value_find(value, "dtype"), stored);
    if (status == RMS_OK)
        status = read_shape(reader, value_find(value, "shape"), stored);
    if (status == RMS_OK)
        status = read_offsets(reader, value_find(value, "data_offsets"), stored);
    if (status == RMS_OK && value->count != 3)
        status =
            bad_entry(reader, name, "has keys that the format does not know (expected dtype, shape, data_offsets)");
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------------- */

static int by_place(const void *left, const void *right)
{
    const struct stored *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct stored *)left)->name, ((const struct stored *)right)->name);
}

/* From the first byte behind the header to the last of the file, each belongs to one tensor. */
static rms_status check_cover(const struct reader *reader, struct stored *entries, size_t count)
{
    qsort(entries, count, sizeof *entries, by_place);
    uint64_t covered = reader->data_begin;
    for (size_t i = 0; i < count; ++i) {
        if (entries[i].begin != covered)
            return bad_entry(reader, entries[i].name,
                             entries[i].begin > covered ? "a gap lies before its data" : "its data overlap another's");
        covered += entries[i].bytes;
    }
    if (covered != reader->file_bytes)
        return fail(reader->error, RMS_ERROR_FORMAT,
                    "%.160s: has %" PRIu64 " bytes, but its tensors end at byte %" PRIu64, reader->path,
                    reader->file_bytes, covered);
    return RMS_OK;
}

static rms_status check_metadata(const struct reader *reader, const struct json_value *metadata)
{
    if (metadata->kind != VALUE_OBJECT)
        return fail(reader->error, RMS_ERROR_FORMAT, "%.160s: __metadata__ is no object", reader->path);
    const struct json_value *value = value_first(metadata);
    for (size_t i = 0; i < metadata->count; ++i, value = value_next(value))
        if (value->kind != VALUE_STRING)
            return fail(reader->error, RMS_ERROR_FORMAT, "%.160s: __metadata__: \"%.100s\" is no string", reader->path,
                        value->key);
    return RMS_OK;
}

static rms_status read_entries(const struct reader *reader, struct safetensors *header)
{
    const struct json_value *root = header->json.values;
    if (root->kind != VALUE_OBJECT)
        return fail(reader->error, RMS_ERROR_FORMAT, "%.160s: its header is no JSON object", reader->path);
    if (root->count > (size_t)SAFETENSORS_ENTRIES_MAX + 1) /* and the metadata */
        return fail(reader->error, RMS_ERROR_FORMAT, "%.160s: holds %zu tensors, more than %d", reader->path,
                    root->count, SAFETENSORS_ENTRIES_MAX);
    header->entries = malloc((root->count + 1) * sizeof *header->entries);
    if (!header->entries)
        return fail(reader->error, RMS_ERROR_MEMORY, "%.160s: out of memory for %zu entries", reader->path,
                    root->count);
    const struct json_value *value = value_first(root);
    for (size_t i = 0; i < root->count; ++i, value = value_next(value)) {
        const bool is_metadata = strcmp(value->key, "__metadata__") == 0;
        const rms_status status = is_metadata
                                      ? check_metadata(reader, value)
                                      : read_entry(reader, value->key, value, &header->entries[header->count++]);
        if (status != RMS_OK)
            return status;
        if (is_metadata)
            header->metadata = value;
    }
    const rms_status status = check_cover(reader, header->entries, header->count);
    qsort(header->entries, header->count, sizeof *header->entries, by_name);
    return status;
}

/* ---- the file -------------------------------------------------------------------------------------- */

static rms_status read_length(const struct source *source, uint64_t *length, rms_error *error)
{
    unsigned char bytes[LENGTH_BYTES];
    if (source->bytes < LENGTH_BYTES + 2)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: has %" PRIu64 " bytes, too few for a safetensors file",
                    source->path, source->bytes);
    const rms_status status = source_read(source, bytes, sizeof bytes, 0, error);
    if (status != RMS_OK)
        return status;
    *length = 0;
    for (size_t i = 0; i < LENGTH_BYTES; ++i)
        *length |= (uint64_t)bytes[i] << 8 * i;
    if (*length < 2 || *length > SAFETENSORS_HEADER_MAX)
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: is no safetensors file, or damaged: its header would have %" PRIu64
                    " bytes (expected 2 to %d)",
                    source->path, *length, SAFETENSORS_HEADER_MAX);
    if (*length > source->bytes - LENGTH_BYTES)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: was cut off: %" PRIu64 " bytes, and a header of %" PRIu64,
                    source->path, source->bytes, *length);
    return RMS_OK;
}

static rms_status read_header(struct safetensors *header, const struct source *source, uint64_t length,
                              rms_error *error)
{
    header->header_bytes = (size_t)length;
    header->header = malloc((size_t)length + 1);
    if (!header->header)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for a header of %" PRIu64 " bytes", source->path,
                    length);
    rms_status status = source_read(source, header->header, (size_t)length, LENGTH_BYTES, error);
    if (status != RMS_OK)
        return status;
    header->header[length] = '\0';
    if (header->header[0] != '{')
        return fail(error, RMS_ERROR_FORMAT,
                    "%.160s: is no safetensors file, or damaged: its header does not begin with {", source->path);
    status = json_read(&header->json, header->header, (size_t)length, source->path, "its header", error);
    if (status != RMS_OK)
        return status;
    const struct reader reader = {source->path, LENGTH_BYTES + length, source->bytes, error};
    return read_entries(&reader, header);
}

rms_status safetensors_read(struct safetensors *header, const struct source *source, rms_error *error)
{
    *header = (struct safetensors){.count = 0};
    uint64_t length;
    rms_status status = read_length(source, &length, error);
    if (status == RMS_OK)
        status = read_header(header, source, length, error);
    if (status != RMS_OK)
        safetensors_free(header);
    return status == RMS_OK ? succeed(error) : status;
}

void safetensors_free(struct safetensors *header)
{
    json_release(&header->json);
    free(header->entries);
    free(header->header);
    *header = (struct safetensors){.count = 0};
}

const struct stored *safetensors_find(const struct safetensors *header, const char *name)
{
    const struct stored wanted = {.name = name};
    return header->count > 0 ? bsearch(&wanted, header->entries, header->count, sizeof wanted, by_name) : NULL;
}

const char *safetensors_text(const struct safetensors *header, const char *key)
{
    return header->metadata ? value_text(value_find(header->metadata, key)) : NULL;
}
