/* Claim: rho sets how much of v is remembered; a large gradient scales the rate down, a small one lets it rise. */
#include "claims/all.h"
#include "claims/experiment.h"

#include <math.h>
#include <stdio.h>

#define BEFORE 20000 /* steps with gradient 1: v is 1 then, to within 0.999^20000 = 2e-9 */
#define SPIKE 100.0
#define AFTER 6000
#define SMALL 0.01
#define RECOVERED 0.9
#define SHOWN 2000 /* steps of the chart after the spike */

enum { RHO_90, RHO_99, RHO_999, ADAGRAD, WALKS };
static const double rhos[] = {0.9, 0.99, 0.999};
static const char *const names[WALKS] = {"rho = 0.9", "rho = 0.99", "rho = 0.999", "Adagrad"};

enum {
    DROP_90,
    DROP_99,
    DROP_999,
    FALLS,
    LONGER_99,
    LONGER_999,
    RISE,
    HALF_LIFE,
    BACK_90,
    BACK_99,
    BACK_999,
    BACK_ADAGRAD
};
static const struct lab_measure measures[] = {
    [DROP_90] = {LAB_FIGURE("drop-0.9", "rho 0.9: rate after a gradient of 100 over before", ""), LAB_AT_MOST(0.5)},
    [DROP_99] = {LAB_FIGURE("drop-0.99", "rho 0.99: rate after a gradient of 100 over before", ""), LAB_AT_MOST(0.5)},
    [DROP_999] = {LAB_FIGURE("drop-0.999", "rho 0.999: rate after a gradient of 100 over before", ""),
                  LAB_AT_MOST(0.5)},
    [FALLS] = {LAB_FIGURE("falls", "times that the rate falls while gradients are small", ""), LAB_AT_MOST(0)},
    [LONGER_99] = {LAB_FIGURE("longer-0.99", "way back with rho 0.99 over that with 0.9", ""), LAB_AT_LEAST(2)},
    [LONGER_999] = {LAB_FIGURE("longer-0.999", "way back with rho 0.999 over that with 0.99", ""), LAB_AT_LEAST(2)},
    [RISE] = {LAB_FIGURE("rise", "rise of the rate when gradients fall from 1 to 0.01", ""), LAB_AT_LEAST(90)},
    [HALF_LIFE] = {LAB_FIGURE("half-life", "rho 0.99: until v has halved, without gradients", "steps"),
                   LAB_WITHIN(68, 70)},
    [BACK_90] = {LAB_FIGURE("back-0.9", "rho 0.9: until the rate is back at 90 %", "steps")},
    [BACK_99] = {LAB_FIGURE("back-0.99", "rho 0.99: until the rate is back at 90 %", "steps")},
    [BACK_999] = {LAB_FIGURE("back-0.999", "rho 0.999: until the rate is back at 90 %", "steps")},
    [BACK_ADAGRAD] = {LAB_FIGURE("adagrad", "Adagrad: rate 6000 steps after, over before", "")},
};

/* One walk: the rate just before the spike, and after each step from the spike on. */
struct walked {
    double before;
    double rates[AFTER + 1];
};

static rms_status steps_with(struct lab_walk *walk, double gradient, size_t steps, rms_error *error)
{
    rms_status status = RMS_OK;
    for (size_t step = 0; status == RMS_OK && step < steps; ++step) {
        walk->gradients[0] = gradient;
        status = lab_walk_step(walk, error);
    }
    return status;
}

static rms_options options_of(size_t walk)
{
    rms_options options = lab_rule_at(walk == ADAGRAD ? RMS_ADAGRAD : RMS_RMSPROP, 1e-2);
    if (walk != ADAGRAD)
        options.rho = rhos[walk];
    return options;
}

static rms_status spike_job(void *data, size_t index, rms_error *error)
{
    struct walked *const walked = &((struct walked *)data)[index];
    const rms_options options = options_of(index);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 1, error);
    if (status != RMS_OK)
        return status;
    status = steps_with(&walk, 1, BEFORE, error);
    walked->before = lab_walk_rate(&walk, 0);
    for (size_t step = 0; status == RMS_OK && step <= AFTER; ++step) {
        status = steps_with(&walk, step == 0 ? SPIKE : 1, 1, error);
        walked->rates[step] = lab_walk_rate(&walk, 0);
    }
    lab_walk_end(&walk);
    return status;
}

/* How many times the rate rises when gradients fall, and how long v takes to halve when there are none. */
static rms_status measure_rise(struct lab_finding *finding, rms_error *error)
{
    const rms_options options = options_of(RHO_99);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 1, error);
    if (status != RMS_OK)
        return status;
    status = steps_with(&walk, 1, BEFORE, error);
    const double before = lab_walk_rate(&walk, 0);
    if (status == RMS_OK)
        status = steps_with(&walk, SMALL, AFTER, error);
    finding->figures[RISE] = lab_exact(lab_walk_rate(&walk, 0) / before);

    const double *const v = rms_state(walk.optimizer, 0, "v");
    const double start = v ? *v : (double)NAN;
    size_t steps = 0;
    for (; status == RMS_OK && v && *v > 0.5 * start; ++steps)
        status = steps_with(&walk, 0, 1, error);
    finding->figures[HALF_LIFE] = lab_exact(v ? (double)steps : (double)NAN);
    lab_walk_end(&walk);
    return status;
}

/* Steps after the spike until the rate is nearly what it was; NaN if that is never. */
static double way_back(const struct walked *walked)
{
    for (size_t step = 0; step <= AFTER; ++step)
        if (walked->rates[step] >= RECOVERED * walked->before)
            return (double)step;
    return (double)NAN;
}

static double count_falls(const struct walked *walked)
{
    size_t falls = 0;
    for (size_t step = 1; step <= AFTER; ++step)
        falls += walked->rates[step] < walked->rates[step - 1];
    return (double)falls;
}

static void tell(struct lab_finding *finding, const struct walked walked[WALKS])
{
    double back[3];
    double falls = 0;
    for (size_t i = 0; i < 3; ++i) {
        back[i] = way_back(&walked[i]);
        falls += count_falls(&walked[i]);
        finding->figures[DROP_90 + i] = lab_exact(walked[i].rates[0] / walked[i].before);
        finding->figures[BACK_90 + i] = lab_exact(back[i]);
    }
    finding->figures[FALLS] = lab_exact(falls);
    finding->figures[LONGER_99] = lab_exact(back[1] / back[0]);
    finding->figures[LONGER_999] = lab_exact(back[2] / back[1]);
    finding->figures[BACK_ADAGRAD] = lab_exact(walked[ADAGRAD].rates[AFTER] / walked[ADAGRAD].before);
    snprintf(finding->conclusion, sizeof finding->conclusion,
             "One gradient of 100 among gradients of 1 takes the rate to %.3f, %.3f and %.3f of what it was with rho "
             "0.9, 0.99 and 0.999; it is back at 90 %% after %g, %g and %g steps. Adagrad's is at %.2f after %d.",
             finding->figures[DROP_90].value, finding->figures[DROP_99].value, finding->figures[DROP_999].value,
             back[0], back[1], back[2], finding->figures[BACK_ADAGRAD].value, AFTER);
}

static bool draw(struct lab_finding *finding, const struct walked walked[WALKS])
{
    struct lab_chart *const chart = lab_chart_add(
        finding, &(struct lab_chart){.name = "memory-rate",
                                     .title = "Effective rate around one large gradient",
                                     .x_title = "step after the gradient of 100",
                                     .y_title = "effective rate over that before, log scale",
                                     .words = "Effective learning rate before and after a gradient of 100 among "
                                              "gradients of 1: the smaller rho, the deeper the fall and the sooner the "
                                              "rate is back.",
                                     .y_logarithmic = true});
    for (size_t i = 0; i < WALKS; ++i) {
        struct lab_series *const series = lab_series_add(chart, names[i], SHOWN / 10 + 2, false);
        if (!series)
            return false;
        series->x[0] = -1;
        series->y[0] = 1;
        for (size_t point = 1; point < series->count; ++point) {
            series->x[point] = 10 * (double)(point - 1);
            series->y[point] = walked[i].rates[10 * (point - 1)] / walked[i].before;
        }
    }
    return true;
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    static const struct walked start[WALKS];
    struct walked walked[WALKS];
    for (size_t i = 0; i < WALKS; ++i)
        walked[i] = start[i];
    rms_status status = lab_run_jobs(experiment, WALKS, spike_job, walked, error);
    if (status == RMS_OK)
        status = measure_rise(finding, error);
    if (status != RMS_OK || lab_stopped(experiment))
        return status;
    tell(finding, walked);
    return draw(finding, walked) ? RMS_OK : lab_out_of_memory(error);
}

const struct lab_claim lab_claim_memory = {
    .name = "memory",
    .title = "rho is the memory",
    .statement = "rho sets how much of the squared gradients is remembered: a large gradient scales the effective "
                 "learning rate down, a small one lets it rise again.",
    .source = "Hinton, lecture 6e, 2012",
    .experiment = "One parameter with gradient 1 for 20,000 steps, 100 for one step, 1 again for 6000, with rho 0.9, "
                  "0.99 and 0.999, and with Adagrad; then gradient 1 until v has settled, and 0.01 for 6000 steps, and "
                  "no gradient. No chance is in it.",
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
