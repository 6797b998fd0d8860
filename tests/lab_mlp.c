/* The net's loss and derivatives against a plain one in double, differentiated numerically. */
#include "mlp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 70, UNITS_MAX = 64 };

static const struct shape {
    size_t sizes[LAB_MLP_LAYERS_MAX + 1];
    size_t layers, batch;
} shapes[] = {
    {{64, 32, 10}, 2, 32}, {{64, 32, 10}, 2, 1},  {{5, 3}, 1, 7},
    {{1, 1, 2}, 2, 1},     {{7, 9, 4, 3}, 3, 13}, {{3, 5, 4, 6, 2}, 4, 5},
};

struct fixture {
    struct lab_mlp mlp;
    float inputs[SAMPLES * UNITS_MAX];
    uint8_t labels[SAMPLES];
    uint32_t rows[SAMPLES]; /* some twice, some not at all */
};

static struct fixture *fixture_create(const struct shape *shape, uint64_t seed)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_true(lab_mlp_create(&fixture->mlp, shape->sizes, shape->layers, shape->batch));
    lab_mlp_initialize(&fixture->mlp, seed);
    uint64_t random = seed;
    for (size_t i = 0; i < COUNT_OF(fixture->inputs); ++i)
        fixture->inputs[i] = random_float(&random);
    for (size_t i = 0; i < SAMPLES; ++i) {
        fixture->labels[i] = (uint8_t)random_below(&random, shape->sizes[shape->layers]);
        fixture->rows[i] = (uint32_t)random_below(&random, SAMPLES);
    }
    for (size_t l = 0; l < shape->layers; ++l) /* biases that are not 0 */
        for (size_t j = 0; j < shape->sizes[l + 1]; ++j)
            fixture->mlp.layers[l].bias[j] = 0.25F * random_float(&random);
    return fixture;
}

static void fixture_destroy(struct fixture *fixture)
{
    lab_mlp_free(&fixture->mlp);
    free(fixture);
}

/* One layer in double; where `nudged` points at a weight or bias, it counts h more. */
static void plain_layer(const struct lab_mlp_layer *layer, const double *in, const float *nudged, double h, double *out)
{
    for (size_t j = 0; j < layer->outputs; ++j) {
        out[j] = (double)layer->bias[j] + (&layer->bias[j] == nudged ? h : 0.0);
        for (size_t i = 0; i < layer->inputs; ++i) {
            const float *const w = &layer->weights[i * layer->outputs + j];
            out[j] += in[i] * ((double)*w + (w == nudged ? h : 0.0));
        }
    }
}

static double plain_loss(const struct fixture *fixture, size_t count, const float *nudged, double h)
{
    const struct lab_mlp *const mlp = &fixture->mlp;
    double loss = 0.0;
    for (size_t b = 0; b < count; ++b) {
        double in[UNITS_MAX] = {0.0}, out[UNITS_MAX] = {0.0};
        for (size_t i = 0; i < mlp->layers[0].inputs; ++i)
            in[i] = (double)fixture->inputs[fixture->rows[b] * mlp->layers[0].inputs + i];
        for (size_t l = 0; l < mlp->layer_count; ++l) {
            plain_layer(&mlp->layers[l], in, nudged, h, out);
            for (size_t j = 0; j < mlp->layers[l].outputs; ++j)
                in[j] = tanh(out[j]);
        }
        double sum = 0.0;
        for (size_t j = 0; j < mlp->layers[mlp->layer_count - 1].outputs; ++j)
            sum += exp(out[j]);
        loss += log(sum) - out[fixture->labels[fixture->rows[b]]];
    }
    return loss / (double)count;
}

/* Largest sum of |w|: what a layer can multiply an error of its inputs by, on the way up (into an output) or
 * down (into an input); not below 1. */
static double amplification(const struct lab_mlp_layer *layer)
{
    double largest = 1.0;
    for (size_t j = 0; j < layer->outputs; ++j) {
        double sum = fabs((double)layer->bias[j]);
        for (size_t i = 0; i < layer->inputs; ++i)
            sum += fabs((double)layer->weights[i * layer->outputs + j]);
        largest = sum > largest ? sum : largest;
    }
    for (size_t i = 0; i < layer->inputs; ++i) {
        double sum = 0.0;
        for (size_t j = 0; j < layer->outputs; ++j)
            sum += fabs((double)layer->weights[i * layer->outputs + j]);
        largest = sum > largest ? sum : largest;
    }
    return largest;
}

/* Inputs and units are at most 1. A float sum of n terms is off by no more than n + 2 roundings, 2^-24 each,
 * of the sum of magnitudes. Summed over layers, and multiplied by what each later one can make of it, that
 * bounds the loss (Lipschitz constant 2 in the top sums); the way back meets the same layers once more.
 * Roundings hardly ever all agree, so that a worst case over the square root of their number is still safe
 * (Higham and Mary, "A new approach to probabilistic rounding error analysis", 2019). */
static double tolerance(const struct lab_mlp *mlp, size_t count)
{
    double roundings = (double)count + 2.0;
    double gain = 2.0;
    for (size_t l = 0; l < mlp->layer_count; ++l) {
        roundings += (double)mlp->layers[l].inputs + 2.0;
        gain *= amplification(&mlp->layers[l]);
    }
    return 4.0 * sqrt(roundings) * gain * 0x1p-24;
}

static double largest_gradient_error(const struct fixture *fixture, size_t count)
{
    const double h = 0x1p-12; /* the double loss is good to 1e-15: 1e-8 in all of rounding and third derivative */
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    const size_t tensor_count = lab_mlp_tensors(&fixture->mlp, tensors);
    double largest = 0.0;
    for (size_t t = 0; t < tensor_count; ++t) {
        const float *const param = tensors[t].param;
        const float *const grad = tensors[t].grad;
        for (size_t i = 0; i < tensors[t].count; ++i) {
            const double rise = plain_loss(fixture, count, &param[i], h) - plain_loss(fixture, count, &param[i], -h);
            const double error = fabs(rise / (2.0 * h) - (double)grad[i]);
            largest = error > largest ? error : largest;
        }
    }
    return largest;
}

static void gradients_are_those_of_the_loss(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(shapes); ++s) {
        struct fixture *const fixture = fixture_create(&shapes[s], s + 1);
        const size_t count = shapes[s].batch;
        const double bound = tolerance(&fixture->mlp, count);
        const double loss = lab_mlp_gradient(&fixture->mlp, fixture->inputs, fixture->labels, fixture->rows, count);
        const double loss_error = fabs(loss - plain_loss(fixture, count, NULL, 0.0));
        const double gradient_error = largest_gradient_error(fixture, count);
        if (!(loss_error <= bound && gradient_error <= bound + 1e-8))
            fail_msg("shape %zu: loss off by %g, gradient by %g (bound %g)", s, loss_error, gradient_error, bound);
        fixture_destroy(fixture);
    }
}

static void a_batch_smaller_than_the_net_holds_is_complete(void **state)
{
    (void)state;
    struct fixture *const fixture = fixture_create(&shapes[4], 1);
    for (size_t count = 1; count <= shapes[4].batch; count += 3) {
        lab_mlp_gradient(&fixture->mlp, fixture->inputs, fixture->labels, fixture->rows, count);
        assert_true(largest_gradient_error(fixture, count) <= tolerance(&fixture->mlp, count) + 1e-8);
    }
    fixture_destroy(fixture);
}

/* The mean over samples of the outputs, each times a weight of its own: its derivative by them is weight / count. */
static double plain_functional(const struct fixture *fixture, const float *weights, size_t count, const float *nudged,
                               double h)
{
    const struct lab_mlp *const mlp = &fixture->mlp;
    const size_t outputs = mlp->layers[mlp->layer_count - 1].outputs;
    double sum = 0.0;
    for (size_t b = 0; b < count; ++b) {
        double in[UNITS_MAX] = {0.0}, out[UNITS_MAX] = {0.0};
        for (size_t i = 0; i < mlp->layers[0].inputs; ++i)
            in[i] = (double)fixture->inputs[b * mlp->layers[0].inputs + i];
        for (size_t l = 0; l < mlp->layer_count; ++l) {
            plain_layer(&mlp->layers[l], in, nudged, h, out);
            for (size_t j = 0; j < mlp->layers[l].outputs; ++j)
                in[j] = tanh(out[j]);
        }
        for (size_t j = 0; j < outputs; ++j)
            sum += (double)weights[b * outputs + j] * out[j];
    }
    return sum / (double)count;
}

static double largest_functional_error(const struct fixture *fixture, const float *weights, size_t count)
{
    const double h = 0x1p-12;
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    const size_t tensor_count = lab_mlp_tensors(&fixture->mlp, tensors);
    double largest = 0.0;
    for (size_t t = 0; t < tensor_count; ++t)
        for (size_t i = 0; i < tensors[t].count; ++i) {
            const float *const param = tensors[t].param;
            const float *const grad = tensors[t].grad;
            const double rise = plain_functional(fixture, weights, count, &param[i], h) -
                                plain_functional(fixture, weights, count, &param[i], -h);
            largest = fmax(largest, fabs(rise / (2.0 * h) - (double)grad[i]));
        }
    return largest;
}

/* The tolerance of the cross-entropy, but that the Lipschitz constant in a sample's outputs is their number, not 2. The
 * first shape is left out, which is the second with a larger batch. */
static void gradients_come_from_any_derivatives_of_the_outputs(void **state)
{
    (void)state;
    for (size_t s = 1; s < COUNT_OF(shapes); ++s) {
        struct fixture *const fixture = fixture_create(&shapes[s], s + 20);
        const size_t count = shapes[s].batch, outputs = shapes[s].sizes[shapes[s].layers];
        float *const weights = floats_create(count * outputs);
        float *const deltas = floats_create(count * outputs);
        uint64_t random = s;
        for (size_t i = 0; i < count * outputs; ++i) {
            weights[i] = random_float(&random);
            deltas[i] = weights[i] / (float)count;
        }
        const double bound = tolerance(&fixture->mlp, count) * fmax(1.0, (double)outputs / 2.0);
        lab_mlp_forward(&fixture->mlp, fixture->inputs, count);
        lab_mlp_backward(&fixture->mlp, fixture->inputs, count, deltas);
        const double error = largest_functional_error(fixture, weights, count);
        if (!(error <= bound + 1e-8))
            fail_msg("shape %zu: gradient off by %g (bound %g)", s, error, bound);
        free(weights);
        free(deltas);
        fixture_destroy(fixture);
    }
}

/* Forward in three pieces, out of order, and then backward: the bits of both in one go. */
static void a_batch_may_be_made_piece_by_piece(void **state)
{
    (void)state;
    struct fixture *const whole = fixture_create(&shapes[4], 8), *const pieces = fixture_create(&shapes[4], 8);
    const size_t width = 7, outputs = 3, count = 13;
    static const size_t parts[][2] = {{9, 4}, {0, 8}, {8, 1}};
    const float *const expected = lab_mlp_forward(&whole->mlp, whole->inputs, count);
    for (size_t p = 0; p < COUNT_OF(parts); ++p) {
        const size_t first = parts[p][0], some = parts[p][1];
        const float *const got = lab_mlp_forward_rows(&pieces->mlp, pieces->inputs + first * width, first, some);
        assert_memory_equal(got, expected + first * outputs, some * outputs * sizeof *got);
    }
    lab_mlp_backward(&whole->mlp, whole->inputs, count, whole->inputs);
    lab_mlp_backward(&pieces->mlp, pieces->inputs, count, pieces->inputs);
    rms_tensor tensors[2][LAB_MLP_TENSORS_MAX];
    const size_t tensor_count = lab_mlp_tensors(&whole->mlp, tensors[0]);
    lab_mlp_tensors(&pieces->mlp, tensors[1]);
    for (size_t t = 0; t < tensor_count; ++t)
        assert_memory_equal(tensors[0][t].grad, tensors[1][t].grad, tensors[0][t].count * sizeof(float));
    fixture_destroy(whole);
    fixture_destroy(pieces);
}

/* Scored in pieces of 13, 70 samples have one smaller piece at the end. */
static void a_score_is_the_mean_over_all_samples(void **state)
{
    (void)state;
    struct fixture *const fixture = fixture_create(&shapes[4], 2);
    for (uint32_t i = 0; i < SAMPLES; ++i)
        fixture->rows[i] = i;
    const struct lab_mlp_score all = lab_mlp_score(&fixture->mlp, fixture->inputs, fixture->labels, SAMPLES);
    assert_true(fabs(all.loss - plain_loss(fixture, SAMPLES, NULL, 0.0)) <= tolerance(&fixture->mlp, 1));

    size_t right = 0;
    for (size_t i = 0; i < SAMPLES; ++i)
        right += lab_mlp_score(&fixture->mlp, fixture->inputs + i * 7, fixture->labels + i, 1).right;
    assert_int_equal(all.right, right);
    assert_true(right > 0 && right < SAMPLES);
    fixture_destroy(fixture);
}

/* All weights 0: every class is as probable, the first one wins, and the loss is log 3. */
static void ties_go_to_the_first_class(void **state)
{
    (void)state;
    static const size_t sizes[] = {2, 3};
    const float inputs[3 * 2] = {0.5F, 1.0F, 0.25F, 0.0F, 1.0F, 1.0F};
    const uint8_t labels[3] = {0, 1, 2};
    struct lab_mlp mlp;
    assert_true(lab_mlp_create(&mlp, sizes, 1, 2));
    const struct lab_mlp_score score = lab_mlp_score(&mlp, inputs, labels, 3);
    assert_int_equal(score.right, 1);
    assert_true(fabs(score.loss - log(3.0)) < 1e-15);
    lab_mlp_free(&mlp);
    lab_mlp_free(&mlp);
}

static void initial_weights_are_uniform_within_glorots_bound(void **state)
{
    (void)state;
    struct fixture *const fixture = fixture_create(&shapes[0], 3);
    const double bound = sqrt(6.0 / (64.0 + 32.0));
    double sum = 0.0;
    double largest = 0.0;
    lab_mlp_initialize(&fixture->mlp, 4);
    const struct lab_mlp_layer *const layer = &fixture->mlp.layers[0];
    for (size_t i = 0; i < layer->inputs * layer->outputs; ++i) {
        sum += (double)layer->weights[i];
        largest = fmax(largest, fabs((double)layer->weights[i]));
    }
    assert_true(largest <= bound && largest > 0.99 * bound);
    assert_true(fabs(sum) < 4.0 * bound * sqrt(64.0 * 32.0 / 3.0));
    for (size_t j = 0; j < 32; ++j)
        assert_true(layer->bias[j] == 0.0F);
    fixture_destroy(fixture);
}

static void what_is_not_finite_shows_in_the_loss(void **state)
{
    (void)state;
    static const float values[] = {(float)NAN, (float)INFINITY, -(float)INFINITY};
    for (size_t v = 0; v < COUNT_OF(values); ++v) {
        struct fixture *const fixture = fixture_create(&shapes[2], 5);
        for (size_t j = 0; j < 3; ++j)
            fixture->mlp.layers[0].bias[j] = values[v];
        const double mean = lab_mlp_gradient(&fixture->mlp, fixture->inputs, fixture->labels, fixture->rows, 7);
        const double score = lab_mlp_score(&fixture->mlp, fixture->inputs, fixture->labels, 7).loss;
        assert_true(!isfinite(mean) && !isfinite(score));
        fixture_destroy(fixture);
    }
}

static void tensors_name_weights_and_biases_layer_by_layer(void **state)
{
    (void)state;
    struct fixture *const fixture = fixture_create(&shapes[5], 6);
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    static const char *const names[] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias",
                                        "fc3.weight", "fc3.bias", "fc4.weight", "fc4.bias"};
    static const size_t counts[] = {15, 5, 20, 4, 24, 6, 12, 2};
    assert_int_equal(lab_mlp_tensors(&fixture->mlp, tensors), COUNT_OF(names));
    for (size_t t = 0; t < COUNT_OF(names); ++t) {
        assert_string_equal(tensors[t].name, names[t]);
        assert_int_equal(tensors[t].count, counts[t]);
        const struct lab_mlp_layer *const layer = &fixture->mlp.layers[t / 2];
        const float *const param = t % 2 == 0 ? layer->weights : layer->bias;
        const float *const grad = t % 2 == 0 ? layer->weight_gradient : layer->bias_gradient;
        assert_true(tensors[t].param == param && tensors[t].grad == grad);
    }
    fixture_destroy(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(a_batch_smaller_than_the_net_holds_is_complete),
        cmocka_unit_test(gradients_come_from_any_derivatives_of_the_outputs),
        cmocka_unit_test(a_batch_may_be_made_piece_by_piece),
        cmocka_unit_test(a_score_is_the_mean_over_all_samples),
        cmocka_unit_test(ties_go_to_the_first_class),
        cmocka_unit_test(initial_weights_are_uniform_within_glorots_bound),
        cmocka_unit_test(what_is_not_finite_shows_in_the_loss),
        cmocka_unit_test(tensors_name_weights_and_biases_layer_by_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
