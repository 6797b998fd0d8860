/* Replaces a file as a whole: what is under the name is the old content or the new one, whatever happens. The new
 * content is written beside it, as PATH.partial, forced to the disk, and renamed. */
#ifndef REPLACE_FILE_H
#define REPLACE_FILE_H

#include "prefix.h"

#include <rmsprop.h>

struct replacement {
    const char *path; /* the caller's; for sentences */
    char *target;     /* the file's name within its folder */
    char *partial;
    int folder; /* descriptors; -1: none */
    int file;
    int lock;         /* the same open file once more: it keeps the lock while file is closed */
    uint64_t waiting; /* bytes written since the system was last asked to begin with its own writing */
    bool made;        /* PATH.partial is ours to delete */
};

/* Makes PATH.partial, of bytes bytes, and locks it: a second saver is refused. On failure nothing is left behind.
 * path may be a link to a regular file. */
rms_status replacement_begin(struct replacement *replacement, const char *path, uint64_t bytes, rms_error *error);

rms_status replacement_write(struct replacement *replacement, const void *data, size_t bytes, uint64_t offset,
                             rms_error *error);

/* Forces it to the disk and renames it. On failure the old file is what it was, but for the last call, which
 * forces the folder to the disk: then the new one is in place, and the sentence says so. */
rms_status replacement_commit(struct replacement *replacement, rms_error *error);

/* Ends it either way, and deletes PATH.partial unless it has been renamed. */
void replacement_end(struct replacement *replacement);

#endif
