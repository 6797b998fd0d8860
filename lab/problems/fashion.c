/* Fashion-MNIST: 28 x 28 pixels, 128 tanh units, 10 classes, in batches of 100. The images are Debian's package
 * dataset-fashion-mnist, read once and shared by all runs. */
#include "digest.h"
#include "idx.h"
#include "supervised.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATASETS "/usr/share/datasets"
#define PACKAGE "dataset-fashion-mnist"
#define SIDE 28
#define PIXELS ((size_t)SIDE * SIDE)
#define CLASSES 10
#define HIDDEN_UNITS 128
#define BATCH 100
#define VALIDATION_SHARE 12 /* one in so many of the training file, at its end: 5,000 of 60,000 */
#define SCORED 5000         /* training images that the training loss is taken of */

/* The four files, and the parts that lie in them. */
enum { TRAINING_IMAGES, TRAINING_LABELS, TEST_IMAGES, TEST_LABELS, FILES };
struct shared {
    struct lab_dataset data; /* first: what lab_supervised_create looks for */
    struct lab_idx files[FILES];
};

static void release(struct lab_instance *instance)
{
    struct shared *const shared = instance->shared;
    for (size_t i = 0; shared && i < FILES; ++i)
        lab_idx_free(&shared->files[i]);
    free(shared);
    instance->shared = NULL;
}

static const char *folder(void)
{
    const char *const chosen = getenv("RMSPROP_DATASETS");
    return chosen && *chosen != '\0' ? chosen : DATASETS;
}

/* A file that is not there has a way out, which is part of the sentence. */
static rms_status read_file(struct lab_idx *idx, const char *name, rms_error *error)
{
    char path[512];
    const int length = snprintf(path, sizeof path, "%s/fashion-mnist/%s.gz", folder(), name);
    if (length < 0 || (size_t)length >= sizeof path) {
        snprintf(error->message, sizeof error->message, "RMSPROP_DATASETS: the name of the folder is too long");
        return RMS_ERROR_FILE;
    }
    const rms_status status = lab_idx_read(idx, path, error);
    const size_t used = strlen(error->message);
    if (status == RMS_ERROR_FILE)
        snprintf(error->message + used, sizeof error->message - used, " (Debian's package " PACKAGE " brings it)");
    return status;
}

static rms_status refuse(rms_error *error, const char *kind, const char *reason)
{
    snprintf(error->message, sizeof error->message, "%.120s/fashion-mnist: the %s files %s", folder(), kind, reason);
    return RMS_ERROR_FORMAT;
}

/* Whether these are images and the classes of as many, `least` or more. */
static rms_status check(const struct lab_idx *images, const struct lab_idx *labels, size_t least, const char *kind,
                        rms_error *error)
{
    if (images->dimension_count != 3 || images->sizes[1] != SIDE || images->sizes[2] != SIDE)
        return refuse(error, kind, "do not hold images of 28 x 28 pixels");
    if (labels->dimension_count != 1 || labels->sizes[0] != images->sizes[0])
        return refuse(error, kind, "do not hold as many labels as images");
    if (images->sizes[0] < least || images->sizes[0] > UINT32_MAX)
        return refuse(error, kind, "hold too few images, or too many");
    for (size_t i = 0; i < labels->count; ++i)
        if (labels->bytes[i] >= CLASSES)
            return refuse(error, kind, "hold a label above 9");
    return RMS_OK;
}

static rms_status read_files(struct lab_idx *files, rms_error *error)
{
    static const char *const names[FILES] = {
        [TRAINING_IMAGES] = "train-images-idx3-ubyte",
        [TRAINING_LABELS] = "train-labels-idx1-ubyte",
        [TEST_IMAGES] = "t10k-images-idx3-ubyte",
        [TEST_LABELS] = "t10k-labels-idx1-ubyte",
    };
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < FILES; ++i)
        status = read_file(&files[i], names[i], error);
    if (status == RMS_OK)
        status = check(&files[TRAINING_IMAGES], &files[TRAINING_LABELS], (size_t)2 * BATCH, "training", error);
    if (status == RMS_OK)
        status = check(&files[TEST_IMAGES], &files[TEST_LABELS], 1, "test", error);
    return status;
}

static struct lab_part part_of(const struct lab_idx *images, const struct lab_idx *labels, size_t first, size_t count)
{
    return (struct lab_part){.count = count, .bytes = images->bytes + first * PIXELS, .labels = labels->bytes + first};
}

static struct lab_dataset dataset_of(const struct lab_idx *files)
{
    const struct lab_idx *const images = &files[TRAINING_IMAGES], *const labels = &files[TRAINING_LABELS];
    const size_t count = images->sizes[0], training = count - count / VALIDATION_SHARE;
    return (struct lab_dataset){
        .training = part_of(images, labels, 0, training),
        .validation = part_of(images, labels, training, count - training),
        .test = part_of(&files[TEST_IMAGES], &files[TEST_LABELS], 0, files[TEST_IMAGES].sizes[0]),
        .sizes = {PIXELS, HIDDEN_UNITS, CLASSES},
        .layer_count = 2,
        .batch = BATCH,
        .scored = SCORED,
    };
}

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    struct shared *const shared = calloc(1, sizeof *shared);
    if (!shared) {
        snprintf(error->message, sizeof error->message, "fashion: not enough memory");
        return RMS_ERROR_MEMORY;
    }
    instance->shared = shared;
    const rms_status status = read_files(shared->files, error);
    if (status != RMS_OK) {
        release(instance);
        return status;
    }
    shared->data = dataset_of(shared->files);
    instance->data_hash = LAB_DIGEST_EMPTY;
    for (size_t i = 0; i < FILES; ++i)
        instance->data_hash = lab_digest_bytes(instance->data_hash, shared->files[i].bytes, shared->files[i].count);
    return RMS_OK;
}

/* Two epochs, or one. The target is the least validation loss of softmax regression on the pixels, by L-BFGS. */
const struct lab_problem lab_problem_fashion = {
    .struct_size = sizeof(struct lab_problem),
    .name = "fashion",
    .title = "Fashion-MNIST, 784-128-10 net",
    .summary = "70,000 pictures of clothes, 28 x 28 pixels (Debian's " PACKAGE "), a net with 128 tanh units, "
               "batches of 100",
    .training = LAB_TRAINING_LOSS,
    .validation = LAB_VALIDATION_LOSS,
    .test = LAB_TEST_ACCURACY,
    .steps = 1100,
    .quick_steps = 550,
    .score_every = 275,
    .target = 0.41,
    .prepare = prepare,
    .release = release,
    .create = lab_supervised_create,
    .destroy = lab_supervised_destroy,
    .tensors = lab_supervised_tensors,
    .gradient = lab_supervised_gradient,
    .score = lab_supervised_score,
};
