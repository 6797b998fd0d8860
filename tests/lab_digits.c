/* The digits: the data as data/README.md describes them, and training on them. */
#include "digest.h"
#include "digits.h"
#include "instance.h"
#include "race.h"
#include "run.h"
#include "support.h"
#include "trials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 80, SCORES = 3 };

/* The problem as all tests run it. */
static struct lab_instance instance;

static int open_instance(void **state)
{
    (void)state;
    return lab_instance_open_problem(&instance, &lab_problem_digits, NULL) == RMS_OK ? 0 : -1;
}

static int close_instance(void **state)
{
    (void)state;
    lab_instance_close(&instance);
    return 0;
}

static void parts_have_their_sizes_and_balance(void **state)
{
    (void)state;
    static const struct {
        size_t count, least, most; /* images of each digit */
    } expected[LAB_DIGITS_PARTS] = {{1257, 120, 129}, {180, 18, 18}, {360, 36, 36}};
    struct lab_digits digits;
    assert_true(lab_digits_load(&digits));
    for (size_t p = 0; p < LAB_DIGITS_PARTS; ++p) {
        const struct lab_digits_set *const set = &digits.parts[p];
        size_t counts[LAB_DIGITS_CLASSES] = {0};
        assert_int_equal(set->count, expected[p].count);
        for (size_t i = 0; i < set->count; ++i)
            ++counts[set->labels[i]];
        for (size_t label = 0; label < LAB_DIGITS_CLASSES; ++label)
            assert_in_range(counts[label], expected[p].least, expected[p].most);
    }
    lab_digits_free(&digits);
}

static void pixels_are_sixteenths_with_paper_and_ink(void **state)
{
    (void)state;
    struct lab_digits digits;
    assert_true(lab_digits_load(&digits));
    const struct lab_digits_set *const train = &digits.parts[LAB_DIGITS_TRAIN];
    size_t counts[17] = {0};
    for (size_t i = 0; i < train->count * LAB_DIGITS_PIXELS; ++i) {
        const float sixteenths = 16.0F * train->pixels[i];
        assert_true(sixteenths >= 0.0F && sixteenths <= 16.0F && sixteenths == floorf(sixteenths));
        ++counts[(size_t)sixteenths];
    }
    for (size_t k = 0; k < COUNT_OF(counts); ++k)
        assert_true(counts[k] > 0);

    /* The first image of scikit-learn's file, a 0, begins 0 0 5 13 9 1. */
    static const float first[] = {0.0F, 0.0F, 5.0F / 16, 13.0F / 16, 9.0F / 16, 1.0F / 16};
    assert_int_equal(train->labels[0], 0);
    assert_memory_equal(train->pixels, first, sizeof first);
    lab_digits_free(&digits);
}

#define PIXELS_16 "0123456789abcdef"
#define PIXELS_64 PIXELS_16 PIXELS_16 PIXELS_16 "gggggggggggggggg"

static void a_damaged_line_is_refused_by_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line;
    } cases[] = {
        {"train 0 " PIXELS_64 "\nvalidation 1 " PIXELS_64 "\ntest 9 " PIXELS_64, 3}, /* no line end */
        {"train 0 " PIXELS_64 "\nvalidate 1 " PIXELS_64 "\n", 2},
        {"train x " PIXELS_64 "\n", 1},
        {"train 10 " PIXELS_64 "\n", 1},
        {"train 0  " PIXELS_64 "\n", 1},
        {"train 0 " PIXELS_16 PIXELS_16 PIXELS_16 "gggggggggggggggh\n", 1},
        {"train 0 " PIXELS_64 "0\n", 1},
        {"train 0 " PIXELS_16 "\n", 1},
        {"train 0 " PIXELS_64 "\n\n", 2},
        {"tra", 1},
        {"", 0}, /* no images */
        {"train 0 " PIXELS_64 "\ntest 9 " PIXELS_64 "\n", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_digits digits;
        size_t line;
        /* Exactly as many bytes as there are, so that a sanitizer sees one read too many. */
        const size_t length = strlen(cases[i].text);
        char *const text = malloc(length + (length == 0));
        assert_non_null(text);
        memcpy(text, cases[i].text, length);
        assert_false(lab_digits_parse(&digits, text, length, &line));
        if (line != cases[i].line)
            fail_msg("case %zu: line %zu, not %zu", i, line, cases[i].line);
        assert_null(digits.parts[LAB_DIGITS_TRAIN].pixels);
        free(text);
    }
}

static void whole_lines_are_read_in_order(void **state)
{
    (void)state;
    static const char text[] =
        "test 9 " PIXELS_64 "\ntrain 3 " PIXELS_64 "\nvalidation 1 " PIXELS_64 "\ntrain 4 " PIXELS_64 "\n";
    struct lab_digits digits;
    size_t line = 1;
    assert_true(lab_digits_parse(&digits, text, sizeof text - 1, &line));
    assert_int_equal(line, 0);
    assert_int_equal(digits.parts[LAB_DIGITS_TRAIN].count, 2);
    assert_int_equal(digits.parts[LAB_DIGITS_TRAIN].labels[1], 4);
    assert_int_equal(digits.parts[LAB_DIGITS_TEST].labels[0], 9);
    assert_true(digits.parts[LAB_DIGITS_TEST].pixels[15] == 15.0F / 16);
    assert_true(digits.parts[LAB_DIGITS_TEST].pixels[63] == 1.0F);
    lab_digits_free(&digits);
    lab_digits_free(&digits);
}

static void the_table_finds_problems_by_name(void **state)
{
    (void)state;
    assert_true(lab_problem_count() >= 1);
    for (size_t i = 0; i < lab_problem_count(); ++i) {
        const struct lab_problem *const problem = lab_problem_at(i);
        assert_ptr_equal(lab_problem_find(problem->name), problem);
        assert_true(problem->steps % problem->score_every == 0 && problem->quick_steps % problem->score_every == 0);
        problem->destroy(NULL);
    }
    assert_null(lab_problem_at(lab_problem_count()));
    assert_null(lab_problem_find("mnist"));
    assert_null(lab_problem_find(NULL));
}

static uint64_t digest_of(const struct lab_task *task, bool gradients)
{
    const rms_tensor *tensors;
    const size_t count = lab_problem_digits.tensors(task, &tensors);
    uint64_t digest = LAB_DIGEST_EMPTY;
    for (size_t t = 0; t < count; ++t)
        digest = lab_digest_floats(digest, gradients ? tensors[t].grad : tensors[t].param, tensors[t].count);
    return digest;
}

static struct lab_task *create(uint64_t seed)
{
    struct lab_task *const task = lab_problem_digits.create(&instance, seed);
    assert_non_null(task);
    return task;
}

static void initial_parameters_depend_on_the_seed_alone(void **state)
{
    (void)state;
    struct lab_task *const tasks[3] = {create(1), create(1), create(2)};
    assert_true(digest_of(tasks[0], false) == digest_of(tasks[1], false));
    assert_true(digest_of(tasks[0], false) != digest_of(tasks[2], false));
    for (size_t i = 0; i < 3; ++i)
        lab_problem_digits.destroy(tasks[i]);
}

/* Also back and forth across epochs, of 39 batches. */
static void a_batch_depends_on_seed_and_step_alone(void **state)
{
    (void)state;
    static const size_t order[] = {40, 0, 38, 39, 5, 100, 5};
    struct lab_task *const task = create(3);
    for (size_t i = 0; i < COUNT_OF(order); ++i) {
        struct lab_task *const fresh = create(3);
        const double loss = lab_problem_digits.gradient(task, order[i]);
        assert_true(loss == lab_problem_digits.gradient(fresh, order[i]));
        assert_true(digest_of(task, true) == digest_of(fresh, true));
        lab_problem_digits.destroy(fresh);
    }
    const double epochs_apart = lab_problem_digits.gradient(task, 0) - lab_problem_digits.gradient(task, 39);
    assert_true(epochs_apart != 0.0);
    lab_problem_digits.destroy(task);
}

static struct lab_run train(const rms_options *options, uint64_t seed, double learning_rate)
{
    static double curve[SCORES];
    const struct lab_contender contender = {.name = "contender", .options = *options};
    struct lab_run run = {.seed = seed, .learning_rate = learning_rate, .trial = lab_trial_none(), .curve = curve};
    rms_error error;
    assert_ok(lab_run_train(&run, &instance, &contender, STEPS, NULL, NULL, &error), error.message);
    return run;
}

/* From initial parameters over tanh and softmax to the library's update: any compiler, any instruction set,
 * any architecture. */
static void a_run_has_these_bits_on_every_machine(void **state)
{
    static const uint64_t digests[RMS_RULE_COUNT] = {
        [RMS_SGD] = 0x67d607d5af195d08,    [RMS_ADAGRAD] = 0x4abfc663d3512155, [RMS_RMSPROP] = 0x262983d761bd0c1e,
        [RMS_ADAM] = 0xb7330840ee4f8662,   [RMS_RPROP] = 0xa65929cdcfcce682,   [RMS_ADADELTA] = 0x3b057f60f7cdab42,
        [RMS_ADAMAX] = 0xe0e00a942c90440a, [RMS_NADAM] = 0x2abdd16f2e072bd1,   [RMS_RADAM] = 0x311ddeb19fed5a8a,
        [RMS_LION] = 0xedae042feda5669d,
    };
    const rms_isa isa = isa_of_test(state);
    size_t wrong = 0;
    for (size_t i = 0; i < RMS_RULE_COUNT; ++i) {
        rms_options options = rms_options_for((rms_rule)i);
        options.isa = isa;
        options.threads = 1;
        const struct lab_run run = train(&options, 1, 0.01);
        assert_int_equal(run.state, LAB_RUN_DONE);
        if (run.digest != digests[i])
            print_error("%s: digest 0x%016llx, not 0x%016llx\n", rms_rule_name((rms_rule)i),
                        (unsigned long long)run.digest, (unsigned long long)digests[i]);
        wrong += run.digest != digests[i];
    }
    assert_int_equal(wrong, 0);
}

static void another_seed_or_rate_is_another_run(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    const uint64_t digest = train(&options, 1, 0.01).digest;
    assert_true(digest == train(&options, 1, 0.01).digest);
    assert_true(digest != train(&options, 2, 0.01).digest);
    assert_true(digest != train(&options, 1, 0.011).digest);
}

static void training_lowers_the_loss(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    const struct lab_run run = train(&options, 1, 0.01);
    for (size_t i = 1; i < SCORES; ++i)
        assert_true(run.curve[i] < run.curve[i - 1]);
    assert_true(run.curve[SCORES - 1] == run.final.training);
    assert_true(run.final.test > 0.85);
}

static void digests_tell_bits_apart_but_not_nans(void **state)
{
    (void)state;
    const float zeros[] = {0.0F, -0.0F};
    const float nans[] = {(float)NAN, -(float)NAN};
    assert_true(lab_digest_floats(LAB_DIGEST_EMPTY, zeros, 0) == LAB_DIGEST_EMPTY);
    assert_true(lab_digest_floats(LAB_DIGEST_EMPTY, zeros, 1) != lab_digest_floats(LAB_DIGEST_EMPTY, zeros + 1, 1));
    assert_true(lab_digest_floats(LAB_DIGEST_EMPTY, nans, 1) == lab_digest_floats(LAB_DIGEST_EMPTY, nans + 1, 1));

    /* FNV's published test vector for "foob", here a float. */
    float foob;
    memcpy(&foob, &(const uint32_t){0x626f6f66}, sizeof foob);
    assert_true(lab_digest_floats(LAB_DIGEST_EMPTY, &foob, 1) == 0xdd120e790c2512af);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_their_sizes_and_balance),
        cmocka_unit_test(pixels_are_sixteenths_with_paper_and_ink),
        cmocka_unit_test(a_damaged_line_is_refused_by_number),
        cmocka_unit_test(whole_lines_are_read_in_order),
        cmocka_unit_test(the_table_finds_problems_by_name),
        cmocka_unit_test(initial_parameters_depend_on_the_seed_alone),
        cmocka_unit_test(a_batch_depends_on_seed_and_step_alone),
        PER_ISA(a_run_has_these_bits_on_every_machine),
        cmocka_unit_test(another_seed_or_rate_is_another_run),
        cmocka_unit_test(training_lowers_the_loss),
        cmocka_unit_test(digests_tell_bits_apart_but_not_nans),
    };
    return cmocka_run_group_tests(tests, open_instance, close_instance);
}
