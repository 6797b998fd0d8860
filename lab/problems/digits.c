/* Handwritten digits: 8 x 8 pixels, 32 tanh units, 10 classes; 1,257 images to train on, in batches of 32. */
#include "digits.h"
#include "mlp.h"
#include "problem.h"
#include "random.h"

#include <stdlib.h>

#define HIDDEN_UNITS 32
#define BATCH 32

/* Streams of the seed: the net draws its weights from the first few. */
#define SHUFFLE_STREAM (UINT64_C(1) << 32)

struct lab_task {
    uint64_t seed;
    struct lab_digits digits;
    struct lab_mlp mlp;
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    size_t tensor_count;
    uint32_t *order; /* of the training images in this epoch */
    size_t epoch;    /* which order is for */
};

static void shuffle(struct lab_task *task, size_t epoch)
{
    lab_random_permutation(task->seed, SHUFFLE_STREAM + epoch, task->order, task->digits.parts[LAB_DIGITS_TRAIN].count);
    task->epoch = epoch;
}

static void destroy(struct lab_task *task)
{
    if (!task)
        return;
    lab_digits_free(&task->digits);
    lab_mlp_free(&task->mlp);
    free(task->order);
    free(task);
}

static struct lab_task *create(uint64_t seed)
{
    static const size_t sizes[] = {LAB_DIGITS_PIXELS, HIDDEN_UNITS, LAB_DIGITS_CLASSES};
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->seed = seed;
    if (lab_digits_load(&task->digits))
        task->order = calloc(task->digits.parts[LAB_DIGITS_TRAIN].count, sizeof *task->order);
    if (!task->order || !lab_mlp_create(&task->mlp, sizes, 2, BATCH)) {
        destroy(task);
        return NULL;
    }
    lab_mlp_initialize(&task->mlp, seed);
    task->tensor_count = lab_mlp_tensors(&task->mlp, task->tensors);
    shuffle(task, 0);
    return task;
}

static size_t tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = task->tensors;
    return task->tensor_count;
}

/* An epoch is as many whole batches as there are; those left over have their chance in the next shuffle. */
static double gradient(struct lab_task *task, size_t step)
{
    const struct lab_digits_set *const train = &task->digits.parts[LAB_DIGITS_TRAIN];
    const size_t batches = train->count / BATCH;
    if (step / batches != task->epoch)
        shuffle(task, step / batches);
    return lab_mlp_gradient(&task->mlp, train->pixels, train->labels, task->order + step % batches * BATCH, BATCH);
}

static struct lab_mlp_score score_of(struct lab_task *task, enum lab_digits_part part)
{
    const struct lab_digits_set *const set = &task->digits.parts[part];
    return lab_mlp_score(&task->mlp, set->pixels, set->labels, set->count);
}

static struct lab_score score(struct lab_task *task)
{
    return (struct lab_score){
        .training_loss = score_of(task, LAB_DIGITS_TRAIN).loss,
        .validation_loss = score_of(task, LAB_DIGITS_VALIDATION).loss,
        .test_accuracy =
            (double)score_of(task, LAB_DIGITS_TEST).right / (double)task->digits.parts[LAB_DIGITS_TEST].count,
    };
}

/* Twenty epochs: longer, and the tuned rules only learn the training images by heart. The target is what
 * scikit-learn 1.9's LogisticRegression(max_iter=5000) reaches on these three parts. */
const struct lab_problem lab_problem_digits = {
    .name = "digits",
    .title = "Handwritten digits, 64-32-10 net",
    .summary = "1,797 handwritten digits of 8 x 8 pixels (UCI), a net with 32 tanh units, batches of 32",
    .steps = 800,
    .quick_steps = 400,
    .score_every = 40,
    .target = 0.165,
    .create = create,
    .destroy = destroy,
    .tensors = tensors,
    .gradient = gradient,
    .score = score,
};
