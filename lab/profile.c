/* Performance profiles, and scores of several problems in one number. */
#include "profile.h"

#include "verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rms_status refuse(rms_error *error, rms_status status, const char *sentence)
{
    if (error)
        snprintf(error->message, sizeof error->message, "%s", sentence);
    return status;
}

static bool has_same_contenders(const struct lab_race *a, const struct lab_race *b)
{
    if (a->entry_count != b->entry_count)
        return false;
    for (size_t i = 0; i < a->entry_count; ++i)
        if (strcmp(a->entries[i].name, b->entries[i].name) != 0)
            return false;
    return true;
}

static const struct lab_summary *summary_of(const struct lab_entry *entry, bool tuned)
{
    return tuned ? &entry->tuned_summary : &entry->defaults;
}

/* ---------------------------------------------------------------------------------------------------
 * Steps to the target
 * ------------------------------------------------------------------------------------------------- */

/* Infinity also of an entry without runs, and where memory was too short for a median. */
static double median_steps(const struct lab_race *race, size_t entry, bool tuned)
{
    const struct lab_summary *const summary = summary_of(&race->entries[entry], tuned);
    const double earliest = (double)race->plan->instance->score_every;
    const double told = summary->steps_to_target.median;
    const double median = summary->run_count > 0 && !isnan(told) ? told : HUGE_VAL;
    return median > earliest ? median : earliest;
}

static void fill_ratios(struct lab_profile *profile, const struct lab_race *race, size_t index, bool tuned)
{
    double least = HUGE_VAL;
    if (!profile->aimed[index]) { /* who has nowhere to arrive has not missed it */
        for (size_t i = 0; i < profile->entry_count; ++i)
            profile->entries[i].steps[index] = profile->entries[i].ratio[index] = (double)NAN;
        return;
    }
    for (size_t i = 0; i < profile->entry_count; ++i) {
        const double steps = median_steps(race, i, tuned);
        profile->entries[i].steps[index] = steps;
        least = steps < least ? steps : least;
    }
    for (size_t i = 0; i < profile->entry_count; ++i) {
        struct lab_profile_entry *const entry = &profile->entries[i];
        entry->ratio[index] = isfinite(entry->steps[index]) ? entry->steps[index] / least : HUGE_VAL;
    }
}

/* The area below a profile is the sum of what each problem adds: from its ratio to the end. */
static double area_score(const struct lab_profile *profile, const struct lab_profile_entry *entry)
{
    double sum = 0.0;
    for (size_t i = 0; i < profile->race_count; ++i)
        sum += entry->ratio[i] < LAB_PROFILE_TAU ? LAB_PROFILE_TAU - entry->ratio[i] : 0.0; /* NaN: no target */
    return profile->aimed_count > 0 ? sum / ((LAB_PROFILE_TAU - 1.0) * (double)profile->aimed_count) : (double)NAN;
}

double lab_profile_share(const struct lab_profile *profile, size_t entry, double tau)
{
    size_t within = 0;
    for (size_t i = 0; i < profile->race_count; ++i)
        within += profile->entries[entry].ratio[i] <= tau && isfinite(profile->entries[entry].ratio[i]);
    return profile->aimed_count > 0 ? (double)within / (double)profile->aimed_count : 0.0;
}

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

size_t lab_profile_curve(const struct lab_profile *profile, size_t entry, double tau[LAB_PROFILE_POINTS],
                         double share[LAB_PROFILE_POINTS])
{
    double ratios[LAB_PROFILE_RACES_MAX];
    size_t aimed = 0;
    for (size_t i = 0; i < profile->race_count; ++i)
        if (profile->aimed[i])
            ratios[aimed++] = profile->entries[entry].ratio[i];
    qsort(ratios, aimed, sizeof *ratios, ascending);

    size_t count = 1;
    tau[0] = 1.0;
    share[0] = lab_profile_share(profile, entry, 1.0);
    for (size_t i = 0; i < aimed; ++i) {
        const double at = ratios[i];
        if (at <= tau[count - 1] || at > LAB_PROFILE_TAU)
            continue;
        tau[count] = tau[count + 1] = at;
        share[count] = share[count - 1];
        share[count + 1] = lab_profile_share(profile, entry, at);
        count += 2;
    }
    tau[count] = LAB_PROFILE_TAU;
    share[count] = share[count - 1];
    return count + 1;
}

/* ---------------------------------------------------------------------------------------------------
 * Normalized scores
 * ------------------------------------------------------------------------------------------------- */

/* The best and the worst median of any contender, both NaN where there is none that is finite. */
static void find_ends(const struct lab_race *race, bool tuned, double *best, double *worst)
{
    const struct lab_quantity *const quantity = &race->plan->instance->test;
    *best = *worst = (double)NAN;
    for (size_t i = 0; i < race->entry_count; ++i) {
        const double median = summary_of(&race->entries[i], tuned)->test.median;
        if (!isfinite(median))
            continue;
        if (isnan(*best) || lab_is_better(quantity, median, *best))
            *best = median;
        if (isnan(*worst) || lab_is_better(quantity, *worst, median))
            *worst = median;
    }
}

/* Where all medians are the same, everyone is as good as the best. */
static double normalize(const struct lab_quantity *quantity, double value, double best, double worst)
{
    if (!isfinite(value) || isnan(best))
        return 0.0;
    if (!lab_is_better(quantity, best, value))
        return 1.0;
    return lab_is_better(quantity, value, worst) ? (value - worst) / (best - worst) : 0.0;
}

/* Appends the scores of an entry's runs in one race; returns how many. */
static size_t append_scores(double *values, const struct lab_race *race, size_t index, bool tuned)
{
    const struct lab_entry *const entry = &race->entries[index];
    const struct lab_run *const runs = tuned ? entry->tuned_runs : entry->default_runs;
    double best, worst;
    size_t count = 0;
    find_ends(race, tuned, &best, &worst);
    for (size_t i = 0; i < race->plan->report_seeds; ++i)
        if (runs[i].state != LAB_RUN_PENDING)
            values[count++] = normalize(&race->plan->instance->test, runs[i].final.test, best, worst);
    return count;
}

static rms_status fill_scores(struct lab_profile *profile, const struct lab_race *const *races, bool tuned)
{
    double *const values = malloc(profile->race_count * LAB_SEEDS_MAX * sizeof *values);
    if (!values)
        return RMS_ERROR_MEMORY;
    for (size_t i = 0; i < profile->entry_count; ++i) {
        size_t counts[LAB_PROFILE_RACES_MAX];
        size_t total = 0;
        for (size_t r = 0; r < profile->race_count; total += counts[r++])
            counts[r] = append_scores(values + total, races[r], i, tuned);
        profile->entries[i].normalized =
            lab_bootstrap_strata(values, counts, profile->race_count, lab_bootstrap_seed(races[0]->plan));
    }
    free(values);
    return RMS_OK;
}

rms_status lab_profile_make(struct lab_profile *profile, const struct lab_race *const *races, size_t race_count,
                            bool tuned, rms_error *error)
{
    *profile = (struct lab_profile){0};
    if (race_count < 1 || race_count > LAB_PROFILE_RACES_MAX)
        return refuse(error, RMS_ERROR_RANGE, "a profile takes 1 to 64 races");
    for (size_t i = 1; i < race_count; ++i)
        if (!has_same_contenders(races[0], races[i]))
            return refuse(error, RMS_ERROR_ARGUMENT, "a profile takes races of the same contenders in the same order");

    profile->race_count = race_count;
    profile->entry_count = races[0]->entry_count;
    for (size_t i = 0; i < profile->entry_count; ++i)
        profile->entries[i].name = races[0]->entries[i].name;
    for (size_t i = 0; i < race_count; ++i) {
        profile->problems[i] = races[i]->plan->instance->name;
        profile->aimed[i] = isfinite(races[i]->plan->instance->target);
        profile->aimed_count += profile->aimed[i];
        fill_ratios(profile, races[i], i, tuned);
    }
    for (size_t i = 0; i < profile->entry_count; ++i)
        profile->entries[i].score = area_score(profile, &profile->entries[i]);
    if (fill_scores(profile, races, tuned) == RMS_OK)
        return RMS_OK;
    *profile = (struct lab_profile){0};
    return refuse(error, RMS_ERROR_MEMORY, "not enough memory for a profile");
}
