/* What state in 16 and 8 bits does to the numbers that a rule keeps: averages move where they should although each
 * step moves them by less than a code; what is small beside its neighbours is kept; what has no gradient stays where it
 * is. All against the same run with full state, with fixed seeds, so that a test passes always or never. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 4096, BLOCK = RMS_STATE_BLOCK };
static const rms_state_format short_formats[] = {RMS_STATE_16_BIT, RMS_STATE_8_BIT};

/* A tensor of COUNT parameters in an optimizer of its own. */
struct run {
    rms_optimizer *optimizer;
    float param[COUNT], grad[COUNT];
    float numbers[COUNT]; /* of a slot, as last read */
};

static void begin(struct run *run, rms_options options, rms_state_format format)
{
    options.state_format = format;
    options.seed = 5;
    options.threads = 1;
    for (size_t i = 0; i < COUNT; ++i) {
        run->param[i] = 1;
        run->grad[i] = 0;
    }
    run->optimizer = create_optimizer(&options);
    add_tensor(run->optimizer, "w", run->param, run->grad, COUNT);
}

static void step(struct run *run)
{
    assert_ok(rms_step(run->optimizer, NULL), rms_message(run->optimizer));
}

static void read_slot(struct run *run, const char *slot)
{
    assert_ok(rms_read_state(run->optimizer, 0, slot, run->numbers), rms_message(run->optimizer));
}

static rms_options rmsprop(void)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.rho = 0.99;
    options.lr = 1e-4;
    return options;
}

/* ---- A switch: the squared gradient is 0.5 until the average has settled, then 0.05. The largest of each block may
 * stay, so that the others have to move within its scale. */

enum { SETTLE = 1000, SWITCHED = 700 };
static struct run full, shorter;

static void set_gradients(struct run *run, bool switched, bool largest_stays)
{
    const float before = sqrtf(0.5F);
    const float after = sqrtf(0.05F);
    for (size_t i = 0; i < COUNT; ++i)
        run->grad[i] = !switched || (largest_stays && i % BLOCK == 0) ? before : after;
}

/* One step as the library would take it with rounding to nearest: so are numbers that are written rounded. */
static void step_to_nearest(struct run *run)
{
    read_slot(run, "v");
    for (size_t i = 0; i < COUNT; ++i)
        run->numbers[i] = 0.99F * run->numbers[i] + 0.01F * (run->grad[i] * run->grad[i]);
    assert_ok(rms_write_state(run->optimizer, 0, "v", run->numbers), rms_message(run->optimizer));
}

/* The largest relative distance of the means, over all steps; of the elements that switch. */
static double follow(rms_state_format format, bool largest_stays, void take_step(struct run *run), double *spread)
{
    double worst = 0;
    begin(&full, rmsprop(), RMS_STATE_FULL);
    begin(&shorter, rmsprop(), format);
    *spread = 0;
    for (size_t t = 0; t < SETTLE + SWITCHED; ++t) {
        set_gradients(&full, t >= SETTLE, largest_stays);
        set_gradients(&shorter, t >= SETTLE, largest_stays);
        step(&full);
        take_step(&shorter);
        read_slot(&full, "v");
        read_slot(&shorter, "v");
        double sum = 0, squares = 0, n = 0;
        for (size_t i = 0; i < COUNT; ++i)
            if (i % BLOCK != 0) {
                const double ratio = (double)shorter.numbers[i] / (double)full.numbers[i];
                assert_true(ratio > 0);
                sum += ratio;
                squares += ratio * ratio;
                ++n;
            }
        worst = fmax(worst, fabs(sum / n - 1));
        *spread = fmax(*spread, sqrt(fmax(squares / n - sum / n * (sum / n), 0)));
        ++numbers_compared;
    }
    rms_free(full.optimizer);
    rms_free(shorter.optimizer);
    return worst;
}

/* Two percent are wanted. Elements are rounded independently, so that their mean is off by 5 of its standard deviations
 * at most, whatever the spread of one. */
static void the_average_follows_a_switch(void **state)
{
    (void)state;
    enum { SWITCHING = COUNT - COUNT / BLOCK };
    for (size_t f = 0; f < COUNT_OF(short_formats); ++f)
        for (int stays = 0; stays < 2; ++stays) {
            double spread;
            const double worst = follow(short_formats[f], stays, step, &spread);
            print_message("%s, largest %s: mean within %.2f %%, spread of one %.1f %%\n",
                          rms_state_format_name(short_formats[f]), stays ? "stays" : "switches", 100 * worst,
                          100 * spread);
            assert_true(worst <= 0.02);
            assert_true(worst <= 5 * spread / sqrt(SWITCHING));
        }
    report_comparisons("switch");
}

/* The same measure fails, by ten times what is wanted, for what the formats would do without random bits. */
static void rounded_to_nearest_it_would_not(void **state)
{
    (void)state;
    for (size_t f = 0; f < COUNT_OF(short_formats); ++f) {
        double spread;
        const double worst = follow(short_formats[f], true, step_to_nearest, &spread);
        print_message("%s, to nearest: mean off by %.0f %%\n", rms_state_format_name(short_formats[f]), 100 * worst);
        assert_true(worst > 0.2);
    }
    report_comparisons("nearest");
}

/* ---- Small numbers beside a large one: the first of each block has the squared gradient 1, the others have 10^-1 to
 * 10^-9 of it, on average. */

enum { DECADES = 9, REST = 1000, LOOKS = 5, BETWEEN = 500 }; /* looks are five times the average's memory apart */

/* Box and Muller. */
static double gaussian(uint64_t *random)
{
    const double radius = sqrt(-2 * log(((double)(random_bits(random) >> 12) + 1) * 0x1p-52));
    return radius * cos(6.283185307179586 * (double)(random_bits(random) >> 12) * 0x1p-52);
}

static size_t decade_of(size_t i)
{
    return 1 + i % DECADES;
}

static void draw_gradients(struct run *run, struct run *twin, uint64_t *random)
{
    for (size_t i = 0; i < COUNT; ++i) {
        const double scale = pow(10, -0.5 * (double)decade_of(i));
        run->grad[i] = i % BLOCK == 0 ? 1 : (float)(scale * gaussian(random));
        twin->grad[i] = run->grad[i];
    }
}

/* By decade: short state over full, and its spread, in units of the mean. */
struct ratios {
    double sum[DECADES + 1], squares[DECADES + 1], count[DECADES + 1];
};

static void look(struct run *run, struct run *twin, struct ratios *ratios)
{
    read_slot(run, "v");
    read_slot(twin, "v");
    for (size_t i = 0; i < COUNT; ++i)
        if (i % BLOCK != 0) {
            const size_t decade = decade_of(i);
            const double off = ((double)twin->numbers[i] - (double)run->numbers[i]) / pow(10, -(double)decade);
            assert_true(twin->numbers[i] > 0);
            ratios->sum[decade] += off;
            ratios->squares[decade] += off * off;
            ++ratios->count[decade];
            ++numbers_compared;
        }
}

/* In units of v: a step moves v by 0.01 |g^2 - v|, which is 0.0127 on average at most (0.97 is the mean of |g^2 - 1|,
 * and 0.3 that of |v - 1|). A move by a share p of the step between two codes adds p (1 - p) of its square to the
 * variance, at most move times step, and the step is v / 8 at most (v / 128 for bf16). Each later step keeps 0.99 of
 * the error, so that the variance becomes 0.0127 / 8 / (1 - 0.99^2) = 0.283^2. */
static double largest_spread(rms_state_format format)
{
    const double code = format == RMS_STATE_8_BIT ? 1.0 / 8 : 1.0 / 128;
    return sqrt(0.0127 * code / (1 - 0.99 * 0.99));
}

/* The last decade is at the block's lower end, 2^-31 of its largest: there only upwards is guaranteed. */
static void small_averages_keep_their_size(void **state)
{
    (void)state;
    for (size_t f = 0; f < COUNT_OF(short_formats); ++f) {
        struct ratios ratios = {.sum = {0}};
        uint64_t random = 21;
        begin(&full, rmsprop(), RMS_STATE_FULL);
        begin(&shorter, rmsprop(), short_formats[f]);
        for (size_t t = 1; t <= REST + LOOKS * BETWEEN; ++t) {
            draw_gradients(&full, &shorter, &random);
            step(&full);
            step(&shorter);
            if (t > REST && (t - REST) % BETWEEN == 0)
                look(&full, &shorter, &ratios);
        }
        for (size_t decade = 1; decade <= DECADES; ++decade) {
            const double off = ratios.sum[decade] / ratios.count[decade];
            const double spread = sqrt(ratios.squares[decade] / ratios.count[decade]);
            const double allowed = 5 * spread / sqrt(ratios.count[decade]);
            print_message("%s, 1e-%zu: mean %.4f (5 deviations are %.4f), spread %.1f %%\n",
                          rms_state_format_name(short_formats[f]), decade, 1 + off, allowed, 100 * spread);
            assert_true(off >= -allowed);
            assert_true(off <= allowed || decade == DECADES);
            assert_true(spread <= largest_spread(short_formats[f]));
        }
        rms_free(full.optimizer);
        rms_free(shorter.optimizer);
    }
    report_comparisons("small averages");
}

/* ---- Adagrad: 2000 squares of 10^-4, each less than a thousandth of a code, upon a sum of 1 */

enum { SQUARES = 2000 };

static double grow(rms_state_format format, bool to_nearest)
{
    rms_options options = rms_options_for(RMS_ADAGRAD);
    options.initial_accumulator = 1;
    begin(&shorter, options, format);
    double sum = 0;
    for (size_t i = 0; i < COUNT; ++i)
        shorter.grad[i] = 0.01F;
    for (size_t t = 0; t < SQUARES; ++t) {
        if (!to_nearest) {
            step(&shorter);
            continue;
        }
        read_slot(&shorter, "sum");
        for (size_t i = 0; i < COUNT; ++i)
            shorter.numbers[i] += shorter.grad[i] * shorter.grad[i];
        assert_ok(rms_write_state(shorter.optimizer, 0, "sum", shorter.numbers), rms_message(shorter.optimizer));
    }
    read_slot(&shorter, "sum");
    for (size_t i = 0; i < COUNT; ++i)
        sum += (double)shorter.numbers[i] - 1;
    rms_free(shorter.optimizer);
    return sum / COUNT;
}

/* Each of the numbers walks from 1 to 1.125, and to 1.25, by steps of a code: as often as p = 10^-4 / code says, on
 * average, with a variance of p (1 - p) a step. */
static void tiny_squares_add_up(void **state)
{
    (void)state;
    const double expected = grow(RMS_STATE_FULL, false);
    assert_true(fabs(expected - SQUARES * 1e-4) < 1e-4);
    for (size_t f = 0; f < COUNT_OF(short_formats); ++f) {
        const double code = short_formats[f] == RMS_STATE_8_BIT ? 1.0 / 8 : 1.0 / 128;
        const double p = 1e-4 / code;
        const double allowed = 5 * code * sqrt(SQUARES * p * (1 - p) / COUNT);
        const double found = grow(short_formats[f], false);
        print_message("%s: grew by %.4f, expected %.4f, 5 deviations are %.4f\n",
                      rms_state_format_name(short_formats[f]), found, expected, allowed);
        assert_true(fabs(found - expected) <= allowed);
        assert_true(grow(short_formats[f], true) == 0);
        ++numbers_compared;
    }
    report_comparisons("sums");
}

/* ---- Without a gradient: a third of the parameters never has one, a third has one in the first step, a third
 * always. */

enum { FADE = 3000, STILL = 300 };
enum { NEVER, ONCE, ALWAYS, PARTS };

static const struct quiet_rule {
    rms_rule rule;
    double momentum;
    const char *squares; /* the slot that must not become 0, */
    double largest_move; /* in units of lr, which no parameter without a gradient may exceed in a step */
} quiet_rules[] = {
    {RMS_RMSPROP, 0, "v", 0},
    {RMS_RMSPROP, 0.9, "v", 10},
    {RMS_ADAGRAD, 0, "sum", 0},
    {RMS_ADAM, 0, "v", 2},
};

/* The move of RMSProp's first step is 1 / sqrt(1 - rho) = 10 rates, and momentum has it fade from there. Adam's is 1
 * rate, and fades as well; twice that is room for codes that are an eighth off. A v of 0 would move it by m / eps,
 * which is 10^7. */
static void assert_quiet(const struct quiet_rule *rule, const struct run *run, const float *before, size_t t, double lr)
{
    for (size_t i = 0; i < COUNT; ++i) {
        const double move = fabs((double)run->param[i] - (double)before[i]);
        if (i % PARTS == NEVER)
            assert_true(same_bits(run->param[i], 1));
        else if (i % PARTS == ONCE && t > 1)
            assert_true(move <= rule->largest_move * lr * 1.001);
        if (i % PARTS != ALWAYS && t > FADE)
            assert_true(same_bits(run->param[i], before[i]));
        ++numbers_compared;
    }
}

static void run_quietly(const struct quiet_rule *rule, rms_state_format format)
{
    static float before[COUNT];
    rms_options options = rms_options_for(rule->rule);
    options.lr = 1e-3;
    options.momentum = rule->momentum;
    begin(&shorter, options, format);
    for (size_t t = 1; t <= FADE + STILL; ++t) {
        memcpy(before, shorter.param, sizeof before);
        for (size_t i = 0; i < COUNT; ++i)
            shorter.grad[i] = i % PARTS == ALWAYS || (i % PARTS == ONCE && t == 1) ? 1 : 0;
        step(&shorter);
        assert_quiet(rule, &shorter, before, t, options.lr);
    }
    read_slot(&shorter, rule->squares);
    for (size_t i = 0; i < COUNT; ++i)
        assert_true((shorter.numbers[i] == 0) == (i % PARTS == NEVER));
    rms_free(shorter.optimizer);
}

static void without_a_gradient_nothing_moves(void **state)
{
    (void)state;
    for (size_t r = 0; r < COUNT_OF(quiet_rules); ++r)
        for (size_t f = 0; f < COUNT_OF(short_formats); ++f)
            run_quietly(&quiet_rules[r], short_formats[f]);
    report_comparisons("parameters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_average_follows_a_switch),     cmocka_unit_test(rounded_to_nearest_it_would_not),
        cmocka_unit_test(small_averages_keep_their_size),   cmocka_unit_test(tiny_squares_add_up),
        cmocka_unit_test(without_a_gradient_nothing_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
