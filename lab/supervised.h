/* Learning from labelled samples: what the runs of a problem share that has a data set in three parts and a net to
 * learn it, and the runs themselves. */
#ifndef LAB_SUPERVISED_H
#define LAB_SUPERVISED_H

#include "mlp.h"
#include "problem.h"

/* Samples, in the order of the data. One of rows and bytes, and one of labels and targets, is not NULL. */
struct lab_part {
    size_t count;
    const float *rows;     /* count x width */
    const uint8_t *bytes;  /* count x width, in 255ths */
    const uint8_t *labels; /* count: the class of each, from 0 */
    const float *targets;  /* count: the number to be told, standardized */
};

/* All of it is read while runs go on, and written by nobody then. The training part is of one batch or more. */
struct lab_dataset {
    struct lab_part training, validation, test;
    size_t sizes[LAB_MLP_LAYERS_MAX + 1]; /* of the net: a sample's width, hidden units, classes or 1 */
    size_t layer_count;
    size_t batch;
    size_t scored;    /* the training loss is taken of so many samples at most; 0: of all */
    double deviation; /* of the targets, in their unit; 0 where there are classes */
};

/* One run's net, and the order of its epochs. */
struct lab_learner {
    const struct lab_dataset *data;
    uint64_t seed;
    struct lab_mlp mlp;
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    size_t tensor_count;
    uint32_t *order; /* of the training samples in this epoch */
    size_t epoch;    /* which order is for */
    float *inputs;   /* a batch, as the net takes it */
    float *deltas;   /* a batch: the derivative of the loss by each output */
    uint8_t *labels; /* a batch */
    uint32_t *rows;  /* 0, 1, 2 ...: the batch as it lies in inputs */
};

/* Draws the net's weights from the seed. False, with *learner empty, when memory is short. */
bool lab_learner_create(struct lab_learner *learner, const struct lab_dataset *data, uint64_t seed);

/* Releases what a learner holds; an empty one is allowed. */
void lab_learner_free(struct lab_learner *learner);

/* Fills the gradients for the batch of this step, and returns its loss: cross-entropy, or the mean square of errors. An
 * epoch is as many whole batches as there are; the samples left over have their chance in the next shuffle. */
double lab_learner_gradient(struct lab_learner *learner, size_t step);

/* training and validation are mean losses; test is the share of right answers, or the root of the mean square of
 * errors in the unit of the targets. */
struct lab_score lab_learner_score(struct lab_learner *learner);

/* The members of a problem whose instance->shared begins with a struct lab_dataset. */
struct lab_task *lab_supervised_create(const struct lab_instance *instance, uint64_t seed);
void lab_supervised_destroy(struct lab_task *task);
size_t lab_supervised_tensors(const struct lab_task *task, const rms_tensor **tensors);
double lab_supervised_gradient(struct lab_task *task, size_t step);
struct lab_score lab_supervised_score(struct lab_task *task);

/* What their scores are, for the definition of a problem. */
#define LAB_TRAINING_LOSS                                                                                              \
    {                                                                                                                  \
        .name = "training loss", .unit = "", .factor = 1.0                                                             \
    }
#define LAB_VALIDATION_LOSS                                                                                            \
    {                                                                                                                  \
        .name = "validation loss", .unit = "", .factor = 1.0                                                           \
    }
#define LAB_TEST_ACCURACY                                                                                              \
    {                                                                                                                  \
        .name = "test accuracy", .unit = "%", .factor = 100.0, .rising = true                                          \
    }

#endif
