/* Forward and backward passes as uses of one matrix product, which kernels.inc makes fast without reordering an
 * addition. */
#include "mlp.h"

#include "elementary.h"
#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Hands out count floats of *memory, or only counts them while *memory is NULL. */
static float *take(float **memory, size_t *total, size_t count)
{
    float *const taken = *memory;
    *total += count;
    if (taken)
        *memory = taken + count;
    return taken;
}

/* Lays the net out from memory on, and returns how many floats that takes. */
static size_t lay_out(struct lab_mlp *mlp, float *memory)
{
    size_t total = 0;
    for (size_t l = 0; l < mlp->layer_count; ++l) {
        struct lab_mlp_layer *const layer = &mlp->layers[l];
        const size_t weights = layer->inputs * layer->outputs;
        layer->weights = take(&memory, &total, weights);
        layer->bias = take(&memory, &total, layer->outputs);
        layer->weight_gradient = take(&memory, &total, weights);
        layer->bias_gradient = take(&memory, &total, layer->outputs);
        layer->transposed = take(&memory, &total, weights);
        layer->activation = take(&memory, &total, mlp->batch * layer->outputs);
        layer->delta = take(&memory, &total, mlp->batch * layer->outputs);
    }
    mlp->gathered = take(&memory, &total, mlp->batch * mlp->layers[0].inputs);
    return total;
}

bool lab_mlp_create(struct lab_mlp *mlp, const size_t *sizes, size_t layer_count, size_t batch)
{
    *mlp = (struct lab_mlp){.layer_count = layer_count, .batch = batch, .kernels = lab_kernels_best()};
    for (size_t l = 0; l < layer_count; ++l) {
        mlp->layers[l].inputs = sizes[l];
        mlp->layers[l].outputs = sizes[l + 1];
    }
    const size_t floats = lay_out(mlp, NULL);
    mlp->memory = calloc(floats, sizeof(float));
    mlp->probabilities = calloc(sizes[layer_count], sizeof(double));
    if (!mlp->memory || !mlp->probabilities) {
        lab_mlp_free(mlp);
        return false;
    }
    lay_out(mlp, mlp->memory);
    return true;
}

void lab_mlp_free(struct lab_mlp *mlp)
{
    free(mlp->memory);
    free(mlp->probabilities);
    *mlp = (struct lab_mlp){0};
}

void lab_mlp_initialize(struct lab_mlp *mlp, uint64_t seed)
{
    for (size_t l = 0; l < mlp->layer_count; ++l) {
        struct lab_mlp_layer *const layer = &mlp->layers[l];
        const double bound = sqrt(6.0 / (double)(layer->inputs + layer->outputs));
        for (size_t i = 0; i < layer->inputs * layer->outputs; ++i)
            layer->weights[i] = (float)(bound * (2.0 * lab_random_uniform(seed, l, i) - 1.0));
        memset(layer->bias, 0, layer->outputs * sizeof *layer->bias);
    }
}

size_t lab_mlp_tensors(const struct lab_mlp *mlp, rms_tensor *tensors)
{
    static const char *const names[LAB_MLP_LAYERS_MAX][2] = {
        {"fc1.weight", "fc1.bias"}, {"fc2.weight", "fc2.bias"}, {"fc3.weight", "fc3.bias"}, {"fc4.weight", "fc4.bias"}};
    for (size_t l = 0; l < mlp->layer_count; ++l) {
        const struct lab_mlp_layer *const layer = &mlp->layers[l];
        tensors[2 * l] = (rms_tensor){.name = names[l][0],
                                      .count = layer->inputs * layer->outputs,
                                      .param = layer->weights,
                                      .grad = layer->weight_gradient};
        tensors[2 * l + 1] = (rms_tensor){
            .name = names[l][1], .count = layer->outputs, .param = layer->bias, .grad = layer->bias_gradient};
    }
    return 2 * mlp->layer_count;
}

const float *lab_mlp_forward_rows(struct lab_mlp *mlp, const float *inputs, size_t first, size_t count)
{
    for (size_t l = 0; l < mlp->layer_count; ++l) {
        const struct lab_mlp_layer *const layer = &mlp->layers[l];
        float *const activation = layer->activation + first * layer->outputs;
        for (size_t b = 0; b < count; ++b)
            memcpy(activation + b * layer->outputs, layer->bias, layer->outputs * sizeof *layer->bias);
        mlp->kernels->multiply_add(count, layer->inputs, layer->outputs, (struct lab_matrix){inputs, layer->inputs, 1},
                                   layer->weights, activation);
        if (l + 1 < mlp->layer_count)
            mlp->kernels->tanh(activation, count * layer->outputs);
        inputs = activation;
    }
    return inputs;
}

const float *lab_mlp_forward(struct lab_mlp *mlp, const float *inputs, size_t count)
{
    return lab_mlp_forward_rows(mlp, inputs, 0, count);
}

/* The largest z is taken off first, which changes neither but keeps exp from overflowing. */
double lab_mlp_softmax_loss(const float *z, size_t classes, size_t label, double *probabilities)
{
    float largest = z[0];
    for (size_t j = 1; j < classes; ++j)
        largest = z[j] > largest ? z[j] : largest;

    double sum = 0.0;
    for (size_t j = 0; j < classes; ++j) {
        probabilities[j] = lab_exp((double)z[j] - (double)largest);
        sum += probabilities[j];
    }
    for (size_t j = 0; j < classes; ++j)
        probabilities[j] /= sum;
    return lab_log(sum) - ((double)z[label] - (double)largest);
}

/* The top layer's deltas, (probability - [class is the label]) / count; returns the mean loss. */
static double output_deltas(struct lab_mlp *mlp, const uint8_t *labels, const uint32_t *rows, size_t count)
{
    const struct lab_mlp_layer *const top = &mlp->layers[mlp->layer_count - 1];
    double loss = 0.0;
    for (size_t b = 0; b < count; ++b) {
        const size_t label = labels[rows[b]];
        loss += lab_mlp_softmax_loss(top->activation + b * top->outputs, top->outputs, label, mlp->probabilities);
        for (size_t j = 0; j < top->outputs; ++j) {
            const double wanted = j == label ? 1.0 : 0.0;
            top->delta[b * top->outputs + j] = (float)((mlp->probabilities[j] - wanted) / (double)count);
        }
    }
    return loss / (double)count;
}

/* The deltas of the layer below, through above's weights and the derivative of tanh, 1 - tanh^2. */
static void hidden_deltas(const struct lab_kernels *kernels, const struct lab_mlp_layer *above,
                          const struct lab_mlp_layer *layer, size_t count)
{
    for (size_t j = 0; j < above->outputs; ++j)
        for (size_t i = 0; i < above->inputs; ++i)
            above->transposed[j * above->inputs + i] = above->weights[i * above->outputs + j];

    const size_t units = count * layer->outputs;
    memset(layer->delta, 0, units * sizeof *layer->delta);
    kernels->multiply_add(count, above->outputs, above->inputs, (struct lab_matrix){above->delta, above->outputs, 1},
                          above->transposed, layer->delta);
    for (size_t i = 0; i < units; ++i)
        layer->delta[i] *= 1.0F - layer->activation[i] * layer->activation[i];
}

/* Sums over the batch: of inputs times deltas for weights, of deltas for biases. */
static void layer_gradient(const struct lab_kernels *kernels, const struct lab_mlp_layer *layer, const float *inputs,
                           size_t count)
{
    const float one = 1.0F;
    memset(layer->weight_gradient, 0, layer->inputs * layer->outputs * sizeof *layer->weight_gradient);
    memset(layer->bias_gradient, 0, layer->outputs * sizeof *layer->bias_gradient);
    kernels->multiply_add(layer->inputs, count, layer->outputs, (struct lab_matrix){inputs, 1, layer->inputs},
                          layer->delta, layer->weight_gradient);
    kernels->multiply_add(1, count, layer->outputs, (struct lab_matrix){&one, 0, 0}, layer->delta,
                          layer->bias_gradient);
}

/* From the top layer's deltas, which are there, down to all gradients. */
static void descend(struct lab_mlp *mlp, const float *inputs, size_t count)
{
    for (size_t l = mlp->layer_count; l-- > 0;) {
        layer_gradient(mlp->kernels, &mlp->layers[l], l > 0 ? mlp->layers[l - 1].activation : inputs, count);
        if (l > 0)
            hidden_deltas(mlp->kernels, &mlp->layers[l], &mlp->layers[l - 1], count);
    }
}

void lab_mlp_backward(struct lab_mlp *mlp, const float *inputs, size_t count, const float *deltas)
{
    const struct lab_mlp_layer *const top = &mlp->layers[mlp->layer_count - 1];
    memcpy(top->delta, deltas, count * top->outputs * sizeof *deltas);
    descend(mlp, inputs, count);
}

double lab_mlp_gradient(struct lab_mlp *mlp, const float *inputs, const uint8_t *labels, const uint32_t *rows,
                        size_t count)
{
    const size_t width = mlp->layers[0].inputs;
    for (size_t b = 0; b < count; ++b)
        memcpy(mlp->gathered + b * width, inputs + rows[b] * width, width * sizeof *inputs);

    lab_mlp_forward(mlp, mlp->gathered, count);
    const double loss = output_deltas(mlp, labels, rows, count);
    descend(mlp, mlp->gathered, count);
    return loss;
}

size_t lab_index_of_largest(const float *values, size_t count)
{
    size_t largest = 0;
    for (size_t i = 1; i < count; ++i)
        if (values[i] > values[largest])
            largest = i;
    return largest;
}

struct lab_mlp_score lab_mlp_score(struct lab_mlp *mlp, const float *inputs, const uint8_t *labels, size_t count)
{
    const struct lab_mlp_layer *const top = &mlp->layers[mlp->layer_count - 1];
    struct lab_mlp_score score = {0};
    for (size_t first = 0; first < count; first += mlp->batch) {
        const size_t rest = count - first;
        const size_t size = rest < mlp->batch ? rest : mlp->batch;
        lab_mlp_forward(mlp, inputs + first * mlp->layers[0].inputs, size);
        for (size_t b = 0; b < size; ++b) {
            const float *const z = top->activation + b * top->outputs;
            const size_t label = labels[first + b];
            score.loss += lab_mlp_softmax_loss(z, top->outputs, label, mlp->probabilities);
            score.right += lab_index_of_largest(z, top->outputs) == label;
        }
    }
    score.loss /= (double)count;
    return score;
}
