/* The whole step against the oracle, bit for bit, through the object: many tensors, in float and in double, in several
 * groups, one of them added late, on every instruction set, every number of threads, OpenMP's and the caller's. */
#include "oracle.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = 3, TENSORS = 7, STEPS = 4, LATE = 3 /* tensor added after the first step */ };

/* Chunk edges, cut edges (a thread gets at least 32768 elements), and small fry between them. */
static const size_t lengths[TENSORS] = {5, 65537, 0, 1000, 140001, 1, 33000};

struct model {
    uint64_t seed;
    rms_options options[GROUPS];
    rms_dtype dtypes[TENSORS];
    void *grad[TENSORS];
    /* What the oracle says, after STEPS steps. */
    void *param[TENSORS];
    void *slots[TENSORS][RMS_SLOTS_MAX];
    struct oracle_report reports[STEPS];
};

static size_t group_of(size_t tensor)
{
    return tensor % GROUPS;
}

/* Options of the step are the same in all groups, as the object has them. */
static void draw_options(struct model *model, uint64_t *state, rms_rule rule)
{
    for (size_t g = 0; g < GROUPS; ++g) {
        model->options[g] = random_options(state, rule);
        model->options[g].grad_scale = model->options[0].grad_scale;
        model->options[g].clip_norm = model->options[0].clip_norm;
        model->options[g].clip_value = model->options[0].clip_value;
        model->options[g].nonfinite = model->options[0].nonfinite;
        model->options[g].seed = model->options[0].seed;
    }
}

static void draw_gradients(struct model *model, size_t step)
{
    for (size_t t = 0; t < TENSORS; ++t)
        fill_gradients_of(model->dtypes[t], model->grad[t], lengths[t], model->seed + t, step);
}

/* The order of tensors is that of rms_add: the late one comes last. */
static size_t tensor_in_order(size_t place)
{
    return place == TENSORS - 1 ? LATE : place < LATE ? place : place + 1;
}

static void run_oracle(struct model *model)
{
    uint64_t taken[TENSORS] = {0};
    for (size_t step = 0; step < STEPS; ++step) {
        const size_t present = step == 0 ? TENSORS - 1 : TENSORS;
        struct oracle_tensor x[TENSORS];
        draw_gradients(model, step);
        for (size_t place = 0; place < present; ++place) {
            const size_t t = tensor_in_order(place);
            x[place] = (struct oracle_tensor){.options = &model->options[group_of(t)],
                                              .dtype = model->dtypes[t],
                                              .step = taken[t] + 1,
                                              .count = lengths[t],
                                              .param = model->param[t],
                                              .grad = model->grad[t]};
            memcpy(x[place].slots, model->slots[t], sizeof x[place].slots);
        }
        model->reports[step] = oracle_step(x, present);
        for (size_t place = 0; place < present && !model->reports[step].skipped; ++place)
            ++taken[tensor_in_order(place)];
    }
}

static size_t bytes_of(const struct model *model, size_t t)
{
    return lengths[t] * rms_dtype_size(model->dtypes[t]);
}

/* One of float and double for each tensor. */
static struct model *model_create(uint64_t *state, rms_rule rule)
{
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->seed = random_bits(state);
    draw_options(model, state, rule);
    for (size_t t = 0; t < TENSORS; ++t) {
        const rms_options *o = &model->options[group_of(t)];
        model->dtypes[t] = random_below(state, 2) == 0 ? RMS_F32 : RMS_F64;
        model->grad[t] = bytes_create(bytes_of(model, t));
        model->param[t] = bytes_create(bytes_of(model, t));
        fill_parameters_of(model->dtypes[t], model->param[t], lengths[t], model->seed + t);
        for (size_t s = 0; s < RMS_SLOTS_MAX; ++s)
            if (rms_slots_kept(o, model->dtypes[t]) >> s & 1) {
                model->slots[t][s] = bytes_create(bytes_of(model, t));
                fill_slot(o, model->dtypes[t], s, model->slots[t][s], lengths[t]);
            }
    }
    run_oracle(model);
    return model;
}

static void model_destroy(struct model *model)
{
    for (size_t t = 0; t < TENSORS; ++t) {
        free(model->grad[t]);
        free(model->param[t]);
        for (size_t s = 0; s < RMS_SLOTS_MAX; ++s)
            free(model->slots[t][s]);
    }
    free(model);
}

static const char *tensor_name(size_t t)
{
    static char name[32];
    snprintf(name, sizeof name, "layer%zu.weight", t);
    return name;
}

static void add(rms_optimizer *optimizer, const struct model *model, size_t t, void *param)
{
    const rms_tensor tensor = {.name = tensor_name(t),
                               .count = lengths[t],
                               .param = param,
                               .grad = model->grad[t],
                               .group = group_of(t),
                               .dtype = model->dtypes[t]};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
}

static rms_optimizer *build(const struct model *model, const rms_options *where)
{
    rms_options options = model->options[0];
    options.isa = where->isa;
    options.threads = where->threads;
    options.parallel = where->parallel;
    rms_optimizer *optimizer = create_optimizer(&options);
    for (size_t g = 1; g < GROUPS; ++g) {
        size_t group = 0;
        assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
        assert_int_equal(group, g);
        rms_options here = model->options[g];
        here.isa = where->isa;
        here.threads = where->threads;
        set_group(optimizer, g, &here);
    }
    return optimizer;
}

static void assert_same_step(const struct oracle_report *expected, rms_status status, const rms_report *got,
                             const char *context)
{
    assert_status(expected->skipped ? RMS_SKIPPED_NONFINITE : RMS_OK, status, context);
    const bool both_nan = got->gradient_norm != got->gradient_norm && expected->norm != expected->norm;
    if ((!both_nan && bits_of_double(got->gradient_norm) != bits_of_double(expected->norm)) ||
        bits_of_double(got->clip_factor) != bits_of_double(expected->clip_factor))
        fail_msg("%s: norm %a, factor %a (library) != %a, %a (oracle)", context, got->gradient_norm, got->clip_factor,
                 expected->norm, expected->clip_factor);
}

/* Half of the steps ask for a report: that must not change a bit. */
static void run_library(rms_optimizer *optimizer, struct model *model, void *const *param, const char *context)
{
    for (size_t step = 0; step < STEPS; ++step) {
        if (step == 1)
            add(optimizer, model, LATE, param[LATE]);
        draw_gradients(model, step);
        rms_report report = {.gradient_norm = model->reports[step].norm,
                             .clip_factor = model->reports[step].clip_factor};
        const rms_status status = rms_step(optimizer, step % 2 == 0 ? &report : NULL);
        assert_same_step(&model->reports[step], status, &report, context);
    }
}

static void assert_same_model(rms_optimizer *optimizer, const struct model *model, void *const *param,
                              const char *context)
{
    for (size_t place = 0; place < TENSORS; ++place) {
        const size_t t = tensor_in_order(place);
        const rms_options *o = &model->options[group_of(t)];
        char what[256];
        snprintf(what, sizeof what, "%s, %s", context, tensor_name(t));
        assert_same_numbers(model->dtypes[t], param[t], model->param[t], lengths[t], what, o);
        for (size_t s = 0; s < RMS_SLOTS_MAX; ++s)
            if (model->slots[t][s] && lengths[t] > 0) {
                const char *slot = rms_slot_name(o->rule, s);
                snprintf(what, sizeof what, "%s, %s/%s", context, tensor_name(t), slot);
                const void *state = rms_state(optimizer, place, slot);
                assert_non_null(state);
                assert_same_numbers(model->dtypes[t], state, model->slots[t][s], lengths[t], what, o);
            }
    }
}

static void compare(struct model *model, const rms_options *where)
{
    char context[128];
    snprintf(context, sizeof context, "%s/%s, seed 0x%llx, %d threads by %s", rms_rule_name(model->options[0].rule),
             rms_isa_name(where->isa), (unsigned long long)model->seed, where->threads,
             where->parallel ? "the caller" : "OpenMP");
    void *param[TENSORS];
    for (size_t t = 0; t < TENSORS; ++t) {
        param[t] = bytes_create(bytes_of(model, t));
        fill_parameters_of(model->dtypes[t], param[t], lengths[t], model->seed + t);
    }
    rms_optimizer *optimizer = build(model, where);
    for (size_t t = 0; t < TENSORS; ++t)
        if (t != LATE)
            add(optimizer, model, t, param[t]);
    run_library(optimizer, model, param, context);
    assert_same_model(optimizer, model, param, context);
    rms_free(optimizer);
    for (size_t t = 0; t < TENSORS; ++t)
        free(param[t]);
}

static void steps_match_the_oracle_for_every_number_of_threads(void **state)
{
    static const int threads[] = {1, 2, 3, 7};
    const rms_isa isa = isa_of_test(state);
    size_t tasks = 0;
    const rms_parallel parallel = {run_on_threads, &tasks};
    uint64_t seed = 5;
    for (size_t repetition = 0; repetition < effort(2); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            struct model *model = model_create(&seed, rule);
            for (size_t i = 0; i < COUNT_OF(threads); ++i) {
                rms_options where = {.isa = isa, .threads = threads[i]};
                compare(model, &where);
                where.parallel = &parallel;
                compare(model, &where);
            }
            model_destroy(model);
        }
    assert_true(tasks > 0); /* the caller's parallel_for was not idle */
    report_comparisons(rms_isa_name(isa));
}

int main(void)
{
    const struct CMUnitTest tests[] = {PER_ISA(steps_match_the_oracle_for_every_number_of_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
