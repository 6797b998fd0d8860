/* Fashion-MNIST: 28 x 28 pixels, 128 tanh units, 10 classes, in batches of 100. The images are Debian's package
 * dataset-fashion-mnist, read once and shared by all runs. */
#include "idx.h"
#include "mlp.h"
#include "problem.h"
#include "random.h"

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

/* Streams of the seed: the net draws its weights from the first few. */
#define SHUFFLE_STREAM (UINT64_C(1) << 32)

struct part {
    size_t count;
    const uint8_t *pixels; /* count x PIXELS, 0 (background) to 255 */
    const uint8_t *labels;
};

/* The four files, and the parts that lie in them; read by prepare, written by nobody else. */
static struct dataset {
    struct lab_idx training_images, training_labels, test_images, test_labels;
    struct part training, validation, test;
} dataset;

struct lab_task {
    uint64_t seed;
    struct lab_mlp mlp;
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    size_t tensor_count;
    uint32_t *order; /* of the training images in this epoch */
    size_t epoch;    /* which order is for */
    float *inputs;   /* BATCH x PIXELS, 0 to 1 */
    uint8_t labels[BATCH];
    uint32_t rows[BATCH]; /* 0, 1, 2 ...: the batch as it lies in inputs */
};

/* ---------------------------------------------------------------------------------------------------
 * The files
 * ------------------------------------------------------------------------------------------------- */

static void release(void)
{
    lab_idx_free(&dataset.training_images);
    lab_idx_free(&dataset.training_labels);
    lab_idx_free(&dataset.test_images);
    lab_idx_free(&dataset.test_labels);
    dataset = (struct dataset){0};
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

static rms_status read_dataset(rms_error *error)
{
    const struct {
        struct lab_idx *idx;
        const char *name;
    } files[] = {
        {&dataset.training_images, "train-images-idx3-ubyte"},
        {&dataset.training_labels, "train-labels-idx1-ubyte"},
        {&dataset.test_images, "t10k-images-idx3-ubyte"},
        {&dataset.test_labels, "t10k-labels-idx1-ubyte"},
    };
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < sizeof files / sizeof *files; ++i)
        status = read_file(files[i].idx, files[i].name, error);
    if (status == RMS_OK)
        status = check(&dataset.training_images, &dataset.training_labels, (size_t)2 * BATCH, "training", error);
    if (status == RMS_OK)
        status = check(&dataset.test_images, &dataset.test_labels, 1, "test", error);
    return status;
}

static struct part part_of(const struct lab_idx *images, const struct lab_idx *labels, size_t first, size_t count)
{
    return (struct part){count, images->bytes + first * PIXELS, labels->bytes + first};
}

static rms_status prepare(rms_error *error)
{
    const rms_status status = read_dataset(error);
    if (status != RMS_OK) {
        release();
        return status;
    }
    const size_t images = dataset.training_images.sizes[0];
    const size_t training = images - images / VALIDATION_SHARE;
    dataset.training = part_of(&dataset.training_images, &dataset.training_labels, 0, training);
    dataset.validation = part_of(&dataset.training_images, &dataset.training_labels, training, images - training);
    dataset.test = part_of(&dataset.test_images, &dataset.test_labels, 0, dataset.test_images.sizes[0]);
    return RMS_OK;
}

/* ---------------------------------------------------------------------------------------------------
 * A run
 * ------------------------------------------------------------------------------------------------- */

static void shuffle(struct lab_task *task, size_t epoch)
{
    lab_random_permutation(task->seed, SHUFFLE_STREAM + epoch, task->order, dataset.training.count);
    task->epoch = epoch;
}

static void destroy(struct lab_task *task)
{
    if (!task)
        return;
    lab_mlp_free(&task->mlp);
    free(task->order);
    free(task->inputs);
    free(task);
}

static struct lab_task *create(uint64_t seed)
{
    static const size_t sizes[] = {PIXELS, HIDDEN_UNITS, CLASSES};
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->seed = seed;
    task->order = calloc(dataset.training.count, sizeof *task->order);
    task->inputs = calloc(BATCH, PIXELS * sizeof *task->inputs);
    if (!task->order || !task->inputs || !lab_mlp_create(&task->mlp, sizes, 2, BATCH)) {
        destroy(task);
        return NULL;
    }
    lab_mlp_initialize(&task->mlp, seed);
    task->tensor_count = lab_mlp_tensors(&task->mlp, task->tensors);
    for (uint32_t row = 0; row < BATCH; ++row)
        task->rows[row] = row;
    shuffle(task, 0);
    return task;
}

static size_t tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = task->tensors;
    return task->tensor_count;
}

static void load_image(struct lab_task *task, size_t row, const struct part *part, size_t image)
{
    const uint8_t *const pixels = part->pixels + image * PIXELS;
    float *const inputs = task->inputs + row * PIXELS;
    for (size_t i = 0; i < PIXELS; ++i)
        inputs[i] = (float)pixels[i] / 255.0F;
    task->labels[row] = part->labels[image];
}

/* An epoch is as many whole batches as there are; those left over have their chance in the next shuffle. */
static double gradient(struct lab_task *task, size_t step)
{
    const size_t batches = dataset.training.count / BATCH;
    if (step / batches != task->epoch)
        shuffle(task, step / batches);
    const uint32_t *const images = task->order + step % batches * BATCH;
    for (size_t row = 0; row < BATCH; ++row)
        load_image(task, row, &dataset.training, images[row]);
    return lab_mlp_gradient(&task->mlp, task->inputs, task->labels, task->rows, BATCH);
}

/* The mean loss and the number of right answers over the first images of a part. */
static struct lab_mlp_score score_of(struct lab_task *task, const struct part *part, size_t most)
{
    const size_t count = part->count < most ? part->count : most;
    struct lab_mlp_score all = {0};
    for (size_t first = 0; first < count; first += BATCH) {
        const size_t size = count - first < BATCH ? count - first : BATCH;
        for (size_t row = 0; row < size; ++row)
            load_image(task, row, part, first + row);
        const struct lab_mlp_score some = lab_mlp_score(&task->mlp, task->inputs, task->labels, size);
        all.loss += some.loss * (double)size / (double)count;
        all.right += some.right;
    }
    return all;
}

static struct lab_score score(struct lab_task *task)
{
    return (struct lab_score){
        .training_loss = score_of(task, &dataset.training, SCORED).loss,
        .validation_loss = score_of(task, &dataset.validation, SIZE_MAX).loss,
        .test_accuracy = (double)score_of(task, &dataset.test, SIZE_MAX).right / (double)dataset.test.count,
    };
}

/* Two epochs, or one. The target is the least validation loss of softmax regression on the pixels, by L-BFGS. */
const struct lab_problem lab_problem_fashion = {
    .name = "fashion",
    .title = "Fashion-MNIST, 784-128-10 net",
    .summary = "70,000 pictures of clothes, 28 x 28 pixels (Debian's " PACKAGE "), a net with 128 tanh units, "
               "batches of 100",
    .steps = 1100,
    .quick_steps = 550,
    .score_every = 275,
    .target = 0.41,
    .prepare = prepare,
    .release = release,
    .create = create,
    .destroy = destroy,
    .tensors = tensors,
    .gradient = gradient,
    .score = score,
};
