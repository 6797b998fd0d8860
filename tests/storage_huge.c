/* More than 2^31 elements of 16 bits: stepped, saved, loaded, and given rows, right at both ends and around 2^31; with state
 * in 8 bits; a norm of more chunks than rms_apply has room for; and a table so large that the numbers of its random bits
 * need more than 32 bits. */
#include "huge_memory.h"
#include "support.h"

#include "oracle_codec.h"
#include "oracle_state.h"

#include <math.h>
#include <rmsprop_checkpoint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define COUNT ((size_t)(UINT64_C(1) << 31) + 5)
#define BYTES (COUNT * sizeof(uint16_t))

/* Elements with a life of their own; between them lies nothing but zeros. */
static const size_t elements[] = {0, 9, (size_t)(UINT64_C(1) << 31) - 1, (size_t)(UINT64_C(1) << 31), COUNT - 1};
enum { ELEMENTS = COUNT_OF(elements), RATE = 16 /* 1 over it */ };

static uint16_t *numbers_create(void)
{
    size_t islands[ELEMENTS];
    for (size_t i = 0; i < ELEMENTS; ++i)
        islands[i] = elements[i] * sizeof(uint16_t);
    return huge_create(BYTES, islands, ELEMENTS);
}

static void skip_unless_plain(void)
{
    if (effort(100) < 100 || !OWN_MALLOC) {
        print_message("SKIP: under sanitizers, or with RMSPROP_TEST_EFFORT below 1, this would take minutes\n");
        skip();
    }
}

static rms_options at_random(void)
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1.0 / RATE;
    options.master = RMS_MASTER_NONE;
    options.seed = 3;
    return options;
}

static rms_optimizer *create(uint16_t *param, const uint16_t *grad)
{
    const rms_options options = at_random();
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "huge", .count = COUNT, .param = param, .grad = grad, .dtype = RMS_BF16};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    return optimizer;
}

/* 1.5 less a sixteenth of 1 + 2^-7 is no bf16; each element is rounded by its own bits. */
static const float start = 1.5F, gradient = 1 + 0x1p-7F;

static uint16_t expected_at(float before, uint64_t step, size_t element)
{
    const uint16_t random = oracle_random(oracle_key(at_random().seed, "huge"), step, element);
    return oracle_encode_at_random(RMS_BF16, before - gradient / RATE, random);
}

static void assert_elements(const uint16_t *param, const uint16_t *expected, const char *when)
{
    for (size_t i = 0; i < ELEMENTS; ++i)
        if (param[elements[i]] != expected[i])
            fail_msg("%s, element %zu: 0x%04x, expected 0x%04x", when, elements[i], (unsigned)param[elements[i]],
                     (unsigned)expected[i]);
}

static void check_step(rms_optimizer *optimizer, uint16_t *param, uint16_t *grad, uint16_t *expected)
{
    for (size_t i = 0; i < ELEMENTS; ++i) {
        param[elements[i]] = oracle_encode(RMS_BF16, start);
        grad[elements[i]] = oracle_encode(RMS_BF16, gradient);
        expected[i] = expected_at(start, 1, elements[i]);
    }
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(fabs(report.gradient_norm - (double)gradient * sqrt(ELEMENTS)) < 1e-12);
    assert_elements(param, expected, "stepped");

    char last[32];
    const uint16_t finite = grad[COUNT - 1];
    snprintf(last, sizeof last, "element %zu is inf", COUNT - 1);
    grad[COUNT - 1] = oracle_infinity(RMS_BF16);
    assert_status(RMS_SKIPPED_NONFINITE, rms_step(optimizer, NULL), rms_message(optimizer));
    assert_contains(rms_message(optimizer), last);
    grad[COUNT - 1] = finite;
    assert_elements(param, expected, "skipped");
}

/* Rows of one element, and of the largest number that divides the count. */
static void check_rows(rms_optimizer *optimizer, uint16_t *param, uint16_t *expected)
{
    int64_t indices[ELEMENTS];
    uint16_t values[ELEMENTS];
    for (size_t i = 0; i < ELEMENTS; ++i) {
        indices[i] = (int64_t)elements[ELEMENTS - 1 - i];
        values[i] = oracle_encode(RMS_BF16, gradient);
        expected[i] = expected_at((float)oracle_decode(RMS_BF16, expected[i]), 2, elements[i]);
    }
    const rms_rows rows = {0, 1, ELEMENTS, indices, values, RMS_ROWS_LAZY, {0}};
    assert_ok(rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
    assert_elements(param, expected, "rows");
    indices[2] = (int64_t)COUNT;
    assert_status(RMS_ERROR_RANGE, rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
    assert_elements(param, expected, "rows refused");
}

static bool has_disk(const char *folder, double bytes)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) == 0 && (double)disk.f_bavail * (double)disk.f_frsize >= bytes)
        return true;
    print_message("SKIP the checkpoint: less than %.1f GiB free in %s\n", bytes / 0x1p30, folder);
    return false;
}

static void check_checkpoint(rms_optimizer *optimizer, uint16_t *param, const uint16_t *expected)
{
    static const char path[] = "storage_huge.safetensors";
    if (!has_disk(".", (double)BYTES + 0x1p30))
        return;
    const rms_status status = rms_save(optimizer, path);
    if (status == RMS_ERROR_UNSUPPORTED) {
        print_message("SKIP the checkpoint: %s\n", rms_message(optimizer));
        return;
    }
    assert_ok(status, rms_message(optimizer));
    for (size_t i = 0; i < ELEMENTS; ++i)
        param[elements[i]] = 0;
    assert_ok(rms_set_steps(optimizer, 0, 77), rms_message(optimizer));
    const rms_status loaded = rms_load(optimizer, path);
    unlink(path);
    assert_ok(loaded, rms_message(optimizer));
    assert_elements(param, expected, "loaded");
    uint64_t steps;
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, 2);
}

static void a_tensor_of_more_than_2_to_the_31_elements_is_treated_to_the_last(void **state)
{
    (void)state;
    skip_unless_plain();
    uint16_t *const param = numbers_create();
    uint16_t *const grad = param ? numbers_create() : NULL;
    if (grad) {
        uint16_t expected[ELEMENTS];
        rms_optimizer *optimizer = create(param, grad);
        check_step(optimizer, param, grad, expected);
        check_rows(optimizer, param, expected);
        check_checkpoint(optimizer, param, expected);
        rms_free(optimizer);
    }
    huge_free(param, BYTES);
    huge_free(grad, BYTES);
    if (!grad) {
        print_message("SKIP: no %.0f GiB of address space\n", 2 * (double)BYTES / 0x1p30);
        skip();
    }
}

/* Sixteen elements share a counter, two blocks eight of them: from 2^36 elements on it is longer than 32 bits. Only the
 * rows are ever touched. */
static void check_far_rows(uint16_t *param, size_t base, size_t count)
{
    const rms_options options = at_random();
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "huge", .count = count, .param = param, .dtype = RMS_BF16};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    const int64_t indices[2] = {(int64_t)(base / 16), 0};
    uint16_t values[32];
    for (size_t i = 0; i < 16; ++i) {
        values[i] = values[16 + i] = oracle_encode(RMS_BF16, gradient);
        param[i] = param[base + i] = oracle_encode(RMS_BF16, start);
    }
    const rms_rows rows = {0, 16, 2, indices, values, RMS_ROWS_LAZY, {0}};
    assert_ok(rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
    assert_memory_not_equal(param, param + base, 16 * sizeof *param);
    for (size_t i = 0; i < 16; ++i) {
        assert_int_equal(param[i], expected_at(start, 1, i));
        assert_int_equal(param[base + i], expected_at(start, 1, base + i));
    }
    rms_free(optimizer);
}

static void rows_behind_2_to_the_36_elements_have_random_bits_of_their_own(void **state)
{
    (void)state;
    const size_t base = (size_t)(UINT64_C(1) << 36);
    const size_t count = base + 16;
    const size_t islands[] = {0, base * sizeof(uint16_t)};
    skip_unless_plain();
    uint16_t *const param = huge_create(count * sizeof *param, islands, COUNT_OF(islands));
    if (param)
        check_far_rows(param, base, count);
    huge_free(param, count * sizeof *param);
    if (!param) {
        print_message("SKIP: no 128 GiB of address space\n");
        skip();
    }
}

/* ---- State in 8 bits: codes and scales have places of their own beyond 2^31 bytes. What the allocator gives is zeros
 * again but for the pages that hold what is not 0: the object's own words, the living codes and scales, and the name. */

enum { ENTRY_MOST = 4096 }; /* no tensor's own words take more */

static void *allocate_zeros(void *context, size_t bytes, size_t alignment)
{
    size_t islands[2 + 4 * ELEMENTS] = {0, bytes - 1}, count = 2;
    const size_t scales = (COUNT + RMS_STATE_BLOCK - 1) / RMS_STATE_BLOCK * RMS_STATE_BLOCK;
    (void)context;
    if (bytes < COUNT)
        return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    for (size_t i = 0; i < ELEMENTS; ++i)
        for (size_t ahead = 0; ahead <= ENTRY_MOST; ahead += ENTRY_MOST) {
            islands[count++] = elements[i] + ahead < bytes ? elements[i] + ahead : bytes - 1;
            const size_t scale = scales + elements[i] / RMS_STATE_BLOCK + ahead;
            islands[count++] = scale < bytes ? scale : bytes - 1;
        }
    return huge_create(bytes, islands, count);
}

static void release_zeros(void *context, void *memory, size_t bytes)
{
    (void)context;
    if (bytes < COUNT)
        free(memory);
    else
        huge_free(memory, bytes);
}

/* The sum of squares after one step, as it is kept and as it is read. */
static void assert_sums(rms_optimizer *optimizer, const rms_options *options)
{
    const struct oracle_source source = {oracle_key_of_use(options->seed, "huge", 1), 1};
    const uint8_t *const sum = rms_state(optimizer, 0, "sum");
    const size_t scales = (COUNT + RMS_STATE_BLOCK - 1) / RMS_STATE_BLOCK * RMS_STATE_BLOCK;
    assert_int_equal(rms_state_size(optimizer, 0, "sum"), scales + scales / RMS_STATE_BLOCK);
    for (size_t i = 0; i < ELEMENTS; ++i) {
        const size_t block = elements[i] / RMS_STATE_BLOCK, begin = block * RMS_STATE_BLOCK;
        float sums[RMS_STATE_BLOCK] = {0};
        uint8_t codes[RMS_STATE_BLOCK], scale;
        const size_t length = COUNT - begin < RMS_STATE_BLOCK ? COUNT - begin : RMS_STATE_BLOCK;
        for (size_t k = 0; k < ELEMENTS; ++k)
            if (elements[k] / RMS_STATE_BLOCK == block)
                sums[elements[k] % RMS_STATE_BLOCK] = gradient * gradient;
        oracle_encode_slot(RMS_STATE_8_BIT, true, length, sums, codes, &scale, &source, begin);
        assert_memory_equal(sum + begin, codes, length);
        assert_int_equal(sum[scales + block], scale);
    }
}

static void check_8_bits(uint16_t *param, uint16_t *grad)
{
    const rms_allocator allocator = {allocate_zeros, release_zeros, NULL};
    rms_options options = rms_options_for(RMS_ADAGRAD);
    set_options(&options, "state_format=8-bit master=none lr=0 seed=3 nonfinite=propagate");
    options.allocator = &allocator;
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "huge", .count = COUNT, .param = param, .grad = grad, .dtype = RMS_BF16};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    for (size_t i = 0; i < ELEMENTS; ++i)
        grad[elements[i]] = oracle_encode(RMS_BF16, gradient);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_sums(optimizer, &options);
    rms_free(optimizer);
}

static void state_of_8_bits_reaches_beyond_2_to_the_31_elements(void **state)
{
    (void)state;
    skip_unless_plain();
    uint16_t *const param = numbers_create();
    uint16_t *const grad = param ? numbers_create() : NULL;
    if (grad)
        check_8_bits(param, grad);
    huge_free(param, BYTES);
    huge_free(grad, BYTES);
    if (!grad) {
        print_message("SKIP: no %.0f GiB of address space\n", 2 * (double)BYTES / 0x1p30);
        skip();
    }
}

/* ---- rms_apply adds up the norm in stretches of 1024 chunks; an object has room for all. */

static void fill_island(uint16_t *grad, size_t begin, size_t count, uint64_t *seed)
{
    for (size_t i = begin; i < begin + count; ++i) { /* large ones among many small ones, which feel the order */
        const float draw = random_float(seed);
        grad[i] = oracle_encode(RMS_BF16, random_below(seed, 500) == 0 ? 1 + draw / 2 : 0x1p-27F * (1.5F + draw));
    }
}

static void norms_beyond_1024_chunks_are_the_same_with_and_without_an_object(void **state)
{
    enum { CHUNK = 65536, ISLAND = 32768, CHUNKS = 2 * 1024 + 3 };
    static const size_t chunks[] = {0, 7, 1023, 1024, 1025, 2047, 2048, CHUNKS - 1};
    const size_t count = (size_t)CHUNKS * CHUNK;
    size_t islands[COUNT_OF(chunks)];
    (void)state;
    skip_unless_plain();
    for (size_t i = 0; i < COUNT_OF(chunks); ++i)
        islands[i] = chunks[i] * CHUNK * sizeof(uint16_t);
    uint16_t *const param = huge_create(count * sizeof *param, NULL, 0);
    uint16_t *const grad = huge_create(count * sizeof *grad, islands, COUNT_OF(islands));
    assert_true(param && grad);
    uint64_t seed = 9;
    for (size_t i = 0; i < COUNT_OF(chunks); ++i)
        fill_island(grad, chunks[i] * CHUNK, ISLAND, &seed);
    rms_options options = at_random();
    options.lr = 0;
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "w", .count = count, .param = param, .grad = grad, .dtype = RMS_BF16};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    rms_report of_object, of_apply;
    rms_error error;
    assert_ok(rms_step(optimizer, &of_object), rms_message(optimizer));
    assert_ok(rms_apply(&options, RMS_BF16, 1, count, param, grad, NULL, &of_apply, &error), error.message);
    assert_true(of_object.gradient_norm > 0);
    assert_true(bits_of_double(of_object.gradient_norm) == bits_of_double(of_apply.gradient_norm));
    rms_free(optimizer);
    huge_free(param, count * sizeof *param);
    huge_free(grad, count * sizeof *grad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tensor_of_more_than_2_to_the_31_elements_is_treated_to_the_last),
        cmocka_unit_test(state_of_8_bits_reaches_beyond_2_to_the_31_elements),
        cmocka_unit_test(norms_beyond_1024_chunks_are_the_same_with_and_without_an_object),
        cmocka_unit_test(rows_behind_2_to_the_36_elements_have_random_bits_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
