/* Reads golden files and draws what they leave out. */
#include "golden_file.h"

#include "golden_bounds.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

const int golden_steps_kept[GOLDEN_KEPT] = {1, 2, 5, 10, 20, GOLDEN_STEPS};

/* ---- Numbers, as in golden.py. */

/* A number of [-1, 1) with all the bits of its dtype. */
static double draw_number(uint64_t *state, rms_dtype dtype)
{
    const unsigned digits = dtype == RMS_F64 ? 52 : 23;
    const int64_t units = (int64_t)(random_bits(state) >> (63 - digits)) - (INT64_C(1) << digits);
    return (double)units / (double)(INT64_C(1) << digits);
}

/* draw is new at every step, fixed is the element's own. */
static double gradient(unsigned kind, int step, double draw, double fixed)
{
    switch (kind) {
    case 0:
        return 0.0;
    case 1: /* its square vanishes in float */
        return draw * 0x1p-100;
    case 2: /* its square is subnormal in float */
        return draw * 0x1p-70;
    case 3:
        return draw * 0x1p33;
    case 4:
        return fixed;
    case 5:
        return step % 2 == 0 ? fixed : -fixed;
    case 6:
        return step % 7 == 0 ? draw : 0.0;
    case 7:
        return step == 1 ? draw * 0x1p33 : draw;
    case 8:
        return draw * 0x1p-12;
    case 9:
        return draw * 0x1p10;
    case 10: /* its square overflows float */
        return draw * 0x1p100;
    case 11:
        return step == 3 ? draw * 0x1p100 : draw;
    default:
        return draw;
    }
}

void golden_gradients(double *grad, rms_dtype dtype, int step)
{
    uint64_t draws = (uint64_t)step;
    uint64_t own = 1000;
    for (unsigned i = 0; i < GOLDEN_COUNT; ++i) {
        const double draw = draw_number(&draws, dtype);
        grad[i] = gradient(i % GOLDEN_KINDS, step, draw, draw_number(&own, dtype));
    }
}

/* The second element of each kind starts at 0, where nothing hides the error of the movement. */
void golden_parameters(double *param, rms_dtype dtype)
{
    uint64_t draws = 2000;
    for (unsigned i = 0; i < GOLDEN_COUNT; ++i)
        param[i] = i < GOLDEN_KINDS ? 2.0 * draw_number(&draws, dtype) : 0.0;
}

static void write_row(double *values, int64_t row, const double *grad)
{
    memcpy(values, grad + (size_t)row * GOLDEN_WIDTH, GOLDEN_WIDTH * sizeof *grad);
}

size_t golden_rows(int64_t *indices, double *values, rms_dtype dtype, int step)
{
    double grad[GOLDEN_COUNT], again[GOLDEN_COUNT];
    golden_gradients(grad, dtype, step);
    golden_gradients(again, dtype, step + 100);
    size_t count = 0;
    for (int64_t row = GOLDEN_COUNT / GOLDEN_WIDTH - 1; row >= 0; --row)
        if ((5 * row + step) % 3 == 0) {
            write_row(values + count * GOLDEN_WIDTH, row, grad);
            indices[count++] = row;
        }
    write_row(values + count * GOLDEN_WIDTH, indices[0], again);
    indices[count] = indices[0];
    return count + 1;
}

/* ---- The file. */

enum { LINE_SIZE = 16384 };

static _Noreturn void refuse(const struct golden_reader *reader, const char *what)
{
    fail_msg("%s, line %zu: %s", reader->path, reader->line, what);
    abort();
}

/* The next line that is not a comment, without its end; false at the end of the file. */
static bool read_line(struct golden_reader *reader, char *line)
{
    while (fgets(line, LINE_SIZE, reader->file)) {
        ++reader->line;
        char *end = strchr(line, '\n');
        if (!end)
            refuse(reader, "the line is too long or has no end");
        *end = '\0';
        if (line[0] != '#')
            return true;
    }
    return false;
}

/* The rest of a line that begins with word and a space, or NULL. */
static char *after(char *line, const char *word)
{
    const size_t length = strlen(word);
    return strncmp(line, word, length) == 0 && line[length] == ' ' ? line + length + 1 : NULL;
}

static void copy_text(const struct golden_reader *reader, char *to, size_t size, const char *text)
{
    if (strlen(text) >= size)
        refuse(reader, "a text is too long");
    memcpy(to, text, strlen(text) + 1);
}

/* Cuts the first word off, which must be there. */
static char *cut(const struct golden_reader *reader, char **rest)
{
    char *word = *rest;
    if (word[0] == '"') {
        char *end = strchr(++word, '"');
        if (!end)
            refuse(reader, "a quotation has no end");
        *end = '\0';
        *rest = end[1] == ' ' ? end + 2 : end + 1;
        return word;
    }
    char *end = strchr(word, ' ');
    if (word[0] == '\0')
        refuse(reader, "the line is too short");
    *rest = end ? end + 1 : word + strlen(word);
    if (end)
        *end = '\0';
    return word;
}

static void read_words(struct golden_reader *reader, char *rest)
{
    reader->words = 0;
    while (*rest) {
        const char *name = cut(reader, &rest);
        size_t i = 0;
        while (i < word_count && strcmp(words[i].name, name) != 0)
            ++i;
        if (i == word_count)
            refuse(reader, "an unknown word of arithmetic");
        reader->words |= words[i].bit;
    }
}

static void read_options(const struct golden_reader *reader, struct golden_entry *entry, char *rest)
{
    copy_text(reader, entry->start, sizeof entry->start, cut(reader, &rest));
    entry->option_count = 0;
    while (*rest) {
        if (entry->option_count == GOLDEN_OPTIONS)
            refuse(reader, "too many options");
        struct golden_option *option = &entry->options[entry->option_count++];
        char *key = cut(reader, &rest);
        char *value = strchr(key, '=');
        char *colon = strchr(key, ':');
        if (!value)
            refuse(reader, "an option without a value");
        *value++ = '\0';
        option->step = colon ? (int)strtol(key, NULL, 10) : 1;
        copy_text(reader, option->key, sizeof option->key, colon ? colon + 1 : key);
        copy_text(reader, option->value, sizeof option->value, value);
    }
}

static void read_dtype(const struct golden_reader *reader, struct golden_entry *entry, const char *name)
{
    if (!rms_dtype_from_name(name, &entry->dtype))
        refuse(reader, "an unknown dtype");
}

static void read_parameters(struct golden_reader *reader, struct golden_entry *entry, char *line)
{
    for (size_t k = 0; k < GOLDEN_KEPT; ++k) {
        if (!read_line(reader, line))
            refuse(reader, "the file ends within a set");
        char *position = line;
        if (strtol(position, &position, 10) != golden_steps_kept[k])
            refuse(reader, "the parameters of another step belong here");
        for (size_t i = 0; i < GOLDEN_COUNT; ++i) {
            char *end;
            entry->param[k][i] = strtod(position, &end);
            if (end == position)
                refuse(reader, "too few numbers");
            position = end;
        }
    }
}

static void read_set(struct golden_reader *reader, struct golden_entry *entry, char *rest, char *line)
{
    entry->words = reader->words;
    copy_text(reader, entry->name, sizeof entry->name, cut(reader, &rest));
    read_dtype(reader, entry, cut(reader, &rest));
    if (entry->record == GOLDEN_ROWS && !rms_rows_mode_from_name(cut(reader, &rest), &entry->mode))
        refuse(reader, "an unknown mode of rows");
    copy_text(reader, entry->call, sizeof entry->call, cut(reader, &rest));
    read_options(reader, entry, rest);
    read_parameters(reader, entry, line);
    ++reader->sets;
}

static void read_constant(struct golden_reader *reader, struct golden_entry *entry, char *rest)
{
    read_dtype(reader, entry, cut(reader, &rest));
    entry->constant = strtod(cut(reader, &rest), NULL);
    entry->first_nan = (int)strtol(cut(reader, &rest), NULL, 10);
    copy_text(reader, entry->call, sizeof entry->call, cut(reader, &rest));
    copy_text(reader, entry->name, sizeof entry->name, "constant");
    read_options(reader, entry, rest);
    ++reader->constants;
}

static void read_end(struct golden_reader *reader, char *rest)
{
    const unsigned long sets = strtoul(cut(reader, &rest), NULL, 10);
    const unsigned long constants = strtoul(cut(reader, &rest), NULL, 10);
    if (sets != reader->sets || constants != reader->constants)
        refuse(reader, "the file holds another number of sets than it says");
    fclose(reader->file);
    reader->file = NULL;
}

struct golden_reader golden_open(const char *name)
{
    struct golden_reader reader = {0};
    snprintf(reader.path, sizeof reader.path, "%s/%s.txt", GOLDEN_DIRECTORY, name);
    reader.file = fopen(reader.path, "r");
    if (!reader.file)
        fail_msg("cannot open %s", reader.path);
    static char line[LINE_SIZE];
    const char *rest = read_line(&reader, line) ? after(line, "framework") : NULL;
    if (!rest)
        refuse(&reader, "the framework belongs here");
    copy_text(&reader, reader.framework, sizeof reader.framework, rest);
    rest = read_line(&reader, line) ? after(line, "versions") : NULL;
    if (!rest)
        refuse(&reader, "the versions belong here");
    copy_text(&reader, reader.versions, sizeof reader.versions, rest);
    return reader;
}

enum golden_record golden_next(struct golden_reader *reader, struct golden_entry *entry)
{
    static char line[LINE_SIZE];
    static const char *const names[] = {"set", "rows", "constant", "end"};
    while (read_line(reader, line)) {
        if (strncmp(line, "arithmetic", strlen("arithmetic")) == 0) {
            char *rest = after(line, "arithmetic");
            read_words(reader, rest ? rest : line + strlen(line));
            continue;
        }
        char *rest = NULL;
        size_t record = 0;
        while (record < COUNT_OF(names) && !(rest = after(line, names[record])))
            ++record;
        if (!rest)
            refuse(reader, "no record begins like this");
        entry->record = (enum golden_record)record;
        if (entry->record == GOLDEN_END)
            read_end(reader, rest);
        else if (entry->record == GOLDEN_CONSTANT)
            read_constant(reader, entry, rest);
        else
            read_set(reader, entry, rest, line);
        return entry->record;
    }
    refuse(reader, "the file was cut off");
}

/* ---- Options. */

static rms_options start_options(const struct golden_entry *entry)
{
    rms_options options;
    rms_error error;
    rms_rule rule = RMS_SGD;
    if (strncmp(entry->start, "preset=", 7) == 0) {
        assert_ok(rms_options_preset(&options, entry->start + 7, &error), error.message);
        return options;
    }
    if (strncmp(entry->start, "rule=", 5) != 0 || !rms_rule_from_name(entry->start + 5, &rule))
        fail_msg("%s: \"%s\" is neither a preset nor a rule", entry->name, entry->start);
    return rms_options_for(rule);
}

void golden_set_options(const struct golden_entry *entry, const char *without, int step, rms_options *options)
{
    rms_error error;
    for (size_t i = 0; i < entry->option_count; ++i) {
        const struct golden_option *option = &entry->options[i];
        if (option->step == step && strcmp(option->key, without) != 0)
            assert_ok(rms_options_set_text(options, option->key, option->value, &error), error.message);
    }
}

rms_options golden_options(const struct golden_entry *entry, const char *without)
{
    rms_options options = start_options(entry);
    golden_set_options(entry, without, 1, &options);
    return options;
}
