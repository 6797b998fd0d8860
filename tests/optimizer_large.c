/* More than 2^31 elements: where a count in an int goes wrong, the last parameters are never updated, and
 * nobody notices. */
#include "huge_memory.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT ((size_t)(UINT64_C(1) << 31) + 1029)
#define BYTES (COUNT * sizeof(float))

/* Elements that are no zeros. */
static const size_t elements[] = {0, (size_t)1 << 31, COUNT - 1};

static float *numbers_create(void)
{
    size_t islands[COUNT_OF(elements)];
    for (size_t i = 0; i < COUNT_OF(elements); ++i)
        islands[i] = elements[i] * sizeof(float);
    return huge_create(BYTES, islands, COUNT_OF(elements));
}

static void check_step(float *param, float *grad)
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 0.5;
    options.threads = 1;
    rms_optimizer *optimizer = create_optimizer(&options);
    for (size_t i = 0; i < COUNT_OF(elements); ++i) {
        param[elements[i]] = 8;
        grad[elements[i]] = 2;
    }
    add_tensor(optimizer, "large", param, grad, COUNT);
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(report.gradient_norm == sqrt(12.0));
    for (size_t i = 0; i < COUNT_OF(elements); ++i)
        if (param[elements[i]] != 7)
            fail_msg("element %zu is %g, not 7", elements[i], (double)param[elements[i]]);
    rms_free(optimizer);

    grad[COUNT - 1] = NAN;
    rms_error error;
    assert_status(RMS_SKIPPED_NONFINITE, rms_apply(&options, RMS_F32, 2, COUNT, param, grad, NULL, NULL, &error),
                  error.message);
    char last[32];
    snprintf(last, sizeof last, "%zu", COUNT - 1);
    assert_contains(error.message, last);
}

static void a_tensor_of_more_than_2_to_the_31_elements_is_updated_to_the_last(void **state)
{
    (void)state;
    if (effort(100) < 100 || THREAD_SANITIZER) {
        print_message("SKIP: RMSPROP_TEST_EFFORT is below 1, or ThreadSanitizer would take 32 GiB\n");
        skip();
    }
    float *param = numbers_create();
    float *grad = param ? numbers_create() : NULL;
    if (grad)
        check_step(param, grad);
    huge_free(param, BYTES);
    huge_free(grad, BYTES);
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
