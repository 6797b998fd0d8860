/* What the object refuses: NULL anywhere, names and memory that are taken, sizes that no memory holds; and
 * that a refusal changes nothing and explains itself. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static float param[16], grad[16], other_param[16], other_grad[16];

static rms_optimizer *with_one_tensor(void)
{
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "first", param, grad, 8);
    return optimizer;
}

/* rms_add refuses with this status, names these two things, and leaves the object as it was. */
static void assert_add_refused(rms_optimizer *optimizer, const rms_tensor *tensor, rms_status expected,
                               const char *named, const char *also_named)
{
    const size_t before = rms_tensor_count(optimizer);
    assert_status(expected, rms_add(optimizer, tensor), rms_message(optimizer));
    assert_contains(rms_message(optimizer), named);
    assert_contains(rms_message(optimizer), also_named);
    assert_int_equal(rms_tensor_count(optimizer), before);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_string_equal(rms_message(optimizer), "");
}

static void null_instead_of_an_object_is_refused_by_every_function(void **state)
{
    (void)state;
    rms_tensor tensor = {.name = "x", .count = 1, .param = param, .grad = grad};
    size_t number;
    uint64_t steps;
    double value;
    rms_report report;
    const rms_status statuses[] = {
        rms_add_group(NULL, &number),
        rms_set(NULL, 0, "lr", 1),
        rms_get(NULL, 0, "lr", &value),
        rms_add(NULL, &tensor),
        rms_rebind(NULL, 0, param, grad),
        rms_step(NULL, &report),
        rms_step(NULL, NULL),
        rms_reset(NULL),
        rms_find(NULL, "x", &number),
        rms_tensor_at(NULL, 0, &tensor),
        rms_get_steps(NULL, 0, &steps),
        rms_set_steps(NULL, 0, 1),
        rms_effective_lr(NULL, 0, param),
    };
    for (size_t i = 0; i < COUNT_OF(statuses); ++i)
        assert_status(RMS_ERROR_ARGUMENT, statuses[i], "NULL object");
    assert_string_equal(rms_message(NULL), "");
    assert_int_equal(rms_chosen_isa(NULL), RMS_ISA_AUTO);
    assert_int_equal(rms_tensor_count(NULL), 0);
    assert_null(rms_state(NULL, 0, "v"));
    rms_free(NULL);
}

static void every_other_null_argument_is_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    const rms_status statuses[] = {
        rms_add(optimizer, NULL),
        rms_add_group(optimizer, NULL),
        rms_get(optimizer, 0, "lr", NULL),
        rms_find(optimizer, NULL, &(size_t){0}),
        rms_find(optimizer, "first", NULL),
        rms_tensor_at(optimizer, 0, NULL),
        rms_get_steps(optimizer, 0, NULL),
        rms_effective_lr(optimizer, 0, NULL),
        rms_rebind(optimizer, 0, NULL, grad),
    };
    for (size_t i = 0; i < COUNT_OF(statuses); ++i)
        assert_status(RMS_ERROR_ARGUMENT, statuses[i], "NULL argument");
    assert_status(RMS_ERROR_NAME, rms_set(optimizer, 0, NULL, 1), rms_message(optimizer));
    double value;
    assert_status(RMS_ERROR_NAME, rms_get(optimizer, 0, NULL, &value), rms_message(optimizer));
    assert_null(rms_state(optimizer, 0, NULL));
    rms_free(optimizer);
}

static void creation_and_options_refuse_null(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = (rms_optimizer *)(void *)param;
    rms_error error;
    double value;
    assert_status(RMS_ERROR_ARGUMENT, rms_create(NULL, &options, &error), error.message);
    assert_true(error.message[0] != '\0');
    assert_status(RMS_ERROR_ARGUMENT, rms_create(NULL, NULL, NULL), "");
    assert_status(RMS_ERROR_ARGUMENT, rms_create(&optimizer, NULL, &error), error.message);
    assert_null(optimizer);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_init(NULL, sizeof options, RMS_SGD), "");
    assert_status(RMS_ERROR_ARGUMENT, rms_options_check(NULL, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_check(NULL, NULL), "");
    assert_status(RMS_ERROR_ARGUMENT, rms_options_set(NULL, "lr", 1, &error), error.message);
    assert_status(RMS_ERROR_NAME, rms_options_set(&options, NULL, 1, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_set_text(NULL, "lr", "1", &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_set_text(&options, "lr", NULL, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_get(NULL, "lr", &value, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_options_get(&options, "lr", NULL, &error), error.message);
}

/* NULL error must be as good as an error that nobody reads. */
static void a_failure_needs_no_place_for_its_message(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    double value;
    assert_status(RMS_ERROR_NAME, rms_options_set(&options, "bogus", 1, NULL), "");
    assert_status(RMS_ERROR_RANGE, rms_options_set(&options, "lr", -1, NULL), "");
    assert_status(RMS_ERROR_RANGE, rms_options_set_text(&options, "lr", "abc", NULL), "");
    assert_status(RMS_ERROR_NAME, rms_options_get(&options, "bogus", &value, NULL), "");
    assert_status(RMS_ERROR_RANGE, rms_apply(&options, RMS_F32, 0, 1, param, grad, NULL, NULL, NULL), "");
}

/* Its gradients are to come in rows. */
static void a_tensor_without_gradients_is_taken_and_a_step_without_rows_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    assert_ok(rms_rebind(optimizer, 0, param, NULL), rms_message(optimizer));
    assert_status(RMS_ERROR_ARGUMENT, rms_step(optimizer, NULL), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "first");
    uint64_t steps;
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, 0);
    assert_ok(rms_rebind(optimizer, 0, param, grad), rms_message(optimizer));
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
}

static void a_tensor_needs_a_name_that_is_its_own(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    rms_tensor tensor = {.count = 4, .param = other_param, .grad = other_grad};
    assert_add_refused(optimizer, &tensor, RMS_ERROR_ARGUMENT, "name", "NULL");
    tensor.name = "";
    assert_add_refused(optimizer, &tensor, RMS_ERROR_ARGUMENT, "name", "empty");
    tensor.name = "first";
    assert_add_refused(optimizer, &tensor, RMS_ERROR_DUPLICATE, "first", "taken");
    rms_free(optimizer);
}

static void a_name_is_copied(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    char name[] = "second";
    add_tensor(optimizer, name, other_param, other_grad, 4);
    name[0] = 'X';
    size_t number;
    assert_ok(rms_find(optimizer, "second", &number), rms_message(optimizer));
    assert_int_equal(number, 1);
    rms_tensor tensor;
    assert_ok(rms_tensor_at(optimizer, 1, &tensor), rms_message(optimizer));
    assert_string_equal(tensor.name, "second");
    rms_free(optimizer);
}

/* Every way in which two of the four ranges can touch: parameters twice is a duplicate, the rest nonsense. */
static void overlapping_memory_is_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    const struct {
        float *param;
        const float *grad;
        rms_status expected;
    } cases[] = {
        {param, other_grad, RMS_ERROR_DUPLICATE},
        {param + 7, other_grad, RMS_ERROR_DUPLICATE},
        {grad, other_grad, RMS_ERROR_ARGUMENT},
        {grad + 7, other_grad, RMS_ERROR_ARGUMENT},
        {other_param, param, RMS_ERROR_ARGUMENT},
        {other_param, param + 7, RMS_ERROR_ARGUMENT},
        {other_param, other_param, RMS_ERROR_ARGUMENT},
        {other_param, other_param + 7, RMS_ERROR_ARGUMENT},
        {other_param + 7, other_param, RMS_ERROR_ARGUMENT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        const rms_tensor tensor = {.name = "second", .count = 8, .param = cases[i].param, .grad = cases[i].grad};
        assert_add_refused(optimizer, &tensor, cases[i].expected, "second", "overlap");
    }
    rms_free(optimizer);
}

/* Adjacent ranges and shared gradients are fine. */
static void neighbours_and_shared_gradients_are_accepted(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    add_tensor(optimizer, "next", param + 8, grad + 8, 8);
    add_tensor(optimizer, "same-gradient", other_param, grad, 8);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
}

static void counts_that_no_memory_holds_are_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    const size_t counts[] = {SIZE_MAX,
                             SIZE_MAX / 2,
                             SIZE_MAX / sizeof(float),
                             SIZE_MAX / sizeof(float) + 1,
                             PTRDIFF_MAX,
                             (size_t)PTRDIFF_MAX / sizeof(float) + 1};
    for (size_t i = 0; i < COUNT_OF(counts); ++i) {
        const rms_tensor tensor = {.name = "huge", .count = counts[i], .param = other_param, .grad = other_grad};
        assert_add_refused(optimizer, &tensor, RMS_ERROR_RANGE, "huge", "count");
        rms_options options = rms_options_for(RMS_SGD);
        rms_error error;
        assert_status(RMS_ERROR_RANGE,
                      rms_apply(&options, RMS_F32, 1, counts[i], other_param, other_grad, NULL, NULL, &error),
                      error.message);
        assert_contains(error.message, "count");
    }
    rms_free(optimizer);
}

static void what_a_later_version_may_mean_is_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    for (size_t i = 0; i < 4; ++i) {
        rms_tensor tensor = {.name = "second", .count = 4, .param = other_param, .grad = other_grad};
        tensor.reserved[i] = 1;
        assert_add_refused(optimizer, &tensor, RMS_ERROR_UNSUPPORTED, "reserved", "second");
    }
    const rms_tensor tensor = {
        .name = "second", .count = 4, .param = other_param, .grad = other_grad, .dtype = (rms_dtype)7};
    assert_add_refused(optimizer, &tensor, RMS_ERROR_UNSUPPORTED, "dtype", "f32");
    rms_free(optimizer);
}

static void groups_and_tensors_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    const rms_tensor tensor = {.name = "second", .count = 4, .param = other_param, .grad = other_grad, .group = 1};
    assert_add_refused(optimizer, &tensor, RMS_ERROR_RANGE, "group 1", "1,");
    const size_t numbers[] = {1, SIZE_MAX};
    rms_tensor out;
    uint64_t steps;
    double value;
    for (size_t i = 0; i < COUNT_OF(numbers); ++i) {
        const size_t n = numbers[i];
        const rms_status statuses[] = {
            rms_set(optimizer, n, "lr", 1),
            rms_get(optimizer, n, "lr", &value),
            rms_rebind(optimizer, n, param, grad),
            rms_tensor_at(optimizer, n, &out),
            rms_get_steps(optimizer, n, &steps),
            rms_set_steps(optimizer, n, 1),
            rms_effective_lr(optimizer, n, other_param),
        };
        for (size_t k = 0; k < COUNT_OF(statuses); ++k)
            assert_status(RMS_ERROR_RANGE, statuses[k], rms_message(optimizer));
        assert_null(rms_state(optimizer, n, "v"));
    }
    size_t number = 77;
    assert_status(RMS_ERROR_NAME, rms_find(optimizer, "nobody", &number), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "nobody");
    assert_int_equal(number, 77);
    rms_free(optimizer);
}

static void misaligned_memory_is_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    void *const odd = (char *)other_param + 1;
    const rms_tensor tensor = {.name = "second", .count = 4, .param = odd, .grad = other_grad};
    assert_add_refused(optimizer, &tensor, RMS_ERROR_ARGUMENT, "second", "aligned");
    rms_options options = rms_options_for(RMS_SGD);
    rms_error error;
    assert_status(RMS_ERROR_ARGUMENT, rms_apply(&options, RMS_F32, 1, 4, odd, other_grad, NULL, NULL, &error),
                  error.message);
    assert_contains(error.message, "param");
    rms_free(optimizer);
}

/* The state is handed out to be read and written, so that it could be handed in by mistake. */
static void the_optimizers_own_state_is_no_tensor_and_no_output(void **state)
{
    (void)state;
    rms_optimizer *optimizer = with_one_tensor();
    float *v = rms_state(optimizer, 0, "v");
    const rms_tensor as_param = {.name = "second", .count = 4, .param = v, .grad = other_grad};
    const rms_tensor as_grad = {.name = "second", .count = 4, .param = other_param, .grad = v + 7};
    assert_add_refused(optimizer, &as_param, RMS_ERROR_ARGUMENT, "state", "first");
    assert_add_refused(optimizer, &as_grad, RMS_ERROR_ARGUMENT, "state", "first");
    assert_status(RMS_ERROR_ARGUMENT, rms_effective_lr(optimizer, 0, v), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "out");
    float *const odd = (float *)(void *)((char *)other_param + 1);
    assert_status(RMS_ERROR_ARGUMENT, rms_effective_lr(optimizer, 0, odd), rms_message(optimizer));
    assert_ok(rms_effective_lr(optimizer, 0, other_param), rms_message(optimizer));
    rms_free(optimizer);
}

static void the_lower_door_names_what_is_missing_or_overlaps(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAM);
    static float mean[8], v[8];
    void *slots[] = {mean, v, NULL};
    const struct {
        uint64_t step;
        void *param;
        const void *grad;
        void *slots[2];
        rms_status expected;
        const char *named;
    } cases[] = {
        {1, NULL, grad, {mean, v}, RMS_ERROR_ARGUMENT, "param"},
        {1, param, NULL, {mean, v}, RMS_ERROR_ARGUMENT, "grad"},
        {1, param, grad, {NULL, v}, RMS_ERROR_ARGUMENT, "mean"},
        {1, param, grad, {mean, NULL}, RMS_ERROR_ARGUMENT, "v"},
        {1, param, param, {mean, v}, RMS_ERROR_ARGUMENT, "overlap"},
        {1, param, grad, {param, v}, RMS_ERROR_ARGUMENT, "overlap"},
        {1, param, grad, {mean, mean + 4}, RMS_ERROR_ARGUMENT, "overlap"},
        {0, param, grad, {mean, v}, RMS_ERROR_RANGE, "step"},
        {UINT64_MAX, param, grad, {mean, v}, RMS_ERROR_RANGE, "step"},
    };
    rms_error error;
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        void *given[] = {cases[i].slots[0], cases[i].slots[1], NULL};
        assert_status(
            cases[i].expected,
            rms_apply(&options, RMS_F32, cases[i].step, 8, cases[i].param, cases[i].grad, given, NULL, &error),
            error.message);
        assert_contains(error.message, cases[i].named);
    }
    assert_status(RMS_ERROR_ARGUMENT, rms_apply(&options, RMS_F32, 1, 8, param, grad, NULL, NULL, &error),
                  error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_apply(NULL, RMS_F32, 1, 8, param, grad, slots, NULL, &error), error.message);
    assert_ok(rms_apply(&options, RMS_F32, 1, 8, param, grad, slots, NULL, &error), error.message);
    assert_ok(rms_apply(&options, RMS_F32, 1, 0, NULL, NULL, NULL, NULL, &error), error.message);
    assert_string_equal(error.message, "");
}

static void a_wrong_isa_names_those_that_the_machine_runs(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    options.isa = rms_isa_supported(RMS_ISA_NEON) ? RMS_ISA_AVX2 : RMS_ISA_NEON;
    rms_optimizer *optimizer;
    rms_error error;
    assert_ok(rms_options_check(&options, &error), error.message);
    assert_status(RMS_ERROR_UNSUPPORTED, rms_create(&optimizer, &options, &error), error.message);
    assert_null(optimizer);
    assert_contains(error.message, rms_isa_name(options.isa));
    assert_contains(error.message, "baseline");
    assert_status(RMS_ERROR_UNSUPPORTED, rms_apply(&options, RMS_F32, 1, 1, param, grad, NULL, NULL, &error),
                  error.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_instead_of_an_object_is_refused_by_every_function),
        cmocka_unit_test(every_other_null_argument_is_refused),
        cmocka_unit_test(creation_and_options_refuse_null),
        cmocka_unit_test(a_failure_needs_no_place_for_its_message),
        cmocka_unit_test(a_tensor_without_gradients_is_taken_and_a_step_without_rows_refused),
        cmocka_unit_test(a_tensor_needs_a_name_that_is_its_own),
        cmocka_unit_test(a_name_is_copied),
        cmocka_unit_test(overlapping_memory_is_refused),
        cmocka_unit_test(neighbours_and_shared_gradients_are_accepted),
        cmocka_unit_test(counts_that_no_memory_holds_are_refused),
        cmocka_unit_test(what_a_later_version_may_mean_is_refused),
        cmocka_unit_test(groups_and_tensors_that_do_not_exist_are_refused),
        cmocka_unit_test(misaligned_memory_is_refused),
        cmocka_unit_test(the_optimizers_own_state_is_no_tensor_and_no_output),
        cmocka_unit_test(the_lower_door_names_what_is_missing_or_overlaps),
        cmocka_unit_test(a_wrong_isa_names_those_that_the_machine_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
