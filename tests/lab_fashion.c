/* The problem fashion on a small data set of this test's own: pictures with one bright line each, whose place is
 * their class, in noise. */
#include "digest.h"
#include "instance.h"
#include "run.h"
#include "support.h"
#include "trials.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRAINING = 240, TEST = 50, SIDE = 28, PIXELS = SIDE * SIDE, STEPS = 12 }; /* epochs of 2 batches */

static char datasets[] = "/tmp/lab_fashion_XXXXXX";
static const char *const files[] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                    "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};

static FILE *open_file(const char *name)
{
    char path[128];
    assert_true(snprintf(path, sizeof path, "%s/fashion-mnist/%s", datasets, name) > 0);
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    return file;
}

static void write_header(FILE *file, size_t dimensions, size_t images)
{
    const unsigned char header[] = {0,
                                    0,
                                    8,
                                    (unsigned char)dimensions,
                                    0,
                                    0,
                                    (unsigned char)(images >> 8),
                                    (unsigned char)images,
                                    0,
                                    0,
                                    0,
                                    SIDE,
                                    0,
                                    0,
                                    0,
                                    SIDE};
    const size_t size = 4 + 4 * dimensions;
    assert_int_equal(fwrite(header, 1, size, file), size);
}

static void write_images(const char *name, size_t count)
{
    FILE *const file = open_file(name);
    uint64_t random = count;
    write_header(file, 3, count);
    for (size_t image = 0; image < count; ++image) {
        unsigned char pixels[PIXELS];
        for (size_t i = 0; i < PIXELS; ++i)
            pixels[i] = (unsigned char)random_below(&random, 64);
        memset(pixels + (4 + 2 * (image % 10)) * SIDE, 255, SIDE);
        assert_int_equal(fwrite(pixels, 1, PIXELS, file), PIXELS);
    }
    assert_int_equal(fclose(file), 0);
}

static void write_labels(const char *name, size_t count, unsigned char first)
{
    FILE *const file = open_file(name);
    write_header(file, 1, count);
    for (size_t image = 0; image < count; ++image)
        assert_int_equal(putc(image == 0 ? first : (int)(image % 10), file), image == 0 ? first : image % 10);
    assert_int_equal(fclose(file), 0);
}

static int write_dataset(void **state)
{
    (void)state;
    write_images(files[0], TRAINING);
    write_labels(files[1], TRAINING, 0);
    write_images(files[2], TEST);
    write_labels(files[3], TEST, 0);
    return 0;
}

static int make_folder(void **state)
{
    char path[128];
    if (!mkdtemp(datasets) || snprintf(path, sizeof path, "%s/fashion-mnist", datasets) < 0 || mkdir(path, 0700) != 0)
        return -1;
    return setenv("RMSPROP_DATASETS", datasets, 1) == 0 ? write_dataset(state) : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[128];
    for (size_t i = 0; i < COUNT_OF(files); ++i) {
        (void)snprintf(path, sizeof path, "%s/fashion-mnist/%s", datasets, files[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/fashion-mnist", datasets);
    return rmdir(path) == 0 ? rmdir(datasets) : -1;
}

static struct lab_instance instance;

static void open_instance(void)
{
    rms_error error = {""};
    assert_ok(lab_instance_open_problem(&instance, &lab_problem_fashion, &error), error.message);
    instance.score_every = STEPS;
}

static struct lab_run train(const rms_options *options, uint64_t seed)
{
    double curve[2];
    const struct lab_contender contender = {.name = "contender", .options = *options};
    struct lab_run run = {.seed = seed, .learning_rate = 0.01, .trial = lab_trial_none(), .curve = curve};
    rms_error error;
    assert_ok(lab_run_train(&run, &instance, &contender, STEPS, NULL, NULL, &error), error.message);
    run.curve = NULL;
    return run;
}

static void a_run_has_these_bits_on_every_machine(void **state)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.isa = isa_of_test(state);
    options.threads = 1;
    open_instance();
    const uint64_t digest = train(&options, 1).digest;
    assert_true(digest != train(&options, 2).digest);
    lab_instance_close(&instance);
    if (digest != 0xff45e465fe7a74dc)
        fail_msg("digest 0x%016llx, not 0xff45e465fe7a74dc", (unsigned long long)digest);
}

/* Also back and forth across epochs, of 2 batches. */
static void a_batch_depends_on_seed_and_step_alone(void **state)
{
    (void)state;
    static const size_t order[] = {3, 0, 1, 2, 7, 0};
    open_instance();
    struct lab_task *const task = lab_problem_fashion.create(&instance, 3);
    assert_non_null(task);
    for (size_t i = 0; i < COUNT_OF(order); ++i) {
        struct lab_task *const fresh = lab_problem_fashion.create(&instance, 3);
        assert_non_null(fresh);
        const double loss = lab_problem_fashion.gradient(task, order[i]);
        assert_true(loss == lab_problem_fashion.gradient(fresh, order[i]));
        lab_problem_fashion.destroy(fresh);
    }
    assert_true(lab_problem_fashion.gradient(task, 0) != lab_problem_fashion.gradient(task, 2));
    lab_problem_fashion.destroy(task);
    lab_instance_close(&instance);
}

static void training_learns_the_lines(void **state)
{
    (void)state;
    open_instance();
    struct lab_task *const task = lab_problem_fashion.create(&instance, 1);
    const struct lab_score before = lab_problem_fashion.score(task);
    const rms_tensor *tensors;
    assert_int_equal(lab_problem_fashion.tensors(task, &tensors), 4);
    assert_int_equal(tensors[0].count, PIXELS * 128);
    rms_optimizer *optimizer;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    assert_ok(rms_create(&optimizer, &options, NULL), "");
    for (size_t i = 0; i < 4; ++i)
        assert_ok(rms_add(optimizer, &tensors[i]), rms_message(optimizer));
    for (size_t step = 0; step < STEPS; ++step) {
        lab_problem_fashion.gradient(task, step);
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    }
    const struct lab_score after = lab_problem_fashion.score(task);
    assert_true(after.training < 0.5 * before.training);
    assert_true(after.validation < 0.5 * before.validation);
    assert_true(before.test < 0.5 && after.test > 0.9);
    rms_free(optimizer);
    lab_problem_fashion.destroy(task);
    lab_instance_close(&instance);
}

static void assert_refused(rms_status status, const char *sentence)
{
    rms_error error = {""};
    assert_status(status, lab_instance_open_problem(&instance, &lab_problem_fashion, &error), error.message);
    assert_contains(error.message, sentence);
    assert_null(instance.shared);
}

static void files_that_do_not_fit_each_other_are_refused(void **state)
{
    (void)state;
    write_labels(files[1], TRAINING, 10);
    assert_refused(RMS_ERROR_FORMAT, "the training files hold a label above 9");
    write_labels(files[1], TRAINING - 1, 0);
    assert_refused(RMS_ERROR_FORMAT, "the training files do not hold as many labels as images");
    write_images(files[1], TRAINING);
    assert_refused(RMS_ERROR_FORMAT, "the training files do not hold as many labels as images");
    write_labels(files[2], TEST, 0);
    assert_refused(RMS_ERROR_FORMAT, "the training files do not hold as many labels as images");
    write_labels(files[1], TRAINING, 0);
    assert_refused(RMS_ERROR_FORMAT, "the test files do not hold images of 28 x 28 pixels");
    write_images(files[0], 199);
    write_labels(files[1], 199, 0);
    assert_refused(RMS_ERROR_FORMAT, "hold too few images");
    write_dataset(state);
    open_instance();
    lab_instance_close(&instance);
}

static void a_missing_package_is_named(void **state)
{
    (void)state;
    setenv("RMSPROP_DATASETS", "/nowhere", 1);
    assert_refused(RMS_ERROR_FILE, "/nowhere/fashion-mnist/train-images-idx3-ubyte.gz: No such file or directory "
                                   "(Debian's package dataset-fashion-mnist brings it)");
    char endless[600];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    setenv("RMSPROP_DATASETS", endless, 1);
    assert_refused(RMS_ERROR_FILE, "RMSPROP_DATASETS: ");
    setenv("RMSPROP_DATASETS", datasets, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(a_run_has_these_bits_on_every_machine), cmocka_unit_test(a_batch_depends_on_seed_and_step_alone),
        cmocka_unit_test(training_learns_the_lines),    cmocka_unit_test(files_that_do_not_fit_each_other_are_refused),
        cmocka_unit_test(a_missing_package_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
