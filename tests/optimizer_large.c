/* More than 2^31 elements: where a count in an int goes wrong, the last parameters are never updated, and
 * nobody notices.
 *
 * Little memory is needed: address space of 8 GiB each for parameters and gradients is filled with one block
 * of zeros, mapped over and over. A zero parameter with a zero gradient stays zero, whoever updates it how
 * often. Only three pages are memory of their own: the first, the one that 2^31 lies in, and the last. */
#define _GNU_SOURCE

#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT ((UINT64_C(1) << 31) + 1029)
#define BLOCK ((size_t)1 << 26) /* bytes */
#define PAGE ((size_t)65536)    /* a multiple of every page size in use */
#define SPAN (((size_t)COUNT * sizeof(float) + BLOCK - 1) / BLOCK * BLOCK)

/* Own pages at these elements. */
static const size_t islands[] = {0, (size_t)1 << 31, (size_t)COUNT - 1};

static size_t page_of(size_t element)
{
    return element * sizeof(float) / PAGE * PAGE;
}

static bool map_at(char *address, size_t bytes, int protection, int flags, int file)
{
    return mmap(address, bytes, protection, flags | MAP_FIXED, file, 0) == address;
}

/* NULL where the system refuses. */
static float *map_numbers(int file)
{
    char *base = mmap(NULL, SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    bool mapped = true;
    for (size_t offset = 0; offset < SPAN && mapped; offset += BLOCK)
        mapped = map_at(base + offset, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, file);
    for (size_t i = 0; i < COUNT_OF(islands) && mapped; ++i)
        mapped = map_at(base + page_of(islands[i]), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (mapped)
        return (float *)(void *)base;
    munmap(base, SPAN);
    return NULL;
}

static int open_block(void)
{
    const int file = memfd_create("zeros", 0);
    if (file >= 0 && ftruncate(file, (off_t)BLOCK) == 0)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

static void check_step(float *param, float *grad)
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 0.5;
    options.threads = 1;
    rms_optimizer *optimizer = create_optimizer(&options);
    for (size_t i = 0; i < COUNT_OF(islands); ++i) {
        param[islands[i]] = 8;
        grad[islands[i]] = 2;
    }
    add_tensor(optimizer, "large", param, grad, (size_t)COUNT);
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(report.gradient_norm == sqrt(12.0));
    for (size_t i = 0; i < COUNT_OF(islands); ++i)
        if (param[islands[i]] != 7)
            fail_msg("element %zu is %g, not 7", islands[i], (double)param[islands[i]]);
    rms_free(optimizer);

    grad[COUNT - 1] = NAN;
    rms_error error;
    assert_status(RMS_SKIPPED_NONFINITE,
                  rms_apply(&options, RMS_F32, 2, (size_t)COUNT, param, grad, NULL, NULL, &error), error.message);
    char last[32];
    snprintf(last, sizeof last, "%llu", (unsigned long long)COUNT - 1);
    assert_contains(error.message, last);
}

static void a_tensor_of_more_than_2_to_the_31_elements_is_updated_to_the_last(void **state)
{
    (void)state;
    if (effort(100) < 100 || THREAD_SANITIZER) {
        print_message("SKIP: RMSPROP_TEST_EFFORT is below 1, or ThreadSanitizer would take 32 GiB\n");
        skip();
    }
    const int file = open_block();
    float *param = file >= 0 ? map_numbers(file) : NULL;
    float *grad = param ? map_numbers(file) : NULL;
    if (grad)
        check_step(param, grad);
    if (param)
        munmap(param, SPAN);
    if (grad)
        munmap(grad, SPAN);
    if (file >= 0)
        close(file);
    if (!grad) {
        print_message("SKIP: no 16 GiB of address space\n");
        skip();
    }
}

/* What the arithmetic of sizes says of such tensors needs no memory at all. */
static void sizes_beyond_32_bits_are_not_cut(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAM);
    const size_t count = ((size_t)1 << 32) + 16;
    assert_int_equal(rms_state_bytes(&options, RMS_F32, count), 2 * count * sizeof(float));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tensor_of_more_than_2_to_the_31_elements_is_updated_to_the_last),
        cmocka_unit_test(sizes_beyond_32_bits_are_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
