/* What the tests share; support.h says what each function is for. */
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

uint64_t random_bits(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

size_t random_below(uint64_t *state, size_t bound)
{
    return (size_t)(random_bits(state) % bound);
}

float random_float(uint64_t *state)
{
    const int32_t whole = (int32_t)(random_bits(state) >> 40) - (1 << 23);
    return (float)whole * 0x1p-23F;
}

/* Of 32 elements, 20 are tame. */
static float temper(unsigned kind, float draw, uint64_t step)
{
    switch (kind) {
    case 0:
        return 0.0F;
    case 1:
        return -0.0F;
    case 2: /* subnormal */
        return draw * 0x1p-130F;
    case 3:
        return draw * 1e-30F;
    case 4:
        return draw * 1e30F;
    case 5: /* equal at every step: the centered variance is rounding error */
        return 0.009F;
    case 6: /* the sign flips */
        return step % 2 == 0 ? 0.25F : -0.25F;
    case 7: /* zero for long, then not */
        return step % 4 == 0 ? draw : 0.0F;
    case 8: /* its square underflows to a subnormal */
        return draw * 0x1p-70F;
    case 9: /* large, its square still finite */
        return draw * 1e18F;
    case 10:
        return draw * 1000.0F;
    case 11:
        return draw * 0.001F;
    default:
        return draw;
    }
}

void fill_gradients(float *grad, size_t count, uint64_t seed, uint64_t step)
{
    uint64_t of_element = seed;
    uint64_t of_step = seed ^ (step * 0xd1342543de82ef95U);
    for (size_t i = 0; i < count; ++i) {
        const unsigned kind = (unsigned)(random_bits(&of_element) >> 59);
        grad[i] = temper(kind, random_float(&of_step), step);
    }
}

void fill_parameters(float *param, size_t count, uint64_t seed)
{
    uint64_t state = seed ^ 0xa0761d6478bd642fU;
    for (size_t i = 0; i < count; ++i) {
        const float draw = random_float(&state);
        const unsigned kind = (unsigned)(random_bits(&state) >> 60);
        param[i] = kind == 0 ? 0.0F : kind == 1 ? draw * 0x1p-130F : kind == 2 ? draw * 1e30F : draw * 2.0F;
    }
}

/* Values worth trying; an option that is not listed gets its bounds and its default. */
static const struct {
    const char *key;
    size_t count;
    double values[7];
} pools[] = {
    {"lr", 6, {0, 3e-7, 1e-3, 1e-2, 0.1, 1}},
    {"rho", 6, {0, 0.5, 0.9, 0.95, 0.999, 0x1.fffffep-1}},
    {"beta1", 6, {0, 0.5, 0.9, 0.95, 0.999, 0x1.fffffep-1}},
    {"beta2", 6, {0, 0.5, 0.9, 0.95, 0.9999, 0x1.fffffep-1}},
    {"eps", 6, {0, 1e-37, 1e-10, 1e-8, 1e-3, 1}},
    {"eps_inside", 6, {0, 1e-37, 1e-10, 1e-8, 1e-3, 1}},
    {"initial_accumulator", 4, {1e-12, 0.1, 1, 1e10}},
    {"momentum", 5, {0, 0.5, 0.9, 0.99, 0x1.fffffep-1}},
    {"dampening", 4, {0, 0.1, 0.5, 1}},
    {"lr_decay", 4, {1e-3, 0.1, 1, 1e6}},
    {"l2_decay", 4, {1e-5, 1e-2, 0.1, 2}},
    {"decoupled_decay", 4, {1e-2, 0.1, 0.3, 1}},
    {"grad_scale", 5, {0x1p-16, 1e-3, 0.1, 3, 1e6}},
    {"clip_norm", 5, {1e-3, 1, 40, 1e10, 1e30}},
    {"clip_value", 5, {1e-20, 1e-2, 0.5, 1, 1e20}},
    {"isa", 1, {0}},
    {"threads", 1, {0}},
};

static double random_value(uint64_t *state, const rms_option_info *info)
{
    for (size_t i = 0; i < COUNT_OF(pools); ++i)
        if (strcmp(pools[i].key, info->key) == 0)
            return pools[i].values[random_below(state, pools[i].count)];
    const double values[] = {info->minimum, info->maximum, info->default_value};
    return values[random_below(state, COUNT_OF(values))];
}

rms_options random_options(uint64_t *state, rms_rule rule)
{
    for (;;) {
        rms_options options = rms_options_for(rule);
        rms_option_info info;
        for (size_t i = 0; rms_option_at(rule, i, &info); ++i)
            if (random_below(state, 2) == 0)
                assert_ok(rms_options_set(&options, info.key, random_value(state, &info), NULL), info.key);
        if (rms_options_check(&options, NULL) == RMS_OK)
            return options;
    }
}

const char *describe_options(const rms_options *options)
{
    static _Thread_local char text[1024];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", rms_rule_name(options->rule));
    rms_option_info info;
    for (size_t i = 0; rms_option_at(options->rule, i, &info); ++i) {
        double value;
        if (rms_options_get(options, info.key, &value, NULL) == RMS_OK && value != info.default_value &&
            used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, " %s=%.17g", info.key, value);
    }
    return text;
}

void set_options(rms_options *options, const char *assignments)
{
    char copy[512];
    assert_true((size_t)snprintf(copy, sizeof copy, "%s", assignments) < sizeof copy);
    char *rest = copy;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        rms_error error;
        assert_ok(rms_options_set_text(options, word, value, &error), error.message);
    }
}

#if defined(__x86_64__)
rms_isa isas[] = {RMS_ISA_BASELINE, RMS_ISA_AVX2, RMS_ISA_AVX512};
#elif defined(__aarch64__)
rms_isa isas[] = {RMS_ISA_BASELINE, RMS_ISA_NEON};
#else
rms_isa isas[] = {RMS_ISA_BASELINE};
#endif
const size_t isa_count = COUNT_OF(isas);

rms_isa isa_of_test(void **state)
{
    const rms_isa *isa = *state;
    if (!rms_isa_supported(*isa)) {
        print_message("SKIP: this build or this machine does not run %s\n", rms_isa_name(*isa));
        skip();
    }
    return *isa;
}

enum { GUARD = 64 };
#define GUARD_BITS 0x7fc5a5a5U /* a NaN: whoever reads it by mistake shows it, too */

static float guard_value(void)
{
    const uint32_t bits = GUARD_BITS;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct guarded guarded_create(size_t count, size_t offset)
{
    struct guarded array = {.count = count};
    const size_t whole = (GUARD + offset + count + GUARD + 15) / 16 * 16;
    array.memory = aligned_alloc(64, whole * sizeof(float));
    assert_non_null(array.memory);
    array.data = (float *)array.memory + GUARD + offset;
    for (size_t i = 0; i < GUARD; ++i) {
        array.data[-(ptrdiff_t)i - 1] = guard_value();
        array.data[count + i] = guard_value();
    }
    return array;
}

void guarded_destroy(struct guarded *array)
{
    free(array->memory);
    *array = (struct guarded){0};
}

ptrdiff_t guarded_breach(const struct guarded *array)
{
    for (size_t i = 0; i < GUARD; ++i) {
        if (bits_of(array->data[array->count + i]) != GUARD_BITS)
            return (ptrdiff_t)(array->count + i);
        if (bits_of(array->data[-(ptrdiff_t)i - 1]) != GUARD_BITS)
            return -(ptrdiff_t)i - 1;
    }
    return PTRDIFF_MAX;
}

float *floats_create(size_t count)
{
    float *memory = malloc((count > 0 ? count : 1) * sizeof(float));
    assert_non_null(memory);
    return memory;
}

uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

bool same_bits(float a, float b)
{
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

uint64_t numbers_compared;

size_t first_difference(const float *a, const float *b, size_t count)
{
    numbers_compared += count;
    if (count == 0 || memcmp(a, b, count * sizeof *a) == 0)
        return count;
    for (size_t i = 0; i < count; ++i)
        if (!same_bits(a[i], b[i]))
            return i;
    return count;
}

void assert_same_floats(const float *library, const float *oracle, size_t count, const char *context,
                        const rms_options *options)
{
    const size_t i = first_difference(library, oracle, count);
    if (i < count)
        fail_msg("%s, n = %zu, element %zu: 0x%08x (library) != 0x%08x (oracle); options: %s", context, count, i,
                 bits_of(library[i]), bits_of(oracle[i]), describe_options(options));
}

void report_comparisons(const char *what)
{
    print_message("%s: %llu numbers compared\n", what, (unsigned long long)numbers_compared);
    assert_true(numbers_compared > 0);
    numbers_compared = 0;
}

void assert_status(rms_status expected, rms_status actual, const char *message)
{
    if (expected != actual) {
        const char *name = rms_status_name(actual);
        fail_msg("status %s (%d) instead of %s: %s", name ? name : "unknown", (int)actual, rms_status_name(expected),
                 message ? message : "");
    }
}

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

rms_optimizer *create_optimizer(const rms_options *options)
{
    rms_optimizer *optimizer = NULL;
    rms_error error;
    assert_ok(rms_create(&optimizer, options, &error), error.message);
    assert_non_null(optimizer);
    return optimizer;
}

size_t add_tensor(rms_optimizer *optimizer, const char *name, float *param, const float *grad, size_t count)
{
    const rms_tensor tensor = {.name = name, .count = count, .param = param, .grad = grad};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    return rms_tensor_count(optimizer) - 1;
}

static bool same_option(rms_optimizer *optimizer, size_t group, const char *key, double wanted)
{
    double value;
    assert_ok(rms_get(optimizer, group, key, &value), rms_message(optimizer));
    return value == wanted;
}

/* Options depend on each other (nesterov needs momentum), so that a key may be refused until another is
 * set: the keys go round until none is left. */
void set_group(rms_optimizer *optimizer, size_t group, const rms_options *options)
{
    bool done = false;
    for (size_t round = 0; !done; ++round) {
        done = true;
        rms_option_info info;
        for (size_t i = 0; rms_option_at(options->rule, i, &info); ++i) {
            double wanted;
            assert_ok(rms_options_get(options, info.key, &wanted, NULL), info.key);
            if (!info.per_group || same_option(optimizer, group, info.key, wanted))
                continue;
            const rms_status status = rms_set(optimizer, group, info.key, wanted);
            if (round == COUNT_OF(pools))
                assert_ok(status, rms_message(optimizer));
            done = done && status == RMS_OK;
        }
    }
}

float slot_start(const rms_options *options, size_t slot)
{
    const bool accumulates = options->rule == RMS_ADAGRAD || options->rule == RMS_RMSPROP;
    return accumulates && slot == 0 ? (float)options->initial_accumulator : 0.0F;
}

struct job {
    rms_task *task;
    void *context;
    size_t index;
};

static void *run_job(void *argument)
{
    const struct job *job = argument;
    job->task(job->context, job->index);
    return NULL;
}

void run_on_threads(void *context, size_t task_count, rms_task *task, void *task_context)
{
    enum { THREADS_MAX = 64 };
    pthread_t threads[THREADS_MAX];
    struct job jobs[THREADS_MAX];
    if (context)
        *(size_t *)context += task_count;
    assert_true(task_count <= THREADS_MAX);
    for (size_t i = 0; i < task_count; ++i) {
        jobs[i] = (struct job){task, task_context, i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
    for (size_t i = 0; i < task_count; ++i)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

size_t effort(size_t repetitions)
{
    const char *text = getenv("RMSPROP_TEST_EFFORT");
    const double share = text ? strtod(text, NULL) : 1.0;
    if (!(share > 0 && share <= 1))
        fail_msg("RMSPROP_TEST_EFFORT=%s: expected a number above 0, at most 1", text);
    const size_t scaled = (size_t)((double)repetitions * share);
    return scaled > 0 ? scaled : 1;
}
