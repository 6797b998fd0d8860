/* Steps whose gradients come as rows, bit for bit: dense ones are steps with the scattered gradient, lazy ones touch the
 * given rows and nothing else, and the norm is that of all gradients together. */
#include "storage_reference.h"

#include <stdlib.h>
#include <string.h>

enum { TENSORS = 5, STEPS = 4 };

/* A matrix; a tensor without width has an ordinary gradient. */
struct shape {
    rms_dtype dtype;
    size_t rows;
    size_t width;
};

struct batch {
    size_t row_count;
    int64_t *indices;
    struct numbers values;
    rms_rows_mode mode;
};

struct model {
    uint64_t seed;
    rms_options options;
    struct shape shapes[TENSORS];
    struct batch batches[STEPS][TENSORS];
    struct numbers param[TENSORS]; /* before the first step */
    struct numbers grad[TENSORS];
    struct reference *tensors[TENSORS];
    struct reference_report reports[STEPS];
};

static size_t count_of(const struct shape *shape)
{
    return shape->rows * (shape->width > 0 ? shape->width : 1);
}

/* Few rows, or many more than there are, so that most come twice and more; at times none. */
static size_t draw_row_count(uint64_t *state, const struct shape *shape)
{
    switch (random_below(state, 4)) {
    case 0:
        return shape->rows > 0 ? random_below(state, 3) : 0;
    case 1:
        return shape->rows > 0 ? 2 * shape->rows + 1 : 0;
    default:
        return shape->rows > 0 ? random_below(state, shape->rows) + 1 : 0;
    }
}

static struct batch draw_batch(uint64_t *state, const struct shape *shape, uint64_t seed, size_t step)
{
    struct batch batch = {.row_count = draw_row_count(state, shape), .mode = (rms_rows_mode)random_below(state, 2)};
    const size_t numbers = batch.row_count * shape->width;
    batch.indices = bytes_create(batch.row_count * sizeof *batch.indices);
    batch.values = numbers_create(shape->dtype, numbers, random_below(state, 16));
    const bool crowded = random_below(state, 2) == 0; /* all in one corner */
    for (size_t i = 0; i < batch.row_count; ++i)
        batch.indices[i] = (int64_t)random_below(state, crowded && shape->rows > 3 ? 3 : shape->rows);
    fill_gradients_of(shape->dtype, batch.values.at, numbers, seed | 1, step);
    return batch;
}

static rms_rows rows_of(const struct model *model, size_t step, size_t t)
{
    const struct batch *batch = &model->batches[step][t];
    return (rms_rows){.tensor = t,
                      .width = model->shapes[t].width,
                      .row_count = batch->row_count,
                      .indices = batch->indices,
                      .values = batch->values.at,
                      .mode = batch->mode};
}

static void draw_dense(const struct model *model, size_t step)
{
    for (size_t t = 0; t < TENSORS; ++t)
        if (model->shapes[t].width == 0)
            fill_gradients_of(model->shapes[t].dtype, model->grad[t].at, model->shapes[t].rows, (model->seed + t) | 1,
                              step);
}

static void run_reference(struct model *model)
{
    for (size_t step = 0; step < STEPS; ++step) {
        draw_dense(model, step);
        for (size_t t = 0; t < TENSORS; ++t) {
            const rms_rows rows = rows_of(model, step, t);
            if (rows.width > 0)
                reference_set_rows(model->tensors[t], &rows);
            else
                reference_set_gradient(model->tensors[t], model->grad[t].at);
        }
        model->reports[step] = reference_step(model->tensors, TENSORS, &model->options);
    }
}

static struct model *model_create(uint64_t *state, const rms_options *options, const struct shape *shapes)
{
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->seed = random_bits(state);
    model->options = *options;
    for (size_t t = 0; t < TENSORS; ++t) {
        const struct shape *shape = &shapes[t];
        char name[16];
        snprintf(name, sizeof name, "table%zu", t);
        model->shapes[t] = *shape;
        model->param[t] = numbers_create(shape->dtype, count_of(shape), 0);
        model->grad[t] = numbers_create(shape->dtype, shape->width > 0 ? 0 : shape->rows, 1);
        fill_parameters_of(shape->dtype, model->param[t].at, count_of(shape), model->seed + t);
        model->tensors[t] = reference_create(name, shape->dtype, &model->options, count_of(shape), model->param[t].at);
        for (size_t step = 0; step < STEPS; ++step)
            model->batches[step][t] = draw_batch(state, shape, model->seed + t, step);
        for (size_t step = 0; step < STEPS; ++step)
            if (options->state_format == RMS_STATE_8_BIT && shape->width % RMS_STATE_BLOCK != 0)
                model->batches[step][t].mode = RMS_ROWS_DENSE; /* lazy rows may not share a block */
    }
    run_reference(model);
    return model;
}

static void model_destroy(struct model *model)
{
    for (size_t t = 0; t < TENSORS; ++t) {
        for (size_t step = 0; step < STEPS; ++step) {
            free(model->batches[step][t].indices);
            numbers_destroy(&model->batches[step][t].values);
        }
        numbers_destroy(&model->param[t]);
        numbers_destroy(&model->grad[t]);
        reference_destroy(model->tensors[t]);
    }
    free(model);
}

/* Every other tensor that gets rows has an ordinary gradient as well, which must not matter. */
static rms_optimizer *build(const struct model *model, const rms_options *where, struct numbers *param)
{
    rms_options options = model->options;
    options.isa = where->isa;
    options.threads = where->threads;
    options.parallel = where->parallel;
    rms_optimizer *optimizer = create_optimizer(&options);
    for (size_t t = 0; t < TENSORS; ++t) {
        const struct shape *shape = &model->shapes[t];
        const size_t count = count_of(shape);
        param[t] = numbers_create(shape->dtype, count, 3 * t);
        if (count > 0)
            memcpy(param[t].at, model->param[t].at, count * rms_dtype_size(shape->dtype));
        const bool without = shape->width > 0 && t % 2 == 0;
        const rms_tensor tensor = {.name = model->tensors[t]->name,
                                   .count = count,
                                   .param = param[t].at,
                                   .grad = without            ? NULL
                                           : shape->width > 0 ? model->param[t].at
                                                              : model->grad[t].at,
                                   .dtype = shape->dtype};
        assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    }
    return optimizer;
}

static rms_status step_library(rms_optimizer *optimizer, const struct model *model, size_t step, rms_report *report)
{
    rms_rows rows[TENSORS];
    size_t rows_count = 0;
    for (size_t t = TENSORS; t-- > 0;) /* not in the order of tensors */
        if (model->shapes[t].width > 0)
            rows[rows_count++] = rows_of(model, step, t);
    draw_dense(model, step);
    return rms_step_rows(optimizer, rows, rows_count, report);
}

static void compare(const struct model *model, const rms_options *where)
{
    char context[192];
    const rms_options *o = &model->options;
    snprintf(context, sizeof context, "%s/%s/%s/%s, width %zu, seed 0x%llx, %d threads by %s", rms_rule_name(o->rule),
             rms_master_name(o->master), rms_state_format_name(o->state_format), rms_isa_name(where->isa),
             model->shapes[0].width, (unsigned long long)model->seed, where->threads,
             where->parallel ? "the caller" : "OpenMP");
    struct numbers param[TENSORS];
    rms_optimizer *optimizer = build(model, where, param);
    for (size_t step = 0; step < STEPS; ++step) {
        const struct reference_report *found = &model->reports[step];
        rms_report report = {
            .gradient_norm = found->norm, .clip_factor = found->clip_factor, .skipped = found->skipped};
        const rms_status status = step_library(optimizer, model, step, step % 2 == 0 ? &report : NULL);
        assert_same_report(status, &report, found, context);
    }
    for (size_t t = 0; t < TENSORS; ++t) {
        assert_same_tensor(optimizer, t, param[t].at, model->tensors[t], context);
        numbers_destroy(&param[t]);
    }
    rms_free(optimizer);
}

/* f16 knows masters only. */
static rms_dtype draw_dtype(uint64_t *state, const rms_options *options)
{
    const rms_dtype dtype = (rms_dtype)random_below(state, 4);
    return rms_state_bytes(options, dtype, 1) == SIZE_MAX ? RMS_BF16 : dtype;
}

/* 1 to 130, and one that is longer than a block of the update. For 8 bits mostly such that lazy rows are taken. */
static size_t width_of(size_t i, rms_state_format format)
{
    const size_t width = i % 131 == 130 ? 1500 : i % 131 + 1;
    return format == RMS_STATE_8_BIT && i % 4 > 0 ? (width + 63) / 64 * 64 : width;
}

static void every_width_dtype_and_rule_matches_the_reference(void **state)
{
    const rms_isa isa = isa_of_test(state);
    const rms_options where = {.isa = isa, .threads = 1};
    uint64_t seed = 41;
    for (size_t i = 0; i < effort(4 * 131); ++i) {
        const rms_rule rule = (rms_rule)(i % RMS_RULE_COUNT);
        const rms_state_format format = draw_state_format(&seed, rule);
        const size_t width = width_of(i, format);
        const rms_options options =
            shortened_options(&seed, rule, (rms_master)random_below(&seed, 3), i % 3 == 0 ? 0.9 : 0, format);
        const struct shape shapes[TENSORS] = {{draw_dtype(&seed, &options), 1 + random_below(&seed, 40), width},
                                              {draw_dtype(&seed, &options), 100, 0},
                                              {draw_dtype(&seed, &options), 0, width},
                                              {draw_dtype(&seed, &options), 1 + random_below(&seed, 5), width},
                                              {draw_dtype(&seed, &options), width, 1}};
        struct model *model = model_create(&seed, &options, shapes);
        compare(model, &where);
        model_destroy(model);
    }
    report_comparisons(rms_isa_name(isa));
}

/* Chunks of the norm and parts of the work begin and end within rows. */
static void threads_change_no_bit(void **state)
{
    static const struct shape any_shapes[TENSORS] = {
        {RMS_BF16, 101, 1500}, {RMS_F64, 70001, 0}, {RMS_F32, 3001, 33}, {RMS_F32, 5, 0}, {RMS_BF16, 70003, 1}};
    static const struct shape short_shapes[TENSORS] = {
        {RMS_BF16, 101, 1536}, {RMS_F32, 70001, 0}, {RMS_F32, 3001, 64}, {RMS_BF16, 5, 0}, {RMS_BF16, 70003, 1}};
    const rms_isa isa = isa_of_test(state);
    size_t tasks = 0;
    const rms_parallel parallel[] = {{run_on_threads, &tasks}, {run_in_reverse, &tasks}, {run_shuffled, &tasks}};
    uint64_t seed = 42;
    for (size_t i = 0; i < effort(RMS_RULE_COUNT - 2) + 2; ++i) {
        const rms_rule rule = (rms_rule)((i + RMS_ADAGRAD) % RMS_RULE_COUNT);
        const rms_state_format wanted = (rms_state_format)(2 - i % 3);
        const rms_state_format format = takes_state_format(rule, wanted) ? wanted : RMS_STATE_FULL;
        const rms_options options = shortened_options(&seed, rule, (rms_master)(i % 3), i % 2 == 0 ? 0.9 : 0, format);
        struct model *model = model_create(&seed, &options, format == RMS_STATE_FULL ? any_shapes : short_shapes);
        const int stride = effort(3) == 3 ? 1 : 3;
        for (int threads = 1 + (int)i % stride; threads <= 8; threads += stride) {
            rms_options where = {.isa = isa, .threads = threads};
            if (threads % 2 == 0)
                where.parallel = &parallel[(i + (size_t)threads / 2) % COUNT_OF(parallel)];
            compare(model, &where);
        }
        model_destroy(model);
    }
    assert_true(tasks > 0);
    report_comparisons(rms_isa_name(isa));
}

/* ---- The promise of dense mode, without a reference in between: rms_step, given the scattered sum. */

static void scatter(const rms_rows *rows, rms_dtype dtype, size_t count, void *grad)
{
    bool *const touched = memset(bytes_create(count), 0, count);
    memset(grad, 0, count * rms_dtype_size(dtype));
    for (size_t k = 0; k < rows->row_count; ++k)
        for (size_t column = 0; column < rows->width; ++column) {
            const size_t to = (size_t)rows->indices[k] * rows->width + column;
            const size_t from = k * rows->width + column;
            if (dtype == RMS_F64) {
                const double value = ((const double *)rows->values)[from];
                ((double *)grad)[to] = touched[to] ? ((double *)grad)[to] + value : value;
            } else {
                const float value = ((const float *)rows->values)[from];
                ((float *)grad)[to] = touched[to] ? ((float *)grad)[to] + value : value;
            }
            touched[to] = true;
        }
    free(touched);
}

static void compare_scattered(uint64_t *seed, rms_rule rule, rms_dtype dtype)
{
    enum { ROWS = 150, WIDTH = 13, COUNT = ROWS * WIDTH };
    const rms_options options = storage_options(seed, rule, RMS_MASTER_F32, 0.5);
    const struct shape shape = {dtype, ROWS, WIDTH};
    struct numbers param[2], grad = numbers_create(dtype, COUNT, 0);
    rms_optimizer *optimizer[2];
    for (size_t i = 0; i < 2; ++i) {
        param[i] = numbers_create(dtype, COUNT, i);
        fill_parameters_of(dtype, param[i].at, COUNT, 7);
        optimizer[i] = create_optimizer(&options);
        const rms_tensor tensor = {"t", COUNT, param[i].at, i == 0 ? NULL : grad.at, 0, dtype, {0}};
        assert_ok(rms_add(optimizer[i], &tensor), rms_message(optimizer[i]));
    }
    for (size_t step = 0; step < STEPS; ++step) {
        struct batch batch = draw_batch(seed, &shape, *seed, step);
        const rms_rows rows = {0, WIDTH, batch.row_count, batch.indices, batch.values.at, RMS_ROWS_DENSE, {0}};
        rms_report of_rows, of_array;
        scatter(&rows, dtype, COUNT, grad.at);
        const rms_status status = rms_step_rows(optimizer[0], &rows, 1, &of_rows);
        assert_status(status, rms_step(optimizer[1], &of_array), rms_message(optimizer[1]));
        assert_string_equal(rms_message(optimizer[0]), rms_message(optimizer[1]));
        /* By field: padding may hold anything. */
        assert_memory_equal(&of_rows.gradient_norm, &of_array.gradient_norm, sizeof of_rows.gradient_norm);
        assert_memory_equal(&of_rows.clip_factor, &of_array.clip_factor, sizeof of_rows.clip_factor);
        assert_int_equal(of_rows.skipped, of_array.skipped);
        assert_int_equal(of_rows.steps, of_array.steps);
        free(batch.indices);
        numbers_destroy(&batch.values);
    }
    assert_same_numbers(dtype, param[0].at, param[1].at, COUNT, "dense rows", &options);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const char *const name = rms_slot_name(rule, slot);
        if (name && rms_state(optimizer[0], 0, name))
            assert_same_numbers(dtype, rms_state(optimizer[0], 0, name), rms_state(optimizer[1], 0, name), COUNT, name,
                                &options);
    }
    for (size_t i = 0; i < 2; ++i) {
        rms_free(optimizer[i]);
        numbers_destroy(&param[i]);
    }
    numbers_destroy(&grad);
}

static void dense_rows_are_rms_step_with_the_scattered_gradient(void **state)
{
    (void)state;
    uint64_t seed = 43;
    for (size_t repetition = 0; repetition < effort(10); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            compare_scattered(&seed, rule, RMS_F32);
            compare_scattered(&seed, rule, RMS_F64);
        }
    report_comparisons("scattered");
}

/* 1 + 2^-24 + 2^-24 in float: in this order 1, from behind 1 + 2^-23; the gradient is what SGD at rate 1 subtracts. */
static void repeated_rows_are_added_in_the_order_in_which_they_are_given(void **state)
{
    (void)state;
    const float values[2][3] = {{1, 0x1p-24F, 0x1p-24F}, {0x1p-24F, 0x1p-24F, 1}};
    const float sums[2] = {1, 1 + 0x1p-23F};
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 1;
    for (size_t order = 0; order < 2; ++order)
        for (rms_rows_mode mode = RMS_ROWS_LAZY; mode <= RMS_ROWS_DENSE; ++mode) {
            float param[2] = {0, 0};
            const int64_t indices[3] = {1, 1, 1};
            rms_optimizer *optimizer = create_optimizer(&options);
            add_tensor(optimizer, "t", param, NULL, 2);
            const rms_rows rows = {0, 1, 3, indices, values[order], mode, {0}};
            rms_report report;
            assert_ok(rms_step_rows(optimizer, &rows, 1, &report), rms_message(optimizer));
            assert_true(param[0] == 0 && param[1] == -sums[order]);
            assert_true(report.gradient_norm == (double)sums[order]);
            rms_free(optimizer);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(every_width_dtype_and_rule_matches_the_reference),
        PER_ISA(threads_change_no_bit),
        cmocka_unit_test(dense_rows_are_rms_step_with_the_scattered_gradient),
        cmocka_unit_test(repeated_rows_are_added_in_the_order_in_which_they_are_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
