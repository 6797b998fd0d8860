/* rms_schedule_lr against its formulas in long double, at random and at the seams; what it keeps exactly; that a fall
 * is a fall; and that the bits are those of every other machine. */
#include "support.h"

#include <float.h>
#include <math.h>

static const long double PI = 3.1415926535897932384626433832795029L;

/* ---- Random schedules: every field from 0 to its end, by size as well as by value. */

/* One draw a statement: C leaves open in which order the parts of an expression are drawn. */
static double random_share(uint64_t *random)
{
    return (double)(random_bits(random) >> 11) * 0x1p-53;
}

static double random_rate(uint64_t *random)
{
    const double significand = 1.0 + random_share(random);
    const int exponent = 20 - (int)random_below(random, 60);
    return random_below(random, 20) ? ldexp(significand, exponent) : 0.0;
}

static uint64_t random_count(uint64_t *random)
{
    const uint64_t bits = random_bits(random);
    return bits >> random_below(random, 64);
}

static bool random_coin(uint64_t *random)
{
    return random_below(random, 2) == 0;
}

static rms_schedule random_schedule(uint64_t *random)
{
    rms_schedule schedule = {.lr = random_rate(random)};
    schedule.warmup_steps = random_coin(random) ? random_count(random) : 0;
    schedule.warmup_lr = random_coin(random) ? random_rate(random) : 0.0;
    schedule.decay = (rms_decay)random_below(random, RMS_DECAY_EXPONENTIAL + 1);
    if (schedule.decay == RMS_DECAY_CONSTANT)
        return schedule;
    schedule.decay_steps = random_count(random);
    schedule.decay_steps += schedule.decay_steps == 0;
    schedule.final_lr = random_coin(random) ? schedule.lr * random_share(random) : 0.0;
    if (schedule.decay == RMS_DECAY_STEP || schedule.decay == RMS_DECAY_EXPONENTIAL) {
        const double distance = random_share(random);
        schedule.factor = 1.0 - ldexp(distance, -(int)random_below(random, 30));
    }
    return schedule;
}

/* Anywhere, or next to a seam. Sums that overflow give other steps, which are as good. */
static uint64_t random_step(uint64_t *random, const rms_schedule *s)
{
    const uint64_t seams[] = {0, s->warmup_steps, s->warmup_steps + s->decay_steps / 2,
                              s->warmup_steps + s->decay_steps, UINT64_MAX};
    const uint64_t seam = seams[random_below(random, COUNT_OF(seams))];
    switch (random_below(random, 4)) {
    case 0:
        return random_count(random);
    case 1:
        return s->decay_steps ? s->warmup_steps + random_bits(random) % s->decay_steps : seam;
    case 2:
        return s->warmup_steps ? random_bits(random) % s->warmup_steps : seam;
    default:
        return seam + random_below(random, 5) - 2;
    }
}

static const char *describe(const rms_schedule *s, uint64_t steps)
{
    static char text[400];
    snprintf(text, sizeof text,
             "%s lr=%a warmup_steps=%llu warmup_lr=%a decay_steps=%llu final_lr=%a factor=%a at %llu",
             rms_decay_name(s->decay), s->lr, (unsigned long long)s->warmup_steps, s->warmup_lr,
             (unsigned long long)s->decay_steps, s->final_lr, s->factor, (unsigned long long)steps);
    return text;
}

/* ---- The formulas a second time, with a bound in half ulps, 2^-53 of the rate or of the larger end. A share of
 * counts above 2^53 has 3 roundings: two conversions and a quotient. A straight line adds difference, product and
 * sum: 6. A wave has a sine of 2 ulp of such a share, squared, and taken from 1: 16; difference, product and sum: 19.
 * A power has 3 times its logarithm from its exponent, 0.1 from the library's log, 1 ulp from exp; and a product. */

struct oracle {
    long double rate;
    double half_ulps;
};

static struct oracle oracle_of(const rms_schedule *s, uint64_t steps)
{
    const long double lr = (long double)s->lr, first = (long double)s->warmup_lr, last = (long double)s->final_lr;
    if (steps < s->warmup_steps)
        return (struct oracle){first + (lr - first) * ((long double)steps / (long double)s->warmup_steps), 6};
    const uint64_t count = s->decay_steps, since = steps - s->warmup_steps;
    const long double left = since < count ? (long double)(count - since) / (long double)count : 0;
    const long double sine = sinl(PI / 2 * left);
    const uint64_t falls = count ? since / count : 0;
    long double exponent = (long double)falls;
    switch (s->decay) {
    case RMS_DECAY_LINEAR:
        return (struct oracle){last + (lr - last) * left, 6};
    case RMS_DECAY_COSINE:
        return (struct oracle){last + (lr - last) * sine * sine, 19};
    case RMS_DECAY_STEP:
        break;
    case RMS_DECAY_EXPONENTIAL:
        exponent = (long double)since / (long double)count;
        break;
    default:
        return (struct oracle){lr, 0};
    }
    const double logarithm = fabs(log(s->factor) * (double)exponent);
    return (struct oracle){fmaxl(last, lr * powl((long double)s->factor, exponent)), 3 + 3.1 * fmin(logarithm, 746)};
}

static void rates_follow_the_formulas(void **state)
{
    (void)state;
    uint64_t random = 1;
    double worst[RMS_DECAY_EXPONENTIAL + 1] = {0};
    for (size_t k = 0; k < effort(400000); ++k) {
        const rms_schedule s = random_schedule(&random);
        const uint64_t steps = random_step(&random, &s);
        const struct oracle oracle = oracle_of(&s, steps);
        const double rate = rms_schedule_lr(&s, steps);
        const double size = fmax((double)oracle.rate, steps < s.warmup_steps ? fmax(s.lr, s.warmup_lr) : 0);
        /* The oracle has its own few roundings, and those of a double where long double is no wider. A power that is
         * subnormal has an error of its own, before lr multiplies it. */
        const double half_ulps = oracle.half_ulps * (LDBL_MANT_DIG > DBL_MANT_DIG ? 1.01 : 2.0);
        const double bound = half_ulps * 0x1p-53 * size + 0x1p-1074 * (s.lr + 1);
        const double distance = (double)fabsl((long double)rate - oracle.rate);
        if (!(distance <= bound))
            fail_msg("%s: %a is not %a: off by %g, above %g", describe(&s, steps), rate, (double)oracle.rate, distance,
                     bound);
        if (size > 0x1p-900)
            worst[s.decay] = fmax(worst[s.decay], distance / (size * 0x1p-53));
        ++numbers_compared;
    }
    for (int decay = 0; decay <= RMS_DECAY_EXPONENTIAL; ++decay)
        print_message("%-12s %7.2f half ulps off at worst, warm-up included\n", rms_decay_name((rms_decay)decay),
                      worst[decay]);
    report_comparisons("rates");
}

/* ---- What is exact. */

static void expect(const rms_schedule *schedule, uint64_t steps, double rate)
{
    const double found = rms_schedule_lr(schedule, steps);
    if (bits_of_double(found) != bits_of_double(rate))
        fail_msg("%s: %a is not exactly %a", describe(schedule, steps), found, rate);
}

static void ends_are_exact(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (size_t k = 0; k < effort(100000); ++k) {
        const rms_schedule s = random_schedule(&random);
        expect(&s, 0, s.warmup_steps ? s.warmup_lr : s.lr);
        expect(&s, s.warmup_steps, s.lr);
        if (s.decay != RMS_DECAY_LINEAR && s.decay != RMS_DECAY_COSINE)
            continue;
        const uint64_t end = s.warmup_steps + s.decay_steps;
        const bool reached = end >= s.warmup_steps;
        expect(&s, reached ? end : s.warmup_steps, reached ? s.final_lr : s.lr);
        if (reached)
            expect(&s, UINT64_MAX, s.final_lr);
        if (reached && end < UINT64_MAX)
            expect(&s, end + 1 + random_bits(&random) % (UINT64_MAX - end), s.final_lr);
    }
}

static void a_fall_to_where_it_began_is_no_fall(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (size_t k = 0; k < effort(50000); ++k) {
        rms_schedule s = random_schedule(&random);
        s.warmup_lr = s.lr;
        if (s.decay != RMS_DECAY_CONSTANT && random_coin(&random))
            s.final_lr = s.lr;
        else if (s.decay == RMS_DECAY_STEP || s.decay == RMS_DECAY_EXPONENTIAL)
            s.factor = 1;
        else if (s.decay != RMS_DECAY_CONSTANT)
            continue;
        expect(&s, random_step(&random, &s), s.lr);
    }
}

static void known_rates_come_out(void **state)
{
    (void)state;
    const rms_schedule linear = {.lr = 1, .decay = RMS_DECAY_LINEAR, .decay_steps = 4};
    expect(&linear, 1, 0.75);
    expect(&linear, 3, 0.25);
    const rms_schedule cosine = {.lr = 1, .warmup_steps = 4, .decay = RMS_DECAY_COSINE, .decay_steps = 2};
    expect(&cosine, 1, 0.25);
    expect(&cosine, 4, 1);
    assert_true(fabs(rms_schedule_lr(&cosine, 5) - 0.5) <= 0x1p-53);
    const rms_schedule step = {.lr = 1, .decay = RMS_DECAY_STEP, .decay_steps = 10, .factor = 0.1, .final_lr = 0.05};
    expect(&step, 9, 1);
    expect(&step, 10, 0.1);
    expect(&step, 19, 0.1);
    expect(&step, 20, 0.05);
    const rms_schedule halving = {.lr = 3, .decay = RMS_DECAY_EXPONENTIAL, .decay_steps = 10, .factor = 0.5};
    expect(&halving, 10, 1.5);
    expect(&halving, 40, 0.1875);
    assert_true(fabs(rms_schedule_lr(&halving, 5) - 3 * sqrt(0.5)) <= 0x1p-51);
    const rms_schedule down = {.lr = 1, .warmup_steps = 2, .warmup_lr = 3};
    expect(&down, 1, 2);
    const rms_schedule at_once = {.lr = 1, .decay = RMS_DECAY_LINEAR, .decay_steps = 1, .final_lr = 0.25};
    expect(&at_once, 0, 1);
    expect(&at_once, 1, 0.25);
}

static void counts_up_to_the_largest_do_not_overflow(void **state)
{
    (void)state;
    const rms_schedule longest = {
        .lr = 1, .warmup_steps = UINT64_MAX, .decay = RMS_DECAY_COSINE, .decay_steps = UINT64_MAX, .final_lr = 0.5};
    expect(&longest, UINT64_MAX / 2, 0.5); /* the count before half, which rounds to it */
    expect(&longest, UINT64_MAX, 1);
    const rms_schedule fall = {.lr = 1e30, .decay = RMS_DECAY_STEP, .decay_steps = 1, .factor = 0.999};
    expect(&fall, UINT64_MAX, 0);
    const rms_schedule slow = {.lr = 1, .decay = RMS_DECAY_EXPONENTIAL, .decay_steps = UINT64_MAX, .factor = 0.25};
    expect(&slow, UINT64_MAX, 0.25);
    expect(&slow, 1, 1);
}

/* ---- Directions. */

static void assert_between(const rms_schedule *s, uint64_t steps, double before, double now)
{
    const bool warming = steps <= s->warmup_steps;
    const bool rises = warming && s->warmup_lr <= s->lr;
    if (rises ? now < before : now > before)
        fail_msg("%s: %a, after %a, is the wrong way", describe(s, steps), now, before);
    const double low = warming ? fmin(s->warmup_lr, s->lr) : s->final_lr;
    const double high = warming ? fmax(s->warmup_lr, s->lr) : s->lr;
    if (!(now <= high && (s->decay == RMS_DECAY_CONSTANT || now >= low)))
        fail_msg("%s: %a is outside %a to %a", describe(s, steps), now, low, high);
}

static void rates_go_one_way_and_stay_between_their_ends(void **state)
{
    (void)state;
    uint64_t random = 4;
    for (size_t k = 0; k < effort(20000); ++k) {
        const rms_schedule s = random_schedule(&random);
        uint64_t steps = random_step(&random, &s);
        double before = rms_schedule_lr(&s, steps);
        for (int i = 0; i < 40 && steps < UINT64_MAX; ++i) {
            const uint64_t from = steps;
            const uint64_t stride = random_coin(&random) ? 1 : random_count(&random);
            steps = stride < UINT64_MAX - steps ? steps + stride : UINT64_MAX;
            const double now = rms_schedule_lr(&s, steps);
            if (steps <= s.warmup_steps || from >= s.warmup_steps)
                assert_between(&s, steps, before, now);
            before = now;
        }
    }
}

static void a_cosine_is_symmetric(void **state)
{
    (void)state;
    rms_schedule s = {.lr = 1, .decay = RMS_DECAY_COSINE};
    for (s.decay_steps = 1; s.decay_steps < 300; ++s.decay_steps)
        for (uint64_t steps = 0; steps <= s.decay_steps; ++steps) {
            const double sum = rms_schedule_lr(&s, steps) + rms_schedule_lr(&s, s.decay_steps - steps);
            if (!(fabs(sum - 1) <= 0x1p-52))
                fail_msg("%s: this and its mirror image add up to %a", describe(&s, steps), sum);
        }
}

/* ---- Bits. FNV-1a, 64 bits, over rates that are drawn from integers. The numbers change only when the arithmetic is
 * changed on purpose: then take them from the message. */

static void rates_have_the_bits_of_every_other_machine(void **state)
{
    (void)state;
    static const uint64_t golden[] = {0x8ba91fe35a89693f, 0x0362febdea0e2b56, 0x9c5b29e63433f785, 0xdcf5975ba0663ecf,
                                      0x4526639e9610a640};
    for (size_t decay = 0; decay < COUNT_OF(golden); ++decay) {
        uint64_t random = 5, hash = 0xcbf29ce484222325U;
        for (size_t drawn = 0; drawn < 20000;) {
            const rms_schedule s = random_schedule(&random);
            if ((size_t)s.decay != decay)
                continue;
            for (int i = 0; i < 4; ++i, ++drawn)
                for (uint64_t bits = bits_of_double(rms_schedule_lr(&s, random_step(&random, &s))), k = 0; k < 8; ++k)
                    hash = (hash ^ (bits >> (8 * k) & 0xff)) * 0x100000001b3U;
        }
        if (hash != golden[decay])
            fail_msg("%s: %016llx (library) != %016llx (golden)", rms_decay_name((rms_decay)decay),
                     (unsigned long long)hash, (unsigned long long)golden[decay]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_follow_the_formulas),
        cmocka_unit_test(ends_are_exact),
        cmocka_unit_test(a_fall_to_where_it_began_is_no_fall),
        cmocka_unit_test(known_rates_come_out),
        cmocka_unit_test(counts_up_to_the_largest_do_not_overflow),
        cmocka_unit_test(rates_go_one_way_and_stay_between_their_ends),
        cmocka_unit_test(a_cosine_is_symmetric),
        cmocka_unit_test(rates_have_the_bits_of_every_other_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
