/* Learning-rate schedules: the check at the door, and the rate as a function of the step and nothing else. */
#include "message.h"
#include "rules/elementary.h"

#include <math.h>

#define RATE_MAXIMUM 1e30

static rms_status check_bounds(const char *name, double value, double minimum, double maximum, rms_error *error)
{
    if (!(value >= minimum && value <= maximum))
        return fail(error, RMS_ERROR_RANGE, "schedule: %s = %.9g is out of bounds: expected %.9g to %.9g", name, value,
                    minimum, maximum);
    return succeed(error);
}

/* What a decay does not read must be 0: a field that is set was meant to count. */
static rms_status check_unread(const rms_schedule *schedule, const char *name, double value, rms_error *error)
{
    if (value != 0) /* NaN too */
        return fail(error, RMS_ERROR_RANGE, "schedule: %s = %.9g: decay %s takes no %s (expected 0)", name, value,
                    rms_decay_name(schedule->decay), name);
    return succeed(error);
}

static rms_status check_decay(const rms_schedule *schedule, rms_error *error)
{
    const bool constant = schedule->decay == RMS_DECAY_CONSTANT;
    const bool multiplies = schedule->decay == RMS_DECAY_STEP || schedule->decay == RMS_DECAY_EXPONENTIAL;
    if (!constant && schedule->decay_steps == 0)
        return fail(error, RMS_ERROR_RANGE, "schedule: decay_steps = 0: decay %s needs 1 or more",
                    rms_decay_name(schedule->decay));
    rms_status status = check_bounds("final_lr", schedule->final_lr, 0, schedule->lr, error);
    if (status == RMS_OK && constant)
        status = check_unread(schedule, "decay_steps", (double)schedule->decay_steps, error);
    if (status == RMS_OK && constant)
        status = check_unread(schedule, "final_lr", schedule->final_lr, error);
    if (status == RMS_OK && !multiplies)
        status = check_unread(schedule, "factor", schedule->factor, error);
    if (status == RMS_OK && multiplies && !(schedule->factor > 0 && schedule->factor <= 1))
        status = fail(error, RMS_ERROR_RANGE, "schedule: factor = %.9g is out of bounds: expected above 0, up to 1",
                      schedule->factor);
    return status;
}

rms_status rms_schedule_check(const rms_schedule *schedule, rms_error *error)
{
    if (!schedule)
        return fail(error, RMS_ERROR_ARGUMENT, "schedule: NULL");
    if (!rms_decay_name(schedule->decay))
        return fail(error, RMS_ERROR_RANGE, "schedule: decay is %d, expected one of the rms_decay constants (0 to %d)",
                    (int)schedule->decay, (int)RMS_DECAY_EXPONENTIAL);
    for (size_t i = 0; i < sizeof schedule->reserved / sizeof *schedule->reserved; ++i)
        if (schedule->reserved[i] != 0)
            return fail(error, RMS_ERROR_UNSUPPORTED, "schedule: reserved[%zu] must be 0 in version %s", i,
                        rms_version());
    rms_status status = check_bounds("lr", schedule->lr, 0, RATE_MAXIMUM, error);
    if (status == RMS_OK)
        status = check_bounds("warmup_lr", schedule->warmup_lr, 0, RATE_MAXIMUM, error);
    return status == RMS_OK ? check_decay(schedule, error) : status;
}

/* A share of the way between two rates, monotone in the share. The rounded distance, times a share below 1, is less
 * than the true one: so the rate never passes an end, whichever is the higher. */
static double between(double from, double to, double share)
{
    return share < 1 ? from + (to - from) * share : to;
}

/* (1 + cos(pi steps / count)) / 2, for steps up to count. The shorter arc decides, whose share is known without
 * cancellation: so the curve is symmetric and ends at exactly 1 and 0. */
static double half_wave(uint64_t steps, uint64_t count)
{
    const uint64_t rest = count - steps;
    const double sine = elementary_sine_of_quarter_turns((double)(steps < rest ? steps : rest) / (double)count);
    return steps < rest ? 1.0 - sine * sine : sine * sine;
}

static double decayed(const rms_schedule *schedule, uint64_t steps)
{
    const uint64_t count = schedule->decay_steps;
    const uint64_t rest = steps < count ? count - steps : 0;
    uint64_t falls;
    double rate = schedule->lr;
    switch (schedule->decay) {
    case RMS_DECAY_CONSTANT:
        return rate;
    case RMS_DECAY_LINEAR:
        return between(schedule->final_lr, rate, (double)rest / (double)count);
    case RMS_DECAY_COSINE:
        return between(schedule->final_lr, rate, half_wave(count - rest, count));
    case RMS_DECAY_STEP:
        falls = steps / count;
        rate *= elementary_power(schedule->factor, (double)falls);
        break;
    case RMS_DECAY_EXPONENTIAL:
        rate *= elementary_power(schedule->factor, (double)steps / (double)count);
        break;
    }
    return rate > schedule->final_lr ? rate : schedule->final_lr;
}

double rms_schedule_lr(const rms_schedule *schedule, uint64_t steps)
{
    if (rms_schedule_check(schedule, NULL) != RMS_OK)
        return (double)NAN;
    if (steps < schedule->warmup_steps)
        return between(schedule->warmup_lr, schedule->lr, (double)steps / (double)schedule->warmup_steps);
    return decayed(schedule, steps - schedule->warmup_steps);
}
