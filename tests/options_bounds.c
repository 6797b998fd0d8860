/* Every option of every rule: its default, its bounds, what lies just outside them, keys that are not its
 * own, and combinations that cannot be meant. */
#include "support.h"

#include <math.h>
#include <string.h>

/* Calls check for every option of every rule. */
static void for_every_option(void (*check)(rms_rule rule, const rms_option_info *info))
{
    size_t checked = 0;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        rms_option_info info;
        for (size_t i = 0; rms_option_at(rule, i, &info); ++i, ++checked)
            check(rule, &info);
    }
    assert_true(checked > RMS_RULE_COUNT * 12); /* twelve are common to all */
}

static void assert_accepted(rms_rule rule, const char *key, double value)
{
    rms_options options = rms_options_for(rule);
    rms_error error;
    assert_ok(rms_options_set(&options, key, value, &error), error.message);
    assert_string_equal(error.message, "");
    double read;
    assert_ok(rms_options_get(&options, key, &read, &error), error.message);
    assert_true(read == value);
}

static void assert_refused(rms_rule rule, const rms_option_info *info, double value)
{
    rms_options options = rms_options_for(rule);
    rms_options before;
    memcpy(&before, &options, sizeof before);
    rms_error error = {""};
    const rms_status status = rms_options_set(&options, info->key, value, &error);
    if (status != RMS_ERROR_RANGE)
        fail_msg("%s: %s = %a was not refused (status %d)", rms_rule_name(rule), info->key, value, (int)status);
    char bounds[64];
    snprintf(bounds, sizeof bounds, "%.9g to %.9g", info->minimum, info->maximum);
    assert_contains(error.message, info->key);
    assert_contains(error.message, bounds);
    assert_memory_equal(&before, &options, sizeof before);
}

static void check_bounds_accepted(rms_rule rule, const rms_option_info *info)
{
    assert_accepted(rule, info->key, info->minimum);
    assert_accepted(rule, info->key, info->maximum);
    assert_accepted(rule, info->key, info->default_value);
}

static void every_option_takes_its_bounds_and_its_default(void **state)
{
    (void)state;
    for_every_option(check_bounds_accepted);
}

static void check_outside_refused(rms_rule rule, const rms_option_info *info)
{
    assert_refused(rule, info, nextafter(info->minimum, -(double)INFINITY));
    assert_refused(rule, info, nextafter(info->maximum, (double)INFINITY));
    assert_refused(rule, info, (double)INFINITY);
    assert_refused(rule, info, -(double)INFINITY);
    assert_refused(rule, info, (double)NAN);
    if (info->type != RMS_OPTION_REAL) {
        assert_refused(rule, info, info->minimum - 1);
        assert_refused(rule, info, info->maximum + 1);
        assert_refused(rule, info, info->minimum + 0.5);
        assert_refused(rule, info, 1e300);
    }
}

static void every_option_refuses_what_lies_outside_its_bounds_and_states_them(void **state)
{
    (void)state;
    for_every_option(check_outside_refused);
}

static void check_described(rms_rule rule, const rms_option_info *info)
{
    (void)rule;
    assert_non_null(rms_option_type_name(info->type));
    assert_non_null(info->unit);
    assert_non_null(info->meaning);
    assert_true(info->meaning[0] != '\0');
    assert_int_equal(info->choices != NULL, info->type == RMS_OPTION_CHOICE);
    assert_true(info->minimum < info->maximum);
    for (size_t i = 0; i < COUNT_OF(info->reserved); ++i)
        assert_int_equal(info->reserved[i], 0);
}

static void every_option_is_described(void **state)
{
    (void)state;
    for_every_option(check_described);
}

static void option_numbers_end_where_the_count_says(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        rms_option_info info;
        assert_true(rms_option_at(rule, rms_option_count(rule) - 1, &info));
        assert_false(rms_option_at(rule, rms_option_count(rule), &info));
        assert_false(rms_option_at(rule, SIZE_MAX, &info));
        assert_false(rms_option_at(rule, 0, NULL));
    }
}

static void an_unknown_rule_has_no_options(void **state)
{
    (void)state;
    rms_option_info info;
    const int unknown[] = {-1, RMS_RULE_COUNT, 1000};
    for (size_t i = 0; i < COUNT_OF(unknown); ++i) {
        const rms_rule rule = (rms_rule)unknown[i];
        assert_int_equal(rms_option_count(rule), 0);
        assert_false(rms_option_at(rule, 0, &info));
        assert_int_equal(rms_slot_count(rule), 0);
        assert_null(rms_slot_name(rule, 0));
        assert_null(rms_rule_source(rule));
        const rms_options options = rms_options_for(rule);
        assert_true(rms_options_check(&options, NULL) != RMS_OK);
    }
}

/* docs/math.md has the same table. */
static void defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    static const struct {
        rms_rule rule;
        const char *key;
        double value;
    } rows[] = {
        {RMS_SGD, "lr", 1e-3},
        {RMS_SGD, "momentum", 0},
        {RMS_ADAGRAD, "lr", 1e-2},
        {RMS_ADAGRAD, "eps", 1e-10},
        {RMS_RMSPROP, "lr", 1e-2},
        {RMS_RMSPROP, "rho", 0.99},
        {RMS_RMSPROP, "eps", 1e-8},
        {RMS_RMSPROP, "centered", 0},
        {RMS_RMSPROP, "bias_correction", 0},
        {RMS_ADAM, "lr", 1e-3},
        {RMS_ADAM, "beta1", 0.9},
        {RMS_ADAM, "beta2", 0.999},
        {RMS_ADAM, "eps", 1e-8},
        {RMS_ADAM, "amsgrad", 0},
        {RMS_ADAM, "bias_correction", 1},
        {RMS_ADAM, "grad_scale", 1},
        {RMS_SGD, "clip_norm", 0},
        {RMS_SGD, "clip_value", 0},
        {RMS_RMSPROP, "nonfinite", 0},
        {RMS_RMSPROP, "threads", 0},
        {RMS_RMSPROP, "isa", 0},
        {RMS_RPROP, "lr", 1e-2},
        {RMS_RPROP, "eta_minus", 0.5},
        {RMS_RPROP, "eta_plus", 1.2},
        {RMS_RPROP, "step_size_min", 1e-6},
        {RMS_RPROP, "step_size_max", 50},
        {RMS_ADADELTA, "lr", 1},
        {RMS_ADADELTA, "rho", 0.9},
        {RMS_ADADELTA, "eps_inside", 1e-6},
        {RMS_ADAMAX, "lr", 2e-3},
        {RMS_ADAMAX, "beta1", 0.9},
        {RMS_ADAMAX, "beta2", 0.999},
        {RMS_ADAMAX, "eps", 1e-8},
        {RMS_ADAMAX, "bias_correction", 1},
        {RMS_NADAM, "lr", 2e-3},
        {RMS_NADAM, "beta1", 0.9},
        {RMS_NADAM, "beta2", 0.999},
        {RMS_NADAM, "eps", 1e-8},
        {RMS_NADAM, "momentum_decay", 4e-3},
        {RMS_RADAM, "lr", 1e-3},
        {RMS_RADAM, "beta1", 0.9},
        {RMS_RADAM, "beta2", 0.999},
        {RMS_RADAM, "eps", 1e-8},
        {RMS_LION, "lr", 1e-4},
        {RMS_LION, "beta1", 0.9},
        {RMS_LION, "beta2", 0.99},
        {RMS_RMSPROP, "momentum_average", 0},
        {RMS_RMSPROP, "average_decay", 0},
        {RMS_RMSPROP, "master", 0},
        {RMS_RMSPROP, "seed", 0},
        {RMS_RMSPROP, "state_format", 0},
        {RMS_RMSPROP, "zero_grad", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); ++i) {
        const rms_options options = rms_options_for(rows[i].rule);
        double value;
        assert_ok(rms_options_get(&options, rows[i].key, &value, NULL), rows[i].key);
        if (value != rows[i].value)
            fail_msg("%s: %s is %.17g, not %.17g", rms_rule_name(rows[i].rule), rows[i].key, value, rows[i].value);
    }
}

static void default_options_pass_the_check(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        const rms_options options = rms_options_for(rule);
        rms_error error = {"stale"};
        assert_ok(rms_options_check(&options, &error), error.message);
        assert_string_equal(error.message, "");
        assert_int_equal(options.struct_size, sizeof options);
        assert_int_equal(options.rule, rule);
    }
}

static void an_unknown_key_is_refused_with_all_the_choices(void **state)
{
    (void)state;
    const char *const keys[] = {
        "learning_rate", "LR", "lr ", "", "rule", "a_key_that_is_longer_than_any_that_anyone_would_type"};
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t k = 0; k < COUNT_OF(keys); ++k) {
            rms_options options = rms_options_for(rule);
            rms_error error;
            double value = 42;
            assert_status(RMS_ERROR_NAME, rms_options_set(&options, keys[k], 1, &error), error.message);
            assert_status(RMS_ERROR_NAME, rms_options_set_text(&options, keys[k], "1", &error), error.message);
            assert_status(RMS_ERROR_NAME, rms_options_get(&options, keys[k], &value, &error), error.message);
            assert_true(value == 42);
            assert_contains(error.message, rms_rule_name(rule));
            rms_option_info info;
            for (size_t i = 0; rms_option_at(rule, i, &info); ++i)
                assert_contains(error.message, info.key);
        }
}

/* Fields that not every rule takes. */
static const struct {
    const char *key;
    size_t offset;
    bool flag;
} fields[] = {
#define FIELD(name, flag)                                                                                              \
    {                                                                                                                  \
#name, offsetof(rms_options, name), flag                                                                       \
    }
    FIELD(rho, false),
    FIELD(beta1, false),
    FIELD(beta2, false),
    FIELD(eps, false),
    FIELD(eps_inside, false),
    FIELD(initial_accumulator, false),
    FIELD(momentum, false),
    FIELD(dampening, false),
    FIELD(lr_decay, false),
    FIELD(nesterov, true),
    FIELD(lr_in_momentum, true),
    FIELD(centered, true),
    FIELD(bias_correction, true),
    FIELD(amsgrad, true),
    FIELD(eta_minus, false),
    FIELD(eta_plus, false),
    FIELD(step_size_min, false),
    FIELD(step_size_max, false),
    FIELD(momentum_decay, false),
    FIELD(momentum_average, true),
};

static bool rule_takes(rms_rule rule, const char *key)
{
    rms_option_info info;
    for (size_t i = 0; rms_option_at(rule, i, &info); ++i)
        if (strcmp(info.key, key) == 0)
            return true;
    return false;
}

static void an_option_of_another_rule_is_refused_in_the_struct_and_by_key(void **state)
{
    (void)state;
    size_t refused = 0;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t i = 0; i < COUNT_OF(fields); ++i) {
            if (rule_takes(rule, fields[i].key))
                continue;
            rms_options options = rms_options_for(rule);
            rms_error error;
            assert_status(RMS_ERROR_NAME, rms_options_set(&options, fields[i].key, 0.5, &error), fields[i].key);
            const double half = 0.5;
            const bool yes = true;
            char *field = (char *)&options + fields[i].offset;
            memcpy(field, fields[i].flag ? (const void *)&yes : (const void *)&half,
                   fields[i].flag ? sizeof yes : sizeof half);
            assert_status(RMS_ERROR_ARGUMENT, rms_options_check(&options, &error), error.message);
            assert_contains(error.message, fields[i].key);
            assert_contains(error.message, rms_rule_name(rule));
            rms_optimizer *optimizer;
            assert_status(RMS_ERROR_ARGUMENT, rms_create(&optimizer, &options, &error), error.message);
            assert_null(optimizer);
            assert_int_equal(rms_slots_kept(&options, RMS_F32), 0);
            assert_true(rms_state_bytes(&options, RMS_F32, 1) == SIZE_MAX);
            ++refused;
        }
    assert_true(refused > 20);
}

static void values_outside_their_bounds_are_refused_in_the_struct(void **state)
{
    (void)state;
    const double values[] = {-1e-3, (double)NAN, (double)INFINITY, -(double)INFINITY, 1.0};
    for (size_t i = 0; i < COUNT_OF(values); ++i) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        options.rho = values[i];
        rms_error error;
        assert_status(RMS_ERROR_RANGE, rms_options_check(&options, &error), error.message);
        assert_contains(error.message, "rho");
    }
}

/* A flag is a byte that C allows to be 0 or 1; memory that was never filled in may hold another. */
static void a_flag_that_is_neither_false_nor_true_is_refused(void **state)
{
    (void)state;
    const unsigned char bytes[] = {2, 0x80, 0xFF};
    for (size_t i = 0; i < COUNT_OF(bytes); ++i) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        memcpy((char *)&options + offsetof(rms_options, centered), &bytes[i], 1);
        rms_error error;
        assert_status(RMS_ERROR_RANGE, rms_options_check(&options, &error), error.message);
        assert_contains(error.message, "centered");
    }
}

static void enums_outside_their_values_are_refused_in_the_struct(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    rms_error error;
    options.isa = (rms_isa)99;
    assert_status(RMS_ERROR_RANGE, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "isa");
    options = rms_options_for(RMS_SGD);
    options.nonfinite = (rms_nonfinite)2;
    assert_status(RMS_ERROR_RANGE, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "nonfinite");
    options = rms_options_for(RMS_SGD);
    options.state_format = (rms_state_format)3;
    assert_status(RMS_ERROR_RANGE, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "state_format");
    options = rms_options_for(RMS_SGD);
    options.threads = -1;
    assert_status(RMS_ERROR_RANGE, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "threads");
}

static void assert_combination(rms_rule rule, const char *assignments, rms_status expected, const char *named)
{
    rms_options options = rms_options_for(rule);
    set_options(&options, assignments); /* one key at a time each is fine */
    rms_error error = {""};
    assert_status(expected, rms_options_check(&options, &error), assignments);
    assert_contains(error.message, named);
}

static void combinations_that_cannot_be_meant_are_refused(void **state)
{
    (void)state;
    assert_combination(RMS_RMSPROP, "eps=0", RMS_ERROR_RANGE, "eps_inside");
    assert_combination(RMS_ADAM, "eps=0", RMS_ERROR_RANGE, "eps_inside");
    assert_combination(RMS_ADAGRAD, "eps=1e-40", RMS_ERROR_RANGE, "eps");
    assert_combination(RMS_RMSPROP, "nesterov=true", RMS_ERROR_RANGE, "momentum");
    assert_combination(RMS_SGD, "nesterov=true", RMS_ERROR_RANGE, "momentum");
    assert_combination(RMS_SGD, "nesterov=true momentum=0.9 dampening=0.1", RMS_ERROR_RANGE, "dampening");
    assert_combination(RMS_ADAM, "lr=2 decoupled_decay=0.51", RMS_ERROR_RANGE, "decoupled_decay");
    assert_combination(RMS_ADAM, "lr=2 decoupled_decay=0.5", RMS_OK, "");
    assert_combination(RMS_RMSPROP, "eps=0 eps_inside=1e-7", RMS_OK, "");
    assert_combination(RMS_ADADELTA, "eps_inside=0", RMS_ERROR_RANGE, "eps_inside");
    assert_combination(RMS_ADAMAX, "eps=1e-40", RMS_ERROR_RANGE, "eps");
    assert_combination(RMS_RMSPROP, "momentum_average=true", RMS_ERROR_RANGE, "momentum");
    assert_combination(RMS_RMSPROP, "momentum_average=true momentum=0.9 nesterov=true", RMS_ERROR_RANGE, "nesterov");
    assert_combination(RMS_RMSPROP, "momentum_average=true momentum=0.9", RMS_OK, "");
    assert_combination(RMS_RPROP, "step_size_min=0.1 step_size_max=0.01", RMS_ERROR_RANGE, "step_size_max");
    assert_combination(RMS_RPROP, "step_size_min=0.1 step_size_max=0.1", RMS_OK, "");
    assert_combination(RMS_LION, "lr=2 decoupled_decay=0.51", RMS_ERROR_RANGE, "decoupled_decay");
}

/* Each with the reason. */
static void state_that_needs_all_its_bits_is_not_shortened(void **state)
{
    (void)state;
    static const struct {
        rms_rule rule;
        const char *options;
        const char *reason; /* NULL: taken */
    } rows[] = {
        {RMS_SGD, "", NULL},
        {RMS_SGD, "momentum=0.9", NULL},
        {RMS_ADAGRAD, "", NULL},
        {RMS_RMSPROP, "", NULL},
        {RMS_RMSPROP, "momentum=0.9 nesterov=true", NULL},
        {RMS_RMSPROP, "centered=true", "the slot mean of rmsprop with centered needs full state: v - mean^2"},
        {RMS_ADAM, "", NULL},
        {RMS_ADAM, "amsgrad=true", "the slot v_max of adam with amsgrad needs full state: a running maximum"},
        {RMS_RPROP, "", "the slot previous of rprop needs full state: nothing is averaged"},
        {RMS_ADADELTA, "", NULL},
        {RMS_ADAMAX, "", "the slot largest of adamax needs full state: a running maximum"},
        {RMS_NADAM, "", NULL},
        {RMS_RADAM, "", NULL},
        {RMS_LION, "", NULL},
    };
    static const char *const formats[] = {"state_format=16-bit", "state_format=8-bit"};
    for (size_t i = 0; i < COUNT_OF(rows); ++i)
        for (size_t k = 0; k < COUNT_OF(formats); ++k) {
            rms_options options = rms_options_for(rows[i].rule);
            rms_error error = {""};
            rms_optimizer *optimizer;
            set_options(&options, rows[i].options);
            set_options(&options, formats[k]);
            const rms_status expected = rows[i].reason ? RMS_ERROR_RANGE : RMS_OK;
            assert_status(expected, rms_options_check(&options, &error), error.message);
            assert_status(expected, rms_create(&optimizer, &options, &error), error.message);
            if (rows[i].reason) {
                assert_contains(error.message, strchr(formats[k], '=') + 1);
                assert_contains(error.message, rows[i].reason);
                assert_null(optimizer);
                continue;
            }
            double param[2] = {0}, grad[2] = {0};
            const rms_tensor tensor = {.name = "w", .count = 2, .param = param, .grad = grad, .dtype = RMS_F64};
            assert_status(RMS_ERROR_UNSUPPORTED, rms_add(optimizer, &tensor), "f64");
            assert_contains(rms_message(optimizer), "state of doubles is kept in full");
            assert_int_equal(rms_tensor_count(optimizer), 0);
            rms_free(optimizer);
        }
}

static void incomplete_callbacks_are_refused(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_SGD);
    const rms_allocator allocator = {0};
    const rms_parallel nobody = {0};
    const rms_parallel parallel = {run_on_threads, NULL};
    rms_error error;
    options.allocator = &allocator;
    assert_status(RMS_ERROR_ARGUMENT, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "allocator");
    options.allocator = NULL;
    options.parallel = &nobody;
    options.threads = 2;
    assert_status(RMS_ERROR_ARGUMENT, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "parallel_for");
    options.parallel = &parallel;
    options.threads = 0;
    assert_status(RMS_ERROR_ARGUMENT, rms_options_check(&options, &error), error.message);
    assert_contains(error.message, "threads");
    options.threads = 2;
    assert_ok(rms_options_check(&options, &error), error.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_takes_its_bounds_and_its_default),
        cmocka_unit_test(every_option_refuses_what_lies_outside_its_bounds_and_states_them),
        cmocka_unit_test(every_option_is_described),
        cmocka_unit_test(option_numbers_end_where_the_count_says),
        cmocka_unit_test(an_unknown_rule_has_no_options),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(default_options_pass_the_check),
        cmocka_unit_test(an_unknown_key_is_refused_with_all_the_choices),
        cmocka_unit_test(an_option_of_another_rule_is_refused_in_the_struct_and_by_key),
        cmocka_unit_test(values_outside_their_bounds_are_refused_in_the_struct),
        cmocka_unit_test(a_flag_that_is_neither_false_nor_true_is_refused),
        cmocka_unit_test(enums_outside_their_values_are_refused_in_the_struct),
        cmocka_unit_test(combinations_that_cannot_be_meant_are_refused),
        cmocka_unit_test(state_that_needs_all_its_bits_is_not_shortened),
        cmocka_unit_test(incomplete_callbacks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
