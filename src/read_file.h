/* A regular file, read at offsets. */
#ifndef READ_FILE_H
#define READ_FILE_H

#include "prefix.h"

#include <rmsprop.h>

struct source {
    const char *path; /* the caller's; for sentences */
    int file;         /* -1: none */
    uint64_t bytes;
};

/* Follows links, as any reader does; a folder, pipe or device is refused. */
rms_status source_open(struct source *source, const char *path, rms_error *error);

/* Reads exactly so many bytes. Safe on several threads at once, each with its own error. */
rms_status source_read(const struct source *source, void *out, size_t bytes, uint64_t offset, rms_error *error);

void source_close(struct source *source);

/* errno's words, the same on every thread. */
#define REASON_SIZE 128
const char *reason_of(int number, char text[REASON_SIZE]);

#endif
