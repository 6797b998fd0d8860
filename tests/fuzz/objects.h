/* The objects that fuzzed files are loaded into, and that the first seeds come from. */
#ifndef FUZZ_OBJECTS_H
#define FUZZ_OBJECTS_H

#include <rmsprop.h>
#include <rmsprop_checkpoint.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 6, TENSORS = 4, LONGEST = 5 };

/* Memory of one object's parameters and gradients. */
struct fuzz_object {
    rms_optimizer *optimizer;
    double param[TENSORS][LONGEST];
    double grad[TENSORS][LONGEST];
};

static const struct {
    rms_rule rule;
    const char *options; /* "key value key value" */
    struct {
        const char *name;
        size_t count;
        rms_dtype dtype;
    } tensors[TENSORS];
} fuzz_objects[OBJECTS] = {
    {RMS_RMSPROP,
     "centered true momentum 0.9 average_decay 0.5",
     {{"a", 3, RMS_F32}, {"b/c", 2, RMS_F64}, {"half", 5, RMS_BF16}, {"none", 0, RMS_F16}}},
    {RMS_RMSPROP,
     "momentum 0.9 master remainder",
     {{"a", 3, RMS_F32}, {"b.c", 2, RMS_F64}, {"half", 5, RMS_BF16}, {"n\"one\\", 0, RMS_BF16}}},
    {RMS_RMSPROP,
     "centered true momentum 0.9",
     {{"a", 3, RMS_F32}, {"b.c", 2, RMS_F64}, {"d", 1, RMS_F32}, {"none", 0, RMS_F32}}},
    {RMS_ADAM,
     "amsgrad true decoupled_decay 0.01",
     {{"a", 3, RMS_F32}, {"b.c", 2, RMS_F64}, {"d", 1, RMS_F32}, {"none", 0, RMS_F32}}},
    {RMS_ADAM, "state_format 8-bit", {{"a", 3, RMS_F32}, {"b.c", 2, RMS_F32}, {"d", 5, RMS_F32}, {"none", 0, RMS_F32}}},
    {RMS_RMSPROP,
     "momentum 0.9 state_format 16-bit",
     {{"a", 3, RMS_F32}, {"b.c", 2, RMS_BF16}, {"half", 5, RMS_F16}, {"none", 0, RMS_F32}}},
};

static inline void fuzz_require(bool condition)
{
    if (!condition)
        abort();
}

static inline rms_options fuzz_options(size_t number)
{
    rms_options options = rms_options_for(fuzz_objects[number].rule);
    char words[128] = "", *rest = NULL;
    strncat(words, fuzz_objects[number].options, sizeof words - 1);
    for (char *key = strtok_r(words, " ", &rest); key; key = strtok_r(NULL, " ", &rest))
        fuzz_require(rms_options_set_text(&options, key, strtok_r(NULL, " ", &rest), NULL) == RMS_OK);
    return options;
}

/* The second group holds the second tensor. */
static inline void fuzz_create(struct fuzz_object *object, size_t number)
{
    const rms_options options = fuzz_options(number);
    size_t group = 0;
    memset(object, 0, sizeof *object);
    fuzz_require(rms_create(&object->optimizer, &options, NULL) == RMS_OK);
    fuzz_require(rms_add_group(object->optimizer, &group) == RMS_OK);
    fuzz_require(rms_set(object->optimizer, group, "lr", 0.125) == RMS_OK);
    for (size_t i = 0; i < TENSORS; ++i) {
        const rms_tensor tensor = {.name = fuzz_objects[number].tensors[i].name,
                                   .count = fuzz_objects[number].tensors[i].count,
                                   .dtype = fuzz_objects[number].tensors[i].dtype,
                                   .param = object->param[i],
                                   .grad = object->grad[i],
                                   .group = i == 1 ? group : 0};
        fuzz_require(rms_add(object->optimizer, &tensor) == RMS_OK);
    }
}

#endif
