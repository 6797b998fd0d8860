/* What rms_step_rows refuses, leaving everything as it was, when it allocates, and what it saves. */
#include "support.h"

#include "oracle_codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- An object of four tensors: a table, a table without a gradient of its own, a dense tensor, an empty one. */

enum { ROWS = 7, WIDTH = 6, COUNT = ROWS * WIDTH, EMPTY = 3 };

struct scene {
    rms_optimizer *optimizer;
    float table[COUNT], table_grad[COUNT], dense[5], dense_grad[5];
    uint16_t brain[COUNT];
};

/* Everything that a refused call must leave alone. */
struct snapshot {
    float table[COUNT], dense[5], v[COUNT], brain_v[COUNT], master[COUNT], average[COUNT];
    uint16_t brain[COUNT];
    uint64_t steps[4];
};

static void take_snapshot(struct scene *scene, struct snapshot *snapshot)
{
    rms_optimizer *optimizer = scene->optimizer;
    memset(snapshot, 0, sizeof *snapshot);
    memcpy(snapshot->table, scene->table, sizeof scene->table);
    memcpy(snapshot->dense, scene->dense, sizeof scene->dense);
    memcpy(snapshot->brain, scene->brain, sizeof scene->brain);
    memcpy(snapshot->v, rms_state(optimizer, 0, "v"), sizeof snapshot->v);
    memcpy(snapshot->average, rms_state(optimizer, 0, "average"), sizeof snapshot->average);
    memcpy(snapshot->brain_v, rms_state(optimizer, 1, "v"), sizeof snapshot->brain_v);
    memcpy(snapshot->master, rms_state(optimizer, 1, "master"), sizeof snapshot->master);
    for (size_t t = 0; t < 4; ++t)
        assert_ok(rms_get_steps(optimizer, t, &snapshot->steps[t]), "get_steps");
}

static const int64_t good_indices[3] = {6, 0, 6};
static float good_values[3 * WIDTH];
static uint16_t good_brain_values[3 * WIDTH];

static rms_rows good_rows(size_t tensor)
{
    return (rms_rows){.tensor = tensor,
                      .width = WIDTH,
                      .row_count = 3,
                      .indices = good_indices,
                      .values = tensor == 0 ? (const void *)good_values : good_brain_values};
}

static void scene_create(struct scene *scene, const rms_allocator *allocator)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.average_decay = 0.9;
    options.allocator = allocator;
    fill_parameters(scene->table, COUNT, 1);
    fill_parameters(scene->dense, 5, 2);
    fill_parameters_of(RMS_BF16, scene->brain, COUNT, 3);
    fill_gradients(scene->table_grad, COUNT, 1, 1);
    fill_gradients(scene->dense_grad, 5, 1, 1);
    fill_gradients(good_values, COUNT_OF(good_values), 1, 1);
    fill_gradients_of(RMS_BF16, good_brain_values, COUNT_OF(good_brain_values), 1, 1);
    scene->optimizer = create_optimizer(&options);
    const rms_tensor tensors[] = {
        {.name = "table", .count = COUNT, .param = scene->table, .grad = scene->table_grad},
        {.name = "brain", .count = COUNT, .param = scene->brain, .grad = NULL, .dtype = RMS_BF16},
        {.name = "dense", .count = 5, .param = scene->dense, .grad = scene->dense_grad},
        {.name = "empty"},
    };
    for (size_t t = 0; t < COUNT_OF(tensors); ++t)
        assert_ok(rms_add(scene->optimizer, &tensors[t]), rms_message(scene->optimizer));
}

/* ---- Refusals */

static void assert_refused(struct scene *scene, const rms_rows *rows, size_t rows_count, rms_status expected,
                           const char *sentence)
{
    static struct snapshot before, after;
    rms_report report, untouched;
    memset(&report, 0x77, sizeof report);
    memset(&untouched, 0x77, sizeof untouched);
    take_snapshot(scene, &before);
    assert_status(expected, rms_step_rows(scene->optimizer, rows, rows_count, &report), rms_message(scene->optimizer));
    assert_contains(rms_message(scene->optimizer), sentence);
    take_snapshot(scene, &after);
    assert_memory_equal(&before, &after, sizeof before);
    if (expected < 0)
        assert_memory_equal(&report, &untouched, sizeof report);
}

/* The second of two sets is wrong: the first must not have been used. */
static void assert_rows_refused(struct scene *scene, rms_rows wrong, rms_status expected, const char *sentence)
{
    const rms_rows rows[2] = {good_rows(1 - (wrong.tensor & 1)), wrong};
    assert_refused(scene, rows, 2, expected, sentence);
}

static void every_refusal_says_why_and_changes_nothing(void **state)
{
    (void)state;
    static struct scene scene;
    scene_create(&scene, NULL);
    const rms_rows good = good_rows(0);
    const rms_rows both[2] = {good, good_rows(1)};
    assert_ok(rms_step_rows(scene.optimizer, both, 2, NULL), rms_message(scene.optimizer));
    static const struct {
        int64_t index;
        const char *sentence;
    } indices[] = {{-1, "\"table\": index -1 at 2 is outside 0 to 6"},
                   {ROWS, "\"table\": index 7 at 2 is outside 0 to 6"},
                   {INT64_MAX, "index 9223372036854775807 at 2 is outside 0 to 6"},
                   {INT64_MIN, "index -9223372036854775808 at 2 is outside 0 to 6"},
                   {INT64_C(1) << 32, "index 4294967296 at 2 is outside"}};
    for (size_t i = 0; i < COUNT_OF(indices); ++i) {
        const int64_t wrong[3] = {0, 1, indices[i].index};
        rms_rows rows = good;
        rows.indices = wrong;
        assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, indices[i].sentence);
    }
    rms_rows rows = good;
    rows.width = 0;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "\"table\": width 0 does not divide its 42 elements");
    rows.width = 4;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "width 4 does not divide its 42 elements");
    rows.width = 84;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "width 84 does not divide");
    rows = good;
    rows.tensor = 4;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "tensor 4 does not exist: there are 4");
    rows = good;
    rows.indices = NULL;
    assert_rows_refused(&scene, rows, RMS_ERROR_ARGUMENT, "\"table\": indices is NULL, but row_count is 3");
    rows = good;
    rows.values = NULL;
    assert_rows_refused(&scene, rows, RMS_ERROR_ARGUMENT, "\"table\": values is NULL, but row_count is 3");
    rows = good;
    rows.mode = (rms_rows_mode)2;
    assert_rows_refused(&scene, rows, RMS_ERROR_ARGUMENT, "mode 2 is unknown; choose from lazy, dense");
    rows = good;
    rows.reserved[3] = 1;
    assert_rows_refused(&scene, rows, RMS_ERROR_UNSUPPORTED, "\"table\": reserved[3] must be 0 in version");
    rms_free(scene.optimizer);
}

/* One bound is that of the values, the other that of the indices: whichever is the lower one counts. */
static void more_rows_than_memory_holds_are_refused(void **state)
{
    (void)state;
    static struct scene scene;
    scene_create(&scene, NULL);
    static const int64_t wrong[3] = {-1, -1, -1}; /* not to be looked at */
    const size_t of_values = (size_t)PTRDIFF_MAX / sizeof(float) / WIDTH;
    const size_t of_indices = (size_t)PTRDIFF_MAX / sizeof(int64_t);
    assert_true(of_values < of_indices && of_indices < (size_t)PTRDIFF_MAX / sizeof(uint16_t));
    rms_rows rows = good_rows(0);
    rows.indices = wrong;
    rows.row_count = of_values + 1;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "is more than memory can hold");
    rows = good_rows(1);
    rows.indices = wrong;
    rows.width = 1;
    rows.row_count = of_indices + 1;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "is more than memory can hold");
    rms_free(scene.optimizer);
}

static void refusals_of_the_call_as_a_whole(void **state)
{
    (void)state;
    static struct scene scene;
    scene_create(&scene, NULL);
    const rms_rows good = good_rows(0);
    rms_rows rows = good;
    rows.values = (const char *)good_values + 1;
    assert_rows_refused(&scene, rows, RMS_ERROR_ARGUMENT, "\"table\": values is not aligned to 4 bytes");
    rows = good_rows(1);
    rows.values = (const char *)good_brain_values + 1;
    assert_rows_refused(&scene, rows, RMS_ERROR_ARGUMENT, "\"brain\": values is not aligned to 2 bytes");
    rows = good;
    rows.indices = (const int64_t *)(const void *)((const char *)good_indices + 4);
    assert_rows_refused(&scene, rows, RMS_ERROR_ARGUMENT, "\"table\": indices is not aligned to 8 bytes");
    rows = good;
    rows.row_count = SIZE_MAX / 2;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "is more than memory can hold");
    rows = good;
    rows.tensor = EMPTY;
    assert_rows_refused(&scene, rows, RMS_ERROR_RANGE, "\"empty\": row_count is 3, but the tensor is empty");
    const rms_rows twice[3] = {good, good_rows(1), good};
    assert_refused(&scene, twice, 3, RMS_ERROR_DUPLICATE, "rows 0 and 2 are both for tensor 0");
    const rms_rows many[5] = {good, good, good, good, good};
    assert_refused(&scene, many, 5, RMS_ERROR_RANGE, "rows_count 5 is more than the 4 tensors");
    assert_refused(&scene, NULL, 1, RMS_ERROR_ARGUMENT, "rows: NULL, but rows_count is 1");
    assert_refused(&scene, NULL, 0, RMS_ERROR_ARGUMENT, "\"brain\" has no gradient: it was added without one");
    assert_refused(&scene, &good, 1, RMS_ERROR_ARGUMENT, "\"brain\" has no gradient");
    assert_status(RMS_ERROR_ARGUMENT, rms_step_rows(NULL, &good, 1, NULL), "no object");
    assert_status(RMS_ERROR_ARGUMENT, rms_step(scene.optimizer, NULL), rms_message(scene.optimizer));
    assert_contains(rms_message(scene.optimizer), "each step must give it rows");
    rms_free(scene.optimizer);
}

/* The sum of two finite gradients may be infinite; with the sum, the element is named, by its place in the tensor. */
static void a_row_that_is_not_finite_skips_everything_and_is_named(void **state)
{
    (void)state;
    static struct scene scene;
    scene_create(&scene, NULL);
    for (rms_rows_mode mode = RMS_ROWS_LAZY; mode <= RMS_ROWS_DENSE; ++mode)
        for (int sum = 0; sum < 2; ++sum) {
            rms_rows rows[2] = {good_rows(0), good_rows(1)};
            rows[0].mode = rows[1].mode = mode;
            float values[3 * WIDTH] = {0};
            values[WIDTH + 2] = sum ? 0 : NAN; /* row 0 */
            values[0 * WIDTH + 4] = 3e38F;     /* row 6 */
            values[2 * WIDTH + 4] = 3e38F;     /* row 6, once more */
            rows[0].values = values;
            assert_refused(&scene, rows, 2, RMS_SKIPPED_NONFINITE,
                           sum ? "\"table\": the gradient of element 40 is inf (the step was skipped"
                               : "\"table\": the gradient of element 2 is NaN (the step was skipped");
            rms_report report;
            rms_step_rows(scene.optimizer, rows, 2, &report);
            assert_true(report.skipped && report.steps == 0 && !isfinite(report.gradient_norm));
        }
    rms_free(scene.optimizer);
}

/* ---- Nothing to do */

static void no_rows_at_all_are_allowed(void **state)
{
    (void)state;
    static struct scene scene;
    static struct snapshot before, after;
    scene_create(&scene, NULL);
    const rms_rows none[3] = {{.tensor = 0, .width = WIDTH},
                              {.tensor = 1, .width = 1},
                              {.tensor = EMPTY, .width = 3, .mode = RMS_ROWS_DENSE}};
    take_snapshot(&scene, &before);
    assert_ok(rms_step_rows(scene.optimizer, none, 3, NULL), rms_message(scene.optimizer));
    take_snapshot(&scene, &after);
    assert_memory_equal(before.table, after.table, sizeof before.table);
    assert_memory_equal(before.brain, after.brain, sizeof before.brain);
    assert_memory_equal(before.v, after.v, sizeof before.v);
    assert_memory_not_equal(before.dense, after.dense, sizeof before.dense);
    for (size_t t = 0; t < 4; ++t) /* step counts are the tensor's */
        assert_int_equal(after.steps[t], 1);
    rms_free(scene.optimizer);
}

/* ---- Memory */

struct bank {
    size_t calls;
    bool refuses;
    size_t live;
};

static void *bank_allocate(void *context, size_t bytes, size_t alignment)
{
    struct bank *bank = context;
    if (bank->refuses)
        return NULL;
    ++bank->calls;
    ++bank->live;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void bank_release(void *context, void *memory, size_t bytes)
{
    struct bank *bank = context;
    (void)bytes;
    bank->live -= memory != NULL;
    free(memory);
}

/* So many rows of each of two tensors, or of the second alone. */
static rms_status step_with(struct scene *scene, size_t of_table, size_t of_brain)
{
    enum { MOST = 400 };
    static int64_t indices[MOST];
    static float values[MOST * WIDTH];
    static uint16_t brain_values[MOST * WIDTH];
    const rms_rows rows[2] = {
        {.tensor = 0, .width = WIDTH, .row_count = of_table, .indices = indices, .values = values},
        {.tensor = 1, .width = WIDTH, .row_count = of_brain, .indices = indices, .values = brain_values}};
    assert_true(of_table <= MOST && of_brain <= MOST);
    const size_t first = of_table > 0 ? 0 : 1;
    return rms_step_rows(scene->optimizer, rows + first, 2 - first, NULL);
}

static void only_more_rows_than_ever_before_are_allocated_for(void **state)
{
    (void)state;
    static const struct {
        size_t of_table;
        size_t of_brain;
    } shares[] = {{100, 100}, {200, 0}, {0, 200}, {1, 199}, {37, 5}, {0, 0}, {150, 50}};
    struct bank bank = {0};
    const rms_allocator allocator = {bank_allocate, bank_release, &bank};
    static struct scene scene;
    scene_create(&scene, &allocator);
    assert_ok(step_with(&scene, 0, 200), rms_message(scene.optimizer));
    const size_t calls = bank.calls;
    bank.refuses = true;
    for (size_t i = 0; i < COUNT_OF(shares); ++i)
        assert_ok(step_with(&scene, shares[i].of_table, shares[i].of_brain), rms_message(scene.optimizer));
    assert_int_equal(bank.calls, calls);
    static struct snapshot before, after;
    take_snapshot(&scene, &before);
    assert_status(RMS_ERROR_MEMORY, step_with(&scene, 200, 1), rms_message(scene.optimizer));
    assert_contains(rms_message(scene.optimizer), "out of memory");
    take_snapshot(&scene, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_ok(step_with(&scene, 100, 100), rms_message(scene.optimizer)); /* the old room is still there */
    bank.refuses = false;
    assert_ok(step_with(&scene, 400, 400), rms_message(scene.optimizer));
    assert_int_equal(bank.calls, calls + 1);
    rms_free(scene.optimizer);
    assert_int_equal(bank.live, 0);
}

/* ---- What it is for: a vocabulary of a million words, of which a batch has four thousand. */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double time_steps(rms_optimizer *optimizer, const rms_rows *rows, int steps)
{
    const double begin = seconds_now();
    for (int step = 0; step < steps; ++step)
        assert_ok(rms_step_rows(optimizer, rows, 1, NULL), rms_message(optimizer));
    return (seconds_now() - begin) / steps;
}

static void lazy_rows_of_a_large_table_cost_what_they_touch(void **state)
{
    (void)state;
    enum { TOUCHED = 4096, WORDS = 1000000, DIMENSIONS = 64 };
    const size_t words = effort(WORDS);
    const size_t count = words * DIMENSIONS;
    float *const param = calloc(count, sizeof *param);
    int64_t *const indices = bytes_create(TOUCHED * sizeof *indices);
    float *const values = floats_create((size_t)TOUCHED * DIMENSIONS);
    assert_non_null(param);
    uint64_t seed = 51;
    for (size_t i = 0; i < TOUCHED; ++i)
        indices[i] = (int64_t)random_below(&seed, words);
    fill_gradients(values, (size_t)TOUCHED * DIMENSIONS, 1, 1);
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "embedding", param, NULL, count);
    rms_rows rows = {0, DIMENSIONS, TOUCHED, indices, values, RMS_ROWS_LAZY, {0}};
    const double lazy = time_steps(optimizer, &rows, 20);
    rows.mode = RMS_ROWS_DENSE;
    const double dense = time_steps(optimizer, &rows, 2);
    print_message("%zu rows of %d, %d touched: lazy %.3f ms, dense %.3f ms, %.0f times as long\n", words, DIMENSIONS,
                  TOUCHED, lazy * 1e3, dense * 1e3, dense / lazy);
    uint64_t steps;
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, 22);
    rms_free(optimizer);
    free(param);
    free(indices);
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_says_why_and_changes_nothing),
        cmocka_unit_test(more_rows_than_memory_holds_are_refused),
        cmocka_unit_test(refusals_of_the_call_as_a_whole),
        cmocka_unit_test(a_row_that_is_not_finite_skips_everything_and_is_named),
        cmocka_unit_test(no_rows_at_all_are_allowed),
        cmocka_unit_test(only_more_rows_than_ever_before_are_allocated_for),
        cmocka_unit_test(lazy_rows_of_a_large_table_cost_what_they_touch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
