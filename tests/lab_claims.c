/* Claims: the rules of judgement, and figures against what the rules of the optimizers give by hand. */
#include "claims.h"
#include "claims/experiment.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* ---- Judgement --------------------------------------------------------------------------------------- */

static void a_check_holds_when_its_whole_interval_is_as_expected(void **state)
{
    (void)state;
    static const struct {
        enum lab_expectation expects;
        double bound, upper, low, high;
        enum lab_outcome outcome;
    } cases[] = {
        {LAB_EXPECT_AT_LEAST, 1, 0, 1, 2, LAB_OUTCOME_HOLDS},   {LAB_EXPECT_AT_LEAST, 1, 0, 0.9, 2, LAB_OUTCOME_OPEN},
        {LAB_EXPECT_AT_LEAST, 1, 0, 0, 0.9, LAB_OUTCOME_FAILS}, {LAB_EXPECT_AT_MOST, 1, 0, 0, 1, LAB_OUTCOME_HOLDS},
        {LAB_EXPECT_AT_MOST, 1, 0, 0, 1.1, LAB_OUTCOME_OPEN},   {LAB_EXPECT_AT_MOST, 1, 0, 1.1, 2, LAB_OUTCOME_FAILS},
        {LAB_EXPECT_ABOVE, 0, 0, 0.1, 1, LAB_OUTCOME_HOLDS},    {LAB_EXPECT_ABOVE, 0, 0, 0, 1, LAB_OUTCOME_OPEN},
        {LAB_EXPECT_ABOVE, 0, 0, 0, 0, LAB_OUTCOME_FAILS},      {LAB_EXPECT_BELOW, 0, 0, -1, -0.1, LAB_OUTCOME_HOLDS},
        {LAB_EXPECT_BELOW, 0, 0, -1, 0, LAB_OUTCOME_OPEN},      {LAB_EXPECT_BELOW, 0, 0, 0, 1, LAB_OUTCOME_FAILS},
        {LAB_EXPECT_WITHIN, 1, 2, 1, 2, LAB_OUTCOME_HOLDS},     {LAB_EXPECT_WITHIN, 1, 2, 0, 1.5, LAB_OUTCOME_OPEN},
        {LAB_EXPECT_WITHIN, 1, 2, 0, 3, LAB_OUTCOME_OPEN},      {LAB_EXPECT_WITHIN, 1, 2, 2.1, 3, LAB_OUTCOME_FAILS},
        {LAB_EXPECT_WITHIN, 1, 2, 0, 0.5, LAB_OUTCOME_FAILS},   {LAB_EXPECT_NOTHING, 1, 2, 1, 2, LAB_OUTCOME_NONE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_measure measure = {.expects = cases[i].expects, .bound = cases[i].bound, .upper = cases[i].upper};
        struct lab_figure figure = {0.5 * (cases[i].low + cases[i].high), cases[i].low, cases[i].high, 10};
        if (lab_judge(&measure, &figure) != cases[i].outcome)
            fail_msg("case %zu: %s (judged) != %s", i, lab_outcome_name(lab_judge(&measure, &figure)),
                     lab_outcome_name(cases[i].outcome));
        figure.samples = 0;
        assert_int_equal(lab_judge(&measure, &figure),
                         cases[i].expects == LAB_EXPECT_NOTHING ? LAB_OUTCOME_NONE : LAB_OUTCOME_OPEN);
        measure.full_only = true;
        assert_int_equal(lab_judge(&measure, &figure), LAB_OUTCOME_NONE);
    }
}

static void a_claim_holds_when_all_checks_do_and_fails_when_none_does(void **state)
{
    (void)state;
    static const struct {
        enum lab_outcome outcomes[3];
        enum lab_verdict verdict;
    } cases[] = {
        {{LAB_OUTCOME_HOLDS, LAB_OUTCOME_HOLDS, LAB_OUTCOME_HOLDS}, LAB_VERDICT_HOLDS},
        {{LAB_OUTCOME_HOLDS, LAB_OUTCOME_NONE, LAB_OUTCOME_HOLDS}, LAB_VERDICT_HOLDS},
        {{LAB_OUTCOME_HOLDS, LAB_OUTCOME_FAILS, LAB_OUTCOME_HOLDS}, LAB_VERDICT_MIXED},
        {{LAB_OUTCOME_HOLDS, LAB_OUTCOME_OPEN, LAB_OUTCOME_NONE}, LAB_VERDICT_MIXED},
        {{LAB_OUTCOME_FAILS, LAB_OUTCOME_OPEN, LAB_OUTCOME_NONE}, LAB_VERDICT_FAILS},
        {{LAB_OUTCOME_OPEN, LAB_OUTCOME_OPEN, LAB_OUTCOME_OPEN}, LAB_VERDICT_FAILS},
        {{LAB_OUTCOME_NONE, LAB_OUTCOME_NONE, LAB_OUTCOME_NONE}, LAB_VERDICT_NONE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i)
        assert_int_equal(lab_verdict_of(cases[i].outcomes, 3), cases[i].verdict);
}

/* Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: the correlation is 4.5 / sqrt(4.5 * 5), by hand. */
static void ties_share_their_rank(void **state)
{
    (void)state;
    const double x[] = {-1, 7, 7, 100};
    const double y[] = {1, 2, 3, 4};
    const double falling[] = {4, 3, 2, 1};
    assert_true(fabs(lab_rank_correlation(x, y, 4) - sqrt(0.9)) < 1e-15);
    assert_true(fabs(lab_rank_correlation(y, falling, 4) + 1) < 1e-15);
}

/* A resample of ten leaves out a given one with probability 0.9^10 = 0.35: the lower end is that of the others. */
static void a_rounding_is_no_difference(void **state)
{
    (void)state;
    const struct lab_experiment experiment = {.plan = &(struct lab_claims_plan){.seed = 1}};
    const double dust = 0.1 + 0.2 - 0.3;
    const double values[10] = {dust, dust, dust, 1, dust, dust, dust, dust, dust, dust};
    const struct lab_measure measure = {.expects = LAB_EXPECT_ABOVE};
    const struct lab_figure figure = lab_mean_of(&experiment, values, 10);
    assert_true(dust > 0 && figure.low == 0 && figure.value > 0.09);
    assert_int_equal(lab_judge(&measure, &figure), LAB_OUTCOME_OPEN);
}

/* ---- The table --------------------------------------------------------------------------------------- */

static size_t columns_of(const char *words)
{
    size_t columns = 0;
    for (; *words; ++words)
        columns += ((unsigned char)*words & 0xC0U) != 0x80U;
    return columns;
}

static void every_claim_declares_what_it_needs(void **state)
{
    (void)state;
    for (size_t i = 0; i < lab_claim_count(); ++i) {
        const struct lab_claim *const claim = lab_claim_at(i);
        size_t checks = 0;
        assert_ptr_equal(lab_claim_find(claim->name), claim); /* so no two have the same name */
        assert_true(claim->measure_count <= LAB_FIGURES_MAX);
        for (size_t j = 0; j < claim->measure_count; ++j) {
            const struct lab_measure *const measure = &claim->measures[j];
            checks += measure->expects != LAB_EXPECT_NOTHING;
            if (!measure->label || columns_of(measure->label) > 56)
                fail_msg("%s: figure %zu has no label, or one of more than 56 columns", claim->name, j);
            for (size_t other = 0; other < j; ++other)
                if (strcmp(claim->measures[other].key, measure->key) == 0)
                    fail_msg("%s: two figures are called %s", claim->name, measure->key);
        }
        assert_true(checks > 0);
    }
    assert_null(lab_claim_at(lab_claim_count()));
    assert_null(lab_claim_find("no such claim"));
    assert_null(lab_claim_find(NULL));
}

/* ---- Figures by hand --------------------------------------------------------------------------------- */

static const struct lab_claims_plan quick = {.seed = 1, .threads = 1, .quick = true};

static struct lab_finding finding_of(const char *name, const struct lab_claims_plan *plan)
{
    struct lab_finding finding;
    bool finished = false;
    rms_error error;
    if (lab_claim_run(lab_claim_find(name), plan, &finding, &finished, &error) != RMS_OK)
        fail_msg("%s: %s", name, error.message);
    assert_true(finished);
    return finding;
}

static const struct lab_figure *figure_of(const char *name, const struct lab_finding *finding, const char *key)
{
    const struct lab_claim *const claim = lab_claim_find(name);
    for (size_t i = 0; i < claim->measure_count; ++i)
        if (strcmp(claim->measures[i].key, key) == 0)
            return &finding->figures[i];
    fail_msg("%s: no figure is called %s", name, key);
    return NULL;
}

/* Rates are read as floats, and epsilon is 1e-8 of the least root: 2e-7 is above both together. */
#define EXACT 2e-7

static void assert_figure(const char *name, const struct lab_finding *finding, const char *key, double expected,
                          double tolerance)
{
    const double value = figure_of(name, finding, key)->value;
    if (!(fabs(value - expected) <= tolerance * fabs(expected)))
        fail_msg("%s: %s is %.17g (measured) != %.17g (by hand), to within %g", name, key, value, expected, tolerance);
}

/* v is 1 before the spike, rho + (1 - rho) 100^2 after it and 1 + (1 - rho) (100^2 - 1) rho^k after k more steps; the
 * rate is back at 90 % once that is at most 1 / 0.81. */
static void memory_is_what_rho_says(void **state)
{
    (void)state;
    struct lab_finding finding = finding_of("memory", &quick);
    static const double rhos[] = {0.9, 0.99, 0.999};
    static const char *const drops[] = {"drop-0.9", "drop-0.99", "drop-0.999"};
    static const char *const backs[] = {"back-0.9", "back-0.99", "back-0.999"};
    for (size_t i = 0; i < 3; ++i) {
        assert_figure("memory", &finding, drops[i], 1 / sqrt(rhos[i] + (1 - rhos[i]) * 1e4), EXACT);
        const double steps = ceil(log((1 / 0.81 - 1) / ((1 - rhos[i]) * 9999)) / log(rhos[i]));
        assert_figure("memory", &finding, backs[i], steps, 0);
    }
    assert_figure("memory", &finding, "half-life", ceil(log(0.5) / log(0.99)), 0);
    assert_figure("memory", &finding, "rise", 100, 1.1e-6); /* epsilon is 1e-6 of 0.01 */
    assert_figure("memory", &finding, "adagrad", sqrt((20000 + 0.0) / (20000 + 1e4 + 6000)), EXACT);
    assert_int_equal(finding.verdict, LAB_VERDICT_HOLDS);
    lab_finding_free(&finding);
}

/* Settled, v is the square of the slope: the rate is lr / slope, the step lr. Then the slope changes by 100. */
static void flat_and_steep_ground_are_what_v_says(void **state)
{
    (void)state;
    struct lab_finding finding = finding_of("flat", &quick);
    assert_figure("flat", &finding, "rate-ratio", 100, EXACT);
    assert_figure("flat", &finding, "step-ratio", 1, EXACT);
    assert_figure("flat", &finding, "enter-steep", 100 / sqrt(0.99 + 0.01 * 1e4), EXACT);
    assert_figure("flat", &finding, "enter-flat", 1 / sqrt(0.99 * 1e4 + 0.01), EXACT);
    assert_figure("flat", &finding, "cross-sgd", 1000, 2e-2); /* 100 steps on the steeper one, or one more */
    assert_int_equal(finding.verdict, LAB_VERDICT_MIXED);
    lab_finding_free(&finding);
}

/* The mean of k gradients of 1 after none is 1 - 0.9^k, the mean of their squares 1 - 0.999^k. */
static double adam_step(int k)
{
    return (1 - pow(0.9, k)) / sqrt(1 - pow(0.999, k));
}

static void a_jump_of_scale_is_what_the_averages_say(void **state)
{
    (void)state;
    struct lab_finding finding = finding_of("scale-jump", &quick);
    int peak = 1;
    for (int k = 2; k < 1000; ++k)
        peak = adam_step(k) > adam_step(peak) ? k : peak;
    assert_figure("scale-jump", &finding, "adam-first", adam_step(1), EXACT);
    assert_figure("scale-jump", &finding, "adam-peak", adam_step(peak), EXACT);
    assert_figure("scale-jump", &finding, "adam-peak-step", peak, 0);
    assert_figure("scale-jump", &finding, "rmsprop-0.9", 1 / sqrt(0.1), EXACT);
    assert_figure("scale-jump", &finding, "rmsprop-0.95", 1 / sqrt(0.05), EXACT);
    assert_figure("scale-jump", &finding, "rmsprop-0.99", 10, EXACT);
    assert_figure("scale-jump", &finding, "epsilon", 0.5, EXACT); /* 1 / (0.1 + 0.1) over 1 / 0.1 */
    assert_figure("scale-jump", &finding, "dqn-large", 1 / sqrt(0.05 * 0.95), EXACT);
    assert_figure("scale-jump", &finding, "dqn-one", 1 / sqrt(0.05 * 0.95 + 0.01), EXACT);
    assert_figure("scale-jump", &finding, "adagrad", 1 / sqrt(20000 * 1e4 + 10000), EXACT);
    assert_int_equal(finding.verdict, LAB_VERDICT_HOLDS);
    lab_finding_free(&finding);
}

/* Under gradients of 1 Adagrad's sum is the number of steps. With epsilon 1e-8 gradients of that size get half the step
 * of others: 1e-8 / (1e-8 + 1e-8), but for the noise of ten means of 1000 steps, of which 0.03 is more than five standard
 * deviations. */
static void adagrad_and_balance_are_as_by_hand(void **state)
{
    (void)state;
    struct lab_finding finding = finding_of("adagrad", &quick);
    assert_figure("adagrad", &finding, "end-adagrad", 0.01, EXACT);
    assert_figure("adagrad", &finding, "end-rmsprop", 1, EXACT);
    assert_figure("adagrad", &finding, "rises-adagrad", 0, 0);
    assert_true(figure_of("adagrad", &finding, "rises-rmsprop")->value > 0);
    lab_finding_free(&finding);

    finding = finding_of("balance", &quick);
    assert_figure("balance", &finding, "near-epsilon", 0.5, 0.06);
    assert_figure("balance", &finding, "spread-sgd", 1e7, 0.1);
    assert_int_equal(finding.verdict, LAB_VERDICT_HOLDS);
    lab_finding_free(&finding);
}

/* ---- Running ----------------------------------------------------------------------------------------- */

static void assert_same_chart(const struct lab_chart *left, const struct lab_chart *right)
{
    assert_int_equal(left->series_count, right->series_count);
    for (size_t i = 0; i < left->series_count; ++i) {
        const struct lab_series *const a = &left->series[i];
        const struct lab_series *const b = &right->series[i];
        assert_int_equal(a->count, b->count);
        assert_memory_equal(a->x, b->x, a->count * sizeof *a->x);
        assert_memory_equal(a->y, b->y, a->count * sizeof *a->y);
    }
}

static void figures_do_not_depend_on_threads_but_on_the_seed(void **state)
{
    (void)state;
    static const char *const names[] = {"balance", "together", "adagrad"};
    for (size_t i = 0; i < COUNT_OF(names); ++i) {
        struct lab_claims_plan plan = quick;
        struct lab_finding one = finding_of(names[i], &plan);
        plan.threads = 2;
        struct lab_finding two = finding_of(names[i], &plan);
        plan.seed = 2;
        struct lab_finding other = finding_of(names[i], &plan);
        assert_memory_equal(one.figures, two.figures, sizeof one.figures);
        assert_string_equal(one.conclusion, two.conclusion);
        assert_int_equal(one.chart_count, two.chart_count);
        for (size_t j = 0; j < one.chart_count; ++j)
            assert_same_chart(&one.charts[j], &two.charts[j]);
        assert_memory_not_equal(one.figures, other.figures, sizeof one.figures);
        lab_finding_free(&one);
        lab_finding_free(&two);
        lab_finding_free(&other);
    }
}

static void count_progress(void *context, double share)
{
    double *const last = context;
    assert_true(share >= *last && share <= 1);
    *last = share;
}

static void progress_rises_to_the_end(void **state)
{
    (void)state;
    double last = 0;
    const struct lab_claims_plan plan = {
        .seed = 1, .threads = 2, .quick = true, .progress = count_progress, .context = &last};
    struct lab_finding finding = finding_of("together", &plan);
    assert_true(last == 1);
    lab_finding_free(&finding);
}

static void a_claim_that_is_stopped_is_not_finished(void **state)
{
    (void)state;
    const atomic_int stop = 1;
    const struct lab_claims_plan plan = {.seed = 1, .threads = 1, .quick = true, .stop = &stop};
    for (size_t i = 0; i < lab_claim_count(); ++i) {
        struct lab_finding finding;
        bool finished = true;
        assert_int_equal(lab_claim_run(lab_claim_at(i), &plan, &finding, &finished, NULL), RMS_OK);
        assert_false(finished);
        assert_int_equal(finding.verdict, LAB_VERDICT_NONE);
        assert_int_equal(finding.chart_count, 0);
        lab_finding_free(&finding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_holds_when_its_whole_interval_is_as_expected),
        cmocka_unit_test(a_claim_holds_when_all_checks_do_and_fails_when_none_does),
        cmocka_unit_test(ties_share_their_rank),
        cmocka_unit_test(a_rounding_is_no_difference),
        cmocka_unit_test(every_claim_declares_what_it_needs),
        cmocka_unit_test(memory_is_what_rho_says),
        cmocka_unit_test(flat_and_steep_ground_are_what_v_says),
        cmocka_unit_test(a_jump_of_scale_is_what_the_averages_say),
        cmocka_unit_test(adagrad_and_balance_are_as_by_hand),
        cmocka_unit_test(figures_do_not_depend_on_threads_but_on_the_seed),
        cmocka_unit_test(progress_rises_to_the_end),
        cmocka_unit_test(a_claim_that_is_stopped_is_not_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
