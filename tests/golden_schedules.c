/* The learning rates of PyTorch and optax themselves: rms_schedule_lr follows them as nearly as rounding lets two
 * orders of the same formula agree, and its fields mean what they mean there. golden/schedules.txt comes from
 * golden/schedules_generate.py.
 *
 * The tolerance is derived, not chosen. What the framework does at each step is evaluated here once more, each
 * number with a bound on how far rounding can take it from the formula's exact value (running error analysis,
 * after Wilkinson); so is what the library does. Framework and library must each lie within their bound of the same
 * exact value, hence within the sum of each other. PyTorch's schedulers multiply the last rate, so that theirs
 * grows from step to step; its cosine divides by 1 + cos, which cancels towards the end.
 *
 * Every operation adds half an ulp, 2^-53 of its result. Cosines and powers of the frameworks, which are the C
 * library's, count as 1 ulp. The library's own: a sine 2 ulp, a power 1 ulp and 0.1 * 2^-53 times its logarithm, as
 * docs/math.md says; schedule_elementary.c measures them. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN GOLDEN_DIRECTORY "/schedules.txt"

/* What the file holds, so that one that was cut off does not pass. */
enum { SCHEDULES = 74, RATES = 2911 };

/* ---- Numbers with bounds on their errors. */

struct bounded {
    double value;
    double error;
};

/* 2^-53, and a little for what the bounds themselves round. */
static const double HALF_ULP = 0x1.00001p-53;
static const double PI = 0x1.921fb54442d18p+1;

static struct bounded exact(double value)
{
    return (struct bounded){value, 0};
}

/* Of so many half ulps. */
static struct bounded within(double value, double half_ulps, double propagated)
{
    return (struct bounded){value, propagated + half_ulps * HALF_ULP * fabs(value)};
}

static struct bounded plus(struct bounded a, struct bounded b)
{
    return within(a.value + b.value, 1, a.error + b.error);
}

static struct bounded minus(struct bounded a, struct bounded b)
{
    return plus(a, (struct bounded){-b.value, b.error});
}

static struct bounded times(struct bounded a, struct bounded b)
{
    return within(a.value * b.value, 1, fabs(a.value) * b.error + fabs(b.value) * a.error + a.error * b.error);
}

static struct bounded over(struct bounded a, struct bounded b)
{
    const double value = a.value / b.value;
    return within(value, 1, (a.error + fabs(value) * b.error) / (fabs(b.value) - b.error));
}

static struct bounded cosine(struct bounded x)
{
    return within(cos(x.value), 2, fabs(sin(x.value)) * x.error + x.error * x.error / 2);
}

static struct bounded power(double base, struct bounded exponent, double half_ulps)
{
    const double value = pow(base, exponent.value);
    return within(value, half_ulps, value * expm1(fabs(log(base)) * exponent.error));
}

static struct bounded larger(struct bounded a, struct bounded b)
{
    return (struct bounded){fmax(a.value, b.value), fmax(a.error, b.error)};
}

/* ---- The library's operations. The generator rounds warmup_lr and final_lr where the framework is given a share of
 * lr: half an ulp. */

static struct bounded given(double rate)
{
    return within(rate, 1, 0);
}

static struct bounded ratio(uint64_t count, uint64_t of)
{
    return over(exact((double)count), exact((double)of));
}

static struct bounded falls_of(const rms_schedule *s, uint64_t steps)
{
    const uint64_t falls = s->decay_steps ? steps / s->decay_steps : 0;
    return exact((double)falls);
}

static struct bounded between(struct bounded from, struct bounded to, struct bounded share)
{
    return plus(from, times(minus(to, from), share));
}

static struct bounded half_wave(uint64_t steps, uint64_t count)
{
    const uint64_t rest = count - steps;
    const struct bounded quarters = ratio(steps < rest ? steps : rest, count);
    const struct bounded sine = within(sin(quarters.value * PI / 2), 4, quarters.error * PI / 2);
    return steps < rest ? minus(exact(1), times(sine, sine)) : times(sine, sine);
}

static struct bounded library_power(double base, struct bounded exponent)
{
    return power(base, exponent, 2 + 0.1 * fabs(exponent.value * log(base)));
}

static struct bounded of_library(const rms_schedule *s, uint64_t steps)
{
    const struct bounded lr = exact(s->lr);
    if (steps < s->warmup_steps)
        return between(given(s->warmup_lr), lr, ratio(steps, s->warmup_steps));
    steps -= s->warmup_steps;
    const struct bounded last = given(s->final_lr);
    const uint64_t rest = steps < s->decay_steps ? s->decay_steps - steps : 0;
    switch (s->decay) {
    case RMS_DECAY_LINEAR:
        return between(last, lr, ratio(rest, s->decay_steps));
    case RMS_DECAY_COSINE:
        return between(last, lr, half_wave(s->decay_steps - rest, s->decay_steps));
    case RMS_DECAY_STEP:
        return larger(last, times(lr, library_power(s->factor, falls_of(s, steps))));
    case RMS_DECAY_EXPONENTIAL:
        return larger(last, times(lr, library_power(s->factor, ratio(steps, s->decay_steps))));
    default:
        return lr;
    }
}

/* ---- The frameworks' operations, at one step, given the rate before it. */

typedef struct bounded formula(const rms_schedule *s, uint64_t steps, struct bounded before);

/* torch.optim.lr_scheduler.LinearLR: the rate times 1 + (end - start) / (total start + (steps - 1) (end - start)). */
static struct bounded pytorch_straight(double start, double end, uint64_t total, uint64_t steps, struct bounded before)
{
    if (steps > total)
        return before;
    const struct bounded rise = minus(exact(end), exact(start));
    const struct bounded divisor =
        plus(times(exact((double)total), exact(start)), times(exact((double)(steps - 1)), rise));
    return times(before, plus(exact(1), over(rise, divisor)));
}

/* CosineAnnealingLR: the distance to the last rate times the ratio of 1 + cos now and before. */
static struct bounded pytorch_cosine(const rms_schedule *s, uint64_t steps, struct bounded before)
{
    const struct bounded last = given(s->final_lr);
    const struct bounded pi = within(PI, 1, 0), total = exact((double)s->decay_steps);
    const struct bounded now = plus(exact(1), cosine(over(times(pi, exact((double)steps)), total)));
    const struct bounded then = plus(exact(1), cosine(over(times(pi, exact((double)(steps - 1))), total)));
    return plus(times(over(now, then), minus(before, last)), last);
}

static struct bounded of_pytorch(const rms_schedule *s, uint64_t steps, struct bounded before)
{
    const struct bounded lr = exact(s->lr);
    if (steps < s->warmup_steps)
        return steps == 0 ? times(lr, exact(s->warmup_lr / s->lr))
                          : pytorch_straight(s->warmup_lr / s->lr, 1, s->warmup_steps, steps, before);
    steps -= s->warmup_steps;
    if (steps == 0)
        return lr;
    switch (s->decay) {
    case RMS_DECAY_LINEAR:
        return pytorch_straight(1, s->final_lr / s->lr, s->decay_steps, steps, before);
    case RMS_DECAY_COSINE:
        return pytorch_cosine(s, steps, before);
    case RMS_DECAY_STEP:
    case RMS_DECAY_EXPONENTIAL:
        return steps % s->decay_steps == 0 ? times(before, exact(s->factor)) : before;
    default:
        return before;
    }
}

/* optax.linear_schedule: (init - end) (1 - count / total) + end. */
static struct bounded optax_straight(struct bounded first, struct bounded last, uint64_t total, uint64_t steps)
{
    const struct bounded share = minus(exact(1), ratio(steps < total ? steps : total, total));
    return plus(times(minus(first, last), share), last);
}

/* optax.cosine_decay_schedule: init ((1 - alpha) (0.5 (1 + cos(pi count / total))) + alpha), alpha = end / init. */
static struct bounded optax_cosine(const rms_schedule *s, uint64_t steps)
{
    const struct bounded lr = exact(s->lr), alpha = over(given(s->final_lr), lr);
    const struct bounded pi = within(PI, 1, 0), total = exact((double)s->decay_steps);
    const double count = (double)(steps < s->decay_steps ? steps : s->decay_steps);
    const struct bounded wave = plus(exact(1), cosine(over(times(pi, exact(count)), total)));
    return times(lr, plus(times(minus(exact(1), alpha), times(exact(0.5), wave)), alpha));
}

static struct bounded of_optax(const rms_schedule *s, uint64_t steps, struct bounded before)
{
    (void)before;
    const struct bounded lr = exact(s->lr);
    if (steps < s->warmup_steps)
        return optax_straight(given(s->warmup_lr), lr, s->warmup_steps, steps);
    steps -= s->warmup_steps;
    switch (s->decay) {
    case RMS_DECAY_LINEAR:
        return optax_straight(lr, given(s->final_lr), s->decay_steps, steps);
    case RMS_DECAY_COSINE:
        return optax_cosine(s, steps);
    case RMS_DECAY_STEP:
        return larger(given(s->final_lr), times(lr, power(s->factor, falls_of(s, steps), 2)));
    case RMS_DECAY_EXPONENTIAL:
        return larger(given(s->final_lr), times(lr, power(s->factor, ratio(steps, s->decay_steps), 2)));
    default:
        return lr;
    }
}

static const struct {
    const char *name;
    formula *formula;
} frameworks[] = {{"pytorch", of_pytorch}, {"optax", of_optax}};

/* ---- The file. */

struct golden {
    size_t framework;
    char decay[16];
    char call[256];
    rms_schedule schedule;
};

static void set_field(rms_schedule *schedule, const char *key, const char *value)
{
    const double number = strtod(value, NULL);
    if (strcmp(key, "decay") == 0)
        assert_true(rms_decay_from_name(value, &schedule->decay));
    else if (strcmp(key, "lr") == 0)
        schedule->lr = number;
    else if (strcmp(key, "warmup_steps") == 0)
        schedule->warmup_steps = (uint64_t)number;
    else if (strcmp(key, "warmup_lr") == 0)
        schedule->warmup_lr = number;
    else if (strcmp(key, "decay_steps") == 0)
        schedule->decay_steps = (uint64_t)number;
    else if (strcmp(key, "final_lr") == 0)
        schedule->final_lr = number;
    else if (strcmp(key, "factor") == 0)
        schedule->factor = number;
    else
        fail_msg("%s: unknown field %s", GOLDEN, key);
}

/* schedule FRAMEWORK DECAY "CALL" key=value ... */
static bool read_schedule(const char *line, struct golden *golden)
{
    char framework[16], fields[512];
    if (strncmp(line, "schedule ", 9) != 0)
        return false;
    memset(golden, 0, sizeof *golden);
    if (sscanf(line, "schedule %15s %15s \"%255[^\"]\" %511[^\n]", framework, golden->decay, golden->call, fields) != 4)
        fail_msg("%s: cannot read %s", GOLDEN, line);
    while (strcmp(frameworks[golden->framework].name, framework) != 0)
        if (++golden->framework == COUNT_OF(frameworks))
            fail_msg("%s: unknown framework %s", GOLDEN, framework);
    char *rest = NULL;
    for (char *key = strtok_r(fields, " ", &rest); key; key = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(key, '=');
        assert_non_null(value);
        *value++ = '\0';
        set_field(&golden->schedule, key, value);
    }
    rms_error error;
    assert_ok(rms_schedule_check(&golden->schedule, &error), error.message);
    return true;
}

/* ---- The comparison, and its table. */

struct row {
    double ulps; /* the farthest that library and framework are apart */
    double used; /* the largest part of the bound that was needed */
    size_t schedules, rates;
    uint64_t steps; /* where ulps was found */
    char call[256];
};

static double ulp_of(double value)
{
    return nextafter(fabs(value), (double)INFINITY) - fabs(value);
}

/* theirs is their rate after so many steps; bound is of both together. */
static void compare(const struct golden *golden, uint64_t steps, double theirs, double bound, struct row *row)
{
    const double ours = rms_schedule_lr(&golden->schedule, steps);
    const double distance = fabs(ours - theirs);
    if (!(distance <= bound))
        fail_msg("%s, after %llu steps: %a (library) is not %a (framework), %g ulp off; rounding explains %g",
                 golden->call, (unsigned long long)steps, ours, theirs, distance / ulp_of(ours), bound / ulp_of(ours));
    if (!(bound <= 0x1p-30 * golden->schedule.lr))
        fail_msg("%s, after %llu steps: a bound of %g says nothing", golden->call, (unsigned long long)steps, bound);
    if (distance / ulp_of(ours) > row->ulps) {
        row->ulps = distance / ulp_of(ours);
        row->steps = steps;
        memcpy(row->call, golden->call, sizeof row->call);
    }
    if (distance > 0)
        row->used = fmax(row->used, distance / bound);
    ++row->rates;
}

static size_t decay_of(const struct golden *golden)
{
    return (size_t)golden->schedule.decay;
}

enum { DECAYS = RMS_DECAY_EXPONENTIAL + 1 };

static void print_table(struct row rows[][DECAYS])
{
    print_message("%-9s %-12s %9s %6s %9s %9s  %s\n", "framework", "decay", "schedules", "rates", "worst ulp",
                  "of bound", "where");
    for (size_t f = 0; f < COUNT_OF(frameworks); ++f)
        for (size_t d = 0; d < DECAYS; ++d) {
            const struct row *row = &rows[f][d];
            print_message("%-9s %-12s %9zu %6zu %9.1f %8.0f%%  %llu: %s\n", frameworks[f].name,
                          rms_decay_name((rms_decay)d), row->schedules, row->rates, row->ulps, 100 * row->used,
                          (unsigned long long)row->steps, row->call);
            assert_true(row->rates > 0);
        }
}

static void rates_are_those_of_pytorch_and_optax_but_for_rounding(void **state)
{
    (void)state;
    FILE *file = fopen(GOLDEN, "r");
    if (!file)
        fail_msg("cannot open %s", GOLDEN);
    static struct row rows[COUNT_OF(frameworks)][DECAYS];
    struct golden golden = {.framework = 0};
    struct bounded theirs = exact(0);
    uint64_t walked = 0;
    size_t schedules = 0, rates = 0;
    char line[1024];
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#' || strncmp(line, "end ", 4) == 0)
            continue;
        if (read_schedule(line, &golden)) {
            walked = 0;
            ++schedules;
            ++rows[golden.framework][decay_of(&golden)].schedules;
            continue;
        }
        char *end;
        const uint64_t steps = strtoull(line, &end, 10);
        for (; walked <= steps; ++walked)
            theirs = frameworks[golden.framework].formula(&golden.schedule, walked, theirs);
        compare(&golden, steps, strtod(end, NULL), theirs.error + of_library(&golden.schedule, steps).error,
                &rows[golden.framework][decay_of(&golden)]);
        ++rates;
    }
    fclose(file);
    print_table(rows);
    assert_int_equal(schedules, SCHEDULES);
    assert_int_equal(rates, RATES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_those_of_pytorch_and_optax_but_for_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
