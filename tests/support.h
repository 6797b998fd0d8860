/* What the tests share: random numbers that are the same everywhere, hard gradients, random options, memory
 * that notices stray writes, and failures that explain themselves. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <rmsprop.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Sanitizers that replace malloc, and the one whose shadow is larger than the memory. */
#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif
#if THREAD_SANITIZER || defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer) || HAS_FEATURE(memory_sanitizer)
#define OWN_MALLOC 0
#else
#define OWN_MALLOC 1
#endif

/* ---- Randomness: splitmix64 (Steele, Lea and Flood, 2014); integers only, so that every machine draws the
 * same numbers. */
uint64_t random_bits(uint64_t *state);
size_t random_below(uint64_t *state, size_t bound);

/* A float of [-1, 1), a multiple of 2^-23: the conversion is exact. */
float random_float(uint64_t *state);

/* ---- Data. A gradient's element keeps its temper from step to step (tame, constant, tiny, huge, zero, ...),
 * which seed and its index decide; step and seed decide the value. Most are tame: infinities that huge ones
 * leave in the state would hide the rest. */
void fill_gradients(float *grad, size_t count, uint64_t seed, uint64_t step);
void fill_parameters(float *param, size_t count, uint64_t seed);

/* The same in any dtype. In f64 the significand's lower bits are drawn as well, and the extremes are a double's; in 16
 * bits they are the nearest finite numbers. */
void fill_gradients_of(rms_dtype dtype, void *grad, size_t count, uint64_t seed, uint64_t step);
void fill_parameters_of(rms_dtype dtype, void *param, size_t count, uint64_t seed);

/* ---- Options */

/* Draws options of a rule, each changed from its default with even odds, until rms_options_check takes them.
 * isa and threads stay as they are by default. */
rms_options random_options(uint64_t *state, rms_rule rule);

/* "rmsprop lr=0.001 centered=1": every option that differs from its default. Static storage. */
const char *describe_options(const rms_options *options);

/* Sets "key=value key=value"; fails the test where the library refuses. */
void set_options(rms_options *options, const char *assignments);

/* ---- Instruction sets that this architecture has. PER_ISA(test) makes one test of each, named after it;
 * the test finds its rms_isa by isa_of_test, which skips it where the machine does not run it. (Not const:
 * cmocka's states are not.) */
extern rms_isa isas[];
extern const size_t isa_count;
rms_isa isa_of_test(void **state);

#define TEST_OF_ISA(test, number, isa)                                                                                 \
    {                                                                                                                  \
#test "/" isa, test, NULL, NULL, &isas[number]                                                                 \
    }
#if defined(__x86_64__)
#define PER_ISA(test) TEST_OF_ISA(test, 0, "baseline"), TEST_OF_ISA(test, 1, "avx2"), TEST_OF_ISA(test, 2, "avx512")
#elif defined(__aarch64__)
#define PER_ISA(test) TEST_OF_ISA(test, 0, "baseline"), TEST_OF_ISA(test, 1, "neon")
#else
#define PER_ISA(test) TEST_OF_ISA(test, 0, "baseline")
#endif

/* ---- Memory whose first byte lies offset bytes behind a 64-byte boundary, between guard bands. */
struct guarded {
    void *memory;
    void *data;
    size_t bytes;
};
struct guarded guarded_create(size_t bytes, size_t offset);
void guarded_destroy(struct guarded *array);
/* Place of the first guard byte, relative to data, that was overwritten; PTRDIFF_MAX if none was. */
ptrdiff_t guarded_breach(const struct guarded *array);

/* Plain memory that fails the test instead of returning NULL; 0 is fine. */
void *bytes_create(size_t bytes);
float *floats_create(size_t count);

/* ---- Comparison: bits, except that all NaNs are one. Every comparison is counted; the count is the answer
 * to "did this test test anything?". */
bool same_bits(float a, float b);
extern uint64_t numbers_compared;

/* Index of the first element that differs, or count. */
size_t first_difference(const float *a, const float *b, size_t count);

/* Fails with "CONTEXT, n = 33, element 32: 0x3f7ffffe (library) != 0x3f7fffff (oracle)" and the options. */
void assert_same_floats(const float *library, const float *oracle, size_t count, const char *context,
                        const rms_options *options);

/* The same for numbers of any dtype. */
void assert_same_numbers(rms_dtype dtype, const void *library, const void *oracle, size_t count, const char *context,
                         const rms_options *options);

/* Prints the count and sets it back to 0; fails if it is 0. */
void report_comparisons(const char *what);

/* The bits of number i of an array; all NaNs have those of one. */
uint64_t number_bits(rms_dtype dtype, const void *array, size_t i);
uint32_t bits_of(float value);
uint64_t bits_of_double(double value);

/* ---- Statuses: fails with the status by name and the message. */
void assert_status(rms_status expected, rms_status actual, const char *message);
#define assert_ok(call, message) assert_status(RMS_OK, (call), (message))

/* Fails unless text contains part. */
void assert_contains(const char *text, const char *part);

/* ---- Objects: the two calls that most tests begin with. */
rms_optimizer *create_optimizer(const rms_options *options);
size_t add_tensor(rms_optimizer *optimizer, const char *name, float *param, const float *grad, size_t count);

/* Brings group of optimizer to these options, key by key; fails the test where a key is refused for good. */
void set_group(rms_optimizer *optimizer, size_t group, const rms_options *options);

/* What a slot of the rule holds before the first step; 0 for the others. In state's precision, as an array. */
double slot_start(const rms_options *options, size_t slot);
void fill_slot(const rms_options *options, rms_dtype dtype, size_t slot, void *array, size_t count);

/* ---- A caller's parallel_for: one POSIX thread for each task, so that all run at once. Its context may
 * point at a size_t that counts the tasks. */
void run_on_threads(void *context, size_t task_count, rms_task *task, void *task_context);

/* The same on the calling thread, from the last task to the first, and in an order that differs from call to call. */
void run_in_reverse(void *context, size_t task_count, rms_task *task, void *task_context);
void run_shuffled(void *context, size_t task_count, rms_task *task, void *task_context);

/* ---- Effort: RMSPROP_TEST_EFFORT, above 0 and at most 1, scales repetitions for emulators and sanitizers. */
size_t effort(size_t repetitions);

#endif
