/* Data that shift: switching, whose labels change their meaning, and scale-jump, whose gradients change their scale. */
#include "lab_learning.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------
 * switching
 * ------------------------------------------------------------------------------------------------- */

static void labels_change_at_each_switch_and_only_there(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("switching:every=100", NULL, NULL);
    struct lab_task *const task = create_task(&instance, 1);
    assert_int_equal(instance.steps, 800);
    assert_int_equal(instance.quick_steps, 400);
    /* With the parameters as they are, another loss on the same part means other labels. */
    double losses[3];
    for (size_t phase = 0; phase < COUNT_OF(losses); ++phase) {
        (void)instance.problem->gradient(task, 100 * phase);
        losses[phase] = instance.problem->score(task).training;
        (void)instance.problem->gradient(task, 100 * phase + 99);
        assert_true(instance.problem->score(task).training == losses[phase]);
        for (size_t p = 0; p < phase; ++p)
            assert_true(losses[p] != losses[phase]);
    }
    for (size_t step = 0; step <= 400; ++step)
        assert_int_equal(instance.problem->changes(task, step), step > 0 && step % 100 == 0);
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

/* The first phase is the digits themselves: their gradients, bit for bit. */
static void the_first_phase_is_digits(void **state)
{
    (void)state;
    struct lab_instance instances[2] = {open_request("switching", NULL, NULL), open_request("digits", NULL, NULL)};
    struct lab_task *tasks[2];
    for (size_t i = 0; i < 2; ++i) {
        tasks[i] = create_task(&instances[i], 3);
        (void)instances[i].problem->gradient(tasks[i], 199);
    }
    const rms_tensor one = tensor_of(&instances[0], tasks[0], 0), other = tensor_of(&instances[1], tasks[1], 0);
    assert_memory_equal(one.grad, other.grad, one.count * sizeof(float));
    for (size_t i = 0; i < 2; ++i)
        (void)instances[i].problem->gradient(tasks[i], 200);
    assert_true(memcmp(one.grad, other.grad, one.count * sizeof(float)) != 0);
    for (size_t i = 0; i < 2; ++i) {
        instances[i].problem->destroy(tasks[i]);
        lab_instance_close(&instances[i]);
    }
}

/* Steps to the end, scoring where asked to; returns the last score. */
static struct lab_score train_and_score(const struct lab_instance *instance, size_t first, size_t second)
{
    struct lab_task *const task = create_task(instance, 1);
    struct lab_score score = {0};
    const rms_tensor top = tensor_of(instance, task, 3);
    for (size_t step = 0; step < 40; ++step) {
        (void)instance->problem->gradient(task, step);
        for (size_t i = 0; i < top.count; ++i)
            ((float *)top.param)[i] -= 0.5F * ((const float *)top.grad)[i];
        if (step + 1 == first || step + 1 == second) {
            score = instance->problem->score(task);
            const struct lab_score again = instance->problem->score(task);
            assert_true(score.validation == again.validation && score.test == again.test);
        }
    }
    instance->problem->destroy(task);
    return score;
}

static void scores_are_means_over_the_run(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("switching", NULL, NULL);
    const struct lab_score at_20 = train_and_score(&instance, 20, 0);
    const struct lab_score at_40 = train_and_score(&instance, 0, 40);
    const struct lab_score both = train_and_score(&instance, 20, 40);
    assert_true(both.validation == (at_20.validation + at_40.validation) / 2.0);
    assert_true(both.test == (at_20.test + at_40.test) / 2.0);
    assert_true(both.training == at_40.training);
    assert_true(at_20.validation != at_40.validation);
    lab_instance_close(&instance);
}

/* ---------------------------------------------------------------------------------------------------
 * scale-jump
 * ------------------------------------------------------------------------------------------------- */

/* The loss is a quadratic function of each weight, made in double: a central difference over h = 1/2 is exact up to 60
 * roundings of numbers below 200, which no product of two normal numbers exceeds, and to the float the gradient is. */
static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    static const char *const words[] = {"scale-jump:at=10", "scale-jump:at=10,factor=0.001"};
    for (size_t w = 0; w < COUNT_OF(words); ++w) {
        struct lab_instance instance = open_request(words[w], NULL, NULL);
        struct lab_task *const task = create_task(&instance, 7);
        const rms_tensor tensor = tensor_of(&instance, task, 0);
        float *const weights = tensor.param;
        for (size_t step = 8; step < 12; ++step)
            for (size_t i = 0; i < tensor.count; ++i) {
                (void)instance.problem->gradient(task, step);
                const double gradient = (double)((const float *)tensor.grad)[i];
                weights[i] += 0.5F;
                const double above = instance.problem->gradient(task, step);
                weights[i] -= 1.0F;
                const double below = instance.problem->gradient(task, step);
                weights[i] += 0.5F;
                const double bound = 60 * 200 * 0x1p-53 + 0x1p-24 * fabs(gradient);
                if (!(fabs(gradient - (above - below)) <= bound))
                    fail_msg("%s, step %zu, weight %zu: %g, not %g", words[w], step, i, gradient, above - below);
            }
        instance.problem->destroy(task);
        lab_instance_close(&instance);
    }
}

/* How much larger the gradient is at a step than the step before, at weights of 0. */
static double growth(const char *words, size_t step)
{
    struct lab_instance instance = open_request(words, NULL, NULL);
    struct lab_task *const task = create_task(&instance, 1);
    const rms_tensor tensor = tensor_of(&instance, task, 0);
    double squares[2] = {0.0, 0.0};
    for (size_t late = 0; late < 2; ++late) {
        assert_int_equal(instance.problem->changes(task, step - 1 + late), step - 1 + late == 400);
        (void)instance.problem->gradient(task, step - 1 + late);
        for (size_t i = 0; i < tensor.count; ++i)
            squares[late] += pow((double)((const float *)tensor.grad)[i], 2.0);
    }
    instance.problem->destroy(task);
    lab_instance_close(&instance);
    return sqrt(squares[1] / squares[0]);
}

/* By the factor; for the rest, batches of 16 and distances between 1 and 2 change it by less than ten times. */
static void gradients_jump_by_the_factor(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        size_t step;
        double factor;
    } cases[] = {
        {"scale-jump", 400, 1e3},          {"scale-jump", 399, 1.0},
        {"scale-jump", 401, 1.0},          {"scale-jump:factor=1e-3", 400, 1e-3},
        {"scale-jump:factor=1", 400, 1.0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        const double ratio = growth(cases[i].words, cases[i].step) / cases[i].factor;
        if (!(ratio > 0.1 && ratio < 10.0))
            fail_msg("%s, step %zu: %g times the factor", cases[i].words, cases[i].step, ratio);
    }
}

/* Weights that are never changed lie at distance 1 from the first truth: the error is its square, give or take what 64
 * and 256 samples say; and the mean is that of all steps. */
static void errors_are_of_the_truth_of_the_phase(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("scale-jump:at=15", NULL, NULL);
    struct lab_task *const task = create_task(&instance, 1);
    assert_int_equal(instance.steps, 30);
    const struct lab_score start = instance.problem->score(task);
    assert_true(start.training > 0.5 && start.training < 2.0);
    struct lab_score before = {0}, after = {0};
    for (size_t step = 0; step < 30; ++step) {
        (void)instance.problem->gradient(task, step);
        *(step < 15 ? &before : &after) = instance.problem->score(task);
    }
    assert_true(before.training == start.training);
    assert_true(after.training != before.training);
    /* Half of the steps saw one truth and half the other; sums of 30 numbers, rounded. */
    const double now = after.training, mean = 0.5 * (start.training + now);
    const double both = (64.0 * after.validation + 256.0 * after.test) / 320.0;
    assert_true(fabs(both - mean) < 100 * 0x1p-53 * mean * 30);
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

static void runs_have_these_bits_on_every_machine(void **state)
{
    const rms_isa isa = isa_of_test(state);
    struct lab_instance switching = open_request("switching:every=20", NULL, NULL);
    assert_digest(0x55b4d97e3ac0eae5, digest_of_run(&switching, isa, 1, 60));
    lab_instance_close(&switching);
    struct lab_instance jump = open_request("scale-jump:at=20", NULL, NULL);
    assert_digest(0x9bd29f981f736304, digest_of_run(&jump, isa, 1, 40));
    lab_instance_close(&jump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_change_at_each_switch_and_only_there),
        cmocka_unit_test(the_first_phase_is_digits),
        cmocka_unit_test(scores_are_means_over_the_run),
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(gradients_jump_by_the_factor),
        cmocka_unit_test(errors_are_of_the_truth_of_the_phase),
        PER_ISA(runs_have_these_bits_on_every_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
