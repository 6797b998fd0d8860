/* Which file a fortune is from, told from its words: each word has a row of numbers, a text is the mean of its words'
 * rows, and a softmax layer tells the file. A batch touches few rows: their gradients are sparse, Adagrad's home. */
#include "corpus.h"
#include "mlp.h"
#include "supervised.h"

#include <rmsprop_lab.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "/usr/share/games/fortunes"
#define PACKAGE "fortunes"
#define WIDTH 64      /* of a row: whole blocks of 8-bit state, RMS_STATE_BLOCK */
#define DEVIATION 0.1 /* of the rows before the first step */
#define BATCH 32
#define SCORED 1000 /* training texts that the training loss is taken of */

/* Streams of the seed: the net draws its weights from the first few. */
#define EMBEDDING_STREAM (UINT64_C(1) << 31)
#define SHUFFLE_STREAM (UINT64_C(1) << 32)

/* Files of one subject each, with 200 fortunes or more. */
static const char *const names[] = {"computers", "definitions", "law",         "people",
                                    "politics",  "science",     "songs-poems", "work"};
enum { CLASSES = sizeof names / sizeof *names };

struct lab_task {
    const struct lab_corpus *corpus;
    uint64_t seed;
    struct lab_mlp mlp; /* the layer on top */
    float *embedding;   /* vocabulary x WIDTH */
    float *values;      /* of the rows' gradients: one for each word of the batch */
    int64_t *indices;
    rms_rows rows;
    rms_tensor tensors[1 + LAB_MLP_TENSORS_MAX];
    size_t tensor_count;
    uint32_t *order; /* of the training texts in this epoch */
    size_t epoch;
    float means[BATCH * WIDTH];
    float deltas[BATCH * CLASSES];
    double probabilities[CLASSES];
};

/* ---------------------------------------------------------------------------------------------------
 * The files
 * ------------------------------------------------------------------------------------------------- */

static void release(struct lab_instance *instance)
{
    if (instance->shared)
        lab_corpus_free(instance->shared);
    free(instance->shared);
    instance->shared = NULL;
}

/* The folder named by RMSPROP_DATASETS has one of its own for the fortunes. */
static bool name_files(char (*paths)[512])
{
    const char *const chosen = getenv("RMSPROP_DATASETS");
    const bool own = chosen && *chosen != '\0';
    for (size_t i = 0; i < CLASSES; ++i) {
        const int length =
            snprintf(paths[i], sizeof paths[i], "%s%s/%s", own ? chosen : FOLDER, own ? "/fortunes" : "", names[i]);
        if (length < 0 || (size_t)length >= sizeof paths[i])
            return false;
    }
    return true;
}

static rms_status read_corpus(struct lab_corpus *corpus, rms_error *error)
{
    char paths[CLASSES][512];
    const char *list[CLASSES];
    if (!name_files(paths)) {
        snprintf(error->message, sizeof error->message, "RMSPROP_DATASETS: the name of the folder is too long");
        return RMS_ERROR_FILE;
    }
    for (size_t i = 0; i < CLASSES; ++i)
        list[i] = paths[i];
    const rms_status status = lab_corpus_read(corpus, list, CLASSES, error);
    const size_t used = strlen(error->message);
    if (status == RMS_ERROR_FILE)
        snprintf(error->message + used, sizeof error->message - used, " (Debian's package " PACKAGE " brings it)");
    return status;
}

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    instance->shared = calloc(1, sizeof(struct lab_corpus));
    if (!instance->shared) {
        snprintf(error->message, sizeof error->message, "text: not enough memory");
        return RMS_ERROR_MEMORY;
    }
    const rms_status status = read_corpus(instance->shared, error);
    const struct lab_corpus *const corpus = instance->shared;
    if (status == RMS_OK)
        instance->data_hash = corpus->hash;
    else
        release(instance);
    return status;
}

/* ---------------------------------------------------------------------------------------------------
 * A run
 * ------------------------------------------------------------------------------------------------- */

static void shuffle(struct lab_task *task, size_t epoch)
{
    lab_random_permutation(task->seed, SHUFFLE_STREAM + epoch, task->order, task->corpus->counts[LAB_CORPUS_TRAIN]);
    task->epoch = epoch;
}

static void destroy(struct lab_task *task)
{
    if (!task)
        return;
    lab_mlp_free(&task->mlp);
    free(task->embedding);
    free(task->values);
    free(task->indices);
    free(task->order);
    free(task);
}

static bool allocate(struct lab_task *task)
{
    static const size_t sizes[] = {WIDTH, CLASSES};
    const struct lab_corpus *const corpus = task->corpus;
    const size_t words = BATCH * corpus->longest;
    task->embedding = calloc(corpus->vocabulary, WIDTH * sizeof *task->embedding);
    task->values = calloc(words + 1, WIDTH * sizeof *task->values);
    task->indices = calloc(words + 1, sizeof *task->indices);
    task->order = calloc(corpus->counts[LAB_CORPUS_TRAIN], sizeof *task->order);
    return task->embedding && task->values && task->indices && task->order &&
           lab_mlp_create(&task->mlp, sizes, 1, BATCH);
}

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->corpus = instance->shared;
    task->seed = seed;
    if (!allocate(task)) {
        destroy(task);
        return NULL;
    }
    const size_t count = task->corpus->vocabulary * WIDTH;
    for (size_t i = 0; i < count; ++i)
        task->embedding[i] = (float)(DEVIATION * lab_random_normal(seed, EMBEDDING_STREAM, i));
    lab_mlp_initialize(&task->mlp, seed);
    task->tensors[0] = (rms_tensor){.name = "embedding.weight", .count = count, .param = task->embedding};
    task->tensor_count = 1 + lab_mlp_tensors(&task->mlp, task->tensors + 1);
    task->rows = (rms_rows){.tensor = 0, .width = WIDTH, .indices = task->indices, .values = task->values};
    shuffle(task, 0);
    return task;
}

static size_t tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = task->tensors;
    return task->tensor_count;
}

static const rms_rows *rows(struct lab_task *task, size_t *count)
{
    *count = 1;
    return &task->rows;
}

/* The mean of the rows of its words; 0 for a text without any. */
static void load_text(struct lab_task *task, size_t place, const struct lab_text *text)
{
    float *const mean = task->means + place * WIDTH;
    const uint32_t *const words = task->corpus->words + text->first;
    memset(mean, 0, WIDTH * sizeof *mean);
    for (size_t i = 0; i < text->count; ++i)
        for (size_t j = 0; j < WIDTH; ++j)
            mean[j] += task->embedding[(size_t)words[i] * WIDTH + j];
    for (size_t j = 0; text->count > 0 && j < WIDTH; ++j)
        mean[j] /= (float)text->count;
}

/* The row gradients of a text's words, all the same: what the outputs' deltas weigh, over the number of words. */
static void add_rows(struct lab_task *task, size_t place, const struct lab_text *text)
{
    const float *const weights = task->mlp.layers[0].weights;
    float slope[WIDTH] = {0};
    for (size_t j = 0; j < WIDTH; ++j)
        for (size_t k = 0; k < CLASSES; ++k)
            slope[j] += weights[j * CLASSES + k] * task->deltas[place * CLASSES + k];
    for (size_t j = 0; text->count > 0 && j < WIDTH; ++j)
        slope[j] /= (float)text->count;
    for (size_t i = 0; i < text->count; ++i) {
        task->indices[task->rows.row_count] = task->corpus->words[text->first + i];
        memcpy(task->values + task->rows.row_count++ * WIDTH, slope, sizeof slope);
    }
}

static double gradient(struct lab_task *task, size_t step)
{
    const size_t batches = task->corpus->counts[LAB_CORPUS_TRAIN] / BATCH;
    if (step / batches != task->epoch)
        shuffle(task, step / batches);
    const uint32_t *const order = task->order + step % batches * BATCH;
    const struct lab_text *const texts = task->corpus->texts[LAB_CORPUS_TRAIN];
    for (size_t place = 0; place < BATCH; ++place)
        load_text(task, place, &texts[order[place]]);

    const float *const outputs = lab_mlp_forward(&task->mlp, task->means, BATCH);
    double loss = 0.0;
    for (size_t place = 0; place < BATCH; ++place) {
        const size_t source = texts[order[place]].source;
        loss += lab_mlp_softmax_loss(outputs + place * CLASSES, CLASSES, source, task->probabilities);
        for (size_t k = 0; k < CLASSES; ++k)
            task->deltas[place * CLASSES + k] = (float)((task->probabilities[k] - (k == source ? 1.0 : 0.0)) / BATCH);
    }
    lab_mlp_backward(&task->mlp, task->means, BATCH, task->deltas);
    task->rows.row_count = 0;
    for (size_t place = 0; place < BATCH; ++place)
        add_rows(task, place, &texts[order[place]]);
    return loss / BATCH;
}

/* The mean over the first texts of a part. */
static struct lab_mlp_score score_of(struct lab_task *task, enum lab_corpus_part part, size_t most)
{
    const struct lab_text *const texts = task->corpus->texts[part];
    const size_t count = task->corpus->counts[part] < most ? task->corpus->counts[part] : most;
    struct lab_mlp_score all = {0};
    for (size_t first = 0; first < count; first += BATCH) {
        const size_t size = count - first < BATCH ? count - first : BATCH;
        uint8_t labels[BATCH];
        for (size_t place = 0; place < size; ++place) {
            load_text(task, place, &texts[first + place]);
            labels[place] = texts[first + place].source;
        }
        const struct lab_mlp_score some = lab_mlp_score(&task->mlp, task->means, labels, size);
        all.loss += some.loss * (double)size / (double)count;
        all.right += some.right;
    }
    return all;
}

static struct lab_score score(struct lab_task *task)
{
    const double tested = (double)task->corpus->counts[LAB_CORPUS_TEST];
    return (struct lab_score){
        .training = score_of(task, LAB_CORPUS_TRAIN, SCORED).loss,
        .validation = score_of(task, LAB_CORPUS_VALIDATION, SIZE_MAX).loss,
        .test = (double)score_of(task, LAB_CORPUS_TEST, SIZE_MAX).right / tested,
    };
}

const struct lab_problem lab_problem_text = {
    .struct_size = sizeof(struct lab_problem),
    .name = "text",
    .title = "Fortunes by their words: which of eight files",
    .summary =
        "fortunes (Debian's " PACKAGE "): which of eight files, by the mean of a row for each word; gradients are "
        "sparse",
    .training = LAB_TRAINING_LOSS,
    .validation = LAB_VALIDATION_LOSS,
    .test = LAB_TEST_ACCURACY,
    .steps = 400,
    .quick_steps = 200,
    .score_every = 20,
    .target = 1.35,
    .prepare = prepare,
    .release = release,
    .create = create,
    .destroy = destroy,
    .tensors = tensors,
    .gradient = gradient,
    .score = score,
    .rows = rows,
};
