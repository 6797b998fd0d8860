/* Random lives of objects, in which everything happens in any order: tensors of all dtypes come, steps of all, of one,
 * shared ones, rows, refused calls, averages in and out, memory that moves, state that is written, options that change,
 * resets. After each call all of it must be what the
 * reference says. Meant for sanitizers as much as for itself. */
#include "storage_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS_MAX = 12, GROUPS = 2, CALLS = 120 };

struct life {
    uint64_t random;
    rms_optimizer *optimizer;
    rms_options options[GROUPS];
    size_t tensor_count;
    struct reference *tensors[TENSORS_MAX];
    struct numbers param[TENSORS_MAX];
    struct numbers grad[TENSORS_MAX];
    size_t group[TENSORS_MAX];
    size_t width[TENSORS_MAX];
    bool has_grad[TENSORS_MAX];
    uint64_t steps; /* of the object */
    uint64_t draws; /* so that no two gradients are alike */
    bool is_plain;  /* holds nothing that shared steps do not take */
};

static const char *last_call;
static size_t shared_steps;

static size_t below(struct life *life, size_t bound)
{
    return random_below(&life->random, bound);
}

/* ---- Each call does what it does to both, or is refused by the library; true: it should have succeeded. */

static void call_add(struct life *life)
{
    last_call = "rms_add";
    const size_t t = life->tensor_count;
    const rms_dtype dtype = (rms_dtype)below(life, life->is_plain ? 2 : 4);
    const size_t group = below(life, GROUPS);
    if (t == TENSORS_MAX || rms_state_bytes(&life->options[group], dtype, 1) == SIZE_MAX)
        return;
    const bool in_blocks = life->options[group].state_format == RMS_STATE_8_BIT; /* as lazy rows must be */
    const size_t width = in_blocks ? RMS_STATE_BLOCK * (1 + below(life, 2)) : 1 + below(life, 70);
    const size_t count = width * below(life, below(life, 4) == 0 ? 1500 : 40);
    char name[16];
    snprintf(name, sizeof name, "t%zu", t);
    life->param[t] = numbers_create(dtype, count, below(life, 8));
    life->grad[t] = numbers_create(dtype, count, below(life, 8));
    fill_parameters_of(dtype, life->param[t].at, count, ++life->draws);
    life->has_grad[t] = below(life, 3) > 0;
    const rms_tensor tensor = {.name = name,
                               .count = count,
                               .param = life->param[t].at,
                               .grad = life->has_grad[t] ? life->grad[t].at : NULL,
                               .group = group,
                               .dtype = dtype};
    assert_ok(rms_add(life->optimizer, &tensor), rms_message(life->optimizer));
    life->tensors[t] = reference_create(name, dtype, &life->options[group], count, life->param[t].at);
    life->group[t] = group;
    life->width[t] = width;
    ++life->tensor_count;
}

struct batch {
    int64_t *indices;
    struct numbers values;
};

static rms_rows draw_rows(struct life *life, size_t t, struct batch *batch)
{
    const struct reference *tensor = life->tensors[t];
    const size_t width = life->width[t];
    const size_t row_limit = tensor->count / width;
    const size_t row_count = row_limit > 0 ? below(life, 2 * row_limit) : 0;
    batch->indices = bytes_create(row_count * sizeof *batch->indices);
    batch->values = numbers_create(tensor->dtype, row_count * width, below(life, 8));
    for (size_t i = 0; i < row_count; ++i)
        batch->indices[i] = (int64_t)below(life, row_limit);
    ++life->draws;
    fill_gradients_of(tensor->dtype, batch->values.at, row_count * width, 1, life->draws);
    return (rms_rows){.tensor = t,
                      .width = width,
                      .row_count = row_count,
                      .indices = batch->indices,
                      .values = batch->values.at,
                      .mode = (rms_rows_mode)below(life, 2)};
}

/* At times one gradient is not finite, and the step must not happen. */
static void draw_gradient(struct life *life, size_t t)
{
    const struct reference *tensor = life->tensors[t];
    ++life->draws;
    fill_gradients_of(tensor->dtype, life->grad[t].at, tensor->count, 1, life->draws);
    if (tensor->dtype == RMS_F64 && tensor->count > 0 && below(life, 30) == 0)
        ((double *)life->grad[t].at)[below(life, tensor->count)] = (double)NAN;
}

/* With zero_grad it is 0 after a step that has read it, skipped or not; otherwise it is what was drawn. */
static void assert_gradient_left(const struct life *life, size_t t, bool read)
{
    const struct reference *tensor = life->tensors[t];
    const size_t bytes = tensor->count * rms_dtype_size(tensor->dtype);
    const unsigned char *const grad = life->grad[t].at;
    bool is_zero = true;
    for (size_t i = 0; i < bytes; ++i)
        is_zero = is_zero && grad[i] == 0;
    const bool expected = read && life->options[0].zero_grad;
    if (expected ? !is_zero : is_zero && tensor->count > 100)
        fail_msg("%s: the gradient of %s is %s", last_call, tensor->name, is_zero ? "0" : "not 0");
}

static void call_step(struct life *life)
{
    last_call = "rms_step_rows";
    struct batch batches[TENSORS_MAX];
    rms_rows rows[TENSORS_MAX];
    size_t rows_count = 0;
    for (size_t t = 0; t < life->tensor_count; ++t) {
        draw_gradient(life, t);
        reference_set_gradient(life->tensors[t], life->grad[t].at);
        if (life->has_grad[t] && below(life, 2) == 0)
            continue;
        rows[rows_count] = draw_rows(life, t, &batches[rows_count]);
        reference_set_rows(life->tensors[t], &rows[rows_count++]);
    }
    const struct reference_report found = reference_step(life->tensors, life->tensor_count, &life->options[0]);
    life->steps += !found.skipped;
    rms_report report;
    const rms_status status = rms_step_rows(life->optimizer, rows, rows_count, &report);
    assert_same_report(status, &report, &found, rms_message(life->optimizer));
    assert_int_equal(report.steps, life->steps);
    for (size_t t = 0, i = 0; t < life->tensor_count; ++t) {
        const bool has_rows = i < rows_count && rows[i].tensor == t;
        assert_gradient_left(life, t, !has_rows);
        i += has_rows;
    }
    for (size_t i = 0; i < rows_count; ++i) {
        free(batches[i].indices);
        numbers_destroy(&batches[i].values);
    }
}

static void call_step_tensor(struct life *life)
{
    last_call = "rms_step_tensor";
    if (life->tensor_count == 0)
        return;
    const size_t t = below(life, life->tensor_count);
    struct reference *tensor = life->tensors[t];
    draw_gradient(life, t);
    rms_report report;
    const bool without = tensor->count > 0 && !life->has_grad[t];
    if (without || life->options[0].clip_norm > 0) {
        assert_status(RMS_ERROR_ARGUMENT, rms_step_tensor(life->optimizer, t, &report), rms_message(life->optimizer));
        assert_gradient_left(life, t, false);
        return;
    }
    reference_set_gradient(tensor, life->grad[t].at);
    const struct reference_report found = reference_step(&tensor, 1, &life->options[0]);
    assert_same_report(rms_step_tensor(life->optimizer, t, &report), &report, &found, rms_message(life->optimizer));
    assert_int_equal(report.steps, tensor->steps);
    assert_gradient_left(life, t, true);
}

/* One thread that shares with nobody takes the same step. */
static void call_step_shared(struct life *life)
{
    last_call = "rms_step_shared";
    const void *grads[TENSORS_MAX + 1];
    bool takes = !life->options[0].zero_grad;
    for (size_t t = 0; t < life->tensor_count; ++t) {
        const struct reference *tensor = life->tensors[t];
        draw_gradient(life, t);
        grads[t] = life->grad[t].at;
        takes = takes && real_dtype(tensor->dtype) == tensor->dtype && tensor->options->average_decay == 0 &&
                tensor->options->state_format == RMS_STATE_FULL;
    }
    rms_report report;
    rms_error error;
    const rms_status status = rms_step_shared(life->optimizer, grads, life->tensor_count, &report, &error);
    if (!takes) {
        assert_status(RMS_ERROR_UNSUPPORTED, status, error.message);
        return;
    }
    for (size_t t = 0; t < life->tensor_count; ++t)
        reference_set_gradient(life->tensors[t], life->grad[t].at);
    const struct reference_report found = reference_step(life->tensors, life->tensor_count, &life->options[0]);
    life->steps += !found.skipped;
    ++shared_steps;
    assert_same_report(status, &report, &found, error.message);
    assert_int_equal(report.steps, life->steps);
}

/* Some slot that the rule keeps; RMS_SLOTS_MAX if it has none. */
static size_t draw_slot(struct life *life, const struct reference *tensor)
{
    const size_t slot = below(life, RMS_RULE_SLOTS);
    return tensor->slots[slot] ? slot : tensor->slots[0] ? 0 : RMS_SLOTS_MAX;
}

static void call_write_state(struct life *life)
{
    last_call = "rms_write_state";
    if (life->tensor_count == 0)
        return;
    const size_t t = below(life, life->tensor_count);
    struct reference *tensor = life->tensors[t];
    const size_t slot = draw_slot(life, tensor);
    if (slot == RMS_SLOTS_MAX)
        return;
    const rms_dtype dtype = real_dtype(tensor->dtype);
    const char *const name = rms_slot_name(tensor->options->rule, slot);
    struct numbers numbers = numbers_create(dtype, tensor->count, below(life, 8));
    fill_gradients_of(dtype, numbers.at, tensor->count, 1, ++life->draws);
    for (size_t i = 0; i < tensor->count; ++i) /* squares may not be negative */
        if (dtype == RMS_F64)
            ((double *)numbers.at)[i] = fabs(((double *)numbers.at)[i]);
        else
            ((float *)numbers.at)[i] = fabsf(((float *)numbers.at)[i]);
    assert_ok(rms_write_state(life->optimizer, t, name, numbers.at), rms_message(life->optimizer));
    reference_write_slot(tensor, slot, numbers.at);
    numbers_destroy(&numbers);
}

static void call_read_state(struct life *life)
{
    last_call = "rms_read_state";
    if (life->tensor_count == 0)
        return;
    const size_t t = below(life, life->tensor_count);
    const struct reference *tensor = life->tensors[t];
    const size_t slot = draw_slot(life, tensor);
    const rms_dtype dtype = real_dtype(tensor->dtype);
    struct numbers numbers = numbers_create(dtype, tensor->count, below(life, 8));
    if (slot == RMS_SLOTS_MAX) {
        assert_status(RMS_ERROR_NAME, rms_read_state(life->optimizer, t, "none", numbers.at), "no such slot");
    } else {
        const char *const name = rms_slot_name(tensor->options->rule, slot);
        assert_ok(rms_read_state(life->optimizer, t, name, numbers.at), rms_message(life->optimizer));
        assert_same_numbers(dtype, numbers.at, tensor->slots[slot], tensor->count, last_call, tensor->options);
    }
    numbers_destroy(&numbers);
}

static void call_refused(struct life *life)
{
    last_call = "a refused call";
    if (life->tensor_count == 0)
        return;
    const size_t t = below(life, life->tensor_count);
    const int64_t wrong = (int64_t)(life->tensors[t]->count / life->width[t]);
    const uint64_t value[70] = {0};
    rms_rows rows = {.tensor = t, .width = life->width[t], .row_count = 1, .indices = &wrong, .values = value};
    assert_status(RMS_ERROR_RANGE, rms_step_rows(life->optimizer, &rows, 1, NULL), rms_message(life->optimizer));
    const rms_tensor again = {.name = life->tensors[t]->name};
    assert_status(RMS_ERROR_DUPLICATE, rms_add(life->optimizer, &again), rms_message(life->optimizer));
    assert_status(RMS_ERROR_RANGE, rms_rebind(life->optimizer, life->tensor_count, NULL, NULL), "rms_rebind");
}

static void call_swap(struct life *life)
{
    last_call = "rms_swap_averages";
    assert_ok(rms_swap_averages(life->optimizer), rms_message(life->optimizer));
    assert_true(rms_averages_in(life->optimizer));
    assert_status(RMS_ERROR_ARGUMENT, rms_step(life->optimizer, NULL), rms_message(life->optimizer));
    assert_status(RMS_ERROR_ARGUMENT, rms_reset(life->optimizer), rms_message(life->optimizer));
    assert_ok(rms_swap_averages(life->optimizer), rms_message(life->optimizer));
    assert_false(rms_averages_in(life->optimizer));
}

static void call_reset(struct life *life)
{
    last_call = "rms_reset";
    assert_ok(rms_reset(life->optimizer), rms_message(life->optimizer));
    for (size_t t = 0; t < life->tensor_count; ++t)
        reference_restart(life->tensors[t]);
    life->steps = 0;
}

static void call_rebind(struct life *life)
{
    last_call = "rms_rebind";
    if (life->tensor_count == 0)
        return;
    const size_t t = below(life, life->tensor_count);
    const struct reference *tensor = life->tensors[t];
    struct numbers moved = numbers_create(tensor->dtype, tensor->count, below(life, 16));
    struct numbers grad = numbers_create(tensor->dtype, tensor->count, below(life, 16));
    if (tensor->count > 0)
        memcpy(moved.at, life->param[t].at, tensor->count * rms_dtype_size(tensor->dtype));
    life->has_grad[t] = below(life, 3) > 0;
    assert_ok(rms_rebind(life->optimizer, t, moved.at, life->has_grad[t] ? grad.at : NULL),
              rms_message(life->optimizer));
    numbers_destroy(&life->param[t]);
    numbers_destroy(&life->grad[t]);
    life->param[t] = moved;
    life->grad[t] = grad;
}

/* What must be taken is taken; what may be refused, because state hangs on it, is taken over only where it is not. */
static void call_set(struct life *life)
{
    static const struct {
        const char *key;
        double value;
        bool must;
        bool of_step;
    } changes[] = {
        {"lr", 0.25, true, false},         {"lr", 1e-3, true, false},    {"seed", 12345, true, true},
        {"clip_norm", 3, true, true},      {"clip_norm", 0, true, true}, {"average_decay", 0.7, false, false},
        {"master", 0, false, false},       {"master", 2, false, false},  {"threads", 3, true, true},
        {"l2_decay", 0.1, true, false},    {"zero_grad", 1, true, true}, {"zero_grad", 0, true, true},
        {"state_format", 1, false, false}, {"clip_norm", 0, true, true}, {"zero_grad", 0, true, true}};
    last_call = "rms_set";
    const size_t change = below(life, COUNT_OF(changes));
    const bool of_step = changes[change].of_step;
    const size_t group = of_step ? 0 : below(life, GROUPS);
    const rms_status status = rms_set(life->optimizer, group, changes[change].key, changes[change].value);
    if (changes[change].must && life->options[group].decoupled_decay == 0)
        assert_ok(status, rms_message(life->optimizer));
    for (size_t g = 0; g < GROUPS && status == RMS_OK; ++g)
        if (g == group || of_step)
            assert_ok(rms_options_set(&life->options[g], changes[change].key, changes[change].value, NULL), "set");
}

static void call_set_steps(struct life *life)
{
    last_call = "rms_set_steps";
    if (life->tensor_count == 0)
        return;
    const size_t t = below(life, life->tensor_count);
    const uint64_t steps = below(life, 1000);
    assert_ok(rms_set_steps(life->optimizer, t, steps), rms_message(life->optimizer));
    life->tensors[t]->steps = steps;
}

static void call_effective_lr(struct life *life)
{
    last_call = "rms_effective_lr";
    if (life->tensor_count == 0)
        return;
    const size_t t = below(life, life->tensor_count);
    struct numbers rates = numbers_create(RMS_F32, life->tensors[t]->count, below(life, 4));
    assert_ok(rms_effective_lr(life->optimizer, t, rates.at), rms_message(life->optimizer));
    numbers_destroy(&rates);
}

/* ---- A life */

static void (*const calls[])(struct life *) = {call_step,        call_step,         call_step,        call_step,
                                               call_step,        call_add,          call_add,         call_refused,
                                               call_swap,        call_set,          call_set_steps,   call_rebind,
                                               call_reset,       call_effective_lr, call_step_tensor, call_step_tensor,
                                               call_step_shared, call_step_shared,  call_write_state, call_read_state};

static void life_begin(struct life *life, uint64_t seed)
{
    *life = (struct life){.random = seed, .is_plain = seed % 4 == 1};
    const rms_rule rule = (rms_rule)below(life, RMS_RULE_COUNT);
    for (size_t g = 0; g < GROUPS; ++g) {
        rms_options *const o = &life->options[g];
        *o = shortened_options(&life->random, rule, (rms_master)below(life, 3),
                               life->is_plain || below(life, 2) == 0 ? 0 : 0.9,
                               life->is_plain ? RMS_STATE_FULL : draw_state_format(&life->random, rule));
        o->nonfinite = RMS_NONFINITE_SKIP;
        o->threads = 1;
        if (g == 0)
            continue;
        o->grad_scale = life->options[0].grad_scale;
        o->clip_norm = life->options[0].clip_norm;
        o->clip_value = life->options[0].clip_value;
        o->seed = life->options[0].seed;
    }
    life->optimizer = create_optimizer(&life->options[0]);
    size_t group;
    assert_ok(rms_add_group(life->optimizer, &group), rms_message(life->optimizer));
    set_group(life->optimizer, group, &life->options[1]);
}

static void assert_same_life(struct life *life, uint64_t seed, size_t call)
{
    char context[128];
    snprintf(context, sizeof context, "seed %llu, call %zu, %s", (unsigned long long)seed, call, last_call);
    assert_int_equal(rms_tensor_count(life->optimizer), life->tensor_count);
    for (size_t t = 0; t < life->tensor_count; ++t)
        assert_same_tensor(life->optimizer, t, life->param[t].at, life->tensors[t], context);
}

static void life_end(struct life *life)
{
    rms_free(life->optimizer);
    for (size_t t = 0; t < life->tensor_count; ++t) {
        numbers_destroy(&life->param[t]);
        numbers_destroy(&life->grad[t]);
        reference_destroy(life->tensors[t]);
    }
}

static void random_lives_are_what_the_reference_says(void **state)
{
    (void)state;
    static struct life life;
    const size_t lives = effort(40);
    for (uint64_t seed = 1; seed <= lives; ++seed) {
        life_begin(&life, seed);
        for (size_t call = 0; call < CALLS; ++call) {
            calls[below(&life, COUNT_OF(calls))](&life);
            assert_same_life(&life, seed, call);
        }
        life_end(&life);
    }
    assert_true(shared_steps > 0); /* the first life is plain */
    report_comparisons("lives");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives_are_what_the_reference_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
