/* Problems that are functions of a few numbers: gradients against differences, minima, starts, noise, and the bits of a
 * run. */
#include "instance.h"
#include "run.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* Within the view of each: a bound of third derivatives in one variable, and of what is added up in a value. */
static const struct {
    const char *name;
    double third, size;
} surfaces[] = {
    {"quadratic", 0, 210},    {"rosenbrock", 4800, 2600}, {"beale", 21000, 1500},
    {"himmelblau", 120, 900}, {"rastrigin", 2500, 70},    {"ackley", 1000, 25}, /* beyond 1/2 from its point */
    {"saddle", 24, 10},       {"plateau", 30, 2},         {"two-wells", 15, 30},
};

static struct lab_instance open_words(const char *words, const char *source)
{
    struct lab_instance instance;
    rms_error error;
    assert_ok(lab_instance_open(&instance, &(struct lab_request){.words = words, .source = source}, &error),
              error.message);
    return instance;
}

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    struct lab_task *const task = instance->problem->create(instance, seed);
    assert_non_null(task);
    return task;
}

static float *numbers_of(const struct lab_task *task, const struct lab_instance *instance)
{
    const rms_tensor *tensors;
    assert_int_equal(instance->problem->tensors(task, &tensors), 1);
    assert_int_equal(tensors->dtype, RMS_F32);
    return tensors->param;
}

static const float *gradient_of(const struct lab_task *task, const struct lab_instance *instance)
{
    const rms_tensor *tensors;
    instance->problem->tensors(task, &tensors);
    return tensors->grad;
}

/* A central difference over h = 2^-17 is wrong by h^2 third / 6, and by the rounding of the two values that it is made of:
 * 20 operations of at most 2^-53 size each, over h. The gradient itself was rounded to f32. */
static void check_gradient(const struct lab_instance *instance, struct lab_task *task, size_t surface, double x,
                           double y)
{
    const double h = 0x1p-17;
    double (*const value)(const struct lab_instance *, double, double) = instance->problem->value;
    float *const numbers = numbers_of(task, instance);
    const float *const gradient = gradient_of(task, instance);
    numbers[0] = (float)x;
    numbers[1] = (float)y;
    assert_true(instance->problem->gradient(task, 0) == value(instance, x, y));
    const double differences[2] = {(value(instance, x + h, y) - value(instance, x - h, y)) / (2 * h),
                                   (value(instance, x, y + h) - value(instance, x, y - h)) / (2 * h)};
    for (int i = 0; i < 2; ++i) {
        const double bound = h * h / 6 * surfaces[surface].third + 20 * 0x1p-53 * surfaces[surface].size / h +
                             0x1p-24 * fabs(differences[i]) + 0x1p-149;
        if (fabs((double)gradient[i] - differences[i]) > bound)
            fail_msg("%s at (%g, %g), axis %d: %.10g, not %.10g within %.2g", surfaces[surface].name, x, y, i,
                     (double)gradient[i], differences[i], bound);
    }
}

static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(surfaces); ++s) {
        struct lab_instance instance = open_words(surfaces[s].name, NULL);
        struct lab_task *const task = create(&instance, 1);
        const struct lab_view *const view = &instance.view;
        enum { CELLS = 16 };
        for (int i = 0; i < CELLS; ++i)
            for (int k = 0; k < CELLS; ++k) {
                /* Of 12 bits, so that h can be added exactly, in f32 as well. */
                const double share[2] = {(i + 0.3) / CELLS, (k + 0.6) / CELLS};
                const double x = rint(4096 * (view->low[0] + share[0] * (view->high[0] - view->low[0]))) / 4096;
                const double y = rint(4096 * (view->low[1] + share[1] * (view->high[1] - view->low[1]))) / 4096;
                if (strcmp(surfaces[s].name, "ackley") != 0 || x * x + y * y > 0.25)
                    check_gradient(&instance, task, s, x, y);
            }
        instance.problem->destroy(task);
        lab_instance_close(&instance);
    }
}

/* Himmelblau's minima are no doubles: at the nearest ones the two brackets are within 2^-48, as sums up to 16 of numbers
 * off by 2^-52, so that their squares add up to 2^-95 at most. Other minima are exact. */
static void first_minima_are_zero_and_nothing_lies_below(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(surfaces); ++s) {
        struct lab_instance instance = open_words(surfaces[s].name, NULL);
        double (*const value)(const struct lab_instance *, double, double) = instance.problem->value;
        const struct lab_view *const view = &instance.view;
        const double least = value(&instance, view->minima[0][0], view->minima[0][1]);
        if (!(least >= 0.0 && least <= (strcmp(surfaces[s].name, "himmelblau") == 0 ? 0x1p-95 : 0.0)))
            fail_msg("%s: %g at its minimum", surfaces[s].name, least);
        enum { CELLS = 100 };
        for (int i = 0; i <= CELLS; ++i)
            for (int k = 0; k <= CELLS; ++k) {
                const double x = view->low[0] + (view->high[0] - view->low[0]) * i / CELLS;
                const double y = view->low[1] + (view->high[1] - view->low[1]) * k / CELLS;
                const double loss = value(&instance, x, y);
                if (!(loss >= 0.0))
                    fail_msg("%s: %g at (%g, %g)", surfaces[s].name, loss, x, y);
            }
        lab_instance_close(&instance);
    }
}

static void listed_minima_are_lower_than_their_neighbours(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(surfaces); ++s) {
        struct lab_instance instance = open_words(surfaces[s].name, NULL);
        double (*const value)(const struct lab_instance *, double, double) = instance.problem->value;
        double before = 0.0;
        assert_true(instance.view.minimum_count >= 1);
        for (size_t m = 0; m < instance.view.minimum_count; ++m) {
            const double x = instance.view.minima[m][0], y = instance.view.minima[m][1];
            const double least = value(&instance, x, y);
            for (int i = -1; i <= 1; ++i)
                for (int k = -1; k <= 1; ++k)
                    assert_true((i == 0 && k == 0) || value(&instance, x + 1e-3 * i, y + 1e-3 * k) > least);
            assert_true(x > instance.view.low[0] && x < instance.view.high[0]);
            assert_true(y > instance.view.low[1] && y < instance.view.high[1]);
            assert_true(least >= before || least < 0x1p-95); /* best first */
            before = least;
        }
        lab_instance_close(&instance);
    }
}

static void scores_are_the_loss_or_1e_12_where_it_is_less(void **state)
{
    (void)state;
    struct lab_instance instance = open_words("quadratic", NULL);
    struct lab_task *const task = create(&instance, 1);
    float *const numbers = numbers_of(task, &instance);
    static const struct {
        float x, y;
        double loss;
    } cases[] = {{2.0F, 0.5F, 14.5}, {0.0F, 0.0F, 1e-12}, {0x1p-21F, 0.0F, 1e-12}, {0x1p-19F, 0.0F, 0x1p-39}};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        numbers[0] = cases[i].x;
        numbers[1] = cases[i].y;
        const struct lab_score score = instance.problem->score(task);
        assert_true(score.training == cases[i].loss && score.validation == cases[i].loss &&
                    score.test == cases[i].loss);
    }
    numbers[0] = (float)NAN;
    assert_true(isnan(instance.problem->score(task).training));
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

/* f is 3 at the start, so told in multiples of 2^-38. */
static void values_of_a_function_are_told_as_finely_as_f32_can_tell(void **state)
{
    (void)state;
    struct lab_instance instance = open_words("function:start=2,spread=0", "x^2 - 1");
    struct lab_task *const task = create(&instance, 1);
    float *const numbers = numbers_of(task, &instance);
    static const struct {
        float x;
        double told;
    } cases[] = {{2.0F, 3.0}, {0x1p-20F, -1.0}, {0x1p-19F, -1 + 0x1p-38}, {1.0F, 0.0}, {1 + 0x1p-23F, 0x1p-22}};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        numbers[0] = cases[i].x;
        if (instance.problem->score(task).test != cases[i].told)
            fail_msg("f(%a) is told as %a", (double)cases[i].x, instance.problem->score(task).test);
    }
    numbers[0] = (float)INFINITY;
    assert_true(isinf(instance.problem->score(task).test));
    numbers[0] = (float)NAN;
    assert_true(isnan(instance.problem->score(task).test));
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

static void starts_lie_within_the_spread_and_differ_by_seed(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        double spread;
    } cases[] = {{"quadratic", 0.5}, {"quadratic:spread=0.25", 0.25}, {"quadratic:spread=0", 0.0}};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_instance instance = open_words(cases[i].words, NULL);
        float first[2] = {0};
        for (uint64_t seed = 0; seed < 20; ++seed) {
            struct lab_task *const task = create(&instance, seed);
            const float *const numbers = numbers_of(task, &instance);
            assert_true(fabs((double)numbers[0] + 3) <= cases[i].spread &&
                        fabs((double)numbers[1] - 1) <= cases[i].spread);
            const bool same = first[0] == numbers[0] && first[1] == numbers[1];
            assert_true(seed == 0 || same == (cases[i].spread == 0.0));
            if (seed == 0)
                memcpy(first, numbers, sizeof first);
            instance.problem->destroy(task);
        }
        lab_instance_close(&instance);
    }
}

/* The mean of 2 x 10,000 normal draws lies within 4.5 / sqrt(20,000) of 0, their mean square within 4.5 sqrt(2 / 20,000) of
 * the square of the deviation. */
static void noise_has_its_deviation_and_is_that_of_seed_and_step(void **state)
{
    (void)state;
    enum { STEPS = 10000 };
    struct lab_instance instance = open_words("quadratic:noise=2,spread=0", NULL);
    struct lab_task *const task = create(&instance, 7);
    struct lab_task *const other = create(&instance, 8);
    const float *const gradient = gradient_of(task, &instance);
    double sum = 0.0, squares = 0.0;
    for (size_t step = 0; step < STEPS; ++step) {
        instance.problem->gradient(task, step);
        const double noise[2] = {(double)gradient[0] + 3.0, (double)gradient[1] - 100.0};
        for (int i = 0; i < 2; ++i) {
            sum += noise[i] / 2;
            squares += noise[i] * noise[i] / 4;
        }
    }
    assert_true(fabs(sum / (2 * STEPS)) < 4.5 / sqrt(2 * STEPS));
    assert_true(fabs(squares / (2 * STEPS) - 1) < 4.5 * sqrt(2.0 / (2 * STEPS)));

    instance.problem->gradient(task, 5);
    const float again = gradient[0];
    instance.problem->gradient(task, 6);
    assert_true(gradient[0] != again);
    instance.problem->gradient(task, 5);
    assert_true(gradient[0] == again);
    instance.problem->gradient(other, 5);
    assert_true(gradient_of(other, &instance)[0] != again);
    instance.problem->destroy(task);
    instance.problem->destroy(other);
    lab_instance_close(&instance);
}

static void the_condition_is_a_setting(void **state)
{
    (void)state;
    struct lab_instance instance = open_words("quadratic:condition=7", NULL);
    assert_true(instance.problem->value(&instance, 2.0, 1.0) == 0.5 * (4.0 + 7.0));
    lab_instance_close(&instance);
}

/* Of 100 steps at a rate of 0.01: any compiler, any instruction set, any architecture. */
static uint64_t digest_of_run(const char *words, const char *source, rms_isa isa)
{
    enum { STEPS = 100 };
    double curve[STEPS + 1];
    struct lab_instance instance = open_words(words, source);
    struct lab_contender contender = {.name = "rmsprop", .options = rms_options_for(RMS_RMSPROP)};
    contender.options.isa = isa;
    contender.options.threads = 1;
    instance.score_every = 10;
    struct lab_run run = {.seed = 1, .learning_rate = 0.01, .curve = curve};
    run.trial = (struct lab_trial){(double)NAN, (double)NAN, (double)NAN};
    rms_error error;
    assert_ok(lab_run_train(&run, &instance, &contender, STEPS, NULL, NULL, &error), error.message);
    assert_int_equal(run.state, LAB_RUN_DONE);
    assert_true(run.final.training < curve[0]);
    lab_instance_close(&instance);
    return run.digest;
}

static void a_run_has_these_bits_on_every_machine(void **state)
{
    static const struct {
        const char *words, *source;
        uint64_t digest;
    } runs[] = {
        {"quadratic", NULL, 0x9d08e84d875723a7},
        {"quadratic:condition=1000,noise=0.5", NULL, 0x14e2014ac5c27f49},
        {"rosenbrock", NULL, 0xc4af5bad5b3da329},
        {"beale", NULL, 0xe5ce6925523671f7},
        {"himmelblau", NULL, 0x46f5f4b4757dcfc6},
        {"rastrigin", NULL, 0x8c26d446b96030d3},
        {"ackley", NULL, 0xa48288566957d3ca},
        {"saddle", NULL, 0x0848647efe5530ef},
        {"plateau", NULL, 0xeed8881b705e578f},
        {"two-wells", NULL, 0x29739fbd57aa48dd},
        {"function", "x^2 + 10*sin(y)", 0x806ed010ee3674a1},
        {"function:noise=0.1,start=0.5", "exp(a)*tanh(b)^2 + c*abs(c)^1.5/(1 + abs(d)) + log(2 + cos(e1*f))",
         0xd1c6dd37946bccdb},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(runs); ++i) {
        const uint64_t digest = digest_of_run(runs[i].words, runs[i].source, isa_of_test(state));
        if (digest != runs[i].digest)
            print_error("%s: digest 0x%016llx, not 0x%016llx\n", runs[i].words, (unsigned long long)digest,
                        (unsigned long long)runs[i].digest);
        wrong += digest != runs[i].digest;
    }
    assert_int_equal(wrong, 0);
}

static void a_function_is_what_its_expression_says(void **state)
{
    (void)state;
    struct lab_instance instance = open_words("function:start=2,spread=0,low=-1,high=3,target=-5", "x^2\n - 3*y");
    assert_string_equal(instance.title, "f(x, y) = x^2  - 3*y");
    assert_true(instance.target == -5.0);
    assert_true(instance.view.low[0] == -1.0 && instance.view.high[1] == 3.0 && instance.view.minimum_count == 0);
    assert_true(instance.problem->value(&instance, 3.0, 1.0) == 6.0);
    struct lab_task *const task = create(&instance, 1);
    const float *const numbers = numbers_of(task, &instance);
    assert_true(numbers[0] == 2.0F && numbers[1] == 2.0F);
    assert_true(instance.problem->gradient(task, 0) == -2.0);
    const float *const gradient = gradient_of(task, &instance);
    assert_true(gradient[0] == 4.0F && gradient[1] == -3.0F);
    assert_true(instance.problem->score(task).validation == -2.0);
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

static void a_function_may_have_any_number_of_variables(void **state)
{
    (void)state;
    struct lab_instance one = open_words("function", "x^2"), three = open_words("function", "a^2 + b^2 + c^4");
    const rms_tensor *tensors;
    struct lab_task *const task = create(&three, 1);
    three.problem->tensors(task, &tensors);
    assert_int_equal(tensors->count, 3);
    assert_true(one.view.low[0] == one.view.high[0] && three.view.low[0] == three.view.high[0]); /* nothing to draw */
    assert_true(isnan(three.problem->value(&three, 1.0, 1.0)));
    assert_true(one.target == -HUGE_VAL && isinf(three.target));
    three.problem->destroy(task);
    lab_instance_close(&one);
    lab_instance_close(&three);

    char source[512] = {0};
    for (size_t i = 0; i < 201; ++i)
        source[i] = "x+"[i % 2];
    struct lab_instance much = open_words("function", source);
    assert_int_equal(strlen(much.title), sizeof much.title - 1);
    assert_string_equal(much.title + sizeof much.title - 4, "...");
    lab_instance_close(&much);
}

static void a_function_that_cannot_be_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *words, *source;
        rms_status status;
        const char *sentence;
    } cases[] = {
        {"function", NULL, RMS_ERROR_ARGUMENT,
         "function: what function? (expected one, as in race --function \"x^2 + 10*y^2\")"},
        {"function", "x^2 +", RMS_ERROR_ARGUMENT,
         "function: \"x^2 +\": at the end: expected a number, a variable, a function or \"(\""},
        {"function", "log(x - 2) + y", RMS_ERROR_ARGUMENT,
         "function: f is infinite where every variable is 2, the start (another: race function:start=0.5)"},
        {"function:start=-1", "sqrt(x)", RMS_ERROR_ARGUMENT,
         "function: f is no number where every variable is -1, the start (another: race function:start=0.5)"},
        {"function:start=0", "x + y/y", RMS_ERROR_ARGUMENT,
         "function: f is no number where every variable is 0, the start (another: race function:start=0.5)"},
        {"function:start=0", "a + (b + 1e-300)^0.01*1e14", RMS_ERROR_ARGUMENT,
         "function: the derivative of f by b is infinite where every variable is 0, the start (another: race "
         "function:start=0.5)"},
        {"function:low=2,high=2", "x + y", RMS_ERROR_RANGE, "function: low=2 is not below high=2"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_instance instance;
        rms_error error;
        const struct lab_request request = {.words = cases[i].words, .source = cases[i].source};
        assert_status(cases[i].status, lab_instance_open(&instance, &request, &error), error.message);
        assert_string_equal(error.message, cases[i].sentence);
        lab_instance_close(&instance);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(first_minima_are_zero_and_nothing_lies_below),
        cmocka_unit_test(listed_minima_are_lower_than_their_neighbours),
        cmocka_unit_test(scores_are_the_loss_or_1e_12_where_it_is_less),
        cmocka_unit_test(values_of_a_function_are_told_as_finely_as_f32_can_tell),
        cmocka_unit_test(starts_lie_within_the_spread_and_differ_by_seed),
        cmocka_unit_test(noise_has_its_deviation_and_is_that_of_seed_and_step),
        cmocka_unit_test(the_condition_is_a_setting),
        PER_ISA(a_run_has_these_bits_on_every_machine),
        cmocka_unit_test(a_function_is_what_its_expression_says),
        cmocka_unit_test(a_function_may_have_any_number_of_variables),
        cmocka_unit_test(a_function_that_cannot_be_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
