/* Races as parts of experiments. */
#include "claims/contest.h"

#include <math.h>

static void watch(void *context, const struct lab_race *race, const struct lab_run *finished,
                  const struct lab_entry *entry)
{
    const struct lab_experiment *const experiment = context;
    const struct lab_claims_plan *const plan = experiment->plan;
    (void)finished;
    (void)entry;
    const double share = race->runs_total > 0 ? (double)race->runs_done / (double)race->runs_total : 0;
    if (plan->progress)
        plan->progress(plan->context, experiment->from + share * (experiment->to - experiment->from));
}

rms_status lab_contest_run(const struct lab_experiment *experiment, const struct lab_race_plan *plan,
                           struct lab_race *race, rms_error *error)
{
    struct lab_experiment own = *experiment;
    const struct lab_race_hooks hooks = {.context = &own, .watch = watch, .stop = experiment->plan->stop};
    return lab_race_run(race, plan, &hooks, error);
}

static double in_unit(const struct lab_race *race, double score)
{
    const double factor = race->plan->instance->test.factor;
    return factor != 0 ? factor * score : score;
}

static const struct lab_run *runs_of(const struct lab_race *race, size_t entry, bool tuned)
{
    return tuned ? race->entries[entry].tuned_runs : race->entries[entry].default_runs;
}

size_t lab_contest_differences(const struct lab_race *race, size_t a, size_t b, bool tuned, double *values)
{
    const struct lab_run *const ours = runs_of(race, a, tuned);
    const struct lab_run *const theirs = runs_of(race, b, tuned);
    const double sign = race->plan->instance->test.rising ? 1 : -1;
    size_t count = 0;
    for (size_t i = 0; i < race->plan->report_seeds; ++i)
        if (ours[i].state != LAB_RUN_PENDING && theirs[i].state != LAB_RUN_PENDING)
            values[count++] = in_unit(race, sign * (ours[i].final.test - theirs[i].final.test));
    return count;
}

size_t lab_contest_scores(const struct lab_race *race, size_t entry, bool tuned, double *values)
{
    const struct lab_run *const runs = runs_of(race, entry, tuned);
    size_t count = 0;
    for (size_t i = 0; i < race->plan->report_seeds; ++i)
        if (runs[i].state != LAB_RUN_PENDING)
            values[count++] = in_unit(race, runs[i].final.test);
    return count;
}

static double training_in_unit(const struct lab_race *race, double score)
{
    const double factor = race->plan->instance->training.factor;
    return factor != 0 ? factor * score : score;
}

/* Diverged runs have no score then; where half of them have none, neither has the line. */
static void fill_point(struct lab_series *series, size_t point, const struct lab_race *race, size_t entry)
{
    const struct lab_run *const runs = runs_of(race, entry, true);
    double scores[LAB_SEEDS_MAX];
    size_t count = 0;
    size_t missing = 0;
    for (size_t i = 0; i < race->plan->report_seeds; ++i) {
        if (runs[i].state == LAB_RUN_PENDING)
            continue;
        if (isfinite(runs[i].curve[point]))
            scores[count++] = training_in_unit(race, runs[i].curve[point]);
        else
            ++missing;
    }
    const bool told = count > missing;
    series->x[point] = (double)(point * race->plan->instance->score_every);
    series->y[point] = told ? lab_quantile(scores, count, 0.5) : (double)NAN;
    series->low[point] = told ? lab_quantile(scores, count, 0.25) : (double)NAN;
    series->high[point] = told ? lab_quantile(scores, count, 0.75) : (double)NAN;
}

bool lab_contest_draw(struct lab_finding *finding, const struct lab_chart *chart, const struct lab_race *race)
{
    struct lab_chart *const drawn = lab_chart_add(finding, chart);
    const size_t points = race->plan->steps / race->plan->instance->score_every + 1;
    for (size_t entry = 0; entry < race->entry_count && entry < LAB_SERIES_MAX; ++entry) {
        struct lab_series *const series = lab_series_add(drawn, race->entries[entry].name, points, true);
        if (!series)
            return false;
        for (size_t point = 0; point < points; ++point)
            fill_point(series, point, race, entry);
    }
    return true;
}
