/* Bare passes, reads and copies of memory of a given size, and bare arithmetic. */
#include "levels.h"

#include "arithmetic.h"
#include "contest.h"
#include "limit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, ARRAYS = 3, ARITHMETIC_COUNT = 16384 };
enum { CONTESTANTS = 3 };

/* Small sizes are gone through many times within one parallel region, whose price is not the level's. */
static const size_t bytes_per_run = 1 << 22;

struct stage {
    rms_isa isa;
    size_t threads;
    size_t count;     /* of words in each array, for each thread */
    size_t times;     /* that a thread goes through its own in one run */
    uint32_t *memory; /* arrays of each thread side by side */
};

typedef void stage_pass(const struct stage *stage, uint32_t *arrays);

static void pass_once(const struct stage *stage, uint32_t *arrays)
{
    uint32_t *const param = arrays + stage->count;
    const struct limit_arrays limit = {.grad = arrays, .words = {param, param + stage->count}, .word_count = 2};
    (void)limit_update(stage->isa, stage->count, &limit);
}

static void read_once(const struct stage *stage, uint32_t *arrays)
{
    volatile unsigned sink = limit_read(stage->isa, ARRAYS * stage->count, arrays);
    (void)sink;
}

static void copy_once(const struct stage *stage, uint32_t *arrays)
{
    memcpy(arrays + stage->count, arrays, stage->count * sizeof *arrays);
}

static void on_all_threads(const struct stage *stage, stage_pass *pass)
{
#ifdef _OPENMP
#pragma omp parallel for num_threads((int)stage->threads) schedule(static, 1)
#endif
    for (size_t thread = 0; thread < stage->threads; ++thread)
        for (size_t i = 0; i < stage->times; ++i)
            pass(stage, stage->memory + thread * ARRAYS * stage->count);
}

static void touch(const struct stage *stage, uint32_t *arrays)
{
    memset(arrays, 1, ARRAYS * stage->count * sizeof *arrays);
}

static void run_pass(void *context)
{
    on_all_threads(context, pass_once);
}

static void run_read(void *context)
{
    on_all_threads(context, read_once);
}

static void run_copy(void *context)
{
    on_all_threads(context, copy_once);
}

const char *level_name(enum bench_level level)
{
    static const char *const names[LEVEL_COUNT] = {"L1", "L2", "L3", "memory"};
    return names[level];
}

size_t level_bytes(const struct system_caches *caches, enum bench_level level, size_t least_in_memory)
{
    const size_t *const cache = caches->bytes;
    switch (level) {
    case LEVEL_1:
        return cache[0] / 3;
    case LEVEL_2:
        return cache[1] / 2;
    case LEVEL_3:
        return cache[2] / 8 * 3;
    default:
        return 4 * cache[2] > least_in_memory ? 4 * cache[2] : least_in_memory;
    }
}

static rms_status prepare(struct stage *stage, const struct level_speed *speed, rms_error *error)
{
    const bool own = speed->level == LEVEL_1 || speed->level == LEVEL_2;
    const size_t each = own ? speed->bytes : speed->bytes / stage->threads;
    const size_t line = ALIGNMENT / sizeof *stage->memory;
    stage->count = each / sizeof *stage->memory / ARRAYS / line * line;
    stage->count = stage->count > line ? stage->count : line;
    const size_t bytes = ARRAYS * stage->count * sizeof *stage->memory;
    stage->times = bytes < bytes_per_run ? bytes_per_run / bytes : 1;
    stage->memory = aligned_alloc(ALIGNMENT, stage->threads * bytes);
    if (!stage->memory) {
        (void)snprintf(error->message, sizeof error->message, "out of memory for %zu bytes", stage->threads * bytes);
        return RMS_ERROR_MEMORY;
    }
    on_all_threads(
        &(struct stage){.threads = stage->threads, .count = stage->count, .times = 1, .memory = stage->memory}, touch);
    return RMS_OK;
}

/* One instruction set's pass and read over the stage's memory; the better of what was and what is measured stays. */
static void measure_isa(struct stage *stage, rms_isa isa, struct contestant contestants[CONTESTANTS], size_t rounds,
                        struct level_speed *speed)
{
    static const double bytes_per_word[CONTESTANTS] = {20, 12, 8}; /* of one array */
    bench_pass *const runs[CONTESTANTS] = {run_pass, run_read, run_copy};
    double *const speeds[CONTESTANTS] = {&speed->pass, &speed->read, &speed->copy};
    stage->isa = isa;
    for (int i = 0; i < CONTESTANTS; ++i) {
        contestants[i].run = runs[i];
        contestants[i].context = stage;
    }
    contest_run(contestants, CONTESTANTS, rounds);
    const double words = (double)(stage->threads * stage->times * stage->count);
    for (int i = 0; i < CONTESTANTS; ++i)
        *speeds[i] = fmax(*speeds[i], 1e-9 * words * bytes_per_word[i] / contest_median(&contestants[i], rounds));
}

rms_status level_measure(struct level_speed *speed, size_t rounds, rms_error *error)
{
    struct stage stage = {.threads = (size_t)speed->threads};
    struct contestant *const contestants = calloc(CONTESTANTS, sizeof *contestants);
    rms_status status = RMS_ERROR_MEMORY;
    if (contestants)
        status = prepare(&stage, speed, error);
    else
        (void)snprintf(error->message, sizeof error->message, "out of memory");
    for (int isa = RMS_ISA_BASELINE; status == RMS_OK && rms_isa_name((rms_isa)isa); ++isa)
        if (rms_isa_supported((rms_isa)isa))
            measure_isa(&stage, (rms_isa)isa, contestants, rounds, speed);
    free(stage.memory);
    free(contestants);
    return status;
}

/* ---- arithmetic --------------------------------------------------------------------------------- */

struct desk {
    rms_isa isa;
    bool in_double;
    _Alignas(ALIGNMENT) double from[ARITHMETIC_BLOCK];
    _Alignas(ALIGNMENT) double to[ARITHMETIC_BLOCK];
};

static void run_arithmetic(void *context)
{
    struct desk *const desk = context;
    const struct arithmetic one_of_each = {.roots = 1, .divisions = 1};
    arithmetic_pass(desk->isa, desk->in_double, one_of_each, ARITHMETIC_COUNT, desk->from, desk->to);
}

double level_arithmetic(rms_isa isa, bool in_double, size_t rounds)
{
    struct desk desk = {.isa = isa, .in_double = in_double};
    struct contestant contestant = {.run = run_arithmetic, .context = &desk};
    arithmetic_fill(in_double, desk.from);
    contest_run(&contestant, 1, rounds);
    return 1e9 / ARITHMETIC_COUNT * contest_median(&contestant, rounds);
}
