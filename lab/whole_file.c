/* Reads through zlib, which passes on what is not compressed. */
#include "whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FIRST_ROOM ((size_t)1 << 16)

static rms_status refuse(rms_error *error, rms_status status, const char *path, const char *what)
{
    char name[112];
    lab_clean_text(name, sizeof name, path);
    snprintf(error->message, sizeof error->message, "%s: %.120s", name, what);
    return status;
}

static rms_status explain(gzFile stream, const char *path, rms_error *error)
{
    int code = Z_OK;
    (void)gzerror(stream, &code);
    if (code == Z_ERRNO)
        return refuse(error, RMS_ERROR_FILE, path, strerror(errno));
    if (code == Z_MEM_ERROR)
        return refuse(error, RMS_ERROR_MEMORY, path, "not enough memory to read it");
    if (code != Z_OK)
        return refuse(error, RMS_ERROR_FORMAT, path, "its compressed data are damaged or end too early");
    return RMS_OK;
}

/* Doubles the room, which keeps one byte for the 0 behind. */
static bool grow(struct lab_file *file, size_t *room)
{
    const size_t wanted = *room == 0 ? FIRST_ROOM : *room * 2;
    char *const bytes = realloc(file->bytes, wanted);
    if (!bytes)
        return false;
    file->bytes = bytes;
    *room = wanted;
    return true;
}

static rms_status read_all(struct lab_file *file, gzFile stream, const char *path, rms_error *error)
{
    size_t room = 0;
    for (;;) {
        if (file->count + 1 >= room && !grow(file, &room))
            return refuse(error, RMS_ERROR_MEMORY, path, "not enough memory to read it");
        const int got = gzread(stream, file->bytes + file->count, (unsigned)(room - 1 - file->count));
        if (got <= 0)
            break;
        file->count += (size_t)got;
        if (file->count > LAB_FILE_MAX)
            return refuse(error, RMS_ERROR_FORMAT, path, "it has more than 512 MiB");
    }
    file->bytes[file->count] = '\0';
    return explain(stream, path, error);
}

rms_status lab_file_read(struct lab_file *file, const char *path, rms_error *error)
{
    *file = (struct lab_file){0};
    errno = 0;
    gzFile stream = gzopen(path, "rb");
    if (!stream)
        return errno != 0 ? refuse(error, RMS_ERROR_FILE, path, strerror(errno))
                          : refuse(error, RMS_ERROR_MEMORY, path, "not enough memory to open it");
    const rms_status status = read_all(file, stream, path, error);
    (void)gzclose_r(stream);
    if (status != RMS_OK)
        lab_file_free(file);
    return status;
}

void lab_file_free(struct lab_file *file)
{
    free(file->bytes);
    *file = (struct lab_file){0};
}

const char *lab_file_name(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return slash && slash[1] != '\0' ? slash + 1 : path;
}

/* Bytes of the character that begins here: RFC 3629's table of well-formed sequences; 0 for none. */
static size_t character_length(const unsigned char *text)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; ++i) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
            continue;
        if (forms[i].length > 1 && (text[1] < forms[i].second_low || text[1] > forms[i].second_high))
            return 0;
        for (size_t at = 2; at < forms[i].length; ++at)
            if (text[at] < 0x80 || text[at] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

void lab_clean_text(char *clean, size_t size, const char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t used = 0;
    while (*from != '\0') {
        const size_t length = character_length(from);
        /* U+0080 to U+009F are control characters, too. */
        const bool plain = length > 0 && !(from[0] == 0xc2 && from[1] < 0xa0);
        const size_t taken = plain ? length : 1;
        if (used + taken >= size)
            break;
        if (plain)
            memcpy(clean + used, from, taken);
        else
            clean[used] = '?';
        used += taken;
        from += taken;
    }
    clean[used] = '\0';
}

bool lab_is_clean_text(const char *text)
{
    char clean[256];
    if (!text)
        return false;
    lab_clean_text(clean, sizeof clean, text);
    return strcmp(clean, text) == 0;
}
