/* A table or a pair of IDX files of the user's: classes or a number, told from all other columns. */
#include "digest.h"
#include "idx.h"
#include "supervised.h"
#include "table.h"
#include "whole_file.h"

#include <rmsprop_lab.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MIN 20
#define WORDS_MAX 32         /* different ones in a column to learn from */
#define WHOLE_CLASSES_MAX 20 /* different whole numbers that still are classes */
#define CLASSES_MAX 256
#define WIDTH_MAX ((size_t)1 << 16)
#define INPUTS_MAX ((size_t)1 << 27) /* numbers in the samples: 512 MiB */
#define HELD_OUT_MAX ((size_t)10000)
#define SCORED ((size_t)5000) /* rows that the training loss is taken of */
#define SPLIT_SEED 0

struct shared {
    struct lab_dataset data; /* first: what lab_supervised_create looks for */
    float *rows;
    uint8_t *bytes;
    uint8_t *labels;
    float *targets;
};

static const struct lab_setting settings[] = {
    {"hidden", "tanh units in the hidden layer; 0 for none", 32, 0, 4096, true},
    {"batch", "samples in a batch, at most as many as there are to train on", 32, 1, 4096, true},
};
enum { HIDDEN, BATCH };

static void release(struct lab_instance *instance)
{
    struct shared *const shared = instance->shared;
    if (shared) {
        free(shared->rows);
        free(shared->bytes);
        free(shared->labels);
        free(shared->targets);
    }
    free(shared);
    instance->shared = NULL;
}

__attribute__((format(printf, 4, 5))) static rms_status refuse(const struct lab_instance *instance, rms_error *error,
                                                               rms_status status, const char *format, ...)
{
    char name[112], what[380];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    lab_clean_text(name, sizeof name, instance->source);
    snprintf(error->message, sizeof error->message, "%s: %s", name, what);
    return status;
}

static rms_status refuse_memory(const struct lab_instance *instance, rms_error *error)
{
    return refuse(instance, error, RMS_ERROR_MEMORY, "not enough memory for its samples");
}

/* ---------------------------------------------------------------------------------------------------
 * Parts: 15 % for validation and 15 % for the test, at most HELD_OUT_MAX rows each, the rest to train on; which rows they
 * are does not depend on the seed of a run
 * ------------------------------------------------------------------------------------------------- */

struct split {
    size_t count;
    size_t training; /* rows to train on; then as many to validate as to test */
    uint32_t *order;
};

static bool split_rows(struct split *split, size_t count)
{
    const size_t share = count * 15 / 100, held_out = share < HELD_OUT_MAX ? share : HELD_OUT_MAX;
    *split = (struct split){count, count - 2 * held_out, calloc(count, sizeof *split->order)};
    if (!split->order)
        return false;
    lab_random_permutation(SPLIT_SEED, 0, split->order, count);
    return true;
}

static struct lab_part part_of(const struct shared *shared, size_t first, size_t count, size_t width)
{
    return (struct lab_part){
        .count = count,
        .rows = shared->rows ? shared->rows + first * width : NULL,
        .bytes = shared->bytes ? shared->bytes + first * width : NULL,
        .labels = shared->labels ? shared->labels + first : NULL,
        .targets = shared->targets ? shared->targets + first : NULL,
    };
}

/* The net and the parts, of samples that lie in the order of the split. */
static void describe(struct lab_instance *instance, const struct split *split, size_t width, size_t outputs)
{
    struct shared *const shared = instance->shared;
    struct lab_dataset *const data = &shared->data;
    const size_t hidden = (size_t)instance->settings[HIDDEN];
    const size_t batch = (size_t)instance->settings[BATCH];
    const size_t held_out = (split->count - split->training) / 2;
    data->training = part_of(shared, 0, split->training, width);
    data->validation = part_of(shared, split->training, held_out, width);
    data->test = part_of(shared, split->training + held_out, held_out, width);
    data->batch = batch < split->training ? batch : split->training;
    data->scored = SCORED;
    data->layer_count = hidden > 0 ? 2 : 1;
    data->sizes[0] = width;
    data->sizes[1] = hidden > 0 ? hidden : outputs;
    data->sizes[2] = hidden > 0 ? outputs : 0;
}

/* Half of the loss on the validation part of whoever knows the training part's shares of classes (with one sample more
 * of each), or its mean, and nothing else. */
static double target_of(const struct lab_dataset *data, size_t classes)
{
    const struct lab_part *const training = &data->training, *const validation = &data->validation;
    double shares[CLASSES_MAX], sum = 0.0;
    for (size_t c = 0; c < classes; ++c)
        shares[c] = 1.0;
    for (size_t i = 0; training->labels && i < training->count; ++i)
        shares[training->labels[i]] += 1.0;
    for (size_t i = 0; (validation->labels || validation->targets) && i < validation->count; ++i)
        sum += validation->labels ? lab_log((double)(training->count + classes) / shares[validation->labels[i]])
                                  : (double)validation->targets[i] * (double)validation->targets[i];
    return 0.5 * sum / (double)validation->count;
}

/* ---------------------------------------------------------------------------------------------------
 * The column to be told
 * ------------------------------------------------------------------------------------------------- */

struct target {
    size_t column;
    size_t classes;                    /* 0: a number */
    double numbers[WHOLE_CLASSES_MAX]; /* the class of number i, where classes are numbers */
};

/* Classes in the order of their appearance, as long as they are few and whole. */
static void find_classes(struct target *target, const struct lab_table *table)
{
    for (size_t row = 0; row < table->row_count; ++row) {
        const double number = table->cells[row * table->column_count + target->column];
        size_t i = 0;
        while (i < target->classes && target->numbers[i] != number)
            ++i;
        if (i == WHOLE_CLASSES_MAX || number != floor(number)) {
            target->classes = 0;
            return;
        }
        if (i == target->classes)
            target->numbers[target->classes++] = number;
    }
}

static rms_status choose_target(struct target *target, const struct lab_table *table,
                                const struct lab_instance *instance, rms_error *error)
{
    rms_error reason = {""};
    *target = (struct target){0};
    const rms_status status = lab_table_find(table, instance->column, &target->column, &reason);
    if (status != RMS_OK)
        return refuse(instance, error, status, "%.300s", reason.message);
    const struct lab_column *const column = &table->columns[target->column];
    char name[48];
    lab_clean_text(name, sizeof name, column->name);
    if (!column->words)
        find_classes(target, table);
    else if (column->value_count > 0)
        target->classes = column->value_count;
    else
        return refuse(instance, error, RMS_ERROR_FORMAT,
                      "the target \"%s\" has more than %d different words (line %zu: \"%s\")", name, CLASSES_MAX,
                      column->word.line, column->word.text);
    if (target->classes == 1)
        return refuse(instance, error, RMS_ERROR_FORMAT,
                      "the target \"%s\" has one value only: there is nothing to tell apart", name);
    return RMS_OK;
}

static uint8_t label_of(const struct target *target, const struct lab_column *column, double cell)
{
    size_t i = 0;
    while (!column->words && target->numbers[i] != cell)
        ++i;
    return (uint8_t)(column->words ? (size_t)cell : i);
}

/* ---------------------------------------------------------------------------------------------------
 * The columns to learn from
 * ------------------------------------------------------------------------------------------------- */

/* The mean and the standard deviation of a column in the training part. */
struct scale {
    double mean, deviation;
};

static struct scale scale_of(const struct lab_table *table, const struct split *split, size_t column)
{
    struct scale scale = {0.0, 0.0};
    const double count = (double)split->training;
    for (size_t i = 0; i < split->training; ++i)
        scale.mean += table->cells[split->order[i] * table->column_count + column] / count;
    for (size_t i = 0; i < split->training; ++i) {
        const double distance = table->cells[split->order[i] * table->column_count + column] - scale.mean;
        scale.deviation += distance * distance / count;
    }
    /* What rounding leaves of a column of equal numbers is no deviation. */
    scale.deviation = sqrt(scale.deviation);
    if (scale.deviation <= 1e-12 * fabs(scale.mean))
        scale.deviation = 0.0;
    return scale;
}

/* How many inputs a column makes: none where it always says the same. */
static size_t width_of(const struct lab_column *column, struct scale scale)
{
    if (column->words)
        return column->value_count > 1 ? column->value_count : 0;
    return scale.deviation > 0.0 ? 1 : 0;
}

static rms_status check_words(const struct lab_table *table, const struct target *target,
                              const struct lab_instance *instance, rms_error *error)
{
    for (size_t i = 0; i < table->column_count; ++i) {
        const struct lab_column *const column = &table->columns[i];
        char name[48];
        lab_clean_text(name, sizeof name, column->name);
        if (i != target->column && column->words && (column->value_count == 0 || column->value_count > WORDS_MAX))
            return refuse(instance, error, RMS_ERROR_FORMAT,
                          "line %zu, column %zu (\"%s\"): \"%s\" is no number, and with more than %d different values "
                          "the column is no list of words either (leave it out, or mend the line)",
                          column->word.line, i + 1, name, column->word.text, WORDS_MAX);
    }
    return RMS_OK;
}

/* One number of a column after the other, standardized; a word as 1 in a place of its own. */
static void fill_column(float *inputs, size_t width, const struct lab_table *table, const struct split *split,
                        size_t number, struct scale scale)
{
    for (size_t i = 0; i < split->count; ++i) {
        const double cell = table->cells[split->order[i] * table->column_count + number];
        if (table->columns[number].words)
            inputs[i * width + (size_t)cell] = 1.0F;
        else
            inputs[i * width] = (float)((cell - scale.mean) / scale.deviation);
    }
}

static rms_status fill_rows(struct shared *shared, size_t *width, const struct lab_table *table,
                            const struct target *target, const struct split *split, const struct lab_instance *instance,
                            rms_error *error)
{
    struct scale *const scales = calloc(table->column_count, sizeof *scales);
    if (!scales)
        return refuse_memory(instance, error);
    *width = 0;
    for (size_t i = 0; i < table->column_count; ++i) {
        scales[i] = scale_of(table, split, i);
        *width += i == target->column ? 0 : width_of(&table->columns[i], scales[i]);
    }
    rms_status status = RMS_OK;
    if (*width == 0)
        status = refuse(instance, error, RMS_ERROR_FORMAT,
                        "there is no column to learn from: besides the target, none has different values");
    else if (*width > WIDTH_MAX || split->count > INPUTS_MAX / *width)
        status = refuse(instance, error, RMS_ERROR_FORMAT,
                        "%zu rows of %zu inputs are too many (expected 65536 inputs and 2^27 numbers at most)",
                        split->count, *width);
    else {
        shared->rows = calloc(split->count * *width, sizeof *shared->rows);
        status = shared->rows ? RMS_OK : refuse_memory(instance, error);
    }
    size_t place = 0;
    for (size_t i = 0; status == RMS_OK && i < table->column_count; ++i) {
        const size_t taken = i == target->column ? 0 : width_of(&table->columns[i], scales[i]);
        if (taken > 0)
            fill_column(shared->rows + place, *width, table, split, i, scales[i]);
        place += taken;
    }
    free(scales);
    return status;
}

static rms_status fill_targets(struct shared *shared, const struct lab_table *table, const struct target *target,
                               const struct split *split, const struct lab_instance *instance, rms_error *error)
{
    const struct lab_column *const column = &table->columns[target->column];
    const struct scale scale = scale_of(table, split, target->column);
    if (target->classes > 0)
        shared->labels = calloc(split->count, sizeof *shared->labels);
    else if (scale.deviation > 0.0)
        shared->targets = calloc(split->count, sizeof *shared->targets);
    else
        return refuse(instance, error, RMS_ERROR_FORMAT,
                      "the target has one value only among the rows to train on: there is nothing to learn");
    if (!shared->labels && !shared->targets)
        return refuse_memory(instance, error);
    for (size_t i = 0; i < split->count; ++i) {
        const double cell = table->cells[split->order[i] * table->column_count + target->column];
        if (shared->labels)
            shared->labels[i] = label_of(target, column, cell);
        else
            shared->targets[i] = (float)((cell - scale.mean) / scale.deviation);
    }
    shared->data.deviation = target->classes > 0 ? 0.0 : scale.deviation;
    return RMS_OK;
}

/* ---------------------------------------------------------------------------------------------------
 * Tables
 * ------------------------------------------------------------------------------------------------- */

static void tell_table(struct lab_instance *instance, const struct lab_table *table, const struct target *target)
{
    char file[36], column[28], of[24] = "", left_out[48] = "";
    lab_clean_text(file, sizeof file, lab_file_name(instance->source));
    lab_clean_text(column, sizeof column, table->columns[target->column].name);
    if (target->classes > 0)
        snprintf(of, sizeof of, " (%u classes)", (unsigned)target->classes);
    if (table->left_out > 0)
        snprintf(left_out, sizeof left_out, ", %zu incomplete left out", table->left_out);
    snprintf(instance->title, sizeof instance->title, "%s: %s%s from %zu rows%s", file, column, of, table->row_count,
             left_out);
    if (target->classes == 0)
        instance->test = (struct lab_quantity){.name = "test error", .unit = "", .factor = 1.0};
}

static rms_status use_table(struct lab_instance *instance, const struct lab_table *table, rms_error *error)
{
    struct shared *const shared = instance->shared;
    struct target target;
    struct split split;
    size_t width = 0;
    if (table->column_count < 2)
        return refuse(instance, error, RMS_ERROR_FORMAT,
                      "it has one column only (expected two or more, split by commas, semicolons or tabs)");
    if (table->row_count < ROWS_MIN)
        return refuse(instance, error, RMS_ERROR_FORMAT, "it has %zu complete rows (expected %d or more)",
                      table->row_count, ROWS_MIN);
    rms_status status = choose_target(&target, table, instance, error);
    if (status == RMS_OK)
        status = check_words(table, &target, instance, error);
    if (status != RMS_OK)
        return status;
    if (!split_rows(&split, table->row_count))
        return refuse_memory(instance, error);
    status = fill_rows(shared, &width, table, &target, &split, instance, error);
    if (status == RMS_OK)
        status = fill_targets(shared, table, &target, &split, instance, error);
    if (status == RMS_OK) {
        describe(instance, &split, width, target.classes > 0 ? target.classes : 1);
        instance->target = target_of(&shared->data, target.classes);
        tell_table(instance, table, &target);
    }
    free(split.order);
    return status;
}

/* ---------------------------------------------------------------------------------------------------
 * IDX files
 * ------------------------------------------------------------------------------------------------- */

static bool is_idx(const struct lab_file *file)
{
    return file->count >= 4 && memcmp(file->bytes, "\0\0", 2) == 0 && file->bytes[2] != 0 && file->bytes[3] != 0;
}

/* Numbers in a sample. */
static size_t idx_width(const struct lab_idx *samples)
{
    size_t width = 1;
    for (size_t i = 1; i < samples->dimension_count; ++i)
        width *= samples->sizes[i];
    return width;
}

static rms_status check_idx(const struct lab_idx *samples, const struct lab_idx *labels, size_t *classes,
                            const struct lab_instance *instance, rms_error *error)
{
    const size_t count = samples->sizes[0];
    if (samples->dimension_count < 2)
        return refuse(instance, error, RMS_ERROR_FORMAT, "it holds labels, not samples (those go to --target)");
    if (labels->dimension_count != 1 || labels->sizes[0] != count)
        return refuse(instance, error, RMS_ERROR_FORMAT, "it holds %zu samples, but the file of --target no %zu labels",
                      count, count);
    if (count < ROWS_MIN || idx_width(samples) > WIDTH_MAX)
        return refuse(instance, error, RMS_ERROR_FORMAT,
                      "it holds %zu samples of %zu numbers (expected %d or more of at most 65536)", count,
                      idx_width(samples), ROWS_MIN);
    size_t largest = 0, least = SIZE_MAX;
    for (size_t i = 0; i < count; ++i) {
        largest = labels->bytes[i] > largest ? labels->bytes[i] : largest;
        least = labels->bytes[i] < least ? labels->bytes[i] : least;
    }
    *classes = largest + 1;
    if (largest == least)
        return refuse(instance, error, RMS_ERROR_FORMAT,
                      "all labels of its samples are %zu: there is nothing to tell apart", largest);
    return RMS_OK;
}

static rms_status fill_bytes(struct shared *shared, const struct lab_idx *samples, const struct lab_idx *labels,
                             const struct split *split, const struct lab_instance *instance, rms_error *error)
{
    const size_t width = idx_width(samples);
    shared->bytes = malloc(samples->count);
    shared->labels = malloc(split->count);
    if (!shared->bytes || !shared->labels)
        return refuse_memory(instance, error);
    for (size_t i = 0; i < split->count; ++i) {
        memcpy(shared->bytes + i * width, samples->bytes + split->order[i] * width, width);
        shared->labels[i] = labels->bytes[split->order[i]];
    }
    return RMS_OK;
}

static rms_status use_idx(struct lab_instance *instance, const struct lab_idx *samples, const struct lab_idx *labels,
                          rms_error *error)
{
    struct split split;
    size_t classes = 0;
    rms_status status = check_idx(samples, labels, &classes, instance, error);
    if (status != RMS_OK)
        return status;
    if (!split_rows(&split, samples->sizes[0]))
        return refuse_memory(instance, error);
    status = fill_bytes(instance->shared, samples, labels, &split, instance, error);
    if (status == RMS_OK) {
        struct lab_dataset *const data = instance->shared;
        char file[48];
        lab_clean_text(file, sizeof file, lab_file_name(instance->source));
        describe(instance, &split, idx_width(samples), classes);
        instance->target = target_of(data, classes);
        instance->data_hash = lab_digest_bytes(LAB_DIGEST_EMPTY, samples->bytes, samples->count);
        instance->data_hash = lab_digest_bytes(instance->data_hash, labels->bytes, labels->count);
        snprintf(instance->title, sizeof instance->title, "%s: %zu classes from %zu samples", file, classes,
                 split.count);
    }
    free(split.order);
    return status;
}

static rms_status read_idx(struct lab_instance *instance, rms_error *error)
{
    struct lab_idx samples = {0}, labels = {0};
    if (!instance->column)
        return refuse(instance, error, RMS_ERROR_ARGUMENT,
                      "an IDX file of samples wants one of labels (--target LABELS.idx)");
    rms_status status = lab_idx_read(&samples, instance->source, error);
    if (status == RMS_OK)
        status = lab_idx_read(&labels, instance->column, error);
    if (status == RMS_OK)
        status = use_idx(instance, &samples, &labels, error);
    lab_idx_free(&samples);
    lab_idx_free(&labels);
    return status;
}

/* ------------------------------------------------------------------------------------------------- */

static rms_status read_source(struct lab_instance *instance, rms_error *error)
{
    struct lab_file file;
    struct lab_table table;
    rms_status status = lab_file_read(&file, instance->source, error);
    if (status != RMS_OK)
        return status;
    if (is_idx(&file)) {
        lab_file_free(&file);
        return read_idx(instance, error);
    }
    instance->data_hash = lab_digest_bytes(LAB_DIGEST_EMPTY, file.bytes, file.count);
    status = lab_table_read(&table, instance->source, file.bytes, file.count, error);
    lab_file_free(&file);
    if (status == RMS_OK)
        status = use_table(instance, &table, error);
    lab_table_free(&table);
    return status;
}

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    if (!instance->source || *instance->source == '\0') {
        snprintf(error->message, sizeof error->message,
                 "data: it wants a file (expected --data FILE, and --target COLUMN unless it is the last)");
        return RMS_ERROR_ARGUMENT;
    }
    instance->shared = calloc(1, sizeof(struct shared));
    if (!instance->shared)
        return refuse_memory(instance, error);
    const rms_status status = read_source(instance, error);
    if (status != RMS_OK)
        release(instance);
    return status;
}

const struct lab_problem lab_problem_data = {
    .struct_size = sizeof(struct lab_problem),
    .name = "data",
    .title = "A table of your own",
    .summary = "your own CSV or IDX file (--data FILE --target COLUMN), a net with one hidden layer of tanh units",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .training = LAB_TRAINING_LOSS,
    .validation = LAB_VALIDATION_LOSS,
    .test = LAB_TEST_ACCURACY,
    .steps = 800,
    .quick_steps = 400,
    .score_every = 40,
    .prepare = prepare,
    .release = release,
    .create = lab_supervised_create,
    .destroy = lab_supervised_destroy,
    .tensors = lab_supervised_tensors,
    .gradient = lab_supervised_gradient,
    .score = lab_supervised_score,
};
