/* Races on problems of other kinds than a loss that falls to 0: scores that rise, are negative, or are no numbers. */
#include "lab_parabola.h"

/* ---- What is better */

static struct lab_score hill_score(struct lab_task *task)
{
    const struct lab_score score = parabola_score(task);
    return (struct lab_score){-score.training, -score.validation, 1.0 / score.test - 1.0};
}

/* The parabola upside down: what falls there rises here, and the other way round. */
static struct lab_problem hill(void)
{
    struct lab_problem problem = parabola;
    problem.name = "hill";
    problem.score = hill_score;
    problem.training.rising = problem.validation.rising = true;
    problem.test = (struct lab_quantity){"distance", "", 1.0, false};
    problem.target = -0.01;
    return problem;
}

static struct lab_race_plan pair_plan(const struct lab_instance *instance)
{
    const double grid[] = {0.25, 0.498, 0.5, 0.75};
    struct lab_race_plan plan = plan_of(instance, grid, COUNT_OF(grid), 0.5);
    plan.report_seeds = LAB_SEEDS_TO_COMPARE;
    plan.contenders[1] = plan.contenders[0];
    plan.contenders[1].name = "heavy";
    plan.contenders[1].options.momentum = 0.5;
    plan.contender_count = 2;
    return plan;
}

static void a_race_upside_down_has_the_same_outcome(void **state)
{
    (void)state;
    const struct lab_problem upside_down = hill();
    const struct lab_instance down = instance_of(&parabola), up = instance_of(&upside_down);
    const struct lab_race_plan plan_down = pair_plan(&down), plan_up = pair_plan(&up);
    struct lab_race falling, rising;
    run_race(&falling, &plan_down);
    run_race(&rising, &plan_up);
    for (size_t e = 0; e < 2; ++e) {
        const struct lab_entry *const a = &falling.entries[e], *const b = &rising.entries[e];
        assert_int_equal(a->best, b->best);
        assert_true(a->width == b->width);
        for (size_t i = 0; i < plan_down.grid_count; ++i)
            assert_true(a->tuning_score[i] == -b->tuning_score[i]);
        assert_true(a->tuned_summary.digest == b->tuned_summary.digest);
        assert_int_equal(a->tuned_summary.reached, b->tuned_summary.reached);
        assert_true(a->defaults.steps_to_target.median == b->defaults.steps_to_target.median);
        assert_true(isfinite(a->defaults.steps_to_target.median));
    }
    assert_true(falling.entries[0].width == 0.0 || falling.entries[1].width == 0.0);
    const struct lab_comparison *const a = falling.tuned_comparisons, *const b = rising.tuned_comparisons;
    assert_true(a->better == 0 && b->better == 0); /* without momentum, 0.75 all but arrives */
    assert_true(a->difference.median > 0.0 && b->difference.median > 0.0);
    assert_true(a->improvement.mean == 1.0 && b->improvement.mean == 1.0 && b->improvement.low == 1.0);
    assert_true(a->significant && b->significant);
    lab_race_free(&falling);
    lab_race_free(&rising);
}

/* Two contenders that are the same tie on every seed. */
static void an_improvement_counts_ties_half(void **state)
{
    (void)state;
    const struct lab_instance instance = instance_of(&parabola);
    struct lab_race_plan plan = pair_plan(&instance);
    plan.contenders[1].options = plan.contenders[0].options;
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_comparison *const pair = race.tuned_comparisons;
    assert_true(pair->better == 0 && pair->difference.median == 0.0 && !pair->significant);
    assert_true(pair->improvement.mean == 0.5 && pair->improvement.low == 0.5 && pair->improvement.high == 0.5);
    lab_race_free(&race);
}

/* At lr = 5 the distance grows by 4 at each step, which is much, but no number is lost. */
static void what_rises_diverges_only_where_it_stops_being_finite(void **state)
{
    (void)state;
    const struct lab_problem problem = hill();
    const struct lab_instance instance = instance_of(&problem);
    const double grid[] = {0.5, 1e30};
    const struct lab_race_plan plan = plan_of(&instance, grid, COUNT_OF(grid), 5.0);
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_entry *const entry = &race.entries[0];
    assert_int_equal(entry->defaults.diverged, 0);
    const struct lab_run *const lost = &entry->tuning[plan.tuning_seeds];
    assert_int_equal(lost->state, LAB_RUN_DIVERGED);
    assert_true(lost->final.training == -HUGE_VAL && lost->final.validation == -HUGE_VAL);
    assert_true(entry->tuning_score[1] == -HUGE_VAL && entry->best == 0);
    lab_race_free(&race);
}

/* ---- Losses that may be negative */

static double offset; /* of the loss; of one test at a time, and constant while it runs */

static struct lab_score sunken_score(struct lab_task *task)
{
    struct lab_score score = parabola_score(task);
    score.training += offset;
    score.validation += offset;
    return score;
}

/* At lr = 5, p^2 / 2 is 1/2 or 2 at first, then 256 times that, then 65,536 times. */
static void a_loss_below_zero_diverges_by_its_magnitude(void **state)
{
    (void)state;
    static const struct {
        double offset;
        size_t scores; /* that even seeds give before they diverge */
    } cases[] = {
        {0.0, 2},     /* from 0.5: 128 is below 500, 32,768 is not */
        {-0.5, 2},    /* from 0, which says nothing: 127.5 is below 1,000 */
        {-0.75, 2},   /* from -0.25, likewise */
        {-0.4375, 1}, /* from 0.0625: 127.6 is above 62.5 */
        {-100.5, 3},  /* from -100: 32,668 is below 100,000 */
    };
    struct lab_problem problem = parabola;
    problem.score = sunken_score;
    const struct lab_instance instance = instance_of(&problem);
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        const double grid[] = {5.0};
        struct lab_race_plan plan = plan_of(&instance, grid, 1, 5.0);
        plan.report_seeds = 8;
        offset = cases[i].offset;
        struct lab_race race;
        run_race(&race, &plan);
        size_t seen = 0;
        for (size_t k = 0; k < plan.report_seeds; ++k) {
            const struct lab_run *const run = &race.entries[0].default_runs[k];
            assert_int_equal(run->state, LAB_RUN_DIVERGED);
            for (size_t n = 0; run->seed % 2 == 0 && n < 5; ++n)
                assert_int_equal(!isnan(run->curve[n]), n < cases[i].scores);
            seen += run->seed % 2 == 0;
        }
        assert_in_range(seen, 1, plan.report_seeds);
        lab_race_free(&race);
    }
}

/* A tenth of -10 is 1, whichever way is better: losses of -10 to -9 are within it. */
static void the_width_of_a_negative_best_is_a_tenth_of_its_magnitude(void **state)
{
    (void)state;
    struct lab_problem problem = parabola;
    problem.score = sunken_score;
    const struct lab_instance instance = instance_of(&problem);
    offset = -10.0;
    /* After 8 steps p^2 is at most 4 (1 - lr)^16: 0.03, 0.004, 0, and 4. */
    const double grid[] = {1e-4, 0.25, 0.375, 1.0, 1.9999};
    struct lab_race_plan plan = plan_of(&instance, grid, COUNT_OF(grid), 0.5);
    plan.tuning_seeds = 8;
    struct lab_race race;
    run_race(&race, &plan);
    assert_int_equal(race.entries[0].best, 3);
    assert_true(fabs(race.entries[0].width - log10(1.0 / 0.25)) < 1e-12);
    lab_race_free(&race);
}

/* ---- Scores that are no numbers */

static struct lab_score broken; /* what is added to a score; of one test at a time */
static size_t broken_from;      /* by this many steps */

/* Steps are told by the parameter, which halves at each. */
static struct lab_score breaking_score(struct lab_task *task)
{
    struct lab_score score = parabola_score(task);
    if ((double)task->param <= ldexp(2.0, -(int)broken_from)) {
        score.training += broken.training;
        score.validation += broken.validation;
        score.test += broken.test;
    }
    return score;
}

static void a_first_score_that_is_no_number_is_the_problems_failure(void **state)
{
    (void)state;
    static const struct {
        struct lab_score broken;
        const char *sentence;
    } cases[] = {
        {{NOT_A_NUMBER, 0.0, 0.0}, "parabola: the score before the first step is not finite (training loss nan)"},
        {{0.0, INF, NOT_A_NUMBER}, "parabola: the score before the first step is not finite (validation loss inf)"},
        {{0.0, 0.0, -INF}, "parabola: the score before the first step is not finite (closeness -inf)"},
    };
    struct lab_problem problem = parabola;
    problem.score = breaking_score;
    const struct lab_instance instance = instance_of(&problem);
    const double grid[] = {0.5};
    const struct lab_race_plan plan = plan_of(&instance, grid, 1, 0.5);
    broken_from = 0;
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        broken = cases[i].broken;
        struct lab_race race;
        rms_error error;
        assert_status(RMS_ERROR_FORMAT, lab_race_run(&race, &plan, NULL, &error), error.message);
        assert_string_equal(error.message, cases[i].sentence);
        assert_null(race.runs);
    }
}

/* A test score that is lost counts as the worst there is, and two such as equal. */
static void a_score_that_is_lost_later_is_a_divergence(void **state)
{
    (void)state;
    struct lab_problem problem = parabola;
    problem.score = breaking_score;
    const struct lab_instance instance = instance_of(&problem);
    const double grid[] = {0.5};
    struct lab_race_plan plan = pair_plan(&instance);
    memcpy(plan.grid, grid, sizeof grid);
    plan.grid_count = 1;
    plan.contenders[1].options.momentum = 0.0;
    broken = (struct lab_score){0.0, 0.0, NOT_A_NUMBER};
    broken_from = 4;
    struct lab_race race;
    run_race(&race, &plan);
    for (size_t e = 0; e < 2; ++e) {
        const struct lab_summary *const summary = &race.entries[e].tuned_summary;
        assert_int_equal(summary->diverged, plan.report_seeds);
        assert_true(summary->test.median == -HUGE_VAL && summary->mean_test == -HUGE_VAL);
        assert_true(summary->test_middle.mean == -HUGE_VAL);
    }
    assert_true(race.tuned_comparisons[0].difference.median == 0.0);
    assert_true(race.tuned_comparisons[0].improvement.mean == 0.5);
    lab_race_free(&race);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_race_upside_down_has_the_same_outcome),
        cmocka_unit_test(an_improvement_counts_ties_half),
        cmocka_unit_test(what_rises_diverges_only_where_it_stops_being_finite),
        cmocka_unit_test(a_loss_below_zero_diverges_by_its_magnitude),
        cmocka_unit_test(the_width_of_a_negative_best_is_a_tenth_of_its_magnitude),
        cmocka_unit_test(a_first_score_that_is_no_number_is_the_problems_failure),
        cmocka_unit_test(a_score_that_is_lost_later_is_a_divergence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
