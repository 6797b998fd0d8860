/* PyTorch's own numbers: the library follows torch.optim over 50 steps of hard gradients, as nearly as
 * rounding lets two orders of the same operations agree, and the options mean what PyTorch means by them.
 * golden/pytorch.txt comes from golden/pytorch_generate.py.
 *
 * The tolerance is derived, not chosen. Each rule is evaluated a third time, here, in double, and each
 * number carries a bound on how far an evaluation in float can be from it (running error analysis, after
 * Wilkinson): every operation adds half an ulp of its result, 2^-24 relative or 2^-150 absolute, to what its
 * operands pass on. Cancellation thereby widens the bound where it happens, and nowhere else: in Adam's mean
 * when signs flip, in the centered variance, in the gradient that weight decay is added to. PyTorch and the
 * library must each lie within the bound of the formula, hence within two of each other.
 *
 * One evaluation covers both orders of operations. Where they are the same, or PyTorch fuses a product with
 * its sum, which leaves one rounding out, it is the library's. Where they differ, both are evaluated and the
 * wider counts:
 *
 *                         library              roundings  PyTorch                        roundings
 *   average of squares    r v + (1 - r) (g g)  4          r v + ((1 - r) g) g            4
 *   Adam's, RMSProp's m   b m + (1 - b) g      3          m + (1 - b) (g - m)            3
 *   Adam's divisor        sqrt(v c) + eps      3, c: 1    sqrt(v) / sqrt(1 - b^t) + eps  3, sqrt(1 - b^t): 1
 *   end of all but SGD    p - rate (u / root)  3          p + (-rate u) / root           3
 *   Adam's rate           lr (1 / (1 - b^t))   1          lr / (1 - b^t)                 1
 *
 * All other coefficients (lr, r, 1 - r, b, 1 - b, eps, 1 - lr decay, lr / (1 + (t - 1) lr_decay), 1 - dampening)
 * are worked out in double and rounded once to float by both, so they count as exact.
 *
 * How wide that is where nothing cancels, in ulps of M, the larger of |parameter| and total movement: the
 * last subtraction costs half an ulp on either side, 1 ulp a step, and decoupled decay as much again. The
 * average of squares gathers 2 roundings a step on either side, of r v and of the sum, and the root halves
 * them: at step s the movement is off by at most 2 s 2^-24 of itself, which comes to at most 2 ulps of M a
 * step. That makes 4. All else is in proportion to the movement, hence counts once, not at every step: what
 * is rounded between averages and movement, at most 9 roundings on either side, and Adam's mean, which forgets
 * its roundings as fast as its gradients. So the bound per step is widest in the first steps; later, only
 * cancellation takes it above 4, here to 9. The test demands more than the bound: 4 ulps a step from step 1
 * on. For every set of options it prints the error that it found beside the bound that it used. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN GOLDEN_DIRECTORY "/pytorch.txt"

/* ---- The data: the same as in pytorch_generate.py, exact in float. */

enum { KINDS = 12, COUNT = 2 * KINDS, STEPS = 50, CONSTANT_STEPS = 3000 };
static const int steps_kept[] = {1, 2, 5, 10, 20, STEPS};
enum { KEPT = COUNT_OF(steps_kept) };

/* What the file holds, so that one that was cut off does not pass. */
enum { SETS = 38, CONSTANTS = 4 };

/* In ulps of the larger of |parameter| and total movement, per step: how far the library may be from PyTorch,
 * and how wide the bound may be (step 1 of Adam, whose roundings all fall on a parameter of 0, comes to 15.6). */
static const double FARTHEST = 4.0, WIDEST = 16.0;

/* draw is new at every step, fixed is the element's own. */
static float gradient(unsigned kind, int step, float draw, float fixed)
{
    switch (kind) {
    case 0:
        return 0.0F;
    case 1: /* its square vanishes */
        return draw * 0x1p-100F;
    case 2: /* its square is subnormal */
        return draw * 0x1p-70F;
    case 3:
        return draw * 0x1p33F;
    case 4:
        return fixed;
    case 5:
        return step % 2 == 0 ? fixed : -fixed;
    case 6:
        return step % 7 == 0 ? draw : 0.0F;
    case 7:
        return step == 1 ? draw * 0x1p33F : draw;
    case 8:
        return draw * 0x1p-12F;
    case 9:
        return draw * 0x1p10F;
    default:
        return draw;
    }
}

static void make_gradients(float *grad, int step)
{
    uint64_t draws = (uint64_t)step;
    uint64_t own = 1000;
    for (unsigned i = 0; i < COUNT; ++i) {
        const float draw = random_float(&draws);
        grad[i] = gradient(i % KINDS, step, draw, random_float(&own));
    }
}

/* The second element of each kind starts at 0, where nothing hides the error of the movement. */
static void make_parameters(float *param)
{
    uint64_t draws = 2000;
    for (unsigned i = 0; i < COUNT; ++i)
        param[i] = i < KINDS ? 2.0F * random_float(&draws) : 0.0F;
}

/* ---- Numbers with a bound on what evaluations in float can make of them. */

struct bounded {
    double value;
    double error;
};

/* Half an ulp, and room for what double rounds. */
static struct bounded rounded(double value, double error)
{
    if (value == 0.0 && error == 0.0)
        return (struct bounded){0.0, 0.0};
    return (struct bounded){value, error + (fabs(value) + error) * 0x1.0001p-24 + 0x1p-150};
}

/* A coefficient that both round once. */
static struct bounded coefficient(double value)
{
    return (struct bounded){(double)(float)value, 0.0};
}

/* x * 1 and x + 0 are not rounded. */
static bool is_exactly(struct bounded a, double value)
{
    return a.value == value && a.error == 0.0;
}

static struct bounded plus(struct bounded a, struct bounded b)
{
    if (is_exactly(a, 0.0) || is_exactly(b, 0.0))
        return (struct bounded){a.value + b.value, a.error + b.error};
    return rounded(a.value + b.value, a.error + b.error);
}

static struct bounded minus(struct bounded a, struct bounded b)
{
    return plus(a, (struct bounded){-b.value, b.error});
}

static struct bounded times(struct bounded a, struct bounded b)
{
    if (is_exactly(a, 1.0))
        return b;
    const double error = fabs(a.value) * b.error + fabs(b.value) * a.error + a.error * b.error;
    return rounded(a.value * b.value, error);
}

static struct bounded over(struct bounded a, struct bounded b)
{
    const double smallest = fabs(b.value) - b.error;
    const double quotient = a.value / b.value;
    return rounded(quotient, smallest > 0 ? (a.error + fabs(quotient) * b.error) / smallest : (double)INFINITY);
}

static struct bounded root_of(struct bounded a)
{
    const double root = sqrt(fmax(a.value, 0.0));
    const double below = root - sqrt(fmax(a.value - a.error, 0.0));
    const double above = sqrt(fmax(a.value + a.error, 0.0)) - root;
    return rounded(root, fmax(below, above));
}

/* The same number, evaluated in two orders. */
static struct bounded either(struct bounded a, struct bounded b)
{
    return (struct bounded){a.value, fmax(a.error, b.error)};
}

/* ---- The rules, in the same order as docs/math.md. An element's slots are named by the rule. */

struct element {
    struct bounded param, v, mean, buffer, v_max;
};

static struct bounded prepared(const rms_options *options, float grad, struct bounded param)
{
    const struct bounded g = {(double)(options->maximize ? -grad : grad), 0.0};
    return options->l2_decay > 0 ? plus(g, times(coefficient(options->l2_decay), param)) : g;
}

static struct bounded average_of_squares(double decay, struct bounded v, struct bounded g)
{
    const struct bounded past = times(coefficient(decay), v);
    const struct bounded share = coefficient(1.0 - decay);
    return either(plus(past, times(share, times(g, g))), plus(past, times(times(share, g), g)));
}

/* PyTorch's form has the mean in it twice; what the mean is off by goes through once, times 1 - share. */
static struct bounded average(double decay, struct bounded mean, struct bounded g)
{
    const struct bounded share = coefficient(1.0 - decay);
    const struct bounded sum = plus(times(coefficient(decay), mean), times(share, g));
    const struct bounded way = minus(g, (struct bounded){mean.value, 0.0});
    const struct bounded kept = {mean.value, mean.error * (1.0 - share.value)};
    return either(sum, plus(kept, times(share, way)));
}

static struct bounded moved(struct bounded param, struct bounded rate, struct bounded u, struct bounded root)
{
    return either(minus(param, times(rate, over(u, root))), minus(param, over(times(rate, u), root)));
}

static void sgd(const rms_options *options, int step, float grad, struct element *e)
{
    struct bounded u = prepared(options, grad, e->param);
    if (options->momentum > 0) {
        const struct bounded decay = coefficient(options->momentum);
        const struct bounded intake = coefficient(1.0 - options->dampening);
        e->buffer = step == 1 ? u : plus(times(decay, e->buffer), times(intake, u));
        u = options->nesterov ? plus(u, times(decay, e->buffer)) : e->buffer;
    }
    e->param = minus(e->param, times(coefficient(options->lr), u));
}

static void adagrad(const rms_options *options, int step, float grad, struct element *e)
{
    const struct bounded g = prepared(options, grad, e->param);
    e->v = plus(e->v, times(g, g));
    const struct bounded root = plus(root_of(e->v), coefficient(options->eps));
    e->param = moved(e->param, coefficient(options->lr / (1.0 + (step - 1) * options->lr_decay)), g, root);
}

static void rmsprop(const rms_options *options, int step, float grad, struct element *e)
{
    (void)step;
    const struct bounded g = prepared(options, grad, e->param);
    const struct bounded lr = coefficient(options->lr);
    e->v = average_of_squares(options->rho, e->v, g);
    struct bounded power = e->v;
    if (options->centered) {
        e->mean = average(options->rho, e->mean, g);
        power = minus(e->v, times(e->mean, e->mean));
    }
    const struct bounded root = plus(root_of(power), coefficient(options->eps));
    if (options->momentum > 0) {
        e->buffer = plus(times(coefficient(options->momentum), e->buffer), over(g, root));
        e->param = minus(e->param, times(lr, e->buffer));
    } else {
        e->param = moved(e->param, lr, g, root);
    }
}

static void adam(const rms_options *options, int step, float grad, struct element *e)
{
    if (options->decoupled_decay > 0)
        e->param = times(coefficient(1.0 - options->lr * options->decoupled_decay), e->param);
    const struct bounded g = prepared(options, grad, e->param);
    e->mean = average(options->beta1, e->mean, g);
    e->v = average_of_squares(options->beta2, e->v, g);
    e->v_max = (struct bounded){fmax(e->v_max.value, e->v.value), fmax(e->v_max.error, e->v.error)};
    const struct bounded v = options->amsgrad ? e->v_max : e->v;

    const double share = 1.0 - pow(options->beta2, step);
    const struct bounded inside = root_of(times(rounded(1.0 / share, 0.0), v));
    const struct bounded outside = over(root_of(v), rounded(sqrt(share), 0.0));
    const struct bounded root = plus(either(inside, outside), coefficient(options->eps));
    e->param = moved(e->param, rounded(options->lr / (1.0 - pow(options->beta1, step)), 0.0), e->mean, root);
}

/* ---- The file. */

struct golden {
    char name[64];
    char optimizer[16];
    char options[256]; /* as PyTorch writes them: "lr=0.01 nesterov=true betas=0.9,0.999" */
    float param[KEPT][COUNT];
};

static FILE *open_golden(void)
{
    FILE *file = fopen(GOLDEN, "r");
    if (!file)
        fail_msg("cannot open %s", GOLDEN);
    return file;
}

static void read_param(FILE *file, const struct golden *golden, int step, float *param)
{
    char line[1024];
    assert_non_null(fgets(line, sizeof line, file));
    char *position = line;
    if (strtol(position, &position, 10) != step)
        fail_msg("%s: %s: no line for step %d", GOLDEN, golden->name, step);
    for (size_t i = 0; i < COUNT; ++i) {
        char *end;
        param[i] = strtof(position, &end);
        if (end == position)
            fail_msg("%s: %s, step %d: no number for element %zu", GOLDEN, golden->name, step, i);
        position = end;
    }
}

/* Reads the next option set; false at the end of the file. */
static bool read_golden(FILE *file, struct golden *golden)
{
    char line[512];
    while (fgets(line, sizeof line, file)) {
        golden->options[0] = '\0';
        if (sscanf(line, "set %63s %15s %255[^\n]", golden->name, golden->optimizer, golden->options) < 2)
            continue;
        for (size_t k = 0; k < KEPT; ++k)
            read_param(file, golden, steps_kept[k], golden->param[k]);
        return true;
    }
    return false;
}

/* ---- PyTorch's options, said in the library's words. */

static const struct {
    const char *optimizer;
    rms_rule rule;
    const char *weight_decay;
    void (*formula)(const rms_options *options, int step, float grad, struct element *e);
} optimizers[] = {
    {"SGD", RMS_SGD, "l2_decay", sgd},
    {"Adagrad", RMS_ADAGRAD, "l2_decay", adagrad},
    {"RMSprop", RMS_RMSPROP, "l2_decay", rmsprop},
    {"Adam", RMS_ADAM, "l2_decay", adam},
    {"AdamW", RMS_ADAM, "decoupled_decay", adam},
};

static size_t optimizer_number(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(optimizers); ++i)
        if (strcmp(optimizers[i].optimizer, name) == 0)
            return i;
    fail_msg("%s: unknown optimizer %s", GOLDEN, name);
    return 0;
}

static const char *translated(const char *key, size_t optimizer)
{
    return strcmp(key, "weight_decay") == 0                ? optimizers[optimizer].weight_decay
           : strcmp(key, "alpha") == 0                     ? "rho"
           : strcmp(key, "initial_accumulator_value") == 0 ? "initial_accumulator"
                                                           : key;
}

static void set_option(rms_options *options, const char *key, const char *value)
{
    rms_error error;
    assert_ok(rms_options_set_text(options, key, value, &error), error.message);
}

/* Leaves out option number omitted, if there is one; returns the number of options. */
static size_t options_of(const struct golden *golden, size_t omitted, rms_options *options)
{
    const size_t optimizer = optimizer_number(golden->optimizer);
    *options = rms_options_for(optimizers[optimizer].rule);
    char copy[sizeof golden->options];
    memcpy(copy, golden->options, sizeof copy);
    size_t count = 0;
    char *rest = NULL;
    for (char *key = strtok_r(copy, " ", &rest); key; key = strtok_r(NULL, " ", &rest), ++count) {
        char *value = strchr(key, '=');
        assert_non_null(value);
        *value++ = '\0';
        char *second = strchr(value, ',');
        if (count == omitted)
            continue;
        if (second) { /* betas */
            *second++ = '\0';
            set_option(options, "beta1", value);
            set_option(options, "beta2", second);
        } else {
            set_option(options, translated(key, optimizer), value);
        }
    }
    return count;
}

/* ---- The three trajectories. */

struct trajectory {
    float param[KEPT][COUNT];
    double movement[KEPT][COUNT]; /* the sum of |step| so far */
};

static void run_library(const rms_options *options, struct trajectory *trajectory)
{
    float param[COUNT], before[COUNT], grad[COUNT];
    double movement[COUNT] = {0};
    make_parameters(param);
    rms_optimizer *optimizer = create_optimizer(options);
    add_tensor(optimizer, "weight", param, grad, COUNT);
    for (int step = 1, k = 0; step <= STEPS; ++step) {
        make_gradients(grad, step);
        memcpy(before, param, sizeof param);
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        for (size_t i = 0; i < COUNT; ++i)
            movement[i] += fabs((double)param[i] - (double)before[i]);
        if (step == steps_kept[k]) {
            memcpy(trajectory->param[k], param, sizeof param);
            memcpy(trajectory->movement[k++], movement, sizeof movement);
        }
    }
    rms_free(optimizer);
}

static void run_formula(const struct golden *golden, const rms_options *options, struct bounded (*param)[COUNT])
{
    const size_t optimizer = optimizer_number(golden->optimizer);
    float start[COUNT], grad[COUNT];
    struct element elements[COUNT] = {0};
    make_parameters(start);
    for (size_t i = 0; i < COUNT; ++i) {
        elements[i].param.value = (double)start[i];
        elements[i].v = coefficient(options->initial_accumulator);
    }
    for (int step = 1, k = 0; step <= STEPS; ++step) {
        make_gradients(grad, step);
        for (size_t i = 0; i < COUNT; ++i)
            optimizers[optimizer].formula(options, step, grad[i], &elements[i]);
        if (step == steps_kept[k]) {
            for (size_t i = 0; i < COUNT; ++i)
                param[k][i] = elements[i].param;
            ++k;
        }
    }
}

/* ---- The tests. */

/* The distance from one float's magnitude to the next. */
static double ulp(double magnitude)
{
    const float value = (float)magnitude;
    return (double)nextafterf(value, INFINITY) - (double)value;
}

static bool within(double value, struct bounded formula)
{
    return fabs(value - formula.value) <= formula.error; /* false for NaN */
}

/* In ulps of the larger of |parameter| and total movement, per step. */
struct worst {
    double error;
    double bound;
};

static void compare(const struct golden *golden, const struct trajectory *library, struct bounded (*formula)[COUNT],
                    struct worst *worst)
{
    for (size_t k = 0; k < KEPT; ++k)
        for (size_t i = 0; i < COUNT; ++i) {
            const double ours = (double)library->param[k][i], theirs = (double)golden->param[k][i];
            const struct bounded f = formula[k][i];
            if (!within(ours, f) || !within(theirs, f))
                fail_msg("%s, step %d, element %zu: %.9g (library), %.9g (PyTorch), %.9g within %.2g (formula)",
                         golden->name, steps_kept[k], i, ours, theirs, f.value, f.error);
            const double unit = ulp(fmax(fabs(theirs), library->movement[k][i])) * steps_kept[k];
            worst->error = fmax(worst->error, fabs(ours - theirs) / unit);
            worst->bound = fmax(worst->bound, 2.0 * f.error / unit);
            ++numbers_compared;
        }
}

static void library_follows_pytorch_as_nearly_as_rounding_allows(void **state)
{
    (void)state;
    FILE *file = open_golden();
    struct golden golden;
    size_t sets = 0;
    print_message("ulps of max(|parameter|, total movement), per step\n%-34s %8s %8s\n", "", "error", "bound");
    for (; read_golden(file, &golden); ++sets) {
        rms_options options;
        options_of(&golden, SIZE_MAX, &options);
        struct trajectory library;
        struct bounded formula[KEPT][COUNT];
        run_library(&options, &library);
        run_formula(&golden, &options, formula);
        struct worst worst = {0};
        compare(&golden, &library, formula, &worst);
        print_message("%-34s %8.2f %8.2f\n", golden.name, worst.error, worst.bound);
        if (worst.error > FARTHEST || worst.bound > WIDEST)
            fail_msg("%s: %.2f ulps per step (at most %.0f), bound %.2f (at most %.0f)", golden.name, worst.error,
                     FARTHEST, worst.bound, WIDEST);
    }
    fclose(file);
    assert_int_equal(sets, SETS);
    report_comparisons("PyTorch");
}

/* Whether the library, with these options, is farther from PyTorch anywhere than two evaluations of the same
 * formula can be. */
static bool shows(const struct golden *golden, const rms_options *options, struct bounded (*formula)[COUNT])
{
    struct trajectory library;
    run_library(options, &library);
    for (size_t k = 0; k < KEPT; ++k)
        for (size_t i = 0; i < COUNT; ++i, ++numbers_compared)
            if (fabs((double)library.param[k][i] - (double)golden->param[k][i]) > 2.0 * formula[k][i].error)
                return true;
    return false;
}

/* Otherwise the comparison would prove nothing about what the options mean. */
static void no_option_can_be_left_out_unnoticed(void **state)
{
    (void)state;
    FILE *file = open_golden();
    struct golden golden;
    while (read_golden(file, &golden)) {
        rms_options options;
        struct bounded formula[KEPT][COUNT];
        const size_t count = options_of(&golden, SIZE_MAX, &options);
        run_formula(&golden, &options, formula);
        assert_false(shows(&golden, &options, formula));
        for (size_t omitted = 0; omitted < count; ++omitted) {
            options_of(&golden, omitted, &options);
            if (rms_options_check(&options, NULL) == RMS_OK && !shows(&golden, &options, formula))
                fail_msg("%s: option %zu of \"%s\" makes no difference", golden.name, omitted, golden.options);
        }
    }
    fclose(file);
    report_comparisons("options left out");
}

static void assert_stays_finite(const rms_options *options, float grad, const char *description)
{
    float param = 1.0F;
    rms_optimizer *optimizer = create_optimizer(options);
    add_tensor(optimizer, "weight", &param, &grad, 1);
    for (int step = 1; step <= CONSTANT_STEPS; ++step, ++numbers_compared) {
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        if (!isfinite(param))
            fail_msg("%s: %g after step %d", description, (double)param, step);
    }
    rms_free(optimizer);
}

/* The variance of a gradient that never changes is rounding error: when it falls below 0, PyTorch takes its
 * root. The file holds the step at which PyTorch's parameter became NaN. */
static void constant_gradients_that_give_pytorch_nan_stay_finite(void **state)
{
    (void)state;
    FILE *file = open_golden();
    struct golden golden;
    char line[2048];
    size_t constants = 0;
    while (fgets(line, sizeof line, file)) {
        char grad_text[32], first_nan[8];
        if (sscanf(line, "constant %31s %7s %15s %255[^\n]", grad_text, first_nan, golden.optimizer, golden.options) !=
            4)
            continue;
        const float grad = strtof(grad_text, NULL);
        assert_true(grad > 0);
        assert_in_range(strtol(first_nan, NULL, 10), 1, CONSTANT_STEPS);
        rms_options options;
        options_of(&golden, SIZE_MAX, &options);
        assert_true(options.centered);
        assert_stays_finite(&options, grad, line);
        ++constants;
    }
    fclose(file);
    assert_int_equal(constants, CONSTANTS);
    report_comparisons("constant gradients");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_follows_pytorch_as_nearly_as_rounding_allows),
        cmocka_unit_test(no_option_can_be_left_out_unnoticed),
        cmocka_unit_test(constant_gradients_that_give_pytorch_nan_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
