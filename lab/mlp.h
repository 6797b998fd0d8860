/* A small fully-connected net: tanh units, linear outputs, in float, with its derivatives by hand; and softmax with
 * cross-entropy on top, for classification. Bits depend on neither compiler nor instruction set. */
#ifndef LAB_MLP_H
#define LAB_MLP_H

#include "kernels.h"

#define LAB_MLP_LAYERS_MAX 4

/* One layer of weights; all memory belongs to the net. */
struct lab_mlp_layer {
    size_t inputs;
    size_t outputs;
    float *weights; /* inputs x outputs: row i holds what input i adds to each output */
    float *bias;    /* outputs */
    float *weight_gradient;
    float *bias_gradient;
    float *transposed; /* outputs x inputs: the weights, for the way back */
    float *activation; /* batch x outputs */
    float *delta;      /* batch x outputs: derivative of the loss by what enters the units */
};

struct lab_mlp {
    size_t layer_count;
    size_t batch; /* samples held at a time */
    struct lab_mlp_layer layers[LAB_MLP_LAYERS_MAX];
    float *gathered;       /* batch x inputs */
    double *probabilities; /* classes */
    const struct lab_kernels *kernels;
    void *memory;
};

/* What the net makes of labelled samples. */
struct lab_mlp_score {
    double loss;  /* mean cross-entropy, in nats; NaN of no samples */
    size_t right; /* samples whose most probable class (the first, on a tie) is their label */
};

/* Makes a net of layer_count (1 to LAB_MLP_LAYERS_MAX) layers of weights between layer_count + 1 sizes,
 * inputs first, outputs last, all zero. False, with *mlp empty, when memory is short. */
bool lab_mlp_create(struct lab_mlp *mlp, const size_t *sizes, size_t layer_count, size_t batch);

/* Releases the net's memory; an empty one is allowed. */
void lab_mlp_free(struct lab_mlp *mlp);

/* Draws weights uniformly within sqrt(6 / (inputs + outputs)), from stream l of seed for layer l, and sets
 * biases to 0: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
 * networks", AISTATS 2010. */
void lab_mlp_initialize(struct lab_mlp *mlp, uint64_t seed);

/* Describes weights and biases for rms_add: writes 2 * layer_count tensors, "fc1.weight", "fc1.bias",
 * "fc2.weight" and so on, and returns how many. */
#define LAB_MLP_TENSORS_MAX (2 * LAB_MLP_LAYERS_MAX)
size_t lab_mlp_tensors(const struct lab_mlp *mlp, rms_tensor *tensors);

/* The outputs, count x outputs of the last layer, of count (1 to batch) rows of inputs. What the units make of them is
 * kept for lab_mlp_backward. */
const float *lab_mlp_forward(struct lab_mlp *mlp, const float *inputs, size_t count);

/* The same for the rows from `first` on, of which there are `count`: a batch may be made piece by piece. Returns the
 * outputs of the first of these rows. */
const float *lab_mlp_forward_rows(struct lab_mlp *mlp, const float *inputs, size_t first, size_t count);

/* Sets the gradients from the derivatives of the loss by the outputs, count x outputs: those of the rows 0 to count - 1
 * that were last taken forward, of which these are all inputs. */
void lab_mlp_backward(struct lab_mlp *mlp, const float *inputs, size_t count, const float *deltas);

/* Where the largest is, the first on a tie; 0 where the first is NaN. */
size_t lab_index_of_largest(const float *values, size_t count);

/* Turns one sample's outputs z into probabilities, exp(z_j) / sum exp(z), and returns -log of the label's. */
double lab_mlp_softmax_loss(const float *z, size_t classes, size_t label, double *probabilities);

/* Sets the gradients to those of the mean loss over count (1 to batch) samples, and returns that loss.
 * Sample b is row rows[b] of inputs (each row as long as the net has inputs) and of labels. */
double lab_mlp_gradient(struct lab_mlp *mlp, const float *inputs, const uint8_t *labels, const uint32_t *rows,
                        size_t count);

/* Scores the first count rows; leaves the gradients as they are. */
struct lab_mlp_score lab_mlp_score(struct lab_mlp *mlp, const float *inputs, const uint8_t *labels, size_t count);

#endif
