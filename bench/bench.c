/* The measuring: limit, step, plain loop, limit, step, plain loop, … and medians. */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include "limit.h"
#include "plain_loop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 1000 };
static const double burst_seconds = 2e-3; /* a burst of steps lasts at least so long, for the clock's sake */

struct subject {
    const struct bench_case *bench_case;
    rms_optimizer *optimizer;
    void *param;
    void *grad;
    struct limit_arrays arrays; /* grad; param and the kept slots */
    size_t words;               /* of 4 bytes in a number of the gradient, at least 1 */
    double bytes_per_param;
    size_t parts; /* threads that a step really uses: a small one is not worth waking others for */
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One thread's share of a limit pass: a stretch of every array, as in the library. */
static void update_stretch(struct subject *subject, size_t begin, size_t count)
{
    struct limit_arrays stretch = subject->arrays;
    const size_t words = begin * subject->words;
    stretch.grad = (const char *)stretch.grad + begin * rms_dtype_size(subject->bench_case->dtype);
    for (size_t i = 0; i < stretch.half_count; ++i)
        stretch.halves[i] = (uint16_t *)stretch.halves[i] + begin;
    for (size_t i = 0; i < stretch.word_count; ++i)
        stretch.words[i] = (uint32_t *)stretch.words[i] + words;
    limit_update(subject->bench_case->isa, count * subject->words, &stretch);
}

static void read_stretch(struct subject *subject, size_t begin, size_t count)
{
    const size_t size = rms_dtype_size(subject->bench_case->dtype);
    const char *const from = (const char *)subject->grad + begin * size / sizeof(uint32_t) * sizeof(uint32_t);
    volatile unsigned sink = limit_read(subject->bench_case->isa, count * size / sizeof(uint32_t), from);
    (void)sink;
}

static void on_all_threads(struct subject *subject, void (*pass)(struct subject *, size_t begin, size_t count))
{
    const size_t count = subject->bench_case->count;
    const size_t threads = subject->parts;
    if (threads == 1) { /* a parallel region of one thread costs a microsecond all the same */
        pass(subject, 0, count);
        return;
    }
#ifdef _OPENMP
#pragma omp parallel for num_threads((int)threads) schedule(static, 1)
#endif
    for (size_t t = 0; t < threads; ++t) {
        const size_t begin = count / threads * t;
        pass(subject, begin, t + 1 == threads ? count - begin : count / threads);
    }
}

static void limit_once(struct subject *subject)
{
    if (subject->bench_case->nonfinite == RMS_NONFINITE_SKIP)
        on_all_threads(subject, read_stretch);
    on_all_threads(subject, update_stretch);
}

static void step_once(struct subject *subject)
{
    rms_step(subject->optimizer, NULL);
}

static void plain_once(struct subject *subject)
{
    plain_loop_rmsprop(subject->bench_case->count, subject->param, subject->grad, subject->arrays.words[1], 1e-6F,
                       0.99F, 1e-8F);
}

typedef void contestant(struct subject *subject);

static double time_burst(contestant *run, struct subject *subject, size_t repeats)
{
    const double begin = seconds_now();
    for (size_t i = 0; i < repeats; ++i)
        run(subject);
    return (seconds_now() - begin) / (double)repeats;
}

/* So many runs that a burst is long enough; this also warms up. */
static size_t choose_repeats(contestant *run, struct subject *subject)
{
    size_t repeats = 1;
    while (time_burst(run, subject, repeats) * (double)repeats < burst_seconds)
        repeats *= 2;
    return repeats;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void measure(struct subject *subject, size_t rounds, struct bench_result *result)
{
    const struct bench_case *c = subject->bench_case;
    double limit[ROUNDS_MAX], step[ROUNDS_MAX], ratio[ROUNDS_MAX], plain[ROUNDS_MAX], faster[ROUNDS_MAX];
    const bool with_plain = c->rule == RMS_RMSPROP && c->dtype == RMS_F32 && c->threads == 1;
    const size_t limit_repeats = choose_repeats(limit_once, subject);
    const size_t step_repeats = choose_repeats(step_once, subject);
    const size_t plain_repeats = with_plain ? choose_repeats(plain_once, subject) : 0;
    for (size_t i = 0; i < rounds; ++i) {
        limit[i] = time_burst(limit_once, subject, limit_repeats);
        step[i] = time_burst(step_once, subject, step_repeats);
        ratio[i] = limit[i] / step[i];
        plain[i] = with_plain ? time_burst(plain_once, subject, plain_repeats) : (double)NAN;
        faster[i] = plain[i] / step[i];
    }
    const double to_ns = 1e9 / (double)c->count;
    result->bytes_per_param = subject->bytes_per_param;
    result->ns_per_param = median(step, rounds) * to_ns;
    result->gb_per_s = result->bytes_per_param / result->ns_per_param;
    result->limit_ns_per_param = median(limit, rounds) * to_ns;
    result->ratio_to_limit = median(ratio, rounds);
    result->plain_ns_per_param = with_plain ? median(plain, rounds) * to_ns : (double)NAN;
    result->times_faster_than_plain = with_plain ? median(faster, rounds) : (double)NAN;
}

static rms_options options_of(const struct bench_case *c)
{
    rms_options options = rms_options_for(c->rule);
    options.lr = 1e-6;
    options.momentum = c->rule == RMS_SGD ? 0.9 : 0;
    options.threads = c->threads;
    options.isa = c->isa;
    options.nonfinite = c->nonfinite;
    options.master = c->master;
    return options;
}

/* Parameters of 1; gradients of both signs and some spread: none so small that squares become subnormal. All are whole
 * multiples of 2^-7, which every dtype holds; of f16 and bf16 the codes are listed. */
static void fill(struct subject *subject)
{
    static const uint16_t f16[] = {0x3c00, 0x2000, 0x2400, 0x2600, 0x2800, 0x2900, 0x2a00, 0x2b00};
    static const uint16_t bf16[] = {0x3f80, 0x3c00, 0x3c80, 0x3cc0, 0x3d00, 0x3d20, 0x3d40, 0x3d60};
    const uint16_t *const codes = subject->bench_case->dtype == RMS_F16 ? f16 : bf16;
    for (size_t i = 0; i < subject->bench_case->count; ++i) {
        const size_t size = i % 7 + 1;
        const float grad = (float)size * (i % 2 ? 0x1p-7F : -0x1p-7F);
        switch (subject->bench_case->dtype) {
        case RMS_F32:
            ((float *)subject->param)[i] = 1;
            ((float *)subject->grad)[i] = grad;
            break;
        case RMS_F64:
            ((double *)subject->param)[i] = 1;
            ((double *)subject->grad)[i] = (double)grad;
            break;
        case RMS_F16:
        case RMS_BF16:
            ((uint16_t *)subject->param)[i] = codes[0];
            ((uint16_t *)subject->grad)[i] = (uint16_t)(codes[size] | (i % 2 ? 0 : 0x8000));
            break;
        }
    }
}

static void count_parts(void *context, size_t task_count, rms_task *task, void *task_context)
{
    *(size_t *)context = task_count;
    for (size_t i = 0; i < task_count; ++i)
        task(task_context, i);
}

/* Asks the library itself into how many parts it cuts a step, which the rule does not decide: by SGD without
 * state, at a rate of 0, which changes nothing. */
static size_t parts_of_step(const struct subject *subject)
{
    const struct bench_case *c = subject->bench_case;
    size_t parts = 1;
    const rms_parallel counting = {.parallel_for = count_parts, .context = &parts};
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 0;
    options.isa = c->isa;
    options.threads = c->threads;
    options.nonfinite = RMS_NONFINITE_PROPAGATE;
    options.parallel = &counting;
    options.master = RMS_MASTER_NONE;
    rms_apply(&options, c->dtype, 1, c->count, subject->param, subject->grad, NULL, NULL, NULL);
    return parts;
}

/* Of doubles, the upper half tells. */
static bool all_finite(const struct subject *subject)
{
    const size_t step = subject->words;
    const size_t count = subject->bench_case->count * step;
    for (size_t i = 0; i < subject->arrays.word_count; ++i)
        for (size_t j = step - 1; j < count; j += step) {
            uint32_t bits;
            memcpy(&bits, (const char *)subject->arrays.words[i] + j * sizeof bits, sizeof bits);
            const uint32_t exponent = step == 2 ? 0x7ff00000 : 0x7f800000;
            if ((bits & exponent) == exponent)
                return false;
        }
    return true;
}

/* Notes an array that a step writes, of so many bytes a number. */
static void note_written(struct subject *subject, void *array, size_t size)
{
    struct limit_arrays *const arrays = &subject->arrays;
    if (size == sizeof(uint16_t))
        arrays->halves[arrays->half_count++] = array;
    else
        arrays->words[arrays->word_count++] = array;
    subject->bytes_per_param += 2 * (double)size;
}

static void note_arrays(struct subject *subject)
{
    const struct bench_case *c = subject->bench_case;
    const size_t size = rms_dtype_size(c->dtype);
    subject->arrays.grad = subject->grad;
    subject->arrays.half_grad = size == sizeof(uint16_t);
    subject->words = size > sizeof(uint32_t) ? size / sizeof(uint32_t) : 1;
    subject->bytes_per_param = (double)(c->nonfinite == RMS_NONFINITE_SKIP ? 2 * size : size);
    note_written(subject, subject->param, size);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const char *const name = rms_slot_name(c->rule, slot);
        void *const state = name ? rms_state(subject->optimizer, 0, name) : NULL;
        if (state)
            note_written(subject, state, rms_slot_size(slot, c->dtype));
    }
}

static rms_status prepare(struct subject *subject, rms_error *error)
{
    const struct bench_case *c = subject->bench_case;
    const size_t bytes = (c->count * rms_dtype_size(c->dtype) + 63) / 64 * 64;
    subject->param = aligned_alloc(64, bytes);
    subject->grad = aligned_alloc(64, bytes);
    if (!subject->param || !subject->grad) {
        snprintf(error->message, sizeof error->message, "out of memory for %zu parameters", c->count);
        return RMS_ERROR_MEMORY;
    }
    fill(subject);
    const rms_options options = options_of(c);
    const rms_tensor tensor = {
        .name = "bench", .count = c->count, .param = subject->param, .grad = subject->grad, .dtype = c->dtype};
    rms_status status = rms_create(&subject->optimizer, &options, error);
    if (status == RMS_OK) {
        status = rms_add(subject->optimizer, &tensor);
        memcpy(error->message, rms_message(subject->optimizer), strlen(rms_message(subject->optimizer)) + 1);
    }
    if (status == RMS_OK) {
        subject->parts = parts_of_step(subject);
        note_arrays(subject);
    }
    return status;
}

rms_status bench_measure(const struct bench_case *bench_case, size_t rounds, struct bench_result *result,
                         rms_error *error)
{
    if (rounds < 1 || rounds > ROUNDS_MAX || bench_case->count < 1 || bench_case->threads < 1 ||
        bench_case->isa == RMS_ISA_AUTO) {
        snprintf(error->message, sizeof error->message,
                 "bench: expected 1 to %d rounds, parameters, threads, and an instruction set by name", ROUNDS_MAX);
        return RMS_ERROR_ARGUMENT;
    }
    struct subject subject = {.bench_case = bench_case};
    rms_status status = prepare(&subject, error);
    if (status == RMS_OK) {
        measure(&subject, rounds, result);
        if (!all_finite(&subject)) {
            snprintf(error->message, sizeof error->message, "bench: what was measured was the arithmetic of NaN");
            status = RMS_ERROR_RANGE;
        }
    }
    rms_free(subject.optimizer);
    free(subject.param);
    free(subject.grad);
    return status;
}
