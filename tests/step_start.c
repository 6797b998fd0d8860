/* State is set to its start late, by the tasks that will step it, and by whatever call needs it first. Memory that the
 * allocator gives is dirty here, so that a call that forgets shows it. */
#include "support.h"

#include <rmsprop_checkpoint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIRT = 0xa5 };

/* Remembers the last block, which is that of the tensor that was added last. */
struct memory {
    unsigned char *last;
    size_t bytes;
};

static void *allocate_dirty(void *context, size_t bytes, size_t alignment)
{
    struct memory *memory = context;
    unsigned char *const block = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (block)
        memset(block, DIRT, bytes);
    *memory = (struct memory){block, bytes};
    return block;
}

static void release(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

/* ---- Whatever is called first */

enum { COUNT = 1100, CALLED = 1 /* the tensor that calls are about */, WIDTH = 100 };

struct pair {
    rms_optimizer *optimizer;
    uint16_t param[2][COUNT], grad[2][COUNT], other[COUNT];
    struct memory memory;
};

static void pair_create(struct pair *pair, const char *assignments)
{
    const rms_allocator allocator = {allocate_dirty, release, &pair->memory};
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, assignments);
    options.threads = 1;
    options.allocator = &allocator;
    pair->optimizer = create_optimizer(&options);
    for (size_t t = 0; t < 2; ++t) {
        fill_parameters_of(RMS_BF16, pair->param[t], COUNT, t);
        fill_gradients_of(RMS_BF16, pair->grad[t], COUNT, t, 1);
        const rms_tensor tensor = {.name = t == 0 ? "a" : "b",
                                   .count = COUNT,
                                   .param = pair->param[t],
                                   .grad = pair->grad[t],
                                   .dtype = RMS_BF16};
        assert_ok(rms_add(pair->optimizer, &tensor), rms_message(pair->optimizer));
    }
    fill_parameters_of(RMS_BF16, pair->other, COUNT, 7);
}

static void call_read_state(struct pair *pair)
{
    float numbers[COUNT];
    assert_ok(rms_read_state(pair->optimizer, CALLED, "v", numbers), rms_message(pair->optimizer));
    for (size_t i = 0; i < COUNT; ++i)
        assert_true(numbers[i] == 0.25F);
}

static void call_write_state(struct pair *pair)
{
    float numbers[COUNT];
    for (size_t i = 0; i < COUNT; ++i)
        numbers[i] = 0.5F;
    assert_ok(rms_write_state(pair->optimizer, CALLED, "momentum", numbers), rms_message(pair->optimizer));
}

static void call_effective_lr(struct pair *pair)
{
    float rates[COUNT];
    assert_ok(rms_effective_lr(pair->optimizer, CALLED, rates), rms_message(pair->optimizer));
    for (size_t i = 0; i < COUNT; ++i) /* 0.01 / (sqrt(0.25) + 1e-8) */
        assert_true(rates[i] > 0.0199F && rates[i] < 0.0201F);
}

static void call_step(struct pair *pair)
{
    assert_ok(rms_step(pair->optimizer, NULL), rms_message(pair->optimizer));
}

static void call_step_skipped(struct pair *pair)
{
    const uint16_t before = pair->grad[0][5];
    pair->grad[0][5] = 0x7f80;
    assert_status(RMS_SKIPPED_NONFINITE, rms_step(pair->optimizer, NULL), rms_message(pair->optimizer));
    pair->grad[0][5] = before;
}

static void call_step_tensor(struct pair *pair)
{
    assert_ok(rms_step_tensor(pair->optimizer, CALLED, NULL), rms_message(pair->optimizer));
}

static void call_step_rows(struct pair *pair)
{
    const int64_t indices[] = {3, 1};
    const rms_rows rows = {CALLED, WIDTH, 2, indices, pair->other, RMS_ROWS_DENSE, {0}};
    assert_ok(rms_step_rows(pair->optimizer, &rows, 1, NULL), rms_message(pair->optimizer));
}

static void call_swap(struct pair *pair)
{
    assert_ok(rms_swap_averages(pair->optimizer), rms_message(pair->optimizer));
    assert_ok(rms_swap_averages(pair->optimizer), rms_message(pair->optimizer));
}

static void call_set_steps(struct pair *pair)
{
    assert_ok(rms_set_steps(pair->optimizer, CALLED, 3), rms_message(pair->optimizer));
}

/* State starts from the options that were there when the tensor came. */
static void call_set(struct pair *pair)
{
    assert_ok(rms_set(pair->optimizer, 0, "initial_accumulator", 100), rms_message(pair->optimizer));
}

static void call_reset(struct pair *pair)
{
    assert_ok(rms_reset(pair->optimizer), rms_message(pair->optimizer));
}

static const char path[] = "step_start.safetensors";

static bool saved(struct pair *pair)
{
    const rms_status status = rms_save(pair->optimizer, path);
    if (status == RMS_ERROR_UNSUPPORTED)
        return false;
    assert_ok(status, rms_message(pair->optimizer));
    return true;
}

/* What is saved comes back into an object that has stepped on. */
static void call_save(struct pair *pair)
{
    if (!saved(pair))
        return;
    call_step(pair);
    assert_ok(rms_load(pair->optimizer, path), rms_message(pair->optimizer));
    unlink(path);
}

/* What an object that has stepped saves comes into one that has not been used yet. */
static void call_load(struct pair *pair)
{
    static struct pair source;
    double format;
    char assignments[128];
    assert_ok(rms_get(pair->optimizer, 0, "state_format", &format), rms_message(pair->optimizer));
    snprintf(assignments, sizeof assignments, "state_format=%s momentum=0.9 average_decay=0.5 initial_accumulator=0.25",
             rms_state_format_name((rms_state_format)format));
    pair_create(&source, assignments);
    call_step(&source);
    if (saved(&source))
        assert_ok(rms_load(pair->optimizer, path), rms_message(pair->optimizer));
    unlink(path);
    rms_free(source.optimizer);
}

static const struct {
    const char *name;
    void (*call)(struct pair *pair);
} calls[] = {
    {"rms_read_state", call_read_state},
    {"rms_write_state", call_write_state},
    {"rms_step", call_step},
    {"rms_step, skipped", call_step_skipped},
    {"rms_step_tensor", call_step_tensor},
    {"rms_step_rows", call_step_rows},
    {"rms_swap_averages", call_swap},
    {"rms_effective_lr", call_effective_lr},
    {"rms_set_steps", call_set_steps},
    {"rms_set", call_set},
    {"rms_reset", call_reset},
    {"rms_save", call_save},
    {"rms_load", call_load},
};

static void assert_same_pairs(struct pair *first, struct pair *second, const char *context)
{
    if (memcmp(first->param, second->param, sizeof first->param) != 0 ||
        memcmp(first->other, second->other, sizeof first->other) != 0)
        fail_msg("%s: other parameters than where the state was there before", context);
    for (size_t t = 0; t < 2; ++t)
        for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
            const char *const name = rms_slot_name(RMS_RMSPROP, slot);
            const size_t bytes = rms_state_size(first->optimizer, t, name);
            numbers_compared += bytes;
            if (bytes > 0 &&
                memcmp(rms_state(first->optimizer, t, name), rms_state(second->optimizer, t, name), bytes) != 0)
                fail_msg("%s: %s of tensor %zu is not what it is where the state was there before", context, name, t);
        }
}

static void whatever_is_called_first_finds_state_at_its_start(void **state)
{
    static const char *const formats[] = {"full", "16-bit", "8-bit"};
    static struct pair late, early;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(calls); ++i)
        for (size_t format = 0; format < COUNT_OF(formats); ++format) {
            char context[256], assignments[128];
            snprintf(assignments, sizeof assignments,
                     "state_format=%s momentum=0.9 average_decay=0.5 initial_accumulator=0.25", formats[format]);
            snprintf(context, sizeof context, "%s, %s", calls[i].name, assignments);
            pair_create(&late, assignments);
            pair_create(&early, assignments);
            assert_non_null(rms_state(early.optimizer, CALLED, "v"));
            calls[i].call(&late);
            calls[i].call(&early);
            assert_same_pairs(&late, &early, context);
            call_step(&late);
            call_step(&early);
            assert_same_pairs(&late, &early, context);
            rms_free(late.optimizer);
            rms_free(early.optimizer);
        }
    report_comparisons("first calls");
}

/* Whoever moves a tensor before its first step has freed the old memory. */
static void a_tensor_moves_before_its_state_starts(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    enum { MOVED = 700 };
    uint16_t *const old = bytes_create(MOVED * sizeof *old);
    uint16_t moved[MOVED], grad[MOVED];
    float master[MOVED];
    for (size_t i = 0; i < MOVED; ++i)
        old[i] = moved[i] = grad[i] = 0x3f80; /* 1 */
    const rms_tensor tensor = {.name = "w", .count = MOVED, .param = old, .grad = grad, .dtype = RMS_BF16};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    free(old);
    assert_ok(rms_rebind(optimizer, 0, moved, grad), rms_message(optimizer));
    assert_ok(rms_read_state(optimizer, 0, "master", master), rms_message(optimizer));
    for (size_t i = 0; i < MOVED; ++i)
        assert_true(master[i] == 1.0F);
    rms_free(optimizer);
}

/* What a file does not say about a tensor that has never stepped follows from the options in the file, also in an object
 * that nobody has looked at. */
static void what_a_file_leaves_out_starts_from_its_options(void **state)
{
    (void)state;
    float param[4] = {1, 2, 3, 4}, grad[4] = {0}, step_size[4];
    rms_options options = rms_options_for(RMS_RPROP);
    for (int loads = 0; loads < 2; ++loads) {
        options.lr = loads ? 0.01 : 0.5;
        rms_optimizer *optimizer = create_optimizer(&options);
        add_tensor(optimizer, "w", param, grad, 4);
        assert_ok(loads ? rms_load(optimizer, path) : rms_save_as(optimizer, path, RMS_LAYOUT_PYTORCH),
                  rms_message(optimizer));
        assert_ok(rms_read_state(optimizer, 0, "step_size", step_size), rms_message(optimizer));
        assert_true(step_size[0] == 0.5F && step_size[3] == 0.5F);
        rms_free(optimizer);
    }
}

static void a_shared_step_finds_state_at_its_start(void **state)
{
    (void)state;
    struct memory memory;
    const rms_allocator allocator = {allocate_dirty, release, &memory};
    float param[40] = {0}, grad[40], v[40];
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.initial_accumulator = 0.25;
    options.rho = 0.5;
    options.allocator = &allocator;
    rms_optimizer *optimizer = create_optimizer(&options);
    for (size_t i = 0; i < 40; ++i)
        grad[i] = 1;
    add_tensor(optimizer, "w", param, grad, 40);
    const void *const grads[] = {grad};
    rms_error error;
    assert_ok(rms_step_shared(optimizer, grads, 1, NULL, &error), error.message);
    assert_ok(rms_read_state(optimizer, 0, "v", v), rms_message(optimizer));
    for (size_t i = 0; i < 40; ++i)
        assert_true(v[i] == 0.625F);
    rms_free(optimizer);
}

/* A tensor that comes later does not start those that were there once more. */
static void a_late_tensor_leaves_the_state_of_others_alone(void **state)
{
    (void)state;
    float param[2][8] = {{0}}, grad[8] = {1, 1, 1, 1, 1, 1, 1, 1}, v[8];
    rms_options options = rms_options_for(RMS_ADAGRAD);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "first", param[0], grad, 8);
    for (size_t i = 0; i < 3; ++i)
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    add_tensor(optimizer, "late", param[1], grad, 8);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    for (size_t t = 0; t < 2; ++t) {
        assert_ok(rms_read_state(optimizer, t, "sum", v), rms_message(optimizer));
        for (size_t i = 0; i < 8; ++i)
            assert_true(v[i] == (t == 0 ? 4.0F : 1.0F));
    }
    rms_free(optimizer);
}

/* ---- Who touches it first */

struct watch {
    struct memory *memory;
    const float *param;
    size_t count;
    size_t calls;
    size_t tasks;
    int *of_state; /* by byte of the tensor's block: the task that has written it first */
    int *of_param; /* by element */
};

static void run_watched(void *context, size_t task_count, rms_task *task, void *task_context)
{
    struct watch *watch = context;
    ++watch->calls;
    watch->tasks = task_count;
    for (size_t i = 0; i < task_count; ++i) {
        task(task_context, i);
        for (size_t byte = 0; byte < watch->memory->bytes; ++byte)
            if (watch->of_state[byte] < 0 && watch->memory->last[byte] != DIRT)
                watch->of_state[byte] = (int)i;
        for (size_t element = 0; element < watch->count; ++element)
            if (watch->of_param[element] < 0 && watch->param[element] != 0)
                watch->of_param[element] = (int)i;
    }
}

static int *nobody(size_t count)
{
    int *const owners = bytes_create(count * sizeof *owners);
    for (size_t i = 0; i < count; ++i)
        owners[i] = -1;
    return owners;
}

static void check_first_touch(bool by_step)
{
    enum { LARGE = 300001 };
    struct memory memory;
    struct watch watch = {.memory = &memory, .count = LARGE};
    const rms_allocator allocator = {allocate_dirty, release, &memory};
    const rms_parallel parallel = {run_watched, &watch};
    rms_options options = rms_options_for(RMS_SGD);
    set_options(&options, "momentum=0.9 nonfinite=propagate threads=5");
    options.allocator = &allocator;
    options.parallel = &parallel;
    float *const param = floats_create(LARGE), *const grad = floats_create(LARGE);
    for (size_t i = 0; i < LARGE; ++i) {
        param[i] = 0;
        grad[i] = 1;
    }
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", param, grad, LARGE);
    watch.param = param;
    watch.of_state = nobody(memory.bytes);
    watch.of_param = nobody(LARGE);
    assert_int_equal(watch.calls, 0); /* not by rms_add */
    if (!by_step)
        assert_non_null(rms_state(optimizer, 0, "momentum"));
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_int_equal(watch.calls, 2); /* the start, and the step */
    assert_int_equal(watch.tasks, 5);
    const unsigned char *const momentum = rms_state(optimizer, 0, "momentum");
    const size_t offset = (size_t)(momentum - memory.last);
    for (size_t i = 0; i < LARGE; ++i)
        for (size_t byte = 0; byte < sizeof(float); ++byte)
            if (watch.of_state[offset + i * sizeof(float) + byte] != watch.of_param[i])
                fail_msg("element %zu: started by task %d, stepped by task %d", i,
                         watch.of_state[offset + i * sizeof(float) + byte], watch.of_param[i]);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_int_equal(watch.calls, 3); /* only once */
    rms_free(optimizer);
    free(watch.of_state);
    free(watch.of_param);
    free(param);
    free(grad);
}

static void the_task_that_steps_an_element_is_the_first_to_touch_its_state(void **state)
{
    (void)state;
    check_first_touch(false);
    check_first_touch(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_called_first_finds_state_at_its_start),
        cmocka_unit_test(a_tensor_moves_before_its_state_starts),
        cmocka_unit_test(what_a_file_leaves_out_starts_from_its_options),
        cmocka_unit_test(a_shared_step_finds_state_at_its_start),
        cmocka_unit_test(a_late_tensor_leaves_the_state_of_others_alone),
        cmocka_unit_test(the_task_that_steps_an_element_is_the_first_to_touch_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
