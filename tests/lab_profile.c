/* Performance profiles and normalized scores, of races whose figures are made up. */
#include "lab_parabola.h"
#include "profile.h"

enum { CONTENDERS = 3, SEEDS = 4 };

/* A race that nobody has run. */
struct made {
    struct lab_problem problem;
    struct lab_instance instance;
    struct lab_race_plan plan;
    struct lab_run runs[CONTENDERS][SEEDS];
    struct lab_race race;
};

/* Everyone's median steps to the target, and test scores by seed. */
static void make(struct made *made, bool rising, const double steps[CONTENDERS], double test[CONTENDERS][SEEDS])
{
    static const char *const names[] = {"one", "two", "three"};
    *made = (struct made){.problem = parabola};
    made->problem.test.rising = rising;
    made->instance = instance_of(&made->problem);
    made->plan = (struct lab_race_plan){.instance = &made->instance, .report_seeds = SEEDS, .seed = 1};
    made->race = (struct lab_race){.plan = &made->plan, .entry_count = CONTENDERS};
    for (size_t e = 0; e < CONTENDERS; ++e) {
        struct lab_entry *const entry = &made->race.entries[e];
        entry->name = names[e];
        for (size_t i = 0; i < SEEDS; ++i)
            made->runs[e][i] = (struct lab_run){.state = LAB_RUN_DONE, .final.test = test[e][i]};
        entry->tuned_runs = entry->default_runs = made->runs[e];
        entry->tuned_summary = (struct lab_summary){
            .run_count = SEEDS, .steps_to_target.median = steps[e], .test.median = lab_median(test[e], SEEDS)};
    }
}

static void profile_of(struct lab_profile *profile, const struct made *made, size_t count)
{
    const struct lab_race *races[8];
    rms_error error;
    for (size_t i = 0; i < count; ++i)
        races[i] = &made[i].race;
    assert_ok(lab_profile_make(profile, races, count, true, &error), error.message);
}

/* Ratios 1, 1.5 and 8; 2, 1 and infinity; 1, 1 and 1, where nobody can be seen before the second step. */
static void make_three(struct made made[3])
{
    double test[CONTENDERS][SEEDS] = {{0.0}};
    make(&made[0], true, (double[]){10.0, 15.0, 80.0}, test);
    make(&made[1], true, (double[]){40.0, 20.0, INF}, test);
    make(&made[2], true, (double[]){0.0, 2.0, 2.0}, test);
}

static void ratios_are_to_the_first_of_each_problem(void **state)
{
    (void)state;
    struct made made[3];
    make_three(made);
    struct lab_profile profile;
    profile_of(&profile, made, 3);
    static const double ratios[CONTENDERS][3] = {{1.0, 2.0, 1.0}, {1.5, 1.0, 1.0}, {8.0, HUGE_VAL, 1.0}};
    assert_int_equal(profile.race_count, 3);
    assert_int_equal(profile.entry_count, CONTENDERS);
    assert_string_equal(profile.problems[0], "parabola");
    assert_string_equal(profile.entries[2].name, "three");
    for (size_t e = 0; e < CONTENDERS; ++e)
        for (size_t r = 0; r < 3; ++r)
            assert_true(profile.entries[e].ratio[r] == ratios[e][r]);
    assert_true(profile.entries[0].steps[1] == 40.0);
}

/* Each problem adds (4 - ratio) / 3 to the sum: 1, 2/3 and 1; 5/6, 1 and 1; 0, 0 and 1. */
static void the_score_is_the_area_below_the_profile(void **state)
{
    (void)state;
    struct made made[3];
    make_three(made);
    struct lab_profile profile;
    profile_of(&profile, made, 3);
    static const double scores[] = {8.0 / 9.0, 17.0 / 18.0, 1.0 / 3.0};
    for (size_t e = 0; e < CONTENDERS; ++e) {
        double tau[LAB_PROFILE_POINTS], share[LAB_PROFILE_POINTS], area = 0.0;
        const size_t points = lab_profile_curve(&profile, e, tau, share);
        assert_true(tau[0] == 1.0 && tau[points - 1] == LAB_PROFILE_TAU);
        for (size_t i = 1; i < points; ++i) {
            assert_true(tau[i] >= tau[i - 1] && share[i] >= share[i - 1]);
            assert_true(share[i] == lab_profile_share(&profile, e, tau[i]) || tau[i] == tau[i + 1]);
            area += (tau[i] - tau[i - 1]) * share[i - 1];
        }
        assert_true(fabs(profile.entries[e].score - scores[e]) < 1e-15);
        assert_true(fabs(profile.entries[e].score - area / 3.0) < 1e-15);
    }
    assert_true(lab_profile_share(&profile, 1, 1.49) == 2.0 / 3.0 && lab_profile_share(&profile, 1, 1.5) == 1.0);
    assert_true(lab_profile_share(&profile, 2, 1e300) == 2.0 / 3.0 && lab_profile_share(&profile, 2, 8.0) == 2.0 / 3.0);
    assert_true(lab_profile_share(&profile, 2, INF) == 2.0 / 3.0);
}

static void where_nobody_arrives_nobody_is_first(void **state)
{
    (void)state;
    double test[CONTENDERS][SEEDS] = {{0.0}};
    struct made made[1];
    make(&made[0], true, (double[]){INF, INF, INF}, test);
    made[0].race.entries[2].tuned_summary =
        (struct lab_summary){.steps_to_target.median = NOT_A_NUMBER, .test.median = NOT_A_NUMBER};
    struct lab_profile profile;
    profile_of(&profile, made, 1);
    for (size_t e = 0; e < CONTENDERS; ++e) {
        double tau[LAB_PROFILE_POINTS], share[LAB_PROFILE_POINTS];
        assert_true(isinf(profile.entries[e].ratio[0]) && profile.entries[e].score == 0.0);
        assert_int_equal(lab_profile_curve(&profile, e, tau, share), 2);
        assert_true(share[0] == 0.0 && share[1] == 0.0);
    }
}

/* Of three problems the middle one has no target, though medians are noted: what is left is that of the other two. */
static void a_problem_without_a_target_is_left_out(void **state)
{
    (void)state;
    struct made made[3];
    make_three(made);
    made[1].instance.target = INF;
    struct lab_profile profile;
    profile_of(&profile, made, 3);
    assert_int_equal(profile.race_count, 3);
    assert_int_equal(profile.aimed_count, 2);
    assert_true(profile.aimed[0] && !profile.aimed[1] && profile.aimed[2]);
    static const double scores[] = {1.0, 11.0 / 12.0, 0.5};
    for (size_t e = 0; e < CONTENDERS; ++e) {
        double tau[LAB_PROFILE_POINTS], share[LAB_PROFILE_POINTS];
        assert_true(isnan(profile.entries[e].ratio[1]) && isnan(profile.entries[e].steps[1]));
        assert_true(isfinite(profile.entries[e].ratio[0]) && isfinite(profile.entries[e].ratio[2]));
        assert_true(fabs(profile.entries[e].score - scores[e]) < 1e-15);
        assert_true(lab_profile_share(&profile, e, 8.0) == 1.0);
        const size_t points = lab_profile_curve(&profile, e, tau, share);
        assert_true(share[points - 1] == (e < 2 ? 1.0 : 0.5));
    }
}

static void where_no_problem_has_a_target_only_scores_are_told(void **state)
{
    (void)state;
    struct made made[3];
    make_three(made);
    for (size_t i = 0; i < 3; ++i)
        made[i].instance.target = NOT_A_NUMBER;
    struct lab_profile profile;
    profile_of(&profile, made, 3);
    assert_int_equal(profile.aimed_count, 0);
    for (size_t e = 0; e < CONTENDERS; ++e) {
        double tau[LAB_PROFILE_POINTS], share[LAB_PROFILE_POINTS];
        assert_true(isnan(profile.entries[e].score) && profile.entries[e].normalized.mean == 1.0);
        assert_int_equal(lab_profile_curve(&profile, e, tau, share), 2);
        assert_true(share[0] == 0.0 && share[1] == 0.0);
    }
}

/* Medians 1, 3 and 5: scores of 1, 2, 3, ... are 0, 1/4, 1/2, ... from the worst's median to the best's. Of two such
 * problems with eight scores, the middle half is the third to the sixth. */
static void scores_are_normalized_by_the_best_and_the_worst_median(void **state)
{
    (void)state;
    double rising[CONTENDERS][SEEDS] = {{-5.0, 1.0, 1.0, 2.0}, {1.0, 2.0, 4.0, 5.0}, {4.0, 5.0, 5.0, 90.0}};
    double falling[CONTENDERS][SEEDS];
    for (size_t e = 0; e < CONTENDERS; ++e)
        for (size_t i = 0; i < SEEDS; ++i)
            falling[e][i] = -rising[e][i];
    falling[0][0] = INF;
    struct made made[2];
    make(&made[0], true, (double[]){2.0, 2.0, 2.0}, rising);
    make(&made[1], false, (double[]){2.0, 2.0, 2.0}, falling);
    struct lab_profile profile;
    profile_of(&profile, made, 2);

    /* 0 0 0 1/4; 0 1/4 3/4 1; 3/4 1 1 1, each twice. */
    static const double expected[] = {0.0, 0.5, 1.0};
    for (size_t e = 0; e < CONTENDERS; ++e) {
        const struct lab_mean *const normalized = &profile.entries[e].normalized;
        assert_true(normalized->mean == expected[e]);
        assert_true(normalized->low <= normalized->mean && normalized->mean <= normalized->high);
        assert_true(normalized->low >= 0.0 && normalized->high <= 1.0);
    }
    assert_true(profile.entries[1].normalized.low < 0.5 && profile.entries[1].normalized.high > 0.5);
}

static void races_of_others_are_refused_in_a_sentence(void **state)
{
    (void)state;
    struct made made[3];
    make_three(made);
    const struct lab_race *races[] = {&made[0].race, &made[1].race};
    struct lab_profile profile;
    rms_error error;
    made[1].race.entries[2].name = "four";
    assert_status(RMS_ERROR_ARGUMENT, lab_profile_make(&profile, races, 2, true, &error), error.message);
    assert_contains(error.message, "same contenders");
    made[1].race.entry_count = 2;
    assert_status(RMS_ERROR_ARGUMENT, lab_profile_make(&profile, races, 2, true, &error), error.message);
    assert_status(RMS_ERROR_RANGE, lab_profile_make(&profile, races, 0, true, &error), error.message);
    assert_contains(error.message, "1 to 64 races");
    assert_status(RMS_ERROR_RANGE, lab_profile_make(&profile, races, 65, true, NULL), "");
    assert_int_equal(profile.race_count, 0);
}

/* What is told of a race's default settings is not what is told of its best trials. */
static void a_profile_of_real_races_is_that_of_their_summaries(void **state)
{
    (void)state;
    const struct lab_instance instance = instance_of(&parabola);
    const double grid[] = {0.25, 0.5};
    struct lab_race_plan plan = plan_of(&instance, grid, COUNT_OF(grid), 0.25);
    plan.contenders[1] = plan.contenders[0];
    plan.contenders[1].name = "slow";
    plan.contenders[1].options.lr = 0.125;
    plan.contender_count = 2;
    struct lab_race race;
    run_race(&race, &plan);
    const struct lab_race *const races[] = {&race};
    for (int tuned = 0; tuned < 2; ++tuned) {
        struct lab_profile profile;
        assert_ok(lab_profile_make(&profile, races, 1, tuned, NULL), "");
        for (size_t e = 0; e < 2; ++e) {
            const struct lab_entry *const entry = &race.entries[e];
            const double steps =
                tuned ? entry->tuned_summary.steps_to_target.median : entry->defaults.steps_to_target.median;
            assert_true(profile.entries[e].steps[0] == steps);
        }
        assert_true(profile.entries[1].ratio[0] == (tuned ? 1.0 : HUGE_VAL));
        assert_true(profile.entries[1].normalized.mean == (tuned ? profile.entries[0].normalized.mean : 0.0));
    }
    lab_race_free(&race);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_are_to_the_first_of_each_problem),
        cmocka_unit_test(the_score_is_the_area_below_the_profile),
        cmocka_unit_test(where_nobody_arrives_nobody_is_first),
        cmocka_unit_test(a_problem_without_a_target_is_left_out),
        cmocka_unit_test(where_no_problem_has_a_target_only_scores_are_told),
        cmocka_unit_test(scores_are_normalized_by_the_best_and_the_worst_median),
        cmocka_unit_test(races_of_others_are_refused_in_a_sentence),
        cmocka_unit_test(a_profile_of_real_races_is_that_of_their_summaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
