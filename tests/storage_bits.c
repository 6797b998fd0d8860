/* Steps of objects that mix dtypes and keep 16-bit parameters and state in each of three ways, bit for bit: joint norm,
 * remainders, random rounding, shortened state and averages, whatever the lengths, the cutting of work, who does it in
 * which order, and the instruction set. */
#include "storage_reference.h"

#include "oracle_codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 2, TENSORS_MAX = 32, STEPS = 3 };

struct shape {
    rms_dtype dtype;
    size_t count;
};

/* Around blocks, those of the codecs and those of the update. A first tensor of 10 elements shifts all
 * others against the edges of parts. */
static const struct shape small_shapes[] = {
    {RMS_BF16, 10},   {RMS_BF16, 0},   {RMS_F64, 1},     {RMS_F16, 1},     {RMS_BF16, 1},   {RMS_BF16, 7},
    {RMS_F16, 8},     {RMS_BF16, 9},   {RMS_F32, 15},    {RMS_BF16, 33},   {RMS_F64, 100},  {RMS_BF16, 1023},
    {RMS_F16, 1023},  {RMS_F64, 1024}, {RMS_BF16, 1024}, {RMS_F64, 1025},  {RMS_F16, 1025}, {RMS_BF16, 1025},
    {RMS_BF16, 2047}, {RMS_F16, 2048}, {RMS_F64, 2049},  {RMS_BF16, 2049}, {RMS_F32, 2500}, {RMS_BF16, 3001},
    {RMS_F32, 63},    {RMS_F16, 64},   {RMS_BF16, 65},   {RMS_F32, 511},   {RMS_F32, 512},  {RMS_F32, 513},
    {RMS_F32, 1025},  {RMS_F32, 1}};

/* Enough for eight threads; the edges of parts lie inside of each of them. */
static const struct shape large_shapes[] = {{RMS_BF16, 10},    {RMS_F64, 65537}, {RMS_BF16, 70003}, {RMS_F32, 1},
                                            {RMS_F16, 66001},  {RMS_BF16, 999},  {RMS_F64, 1000},   {RMS_F32, 65535},
                                            {RMS_BF16, 40001}, {RMS_F32, 140001}};

struct model {
    uint64_t seed;
    rms_options options[GROUPS];
    const struct shape *shapes;
    size_t tensor_count;
    struct reference *tensors[TENSORS_MAX];
    struct numbers param[TENSORS_MAX]; /* before the first step */
    struct numbers grad[TENSORS_MAX];
    struct reference_report reports[STEPS];
};

static size_t group_of(const struct model *model, size_t t)
{
    (void)model;
    return t % 3 == 2;
}

/* f16 has no remainder, and keeps no average without a master. */
static bool is_possible(const rms_options *options, rms_dtype dtype)
{
    return rms_state_bytes(options, dtype, 1) != SIZE_MAX;
}

static void draw_gradients(const struct model *model, size_t step)
{
    for (size_t t = 0; t < model->tensor_count; ++t)
        fill_gradients_of(model->shapes[t].dtype, model->grad[t].at, model->shapes[t].count, (model->seed + t) | 1,
                          step);
}

static void run_reference(struct model *model)
{
    for (size_t step = 0; step < STEPS; ++step) {
        draw_gradients(model, step);
        for (size_t t = 0; t < model->tensor_count; ++t)
            reference_set_gradient(model->tensors[t], model->grad[t].at);
        model->reports[step] = reference_step(model->tensors, model->tensor_count, &model->options[0]);
    }
}

static void draw_options(struct model *model, uint64_t *state, rms_rule rule, rms_master master,
                         rms_state_format format)
{
    static const double decays[] = {0, 0.5, 0.999};
    for (size_t g = 0; g < GROUPS; ++g) {
        model->options[g] =
            shortened_options(state, rule, master, decays[random_below(state, COUNT_OF(decays))], format);
        rms_options *const o = &model->options[g];
        o->grad_scale = model->options[0].grad_scale;
        o->clip_norm = model->options[0].clip_norm;
        o->clip_value = model->options[0].clip_value;
        o->nonfinite = model->options[0].nonfinite;
        o->seed = model->options[0].seed;
    }
}

/* Tensors that these options refuse are left out. */
static struct model *model_create(uint64_t *state, rms_rule rule, rms_master master, rms_state_format format,
                                  const struct shape *shapes, size_t shape_count, struct shape *chosen)
{
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->seed = random_bits(state);
    model->shapes = chosen;
    draw_options(model, state, rule, master, format);
    for (size_t i = 0; i < shape_count; ++i) {
        const size_t t = model->tensor_count;
        const rms_options *options = &model->options[group_of(model, t)];
        if (!is_possible(options, shapes[i].dtype))
            continue;
        char name[32];
        snprintf(name, sizeof name, "tensor%zu", t);
        chosen[t] = shapes[i];
        model->param[t] = numbers_create(chosen[t].dtype, chosen[t].count, 0);
        model->grad[t] = numbers_create(chosen[t].dtype, chosen[t].count, random_below(state, 16));
        fill_parameters_of(chosen[t].dtype, model->param[t].at, chosen[t].count, model->seed + t);
        model->tensors[t] = reference_create(name, chosen[t].dtype, options, chosen[t].count, model->param[t].at);
        ++model->tensor_count;
    }
    run_reference(model);
    return model;
}

static void model_destroy(struct model *model)
{
    for (size_t t = 0; t < model->tensor_count; ++t) {
        numbers_destroy(&model->param[t]);
        numbers_destroy(&model->grad[t]);
        reference_destroy(model->tensors[t]);
    }
    free(model);
}

static rms_optimizer *build(const struct model *model, const rms_options *where, struct numbers *param)
{
    rms_options options = model->options[0];
    options.isa = where->isa;
    options.threads = where->threads;
    options.parallel = where->parallel;
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t group;
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    rms_options second = model->options[1];
    second.isa = where->isa;
    second.threads = where->threads;
    set_group(optimizer, group, &second);
    for (size_t t = 0; t < model->tensor_count; ++t) {
        const struct shape shape = model->shapes[t];
        param[t] = numbers_create(shape.dtype, shape.count, t % 16);
        if (shape.count > 0)
            memcpy(param[t].at, model->param[t].at, shape.count * rms_dtype_size(shape.dtype));
        const rms_tensor tensor = {.name = model->tensors[t]->name,
                                   .count = shape.count,
                                   .param = param[t].at,
                                   .grad = model->grad[t].at,
                                   .group = group_of(model, t),
                                   .dtype = shape.dtype};
        assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    }
    return optimizer;
}

/* Runs all steps; every other one without a report, which must change nothing. */
static void compare(struct model *model, const rms_options *where)
{
    char context[160];
    const rms_options *o = &model->options[0];
    snprintf(context, sizeof context, "%s/%s/%s/%s, seed 0x%llx, %d threads by %s", rms_rule_name(o->rule),
             rms_master_name(o->master), rms_state_format_name(o->state_format), rms_isa_name(where->isa),
             (unsigned long long)model->seed, where->threads, where->parallel ? "the caller" : "OpenMP");
    struct numbers param[TENSORS_MAX];
    rms_optimizer *optimizer = build(model, where, param);
    for (size_t step = 0; step < STEPS; ++step) {
        const struct reference_report *found = &model->reports[step];
        rms_report report = {
            .gradient_norm = found->norm, .clip_factor = found->clip_factor, .skipped = found->skipped};
        draw_gradients(model, step);
        const rms_status status = rms_step(optimizer, step % 2 == 0 ? &report : NULL);
        assert_same_report(status, &report, found, context);
    }
    for (size_t t = 0; t < model->tensor_count; ++t) {
        assert_same_tensor(optimizer, t, param[t].at, model->tensors[t], context);
        numbers_destroy(&param[t]);
    }
    rms_free(optimizer);
}

static void every_rule_and_storage_matches_the_reference(void **state)
{
    const rms_isa isa = isa_of_test(state);
    const rms_options where = {.isa = isa, .threads = 1};
    uint64_t seed = 11;
    struct shape chosen[TENSORS_MAX];
    for (size_t repetition = 0; repetition < effort(9); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
            for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_NONE; ++master) {
                const rms_state_format format = (rms_state_format)((repetition + master) % 3);
                if (!takes_state_format(rule, format))
                    continue;
                struct model *model =
                    model_create(&seed, rule, master, format, small_shapes, COUNT_OF(small_shapes), chosen);
                compare(model, &where);
                model_destroy(model);
            }
    report_comparisons(rms_isa_name(isa));
}

/* By OpenMP, and by the caller on threads and in orders of its own. */
static void compare_threads(struct model *model, rms_isa isa, int threads, size_t *tasks)
{
    const rms_parallel parallel[] = {{run_on_threads, tasks}, {run_in_reverse, tasks}, {run_shuffled, tasks}};
    rms_options where = {.isa = isa, .threads = threads};
    compare(model, &where);
    where.parallel = &parallel[(size_t)threads % COUNT_OF(parallel)];
    compare(model, &where);
}

static void threads_and_who_runs_them_change_no_bit(void **state)
{
    const rms_isa isa = isa_of_test(state);
    size_t tasks = 0;
    uint64_t seed = 12;
    struct shape chosen[TENSORS_MAX];
    for (size_t i = 0; i < effort(10) + 2; ++i) {
        const rms_rule rule = (rms_rule)((i + RMS_RMSPROP) % RMS_RULE_COUNT);
        const rms_master master = (rms_master)((i + i / RMS_RULE_COUNT) % 3);
        const rms_state_format wanted = (rms_state_format)((i + 2) % 3);
        const rms_state_format format = takes_state_format(rule, wanted) ? wanted : RMS_STATE_FULL;
        struct model *model = model_create(&seed, rule, master, format, large_shapes, COUNT_OF(large_shapes), chosen);
        const int stride = i < 2 && effort(3) == 3 ? 1 : 3;
        for (int threads = 1 + (int)i % stride; threads <= 8; threads += stride)
            compare_threads(model, isa, threads, &tasks);
        model_destroy(model);
    }
    assert_true(tasks > 0);
    report_comparisons(rms_isa_name(isa));
}

/* ---- rms_apply is the same step of a tensor whose name is empty. */

static void copy_shortened(const struct reference *tensor, size_t slot, char *to)
{
    const struct shortened *const from = &tensor->shortened[slot];
    const bool is_scaled = tensor->options->state_format == RMS_STATE_8_BIT;
    const size_t blocks = (tensor->count + RMS_STATE_BLOCK - 1) / RMS_STATE_BLOCK;
    memcpy(to, from->codes, tensor->count * (is_scaled ? 1 : 2));
    if (is_scaled)
        memcpy(to + blocks * RMS_STATE_BLOCK, from->scales, blocks);
}

static void apply_slots(const struct reference *tensor, const void *param, void **slots)
{
    const unsigned kept = rms_slots_kept(tensor->options, tensor->dtype);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        slots[slot] = NULL;
        if (!(kept >> slot & 1))
            continue;
        const size_t bytes = rms_slot_bytes(tensor->options, tensor->dtype, slot, tensor->count);
        slots[slot] = bytes_create(bytes);
        memset(slots[slot], 0, bytes);
        if (slot < RMS_RULE_SLOTS && tensor->options->state_format == RMS_STATE_FULL)
            fill_slot(tensor->options, tensor->dtype, slot, slots[slot], tensor->count);
        else if (slot < RMS_RULE_SLOTS)
            copy_shortened(tensor, slot, slots[slot]);
        for (size_t i = 0; slot == RMS_SLOT_MASTER && i < tensor->count; ++i)
            ((float *)slots[slot])[i] = (float)oracle_decode(tensor->dtype, ((const uint16_t *)param)[i]);
    }
}

static void compare_apply(rms_options *options, rms_dtype dtype, uint64_t seed)
{
    enum { COUNT = 1500 };
    struct numbers param = numbers_create(dtype, COUNT, 3);
    struct numbers grad = numbers_create(dtype, COUNT, 5);
    fill_parameters_of(dtype, param.at, COUNT, seed);
    struct reference *tensor = reference_create("", dtype, options, COUNT, param.at);
    void *slots[RMS_SLOTS_MAX];
    apply_slots(tensor, param.at, slots);
    for (uint64_t step = 1; step <= 4; ++step) {
        fill_gradients_of(dtype, grad.at, COUNT, seed | 1, step);
        reference_set_gradient(tensor, grad.at);
        rms_report report;
        rms_error error;
        const struct reference_report found = reference_step(&tensor, 1, options);
        const rms_status status =
            rms_apply(options, dtype, tensor->steps + found.skipped, COUNT, param.at, grad.at, slots, &report, &error);
        assert_same_report(status, &report, &found, error.message);
        assert_int_equal(report.steps, tensor->steps);
    }
    assert_same_numbers(dtype, param.at, tensor->param, COUNT, "rms_apply, param", options);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        if (slots[slot])
            assert_same_slot(slots[slot], tensor, slot, "rms_apply, slot");
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        free(slots[slot]);
    reference_destroy(tensor);
    numbers_destroy(&param);
    numbers_destroy(&grad);
}

static void rms_apply_is_the_step_of_a_tensor_without_a_name(void **state)
{
    const rms_isa isa = isa_of_test(state);
    uint64_t seed = 13;
    for (size_t repetition = 0; repetition < effort(6); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
            for (rms_master master = RMS_MASTER_F32; master <= RMS_MASTER_NONE; ++master)
                for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
                    const rms_state_format format = draw_state_format(&seed, rule);
                    rms_options options = shortened_options(&seed, rule, master, repetition % 2 == 0 ? 0.9 : 0, format);
                    options.isa = isa;
                    if (is_possible(&options, dtype))
                        compare_apply(&options, dtype, random_bits(&seed));
                }
    report_comparisons(rms_isa_name(isa));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(every_rule_and_storage_matches_the_reference),
        PER_ISA(threads_and_who_runs_them_change_no_bit),
        PER_ISA(rms_apply_is_the_step_of_a_tensor_without_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
