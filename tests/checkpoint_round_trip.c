/* N steps are the same as k steps, a save, a new process, a load and N - k steps: bit for bit, for every rule, dtype and
 * way to keep 16-bit parameters, on another instruction set and another number of threads. */
#include "checkpoint_support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEFORE = 5, STEPS = 9 };

static const char *program;

/* What both processes make the same model of. */
struct run {
    rms_rule rule;
    rms_dtype dtype;
    bool mixed;
    uint64_t seed;
    rms_state_format format;
};

static rms_options options_of(const struct run *run)
{
    uint64_t state = run->seed;
    rms_options options = random_options(&state, run->rule);
    if (run->format != RMS_STATE_FULL) {
        options.state_format = run->format;
        options.centered = options.amsgrad = false; /* they need full state */
    }
    /* f16 has no remainder, and no room for an average without a master. */
    if ((run->mixed || run->dtype == RMS_F16) &&
        (options.master == RMS_MASTER_REMAINDER || (options.master == RMS_MASTER_NONE && options.average_decay > 0)))
        options.master = RMS_MASTER_F32;
    return options;
}

/* ---- the second process ---------------------------------------------------------------------------- */

/* Its options differ wherever they may: the file's must win. */
static void disturb(rms_optimizer *optimizer)
{
    static const struct {
        const char *key;
        double value;
    } others[] = {{"lr", 0.375}, {"clip_norm", 3.0}, {"clip_value", 0.5}, {"maximize", 1}, {"seed", 77}};
    for (size_t group = 0; group < 2; ++group)
        for (size_t i = 0; i < COUNT_OF(others); ++i)
            (void)rms_set(optimizer, group, others[i].key, others[i].value);
}

static rms_isa other_isa(void)
{
    for (size_t i = 0; i < isa_count; ++i)
        if (isas[i] != RMS_ISA_BASELINE && rms_isa_supported(isas[i]))
            return isas[i];
    return RMS_ISA_BASELINE;
}

/* checkpoint_round_trip --resume RULE DTYPE MIXED SEED FORMAT FROM TO STATE: loads FROM, takes the other steps and saves to TO. */
static int resume(char *const *words)
{
    const struct run run = {(rms_rule)strtoul(words[0], NULL, 10), (rms_dtype)strtoul(words[1], NULL, 10),
                            strtoul(words[2], NULL, 10) != 0, strtoull(words[3], NULL, 10),
                            (rms_state_format)strtoul(words[4], NULL, 10)};
    rms_options options = options_of(&run);
    options.isa = other_isa();
    options.threads = 3;
    struct model *model = model_create(&options, run.dtype, run.mixed, run.seed);
    for (size_t i = 0; i < MODEL_TENSORS; ++i) {
        rms_tensor tensor;
        assert_ok(rms_tensor_at(model->optimizer, i, &tensor), rms_message(model->optimizer));
        memset(model->param[i], 0, tensor.count * rms_dtype_size(tensor.dtype));
    }
    disturb(model->optimizer);
    assert_ok(rms_load(model->optimizer, words[5]), rms_message(model->optimizer));
    model->steps = BEFORE;
    model_step_until(model, STEPS);
    assert_ok(rms_save(model->optimizer, words[6]), rms_message(model->optimizer));
    struct bytes bytes = model_bytes(model);
    write_bytes(words[7], bytes.data, bytes.size);
    free(bytes.data);
    model_destroy(model);
    return 0;
}

/* ---- the first ------------------------------------------------------------------------------------- */

static void run_second(const struct run *run, const char *from, const char *to, const char *state)
{
    char rule[16], dtype[16], seed[32], format[16];
    (void)snprintf(rule, sizeof rule, "%d", (int)run->rule);
    (void)snprintf(dtype, sizeof dtype, "%d", (int)run->dtype);
    (void)snprintf(seed, sizeof seed, "%" PRIu64, run->seed);
    (void)snprintf(format, sizeof format, "%d", (int)run->format);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char mixed[2] = {run->mixed ? '1' : '0', '\0'};
        char files[3][512];
        (void)snprintf(files[0], sizeof files[0], "%s", from);
        (void)snprintf(files[1], sizeof files[1], "%s", to);
        (void)snprintf(files[2], sizeof files[2], "%s", state);
        char *const words[] = {rule, dtype, mixed, seed, format, files[0], files[1], files[2]};
        execl(program, program, "--resume", rule, dtype, mixed, seed, format, from, to, state, (char *)NULL);
        /* Under an emulator the system cannot start what only the emulator runs: a copy of this process will do. */
        _exit(errno == ENOEXEC ? resume(words) : 127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the second process ended with 0x%x (%s)", (unsigned)status, rms_rule_name(run->rule));
}

static void check_run(const struct run *run)
{
    const char *middle = scratch_path("middle"), *end = scratch_path("end"), *resumed = scratch_path("resumed");
    const char *state = scratch_path("state");
    const rms_options options = options_of(run);
    char context[256];
    (void)snprintf(context, sizeof context, "%s, %s%s, %s", rms_rule_name(run->rule), rms_dtype_name(run->dtype),
                   run->mixed ? " and others" : "", describe_options(&options));
    struct model *model = model_create(&options, run->dtype, run->mixed, run->seed);
    model_step_until(model, BEFORE);
    struct bytes before = model_bytes(model);
    assert_ok(rms_save(model->optimizer, middle), rms_message(model->optimizer));
    assert_same_model(model, &before, context); /* saving changes nothing */
    model_step_until(model, STEPS);
    assert_ok(rms_save(model->optimizer, end), rms_message(model->optimizer));

    run_second(run, middle, resumed, state);
    struct bytes second = read_bytes(state), ours = read_bytes(end), theirs = read_bytes(resumed);
    assert_same_model(model, &second, context);
    /* The same object makes the same file, whoever writes it. */
    assert_int_equal(ours.size, theirs.size);
    assert_memory_equal(ours.data, theirs.data, ours.size);
    free(before.data);
    free(second.data);
    free(ours.data);
    free(theirs.data);
    model_destroy(model);
}

static void a_resumed_run_ends_in_the_bits_of_an_uninterrupted_one(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype)
            for (size_t repetition = 0; repetition < effort(4); ++repetition, ++seed)
                check_run(&(struct run){.rule = rule, .dtype = dtype, .mixed = repetition == 3, .seed = seed});
    report_comparisons("resumed runs");
}

/* Random bits follow from seed, name, step and element, so that what they rounded up goes on as it would have. */
static void a_resumed_run_of_shortened_state_does_too(void **state)
{
    (void)state;
    uint64_t seed = 1000;
    size_t runs = 0;
    for (rms_state_format format = RMS_STATE_16_BIT; format <= RMS_STATE_8_BIT; ++format)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
            for (size_t dtype = 0; dtype < 3; ++dtype)
                for (size_t repetition = 0; repetition < 3; ++repetition, ++seed) {
                    static const rms_dtype dtypes[] = {RMS_F32, RMS_F16, RMS_BF16};
                    const struct run run = {
                        .rule = rule, .dtype = dtypes[dtype], .mixed = repetition == 2, .seed = seed, .format = format};
                    const rms_options options = options_of(&run);
                    if (rule == RMS_RPROP || rule == RMS_ADAMAX) {
                        assert_status(RMS_ERROR_RANGE, rms_options_check(&options, NULL), "Rprop, Adamax");
                    } else if (repetition < effort(3)) {
                        check_run(&run);
                        ++runs;
                    }
                }
    assert_true(runs >= 48);
    report_comparisons("resumed runs of shortened state");
}

/* Every way to keep what 16 bits cannot hold, and averages. */
static void masters_remainders_and_averages_are_resumed(void **state)
{
    (void)state;
    for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_NONE; ++master)
        for (int averaged = 0; averaged < 2; ++averaged) {
            rms_options options = rms_options_for(RMS_RMSPROP);
            options.master = master;
            options.average_decay = averaged ? 0.9 : 0;
            options.seed = 5;
            struct model *first = model_create(&options, RMS_BF16, false, 3);
            struct model *second = model_create(&options, RMS_BF16, false, 4);
            model_step_until(first, BEFORE);
            model_step_until(second, 2);
            assert_ok(rms_save(first->optimizer, scratch_path("masters")), rms_message(first->optimizer));
            assert_ok(rms_load(second->optimizer, scratch_path("masters")), rms_message(second->optimizer));
            second->seed = first->seed;
            second->steps = first->steps;
            model_step_until(first, STEPS);
            model_step_until(second, STEPS);
            struct bytes bytes = model_bytes(first);
            assert_same_model(second, &bytes, rms_master_name(master));
            if (averaged) {
                assert_ok(rms_swap_averages(first->optimizer), rms_message(first->optimizer));
                assert_status(RMS_ERROR_ARGUMENT, rms_save(first->optimizer, scratch_path("masters")), "averages in");
                assert_contains(rms_message(first->optimizer), "averages");
                assert_status(RMS_ERROR_ARGUMENT, rms_load(first->optimizer, scratch_path("masters")), "averages in");
                assert_ok(rms_swap_averages(first->optimizer), rms_message(first->optimizer));
            }
            free(bytes.data);
            model_destroy(first);
            model_destroy(second);
        }
    report_comparisons("masters, remainders, averages");
}

/* The program keeps its parameters itself. */
static void the_layout_state_leaves_parameters_alone(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAM);
    struct model *first = model_create(&options, RMS_F32, false, 3);
    struct model *second = model_create(&options, RMS_F32, false, 4);
    model_step_until(first, BEFORE);
    assert_ok(rms_save_as(first->optimizer, scratch_path("state"), RMS_LAYOUT_STATE), rms_message(first->optimizer));
    float before[MODEL_COUNT_MAX];
    memcpy(before, second->param[0], sizeof before);
    assert_ok(rms_load(second->optimizer, scratch_path("state")), rms_message(second->optimizer));
    assert_memory_equal(second->param[0], before, sizeof before);
    assert_memory_equal(rms_state(second->optimizer, 0, "v"), rms_state(first->optimizer, 0, "v"), sizeof before);
    rms_tensor tensor;
    for (size_t i = 0; i < MODEL_TENSORS; ++i) {
        assert_ok(rms_tensor_at(first->optimizer, i, &tensor), "");
        memcpy(second->param[i], first->param[i], tensor.count * sizeof(float));
    }
    struct bytes bytes = model_bytes(first);
    assert_same_model(second, &bytes, "state and parameters");
    free(bytes.data);
    model_destroy(first);
    model_destroy(second);
}

/* Order is no part of the file; an object without tensors has one, too. */
static void tensors_may_come_in_another_order_or_not_at_all(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    float a[2][2] = {{1, 2}, {0}}, b[2][3] = {{3, 4, 5}, {0}}, grad[3] = {1, 2, 3};
    rms_optimizer *first = create_optimizer(&options), *second = create_optimizer(&options);
    assert_ok(rms_save(first, scratch_path("nothing")), rms_message(first));
    assert_ok(rms_load(second, scratch_path("nothing")), rms_message(second));
    add_tensor(first, "a", a[0], grad, 2);
    add_tensor(first, "b", b[0], grad, 3);
    add_tensor(second, "b", b[1], grad, 3);
    add_tensor(second, "a", a[1], grad, 2);
    assert_ok(rms_step(first, NULL), rms_message(first));
    assert_ok(rms_save(first, scratch_path("order")), rms_message(first));
    assert_ok(rms_load(second, scratch_path("order")), rms_message(second));
    assert_memory_equal(a[0], a[1], sizeof a[0]);
    assert_memory_equal(b[0], b[1], sizeof b[0]);
    rms_report report = {.steps = 0};
    assert_ok(rms_step(second, &report), rms_message(second));
    assert_int_equal(report.steps, 2);
    rms_free(first);
    rms_free(second);
}

/* What was gathered under other options would mean something else here, or have no place. */
static void state_of_another_kind_is_refused(void **state)
{
    (void)state;
    static const struct {
        rms_rule rule;
        const char *saved;
        const char *own;
        const char *sentence;
        rms_layout layout;
    } cases[] = {
        {RMS_RMSPROP, "momentum=0.9 lr_in_momentum=true", "momentum=0.9", "momentum has another form", RMS_LAYOUT_FULL},
        {RMS_RMSPROP, "momentum=0.9", "momentum=0.9 lr_in_momentum=true", "momentum has another form", RMS_LAYOUT_FULL},
        {RMS_RMSPROP, "momentum=0.9 momentum_average=true", "momentum=0.9", "momentum has another form",
         RMS_LAYOUT_FULL},
        {RMS_RMSPROP, "momentum=0.9", "momentum=0.9 momentum_average=true", "momentum has another form",
         RMS_LAYOUT_STATE},
        {RMS_RMSPROP, "momentum=0.9", "", "has a slot \"momentum\" there, and does not keep it here", RMS_LAYOUT_FULL},
        {RMS_RMSPROP, "", "momentum=0.9", "has no slot \"momentum\" there, and keeps it here", RMS_LAYOUT_FULL},
        {RMS_ADAGRAD, "", "", "is of adagrad, and this optimizer is rmsprop", RMS_LAYOUT_FULL},
        {RMS_RMSPROP, "state_format=8-bit", "", "state_format is 8-bit there, and full here", RMS_LAYOUT_FULL},
        {RMS_RMSPROP, "", "state_format=8-bit", "state_format is full there, and 8-bit here", RMS_LAYOUT_FULL},
        {RMS_RMSPROP, "state_format=16-bit", "state_format=8-bit", "state_format is 16-bit there, and 8-bit here",
         RMS_LAYOUT_STATE},
    };
    const char *path = scratch_path("other-kind");
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        rms_options saved = rms_options_for(cases[i].rule), own = rms_options_for(RMS_RMSPROP);
        set_options(&saved, cases[i].saved);
        set_options(&own, cases[i].own);
        struct model *first = model_create(&saved, RMS_F32, false, 5);
        struct model *second = model_create(&own, RMS_F32, false, 6);
        model_step_until(first, BEFORE);
        model_step_until(second, BEFORE);
        struct bytes before = model_bytes(second);
        assert_ok(rms_save_as(first->optimizer, path, cases[i].layout), rms_message(first->optimizer));
        assert_status(RMS_ERROR_FORMAT, rms_load(second->optimizer, path), rms_message(second->optimizer));
        assert_contains(rms_message(second->optimizer), cases[i].sentence);
        assert_same_model(second, &before, cases[i].sentence);
        free(before.data);
        model_destroy(first);
        model_destroy(second);
    }
}

/* Whether a program sets gradients to 0 itself is its own affair: a file neither asks it to nor keeps it from it. */
static void zero_grad_stays_as_the_program_has_it(void **state)
{
    (void)state;
    for (int zeroes = 0; zeroes < 2; ++zeroes) {
        rms_options saved = rms_options_for(RMS_RMSPROP), own = rms_options_for(RMS_RMSPROP);
        saved.zero_grad = !zeroes;
        own.zero_grad = zeroes;
        float param[2] = {1, 2}, grad[2] = {0.5F, 0.25F};
        rms_optimizer *first = create_optimizer(&saved), *second = create_optimizer(&own);
        add_tensor(first, "w", param, grad, 2);
        add_tensor(second, "w", param, grad, 2);
        assert_ok(rms_save(first, scratch_path("zero")), rms_message(first));
        assert_ok(rms_load(second, scratch_path("zero")), rms_message(second));
        double value = 77;
        assert_ok(rms_get(second, 0, "zero_grad", &value), rms_message(second));
        assert_true(value == zeroes);
        assert_ok(rms_step(second, NULL), rms_message(second));
        assert_true(bits_of(grad[0]) == bits_of(zeroes ? 0 : 0.5F));
        rms_free(first);
        rms_free(second);
    }
}

/* Large enough that threads share the reading: OpenMP's, and the caller's. */
static void threads_read_what_one_reads(void **state)
{
    (void)state;
    enum { OBJECTS = 3, TENSORS = 3, COUNT = 1000003 };
    static float param[OBJECTS][TENSORS][COUNT], grad[COUNT];
    static const char *const names[TENSORS] = {"a", "b", "c"};
    const rms_parallel parallel = {.parallel_for = run_on_threads};
    rms_optimizer *optimizers[OBJECTS];
    for (size_t number = 0; number < OBJECTS; ++number) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        options.threads = number == 0 ? 1 : 4;
        options.parallel = number == 2 ? &parallel : NULL;
        optimizers[number] = create_optimizer(&options);
        for (size_t i = 0; i < TENSORS; ++i) {
            fill_parameters(param[number][i], COUNT, number);
            add_tensor(optimizers[number], names[i], param[number][i], grad, COUNT - i);
        }
        fill_gradients(grad, COUNT, 1, number);
        assert_true(rms_step(optimizers[number], NULL) >= 0);
    }
    assert_ok(rms_save(optimizers[0], scratch_path("large")), rms_message(optimizers[0]));
    for (size_t number = 1; number < OBJECTS; ++number) {
        assert_ok(rms_load(optimizers[number], scratch_path("large")), rms_message(optimizers[number]));
        for (size_t i = 0; i < TENSORS; ++i) {
            const size_t bytes = (COUNT - i) * sizeof(float);
            assert_memory_equal(param[0][i], param[number][i], bytes);
            assert_memory_equal(rms_state(optimizers[0], i, "v"), rms_state(optimizers[number], i, "v"), bytes);
        }
    }
    for (size_t number = 0; number < OBJECTS; ++number)
        rms_free(optimizers[number]);
}

int main(int count, char **words)
{
    if (count == 10 && strcmp(words[1], "--resume") == 0)
        return resume(words + 2);
    program = words[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resumed_run_ends_in_the_bits_of_an_uninterrupted_one),
        cmocka_unit_test(a_resumed_run_of_shortened_state_does_too),
        cmocka_unit_test(masters_remainders_and_averages_are_resumed),
        cmocka_unit_test(the_layout_state_leaves_parameters_alone),
        cmocka_unit_test(tensors_may_come_in_another_order_or_not_at_all),
        cmocka_unit_test(state_of_another_kind_is_refused),
        cmocka_unit_test(zero_grad_stays_as_the_program_has_it),
        cmocka_unit_test(threads_read_what_one_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
