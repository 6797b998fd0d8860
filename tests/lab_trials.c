/* Quasi-random trials: where they lie, that they are the same for all, and what they set. */
#include "lab_parabola.h"

static const unsigned ALL = LAB_SEARCH_EPSILON | LAB_SEARCH_RHO | LAB_SEARCH_MOMENTUM;

static struct lab_instance on_parabola;

static int open_problem(void **state)
{
    (void)state;
    on_parabola = instance_of(&parabola);
    return 0;
}

static struct lab_race_plan searched_plan(unsigned searched, size_t count)
{
    const double grid[] = {1e-3, 0.5};
    struct lab_race_plan plan = plan_of(&on_parabola, grid, COUNT_OF(grid), 0.1);
    lab_race_plan_search(&plan, searched, count);
    return plan;
}

/* The first point is 1/2, 1/3, 1/5 and 1/7 of the way along the logarithms. */
static void the_first_trial_is_where_the_sequence_begins(void **state)
{
    (void)state;
    const struct lab_race_plan plan = searched_plan(ALL, 1);
    assert_int_equal(plan.grid_count, 1);
    assert_int_equal(plan.searched, ALL);
    assert_true(fabs(plan.grid[0] / sqrt(1e-3 * 0.5) - 1.0) < 1e-14);
    assert_true(fabs(plan.trials[0].epsilon / 1e-7 - 1.0) < 1e-14);
    assert_true(fabs((1.0 - plan.trials[0].rho) / (1e-4 * pow(5000.0, 0.2)) - 1.0) < 1e-12);
    assert_true(fabs((1.0 - plan.trials[0].momentum) / (1e-3 * pow(1000.0, 1.0 / 7.0)) - 1.0) < 1e-12);
}

static void trials_lie_within_the_declared_spaces_with_rising_rates(void **state)
{
    (void)state;
    for (size_t count = 1; count <= LAB_GRID_MAX; ++count) {
        const struct lab_race_plan plan = searched_plan(ALL, count);
        assert_int_equal(plan.grid_count, count);
        for (size_t i = 0; i < count; ++i) {
            const struct lab_trial *const trial = &plan.trials[i];
            assert_true(plan.grid[i] >= 1e-3 && plan.grid[i] <= 0.5);
            assert_true(i == 0 || plan.grid[i] > plan.grid[i - 1]);
            assert_true(trial->epsilon >= 1e-10 && trial->epsilon <= 0.1);
            assert_true(trial->rho >= 0.5 && trial->rho <= 1.0 - 1e-4);
            assert_true(trial->momentum >= 0.0 && trial->momentum <= 1.0 - 1e-3);
        }
    }
}

/* In base b, the k-th part of b holds the points whose last digit is k; the sequence begins at 1. */
static void every_part_of_a_space_gets_its_share(void **state)
{
    (void)state;
    for (size_t count = 1; count <= LAB_GRID_MAX; ++count) {
        const struct lab_race_plan plan = searched_plan(ALL, count);
        size_t rates[2] = {0}, epsilons[3] = {0}, rhos[5] = {0}, momenta[7] = {0};
        for (size_t i = 0; i < count; ++i) {
            const struct lab_trial *const trial = &plan.trials[i];
            ++rates[(size_t)(2.0 * log(plan.grid[i] / 1e-3) / log(500.0) + 1e-9)];
            ++epsilons[(size_t)(3.0 * log(trial->epsilon / 1e-10) / log(1e9) + 1e-9)];
            ++rhos[(size_t)(5.0 * log((1.0 - trial->rho) / 1e-4) / log(5000.0) + 1e-9)];
            ++momenta[(size_t)(7.0 * log((1.0 - trial->momentum) / 1e-3) / log(1000.0) + 1e-9)];
        }
        const struct {
            const size_t *shares;
            size_t base;
        } spaces[] = {{rates, 2}, {epsilons, 3}, {rhos, 5}, {momenta, 7}};
        for (size_t s = 0; s < COUNT_OF(spaces); ++s)
            for (size_t part = 0; part < spaces[s].base; ++part) {
                const size_t base = spaces[s].base;
                assert_int_equal(spaces[s].shares[part], count / base + (part > 0 && part <= count % base));
            }
    }
}

static void rates_are_the_same_whatever_else_is_searched_and_what_is_not_is_left(void **state)
{
    (void)state;
    const struct lab_race_plan all = searched_plan(ALL, 20), rates = searched_plan(0, 20),
                               epsilons = searched_plan(LAB_SEARCH_EPSILON, 20);
    assert_memory_equal(all.grid, rates.grid, 20 * sizeof *all.grid);
    assert_memory_equal(all.grid, epsilons.grid, 20 * sizeof *all.grid);
    for (size_t i = 0; i < 20; ++i) {
        assert_true(epsilons.trials[i].epsilon == all.trials[i].epsilon);
        assert_true(isnan(epsilons.trials[i].rho) && isnan(epsilons.trials[i].momentum));
    }
    assert_int_equal(searched_plan(ALL, LAB_GRID_MAX + 5).grid_count, LAB_GRID_MAX);
}

static void a_trial_sets_what_the_rule_has(void **state)
{
    (void)state;
    static const struct {
        rms_rule rule;
        const char *set, *keys[3];
    } cases[] = {
        {RMS_SGD, "", {NULL, NULL, "momentum"}},
        {RMS_ADAGRAD, "", {"eps", NULL, NULL}},
        {RMS_RMSPROP, "", {"eps", "rho", "momentum"}},
        {RMS_RMSPROP, "eps_inside=1e-7 eps=0", {"eps_inside", "rho", "momentum"}},
        {RMS_ADAM, "", {"eps", "beta2", "beta1"}},
        {RMS_RPROP, "", {NULL, NULL, NULL}},
        {RMS_ADADELTA, "", {"eps_inside", "rho", NULL}},
        {RMS_ADAMAX, "", {"eps", "beta2", "beta1"}},
        {RMS_NADAM, "", {"eps", "beta2", "beta1"}},
        {RMS_RADAM, "", {"eps", "beta2", "beta1"}},
        {RMS_LION, "", {NULL, "beta2", "beta1"}},
    };
    static const unsigned searches[] = {LAB_SEARCH_EPSILON, LAB_SEARCH_RHO, LAB_SEARCH_MOMENTUM};
    const struct lab_trial trial = {1e-3, 0.75, 0.625};
    const double values[] = {trial.epsilon, trial.rho, trial.momentum};
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        rms_options options = rms_options_for(cases[i].rule);
        set_options(&options, cases[i].set);
        rms_options expected = options;
        expected.lr = 0.25;
        for (size_t k = 0; k < COUNT_OF(searches); ++k) {
            const char *const key = lab_trial_key(&options, searches[k]);
            if (!cases[i].keys[k]) {
                assert_null(key);
                continue;
            }
            assert_string_equal(key, cases[i].keys[k]);
            assert_ok(rms_options_set(&expected, key, values[k], NULL), key);
        }
        assert_ok(lab_trial_apply(&options, 0.25, &trial, NULL), rms_rule_name(cases[i].rule));
        assert_memory_equal(&options, &expected, sizeof options);
        const struct lab_trial none = lab_trial_none();
        assert_ok(lab_trial_apply(&options, 0.25, &none, NULL), rms_rule_name(cases[i].rule));
        assert_memory_equal(&options, &expected, sizeof options);
    }
}

/* ---- Races */

static struct lab_race_plan searched_race(unsigned searched)
{
    static const rms_rule rules[] = {RMS_SGD, RMS_RMSPROP, RMS_ADAM};
    struct lab_race_plan plan = searched_plan(searched, 6);
    plan.contender_count = COUNT_OF(rules);
    for (size_t i = 0; i < COUNT_OF(rules); ++i) {
        plan.contenders[i] = (struct lab_contender){rms_rule_name(rules[i]), rms_options_for(rules[i]), 0, 0};
        plan.contenders[i].options.threads = 1;
    }
    return plan;
}

static void everyone_has_the_same_trials_as_far_as_the_rule_has_them(void **state)
{
    (void)state;
    const struct lab_race_plan plan = searched_race(LAB_SEARCH_EPSILON | LAB_SEARCH_MOMENTUM);
    struct lab_race race;
    run_race(&race, &plan);
    for (size_t e = 0; e < race.entry_count; ++e) {
        const struct lab_entry *const entry = &race.entries[e];
        for (size_t i = 0; i < plan.grid_count * plan.tuning_seeds; ++i) {
            const struct lab_run *const run = &entry->tuning[i];
            const size_t trial = i / plan.tuning_seeds;
            assert_true(run->learning_rate == plan.grid[trial]);
            assert_true(e == 0 ? isnan(run->trial.epsilon) : run->trial.epsilon == plan.trials[trial].epsilon);
            assert_true(run->trial.momentum == plan.trials[trial].momentum);
            assert_true(isnan(run->trial.rho));
        }
        const struct lab_run *const tuned = entry->tuned_runs;
        assert_true(tuned->learning_rate == plan.grid[entry->best]);
        assert_true(tuned->trial.momentum == plan.trials[entry->best].momentum);
        assert_true(isnan(entry->default_runs->trial.momentum));
        assert_true(entry->width == 0.0);
        for (size_t k = 0; k < plan.grid_count; ++k)
            assert_true(entry->tuning_score[entry->best] <= entry->tuning_score[k]);
    }
    lab_race_free(&race);
}

/* SGD with momentum m from p: b = p, p -= lr b; b = m b + p, p -= lr b; and so on, here with powers of two. */
static void a_trial_is_what_is_run(void **state)
{
    (void)state;
    struct lab_race_plan plan = searched_race(LAB_SEARCH_MOMENTUM);
    plan.contender_count = 1;
    plan.grid_count = 1;
    plan.grid[0] = 0.5;
    plan.trials[0] = (struct lab_trial){0.0, 0.0, 0.25};
    plan.steps = 2;
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_run *const run = race.entries[0].tuning;
    const double start = run->seed % 2 ? 2.0 : 1.0;
    const double first = start - 0.5 * start, second = first - 0.5 * (0.25 * start + first);
    assert_true(run->curve[1] == 0.5 * second * second && second == 0.125 * start);
    lab_race_free(&race);
}

static void a_trial_that_the_library_refuses_is_told_before_the_start(void **state)
{
    (void)state;
    struct lab_race_plan plan = searched_race(LAB_SEARCH_RHO);
    plan.trials[4].rho = 1.5;
    struct lab_race race;
    rms_error error;
    assert_status(RMS_ERROR_RANGE, lab_race_run(&race, &plan, NULL, &error), error.message);
    assert_contains(error.message, "rmsprop: ");
    assert_contains(error.message, "rho");
    assert_null(race.runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_trial_is_where_the_sequence_begins),
        cmocka_unit_test(trials_lie_within_the_declared_spaces_with_rising_rates),
        cmocka_unit_test(every_part_of_a_space_gets_its_share),
        cmocka_unit_test(rates_are_the_same_whatever_else_is_searched_and_what_is_not_is_left),
        cmocka_unit_test(a_trial_sets_what_the_rule_has),
        cmocka_unit_test(everyone_has_the_same_trials_as_far_as_the_rule_has_them),
        cmocka_unit_test(a_trial_is_what_is_run),
        cmocka_unit_test(a_trial_that_the_library_refuses_is_told_before_the_start),
    };
    return cmocka_run_group_tests(tests, open_problem, NULL);
}
