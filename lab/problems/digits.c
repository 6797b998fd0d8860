/* Handwritten digits: 8 x 8 pixels, 32 tanh units, 10 classes; 1,257 images to train on, in batches of 32. */
#include "digits.h"
#include "digest.h"
#include "supervised.h"

#include <stdio.h>
#include <stdlib.h>

#define HIDDEN_UNITS 32
#define BATCH 32

struct shared {
    struct lab_dataset data; /* first: what lab_supervised_create looks for */
    struct lab_digits digits;
};

static struct lab_part part_of(const struct lab_digits *digits, enum lab_digits_part part)
{
    const struct lab_digits_set *const set = &digits->parts[part];
    return (struct lab_part){.count = set->count, .rows = set->pixels, .labels = set->labels};
}

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    struct shared *const shared = calloc(1, sizeof *shared);
    if (!shared || !lab_digits_load(&shared->digits)) {
        free(shared);
        snprintf(error->message, sizeof error->message, "digits: not enough memory for the images");
        return RMS_ERROR_MEMORY;
    }
    shared->data = (struct lab_dataset){
        .training = part_of(&shared->digits, LAB_DIGITS_TRAIN),
        .validation = part_of(&shared->digits, LAB_DIGITS_VALIDATION),
        .test = part_of(&shared->digits, LAB_DIGITS_TEST),
        .sizes = {LAB_DIGITS_PIXELS, HIDDEN_UNITS, LAB_DIGITS_CLASSES},
        .layer_count = 2,
        .batch = BATCH,
    };
    instance->shared = shared;
    instance->data_hash = LAB_DIGEST_EMPTY;
    for (size_t p = 0; p < LAB_DIGITS_PARTS; ++p) {
        const struct lab_digits_set *const set = &shared->digits.parts[p];
        instance->data_hash = lab_digest_floats(instance->data_hash, set->pixels, set->count * LAB_DIGITS_PIXELS);
        instance->data_hash = lab_digest_bytes(instance->data_hash, set->labels, set->count);
    }
    return RMS_OK;
}

static void release(struct lab_instance *instance)
{
    struct shared *const shared = instance->shared;
    if (shared)
        lab_digits_free(&shared->digits);
    free(shared);
    instance->shared = NULL;
}

/* Twenty epochs: longer, and the tuned rules only learn the training images by heart. The target is what
 * scikit-learn 1.9's LogisticRegression(max_iter=5000) reaches on these three parts. */
const struct lab_problem lab_problem_digits = {
    .struct_size = sizeof(struct lab_problem),
    .name = "digits",
    .title = "Handwritten digits, 64-32-10 net",
    .summary = "1,797 handwritten digits of 8 x 8 pixels (UCI), a net with 32 tanh units, batches of 32",
    .training = LAB_TRAINING_LOSS,
    .validation = LAB_VALIDATION_LOSS,
    .test = LAB_TEST_ACCURACY,
    .steps = 800,
    .quick_steps = 400,
    .score_every = 40,
    .target = 0.165,
    .prepare = prepare,
    .release = release,
    .create = lab_supervised_create,
    .destroy = lab_supervised_destroy,
    .tensors = lab_supervised_tensors,
    .gradient = lab_supervised_gradient,
    .score = lab_supervised_score,
};
