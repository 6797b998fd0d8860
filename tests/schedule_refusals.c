/* What rms_schedule_check refuses, and in which words; what it refuses has no rate. */
#include "support.h"

#include <math.h>
#include <string.h>

static const double nan_value = (double)NAN;

/* One that every decay takes, as far as it takes the field. */
static rms_schedule plain(rms_decay decay)
{
    rms_schedule schedule = {.lr = 0.1, .warmup_steps = 10, .warmup_lr = 0.01, .decay = decay};
    if (decay != RMS_DECAY_CONSTANT) {
        schedule.decay_steps = 100;
        schedule.final_lr = 0.001;
    }
    if (decay == RMS_DECAY_STEP || decay == RMS_DECAY_EXPONENTIAL)
        schedule.factor = 0.5;
    return schedule;
}

static void refuse(const rms_schedule *schedule, rms_status status, const char *part)
{
    rms_error error;
    memset(&error, 'x', sizeof error);
    assert_status(status, rms_schedule_check(schedule, &error), error.message);
    assert_contains(error.message, part);
    assert_status(status, rms_schedule_check(schedule, NULL), "without a place for the sentence");
    assert_true(isnan(rms_schedule_lr(schedule, 0)) && isnan(rms_schedule_lr(schedule, UINT64_MAX)));
}

static void accept(const rms_schedule *schedule)
{
    rms_error error;
    memset(&error, 'x', sizeof error);
    assert_ok(rms_schedule_check(schedule, &error), error.message);
    assert_string_equal(error.message, "");
    assert_true(isfinite(rms_schedule_lr(schedule, 0)) && isfinite(rms_schedule_lr(schedule, UINT64_MAX)));
}

static void every_decay_is_taken_with_its_fields(void **state)
{
    (void)state;
    for (int decay = 0; decay <= RMS_DECAY_EXPONENTIAL; ++decay) {
        const rms_schedule schedule = plain((rms_decay)decay);
        accept(&schedule);
    }
    const rms_schedule nothing = {.lr = 0}, largest = {.lr = 1e30, .warmup_steps = UINT64_MAX, .warmup_lr = 1e30};
    accept(&nothing);
    accept(&largest);
    rms_schedule edge = plain(RMS_DECAY_EXPONENTIAL);
    edge.decay_steps = 1;
    edge.factor = 0x1p-1074;
    edge.final_lr = edge.lr;
    accept(&edge);
    edge.factor = 1;
    edge.decay_steps = UINT64_MAX;
    edge.final_lr = 0;
    accept(&edge);
}

static void nothing_has_no_schedule(void **state)
{
    (void)state;
    refuse(NULL, RMS_ERROR_ARGUMENT, "schedule: NULL");
}

static void rates_have_bounds(void **state)
{
    (void)state;
    const double wrong[] = {nan_value, (double)INFINITY, -(double)INFINITY, -0x1p-1074, -1, 1.0000001e30};
    for (size_t i = 0; i < COUNT_OF(wrong); ++i) {
        rms_schedule s = plain(RMS_DECAY_LINEAR);
        s.lr = wrong[i];
        refuse(&s, RMS_ERROR_RANGE, "schedule: lr = ");
        s = plain(RMS_DECAY_LINEAR);
        s.warmup_lr = wrong[i];
        refuse(&s, RMS_ERROR_RANGE, "schedule: warmup_lr = ");
        s = plain(RMS_DECAY_LINEAR);
        s.final_lr = wrong[i];
        refuse(&s, RMS_ERROR_RANGE, "schedule: final_lr = ");
    }
    rms_schedule s = plain(RMS_DECAY_COSINE);
    s.final_lr = nextafter(s.lr, 1.0);
    refuse(&s, RMS_ERROR_RANGE, "is out of bounds: expected 0 to 0.1");
}

static void factors_have_bounds(void **state)
{
    (void)state;
    const double wrong[] = {nan_value, (double)INFINITY, 0, -0.5, 1.0000000000000002};
    for (size_t i = 0; i < COUNT_OF(wrong); ++i)
        for (int decay = RMS_DECAY_STEP; decay <= RMS_DECAY_EXPONENTIAL; ++decay) {
            rms_schedule s = plain((rms_decay)decay);
            s.factor = wrong[i];
            refuse(&s, RMS_ERROR_RANGE, "expected above 0, up to 1");
        }
}

static void what_a_decay_does_not_read_must_be_zero(void **state)
{
    (void)state;
    const double set[] = {0.5, nan_value};
    for (size_t i = 0; i < COUNT_OF(set); ++i) {
        rms_schedule s = plain(RMS_DECAY_CONSTANT);
        s.factor = set[i];
        refuse(&s, RMS_ERROR_RANGE, "decay constant takes no factor (expected 0)");
        s = plain(RMS_DECAY_LINEAR);
        s.factor = set[i];
        refuse(&s, RMS_ERROR_RANGE, "decay linear takes no factor (expected 0)");
        s = plain(RMS_DECAY_COSINE);
        s.factor = set[i];
        refuse(&s, RMS_ERROR_RANGE, "decay cosine takes no factor (expected 0)");
    }
    rms_schedule s = plain(RMS_DECAY_CONSTANT);
    s.decay_steps = 1;
    refuse(&s, RMS_ERROR_RANGE, "decay constant takes no decay_steps (expected 0)");
    s = plain(RMS_DECAY_CONSTANT);
    s.final_lr = 0.001;
    refuse(&s, RMS_ERROR_RANGE, "decay constant takes no final_lr (expected 0)");
}

static void a_decay_takes_time(void **state)
{
    (void)state;
    for (int decay = RMS_DECAY_LINEAR; decay <= RMS_DECAY_EXPONENTIAL; ++decay) {
        rms_schedule s = plain((rms_decay)decay);
        s.decay_steps = 0;
        refuse(&s, RMS_ERROR_RANGE, "decay_steps = 0");
        assert_contains("linear cosine step exponential", rms_decay_name(s.decay));
    }
}

static void unknown_decays_and_reserved_fields_are_refused(void **state)
{
    (void)state;
    const int unknown[] = {-1, RMS_DECAY_EXPONENTIAL + 1, 1000};
    for (size_t i = 0; i < COUNT_OF(unknown); ++i) {
        rms_schedule s = plain(RMS_DECAY_CONSTANT);
        memcpy(&s.decay, &unknown[i], sizeof s.decay);
        refuse(&s, RMS_ERROR_RANGE, "expected one of the rms_decay constants (0 to 4)");
    }
    for (size_t i = 0; i < 4; ++i) {
        rms_schedule s = plain(RMS_DECAY_STEP);
        s.reserved[i] = 1;
        refuse(&s, RMS_ERROR_UNSUPPORTED, "must be 0 in version");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_decay_is_taken_with_its_fields),
        cmocka_unit_test(nothing_has_no_schedule),
        cmocka_unit_test(rates_have_bounds),
        cmocka_unit_test(factors_have_bounds),
        cmocka_unit_test(what_a_decay_does_not_read_must_be_zero),
        cmocka_unit_test(a_decay_takes_time),
        cmocka_unit_test(unknown_decays_and_reserved_fields_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
