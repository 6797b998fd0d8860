/* Reads IDX files through zlib, which passes on what is not compressed. */
#include "idx.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHUNK ((size_t)1 << 30) /* gzread counts in int */
#define BYTES_OF_SIZE 4
#define UNSIGNED_BYTE 8 /* the third byte of the magic number: the type of the elements */

struct reader {
    const char *path;
    gzFile file;
    rms_error *error;
};

__attribute__((format(printf, 3, 4))) static rms_status refuse(const struct reader *reader, rms_status status,
                                                               const char *format, ...)
{
    char reason[128];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (reader->error)
        (void)snprintf(reader->error->message, sizeof reader->error->message, "%.110s: %s", reader->path, reason);
    return status;
}

/* Says why zlib has given less than it was asked for, if that is not merely because the file is over. */
static rms_status explain(const struct reader *reader)
{
    int code = Z_OK;
    const char *const words = gzerror(reader->file, &code);
    if (code == Z_ERRNO)
        return refuse(reader, RMS_ERROR_FILE, "%s", strerror(errno));
    if (code != Z_OK && code != Z_BUF_ERROR)
        return refuse(reader, RMS_ERROR_FORMAT, "its compressed data are damaged (%.60s)", words);
    return RMS_OK;
}

/* Reads count bytes, of which the file is to have `whole` from its beginning on. */
static rms_status read_bytes(const struct reader *reader, uint8_t *bytes, size_t count, size_t whole)
{
    size_t done = 0;
    while (done < count) {
        const size_t rest = count - done;
        const int got = gzread(reader->file, bytes + done, (unsigned)(rest < CHUNK ? rest : CHUNK));
        if (got <= 0) {
            const rms_status status = explain(reader);
            return status != RMS_OK ? status
                                    : refuse(reader, RMS_ERROR_FORMAT, "it ends after %zu of %zu bytes",
                                             whole - count + done, whole);
        }
        done += (size_t)got;
    }
    return RMS_OK;
}

static rms_status read_header(const struct reader *reader, struct lab_idx *idx, size_t *length)
{
    uint8_t magic[4];
    rms_status status = read_bytes(reader, magic, sizeof magic, sizeof magic);
    if (status != RMS_OK)
        return status;
    if (magic[0] != 0 || magic[1] != 0 || magic[2] != UNSIGNED_BYTE || magic[3] < 1 ||
        magic[3] > LAB_IDX_DIMENSIONS_MAX)
        return refuse(reader, RMS_ERROR_FORMAT,
                      "it is no IDX file of bytes: it begins %02x %02x %02x %02x (expected 00 00 08, and 01 to 04)",
                      magic[0], magic[1], magic[2], magic[3]);

    uint8_t sizes[LAB_IDX_DIMENSIONS_MAX * BYTES_OF_SIZE] = {0};
    idx->dimension_count = magic[3];
    *length = sizeof magic + idx->dimension_count * BYTES_OF_SIZE;
    status = read_bytes(reader, sizes, idx->dimension_count * BYTES_OF_SIZE, *length);
    for (size_t i = 0; status == RMS_OK && i < idx->dimension_count; ++i)
        for (size_t byte = 0; byte < BYTES_OF_SIZE; ++byte)
            idx->sizes[i] = idx->sizes[i] << 8 | sizes[i * BYTES_OF_SIZE + byte];
    return status;
}

/* The product of the sizes; false when it is 0, or more than memory could hold beside a header. */
static bool count_elements(struct lab_idx *idx)
{
    idx->count = 1;
    for (size_t i = 0; i < idx->dimension_count; ++i) {
        if (idx->sizes[i] == 0 || idx->count > PTRDIFF_MAX / 2 / idx->sizes[i])
            return false;
        idx->count *= idx->sizes[i];
    }
    return true;
}

/* Nothing may follow; a compressed file's checksum is looked at when its end is met. */
static rms_status read_end(const struct reader *reader, size_t whole)
{
    uint8_t more;
    int code = Z_OK;
    const int got = gzread(reader->file, &more, 1);
    if (got > 0)
        return refuse(reader, RMS_ERROR_FORMAT, "it goes on after the %zu bytes that its header tells of", whole);
    (void)gzerror(reader->file, &code);
    return code == Z_BUF_ERROR ? refuse(reader, RMS_ERROR_FORMAT, "it ends before its checksum") : explain(reader);
}

static rms_status read_array(const struct reader *reader, struct lab_idx *idx)
{
    size_t header = 0;
    rms_status status = read_header(reader, idx, &header);
    if (status != RMS_OK)
        return status;
    if (!count_elements(idx))
        return refuse(reader, RMS_ERROR_FORMAT, "its sizes multiply to 0 or to more than memory can hold");
    idx->bytes = malloc(idx->count);
    if (!idx->bytes)
        return refuse(reader, RMS_ERROR_MEMORY, "not enough memory for its %zu bytes", idx->count);
    status = read_bytes(reader, idx->bytes, idx->count, header + idx->count);
    return status == RMS_OK ? read_end(reader, header + idx->count) : status;
}

rms_status lab_idx_read(struct lab_idx *idx, const char *path, rms_error *error)
{
    *idx = (struct lab_idx){0};
    errno = 0;
    const struct reader reader = {path, gzopen(path, "rb"), error};
    if (!reader.file)
        return errno != 0 ? refuse(&reader, RMS_ERROR_FILE, "%s", strerror(errno))
                          : refuse(&reader, RMS_ERROR_MEMORY, "not enough memory to open it");
    const rms_status status = read_array(&reader, idx);
    (void)gzclose_r(reader.file);
    if (status != RMS_OK)
        lab_idx_free(idx);
    return status;
}

void lab_idx_free(struct lab_idx *idx)
{
    free(idx->bytes);
    *idx = (struct lab_idx){0};
}
