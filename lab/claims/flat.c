/* Claim: on flat ground it takes big jumps, on steep ground small ones. */
#include "claims/all.h"
#include "claims/experiment.h"

#include <math.h>
#include <stdio.h>

#define RATE 1e-3
#define STEEP 100.0
#define FLAT 1.0
#define STAGE 4000 /* steps on each ground: v has settled, to within 0.99^4000 = 3e-18 of its way */
#define STAGES 3   /* flat, steep, flat */
#define CROSSING_MAX 2000000
#define SHOWN_BEFORE 100
#define SHOWN 1500
#define SHOWN_POINTS ((size_t)(SHOWN_BEFORE + SHOWN) / 5)

enum { RATE_RATIO, STEP_RATIO, ENTER_STEEP, ENTER_FLAT, AGAINST_SGD, CROSS_RMSPROP, CROSS_SGD, BACK };
static const struct lab_measure measures[] = {
    [RATE_RATIO] = {LAB_FIGURE("rate-ratio", "settled: effective rate on flat over steep", ""), LAB_AT_LEAST(10)},
    [STEP_RATIO] = {LAB_FIGURE("step-ratio", "settled: length of a step on flat over steep", ""), LAB_ABOVE(1)},
    [ENTER_STEEP] = {LAB_FIGURE("enter-steep", "first step on steep ground over the one before", ""), LAB_BELOW(1)},
    [ENTER_FLAT] = {LAB_FIGURE("enter-flat", "first step on flat ground over the one before", ""), LAB_ABOVE(1)},
    [AGAINST_SGD] = {LAB_FIGURE("against-sgd", "settled: RMSProp's flat over steep, over SGD's", ""), LAB_AT_LEAST(10)},
    [CROSS_RMSPROP] = {LAB_FIGURE("cross-rmsprop", "plateau, RMSProp: steps at slope 0.0001 over 0.1", ""),
                       LAB_AT_MOST(1.1)},
    [CROSS_SGD] = {LAB_FIGURE("cross-sgd", "plateau, SGD: steps at slope 0.0001 over 0.1", ""), LAB_AT_LEAST(100)},
    [BACK] = {LAB_FIGURE("back", "flat after steep: until steps are 90 % of the settled", "steps")},
};

/* A walk over flat, steep and flat ground: the length of each step, and the rate after it. */
struct ground {
    double steps[STAGES * STAGE];
    double rates[STAGES * STAGE];
};

static rms_status walk_ground(struct ground *ground, rms_rule rule, rms_error *error)
{
    static const double slopes[STAGES] = {FLAT, STEEP, FLAT};
    const rms_options options = lab_rule_at(rule, RATE);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 1, error);
    for (size_t step = 0; status == RMS_OK && step < (size_t)STAGES * STAGE; ++step) {
        walk.parameters[0] = 0; /* a step from 0 is as long as what it leads to, without rounding */
        walk.gradients[0] = slopes[step / STAGE];
        status = lab_walk_step(&walk, error);
        ground->steps[step] = fabs(walk.parameters[0]);
        ground->rates[step] = status == RMS_OK ? lab_walk_rate(&walk, 0) : 0;
    }
    lab_walk_end(&walk);
    return status;
}

/* Steps that it takes to go a way of 1 down a slope. */
static rms_status cross(double *steps, rms_rule rule, double rate, double slope, rms_error *error)
{
    const rms_options options = lab_rule_at(rule, rate);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 1, error);
    size_t taken = 0;
    for (; status == RMS_OK && walk.parameters[0] > -1 && taken < CROSSING_MAX; ++taken) {
        walk.gradients[0] = slope;
        status = lab_walk_step(&walk, error);
    }
    lab_walk_end(&walk);
    *steps = (double)taken;
    return status;
}

struct crossings {
    double rmsprop[2], sgd[2]; /* steps on the steeper and on the flatter plateau */
};

static rms_status cross_all(struct crossings *crossings, rms_error *error)
{
    static const double slopes[2] = {1e-1, 1e-4};
    rms_status status = RMS_OK;
    for (size_t i = 0; i < 2 && status == RMS_OK; ++i) {
        status = cross(&crossings->rmsprop[i], RMS_RMSPROP, RATE, slopes[i], error);
        if (status == RMS_OK)
            status = cross(&crossings->sgd[i], RMS_SGD, 0.1, slopes[i], error);
    }
    return status;
}

static double steps_until_back(const struct ground *ground)
{
    const double settled = ground->steps[STAGE - 1];
    size_t step = 2 * (size_t)STAGE;
    while (step < (size_t)STAGES * STAGE && ground->steps[step] < 0.9 * settled)
        ++step;
    return (double)(step - 2 * (size_t)STAGE);
}

static void tell(struct lab_finding *finding, const struct ground *rmsprop, const struct ground *sgd,
                 const struct crossings *crossings)
{
    const size_t flat = STAGE - 1;
    const size_t steep = 2 * (size_t)STAGE - 1;
    const double ratio = rmsprop->steps[flat] / rmsprop->steps[steep];
    finding->figures[RATE_RATIO] = lab_exact(rmsprop->rates[flat] / rmsprop->rates[steep]);
    finding->figures[STEP_RATIO] = lab_exact(ratio);
    finding->figures[ENTER_STEEP] = lab_exact(rmsprop->steps[flat + 1] / rmsprop->steps[flat]);
    finding->figures[ENTER_FLAT] = lab_exact(rmsprop->steps[steep + 1] / rmsprop->steps[steep]);
    finding->figures[AGAINST_SGD] = lab_exact(ratio / (sgd->steps[flat] / sgd->steps[steep]));
    finding->figures[CROSS_RMSPROP] = lab_exact(crossings->rmsprop[1] / crossings->rmsprop[0]);
    finding->figures[CROSS_SGD] = lab_exact(crossings->sgd[1] / crossings->sgd[0]);
    finding->figures[BACK] = lab_exact(steps_until_back(rmsprop));
    snprintf(finding->conclusion, sizeof finding->conclusion,
             "Per unit of gradient the step on flat ground is %.4g times that on ground 100 times as steep; its length "
             "is %.4g times. The first step on steep ground is %.3g times, the first on flat ground %.2g times the one "
             "before. To cross a slope 1000 times less takes %.4g times the steps, under SGD %.4g times.",
             finding->figures[RATE_RATIO].value, ratio, finding->figures[ENTER_STEEP].value,
             finding->figures[ENTER_FLAT].value, finding->figures[CROSS_RMSPROP].value,
             finding->figures[CROSS_SGD].value);
}

static bool add_line(struct lab_chart *chart, const char *name, const struct ground *ground)
{
    struct lab_series *const series = lab_series_add(chart, name, 2 * SHOWN_POINTS, false);
    if (!series)
        return false;
    for (size_t point = 0; point < series->count; ++point) {
        /* Around the way up, then around the way down. */
        const size_t first = point < SHOWN_POINTS ? STAGE - SHOWN_BEFORE : 2 * STAGE - SHOWN_BEFORE;
        const size_t offset = point % SHOWN_POINTS * 5;
        series->x[point] = (double)offset + (point < SHOWN_POINTS ? 0 : SHOWN_BEFORE + SHOWN);
        series->y[point] = ground->steps[first + offset] / RATE;
    }
    return true;
}

static bool draw(struct lab_finding *finding, const struct ground *rmsprop, const struct ground *sgd)
{
    struct lab_chart *const chart = lab_chart_add(
        finding, &(struct lab_chart){
                     .name = "flat-steps",
                     .title = "Steps from flat to steep ground and back",
                     .x_title = "step; steep from 100 to 1700",
                     .y_title = "length over learning rate, log scale",
                     .words = "Length of steps on flat, steep and flat ground. SGD's is in proportion to the slope. "
                              "RMSProp's is the same on both once it has settled: it leaps where the ground gets "
                              "steep, and creeps for a while where it gets flat.",
                     .y_logarithmic = true});
    return add_line(chart, "RMSProp", rmsprop) && add_line(chart, "SGD", sgd);
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    (void)experiment;
    struct ground rmsprop;
    struct ground sgd;
    struct crossings crossings;
    rms_status status = walk_ground(&rmsprop, RMS_RMSPROP, error);
    if (status == RMS_OK)
        status = walk_ground(&sgd, RMS_SGD, error);
    if (status == RMS_OK)
        status = cross_all(&crossings, error);
    if (status != RMS_OK)
        return status;
    tell(finding, &rmsprop, &sgd, &crossings);
    return draw(finding, &rmsprop, &sgd) ? RMS_OK : lab_out_of_memory(error);
}

const struct lab_claim lab_claim_flat = {
    .name = "flat",
    .title = "Big jumps on flat ground, small ones on steep",
    .statement = "On flat ground RMSProp takes big jumps, on steep ground small ones.",
    .source = "Hinton, lecture 6e, 2012, as it is usually retold",
    .experiment =
        "One parameter on ground of slope 1, then 100, then 1 again, 4000 steps each, at learning rate 0.001: "
        "the effective rate, and the length of steps when both have settled and where the slope changes. Then "
        "the steps that it takes to go a way of 1 down a slope of 0.1 and of 0.0001; SGD at rate 0.1 there. "
        "No chance is in it.",
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
