/* Memory: every allocation of a scenario fails once, and each time nothing has leaked, nothing has changed,
 * and the object goes on to the same bits as one that was never disturbed. */
#include "storage_reference.h"

#include <stdlib.h>
#include <string.h>

/* An allocator that keeps books and fails on demand. */
struct bank {
    size_t calls;
    size_t fail_at; /* number of the call that fails, from 1; 0: none */
    size_t live_blocks;
    size_t live_bytes;
    size_t wrong; /* releases of what was not allocated so, unaligned requests */
    struct {
        void *memory;
        size_t bytes;
    } blocks[256];
};

static void *bank_allocate(void *context, size_t bytes, size_t alignment)
{
    struct bank *bank = context;
    if (++bank->calls == bank->fail_at)
        return NULL;
    bank->wrong += alignment != 64 || bytes == 0;
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    size_t i = 0;
    while (i < COUNT_OF(bank->blocks) && bank->blocks[i].memory)
        ++i;
    if (!memory || i == COUNT_OF(bank->blocks))
        abort();
    memset(memory, 0xA5, bytes); /* who reads before writing gets garbage */
    bank->blocks[i].memory = memory;
    bank->blocks[i].bytes = bytes;
    ++bank->live_blocks;
    bank->live_bytes += bytes;
    return memory;
}

static void bank_release(void *context, void *memory, size_t bytes)
{
    struct bank *bank = context;
    for (size_t i = 0; i < COUNT_OF(bank->blocks); ++i)
        if (memory && bank->blocks[i].memory == memory && bank->blocks[i].bytes == bytes) {
            bank->blocks[i].memory = NULL;
            --bank->live_blocks;
            bank->live_bytes -= bytes;
            free(memory);
            return;
        }
    ++bank->wrong;
}

static void assert_balanced(const struct bank *bank)
{
    assert_int_equal(bank->wrong, 0);
    assert_int_equal(bank->live_blocks, 0);
    assert_int_equal(bank->live_bytes, 0);
}

enum { TENSORS = 20, N = 33, GROUPS = 10, STEPS = 4 };
static float param[TENSORS][N], grad[TENSORS][N], undisturbed[TENSORS][N];

static void fill(void)
{
    for (size_t t = 0; t < TENSORS; ++t) {
        fill_parameters(param[t], N, t);
        fill_gradients(grad[t], N, t, 1);
    }
}

/* Everything about the object that a failed call must leave alone. */
struct snapshot {
    size_t tensors;
    float param[TENSORS][N], state[TENSORS][RMS_SLOTS_MAX][N];
};

static void take_snapshot(rms_optimizer *optimizer, struct snapshot *snapshot)
{
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->tensors = rms_tensor_count(optimizer);
    memcpy(snapshot->param, param, sizeof param);
    for (size_t t = 0; t < snapshot->tensors; ++t)
        for (size_t s = 0; s < RMS_SLOTS_MAX; ++s) {
            const float *state = rms_state(optimizer, t, rms_slot_name(RMS_RMSPROP, s));
            if (state)
                memcpy(snapshot->state[t][s], state, N * sizeof *state);
        }
}

/* Calls once; where the bank refuses, checks that nothing changed and calls again. */
static void insist_on_group(rms_optimizer *optimizer)
{
    static struct snapshot before, after;
    take_snapshot(optimizer, &before);
    size_t group = 77;
    rms_status status = rms_add_group(optimizer, &group);
    if (status == RMS_ERROR_MEMORY) {
        assert_int_equal(group, 77);
        assert_contains(rms_message(optimizer), "memory");
        take_snapshot(optimizer, &after);
        assert_memory_equal(&before, &after, sizeof before);
        status = rms_add_group(optimizer, &group);
    }
    assert_ok(status, rms_message(optimizer));
}

static void insist_on_tensor(rms_optimizer *optimizer, size_t t)
{
    static struct snapshot before, after;
    char name[32];
    snprintf(name, sizeof name, "tensor%zu", t);
    const rms_tensor tensor = {.name = name, .count = N, .param = param[t], .grad = grad[t], .group = t % GROUPS};
    take_snapshot(optimizer, &before);
    rms_status status = rms_add(optimizer, &tensor);
    if (status == RMS_ERROR_MEMORY) {
        assert_contains(rms_message(optimizer), "memory");
        size_t number;
        assert_status(RMS_ERROR_NAME, rms_find(optimizer, name, &number), "after a failure");
        take_snapshot(optimizer, &after);
        assert_memory_equal(&before, &after, sizeof before);
        status = rms_add(optimizer, &tensor);
    }
    assert_ok(status, rms_message(optimizer));
}

/* Creates, adds groups and tensors with a step in between, steps on. False if creation was refused. */
static bool scenario(struct bank *bank)
{
    const rms_allocator allocator = {bank_allocate, bank_release, bank};
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, "centered=true momentum=0.9 average_decay=0.9");
    options.allocator = &allocator;
    fill();
    rms_optimizer *optimizer = (rms_optimizer *)(void *)param;
    rms_error error;
    const rms_status status = rms_create(&optimizer, &options, &error);
    if (status != RMS_OK) {
        assert_status(RMS_ERROR_MEMORY, status, error.message);
        assert_contains(error.message, "memory");
        assert_null(optimizer);
        return false;
    }
    for (size_t g = 1; g < GROUPS; ++g)
        insist_on_group(optimizer);
    for (size_t t = 0; t < TENSORS; ++t) {
        insist_on_tensor(optimizer, t);
        if (t % 5 == 0)
            assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    }
    const size_t calls = bank->calls;
    for (size_t step = 0; step < STEPS; ++step)
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_ok(rms_effective_lr(optimizer, 0, (float[N]){0}), rms_message(optimizer));
    assert_ok(rms_rebind(optimizer, 0, param[0], grad[0]), rms_message(optimizer));
    assert_int_equal(bank->calls, calls); /* nothing is allocated after the last rms_add */
    rms_free(optimizer);
    return true;
}

static void every_allocation_may_fail_and_nothing_leaks_or_changes(void **state)
{
    (void)state;
    struct bank bank = {0};
    assert_true(scenario(&bank));
    assert_balanced(&bank);
    const size_t calls = bank.calls;
    memcpy(undisturbed, param, sizeof param);
    assert_true(calls >= 2 + GROUPS - 1 + TENSORS);
    size_t refused_creations = 0;
    for (size_t n = 1; n <= calls; ++n) {
        bank = (struct bank){.fail_at = n};
        if (scenario(&bank))
            assert_memory_equal(undisturbed, param, sizeof param);
        else
            ++refused_creations;
        assert_balanced(&bank);
    }
    assert_true(refused_creations > 0 && refused_creations < calls);
    print_message("%zu allocations failed one by one\n", calls);
}

static void the_state_takes_the_bytes_that_were_announced(void **state)
{
    (void)state;
    uint64_t seed = 21;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t repetition = 0; repetition < 20; ++repetition) {
            struct bank bank = {0};
            const rms_allocator allocator = {bank_allocate, bank_release, &bank};
            const rms_state_format format = draw_state_format(&seed, rule);
            rms_options options = shortened_options(&seed, rule, RMS_MASTER_F32, repetition % 2 == 0 ? 0 : 0.9, format);
            options.allocator = &allocator;
            rms_optimizer *optimizer = create_optimizer(&options);
            static float p[10000], g[10000];
            add_tensor(optimizer, "warm-up", p, g, 1); /* the object's arrays have grown */
            const size_t before = bank.live_bytes;
            const size_t count = 1 + random_below(&seed, 9990);
            add_tensor(optimizer, "t", p + 1, g + 1, count);
            const size_t taken = bank.live_bytes - before;
            const size_t announced = rms_state_bytes(&options, RMS_F32, count);
            if (taken < announced || taken > announced + 512)
                fail_msg("%s, n = %zu: %zu bytes taken, %zu announced", describe_options(&options), count, taken,
                         announced);
            rms_free(optimizer);
            assert_balanced(&bank);
        }
}

/* Two objects on one allocator: each gives back what is its own. */
static void objects_share_an_allocator_and_part_in_any_order(void **state)
{
    (void)state;
    struct bank bank = {0};
    const rms_allocator allocator = {bank_allocate, bank_release, &bank};
    rms_options options = rms_options_for(RMS_ADAM);
    options.allocator = &allocator;
    rms_optimizer *first = create_optimizer(&options), *second = create_optimizer(&options);
    add_tensor(first, "p", param[0], grad[0], N);
    add_tensor(second, "p", param[1], grad[1], N);
    rms_free(first);
    assert_ok(rms_step(second, NULL), rms_message(second));
    assert_true(bank.live_blocks > 0);
    rms_free(second);
    assert_balanced(&bank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail_and_nothing_leaks_or_changes),
        cmocka_unit_test(the_state_takes_the_bytes_that_were_announced),
        cmocka_unit_test(objects_share_an_allocator_and_part_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
