/* The frameworks' own numbers: the library follows the optimizers of PyTorch, TensorFlow, Keras, JAX with optax, timm
 * and Stable-Baselines3 over 50 steps of hard gradients, as nearly as rounding lets two orders of the same operations
 * agree; presets and options mean what they mean there. golden/README.md tells how the files were made, golden_bounds.h
 * how the tolerance is derived.
 *
 * How wide the bound is where nothing cancels, in ulps of M, the larger of |parameter| and total movement: the last
 * subtraction costs half an ulp on either side, 1 ulp a step, and decoupled decay as much again. The average of squares
 * gathers 2 roundings a step on either side, of r v and of the sum, and the root halves them: at step s the movement is
 * off by at most 2 s 2^-24 of itself, which comes to at most 2 ulps of M a step. That makes 4. All else is in
 * proportion to the movement, hence counts once, not at every step. So the test demands 4 ulps a step of every set,
 * and more than that only where the formula itself gives the reason, which the table then states. */
#include "golden_bounds.h"
#include "golden_file.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In ulps of the larger of |parameter| and total movement, per step. */
static const double FARTHEST = 4.0;

enum { CONSTANT_STEPS = 3000 };

static const char *const files[] = {
    "pytorch", "tensorflow", "keras", "optax", "stable_baselines3", "timm",
};

static const char *file_of_test(void **state)
{
    return *(const char *const *)*state;
}

/* ---- A tensor in either dtype. */

struct numbers {
    rms_dtype dtype;
    union {
        float f32[GOLDEN_COUNT + GOLDEN_WIDTH];
        double f64[GOLDEN_COUNT + GOLDEN_WIDTH];
    } of;
};

static void write_numbers(struct numbers *numbers, const double *from, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (numbers->dtype == RMS_F64)
            numbers->of.f64[i] = from[i];
        else
            numbers->of.f32[i] = (float)from[i];
}

static double number_at(const struct numbers *numbers, size_t i)
{
    return numbers->dtype == RMS_F64 ? numbers->of.f64[i] : (double)numbers->of.f32[i];
}

/* The distance from a number's magnitude to the next. */
static double ulp(rms_dtype dtype, double magnitude)
{
    if (dtype == RMS_F64)
        return nextafter(magnitude, (double)INFINITY) - magnitude;
    const float value = (float)magnitude;
    return (double)nextafterf(value, INFINITY) - (double)value;
}

/* ---- The library. */

struct trajectory {
    double param[GOLDEN_KEPT][GOLDEN_COUNT];
    double movement[GOLDEN_KEPT][GOLDEN_COUNT]; /* the sum of |step| so far */
};

static void take_dense_step(rms_optimizer *optimizer, struct numbers *grad, int step)
{
    double drawn[GOLDEN_COUNT];
    golden_gradients(drawn, grad->dtype, step);
    write_numbers(grad, drawn, GOLDEN_COUNT);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
}

static void take_row_step(rms_optimizer *optimizer, const struct golden_entry *entry, int step)
{
    int64_t indices[GOLDEN_ROWS_MAX];
    double drawn[GOLDEN_ROWS_MAX * GOLDEN_WIDTH];
    struct numbers values = {.dtype = entry->dtype};
    const size_t count = golden_rows(indices, drawn, entry->dtype, step);
    write_numbers(&values, drawn, count * GOLDEN_WIDTH);
    const rms_rows rows = {.tensor = 0,
                           .width = GOLDEN_WIDTH,
                           .row_count = count,
                           .indices = indices,
                           .values = &values.of,
                           .mode = entry->mode};
    assert_ok(rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
}

static void set_scheduled(rms_optimizer *optimizer, const struct golden_entry *entry, const char *without, int step)
{
    for (size_t i = 0; i < entry->option_count; ++i) {
        const struct golden_option *option = &entry->options[i];
        if (step > 1 && option->step == step && strcmp(option->key, without) != 0)
            assert_ok(rms_set(optimizer, 0, option->key, strtod(option->value, NULL)), rms_message(optimizer));
    }
}

static void keep(rms_optimizer *optimizer, const rms_options *options, const struct numbers *param, double *kept)
{
    if (options->average_decay > 0)
        assert_ok(rms_swap_averages(optimizer), rms_message(optimizer));
    for (size_t i = 0; i < GOLDEN_COUNT; ++i)
        kept[i] = number_at(param, i);
    if (options->average_decay > 0)
        assert_ok(rms_swap_averages(optimizer), rms_message(optimizer));
}

static void run_library(const struct golden_entry *entry, const char *without, struct trajectory *trajectory)
{
    const rms_options options = golden_options(entry, without);
    struct numbers param = {.dtype = entry->dtype}, grad = {.dtype = entry->dtype};
    double drawn[GOLDEN_COUNT], movement[GOLDEN_COUNT] = {0};
    golden_parameters(drawn, entry->dtype);
    write_numbers(&param, drawn, GOLDEN_COUNT);
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {
        .name = "weight", .count = GOLDEN_COUNT, .param = &param.of, .grad = &grad.of, .dtype = entry->dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    for (int step = 1, k = 0; step <= GOLDEN_STEPS; ++step) {
        const struct numbers before = param;
        set_scheduled(optimizer, entry, without, step);
        if (entry->record == GOLDEN_ROWS)
            take_row_step(optimizer, entry, step);
        else
            take_dense_step(optimizer, &grad, step);
        for (size_t i = 0; i < GOLDEN_COUNT; ++i)
            movement[i] += fabs(number_at(&param, i) - number_at(&before, i));
        if (step == golden_steps_kept[k]) {
            memcpy(trajectory->movement[k], movement, sizeof movement);
            keep(optimizer, &options, &param, trajectory->param[k++]);
        }
    }
    rms_free(optimizer);
}

/* ---- The formula. */

struct expected {
    struct bounded param[GOLDEN_KEPT][GOLDEN_COUNT];
    bool overflowed[GOLDEN_KEPT][GOLDEN_COUNT];
};

/* Gradients of a step, and which elements take part: all, but where only the given rows do. */
static void gradients_of(const struct golden_entry *entry, int step, double *grad, bool *takes_part)
{
    const bool rows = entry->record == GOLDEN_ROWS;
    for (size_t i = 0; i < GOLDEN_COUNT; ++i)
        takes_part[i] = !rows || entry->mode == RMS_ROWS_DENSE;
    if (!rows) {
        golden_gradients(grad, entry->dtype, step);
        return;
    }
    int64_t indices[GOLDEN_ROWS_MAX];
    double values[GOLDEN_ROWS_MAX * GOLDEN_WIDTH];
    const size_t count = golden_rows(indices, values, entry->dtype, step);
    memset(grad, 0, GOLDEN_COUNT * sizeof *grad);
    for (size_t i = 0; i < count * GOLDEN_WIDTH; ++i) {
        const size_t at = (size_t)indices[i / GOLDEN_WIDTH] * GOLDEN_WIDTH + i % GOLDEN_WIDTH;
        const double sum = grad[at] + values[i];
        grad[at] = entry->dtype == RMS_F64 ? sum : (double)(float)sum;
        takes_part[at] = true;
    }
}

static void run_formula(const struct golden_entry *entry, struct expected *expected)
{
    rms_options options = golden_options(entry, "");
    double drawn[GOLDEN_COUNT];
    bool takes_part[GOLDEN_COUNT];
    struct element elements[GOLDEN_COUNT];
    golden_parameters(drawn, entry->dtype);
    for (size_t i = 0; i < GOLDEN_COUNT; ++i)
        elements[i] = element_start(&options, entry->dtype, drawn[i]);
    for (int step = 1, k = 0; step <= GOLDEN_STEPS; ++step) {
        if (step > 1)
            golden_set_options(entry, "", step, &options);
        gradients_of(entry, step, drawn, takes_part);
        const struct bounded clip_factor = clip_factor_of(&options, entry->dtype, drawn, GOLDEN_COUNT);
        for (size_t i = 0; i < GOLDEN_COUNT; ++i)
            if (takes_part[i])
                element_step(&elements[i], &options, entry->dtype, entry->words, step, drawn[i], clip_factor);
        if (step == golden_steps_kept[k]) {
            for (size_t i = 0; i < GOLDEN_COUNT; ++i) {
                expected->param[k][i] = options.average_decay > 0 ? elements[i].average : elements[i].param;
                expected->overflowed[k][i] = elements[i].overflowed;
            }
            ++k;
        }
    }
}

/* ---- Comparison. */

/* What a set comes to; error and bound in ulps of the larger of |parameter| and total movement, per step. */
struct verdict {
    double error, bound;
    size_t overflows;  /* numbers that are infinite or NaN, here as there */
    size_t only_there; /* numbers that are NaN there and stand still here */
    char failure[256]; /* "" for none */
};

static bool within(double value, struct bounded expected)
{
    return fabsl((long double)value - expected.value) <= expected.error; /* false for NaN */
}

static bool same(double value, struct bounded expected)
{
    return isnan(value) ? isnan(expected.value) : (long double)value == expected.value;
}

/* Whether both numbers are what the formula allows. */
static bool agree(double ours, double theirs, struct bounded expected, bool overflowed)
{
    if (isinf(expected.error))
        return false;
    const bool nan_there = isnan(theirs) && overflowed;
    if (!isfinite(expected.value))
        return same(ours, expected) && (same(theirs, expected) || nan_there);
    return within(ours, expected) && (within(theirs, expected) || nan_there);
}

static void compare_number(const struct golden_entry *entry, const struct trajectory *library,
                           const struct expected *expected, size_t k, size_t i, struct verdict *verdict)
{
    const double ours = library->param[k][i], theirs = entry->param[k][i];
    const struct bounded f = expected->param[k][i];
    ++numbers_compared;
    if (!agree(ours, theirs, f, expected->overflowed[k][i]) && verdict->failure[0] == '\0')
        snprintf(verdict->failure, sizeof verdict->failure,
                 "step %d, element %zu: %.17g here, %.17g there, %.17Lg within %.2Lg by the formula",
                 golden_steps_kept[k], i, ours, theirs, f.value, f.error);
    if (!isfinite(ours)) {
        ++verdict->overflows;
    } else if (!isfinite(theirs)) {
        ++verdict->only_there;
    } else {
        const double unit = ulp(entry->dtype, fmax(fabs(theirs), library->movement[k][i])) * golden_steps_kept[k];
        verdict->error = fmax(verdict->error, fabs(ours - theirs) / unit);
        verdict->bound = fmax(verdict->bound, 2.0 * (double)f.error / unit);
    }
}

static struct verdict judge(const struct golden_entry *entry)
{
    struct verdict verdict = {0};
    struct trajectory library;
    struct expected expected;
    run_library(entry, "", &library);
    run_formula(entry, &expected);
    for (size_t k = 0; k < GOLDEN_KEPT; ++k)
        for (size_t i = 0; i < GOLDEN_COUNT; ++i)
            compare_number(entry, &library, &expected, k, i, &verdict);
    return verdict;
}

/* Why the bound of such a set may be wider than 4 ulps; NULL where it may not. */
static const char *reason_for_more(const rms_options *options, rms_dtype dtype, unsigned in_words)
{
    if (options->centered)
        return "the variance cancels";
    if (options->rule == RMS_RADAM && dtype == RMS_F64)
        return "the rectification cancels";
    const bool corrects = options->bias_correction || options->rule == RMS_NADAM || options->rule == RMS_RADAM;
    if (corrects && dtype == RMS_F64)
        return "1 - decay^t cancels";
    const unsigned counting = corrects ? in_words : in_words & ~(unsigned)(WORD_POWERS | WORD_BESIDE);
    for (size_t i = 0; i < word_count; ++i)
        if ((counting & words[i].bit) && words[i].reason)
            return words[i].reason;
    return NULL;
}

/* Rows begin with a bar, so that they can be found again in a log. */
static void print_head(const struct golden_reader *reader)
{
    print_message("| %s: %s\n| error and bound in ulps of max(|parameter|, total movement), per step\n",
                  reader->framework, reader->versions);
    print_message("| %-17s | %-42s | %-5s | %9s | %9s | verdict\n", "framework", "set of options", "dtype", "error",
                  "bound");
}

/* Returns whether the set passes. */
static bool print_verdict(const struct golden_reader *reader, const struct golden_entry *entry,
                          const struct verdict *verdict)
{
    const rms_options options = golden_options(entry, "");
    const char *reason = reason_for_more(&options, entry->dtype, entry->words);
    const bool near = verdict->error <= FARTHEST;
    const bool passes = verdict->failure[0] == '\0' && (near || reason);
    print_message("| %-17s | %-42s | %-5s | %9.2f | %9.2f | %s", reader->framework, entry->name,
                  rms_dtype_name(entry->dtype), verdict->error, verdict->bound, passes ? "ok" : "FAILS");
    if (verdict->failure[0] != '\0')
        print_message(": %s", verdict->failure);
    else if (!near)
        print_message(", more than %.0f: %s", FARTHEST, reason ? reason : "for no reason");
    if (verdict->overflows > 0)
        print_message("; %zu numbers overflow here as there", verdict->overflows);
    if (verdict->only_there > 0)
        print_message("; %zu numbers are NaN there only", verdict->only_there);
    print_message("\n");
    return passes;
}

/* ---- The tests. */

static void library_follows_the_framework_as_nearly_as_rounding_allows(void **state)
{
    static struct golden_entry entry;
    struct golden_reader reader = golden_open(file_of_test(state));
    size_t failures = 0;
    print_head(&reader);
    while (golden_next(&reader, &entry) != GOLDEN_END) {
        if (entry.record == GOLDEN_CONSTANT)
            continue;
        const struct verdict verdict = judge(&entry);
        failures += !print_verdict(&reader, &entry, &verdict);
    }
    if (failures > 0)
        fail_msg("%s: %zu of %zu sets of options fail", reader.framework, failures, reader.sets);
    assert_true(reader.sets > 0);
    report_comparisons(reader.framework);
}

/* Whether the library, without the option of this key, is farther from the framework anywhere than two evaluations of
 * the same formula can be. */
static bool shows(const struct golden_entry *entry, const char *without, const struct expected *expected)
{
    struct trajectory library;
    run_library(entry, without, &library);
    for (size_t k = 0; k < GOLDEN_KEPT; ++k)
        for (size_t i = 0; i < GOLDEN_COUNT; ++i, ++numbers_compared) {
            const struct bounded f = expected->param[k][i];
            if (fabsl((long double)library.param[k][i] - (long double)entry->param[k][i]) > 2.0L * f.error)
                return true;
        }
    return false;
}

/* Otherwise the comparison would prove nothing about what the options mean. */
static void no_option_can_be_left_out_unnoticed(void **state)
{
    static struct golden_entry entry;
    struct golden_reader reader = golden_open(file_of_test(state));
    size_t failures = 0;
    while (golden_next(&reader, &entry) != GOLDEN_END) {
        if (entry.record == GOLDEN_CONSTANT)
            continue;
        struct expected expected;
        run_formula(&entry, &expected);
        for (size_t i = 0; i < entry.option_count; ++i) {
            const char *key = entry.options[i].key;
            const rms_options options = golden_options(&entry, key);
            if (i > 0 && strcmp(key, entry.options[i - 1].key) == 0)
                continue; /* the same key at another step */
            if (rms_options_check(&options, NULL) == RMS_OK && !shows(&entry, key, &expected)) {
                print_message("%s %s: %s makes no difference\n", entry.name, rms_dtype_name(entry.dtype), key);
                ++failures;
            }
        }
    }
    if (failures > 0)
        fail_msg("%s: %zu options make no difference", reader.framework, failures);
    report_comparisons("options left out");
}

static void assert_stays_finite(const struct golden_entry *entry)
{
    const rms_options options = golden_options(entry, "");
    struct numbers param = {.dtype = entry->dtype}, grad = {.dtype = entry->dtype};
    const double start = 1.0;
    write_numbers(&param, &start, 1);
    write_numbers(&grad, &entry->constant, 1);
    assert_true(options.centered);
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {
        .name = "weight", .count = 1, .param = &param.of, .grad = &grad.of, .dtype = entry->dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    for (int step = 1; step <= CONSTANT_STEPS; ++step, ++numbers_compared) {
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        if (!isfinite(number_at(&param, 0)))
            fail_msg("%s, gradient %g: %g after step %d", entry->call, entry->constant, number_at(&param, 0), step);
    }
    rms_free(optimizer);
}

/* The variance of a gradient that never changes is rounding error: when it falls below 0, frameworks take its root.
 * The file holds the step after which the framework's parameter was NaN. */
static void constant_gradients_that_give_nan_elsewhere_stay_finite(void **state)
{
    static struct golden_entry entry;
    struct golden_reader reader = golden_open(file_of_test(state));
    while (golden_next(&reader, &entry) != GOLDEN_END) {
        if (entry.record != GOLDEN_CONSTANT)
            continue;
        assert_in_range((uintmax_t)entry.first_nan, 0, CONSTANT_STEPS);
        print_message("%-60s %s, gradient %-8.3g ", entry.call, rms_dtype_name(entry.dtype), entry.constant);
        if (entry.first_nan > 0)
            print_message("NaN there after step %d\n", entry.first_nan);
        else
            print_message("a number there as well\n");
        assert_stays_finite(&entry);
    }
    if (reader.constants == 0)
        skip();
    report_comparisons("constant gradients");
}

#define OF_FILE(test, number)                                                                                          \
    {                                                                                                                  \
#test, test, NULL, NULL, &names[number]                                                                        \
    }
#define TESTS_OF_FILE(number)                                                                                          \
    OF_FILE(library_follows_the_framework_as_nearly_as_rounding_allows, number),                                       \
        OF_FILE(no_option_can_be_left_out_unnoticed, number),                                                          \
        OF_FILE(constant_gradients_that_give_nan_elsewhere_stay_finite, number)

int main(void)
{
    static const char *names[COUNT_OF(files)]; /* cmocka's states are not const */
    memcpy(names, files, sizeof files);
    const struct CMUnitTest tests[] = {
        TESTS_OF_FILE(0), TESTS_OF_FILE(1), TESTS_OF_FILE(2), TESTS_OF_FILE(3), TESTS_OF_FILE(4), TESTS_OF_FILE(5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
