/* The problem text on fortunes of this test's own: how they are cut into words and parts, and gradients as rows. */
#include "lab_learning.h"

#include "corpus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXTS = 40, CLASSES = 8, WIDTH = 64, BATCH = 32 };

static char datasets[] = "/tmp/lab_text_XXXXXX";
static const char *const files[CLASSES] = {"computers", "definitions", "law",         "people",
                                           "politics",  "science",     "songs-poems", "work"};

static void write_text(const char *name, const char *text)
{
    char path[128];
    assert_true(snprintf(path, sizeof path, "%s/fortunes/%s", datasets, name) > 0);
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Each text has words of all files, one of its own file, and one that three others of its file have, of which some are
 * not to train on. */
static void write_fortunes(size_t file, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < TEXTS; ++i)
        used += (size_t)snprintf(text + used, size - used, "The %s's\n%%the the End: THE %c%cx.\n%%\n", files[file],
                                 (char)('a' + file), (char)('a' + i % 10));
    write_text(files[file], text);
}

static int write_corpus(void **state)
{
    (void)state;
    char text[8192];
    for (size_t file = 0; file < CLASSES; ++file)
        write_fortunes(file, text, sizeof text);
    return 0;
}

static int make_folder(void **state)
{
    char path[128];
    if (!mkdtemp(datasets) || snprintf(path, sizeof path, "%s/fortunes", datasets) < 0 || mkdir(path, 0700) != 0)
        return -1;
    return setenv("RMSPROP_DATASETS", datasets, 1) == 0 ? write_corpus(state) : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[128];
    for (size_t i = 0; i < CLASSES; ++i) {
        (void)snprintf(path, sizeof path, "%s/fortunes/%s", datasets, files[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/fortunes", datasets);
    return rmdir(path) == 0 ? rmdir(datasets) : -1;
}

/* 320 texts. The vocabulary begins with "end", "s" and "the", of every text, and the names of the files; of the words
 * of four texts, those are in it that three or more to train on have. */
static void texts_are_cut_into_words_and_parts(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("text", NULL, NULL);
    const struct lab_corpus *const corpus = instance.shared;
    static const size_t counts[] = {CLASSES * TEXTS - 2 * 48, 48, 48};
    size_t trained_on[12 + 80] = {0}, sources[CLASSES] = {0};
    assert_in_range(corpus->vocabulary, 12 + 1, 12 + 79); /* songs-poems are two words */
    for (size_t part = 0; part < LAB_CORPUS_PARTS; ++part) {
        assert_int_equal(corpus->counts[part], counts[part]);
        for (size_t i = 0; i < counts[part]; ++i) {
            const struct lab_text *const text = &corpus->texts[part][i];
            const uint32_t *const numbers = corpus->words + text->first;
            const size_t common = text->source == 6 ? 8 : 7;
            assert_in_range(text->count, common, common + 1);
            assert_int_equal(numbers[0], 2);
            assert_in_range(numbers[1], 3, 11);
            assert_int_equal(numbers[common - 1], 2);
            if (text->count > common)
                assert_in_range(numbers[common], 12, corpus->vocabulary - 1);
            trained_on[numbers[text->count - 1]] += part == LAB_CORPUS_TRAIN;
            ++sources[text->source];
        }
    }
    for (size_t word = 12; word < corpus->vocabulary; ++word)
        assert_in_range(trained_on[word], LAB_CORPUS_TEXTS_MIN, 4);
    for (size_t i = 0; i < CLASSES; ++i)
        assert_int_equal(sources[i], TEXTS);
    lab_instance_close(&instance);
}

static void rows_are_the_words_of_the_batch(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("text", NULL, NULL);
    const struct lab_corpus *const corpus = instance.shared;
    struct lab_task *const task = create_task(&instance, 1);
    const rms_tensor embedding = tensor_of(&instance, task, 0);
    assert_int_equal(embedding.count, corpus->vocabulary * WIDTH);
    assert_null(embedding.grad);
    for (size_t step = 0; step < 10; ++step) {
        size_t count = 0, ends = 0;
        (void)instance.problem->gradient(task, step);
        const rms_rows *const rows = instance.problem->rows(task, &count);
        assert_int_equal(count, 1);
        assert_true(rows->tensor == 0 && rows->width == WIDTH && rows->mode == RMS_ROWS_LAZY);
        assert_in_range(rows->row_count, 7 * BATCH, 9 * BATCH);
        for (size_t i = 0; i < rows->row_count; ++i) {
            assert_in_range(rows->indices[i], 0, (int64_t)corpus->vocabulary - 1);
            ends += rows->indices[i] == 0;
        }
        assert_int_equal(ends, BATCH); /* "end" is in each text once */
    }
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

/* The sum of the rows' gradients of one word, in the direction of a column of the layer above. */
static double slope_along(const rms_rows *rows, int64_t word, const float *direction)
{
    double slope = 0.0;
    for (size_t i = 0; i < rows->row_count; ++i)
        for (size_t j = 0; rows->indices[i] == word && j < WIDTH; ++j)
            slope += (double)((const float *)rows->values)[i * WIDTH + j] * (double)direction[j];
    return slope;
}

/* A word's row is moved by h along a column w of the layer above, whose weights are below sqrt(6 / 72) = 0.29. That moves
 * outputs apart by at most R = 2 x 64 x 0.29^2 = 10.8 each for a step of 1 in a text of nothing but that word; "the" is 4
 * of 7 words or more, so that R < 6.2. The third derivative of the loss is the third central moment of these movements
 * under the softmax, at most R^3 / (6 sqrt 3) = 23 (a variable on [0, R]), the difference's own error h^2 / 6 times it.
 * Outputs are sums of 64 products below 0.29 x 0.4, four deviations of a row, in f32: wrong by less than
 * 64 x 64 x 0.12 x 2^-24 = 2.9e-5, the loss by twice that, and the difference by 1 / h as much. h = 2^-6 makes 0.00093 and
 * 0.0037. */
static void row_gradients_are_those_of_differences(void **state)
{
    (void)state;
    const double h = 0x1p-6, bound = h * h / 6.0 * 23.0 + 2.0 * 2.9e-5 / h;
    struct lab_instance instance = open_request("text", NULL, NULL);
    struct lab_task *const task = create_task(&instance, 2);
    float *const embedding = tensor_of(&instance, task, 0).param;
    const float *const weights = tensor_of(&instance, task, 1).param;
    double largest = 0.0;
    for (size_t word = 0; word < 12; ++word)
        for (size_t k = 0; k < CLASSES; ++k) {
            float direction[WIDTH], kept[WIDTH];
            double values[2];
            memcpy(kept, embedding + word * WIDTH, sizeof kept);
            for (size_t j = 0; j < WIDTH; ++j)
                direction[j] = weights[j * CLASSES + k];
            for (int side = 0; side < 2; ++side) {
                for (size_t j = 0; j < WIDTH; ++j)
                    embedding[word * WIDTH + j] = kept[j] + (side == 0 ? 1.0F : -1.0F) * (float)h * direction[j];
                values[side] = instance.problem->gradient(task, k);
            }
            memcpy(embedding + word * WIDTH, kept, sizeof kept);
            (void)instance.problem->gradient(task, k);
            size_t count;
            const double slope = slope_along(instance.problem->rows(task, &count), (int64_t)word, direction);
            const double difference = (values[0] - values[1]) / (2.0 * h);
            largest = fabs(slope) > largest ? fabs(slope) : largest;
            if (!(fabs(slope - difference) < bound))
                fail_msg("word %zu, class %zu: %g, not %g", word, k, slope, difference);
        }
    assert_true(largest > 10.0 * bound);
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

/* One word of each text tells its file. */
static void training_tells_the_files_apart(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("text", NULL, NULL);
    const struct lab_contender contender = {.name = "adagrad", .options = rms_options_for(RMS_ADAGRAD)};
    double curve[6];
    struct lab_run run = {.seed = 1, .learning_rate = 0.2, .trial = lab_trial_none(), .curve = curve};
    rms_error error = {""};
    assert_ok(lab_run_train(&run, &instance, &contender, 100, NULL, NULL, &error), error.message);
    assert_true(run.final.test == 1.0);
    assert_true(run.final.training < 0.1 && curve[0] > 1.0);
    lab_instance_close(&instance);
}

static void what_is_missing_is_told_with_its_package(void **state)
{
    struct lab_instance instance;
    rms_error error = {""};
    const struct lab_request request = {.words = "text"};
    char path[128];
    assert_true(snprintf(path, sizeof path, "%s/fortunes/law", datasets) > 0);
    assert_int_equal(unlink(path), 0);
    assert_status(RMS_ERROR_FILE, lab_instance_open(&instance, &request, &error), error.message);
    assert_contains(error.message, "law");
    assert_contains(error.message, "(Debian's package fortunes brings it)");
    for (size_t i = 0; i < CLASSES; ++i)
        write_text(files[i], "One.\n%\nTwo.\n%\n\n%\n42\n");
    assert_status(RMS_ERROR_FORMAT, lab_instance_open(&instance, &request, &error), error.message);
    assert_contains(error.message, "hold 16 texts (expected 100 or more");
    (void)write_corpus(state);
}

static void a_run_has_these_bits_on_every_machine(void **state)
{
    const rms_isa isa = isa_of_test(state);
    struct lab_instance instance = open_request("text", NULL, NULL);
    assert_digest(0x256570777ae8bf50, digest_of_run(&instance, isa, 1, 40));
    lab_instance_close(&instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cut_into_words_and_parts),       cmocka_unit_test(rows_are_the_words_of_the_batch),
        cmocka_unit_test(row_gradients_are_those_of_differences),   cmocka_unit_test(training_tells_the_files_apart),
        cmocka_unit_test(what_is_missing_is_told_with_its_package), PER_ISA(a_run_has_these_bits_on_every_machine),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
