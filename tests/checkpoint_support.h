/* What the tests of checkpoints share: a model with tensors of every awkward kind, all that an object holds as bytes, and
 * files in a folder of their own. */
#ifndef TESTS_CHECKPOINT_SUPPORT_H
#define TESTS_CHECKPOINT_SUPPORT_H

#include "support.h"

#include <rmsprop_checkpoint.h>

/* ---- Files. A path in a folder that is made at the first call and deleted when the program ends. Eight may be in use at
 * once. */
const char *scratch_path(const char *name);

/* A whole file, to be freed; and back. */
struct bytes {
    unsigned char *data;
    size_t size;
};
struct bytes read_bytes(const char *path);
void write_bytes(const char *path, const void *data, size_t size);
bool file_exists(const char *path);

/* ---- Models: tensors of one dtype, or of all, in two groups. */
enum { MODEL_TENSORS = 5, MODEL_COUNT_MAX = 100 };
struct model {
    rms_optimizer *optimizer;
    rms_rule rule;
    uint64_t seed;
    uint64_t steps;
    void *param[MODEL_TENSORS];
    void *grad[MODEL_TENSORS];
};

/* mixed: each tensor of another dtype, starting with this one; f32 instead of f64 where state is shortened. */
struct model *model_create(const rms_options *options, rms_dtype dtype, bool mixed, uint64_t seed);
void model_destroy(struct model *model);

/* Takes the steps from model->steps on until there are so many; gradients are a function of seed, step and tensor. */
void model_step_until(struct model *model, uint64_t steps);

/* Parameters, slots, steps and options, one after the other; to be freed. */
struct bytes model_bytes(const struct model *model);

/* Fails unless the model still holds these, and says where it does not. */
void assert_same_model(const struct model *model, const struct bytes *expected, const char *context);

/* ---- Files of safetensors, made by hand. */

/* Length, header and data in one; to be freed. */
struct bytes safetensors_file(const char *header, const void *data, size_t data_size);

/* Bytes of a file's header; and the file, to be freed, with one piece of its header replaced and the header's checksum put
 * right. */
size_t header_length(const struct bytes *file);
struct bytes file_with_header_changed(const struct bytes *file, const char *piece, const char *other);

#endif
