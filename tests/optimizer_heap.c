/* The heap: this program's own malloc counts. Steps do not touch the heap at all, and with a caller's
 * allocator nothing does. (Not under sanitizers, which have a malloc of their own.) */
#include "support.h"

#include <stdlib.h>

static size_t heap_calls;

#if defined(__GLIBC__) && OWN_MALLOC
enum { COUNTING = 1 };

/* glibc lets a program define these, and offers its own under other names. The library must see them. */
#define SEEN __attribute__((visibility("default")))
extern void *__libc_malloc(size_t bytes);                     /* NOLINT */
extern void *__libc_calloc(size_t count, size_t bytes);       /* NOLINT */
extern void *__libc_realloc(void *memory, size_t bytes);      /* NOLINT */
extern void *__libc_memalign(size_t alignment, size_t bytes); /* NOLINT */

SEEN void *malloc(size_t bytes)
{
    ++heap_calls;
    return __libc_malloc(bytes);
}

SEEN void *calloc(size_t count, size_t bytes)
{
    ++heap_calls;
    return __libc_calloc(count, bytes);
}

SEEN void *realloc(void *memory, size_t bytes)
{
    ++heap_calls;
    return __libc_realloc(memory, bytes);
}

SEEN void *aligned_alloc(size_t alignment, size_t bytes)
{
    ++heap_calls;
    return __libc_memalign(alignment, bytes);
}

SEEN int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    ++heap_calls;
    *memory = __libc_memalign(alignment, bytes);
    return *memory ? 0 : 12; /* ENOMEM */
}
#else
enum { COUNTING = 0 };
#endif

enum { N = 100000 };
static float param[N], grad[N], rate[N];

static void skip_unless_counting(void)
{
    if (!COUNTING) {
        print_message("SKIP: malloc cannot be replaced here\n");
        skip();
    }
}

/* Memory that is there without malloc. */
static _Alignas(64) unsigned char pool[4 << 20];
static size_t pool_used;

static void *pool_allocate(void *context, size_t bytes, size_t alignment)
{
    (void)context;
    pool_used = (pool_used + alignment - 1) / alignment * alignment;
    void *memory = pool + pool_used;
    pool_used += bytes;
    return pool_used <= sizeof pool ? memory : NULL;
}

static void pool_release(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)memory;
    (void)bytes;
}

/* OpenMP's runtime allocates for itself when it is first used, and for its threads; the library does not. */
static int wake_openmp(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_SGD);
    return rms_apply(&options, RMS_F32, 1, N, param, grad, NULL, NULL, NULL) == RMS_OK ? 0 : -1;
}

static void nothing_is_allocated_after_the_last_tensor_was_added(void **state)
{
    (void)state;
    skip_unless_counting();
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        rms_options options = rms_options_for(rule);
        options.clip_norm = 1;
        options.threads = 1;
        rms_optimizer *optimizer = create_optimizer(&options);
        fill_gradients(grad, N, 1, 1);
        add_tensor(optimizer, "p", param, grad, N);
        const size_t before = heap_calls;
        assert_true(before > 0);
        rms_report report;
        uint64_t steps;
        double lr;
        (void)rms_step(optimizer, &report);
        (void)rms_set(optimizer, 0, "lr", 0.5);
        (void)rms_get(optimizer, 0, "lr", &lr);
        (void)rms_get_steps(optimizer, 0, &steps);
        (void)rms_effective_lr(optimizer, 0, rate);
        (void)rms_reset(optimizer);
        (void)rms_set(optimizer, 0, "bogus", 1);
        grad[5] = 1.0F / 0.0F;
        (void)rms_step(optimizer, NULL);
        assert_int_equal(heap_calls, before);
        rms_free(optimizer);
    }
}

static void a_callers_allocator_is_the_only_source_of_memory(void **state)
{
    (void)state;
    skip_unless_counting();
    const rms_allocator allocator = {pool_allocate, pool_release, NULL};
    rms_options options = rms_options_for(RMS_ADAM);
    options.allocator = &allocator;
    options.threads = 1;
    rms_optimizer *optimizer;
    size_t group;
    const rms_tensor tensor = {.name = "p", .count = N, .param = param, .grad = grad};
    fill_gradients(grad, N, 1, 1);
    const size_t before = heap_calls;
    rms_status status = rms_create(&optimizer, &options, NULL);
    status = status == RMS_OK ? rms_add_group(optimizer, &group) : status;
    status = status == RMS_OK ? rms_add(optimizer, &tensor) : status;
    status = status == RMS_OK ? rms_step(optimizer, NULL) : status;
    rms_free(optimizer);
    assert_int_equal(heap_calls, before);
    assert_ok(status, "with memory from a pool");
    assert_true(pool_used > 2 * N * sizeof(float));
}

static void the_lower_door_never_allocates(void **state)
{
    (void)state;
    skip_unless_counting();
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.threads = 1;
    fill_gradients(grad, N, 1, 1);
    void *slots[] = {rate};
    rms_error error;
    const size_t before = heap_calls;
    const rms_status status = rms_apply(&options, RMS_F32, 1, N, param, grad, slots, NULL, &error);
    assert_int_equal(heap_calls, before);
    assert_ok(status, error.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_after_the_last_tensor_was_added),
        cmocka_unit_test(a_callers_allocator_is_the_only_source_of_memory),
        cmocka_unit_test(the_lower_door_never_allocates),
    };
    return cmocka_run_group_tests(tests, wake_openmp, NULL);
}
