/* The race's protocol, on a parabola whose every number is known, and on the digits in small. */
#include "lab_parabola.h"

static struct lab_instance digits, on_parabola;

static int open_problems(void **state)
{
    (void)state;
    digits = instance_of(&lab_problem_digits);
    on_parabola = instance_of(&parabola);
    return 0;
}

static int close_problems(void **state)
{
    (void)state;
    lab_instance_close(&digits);
    lab_instance_close(&on_parabola);
    return 0;
}

static struct lab_race_plan parabola_plan(const double *grid, size_t grid_count, double default_rate)
{
    return plan_of(&on_parabola, grid, grid_count, default_rate);
}

/* The digits in small: the standard rules, 3 rates. */
static struct lab_race_plan digits_plan(void)
{
    struct lab_race_plan plan;
    lab_race_plan_standard(&plan, &digits, true);
    const double grid[] = {0.001, 0.01, 0.1};
    memcpy(plan.grid, grid, sizeof grid);
    plan.grid_count = 3;
    plan.report_seeds = 2;
    plan.steps = 80;
    return plan;
}

/* ---- The plan */

static void the_standard_plan_is_the_one_promised(void **state)
{
    (void)state;
    struct lab_race_plan plan;
    lab_race_plan_standard(&plan, &digits, false);
    assert_int_equal(plan.contender_count, 4);
    for (size_t i = 0; i < plan.contender_count; ++i)
        assert_int_equal(plan.contenders[i].options.rule, i); /* the first four of the enum */
    assert_int_equal(plan.grid_count, 19);
    assert_true(plan.grid[0] == 1e-5 && plan.grid[1] == 2e-5 && plan.grid[18] == 10.0);
    assert_int_equal(plan.tuning_seeds, 3);
    assert_int_equal(plan.report_seeds, 10);
    assert_int_equal(plan.steps, digits.steps);
    for (size_t i = 0; i < plan.contender_count; ++i) {
        assert_string_equal(plan.contenders[i].name, rms_rule_name(plan.contenders[i].options.rule));
        assert_int_equal(plan.contenders[i].options.threads, 1);
    }

    lab_race_plan_standard(&plan, &digits, true);
    assert_true(plan.quick);
    assert_int_equal(plan.grid_count, 7);
    assert_int_equal(plan.steps, digits.quick_steps);
}

static void seeds_are_shared_by_contenders_and_fresh_after_tuning(void **state)
{
    (void)state;
    struct lab_race_plan plan = digits_plan();
    plan.instance = &on_parabola;
    plan.steps = 2;
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_entry *const first = &race.entries[0];
    for (size_t e = 0; e < race.entry_count; ++e) {
        const struct lab_entry *const entry = &race.entries[e];
        for (size_t rate = 0; rate < plan.grid_count; ++rate)
            assert_true(entry->tuning[rate].seed == first->tuning[0].seed);
        for (size_t i = 0; i < plan.report_seeds; ++i) {
            assert_true(entry->default_runs[i].seed == first->default_runs[i].seed);
            assert_true(entry->tuned_runs[i].seed == first->default_runs[i].seed);
            assert_true(entry->tuned_runs[i].seed != first->tuning[0].seed);
        }
    }
    assert_true(first->tuned_runs[0].seed != first->tuned_runs[1].seed);
    lab_race_free(&race);
    assert_null(race.runs);
    lab_race_free(&race);
}

/* ---- One run and its choice */

/* lr 0.5 halves p at each step: p^2 is 1 or 4, then 1/16 of it at step 2, 1/256 at 4, 1/4096 at 6. */
static void a_parabola_gives_the_numbers_worked_out_by_hand(void **state)
{
    (void)state;
    const double grid[] = {0.25, 0.5, 1.0, 1.5};
    const struct lab_race_plan plan = parabola_plan(grid, COUNT_OF(grid), 0.5);
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_entry *const entry = &race.entries[0];
    for (size_t i = 0; i < plan.report_seeds; ++i) {
        const struct lab_run *const run = &entry->default_runs[i];
        const double square = run->seed % 2 ? 4.0 : 1.0;
        assert_int_equal(run->state, LAB_RUN_DONE);
        for (int k = 0; k <= 4; ++k)
            assert_true(run->curve[k] == ldexp(square / 2.0, -4 * k));
        assert_true(run->final.validation == ldexp(square, -16));
        assert_int_equal(run->steps_to_target, run->seed % 2 ? 6 : 4);
        assert_true(entry->tuned_runs[i].final.training == 0.0);
        assert_int_equal(entry->tuned_runs[i].steps_to_target, 2);
    }
    assert_int_equal(entry->best, 2);
    assert_false(entry->best_on_edge);
    assert_true(entry->tuned && entry->tuning_score[2] == 0.0);
    assert_true(entry->tuned_summary.mean_test == 1.0);
    assert_true(entry->tuned_summary.steps_to_target.median == 2.0);
    assert_int_equal(entry->tuned_summary.reached, plan.report_seeds);
    lab_race_free(&race);
}

static void a_best_rate_on_the_edge_is_flagged(void **state)
{
    (void)state;
    static const struct {
        double grid[3];
        size_t count, best;
        bool on_edge;
    } cases[] = {
        {{0.125, 0.25, 0.5}, 3, 2, true},
        {{1.25, 1.5, 1.75}, 3, 0, true},
        {{0.5, 0.75, 1.5}, 3, 1, false},
        {{0.5}, 1, 0, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        const struct lab_race_plan plan = parabola_plan(cases[i].grid, cases[i].count, 0.5);
        struct lab_race race;
        run_race(&race, &plan);
        assert_int_equal(race.entries[0].best, cases[i].best);
        assert_int_equal(race.entries[0].best_on_edge, cases[i].on_edge);
        lab_race_free(&race);
    }
}

/* After 8 steps p^2 is proportional to (1 - lr)^16, within a tenth of (1/2)^16 for |1 - lr| up to 0.50298;
 * lr = 0.498 and 1.502 lie so near, 0.49 does not. */
static void width_spans_the_rates_within_a_tenth_of_the_best(void **state)
{
    (void)state;
    const double grid[] = {0.49, 0.498, 0.5, 1.5, 1.502, 1.6};
    const struct lab_race_plan plan = parabola_plan(grid, COUNT_OF(grid), 0.5);
    struct lab_race race;
    run_race(&race, &plan);
    assert_int_equal(race.entries[0].best, 2);
    assert_true(fabs(race.entries[0].width - log10(1.502 / 0.498)) < 1e-12);
    lab_race_free(&race);

    const double lone[] = {0.01, 1.0, 1.9};
    const struct lab_race_plan sharp = parabola_plan(lone, COUNT_OF(lone), 0.5);
    run_race(&race, &sharp);
    assert_true(race.entries[0].width == 0.0);
    lab_race_free(&race);
}

/* lr = 5 multiplies the loss by 256 from score to score: at step 4 it is 65,536 times that of the start. */
static void divergence_is_counted_and_never_dropped(void **state)
{
    (void)state;
    const double grid[] = {0.5, 1e30};
    const struct lab_race_plan plan = parabola_plan(grid, COUNT_OF(grid), 5.0);
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_entry *const entry = &race.entries[0];
    assert_int_equal(entry->best, 0);
    assert_true(isinf(entry->tuning_score[1]) && isfinite(entry->tuning_score[0]));
    assert_int_equal(entry->defaults.run_count, plan.report_seeds);
    assert_int_equal(entry->defaults.diverged, plan.report_seeds);
    assert_int_equal(entry->defaults.reached, 0);
    assert_true(isinf(entry->defaults.training.median) && isinf(entry->defaults.steps_to_target.low));
    assert_int_equal(entry->tuned_summary.diverged, 0);

    const struct lab_run *const run = &entry->default_runs[0];
    assert_int_equal(run->state, LAB_RUN_DIVERGED);
    assert_true(run->curve[1] == 256.0 * run->curve[0] && isnan(run->curve[2]) && isnan(run->curve[4]));
    assert_true(run->final.test == (run->seed % 2 ? 1.0 / 513.0 : 1.0 / 257.0));
    assert_true(isinf(run->final.validation));
    lab_race_free(&race);
}

/* From the second step on the gradient is infinite where p > 0.9. */
static double ridge_gradient(struct lab_task *task, size_t step)
{
    const double loss = parabola_gradient(task, step);
    if (step > 0 && task->param > 0.9F)
        task->grad = INFINITY;
    return loss;
}

/* lr = 0.05 leaves every p above the ridge; lr = 0.3 those that begin at 1 below it. */
static void where_every_rate_diverges_the_least_divergent_is_taken(void **state)
{
    (void)state;
    struct lab_problem ridge = parabola;
    ridge.gradient = ridge_gradient;
    const struct lab_instance on_ridge = instance_of(&ridge);
    const double grid[] = {0.05, 0.3};
    struct lab_race_plan plan = parabola_plan(grid, COUNT_OF(grid), 0.05);
    plan.instance = &on_ridge;
    plan.tuning_seeds = 8;
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_entry *const entry = &race.entries[0];
    size_t diverged[2] = {0};
    for (size_t i = 0; i < 2 * plan.tuning_seeds; ++i)
        diverged[i / plan.tuning_seeds] += entry->tuning[i].state == LAB_RUN_DIVERGED;
    assert_int_equal(diverged[0], 8);
    assert_in_range(diverged[1], 1, 7);
    assert_true(entry->tuned && entry->best == 1);
    assert_true(isinf(entry->tuning_score[0]) && isinf(entry->tuning_score[1]));
    lab_race_free(&race);
}

static void an_infinite_gradient_diverges_whether_the_library_skips_or_propagates(void **state)
{
    (void)state;
    static const rms_nonfinite choices[] = {RMS_NONFINITE_SKIP, RMS_NONFINITE_PROPAGATE};
    struct lab_problem ridge = parabola;
    ridge.gradient = ridge_gradient;
    const struct lab_instance on_ridge = instance_of(&ridge);
    for (size_t i = 0; i < COUNT_OF(choices); ++i) {
        const double grid[] = {0.5};
        struct lab_race_plan plan = parabola_plan(grid, COUNT_OF(grid), 0.01);
        plan.instance = &on_ridge;
        plan.contenders[0].options.nonfinite = choices[i];
        struct lab_race race;
        run_race(&race, &plan);
        assert_int_equal(race.entries[0].defaults.diverged, plan.report_seeds);
        assert_true((race.entries[0].defaults.mean_test == 0.0) == (choices[i] == RMS_NONFINITE_PROPAGATE));
        lab_race_free(&race);
    }
}

/* The net's tanh saturates, so that its loss is huge but finite. */
static void every_rule_diverges_on_the_digits_at_an_absurd_rate(void **state)
{
    (void)state;
    struct lab_race_plan plan = digits_plan();
    for (size_t i = 0; i < plan.contender_count; ++i)
        plan.contenders[i].options.lr = 1e30;
    struct lab_race race;
    run_race(&race, &plan);
    for (size_t e = 0; e < race.entry_count; ++e)
        assert_int_equal(race.entries[e].defaults.diverged, plan.report_seeds);
    lab_race_free(&race);
}

/* ---- The whole race */

static void results_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    struct lab_race_plan one = digits_plan();
    one.threads = 1;
    struct lab_race expected;
    run_race(&expected, &one);
    static const int threads[] = {0, 2, 5};
    for (size_t i = 0; i < COUNT_OF(threads); ++i) {
        struct lab_race_plan plan = digits_plan();
        plan.threads = threads[i];
        struct lab_race race;
        run_race(&race, &plan);
        assert_in_range(race.threads, 1, threads[i] > 0 ? threads[i] : (int)race.runs_total);
        assert_same_race(&expected, &race);
        lab_race_free(&race);
    }
    assert_int_equal(expected.threads, 1);
    lab_race_free(&expected);
}

static void results_do_not_depend_on_the_instruction_set(void **state)
{
    const rms_isa isa = isa_of_test(state);
    const struct lab_race_plan automatic = digits_plan();
    struct lab_race_plan chosen = digits_plan();
    for (size_t i = 0; i < chosen.contender_count; ++i)
        chosen.contenders[i].options.isa = isa;
    struct lab_race expected, race;
    run_race(&expected, &automatic);
    run_race(&race, &chosen);
    assert_same_race(&expected, &race);
    lab_race_free(&race);
    lab_race_free(&expected);
}

static void another_seed_is_another_race(void **state)
{
    (void)state;
    const struct lab_race_plan plan = digits_plan();
    struct lab_race_plan other = digits_plan();
    other.seed = plan.seed + 1;
    struct lab_race a, b;
    run_race(&a, &plan);
    run_race(&b, &other);
    for (size_t e = 0; e < a.entry_count; ++e)
        assert_true(a.entries[e].tuned_summary.digest != b.entries[e].tuned_summary.digest);
    lab_race_free(&a);
    lab_race_free(&b);
}

static void every_pair_is_compared_once_better_first(void **state)
{
    (void)state;
    const struct lab_race_plan plan = digits_plan();
    struct lab_race race;
    bool met[LAB_CONTENDERS_MAX][LAB_CONTENDERS_MAX] = {{false}};
    run_race(&race, &plan);
    assert_int_equal(race.comparison_count, 6);
    for (size_t i = 0; i < race.comparison_count; ++i) {
        const struct lab_comparison *const pair = &race.tuned_comparisons[i];
        assert_false(pair->better == pair->worse || met[pair->better][pair->worse]);
        met[pair->better][pair->worse] = met[pair->worse][pair->better] = true;
        assert_true(race.entries[pair->better].tuned_summary.test.median >=
                    race.entries[pair->worse].tuned_summary.test.median);
        assert_int_equal(pair->pairs, plan.report_seeds);
        assert_int_equal(pair->significant, plan.report_seeds >= LAB_SEEDS_TO_COMPARE && pair->difference.low > 0.0);

        const struct lab_run *const better = race.entries[pair->better].tuned_runs;
        const struct lab_run *const worse = race.entries[pair->worse].tuned_runs;
        const double sum = better[0].final.test - worse[0].final.test + (better[1].final.test - worse[1].final.test);
        assert_true(fabs(pair->difference.median - sum / 2.0) < 1e-15);
    }
    lab_race_free(&race);
}

/* ---- Watching and stopping; the watcher runs on other threads, so that it only counts. */
struct watch {
    size_t calls, stop_after;
    bool orderly;
    atomic_int stop;
};

static void watch_runs(void *context, const struct lab_race *race, const struct lab_run *finished,
                       const struct lab_entry *entry)
{
    struct watch *const watch = context;
    ++watch->calls;
    watch->orderly = watch->orderly && race->runs_done == watch->calls && finished->state != LAB_RUN_PENDING &&
                     entry >= race->entries && entry < race->entries + race->entry_count;
    if (watch->calls == watch->stop_after)
        watch->stop = 1;
}

static void the_watcher_sees_every_run_once(void **state)
{
    (void)state;
    const struct lab_race_plan plan = digits_plan();
    struct watch watch = {.orderly = true};
    struct lab_race race;
    const struct lab_race_hooks hooks = {.context = &watch, .watch = watch_runs};
    assert_ok(lab_race_run(&race, &plan, &hooks, NULL), "");
    assert_true(watch.orderly);
    assert_int_equal(watch.calls, race.runs_total);
    assert_int_equal(race.runs_total, 4 * (3 + 2 * 2));
    lab_race_free(&race);
}

static void a_stopped_race_holds_what_was_finished(void **state)
{
    (void)state;
    static const size_t stops[] = {1, 5, 13, 26}; /* of 12 that tune and 16 that report; one more may end meanwhile */
    for (size_t s = 0; s < COUNT_OF(stops); ++s) {
        struct lab_race_plan plan = digits_plan();
        plan.threads = 2;
        struct watch watch = {.orderly = true, .stop_after = stops[s]};
        struct lab_race race;
        const struct lab_race_hooks hooks = {.context = &watch, .watch = watch_runs, .stop = &watch.stop};
        assert_ok(lab_race_run(&race, &plan, &hooks, NULL), "");
        assert_true(race.interrupted && watch.orderly);
        assert_in_range(race.runs_done, stops[s], stops[s] + 1);
        size_t finished = 0;
        for (size_t i = 0; i < race.runs_total; ++i)
            finished += race.runs[i].state == LAB_RUN_DONE;
        assert_int_equal(finished, race.runs_done);
        assert_int_equal(race.entries[3].tuned, stops[s] > 12);
        for (size_t e = 0; e < race.entry_count && stops[s] == 26; ++e)
            assert_true(race.entries[e].defaults.run_count > 0 && race.entries[e].tuned_summary.run_count > 0);
        for (size_t e = 0; e < race.entry_count; ++e)
            if (race.entries[e].tuned_summary.run_count == 0)
                assert_true(isnan(race.entries[e].tuned_summary.test.median));
        lab_race_free(&race);
    }
}

static void a_race_stopped_before_it_begins_is_empty_but_in_order(void **state)
{
    (void)state;
    const struct lab_race_plan plan = digits_plan();
    const atomic_int stop = 1;
    struct lab_race race;
    const struct lab_race_hooks hooks = {.stop = &stop};
    assert_ok(lab_race_run(&race, &plan, &hooks, NULL), "");
    assert_true(race.interrupted);
    assert_int_equal(race.runs_done, 0);
    assert_int_equal(race.comparison_count, 0);
    for (size_t e = 0; e < race.entry_count; ++e) {
        assert_false(race.entries[e].tuned);
        assert_true(isnan(race.entries[e].tuning_score[0]));
    }
    lab_race_free(&race);
}

/* ---- Failure */

static void assert_refused(const struct lab_race_plan *plan, rms_status status, const char *sentence)
{
    struct lab_race race;
    rms_error error;
    assert_status(status, lab_race_run(&race, plan, NULL, &error), error.message);
    assert_contains(error.message, sentence);
    assert_null(race.runs);
    assert_int_equal(race.runs_total, 0);
    assert_status(status, lab_race_run(&race, plan, NULL, NULL), "without rms_error");
}

static void a_plan_that_cannot_be_run_is_refused_in_a_sentence(void **state)
{
    (void)state;
    struct lab_race_plan plan = digits_plan();
    plan.contender_count = 0;
    assert_refused(&plan, RMS_ERROR_RANGE, "0 contenders: a race takes 1 to 16");
    plan = digits_plan();
    plan.grid_count = LAB_GRID_MAX + 1;
    assert_refused(&plan, RMS_ERROR_RANGE, "65 learning rates");
    plan = digits_plan();
    plan.tuning_seeds = 0;
    assert_refused(&plan, RMS_ERROR_RANGE, "0 tuning seeds");
    plan = digits_plan();
    plan.report_seeds = LAB_SEEDS_MAX + 1;
    assert_refused(&plan, RMS_ERROR_RANGE, "1001 report seeds");
    plan = digits_plan();
    plan.grid[1] = plan.grid[0];
    assert_refused(&plan, RMS_ERROR_RANGE, "not in rising order");
    plan = digits_plan();
    plan.steps = 50;
    assert_refused(&plan, RMS_ERROR_RANGE, "50 steps: digits takes a positive multiple of 40");
    plan = digits_plan();
    plan.threads = -1;
    assert_refused(&plan, RMS_ERROR_RANGE, "negative number of threads");
    plan = digits_plan();
    plan.instance = NULL;
    assert_refused(&plan, RMS_ERROR_ARGUMENT, "needs a problem");
}

static void what_the_library_refuses_is_told_before_the_start(void **state)
{
    (void)state;
    struct lab_race_plan plan = digits_plan();
    plan.contenders[2].options.rho = 1.5;
    assert_refused(&plan, RMS_ERROR_RANGE, "rmsprop: ");

    plan = digits_plan();
    plan.grid[0] = -1.0;
    assert_refused(&plan, RMS_ERROR_RANGE, "sgd: ");

    plan = digits_plan();
    setenv("RMSPROP_ISA", "vax", 1);
    assert_refused(&plan, RMS_ERROR_UNSUPPORTED, "RMSPROP_ISA=vax");
    unsetenv("RMSPROP_ISA");

    plan = digits_plan();
    plan.contenders[1].options.isa = rms_isa_supported(RMS_ISA_NEON) ? RMS_ISA_AVX2 : RMS_ISA_NEON;
    assert_refused(&plan, RMS_ERROR_UNSUPPORTED, "adagrad: ");
}

static struct lab_task *no_task(const struct lab_instance *instance, uint64_t seed)
{
    (void)instance;
    (void)seed;
    return NULL;
}

static void a_task_that_finds_no_memory_ends_the_race_cleanly(void **state)
{
    (void)state;
    struct lab_problem problem = parabola;
    problem.create = no_task;
    const struct lab_instance instance = instance_of(&problem);
    struct lab_race_plan plan = digits_plan();
    plan.instance = &instance;
    assert_refused(&plan, RMS_ERROR_MEMORY, "parabola: not enough memory to train on it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standard_plan_is_the_one_promised),
        cmocka_unit_test(seeds_are_shared_by_contenders_and_fresh_after_tuning),
        cmocka_unit_test(a_parabola_gives_the_numbers_worked_out_by_hand),
        cmocka_unit_test(a_best_rate_on_the_edge_is_flagged),
        cmocka_unit_test(width_spans_the_rates_within_a_tenth_of_the_best),
        cmocka_unit_test(divergence_is_counted_and_never_dropped),
        cmocka_unit_test(where_every_rate_diverges_the_least_divergent_is_taken),
        cmocka_unit_test(an_infinite_gradient_diverges_whether_the_library_skips_or_propagates),
        cmocka_unit_test(every_rule_diverges_on_the_digits_at_an_absurd_rate),
        cmocka_unit_test(results_do_not_depend_on_the_number_of_threads),
        PER_ISA(results_do_not_depend_on_the_instruction_set),
        cmocka_unit_test(another_seed_is_another_race),
        cmocka_unit_test(every_pair_is_compared_once_better_first),
        cmocka_unit_test(the_watcher_sees_every_run_once),
        cmocka_unit_test(a_stopped_race_holds_what_was_finished),
        cmocka_unit_test(a_race_stopped_before_it_begins_is_empty_but_in_order),
        cmocka_unit_test(a_plan_that_cannot_be_run_is_refused_in_a_sentence),
        cmocka_unit_test(what_the_library_refuses_is_told_before_the_start),
        cmocka_unit_test(a_task_that_finds_no_memory_ends_the_race_cleanly),
    };
    return cmocka_run_group_tests(tests, open_problems, close_problems);
}
