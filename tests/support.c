/* What the tests share; support.h says what each function is for. */
#include "support.h"

#include "oracle_codec.h"

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

/* A double near a float: its further bits are drawn, subnormal floats become subnormal doubles. */
static double widened(float value, float draw)
{
    const double wide = (double)value * (1.0 + (double)draw * 0x1p-24);
    return fabsf(value) < 0x1p-126F ? (double)value * 0x1p-920 : wide;
}

static uint16_t narrowed(rms_dtype dtype, float value)
{
    const uint16_t code = oracle_encode(dtype, value);
    return code % 0x8000 == oracle_infinity(dtype) ? (uint16_t)(code - 1) : code;
}

/* Of every other seed, huge gradients are so in double: their squares overflow. */
void fill_gradients_of(rms_dtype dtype, void *grad, size_t count, uint64_t seed, uint64_t step)
{
    float *const floats = dtype == RMS_F32 ? grad : floats_create(count);
    uint64_t state = seed ^ step;
    fill_gradients(floats, count, seed, step);
    for (size_t i = 0; i < count && dtype != RMS_F32; ++i)
        if (dtype == RMS_F64) {
            const bool huge = fabsf(floats[i]) > 1e20F && seed % 2 == 0;
            ((double *)grad)[i] = widened(floats[i], random_float(&state)) * (huge ? 0x1p600 : 1.0);
        } else {
            ((uint16_t *)grad)[i] = narrowed(dtype, floats[i]);
        }
    if (dtype != RMS_F32)
        free(floats);
}

void fill_parameters_of(rms_dtype dtype, void *param, size_t count, uint64_t seed)
{
    float *const floats = dtype == RMS_F32 ? param : floats_create(count);
    uint64_t state = seed;
    fill_parameters(floats, count, seed);
    for (size_t i = 0; i < count && dtype != RMS_F32; ++i)
        if (dtype == RMS_F64)
            ((double *)param)[i] = widened(floats[i], random_float(&state));
        else
            ((uint16_t *)param)[i] = narrowed(dtype, floats[i]);
    if (dtype != RMS_F32)
        free(floats);
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
    {"eta_minus", 4, {0.1, 0.5, 0.9, 0x1.fffffep-1}},
    {"eta_plus", 4, {1, 1.2, 2, 1e6}},
    {"step_size_min", 4, {0, 1e-6, 1e-3, 1}},
    {"step_size_max", 4, {1e-3, 0.1, 50, 1e30}},
    {"momentum_decay", 5, {0, 1e-3, 0.02, 0.5, 100}},
    {"average_decay", 4, {0.5, 0.9, 0.999, 0x1.fffffep-1}},
    {"master", 3, {RMS_MASTER_F32, RMS_MASTER_REMAINDER, RMS_MASTER_NONE}},
    {"seed", 3, {0, 1, 2147483647}},
    {"l2_decay", 4, {1e-5, 1e-2, 0.1, 2}},
    {"decoupled_decay", 4, {1e-2, 0.1, 0.3, 1}},
    {"grad_scale", 5, {0x1p-16, 1e-3, 0.1, 3, 1e6}},
    {"clip_norm", 5, {1e-3, 1, 40, 1e10, 1e30}},
    {"clip_value", 5, {1e-20, 1e-2, 0.5, 1, 1e20}},
    {"isa", 1, {0}},
    {"threads", 1, {0}},
    {"state_format", 1, {0}}, /* tests that know of it set it, and zero_grad */
    {"zero_grad", 1, {0}},
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

/* All ones are a NaN in every format: whoever reads them by mistake shows it, too. */
enum { GUARD = 256, GUARD_BYTE = 0xff };

struct guarded guarded_create(size_t bytes, size_t offset)
{
    struct guarded array = {.bytes = bytes};
    array.memory = aligned_alloc(64, (GUARD + offset + bytes + GUARD + 63) / 64 * 64);
    assert_non_null(array.memory);
    unsigned char *const data = (unsigned char *)array.memory + GUARD + offset;
    memset(data - GUARD, GUARD_BYTE, GUARD);
    memset(data + bytes, GUARD_BYTE, GUARD);
    array.data = data;
    return array;
}

void guarded_destroy(struct guarded *array)
{
    free(array->memory);
    *array = (struct guarded){0};
}

ptrdiff_t guarded_breach(const struct guarded *array)
{
    const unsigned char *const data = array->data;
    for (size_t i = 0; i < GUARD; ++i) {
        if (data[array->bytes + i] != GUARD_BYTE)
            return (ptrdiff_t)(array->bytes + i);
        if (data[-(ptrdiff_t)i - 1] != GUARD_BYTE)
            return -(ptrdiff_t)i - 1;
    }
    return PTRDIFF_MAX;
}

void *bytes_create(size_t bytes)
{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    assert_non_null(memory);
    return memory;
}

float *floats_create(size_t count)
{
    return bytes_create(count * sizeof(float));
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

uint64_t number_bits(rms_dtype dtype, const void *array, size_t i)
{
    switch (dtype) {
    case RMS_F32: {
        const float value = ((const float *)array)[i];
        return isnan(value) ? UINT64_C(0x7fc00000) : bits_of(value);
    }
    case RMS_F64: {
        const double value = ((const double *)array)[i];
        return isnan(value) ? UINT64_C(0x7ff8000000000000) : bits_of_double(value);
    }
    case RMS_F16:
    case RMS_BF16:
        break;
    }
    const uint16_t code = ((const uint16_t *)array)[i];
    return oracle_is_nan(dtype, code) ? UINT64_C(0x7fff) : code;
}

void assert_same_numbers(rms_dtype dtype, const void *library, const void *oracle, size_t count, const char *context,
                         const rms_options *options)
{
    numbers_compared += count;
    if (count == 0 || memcmp(library, oracle, count * rms_dtype_size(dtype)) == 0)
        return;
    for (size_t i = 0; i < count; ++i)
        if (number_bits(dtype, library, i) != number_bits(dtype, oracle, i))
            fail_msg("%s, n = %zu, element %zu: 0x%llx (library) != 0x%llx (oracle); options: %s", context, count, i,
                     (unsigned long long)number_bits(dtype, library, i),
                     (unsigned long long)number_bits(dtype, oracle, i), describe_options(options));
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

double slot_start(const rms_options *options, size_t slot)
{
    if (slot == 0 && (options->rule == RMS_ADAGRAD || options->rule == RMS_RMSPROP))
        return options->initial_accumulator;
    return slot == 1 && options->rule == RMS_RPROP ? options->lr : 0.0;
}

void fill_slot(const rms_options *options, rms_dtype dtype, size_t slot, void *array, size_t count)
{
    const double start = slot_start(options, slot);
    for (size_t i = 0; i < count; ++i)
        if (dtype == RMS_F64)
            ((double *)array)[i] = start;
        else
            ((float *)array)[i] = (float)start;
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

void run_in_reverse(void *context, size_t task_count, rms_task *task, void *task_context)
{
    *(size_t *)context += task_count;
    for (size_t i = task_count; i-- > 0;)
        task(task_context, i);
}

void run_shuffled(void *context, size_t task_count, rms_task *task, void *task_context)
{
    size_t order[64];
    uint64_t state = *(size_t *)context += task_count;
    assert_true(task_count <= COUNT_OF(order));
    for (size_t i = 0; i < task_count; ++i) {
        const size_t other = random_below(&state, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < task_count; ++i)
        task(task_context, order[i]);
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
