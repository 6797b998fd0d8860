/* The measuring of cases: limits, step and plain loop of each in turn, and medians. */
#include "bench.h"

#include "contest.h"
#include "subject.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Who runs for a case; NULL where it is not measured. */
struct entry {
    struct subject subject;
    struct contestant *limit, *arithmetic, *step, *plain;
};

enum { CONTESTANTS_PER_CASE = 4 };

struct field {
    struct entry entries[BENCH_CASES_MAX];
    struct contestant contestants[BENCH_CASES_MAX * CONTESTANTS_PER_CASE];
    size_t contestant_count;
};

static struct contestant *enter(struct field *field, bool wanted, bench_pass *run, struct subject *subject)
{
    if (!wanted)
        return NULL;
    struct contestant *const contestant = &field->contestants[field->contestant_count++];
    contestant->run = run;
    contestant->context = subject;
    return contestant;
}

static void enter_case(struct field *field, struct entry *entry, const struct bench_method *method)
{
    struct subject *const subject = &entry->subject;
    const struct bench_case *c = subject->bench_case;
    const bool like_plain = c->rule == RMS_RMSPROP && c->dtype == RMS_F32 && c->threads == 1 && c->tensors == 1 &&
                            c->state == RMS_STATE_FULL && !(c->clip_norm > 0);
    entry->limit = enter(field, method->limit, subject_limit, subject);
    entry->arithmetic =
        enter(field, method->arithmetic && subject->arithmetic.divisions > 0, subject_arithmetic, subject);
    entry->step = enter(field, true, subject_step, subject);
    entry->plain = enter(field, method->plain && like_plain, subject_plain, subject);
}

static double median_or_nan(const struct contestant *contestant, size_t rounds)
{
    return contestant ? contest_median(contestant, rounds) : (double)NAN;
}

static void evaluate(const struct entry *entry, const struct entry *first, size_t rounds, struct bench_result *result)
{
    const struct subject *const subject = &entry->subject;
    const double params = (double)subject->bench_case->count * (double)subject->bench_case->tensors;
    const double first_params = (double)first->subject.bench_case->count * (double)first->subject.bench_case->tensors;
    const double to_ns = 1e9 / params;
    result->bytes_per_param = subject->bytes_per_param;
    result->held_per_param = subject->held_per_param;
    result->threads_used = (int)subject->parts;
    result->ns_per_param = contest_median(entry->step, rounds) * to_ns;
    result->gb_per_s = result->bytes_per_param / result->ns_per_param;
    result->limit_ns_per_param = median_or_nan(entry->limit, rounds) * to_ns;
    result->arithmetic_ns_per_param = median_or_nan(entry->arithmetic, rounds) * to_ns;
    result->ratio_to_limit = contest_ratio(entry->limit, entry->step, rounds);
    result->ratio_to_slower = contest_ratio_of_slower(entry->limit, entry->arithmetic, entry->step, rounds);
    result->time_to_first = contest_ratio(entry->step, first->step, rounds) / params * first_params;
    result->plain_ns_per_param = median_or_nan(entry->plain, rounds) * to_ns;
    result->times_faster_than_plain = contest_ratio(entry->plain, entry->step, rounds);
}

static rms_status run(struct field *field, size_t count, const struct bench_method *method,
                      struct bench_result *results, rms_error *error)
{
    for (size_t i = 0; i < count; ++i) {
        if (method->limit)
            subject_choose_limit(&field->entries[i].subject);
        enter_case(field, &field->entries[i], method);
    }
    contest_run(field->contestants, field->contestant_count, method->rounds);
    for (size_t i = 0; i < count; ++i) {
        evaluate(&field->entries[i], &field->entries[0], method->rounds, &results[i]);
        if (!subject_is_finite(&field->entries[i].subject)) {
            (void)snprintf(error->message, sizeof error->message, "what was measured was the arithmetic of NaN");
            return RMS_ERROR_RANGE;
        }
    }
    return RMS_OK;
}

static bool is_sound(const struct bench_case *c)
{
    return c->count > 0 && c->tensors > 0 && c->threads > 0 && c->isa != RMS_ISA_AUTO;
}

rms_status bench_check(const struct bench_case *bench_case, rms_error *error)
{
    const rms_options options = subject_options(bench_case);
    rms_status status = rms_options_check(&options, error);
    if (status == RMS_OK && rms_state_bytes(&options, bench_case->dtype, 1) == SIZE_MAX) {
        (void)snprintf(error->message, sizeof error->message, "%s does not go with master %s and %s state",
                       rms_dtype_name(bench_case->dtype), rms_master_name(bench_case->master),
                       rms_state_format_name(bench_case->state));
        status = RMS_ERROR_UNSUPPORTED;
    }
    return status;
}

size_t bench_bytes(const struct bench_case *c)
{
    const rms_options options = subject_options(c);
    const size_t state = rms_state_bytes(&options, c->dtype, c->count);
    const double bytes = (double)state + 2.0 * (double)rms_dtype_size(c->dtype) * (double)c->count;
    const double all = (bytes + (double)sizeof(struct limit_arrays)) * (double)c->tensors;
    return state == SIZE_MAX || all >= (double)SIZE_MAX ? SIZE_MAX : (size_t)all;
}

rms_status bench_measure(const struct bench_case *cases, size_t count, const struct bench_method *method,
                         struct bench_result *results, rms_error *error)
{
    bool sound = count >= 1 && count <= BENCH_CASES_MAX && method->rounds >= 1 && method->rounds <= CONTEST_ROUNDS_MAX;
    for (size_t i = 0; sound && i < count; ++i)
        sound = is_sound(&cases[i]);
    if (!sound) {
        (void)snprintf(
            error->message, sizeof error->message,
            "bench: expected 1 to %d cases of parameters, tensors, threads and an instruction set by name, and 1 "
            "to %d rounds",
            BENCH_CASES_MAX, CONTEST_ROUNDS_MAX);
        return RMS_ERROR_ARGUMENT;
    }
    struct field *const field = calloc(1, sizeof *field);
    if (!field) {
        (void)snprintf(error->message, sizeof error->message, "out of memory");
        return RMS_ERROR_MEMORY;
    }
    rms_status status = RMS_OK;
    for (size_t i = 0; i < count && status == RMS_OK; ++i)
        status = subject_prepare(&field->entries[i].subject, &cases[i], error);
    if (status == RMS_OK)
        status = run(field, count, method, results, error);
    for (size_t i = 0; i < count; ++i)
        subject_release(&field->entries[i].subject);
    free(field);
    return status;
}
