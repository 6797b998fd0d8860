/* The safetensors format (Hugging Face): 8 bytes of header length, a header in JSON, and the tensors one after the other.
 * This reads headers that anyone may have written, and believes nothing. */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include "json_read.h"
#include "read_file.h"

enum stored_dtype {
    STORED_BOOL,
    STORED_U8,
    STORED_I8,
    STORED_U16,
    STORED_I16,
    STORED_F16,
    STORED_BF16,
    STORED_U32,
    STORED_I32,
    STORED_F32,
    STORED_U64,
    STORED_I64,
    STORED_F64
};

/* As the format writes it. */
const char *stored_dtype_name(enum stored_dtype dtype);
size_t stored_dtype_size(enum stored_dtype dtype);

struct stored {
    const char *name; /* UTF-8; lives as long as the header */
    enum stored_dtype dtype;
    size_t dimensions;
    uint64_t count; /* numbers: the product of the shape */
    uint64_t bytes;
    uint64_t begin; /* in the file */
};

struct safetensors {
    struct json json;
    const struct json_value *metadata; /* an object of strings; NULL if there is none */
    struct stored *entries;            /* by name, in the order of strcmp */
    size_t count;
    char *header; /* as it stands in the file */
    size_t header_bytes;
};

/* The most that is read: what the format allows, and what no model needs. */
#define SAFETENSORS_HEADER_MAX 100000000
#define SAFETENSORS_ENTRIES_MAX (1 << 20)

/* Reads and checks the whole header: its bounds, JSON without duplicate or unknown keys, dtypes, shapes, and that the
 * tensors cover the file without a gap, an overlap or a rest. On failure there is nothing to be freed. */
rms_status safetensors_read(struct safetensors *header, const struct source *source, rms_error *error);
void safetensors_free(struct safetensors *header);

/* NULL if there is none of that name. */
const struct stored *safetensors_find(const struct safetensors *header, const char *name);

/* A string of the metadata; NULL if there is none. */
const char *safetensors_text(const struct safetensors *header, const char *key);

#endif
