/* The problem data: tables and IDX files of the user's, how they are split, scaled and learnt, and what is refused. */
#include "lab_learning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/lab_data_XXXXXX";
static char path[64], labels_path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/table.csv", folder);
    (void)snprintf(labels_path, sizeof labels_path, "%s/labels.idx", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(labels_path);
    return rmdir(folder);
}

static void write_file(const char *name, const void *bytes, size_t count)
{
    FILE *const file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* As many rows, with the columns that the format asks for: the number of the row, twice. */
__attribute__((format(printf, 3, 0))) static void write_rows(const char *header, size_t rows, const char *format)
{
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(header, file) >= 0);
    for (size_t i = 0; i < rows; ++i)
        assert_true(fprintf(file, format, i, i) > 0);
    assert_int_equal(fclose(file), 0);
}

/* Three kinds, of which x and the colour tell; the last column is the target. */
static void write_kinds(size_t rows)
{
    static const char *const colours[] = {"red", "green", "blue"};
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs("x,colour,same,y,kind\n", file) >= 0);
    for (size_t i = 0; i < rows; ++i)
        assert_true(fprintf(file, "%g,%s,7,%zu,kind %zu\n", 10.0 * (double)(i % 3) + 0.5 * (double)(i % 7),
                            colours[i % 3], i % 11, i % 3) > 0);
    assert_int_equal(fclose(file), 0);
}

static void parts_have_their_sizes_and_share_no_row(void **state)
{
    (void)state;
    static const size_t rows[] = {20, 100, 101, 119};
    for (size_t r = 0; r < COUNT_OF(rows); ++r) {
        write_rows("row,twice\n", rows[r], "%zu,%zu.5\n");
        struct lab_instance instance = open_request("data:batch=7", path, "twice");
        const struct lab_dataset *const data = instance.shared;
        const size_t held_out = rows[r] * 15 / 100;
        assert_int_equal(data->validation.count, held_out);
        assert_int_equal(data->test.count, held_out);
        assert_int_equal(data->training.count, rows[r] - 2 * held_out);
        assert_int_equal(data->batch, 7);
        /* The rows of the three parts lie one after the other; each is there once. */
        for (size_t i = 0; i < rows[r]; ++i)
            for (size_t j = 0; j < i; ++j)
                assert_true(data->training.rows[i] != data->training.rows[j]);
        assert_ptr_equal(data->validation.rows, data->training.rows + data->training.count);
        assert_ptr_equal(data->test.rows, data->validation.rows + held_out);
        lab_instance_close(&instance);
        assert_null(instance.shared);
    }
}

/* Scores of large tables would take longer than the steps. */
static void parts_that_are_not_trained_on_are_bounded(void **state)
{
    (void)state;
    write_rows("row,target\n", 70000, "%zu,%zu.5\n");
    struct lab_instance instance = open_request("data", path, "target");
    const struct lab_dataset *const data = instance.shared;
    assert_int_equal(data->validation.count, 10000);
    assert_int_equal(data->test.count, 10000);
    assert_int_equal(data->training.count, 50000);
    assert_int_equal(data->scored, 5000);
    lab_instance_close(&instance);
}

/* Sums of 86 floats, each rounded to 2^-24 of at most 4, and divided by their number. */
static void columns_are_standardized_by_the_training_part(void **state)
{
    (void)state;
    write_rows("row,target\n", 120, "%zu,%zu.25\n");
    struct lab_instance instance = open_request("data", path, "target");
    const struct lab_dataset *const data = instance.shared;
    const size_t count = data->training.count;
    const float *const columns[] = {data->training.rows, data->training.targets};
    for (size_t c = 0; c < COUNT_OF(columns); ++c) {
        double sum = 0.0, squares = 0.0;
        for (size_t i = 0; i < count; ++i) {
            sum += (double)columns[c][i];
            squares += (double)columns[c][i] * (double)columns[c][i];
        }
        assert_true(fabs(sum / (double)count) < 4 * 0x1p-24);
        assert_true(fabs(squares / (double)count - 1.0) < 16 * 0x1p-24);
    }
    assert_true(data->deviation > 30.0 && data->deviation < 40.0); /* 120 / sqrt(12), give or take */
    lab_instance_close(&instance);
}

static void words_have_a_place_each_and_constants_none(void **state)
{
    (void)state;
    write_kinds(60);
    struct lab_instance instance = open_request("data:hidden=5", path, NULL);
    const struct lab_dataset *const data = instance.shared;
    assert_int_equal(data->sizes[0], 1 + 3 + 1); /* x, three colours, y */
    assert_int_equal(data->sizes[1], 5);
    assert_int_equal(data->sizes[2], 3);
    assert_int_equal(data->layer_count, 2);
    for (size_t i = 0; i < data->training.count; ++i) {
        const float *const colour = data->training.rows + i * 5 + 1;
        for (size_t c = 0; c < 3; ++c)
            assert_true(colour[c] == (c == data->training.labels[i] ? 1.0F : 0.0F));
    }
    assert_string_equal(instance.title, "table.csv: kind (3 classes) from 60 rows");
    assert_true(instance.data_hash != 0 && instance.test.rising);
    lab_instance_close(&instance);
}

static void targets_are_classes_or_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        size_t rows, outputs;
        bool classes;
    } cases[] = {
        {"%zu,-%zu.0\n", 20, 20, true}, /* few enough whole numbers */
        {"%zu,-%zu.0\n", 21, 1, false},
        {"%zu,0.%zu\n", 20, 1, false},
        {"%zu,w%zu\n", 40, 40, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        write_rows("a,b\n", cases[i].rows, cases[i].format);
        struct lab_instance instance = open_request("data", path, NULL);
        const struct lab_dataset *const data = instance.shared;
        assert_int_equal(data->sizes[2], cases[i].outputs);
        assert_true((data->training.labels != NULL) == cases[i].classes);
        assert_true((data->training.targets == NULL) == cases[i].classes);
        assert_string_equal(instance.test.name, cases[i].classes ? "test accuracy" : "test error");
        assert_true(instance.test.rising == cases[i].classes);
        assert_true(instance.target > 0.0);
        lab_instance_close(&instance);
    }
}

static void incomplete_rows_are_counted_in_the_title(void **state)
{
    (void)state;
    write_rows("a,b\nNA,3\n1,\n", 25, "%zu,%zu\n");
    struct lab_instance instance = open_request("data", path, "b");
    assert_string_equal(instance.title, "table.csv: b from 25 rows, 2 incomplete left out");
    lab_instance_close(&instance);
}

static void what_cannot_be_learnt_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header, *format, *column, *sentence;
        rms_status status;
    } cases[] = {
        {"a,b\n", "%zu,5\n", "b", "the target \"b\" has one value only", RMS_ERROR_FORMAT},
        {"a,b\n", "%zu,x\n", NULL, "the target \"b\" has one value only", RMS_ERROR_FORMAT},
        {"a,b\n", "3,%zu\n", "b", "there is no column to learn from", RMS_ERROR_FORMAT},
        {"a,b\n", "x%zu,%zu\n", "b", "line 2, column 1 (\"a\"): \"x0\" is no number", RMS_ERROR_FORMAT},
        {"a,width\n", "%zu,%zu\n", "widht", "(the nearest of 2 is \"width\")", RMS_ERROR_ARGUMENT},
        {"a\n", "%zu\n", NULL, "it has one column only", RMS_ERROR_FORMAT},
        {"a,b\n", "%zu,%zu,1\n", NULL, "line 2 has 3 fields", RMS_ERROR_FORMAT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_instance instance;
        rms_error error = {""};
        write_rows(cases[i].header, 40, cases[i].format);
        const struct lab_request request = {.words = "data", .source = path, .column = cases[i].column};
        assert_status(cases[i].status, lab_instance_open(&instance, &request, &error), error.message);
        assert_contains(error.message, cases[i].sentence);
        assert_null(instance.shared);
    }
}

static void too_few_rows_or_no_file_are_refused(void **state)
{
    (void)state;
    struct lab_instance instance;
    rms_error error = {""};
    write_rows("a,b\n", 19, "%zu,%zu\n");
    const struct {
        const char *source, *sentence;
        rms_status status;
    } cases[] = {
        {path, "it has 19 complete rows (expected 20 or more)", RMS_ERROR_FORMAT},
        {folder, "directory", RMS_ERROR_FILE},
        {"/tmp/there/is/no/such.csv", "No such file", RMS_ERROR_FILE},
        {"/dev/null", "it is empty", RMS_ERROR_FORMAT},
        {NULL, "expected --data FILE", RMS_ERROR_ARGUMENT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        const struct lab_request request = {.words = "data", .source = cases[i].source};
        assert_status(cases[i].status, lab_instance_open(&instance, &request, &error), error.message);
        assert_contains(error.message, cases[i].sentence);
    }
}

static void damaged_compression_is_refused(void **state)
{
    (void)state;
    static const unsigned char cut_off[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0xd4};
    static const unsigned char nonsense[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff};
    struct lab_instance instance;
    rms_error error = {""};
    const struct lab_request request = {.words = "data", .source = path};
    write_file(path, cut_off, sizeof cut_off);
    assert_status(RMS_ERROR_FORMAT, lab_instance_open(&instance, &request, &error), error.message);
    assert_contains(error.message, "its compressed data are damaged or end too early");
    write_file(path, nonsense, sizeof nonsense);
    assert_status(RMS_ERROR_FORMAT, lab_instance_open(&instance, &request, &error), error.message);
    assert_contains(error.message, "its compressed data are damaged or end too early");
}

/* Without a hidden layer the loss is a quadratic function of each parameter, so that a central difference over any h is
 * exact but for rounding: an output is a sum of two products and a bias, none above 8 in magnitude, so that its error is
 * below 4 x 8 x 2^-24; that of the loss is 2 x 8 times that, since errors are below 8; the difference divides two such by
 * 2 h = 1; and the gradient is of floats of the same kind, of 32 summands. */
static void gradients_of_squared_errors_are_those_of_differences(void **state)
{
    (void)state;
    write_rows("row,target\n", 120, "%zu,%zu.25\n");
    struct lab_instance instance = open_request("data:hidden=0,batch=32", path, "target");
    struct lab_task *const task = create_task(&instance, 5);
    const double bound = 2.0 * (2.0 * 8.0) * (4.0 * 8.0) * 0x1p-24 + 32.0 * (2.0 * 8.0 * 4.0) * 0x1p-24;
    for (size_t t = 0; t < 2; ++t) {
        const rms_tensor tensor = tensor_of(&instance, task, t);
        float *const parameter = tensor.param;
        assert_int_equal(tensor.count, 1);
        for (size_t step = 0; step < 4; ++step) {
            const float value = *parameter;
            (void)instance.problem->gradient(task, step);
            const double gradient = (double)*(const float *)tensor.grad;
            *parameter = value + 0.5F;
            const double above = instance.problem->gradient(task, step);
            *parameter = value - 0.5F;
            const double below = instance.problem->gradient(task, step);
            *parameter = value;
            if (!(fabs(gradient - (above - below)) < bound))
                fail_msg("tensor %zu, step %zu: %g, not %g", t, step, gradient, above - below);
        }
    }
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

/* A line is learnt to its last digits; its test error is in the unit of the target. */
static void a_line_is_learnt(void **state)
{
    (void)state;
    write_rows("row,target\n", 200, "%zu,1%zu\n"); /* 10 to 19, 110 to 199, 1100 to 1199 */
    struct lab_instance instance = open_request("data:hidden=0", path, "target");
    struct lab_task *const task = create_task(&instance, 1);
    const struct lab_dataset *const data = instance.shared;
    const struct lab_score before = instance.problem->score(task);
    for (size_t step = 0; step < 200; ++step) {
        (void)instance.problem->gradient(task, step);
        for (size_t t = 0; t < 2; ++t) {
            const rms_tensor tensor = tensor_of(&instance, task, t);
            *(float *)tensor.param -= 0.1F * *(const float *)tensor.grad;
        }
    }
    const struct lab_score after = instance.problem->score(task);
    assert_true(after.training < 0.25 && after.training < before.training);
    /* The root of the mean square of the test part's standardized errors, which are like the others. */
    assert_true(after.test < data->deviation && after.test > 0.1 * data->deviation);
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

/* Samples of 2 x 3 bytes: the first is 100 times the label. */
static void write_idx(size_t count, uint8_t most)
{
    unsigned char samples[16 + 6 * 64] = {0, 0, 8, 3, 0, 0, 0, (unsigned char)count, 0, 0, 0, 2, 0, 0, 0, 3};
    unsigned char labels[8 + 64] = {0, 0, 8, 1, 0, 0, 0, (unsigned char)count};
    for (size_t i = 0; i < count; ++i) {
        labels[8 + i] = (unsigned char)(i % (most + 1U));
        samples[16 + 6 * i] = (unsigned char)(100 * labels[8 + i]);
        samples[16 + 6 * i + 5] = (unsigned char)i;
    }
    write_file(path, samples, 16 + 6 * count);
    write_file(labels_path, labels, 8 + count);
}

static void idx_files_are_samples_and_labels(void **state)
{
    (void)state;
    write_idx(40, 2);
    struct lab_instance instance = open_request("data", path, labels_path);
    const struct lab_dataset *const data = instance.shared;
    assert_int_equal(data->sizes[0], 6);
    assert_int_equal(data->sizes[2], 3);
    assert_int_equal(data->training.count, 28);
    assert_int_equal(data->test.count, 6);
    bool seen[40] = {false};
    for (size_t i = 0; i < 40; ++i) { /* the parts lie one after the other */
        const uint8_t *const sample = data->training.bytes + 6 * i;
        assert_int_equal(sample[0], 100 * data->training.labels[i]);
        assert_false(seen[sample[5]]);
        seen[sample[5]] = true;
    }
    assert_string_equal(instance.title, "table.csv: 3 classes from 40 samples");
    lab_instance_close(&instance);
}

static void idx_files_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    struct lab_instance instance;
    rms_error error = {""};
    write_idx(40, 0);
    assert_status(RMS_ERROR_FORMAT,
                  lab_instance_open(&instance, &(struct lab_request){"data", path, labels_path}, &error),
                  error.message);
    assert_contains(error.message, "all labels of its samples are 0");
    write_idx(40, 2);
    static const struct {
        const char *source, *column, *sentence;
    } cases[] = {
        {path, NULL, "wants one of labels"},
        {path, path, "no 40 labels"},
        {labels_path, labels_path, "it holds labels, not samples"},
        {path, "/tmp/there/is/no/such.idx", "No such file"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        const struct lab_request request = {"data", cases[i].source, cases[i].column};
        assert_true(lab_instance_open(&instance, &request, &error) != RMS_OK);
        assert_contains(error.message, cases[i].sentence);
    }
}

static void a_run_has_these_bits_on_every_machine(void **state)
{
    const rms_isa isa = isa_of_test(state);
    write_kinds(100);
    struct lab_instance kinds = open_request("data", path, NULL);
    assert_digest(0x9d65729e64714bf9, digest_of_run(&kinds, isa, 1, 30));
    lab_instance_close(&kinds);
    struct lab_instance numbers = open_request("data", path, "x");
    assert_digest(0x5d9c912ed838f5f7, digest_of_run(&numbers, isa, 1, 30));
    lab_instance_close(&numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_their_sizes_and_share_no_row),
        cmocka_unit_test(parts_that_are_not_trained_on_are_bounded),
        cmocka_unit_test(columns_are_standardized_by_the_training_part),
        cmocka_unit_test(words_have_a_place_each_and_constants_none),
        cmocka_unit_test(targets_are_classes_or_numbers),
        cmocka_unit_test(incomplete_rows_are_counted_in_the_title),
        cmocka_unit_test(what_cannot_be_learnt_is_refused),
        cmocka_unit_test(too_few_rows_or_no_file_are_refused),
        cmocka_unit_test(damaged_compression_is_refused),
        cmocka_unit_test(gradients_of_squared_errors_are_those_of_differences),
        cmocka_unit_test(a_line_is_learnt),
        cmocka_unit_test(idx_files_are_samples_and_labels),
        cmocka_unit_test(idx_files_that_do_not_go_together_are_refused),
        PER_ISA(a_run_has_these_bits_on_every_machine),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
