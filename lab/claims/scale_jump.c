/* Question: who overshoots when gradients grow after a long quiet time, Adam or RMSProp? */
#include "claims/all.h"
#include "claims/experiment.h"

#include <math.h>
#include <stdio.h>

#define QUIET 20000 /* steps without gradient: Adam's bias correction is over, to within 0.999^20000 = 2e-9 */
#define SHOWN 1000
#define LARGE 1e6 /* a gradient beside which every epsilon is nothing */

enum {
    ADAM_FIRST,
    ADAM_PEAK,
    ADAM_PEAK_STEP,
    RMSPROP_90,
    RMSPROP_95,
    RMSPROP_99,
    AT_ONCE,
    LONGER,
    EQUAL_BETAS,
    EPSILON,
    ADAGRAD,
    DQN_LARGE,
    DQN_ONE,
    ADAM_99,
    VERY_FIRST
};
static const struct lab_measure measures[] = {
    [ADAM_FIRST] = {LAB_FIGURE("adam-first", "Adam .9/.999: first step over learning rate", ""),
                    LAB_WITHIN(3.15, 3.17)},
    [ADAM_PEAK] = {LAB_FIGURE("adam-peak", "Adam .9/.999: largest step", ""), LAB_WITHIN(6.56, 6.58)},
    [ADAM_PEAK_STEP] = {LAB_FIGURE("adam-peak-step", "Adam .9/.999: which step that is", ""), LAB_WITHIN(12, 12)},
    [RMSPROP_90] = {LAB_FIGURE("rmsprop-0.9", "RMSProp rho 0.9: first and largest step", ""), LAB_WITHIN(3.15, 3.17)},
    [RMSPROP_95] = {LAB_FIGURE("rmsprop-0.95", "RMSProp rho 0.95: first and largest step", ""), LAB_WITHIN(4.46, 4.48)},
    [RMSPROP_99] = {LAB_FIGURE("rmsprop-0.99", "RMSProp rho 0.99: first and largest step", ""),
                    LAB_WITHIN(9.99, 10.01)},
    [AT_ONCE] = {LAB_FIGURE("at-once", "first step, RMSProp (0.99) over Adam (.9/.999)", ""), LAB_ABOVE(1)},
    [LONGER] = {LAB_FIGURE("longer", "steps above twice the rate, Adam over RMSProp", ""), LAB_ABOVE(1)},
    [EQUAL_BETAS] = {LAB_FIGURE("equal-betas", "Adam with beta1 = beta2 = 0.99: largest step", ""),
                     LAB_AT_MOST(1.0000001)},
    [EPSILON] = {LAB_FIGURE("epsilon", "RMSProp 0.99, first step at |g| = 1: eps 0.1 over 1e-8", ""), LAB_BELOW(1)},
    [ADAGRAD] = {LAB_FIGURE("adagrad", "jump from 100 down to 1, Adagrad: step after 10,000", ""), LAB_BELOW(0.1)},
    [ADAM_99] = {LAB_FIGURE("adam-0.99", "Adam .9/.99: largest step", "")},
    [DQN_LARGE] = {LAB_FIGURE("dqn-large", "preset dqn-nature: first step", ""), LAB_WITHIN(4.58, 4.60)},
    [DQN_ONE] = {LAB_FIGURE("dqn-one", "preset dqn-nature at |g| = 1: first step", ""), LAB_WITHIN(4.16, 4.18)},
    [VERY_FIRST] = {LAB_FIGURE("very-first", "RMSProp 0.99: its very first step, with no past", "")},
};

/* The steps after the jump, over the learning rate. */
struct jump {
    double steps[SHOWN];
};

static rms_status leap(struct jump *jump, const rms_options *options, size_t quiet, double gradient, rms_error *error)
{
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, options, 1, error);
    for (size_t step = 0; status == RMS_OK && step < quiet + SHOWN; ++step) {
        walk.parameters[0] = 0;
        walk.gradients[0] = step < quiet ? 0 : gradient;
        status = lab_walk_step(&walk, error);
        if (step >= quiet)
            jump->steps[step - quiet] = fabs(walk.parameters[0]) / options->lr;
    }
    lab_walk_end(&walk);
    return status;
}

static rms_options rmsprop_with(double rho, double eps)
{
    rms_options options = lab_rule_at(RMS_RMSPROP, 1e-3);
    options.rho = rho;
    options.eps = eps;
    return options;
}

static rms_options adam_with(double beta1, double beta2)
{
    rms_options options = lab_rule_at(RMS_ADAM, 1e-3);
    options.beta1 = beta1;
    options.beta2 = beta2;
    return options;
}

static size_t peak_of(const struct jump *jump)
{
    size_t peak = 0;
    for (size_t step = 1; step < SHOWN; ++step)
        if (jump->steps[step] > jump->steps[peak])
            peak = step;
    return peak;
}

static double steps_above(const struct jump *jump, double bound)
{
    size_t count = 0;
    for (size_t step = 0; step < SHOWN; ++step)
        count += jump->steps[step] > bound;
    return (double)count;
}

enum {
    JUMP_ADAM,
    JUMP_90,
    JUMP_95,
    JUMP_99,
    JUMP_EQUAL,
    JUMP_ADAM_99,
    JUMP_EPSILON,
    JUMP_ONE,
    JUMP_FIRST,
    JUMP_DQN,
    JUMP_DQN_ONE,
    JUMPS
};

static rms_status leap_all(struct jump jumps[JUMPS], rms_error *error)
{
    rms_options dqn;
    rms_status status = rms_options_preset(&dqn, "dqn-nature", error);
    if (status != RMS_OK)
        return status;
    dqn.threads = 1;
    const struct {
        rms_options options;
        size_t quiet;
        double gradient;
    } cases[JUMPS] = {
        [JUMP_ADAM] = {adam_with(0.9, 0.999), QUIET, LARGE},
        [JUMP_90] = {rmsprop_with(0.9, 1e-8), QUIET, LARGE},
        [JUMP_95] = {rmsprop_with(0.95, 1e-8), QUIET, LARGE},
        [JUMP_99] = {rmsprop_with(0.99, 1e-8), QUIET, LARGE},
        [JUMP_EQUAL] = {adam_with(0.99, 0.99), QUIET, LARGE},
        [JUMP_ADAM_99] = {adam_with(0.9, 0.99), QUIET, LARGE},
        [JUMP_EPSILON] = {rmsprop_with(0.99, 0.1), QUIET, 1},
        [JUMP_ONE] = {rmsprop_with(0.99, 1e-8), QUIET, 1},
        [JUMP_FIRST] = {rmsprop_with(0.99, 1e-8), 0, LARGE},
        [JUMP_DQN] = {dqn, QUIET, LARGE},
        [JUMP_DQN_ONE] = {dqn, QUIET, 1},
    };
    for (size_t i = 0; i < JUMPS && status == RMS_OK; ++i)
        status = leap(&jumps[i], &cases[i].options, cases[i].quiet, cases[i].gradient, error);
    return status;
}

/* The other way round: gradients of 100 for as long, then 1. What Adagrad makes of the last of 10,000 steps. */
static rms_status fall(struct lab_finding *finding, rms_error *error)
{
    const rms_options options = lab_rule_at(RMS_ADAGRAD, 1e-3);
    struct lab_walk walk;
    rms_status status = lab_walk_begin(&walk, &options, 1, error);
    for (size_t step = 0; status == RMS_OK && step < QUIET + 10000; ++step) {
        walk.parameters[0] = 0;
        walk.gradients[0] = step < QUIET ? 100 : 1;
        status = lab_walk_step(&walk, error);
    }
    finding->figures[ADAGRAD] = lab_exact(fabs(walk.parameters[0]) / options.lr);
    lab_walk_end(&walk);
    return status;
}

static double largest(const struct jump *jump)
{
    return jump->steps[peak_of(jump)];
}

static void tell(struct lab_finding *finding, const struct jump jumps[JUMPS])
{
    struct lab_figure *const figures = finding->figures;
    figures[ADAM_FIRST] = lab_exact(jumps[JUMP_ADAM].steps[0]);
    figures[ADAM_PEAK] = lab_exact(largest(&jumps[JUMP_ADAM]));
    figures[ADAM_PEAK_STEP] = lab_exact((double)(peak_of(&jumps[JUMP_ADAM]) + 1));
    figures[RMSPROP_90] = lab_exact(jumps[JUMP_90].steps[0]);
    figures[RMSPROP_95] = lab_exact(jumps[JUMP_95].steps[0]);
    figures[RMSPROP_99] = lab_exact(jumps[JUMP_99].steps[0]);
    figures[AT_ONCE] = lab_exact(jumps[JUMP_99].steps[0] / jumps[JUMP_ADAM].steps[0]);
    figures[LONGER] = lab_exact(steps_above(&jumps[JUMP_ADAM], 2) / steps_above(&jumps[JUMP_99], 2));
    figures[EQUAL_BETAS] = lab_exact(largest(&jumps[JUMP_EQUAL]));
    figures[EPSILON] = lab_exact(jumps[JUMP_EPSILON].steps[0] / jumps[JUMP_ONE].steps[0]);
    figures[ADAM_99] = lab_exact(largest(&jumps[JUMP_ADAM_99]));
    figures[DQN_LARGE] = lab_exact(jumps[JUMP_DQN].steps[0]);
    figures[DQN_ONE] = lab_exact(jumps[JUMP_DQN_ONE].steps[0]);
    figures[VERY_FIRST] = lab_exact(jumps[JUMP_FIRST].steps[0]);
    snprintf(
        finding->conclusion, sizeof finding->conclusion,
        "Steps over learning rate after gradients of 0: Adam .9/.999 begins with %.3g, peaks at %.3g in step %g and "
        "stays above 2 for %g steps; RMSProp with rho 0.99 begins with %.3g and is above 2 for %g; Adam with equal "
        "betas never exceeds %.3g. At gradient 1, epsilon 0.1 makes RMSProp's first step %.2g times what it is with "
        "1e-8.",
        figures[ADAM_FIRST].value, figures[ADAM_PEAK].value, figures[ADAM_PEAK_STEP].value,
        steps_above(&jumps[JUMP_ADAM], 2), figures[RMSPROP_99].value, steps_above(&jumps[JUMP_99], 2),
        figures[EQUAL_BETAS].value, figures[EPSILON].value);
}

static bool draw(struct lab_finding *finding, const struct jump jumps[JUMPS])
{
    static const struct {
        size_t jump;
        const char *name;
    } lines[] = {
        {JUMP_ADAM, "Adam .9/.999"}, {JUMP_99, "RMSProp 0.99"}, {JUMP_90, "RMSProp 0.9"}, {JUMP_EQUAL, "Adam .99/.99"}};
    struct lab_chart *const chart = lab_chart_add(
        finding, &(struct lab_chart){.name = "scale-jump-steps",
                                     .title = "Steps after gradients begin again",
                                     .x_title = "step after the jump, log scale",
                                     .y_title = "step over learning rate",
                                     .words = "Size of steps after a long time without gradients. RMSProp begins with "
                                              "its largest step; Adam's grow until the twelfth and stay large for "
                                              "hundreds of steps; with equal betas they never exceed the rate.",
                                     .x_logarithmic = true});
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        struct lab_series *const series = lab_series_add(chart, lines[i].name, SHOWN, false);
        if (!series)
            return false;
        for (size_t step = 0; step < SHOWN; ++step) {
            series->x[step] = (double)(step + 1);
            series->y[step] = jumps[lines[i].jump].steps[step];
        }
    }
    return true;
}

static rms_status run(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error)
{
    (void)experiment;
    struct jump jumps[JUMPS];
    rms_status status = leap_all(jumps, error);
    if (status == RMS_OK)
        status = fall(finding, error);
    if (status != RMS_OK)
        return status;
    tell(finding, jumps);
    return draw(finding, jumps) ? RMS_OK : lab_out_of_memory(error);
}

const struct lab_claim lab_claim_scale_jump = {
    .name = "scale-jump",
    .title = "After a jump of scale: RMSProp at once, Adam for longer",
    .statement = "When gradients grow after a quiet time, RMSProp overshoots more at once and Adam with betas 0.9 and "
                 "0.999 for longer; equal betas bound Adam's steps, and a large epsilon lessens RMSProp's.",
    .source = "Lyle et al., 2023, of Adam's lagging v; the numbers follow from the rules",
    .experiment = "One parameter without gradient for 20,000 steps, then with a constant one of 1,000,000 (of 1 where "
                  "epsilon matters) for 1000: the sizes of the steps over the learning rate. And gradients of 100 for "
                  "20,000 steps, then 1 for 10,000. No chance is in it.",
    .question = true,
    .measures = measures,
    .measure_count = sizeof measures / sizeof measures[0],
    .run = run,
};
