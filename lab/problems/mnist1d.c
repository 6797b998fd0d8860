/* Ten shapes on a line, after Greydanus, "Scaling down deep learning", arXiv 2011.14439, 2020 (MNIST-1D): each is
 * scaled, shifted, sheared, and lies in correlated noise; 40 numbers. Shapes and random numbers are of this file alone,
 * so that results are comparable with each other, and with published ones in kind only. */
#include "digest.h"
#include "supervised.h"

#include <rmsprop_lab.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAINING = 3500, VALIDATION = 500, TEST = 1000, SAMPLES = TRAINING + VALIDATION + TEST };
enum { WIDTH = 40, CLASSES = 10, HIDDEN_UNITS = 100, BATCH = 100 };
enum { SHAPE = 12, PADDING_MIN = 36, PADDING_MAX = 60, LONGEST = SHAPE + PADDING_MAX, SHIFTS = 48 };
enum { REACH = 8 }; /* of the smoothing of noise, four deviations */

#define DATA_SEED 1
#define AMPLITUDE 0.33 /* of a shape before it is scaled */
#define SCALING 0.4    /* by 1 -+ half of this */
#define SHEAR 0.75     /* from end to end at most -+ half of this */
#define CORRELATED_NOISE                                                                                               \
    0.1 /* deviation before smoothing, by a bell of deviation 2; published: 0.25, of other shapes */
#define OTHER_NOISE 0.02

static const double shapes[CLASSES][SHAPE] = {
    {0, 0.6, 0.9, 1, 1, 1, 1, 1, 1, 0.9, 0.6, 0},                    /* a hill */
    {0, -1, -0.9, -0.75, -0.6, -0.45, -0.3, -0.15, 0, 0.1, 0.05, 0}, /* down, and slowly up */
    {0, 0.5, 0.9, 0.9, 0.5, 0, -0.5, -0.9, -0.9, -0.5, -0.2, 0},     /* a wave */
    {0, 0.7, 1, 0.7, 0.2, 0, 0, 0.2, 0.7, 1, 0.7, 0},                /* two hills */
    {0, -0.15, -0.3, -0.45, -0.6, -0.75, -1, 0.2, 0.1, 0, 0, 0},     /* slowly down, and up */
    {0, -0.8, -0.8, -0.8, -0.4, 0.3, 0.8, 1, 0.8, 0.4, 0.1, 0},      /* a ditch before a hill */
    {0, -0.6, -0.9, -1, -1, -1, -1, -1, -1, -0.9, -0.6, 0},          /* a valley */
    {0, 1, 0.9, 0.75, 0.6, 0.45, 0.3, 0.15, 0, -0.1, -0.05, 0},      /* up, and slowly down */
    {0, -0.7, -1, -0.7, -0.2, 0, 0, -0.2, -0.7, -1, -0.7, 0},        /* two valleys */
    {0, -0.7, -1, -0.7, -0.2, 0, 0, -0.1, -0.3, -0.4, -0.3, 0},      /* a deep valley and a flat one */
};

struct shared {
    struct lab_dataset data; /* first: what lab_supervised_create looks for */
    float rows[SAMPLES * WIDTH];
    uint8_t labels[SAMPLES];
};

/* Streams of a sample: one for each kind of its random numbers. */
enum { CHOICES, WHITE, OTHER, STREAMS };

static double choice(size_t sample, uint64_t index)
{
    return lab_random_uniform(DATA_SEED, sample * STREAMS + CHOICES, index);
}

/* Adds white noise that a bell has smoothed. */
static void add_noise(double *line, size_t length, size_t sample, const double *bell)
{
    double white[LONGEST + 2 * REACH] = {0.0};
    const size_t taps = (size_t)2 * REACH + 1;
    for (size_t i = 0; i + 1 < length + taps; ++i)
        white[i] = CORRELATED_NOISE * lab_random_normal(DATA_SEED, sample * STREAMS + WHITE, i);
    for (size_t i = 0; i < length; ++i)
        for (size_t j = 0; j < taps; ++j)
            line[i] += bell[j] * white[i + j];
}

/* The sample as long as its padding makes it; returns that length. */
static size_t draw_line(double *line, size_t sample, size_t label, const double *bell)
{
    const size_t length = SHAPE + PADDING_MIN + (size_t)(choice(sample, 0) * (PADDING_MAX - PADDING_MIN + 1));
    const size_t shift = (size_t)(choice(sample, 1) * SHIFTS);
    const double scale = AMPLITUDE * (1.0 + SCALING * (choice(sample, 2) - 0.5));
    const double shear = SHEAR * (choice(sample, 3) - 0.5);
    memset(line, 0, length * sizeof *line);
    for (size_t i = 0; i < SHAPE; ++i)
        line[(i + shift) % length] = scale * shapes[label][i];
    for (size_t i = 0; i < length; ++i)
        line[i] += shear * ((double)i / (double)(length - 1) - 0.5);
    add_noise(line, length, sample, bell);
    return length;
}

/* WIDTH numbers at equal distances from one end of the line to the other. */
static void resample(float *row, const double *line, size_t length, size_t sample)
{
    for (size_t i = 0; i < WIDTH; ++i) {
        const double place = (double)(i * (length - 1)) / (WIDTH - 1);
        const size_t left = (size_t)place < length - 2 ? (size_t)place : length - 2;
        const double part = place - (double)left;
        const double other = OTHER_NOISE * lab_random_normal(DATA_SEED, sample * STREAMS + OTHER, i);
        row[i] = (float)((1.0 - part) * line[left] + part * line[left + 1] + other);
    }
}

static void draw_samples(struct shared *shared)
{
    double bell[2 * REACH + 1], line[LONGEST], sum = 0.0;
    for (int j = 0; j <= 2 * REACH; ++j)
        sum += bell[j] = lab_exp(-(double)((j - REACH) * (j - REACH)) / 8.0);
    for (size_t j = 0; j < sizeof bell / sizeof *bell; ++j)
        bell[j] /= sum;
    for (size_t sample = 0; sample < SAMPLES; ++sample) {
        shared->labels[sample] = (uint8_t)(sample % CLASSES);
        const size_t length = draw_line(line, sample, sample % CLASSES, bell);
        resample(shared->rows + sample * WIDTH, line, length, sample);
    }
}

static struct lab_part part_of(const struct shared *shared, size_t first, size_t count)
{
    return (struct lab_part){.count = count, .rows = shared->rows + first * WIDTH, .labels = shared->labels + first};
}

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    struct shared *const shared = calloc(1, sizeof *shared);
    if (!shared) {
        snprintf(error->message, sizeof error->message, "mnist1d: not enough memory for the samples");
        return RMS_ERROR_MEMORY;
    }
    draw_samples(shared);
    shared->data = (struct lab_dataset){
        .training = part_of(shared, 0, TRAINING),
        .validation = part_of(shared, TRAINING, VALIDATION),
        .test = part_of(shared, TRAINING + VALIDATION, TEST),
        .sizes = {WIDTH, HIDDEN_UNITS, HIDDEN_UNITS, CLASSES},
        .layer_count = 3,
        .batch = BATCH,
        .scored = 1000,
    };
    instance->shared = shared;
    instance->data_hash = lab_digest_floats(LAB_DIGEST_EMPTY, shared->rows, (size_t)SAMPLES * WIDTH);
    return RMS_OK;
}

static void release(struct lab_instance *instance)
{
    free(instance->shared);
    instance->shared = NULL;
}

const struct lab_problem lab_problem_mnist1d = {
    .struct_size = sizeof(struct lab_problem),
    .name = "mnist1d",
    .title = "Ten shapes on a line (after MNIST-1D), 40-100-100-10 net",
    .summary =
        "5,000 lines of 40 numbers, each with one of ten shapes in noise (after MNIST-1D), two layers of 100 tanh "
        "units",
    .training = LAB_TRAINING_LOSS,
    .validation = LAB_VALIDATION_LOSS,
    .test = LAB_TEST_ACCURACY,
    .steps = 2100,
    .quick_steps = 1050,
    .score_every = 105,
    .target = 1.0,
    .prepare = prepare,
    .release = release,
    .create = lab_supervised_create,
    .destroy = lab_supervised_destroy,
    .tensors = lab_supervised_tensors,
    .gradient = lab_supervised_gradient,
    .score = lab_supervised_score,
};
