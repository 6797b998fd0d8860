/* What goes into a checkpoint: one part for each array of the file, in the order in which they lie in it. */
#ifndef CHECKPOINT_PARTS_H
#define CHECKPOINT_PARTS_H

#include "checkpoint.h"

struct part {
    char *name;
    enum stored_dtype dtype;
    bool scalar; /* of no dimension, instead of one */
    size_t count;
    const void *data; /* NULL: own */
    unsigned char own[2 * sizeof(double)];
    const rms_optimizer *decoded; /* not NULL: instead, its slot, kept in fewer bits, as floats */
    size_t tensor;
    size_t slot;
    uint64_t begin; /* from the first byte of data on */
    uint64_t checksum;
};

struct part_list {
    struct part *parts;
    size_t count;
    size_t capacity;
    uint64_t bytes; /* of data */
};

/* Lists all that a layout holds of an object: larger numbers first, so that each lies aligned. On failure the list is
 * empty. */
rms_status part_list_fill(struct part_list *list, rms_optimizer *optimizer, rms_layout layout, rms_error *error);
void part_list_free(struct part_list *list);

size_t part_bytes(const struct part *part);

/* Up to *bytes bytes of it, from one on that is a multiple of PART_ROOM, and how many there are. room is where they are put
 * if they are decoded. */
enum { PART_ROOM = 16384 };
const void *part_data(const struct part *part, size_t begin, size_t *bytes, float room[PART_ROOM / sizeof(float)]);

/* Adds one; begin and checksum come later. name is copied, with prefix and suffix around it. */
rms_status part_list_add(struct part_list *list, const char *prefix, const char *name, const char *suffix,
                         const struct part *part, rms_error *error);

/* All of a tensor, as PyTorch has it; a sentence where PyTorch has no word for its options. */
rms_status part_list_add_pytorch(struct part_list *list, rms_optimizer *optimizer, size_t tensor, rms_error *error);

#endif
