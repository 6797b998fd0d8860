/* Batches by epochs, and scores part by part. */
#include "supervised.h"

#include <rmsprop_lab.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Streams of the seed: the net draws its weights from the first few. */
#define SHUFFLE_STREAM (UINT64_C(1) << 32)

static void shuffle(struct lab_learner *learner, size_t epoch)
{
    lab_random_permutation(learner->seed, SHUFFLE_STREAM + epoch, learner->order, learner->data->training.count);
    learner->epoch = epoch;
}

void lab_learner_free(struct lab_learner *learner)
{
    lab_mlp_free(&learner->mlp);
    free(learner->order);
    free(learner->inputs);
    free(learner->deltas);
    free(learner->labels);
    free(learner->rows);
    *learner = (struct lab_learner){0};
}

static bool allocate(struct lab_learner *learner)
{
    const struct lab_dataset *const data = learner->data;
    learner->order = calloc(data->training.count, sizeof *learner->order);
    learner->inputs = calloc(data->batch, data->sizes[0] * sizeof *learner->inputs);
    learner->deltas = calloc(data->batch, data->sizes[data->layer_count] * sizeof *learner->deltas);
    learner->labels = calloc(data->batch, sizeof *learner->labels);
    learner->rows = calloc(data->batch, sizeof *learner->rows);
    return learner->order && learner->inputs && learner->deltas && learner->labels && learner->rows &&
           lab_mlp_create(&learner->mlp, data->sizes, data->layer_count, data->batch);
}

bool lab_learner_create(struct lab_learner *learner, const struct lab_dataset *data, uint64_t seed)
{
    *learner = (struct lab_learner){.data = data, .seed = seed};
    if (!allocate(learner)) {
        lab_learner_free(learner);
        return false;
    }
    lab_mlp_initialize(&learner->mlp, seed);
    learner->tensor_count = lab_mlp_tensors(&learner->mlp, learner->tensors);
    for (size_t row = 0; row < data->batch; ++row)
        learner->rows[row] = (uint32_t)row;
    shuffle(learner, 0);
    return true;
}

/* ---------------------------------------------------------------------------------------------------
 * Batches
 * ------------------------------------------------------------------------------------------------- */

static void load_sample(struct lab_learner *learner, size_t row, const struct lab_part *part, size_t sample)
{
    const size_t width = learner->data->sizes[0];
    float *const inputs = learner->inputs + row * width;
    if (part->rows)
        memcpy(inputs, part->rows + sample * width, width * sizeof *inputs);
    for (size_t i = 0; part->bytes && i < width; ++i)
        inputs[i] = (float)part->bytes[sample * width + i] / 255.0F;
    if (part->labels)
        learner->labels[row] = part->labels[sample];
}

/* The sum of squared errors of the outputs, of which the net has one, for the loaded rows; leaves the errors in
 * deltas. */
static double squared_errors(struct lab_learner *learner, const struct lab_part *part, const uint32_t *samples,
                             size_t first, size_t count)
{
    const float *const outputs = lab_mlp_forward(&learner->mlp, learner->inputs, count);
    double sum = 0.0;
    for (size_t row = 0; row < count; ++row) {
        const float error = outputs[row] - part->targets[samples ? samples[row] : first + row];
        learner->deltas[row] = error;
        sum += (double)error * (double)error;
    }
    return sum;
}

/* The mean of squares, so that the delta of an output is twice its error over the count. */
static double regression_gradient(struct lab_learner *learner, const uint32_t *samples, size_t count)
{
    const double sum = squared_errors(learner, &learner->data->training, samples, 0, count);
    for (size_t row = 0; row < count; ++row)
        learner->deltas[row] = 2.0F * learner->deltas[row] / (float)count;
    lab_mlp_backward(&learner->mlp, learner->inputs, count, learner->deltas);
    return sum / (double)count;
}

double lab_learner_gradient(struct lab_learner *learner, size_t step)
{
    const struct lab_part *const training = &learner->data->training;
    const size_t count = learner->data->batch;
    const size_t batches = training->count / count;
    if (step / batches != learner->epoch)
        shuffle(learner, step / batches);
    const uint32_t *const samples = learner->order + step % batches * count;
    if (training->rows && training->labels)
        return lab_mlp_gradient(&learner->mlp, training->rows, training->labels, samples, count);
    for (size_t row = 0; row < count; ++row)
        load_sample(learner, row, training, samples[row]);
    return training->labels ? lab_mlp_gradient(&learner->mlp, learner->inputs, learner->labels, learner->rows, count)
                            : regression_gradient(learner, samples, count);
}

/* ---------------------------------------------------------------------------------------------------
 * Scores
 * ------------------------------------------------------------------------------------------------- */

struct part_score {
    double loss;
    double right; /* share of right answers; nothing for targets */
};

/* The mean over the first samples of a part, batch by batch. */
static struct part_score score_in_batches(struct lab_learner *learner, const struct lab_part *part, size_t count)
{
    const size_t batch = learner->data->batch;
    struct part_score all = {0.0, 0.0};
    for (size_t first = 0; first < count; first += batch) {
        const size_t size = count - first < batch ? count - first : batch;
        for (size_t row = 0; row < size; ++row)
            load_sample(learner, row, part, first + row);
        if (part->targets) {
            all.loss += squared_errors(learner, part, NULL, first, size) / (double)count;
            continue;
        }
        const struct lab_mlp_score some = lab_mlp_score(&learner->mlp, learner->inputs, learner->labels, size);
        all.loss += some.loss * (double)size / (double)count;
        all.right += (double)some.right;
    }
    all.right /= (double)count;
    return all;
}

static struct part_score score_part(struct lab_learner *learner, const struct lab_part *part, size_t most)
{
    const size_t count = most > 0 && most < part->count ? most : part->count;
    if (!part->rows || !part->labels)
        return score_in_batches(learner, part, count);
    const struct lab_mlp_score score = lab_mlp_score(&learner->mlp, part->rows, part->labels, count);
    return (struct part_score){score.loss, (double)score.right / (double)count};
}

struct lab_score lab_learner_score(struct lab_learner *learner)
{
    const struct lab_dataset *const data = learner->data;
    const struct part_score test = score_part(learner, &data->test, 0);
    return (struct lab_score){
        .training = score_part(learner, &data->training, data->scored).loss,
        .validation = score_part(learner, &data->validation, 0).loss,
        .test = data->test.labels ? test.right : sqrt(test.loss) * data->deviation,
    };
}

/* ---------------------------------------------------------------------------------------------------
 * A problem's members
 * ------------------------------------------------------------------------------------------------- */

struct lab_task {
    struct lab_learner learner;
};

struct lab_task *lab_supervised_create(const struct lab_instance *instance, uint64_t seed)
{
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task || lab_learner_create(&task->learner, instance->shared, seed))
        return task;
    free(task);
    return NULL;
}

void lab_supervised_destroy(struct lab_task *task)
{
    if (!task)
        return;
    lab_learner_free(&task->learner);
    free(task);
}

size_t lab_supervised_tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = task->learner.tensors;
    return task->learner.tensor_count;
}

double lab_supervised_gradient(struct lab_task *task, size_t step)
{
    return lab_learner_gradient(&task->learner, step);
}

struct lab_score lab_supervised_score(struct lab_task *task)
{
    return lab_learner_score(&task->learner);
}
