/* Presets: every value, written down a second time from the sources that src/presets.def names. */
#include "support.h"

#include <string.h>

/* Everything that a preset of RMSProp may say. lr and eps that nobody states are the rule's own. */
struct expectation {
    const char *name;
    double lr, rho, eps, eps_inside, initial_accumulator, momentum, clip_norm;
    const char *flags; /* c: centered, i: lr in momentum, a: momentum is an average, b: bias correction */
};

static const struct expectation expectations[] = {
    /* torch.optim.RMSprop(params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False) */
    {"pytorch", 1e-2, 0.99, 1e-8, 0, 0, 0, 0, ""},
    /* RMSPropOptimizer(learning_rate, decay=0.9, momentum=0.0, epsilon=1e-10); slot "rms" starts as ones */
    {"tensorflow", 1e-2, 0.9, 0, 1e-10, 1, 0, 0, "i"},
    /* RMSprop(learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7); sqrt(velocity + epsilon) */
    {"keras", 1e-3, 0.9, 0, 1e-7, 0, 0, 0, "i"},
    /* rmsprop(learning_rate, decay=0.9, eps=1e-8, initial_scale=0.0, eps_in_sqrt=True); trace after the rate */
    {"optax", 1e-2, 0.9, 0, 1e-8, 0, 0, 0, "i"},
    /* RMSpropTFLike(params, lr=1e-2, alpha=0.99, eps=1e-8, ...); ones_like; p.add_(buf, alpha=-lr) */
    {"sb3-tf-like", 1e-2, 0.99, 0, 1e-8, 1, 0, 0, ""},
    /* RMSpropTF(params, lr=1e-2, alpha=0.9, eps=1e-10, momentum=0., lr_in_momentum=True); ones_like */
    {"timm", 1e-2, 0.9, 0, 1e-10, 1, 0, 0, "i"},
    /* RMSProp(learning_rate=0.001, rho=0.9, momentum=0.9, epsilon=1e-8): grad / (sqrt(var) + epsilon) */
    {"mxnet", 1e-3, 0.9, 1e-8, 0, 0, 0, 0, ""},
    /* the same, centered=True: mom = momentum * mom - lr * grad / sqrt(var - mean^2 + epsilon) */
    {"mxnet-centered", 1e-3, 0.9, 0, 1e-8, 0, 0.9, 0, "ci"},
    /* RMSProp(learning_rate, rho=0.95, epsilon=1e-6, momentum=0.0): lr * g / sqrt(ms + epsilon) */
    {"paddle", 1e-2, 0.95, 0, 1e-6, 0, 0, 0, "i"},
    /* rms_decay [default = 0.99], delta [default = 1e-8]: local_rate * g / (sqrt(h) + delta) */
    {"caffe", 1e-2, 0.99, 1e-8, 0, 0, 0, 0, ""},
    /* RMSProp(stepSize = 0.01, batchSize = 32, alpha = 0.99, epsilon = 1e-8); zeros */
    {"ensmallen", 1e-2, 0.99, 1e-8, 0, 0, 0, 0, ""},
    /* delta = momentum * delta - rate * g / (sqrt(n) + epsilon); no defaults */
    {"bnns", 1e-2, 0.99, 1e-8, 0, 0, 0, 0, "i"},
    /* alpha 0.99, momentum 0.9, epsilon 1e-5; buf * momentum + grad / (sqrt(avg) + epsilon), times lr */
    {"burn", 1e-2, 0.99, 1e-5, 0, 0, 0.9, 0, ""},
    /* MeanSquare = 0.9 MeanSquare + 0.1 g^2 */
    {"hinton", 1e-2, 0.9, 1e-8, 0, 0, 0, 0, ""},
    /* 0.95, 0.9, 0.0001, 0.0001, in the order of equations 42 to 45 */
    {"graves", 1e-4, 0.95, 0, 1e-4, 0, 0.9, 0, "ci"},
    /* learning rate 0.00025, both gradient momenta 0.95, minimum squared gradient 0.01 under the root */
    {"dqn-nature", 0.00025, 0.95, 0, 0.01, 0, 0, 0, "c"},
    /* SharedRMSpropEpsInsideSqrt(lr=7e-4, eps=1e-1, alpha=0.99), max_grad_norm=40.0; zeros */
    {"a3c-shared", 7e-4, 0.99, 0, 0.1, 0, 0, 40, ""},
    /* learning_rate 0.00048, decay .99, momentum 0., epsilon .1, in TensorFlow 1's optimizer */
    {"impala", 0.00048, 0.99, 0, 0.1, 1, 0, 0, "i"},
    /* learning_rate 0.00048, alpha 0.99, momentum 0, epsilon 0.01, grad_norm_clipping 40, in PyTorch's */
    {"torchbeast", 0.00048, 0.99, 0.01, 0, 0, 0, 40, ""},
    /* learning_rate 7e-4, rms_prop_eps 1e-5, alpha 0.99, max_grad_norm 0.5, in PyTorch's */
    {"sb3-a2c", 7e-4, 0.99, 1e-5, 0, 0, 0, 0.5, ""},
    /* RMSprop(lr=0.00025, alpha=0.95, centered=True, eps=0.01), in PyTorch's */
    {"minatar", 0.00025, 0.95, 0.01, 0, 0, 0, 0, "c"},
    /* LaProp(params, lr=4e-4, betas=(0.9, 0.999), eps=1e-15) */
    {"laprop", 4e-4, 0.999, 1e-15, 0, 0, 0.9, 0, "ab"},
};

static rms_options options_of(const struct expectation *expected)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.lr = expected->lr;
    options.rho = expected->rho;
    options.eps = expected->eps;
    options.eps_inside = expected->eps_inside;
    options.initial_accumulator = expected->initial_accumulator;
    options.momentum = expected->momentum;
    options.clip_norm = expected->clip_norm;
    options.centered = strchr(expected->flags, 'c') != NULL;
    options.lr_in_momentum = strchr(expected->flags, 'i') != NULL;
    options.momentum_average = strchr(expected->flags, 'a') != NULL;
    options.bias_correction = strchr(expected->flags, 'b') != NULL;
    return options;
}

/* Option by option, so that one that neither list speaks of is compared as well. */
static void every_value_is_what_the_source_states(void **state)
{
    (void)state;
    assert_int_equal(rms_preset_count(), COUNT_OF(expectations));
    for (size_t i = 0; i < COUNT_OF(expectations); ++i) {
        const rms_options expected = options_of(&expectations[i]);
        rms_options options;
        rms_error error;
        assert_ok(rms_options_preset(&options, expectations[i].name, &error), error.message);
        assert_int_equal(options.rule, expected.rule);
        assert_int_equal(options.struct_size, sizeof options);
        rms_option_info info;
        for (size_t k = 0; rms_option_at(options.rule, k, &info); ++k) {
            double value = -1;
            double should = -2;
            assert_ok(rms_options_get(&options, info.key, &value, &error), error.message);
            assert_ok(rms_options_get(&expected, info.key, &should, &error), error.message);
            if (bits_of_double(value) != bits_of_double(should))
                fail_msg("%s: %s is %.17g, the source says %.17g", expectations[i].name, info.key, value, should);
        }
        assert_true(!options.allocator && !options.parallel);
    }
}

static void every_preset_makes_an_optimizer_that_steps(void **state)
{
    (void)state;
    rms_preset preset;
    for (size_t i = 0; rms_preset_at(i, &preset); ++i) {
        rms_options options;
        rms_error error;
        assert_ok(rms_options_preset(&options, preset.name, &error), error.message);
        assert_ok(rms_options_check(&options, &error), error.message);
        float param[] = {1, -1};
        const float grad[] = {0.5F, 0};
        rms_optimizer *optimizer = create_optimizer(&options);
        add_tensor(optimizer, "p", param, grad, COUNT_OF(param));
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        assert_true(param[0] < 1 && param[0] > 0);
        assert_true(bits_of(param[1]) == bits_of(-1.0F));
        rms_free(optimizer);
    }
}

static void presets_differ_in_name_and_say_where_they_come_from(void **state)
{
    (void)state;
    rms_preset preset;
    rms_preset other;
    for (size_t i = 0; rms_preset_at(i, &preset); ++i) {
        rms_rule rule;
        assert_true(strspn(preset.name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(preset.name));
        assert_false(rms_rule_from_name(preset.name, &rule));
        assert_true(*preset.name && *preset.title && *preset.version && *preset.source);
        assert_non_null(preset.note);
        assert_non_null(rms_rule_name(preset.rule));
        for (size_t k = 0; k < COUNT_OF(preset.reserved); ++k)
            assert_true(preset.reserved[k] == 0);
        for (size_t k = 0; k < i; ++k) {
            assert_true(rms_preset_at(k, &other));
            assert_string_not_equal(preset.name, other.name);
            assert_string_not_equal(preset.title, other.title);
        }
    }
    assert_false(rms_preset_at(rms_preset_count(), &preset));
    assert_false(rms_preset_at(SIZE_MAX, &preset));
    assert_false(rms_preset_at(0, NULL));
}

/* Frameworks come first, recipes after them. */
static void recipes_are_told_from_frameworks(void **state)
{
    (void)state;
    size_t recipes = 0;
    rms_preset preset;
    for (size_t i = 0; rms_preset_at(i, &preset); ++i) {
        assert_true(recipes == 0 || preset.recipe);
        recipes += preset.recipe ? 1 : 0;
    }
    assert_int_equal(recipes, 9);
}

/* What a failed call must leave alone. */
struct untouched {
    rms_options options;
    unsigned char after[64];
};

static void assert_refused(rms_status expected, size_t struct_size, const char *name, const char *part)
{
    struct untouched memory;
    struct untouched before;
    memset(&memory, 0xAA, sizeof memory);
    memset(&before, 0xAA, sizeof before);
    rms_error error;
    assert_status(expected, rms_options_init_preset(&memory.options, struct_size, name, &error), error.message);
    assert_contains(error.message, part);
    assert_memory_equal(&memory, &before, sizeof memory);
    assert_status(expected, rms_options_init_preset(&memory.options, struct_size, name, NULL), "without rms_error");
}

static void unknown_names_are_refused_with_the_list(void **state)
{
    (void)state;
    const char *const names[] = {NULL,       "",        "PyTorch",
                                 "pytorch ", "rmsprop", "a name that is much longer than any preset's"};
    for (size_t i = 0; i < COUNT_OF(names); ++i) {
        rms_preset preset;
        for (size_t k = 0; rms_preset_at(k, &preset); ++k)
            assert_refused(RMS_ERROR_NAME, sizeof(rms_options), names[i], preset.name);
    }
}

/* The size of rms_options in the first header, which ended with parallel. */
#define FIRST_SIZE (offsetof(rms_options, parallel) + sizeof(const rms_parallel *))

static void an_older_struct_is_filled_and_nothing_behind_it(void **state)
{
    (void)state;
    struct untouched memory;
    memset(&memory, 0xAA, sizeof memory);
    rms_error error;
    assert_ok(rms_options_init_preset(&memory.options, FIRST_SIZE, "keras", &error), error.message);
    assert_int_equal(memory.options.struct_size, FIRST_SIZE);
    assert_true(memory.options.eps_inside == 1e-7 && memory.options.lr == 1e-3 && memory.options.lr_in_momentum);
    for (size_t i = FIRST_SIZE; i < sizeof memory; ++i)
        assert_int_equal(((const unsigned char *)&memory)[i], 0xAA);
    assert_ok(rms_options_check(&memory.options, &error), error.message);
}

static void a_struct_that_lacks_a_field_of_the_preset_is_refused(void **state)
{
    (void)state;
    assert_refused(RMS_ERROR_UNSUPPORTED, FIRST_SIZE, "laprop", "momentum_average");
}

static void a_later_struct_is_filled_with_zeros_behind_what_is_known(void **state)
{
    (void)state;
    struct untouched memory;
    memset(&memory, 0xAA, sizeof memory);
    rms_error error;
    assert_ok(rms_options_init_preset(&memory.options, sizeof memory, "laprop", &error), error.message);
    assert_int_equal(memory.options.struct_size, sizeof memory);
    for (size_t i = 0; i < sizeof memory.after; ++i)
        assert_int_equal(memory.after[i], 0);
}

static void sizes_that_no_header_ever_had_are_refused(void **state)
{
    (void)state;
    const size_t sizes[] = {0, sizeof(size_t), FIRST_SIZE - 1, 1 << 20, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); ++i)
        for (size_t k = 0; k < COUNT_OF(expectations); ++k)
            assert_refused(RMS_ERROR_ARGUMENT, sizes[i], expectations[k].name, "struct_size");
    rms_error error;
    assert_status(RMS_ERROR_ARGUMENT, rms_options_init_preset(NULL, sizeof(rms_options), "keras", &error),
                  error.message);
    assert_contains(error.message, "NULL");
}

/* Steady gradients are where a centered variance comes out below 0, and where frameworks write NaN. */
static void no_preset_turns_a_steady_gradient_into_nan(void **state)
{
    (void)state;
    rms_preset preset;
    for (size_t i = 0; rms_preset_at(i, &preset); ++i) {
        rms_options options;
        rms_error error;
        assert_ok(rms_options_preset(&options, preset.name, &error), error.message);
        options.centered = true;
        float param[999];
        float grad[COUNT_OF(param)];
        for (size_t k = 0; k < COUNT_OF(param); ++k) {
            param[k] = 0;
            grad[k] = (float)(k + 1) / 1000;
        }
        rms_optimizer *optimizer = create_optimizer(&options);
        add_tensor(optimizer, "p", param, grad, COUNT_OF(param));
        for (size_t step = 0; step < 3000; ++step)
            assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        for (size_t k = 0; k < COUNT_OF(param); ++k)
            if (!(param[k] > -1e30F && param[k] < 0))
                fail_msg("%s, centered, gradient %g: the parameter is %g", preset.name, (double)grad[k],
                         (double)param[k]);
        rms_free(optimizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_what_the_source_states),
        cmocka_unit_test(every_preset_makes_an_optimizer_that_steps),
        cmocka_unit_test(presets_differ_in_name_and_say_where_they_come_from),
        cmocka_unit_test(recipes_are_told_from_frameworks),
        cmocka_unit_test(unknown_names_are_refused_with_the_list),
        cmocka_unit_test(an_older_struct_is_filled_and_nothing_behind_it),
        cmocka_unit_test(a_struct_that_lacks_a_field_of_the_preset_is_refused),
        cmocka_unit_test(a_later_struct_is_filled_with_zeros_behind_what_is_known),
        cmocka_unit_test(sizes_that_no_header_ever_had_are_refused),
        cmocka_unit_test(no_preset_turns_a_steady_gradient_into_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
