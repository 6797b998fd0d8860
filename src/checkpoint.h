/* A checkpoint file, opened and understood: what rms_checkpoint_* show, and what rms_load compares with an object. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "safetensors.h"

#include <rmsprop_checkpoint.h>

#define FORMAT_VERSION 1

/* An option as a file of PyTorch's layout gives it, in the library's words. */
struct setting {
    const char *key; /* static */
    double value;
};

#define SETTINGS_MAX 16
struct file_group {
    rms_options options; /* what the file does not say is the rule's default */
    struct setting settings[SETTINGS_MAX];
    size_t setting_count; /* 0 in the library's own layouts, where nothing is left unsaid */
};

struct file_tensor {
    const char *name;
    size_t count;
    rms_dtype dtype;
    bool has_shape; /* false: count and dtype are not known, since nothing is kept of it */
    size_t group;
    uint64_t steps;
    unsigned slots;
    const struct stored *param;
    const struct stored *slot[RMS_SLOTS_MAX];
};

/* Where to find a tensor by its name. */
struct file_name {
    const char *name;
    const struct file_tensor *tensor;
};

struct rms_checkpoint {
    char *path;
    struct source source;
    struct safetensors header;
    bool own; /* written by this library: it has checksums */
    rms_layout layout;
    rms_rule rule;
    const char *version;
    int format;
    uint64_t steps;
    struct file_group *groups;
    size_t group_count;
    struct file_tensor *tensors; /* in the order of the object; by name in files of others */
    size_t tensor_count;
    struct file_name *by_name; /* the same, in the order of strcmp */
    struct json tensor_texts;  /* what holds the tensors' names */
    char *names;               /* or this */
    uint64_t *checksums;       /* of the entries of header, if own */
};

/* Opens, and leaves nothing behind on failure. */
rms_status checkpoint_open(struct rms_checkpoint *checkpoint, const char *path, rms_error *error);
void checkpoint_close(struct rms_checkpoint *checkpoint);

/* How a tensor's numbers are stored, and those of a slot that the options, which are admitted, keep: in 8 bits, bytes of
 * which each is a code, nothing or a scale. */
enum stored_dtype checkpoint_param_dtype(rms_dtype dtype);
enum stored_dtype checkpoint_slot_dtype(const rms_options *options, rms_dtype dtype, size_t slot);

/* Whether the data of an entry have their checksum; true where there is none. */
bool checkpoint_agrees(const struct rms_checkpoint *checkpoint, const struct stored *stored, uint64_t checksum);

/* Sentences about the file. */
rms_status checkpoint_damaged(const struct rms_checkpoint *checkpoint, const struct stored *stored, rms_error *error);

/* The tensor of that name; NULL if there is none. */
const struct file_tensor *checkpoint_find(const struct rms_checkpoint *checkpoint, const char *name);

/* Fill in groups and tensors from a header that has been read. */
rms_status checkpoint_read_native(struct rms_checkpoint *checkpoint, rms_error *error);
rms_status checkpoint_read_pytorch(struct rms_checkpoint *checkpoint, rms_error *error);

/* Makes tensors known to checkpoint_find. */
rms_status checkpoint_sort(struct rms_checkpoint *checkpoint, rms_error *error);

#endif
