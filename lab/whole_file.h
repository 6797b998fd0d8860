/* A file as one piece of memory, plain or compressed by gzip; and words of strangers, fit to be shown. */
#ifndef LAB_WHOLE_FILE_H
#define LAB_WHOLE_FILE_H

#include <rmsprop.h>

/* More is refused, so that /dev/zero ends. */
#define LAB_FILE_MAX ((size_t)1 << 29)

struct lab_file {
    char *bytes; /* count, and a 0 behind them */
    size_t count;
};

/* Reads all there is; pipes are fine. On failure *file is empty and *error holds a sentence: RMS_ERROR_FILE when the
 * system refuses, RMS_ERROR_FORMAT when compressed data are damaged or there are more than LAB_FILE_MAX bytes,
 * RMS_ERROR_MEMORY. */
rms_status lab_file_read(struct lab_file *file, const char *path, rms_error *error);

/* Releases what was read; an empty one is allowed. */
void lab_file_free(struct lab_file *file);

/* What follows the last slash. */
const char *lab_file_name(const char *path);

/* Copies what fits of text as valid UTF-8 without control characters: a question mark stands for each byte of another
 * kind. size is 1 or more. */
void lab_clean_text(char *clean, size_t size, const char *text);

/* Whether that would change nothing: also false of NULL, and of more than 255 bytes. */
bool lab_is_clean_text(const char *text);

#endif
