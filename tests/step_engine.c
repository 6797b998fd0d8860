/* The step as one job: it is cut by bytes over all tensors, at edges that keep pages whole, forks and joins as rarely as
 * can be, and gives the same bits however it is cut and whoever does it. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_PER_PART = 640 * 1024, PAGE = 1024 /* elements */ };

/* ---- Models of many tensors */

struct shape {
    rms_dtype dtype;
    size_t count;
};

struct model {
    rms_optimizer *optimizer;
    size_t tensor_count;
    struct shape *shapes;
    void **param;
    void **grad;
};

static struct model model_create(const rms_options *options, const struct shape *shapes, size_t tensor_count)
{
    struct model model = {.optimizer = create_optimizer(options), .tensor_count = tensor_count};
    model.shapes = bytes_create(tensor_count * sizeof *shapes);
    model.param = bytes_create(tensor_count * sizeof *model.param);
    model.grad = bytes_create(tensor_count * sizeof *model.grad);
    memcpy(model.shapes, shapes, tensor_count * sizeof *shapes);
    for (size_t t = 0; t < tensor_count; ++t) {
        const size_t bytes = shapes[t].count * rms_dtype_size(shapes[t].dtype);
        char name[32];
        snprintf(name, sizeof name, "t%zu", t);
        model.param[t] = memset(bytes_create(bytes), 0, bytes);
        model.grad[t] = memset(bytes_create(bytes), 0, bytes);
        fill_parameters_of(shapes[t].dtype, model.param[t], shapes[t].count, t);
        const rms_tensor tensor = {.name = name,
                                   .count = shapes[t].count,
                                   .param = model.param[t],
                                   .grad = model.grad[t],
                                   .dtype = shapes[t].dtype};
        assert_ok(rms_add(model.optimizer, &tensor), rms_message(model.optimizer));
    }
    return model;
}

static void model_destroy(struct model *model)
{
    rms_free(model->optimizer);
    for (size_t t = 0; t < model->tensor_count; ++t) {
        free(model->param[t]);
        free(model->grad[t]);
    }
    free(model->shapes);
    free(model->param);
    free(model->grad);
}

static void draw_gradients(const struct model *model, uint64_t step)
{
    for (size_t t = 0; t < model->tensor_count; ++t)
        fill_gradients_of(model->shapes[t].dtype, model->grad[t], model->shapes[t].count, 2 * t + 1, step);
}

static void assert_same_bytes(const void *a, const void *b, size_t bytes, const char *what, size_t t, int threads)
{
    numbers_compared += bytes;
    if (bytes > 0 && memcmp(a, b, bytes) != 0)
        fail_msg("%s of tensor %zu, %d threads: not those of one thread", what, t, threads);
}

static void assert_same_model(const struct model *a, const struct model *b, rms_rule rule, int threads)
{
    for (size_t t = 0; t < a->tensor_count; ++t) {
        const size_t bytes = a->shapes[t].count * rms_dtype_size(a->shapes[t].dtype);
        assert_same_bytes(a->param[t], b->param[t], bytes, "param", t, threads);
        assert_same_bytes(a->grad[t], b->grad[t], bytes, "grad", t, threads);
        for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
            const char *const name = rms_slot_name(rule, slot);
            if (name && rms_state_size(a->optimizer, t, name) > 0)
                assert_same_bytes(rms_state(a->optimizer, t, name), rms_state(b->optimizer, t, name),
                                  rms_state_size(a->optimizer, t, name), name, t, threads);
        }
    }
}

/* ---- The same bits however work is cut */

enum { MANY = 1000 };

static void many_small(struct shape *shapes)
{
    for (size_t t = 0; t < MANY; ++t)
        shapes[t] = (struct shape){RMS_F32, 100};
}

/* Empty ones among them, and one that is larger than all others. Wide: f64, too. */
static void many_mixed(struct shape *shapes, bool wide)
{
    for (size_t t = 0; t < MANY; ++t) {
        const rms_dtype dtype = (rms_dtype)(t % 4);
        shapes[t] = (struct shape){dtype == RMS_F64 && !wide ? RMS_F32 : dtype, t % 7 == 0 ? 0 : t * 37 % 301};
    }
    shapes[700] = (struct shape){RMS_BF16, 300001};
}

static void step_both(const struct model *alone, const struct model *together, uint64_t step)
{
    rms_report a = {0}, b = {0};
    const bool asks = step % 2 == 1; /* with propagate it is then summed up on the way */
    draw_gradients(alone, step);
    draw_gradients(together, step);
    assert_ok(rms_step(alone->optimizer, asks ? &a : NULL), rms_message(alone->optimizer));
    assert_ok(rms_step(together->optimizer, asks ? &b : NULL), rms_message(together->optimizer));
    assert_true(bits_of_double(a.gradient_norm) == bits_of_double(b.gradient_norm));
    assert_true(bits_of_double(a.clip_factor) == bits_of_double(b.clip_factor));
}

static void compare_cuttings(const rms_options *options, const struct shape *shapes, rms_isa isa)
{
    size_t tasks = 0;
    const rms_parallel parallel[] = {{run_on_threads, &tasks}, {run_in_reverse, &tasks}, {run_shuffled, &tasks}};
    for (size_t k = 0; k < effort(7); ++k) {
        const int threads = 2 + (int)((3 * k + 2) % 7);
        rms_options alone_options = *options, together_options = *options;
        alone_options.isa = together_options.isa = isa;
        alone_options.threads = 1;
        together_options.threads = threads;
        if (k % 4 < COUNT_OF(parallel))
            together_options.parallel = &parallel[k % 4];
        struct model alone = model_create(&alone_options, shapes, MANY);
        struct model together = model_create(&together_options, shapes, MANY);
        for (uint64_t step = 0; step < 3; ++step)
            step_both(&alone, &together, step);
        assert_same_model(&together, &alone, options->rule, threads);
        model_destroy(&alone);
        model_destroy(&together);
    }
    assert_true(tasks > 0);
}

/* Clipped, so that nothing becomes NaN, whose bits are nobody's promise. */
static void results_do_not_depend_on_how_work_is_cut(void **state)
{
    static const struct {
        rms_rule rule;
        const char *options;
        bool wide;
    } cases[] = {
        {RMS_RMSPROP, "clip_value=100 state_format=8-bit momentum=0.9 clip_norm=1000", false},
        {RMS_ADAM, "clip_value=100 nonfinite=propagate", true},
        {RMS_ADAGRAD, "clip_value=100 state_format=16-bit nonfinite=propagate zero_grad=true master=none", false},
        {RMS_RMSPROP, "clip_value=100 average_decay=0.9 momentum=0.9 zero_grad=true", true},
    };
    static struct shape shapes[MANY];
    const rms_isa isa = isa_of_test(state);
    for (size_t i = 0; i < effort(COUNT_OF(cases)); ++i) {
        rms_options options = rms_options_for(cases[i].rule);
        set_options(&options, cases[i].options);
        many_small(shapes);
        compare_cuttings(&options, shapes, isa);
        if (options.master == RMS_MASTER_F32 || options.average_decay == 0) {
            many_mixed(shapes, cases[i].wide);
            compare_cuttings(&options, shapes, isa);
        }
    }
    report_comparisons(rms_isa_name(isa));
}

/* ---- Who does what: with gradients of 1, SGD with momentum changes every parameter from 0. */

struct watch {
    size_t calls;
    size_t tasks;             /* of the last call */
    const struct model *seen; /* f32 and f64; NULL: only counts */
    int *owner;               /* of each element, end to end; -1: nobody */
};

static void note_owners(struct watch *watch, int task)
{
    size_t at = 0;
    for (size_t t = 0; t < watch->seen->tensor_count; ++t)
        for (size_t i = 0; i < watch->seen->shapes[t].count; ++i, ++at)
            if (watch->owner[at] < 0 && number_bits(watch->seen->shapes[t].dtype, watch->seen->param[t], i) != 0)
                watch->owner[at] = task;
}

static void run_watched(void *context, size_t task_count, rms_task *task, void *task_context)
{
    struct watch *watch = context;
    ++watch->calls;
    watch->tasks = task_count;
    for (size_t i = 0; i < task_count; ++i) {
        task(task_context, i);
        if (watch->seen)
            note_owners(watch, (int)i);
    }
}

static size_t elements_of(const struct model *model)
{
    size_t elements = 0;
    for (size_t t = 0; t < model->tensor_count; ++t)
        elements += model->shapes[t].count;
    return elements;
}

/* Sets parameters to 0 and gradients to 1. */
static void make_plain(const struct model *model)
{
    for (size_t t = 0; t < model->tensor_count; ++t)
        for (size_t i = 0; i < model->shapes[t].count; ++i)
            if (model->shapes[t].dtype == RMS_F64) {
                ((double *)model->param[t])[i] = 0;
                ((double *)model->grad[t])[i] = 1;
            } else {
                ((float *)model->param[t])[i] = 0;
                ((float *)model->grad[t])[i] = 1;
            }
}

static rms_options watched_options(struct watch *watch, const rms_parallel *parallel, int threads)
{
    rms_options options = rms_options_for(RMS_SGD);
    set_options(&options, "momentum=0.9 nonfinite=propagate");
    options.parallel = parallel;
    options.threads = threads;
    *watch = (struct watch){0};
    return options;
}

/* Parameter and momentum are read and written, the gradient is read. */
static size_t step_bytes(const struct shape *shape)
{
    return 5 * rms_dtype_size(shape->dtype);
}

/* Every element has one owner, owners come in order, and change only where tensors begin or pages do. */
static void sum_up_shares(const struct watch *watch, size_t *share)
{
    const struct model *model = watch->seen;
    size_t at = 0;
    int last = 0;
    for (size_t t = 0; t < model->tensor_count; ++t)
        for (size_t i = 0; i < model->shapes[t].count; ++i, ++at) {
            const int owner = watch->owner[at];
            if (owner < last || owner > last + 1 || (owner != last && i % PAGE != 0))
                fail_msg("tensor %zu, element %zu: done by part %d after part %d", t, i, owner, last);
            last = owner;
            share[owner] += step_bytes(&model->shapes[t]);
        }
    assert_int_equal(last + 1, watch->tasks);
}

static void check_owners(const struct watch *watch)
{
    size_t share[8] = {0}, total = 0;
    assert_true(watch->tasks <= COUNT_OF(share));
    sum_up_shares(watch, share);
    for (size_t part = 0; part < watch->tasks; ++part)
        total += share[part];
    for (size_t part = 0; part < watch->tasks; ++part) /* off by a page of f64 at most, at either end */
        if (fabs((double)share[part] - (double)total / (double)watch->tasks) > PAGE * 40)
            fail_msg("part %zu of %zu has %zu bytes of %zu", part, watch->tasks, share[part], total);
    assert_int_equal(watch->tasks, total / BYTES_PER_PART < 8 ? total / BYTES_PER_PART : 8);
}

static void check_cutting(const struct shape *shapes, size_t tensor_count)
{
    struct watch watch;
    const rms_parallel parallel = {run_watched, &watch};
    const rms_options options = watched_options(&watch, &parallel, 8);
    struct model model = model_create(&options, shapes, tensor_count);
    assert_non_null(rms_state(model.optimizer, tensor_count - 1, "momentum"));
    make_plain(&model);
    const size_t elements = elements_of(&model);
    watch.owner = bytes_create(elements * sizeof *watch.owner);
    for (size_t i = 0; i < elements; ++i)
        watch.owner[i] = -1;
    watch.seen = &model;
    assert_ok(rms_step(model.optimizer, NULL), rms_message(model.optimizer));
    check_owners(&watch);
    free(watch.owner);
    model_destroy(&model);
}

static void parts_have_as_many_bytes_each_and_end_on_pages(void **state)
{
    static struct shape shapes[MANY];
    (void)state;
    many_small(shapes);
    check_cutting(shapes, MANY);
    static const size_t large[] = {300000, 262144, 262145, 1000003};
    for (size_t i = 0; i < effort(COUNT_OF(large)); ++i) {
        const struct shape alone = {RMS_F32, large[i]};
        check_cutting(&alone, 1);
        shapes[500].count = large[i];
        shapes[501].count = 0;
        check_cutting(shapes, MANY);
        const struct shape mixed[] = {{RMS_F32, 200000}, {RMS_F64, large[i]}, {RMS_F32, large[i]}};
        check_cutting(mixed, COUNT_OF(mixed));
    }
}

/* ---- How often it forks and joins */

static void expect_calls(const char *assignments, size_t count, bool with_report, bool skipped, size_t expected)
{
    struct watch watch;
    const rms_parallel parallel = {run_watched, &watch};
    rms_options options = watched_options(&watch, &parallel, 4);
    set_options(&options, assignments);
    const struct shape shapes[] = {{RMS_F32, count / 2}, {RMS_F32, 0}, {RMS_F32, count - count / 2}};
    struct model model = model_create(&options, shapes, COUNT_OF(shapes));
    make_plain(&model);
    if (skipped)
        ((float *)model.grad[2])[3] = HUGE_VALF;
    assert_non_null(rms_state(model.optimizer, 0, "momentum"));
    watch.calls = 0;
    rms_report report;
    assert_status(skipped ? RMS_SKIPPED_NONFINITE : RMS_OK, rms_step(model.optimizer, with_report ? &report : NULL),
                  rms_message(model.optimizer));
    if (watch.calls != expected)
        fail_msg("%zu elements, %s%s%s: %zu calls of parallel_for, expected %zu", count, assignments,
                 with_report ? ", with a report" : "", skipped ? ", skipped" : "", watch.calls, expected);
    model_destroy(&model);
}

static void a_step_forks_once_with_a_norm_twice_and_not_at_all_where_it_is_small(void **state)
{
    enum { SMALL = 2 * BYTES_PER_PART / 20 - 1, LARGE = SMALL + 1 };
    (void)state;
    expect_calls("nonfinite=propagate", LARGE, false, false, 1);
    expect_calls("nonfinite=propagate", LARGE, true, false, 1); /* the norm is summed up on the way */
    expect_calls("nonfinite=propagate zero_grad=1", LARGE, false, false, 1);
    expect_calls("nonfinite=propagate clip_norm=1", LARGE, false, false, 2);
    expect_calls("nonfinite=skip", LARGE, false, false, 2);
    expect_calls("nonfinite=skip clip_norm=1", LARGE, true, false, 2);
    expect_calls("nonfinite=skip zero_grad=1", LARGE, true, false, 2);
    expect_calls("nonfinite=skip", LARGE, false, true, 1);
    expect_calls("nonfinite=skip zero_grad=1", LARGE, false, true, 2);
    expect_calls("nonfinite=propagate", SMALL, true, false, 0);
    expect_calls("nonfinite=skip clip_norm=1 zero_grad=1", SMALL, true, false, 0);
    expect_calls("nonfinite=skip zero_grad=1", SMALL, true, true, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(results_do_not_depend_on_how_work_is_cut),
        cmocka_unit_test(parts_have_as_many_bytes_each_and_end_on_pages),
        cmocka_unit_test(a_step_forks_once_with_a_norm_twice_and_not_at_all_where_it_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
