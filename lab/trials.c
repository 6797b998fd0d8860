/* Trials: quasi-random points of declared spaces, and what they set.
 *
 * Halton's sequence (1960) fills a space evenly with however many points are asked for, and is the same for every
 * problem, seed and contender: point i is (i in base 2, base 3, ...), its digits mirrored at the point. */
#include "trials.h"

#include "elementary.h"

#include <math.h>
#include <string.h>

/* What is searched beside the learning rate, which is base 2. One less than rho or the momentum spans a space evenly in
 * its logarithm: from 0.9 to 0.99 is as far as from 0.99 to 0.999. */
static const struct space {
    unsigned searched;
    unsigned base;
    double low, high;
    bool from_one; /* low and high are those of 1 - value */
} spaces[] = {
    {LAB_SEARCH_EPSILON, 3, 1e-10, 0.1, false},
    {LAB_SEARCH_RHO, 5, 1e-4, 0.5, true},
    {LAB_SEARCH_MOMENTUM, 7, 1e-3, 1.0, true},
};
enum { SPACES = sizeof spaces / sizeof *spaces };

static double *value_of(struct lab_trial *trial, unsigned searched)
{
    if (searched == LAB_SEARCH_EPSILON)
        return &trial->epsilon;
    return searched == LAB_SEARCH_RHO ? &trial->rho : &trial->momentum;
}

struct lab_trial lab_trial_none(void)
{
    return (struct lab_trial){(double)NAN, (double)NAN, (double)NAN};
}

static bool takes(rms_rule rule, const char *key)
{
    rms_option_info option;
    for (size_t i = 0; rms_option_at(rule, i, &option); ++i)
        if (strcmp(option.key, key) == 0)
            return true;
    return false;
}

const char *lab_trial_key(const rms_options *options, unsigned searched)
{
    static const char *const keys[SPACES][2] = {{"eps", "eps_inside"}, {"rho", "beta2"}, {"momentum", "beta1"}};
    if (searched == LAB_SEARCH_EPSILON && options->eps == 0.0 && options->eps_inside > 0.0)
        return takes(options->rule, "eps_inside") ? "eps_inside" : NULL;
    for (size_t i = 0; i < SPACES; ++i)
        for (size_t k = 0; k < 2; ++k)
            if (searched == spaces[i].searched && takes(options->rule, keys[i][k]))
                return keys[i][k];
    return NULL;
}

struct lab_trial lab_trial_of(const struct lab_race_plan *plan, size_t index, const rms_options *options)
{
    struct lab_trial trial = lab_trial_none();
    struct lab_trial planned = plan->trials[index];
    for (size_t i = 0; i < SPACES; ++i)
        if ((plan->searched & spaces[i].searched) && lab_trial_key(options, spaces[i].searched))
            *value_of(&trial, spaces[i].searched) = *value_of(&planned, spaces[i].searched);
    return trial;
}

rms_status lab_trial_apply(rms_options *options, double learning_rate, const struct lab_trial *trial, rms_error *error)
{
    struct lab_trial values = *trial;
    rms_status status = RMS_OK;
    options->lr = learning_rate;
    for (size_t i = 0; status == RMS_OK && i < SPACES; ++i) {
        const double value = *value_of(&values, spaces[i].searched);
        const char *const key = lab_trial_key(options, spaces[i].searched);
        if (!isnan(value) && key)
            status = rms_options_set(options, key, value, error);
    }
    return status;
}

/* The digits of index in a base, mirrored at the point: in (0, 1) for index > 0. */
static double mirrored(size_t index, unsigned base)
{
    double digits = 0.0, scale = 1.0;
    for (; index > 0; index /= base) {
        digits = digits * base + (double)(index % base);
        scale *= base;
    }
    return digits / scale;
}

/* Evenly in the logarithm; at no share beyond the ends, by no rounding either. */
static double between(double low, double high, double share)
{
    const double value = low * lab_exp(share * (lab_log(high) - lab_log(low)));
    return value < low ? low : value > high ? high : value;
}

/* Puts the trial at a place so that learning rates rise. */
static void insert(struct lab_race_plan *plan, double rate, const struct lab_trial *trial)
{
    size_t place = plan->grid_count++;
    for (; place > 0 && plan->grid[place - 1] > rate; --place) {
        plan->grid[place] = plan->grid[place - 1];
        plan->trials[place] = plan->trials[place - 1];
    }
    plan->grid[place] = rate;
    plan->trials[place] = *trial;
}

void lab_race_plan_search(struct lab_race_plan *plan, unsigned searched, size_t count)
{
    const double low = plan->grid[0];
    const double high = plan->grid[plan->grid_count > 0 ? plan->grid_count - 1 : 0];
    plan->searched = searched;
    plan->grid_count = 0;
    for (size_t index = 1; index <= count && index <= LAB_GRID_MAX; ++index) {
        struct lab_trial trial = lab_trial_none();
        for (size_t i = 0; i < SPACES; ++i) {
            const double value = between(spaces[i].low, spaces[i].high, mirrored(index, spaces[i].base));
            if (searched & spaces[i].searched)
                *value_of(&trial, spaces[i].searched) = spaces[i].from_one ? 1.0 - value : value;
        }
        insert(plan, between(low, high, mirrored(index, 2)), &trial);
    }
}
