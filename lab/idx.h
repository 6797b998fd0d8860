/* IDX files: arrays of bytes with their sizes in front, the format of MNIST and its kin, plain or compressed by gzip. */
#ifndef LAB_IDX_H
#define LAB_IDX_H

#include <rmsprop.h>

#define LAB_IDX_DIMENSIONS_MAX 4

struct lab_idx {
    size_t dimension_count;
    size_t sizes[LAB_IDX_DIMENSIONS_MAX]; /* of the slowest dimension first */
    size_t count;                         /* their product */
    uint8_t *bytes;                       /* count */
};

/* Reads a whole file. On failure *idx is empty and *error, which may be NULL, holds a sentence: RMS_ERROR_FILE when the
 * system refuses; RMS_ERROR_FORMAT when the file is damaged, shorter or longer than its header says, or of other
 * numbers than bytes; RMS_ERROR_MEMORY. */
rms_status lab_idx_read(struct lab_idx *idx, const char *path, rms_error *error);

/* Releases what was read; an empty one is allowed. */
void lab_idx_free(struct lab_idx *idx);

#endif
