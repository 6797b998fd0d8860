/* Reads a table twice: once for its shape and for what its columns are, once for its cells. */
#include "table.h"

#include "whole_file.h"

#include <csv.h>
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX ((size_t)1 << 20)
#define PIECE ((size_t)1 << 16) /* so much is parsed before the length of a field is looked at again */

/* What the first reading finds out about some fields of a column. */
struct sight {
    struct lab_field_note word, not_finite; /* the first of each */
    size_t numbers, missing;
};

/* Of the first row, which may be a header, and of the rows below it. */
struct sights {
    struct sight first, below;
};

struct reader {
    struct lab_table *table;
    const char *name;
    rms_error *error;
    rms_status status;
    size_t line;     /* being parsed, from 1 */
    size_t row_line; /* where the present row began; 0 between rows */
    size_t row;      /* the present one, header included */
    size_t column;   /* of the field to come */

    /* The first reading's. */
    struct sights *sights;
    size_t room_of_columns;
    uint8_t *complete; /* of each row, whether no field is missing */
    size_t room_of_rows;

    size_t filled; /* rows, in the second reading */
};

__attribute__((format(printf, 3, 4))) static void refuse(struct reader *reader, rms_status status, const char *format,
                                                         ...)
{
    char name[112], what[360];
    if (reader->status != RMS_OK)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    lab_clean_text(name, sizeof name, reader->name);
    snprintf(reader->error->message, sizeof reader->error->message, "%s: %s", name, what);
    reader->status = status;
}

static void refuse_memory(struct reader *reader)
{
    refuse(reader, RMS_ERROR_MEMORY, "not enough memory for the table");
}

/* ---------------------------------------------------------------------------------------------------
 * Fields
 * ------------------------------------------------------------------------------------------------- */

enum field { MISSING, NUMBER, NOT_FINITE, WORD };

static bool same_word(const char *text, const char *word)
{
    while (*word != '\0' && tolower((unsigned char)*text) == *word)
        ++text, ++word;
    return *word == '\0' && *text == '\0';
}

/* strtod alone would also take hexadecimal numbers and words for infinities, some of them in one locale only. */
static enum field classify(const char *text, double *number)
{
    if (*text == '\0' || strcmp(text, "NA") == 0 || strcmp(text, "?") == 0)
        return MISSING;
    const char *const unsigned_text = text + (*text == '+' || *text == '-');
    if (same_word(unsigned_text, "inf") || same_word(unsigned_text, "infinity") || same_word(unsigned_text, "nan"))
        return NOT_FINITE;
    if (text[strspn(text, "0123456789+-.eE")] != '\0')
        return WORD;
    char *end = NULL;
    *number = strtod(text, &end);
    if (end == text || *end != '\0')
        return WORD;
    return fabs(*number) <= LAB_TABLE_NUMBER_MAX ? NUMBER : NOT_FINITE;
}

static void note(struct lab_field_note *kept, const struct reader *reader, const char *text)
{
    if (kept->line != 0)
        return;
    kept->line = reader->row_line;
    lab_clean_text(kept->text, sizeof kept->text, text);
}

static char *copy_of(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *const copy = malloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

/* ---------------------------------------------------------------------------------------------------
 * The first reading: shape and kinds
 * ------------------------------------------------------------------------------------------------- */

/* Room for one more column, which the first row has. */
static bool add_column(struct reader *reader, const char *name)
{
    struct lab_table *const table = reader->table;
    if (table->column_count == LAB_TABLE_COLUMNS_MAX) {
        refuse(reader, RMS_ERROR_FORMAT, "line %zu has more than %d fields", reader->row_line, LAB_TABLE_COLUMNS_MAX);
        return false;
    }
    if (table->column_count == reader->room_of_columns) {
        const size_t room = reader->room_of_columns == 0 ? 16 : reader->room_of_columns * 2;
        struct lab_column *const columns = realloc(table->columns, room * sizeof *columns);
        table->columns = columns ? columns : table->columns;
        struct sights *const sights = realloc(reader->sights, room * sizeof *sights);
        reader->sights = sights ? sights : reader->sights;
        if (!columns || !sights) {
            refuse_memory(reader);
            return false;
        }
        reader->room_of_columns = room;
    }
    reader->sights[table->column_count] = (struct sights){0};
    table->columns[table->column_count] = (struct lab_column){.name = copy_of(name)};
    if (!table->columns[table->column_count++].name)
        refuse_memory(reader);
    return reader->status == RMS_OK;
}

static bool add_row(struct reader *reader)
{
    if (reader->row == reader->room_of_rows) {
        const size_t room = reader->room_of_rows == 0 ? 1024 : reader->room_of_rows * 2;
        uint8_t *const complete = realloc(reader->complete, room);
        if (!complete) {
            refuse_memory(reader);
            return false;
        }
        reader->complete = complete;
        reader->room_of_rows = room;
    }
    reader->complete[reader->row] = 1;
    return true;
}

static void see_field(void *field, size_t length, void *context)
{
    (void)length;
    struct reader *const reader = context;
    const char *const text = field;
    const size_t column = reader->column++;
    if (reader->status != RMS_OK || (column == 0 && !add_row(reader)) ||
        (reader->row == 0 && !add_column(reader, text)) || column >= reader->table->column_count)
        return;
    struct sights *const sights = &reader->sights[column];
    struct sight *const sight = reader->row == 0 ? &sights->first : &sights->below;
    double number = 0.0;
    switch (classify(text, &number)) {
    case MISSING:
        reader->complete[reader->row] = 0;
        ++sight->missing;
        break;
    case NUMBER:
        ++sight->numbers;
        break;
    case NOT_FINITE:
        note(&sight->not_finite, reader, text);
        break;
    case WORD:
        note(&sight->word, reader, text);
        break;
    }
}

static void see_row(int end, void *context)
{
    (void)end;
    struct reader *const reader = context;
    if (reader->status == RMS_OK && reader->column != reader->table->column_count)
        refuse(reader, RMS_ERROR_FORMAT, "line %zu has %zu field%s, but the first line has %zu", reader->row_line,
               reader->column, reader->column == 1 ? "" : "s", reader->table->column_count);
    ++reader->row;
    reader->column = 0;
    reader->row_line = 0;
}

/* A word over numbers alone is a title; so are words everywhere. */
static bool has_header(const struct reader *reader)
{
    size_t words = 0, others = 0;
    for (size_t i = 0; i < reader->table->column_count; ++i) {
        const struct sights *const sights = &reader->sights[i];
        if (sights->first.word.line != 0 && sights->below.numbers > 0 && sights->below.word.line == 0)
            return true;
        words += sights->first.word.line != 0;
        others += sights->first.numbers > 0 || sights->first.not_finite.line != 0;
    }
    return words > 0 && others == 0;
}

/* Takes over what was seen, without the first row or with it. */
static void decide_column(struct reader *reader, size_t number)
{
    const struct sights *const sights = &reader->sights[number - 1];
    struct lab_column *const column = &reader->table->columns[number - 1];
    const bool with_first = !reader->table->header;
    const struct sight *const first = with_first && sights->first.word.line != 0 ? &sights->first : &sights->below;
    const struct sight *const bad = with_first && sights->first.not_finite.line != 0 ? &sights->first : &sights->below;
    column->word = first->word;
    column->words = column->word.line != 0;
    column->missing = sights->below.missing + (with_first ? sights->first.missing : 0);
    if (with_first) {
        char digits[24];
        snprintf(digits, sizeof digits, "%zu", number);
        free(column->name);
        column->name = copy_of(digits);
    }
    if (!column->name)
        refuse_memory(reader);
    if (!column->words && bad->not_finite.line != 0)
        refuse(reader, RMS_ERROR_FORMAT, "line %zu, column %zu: \"%s\" is not a number within 1e30",
               bad->not_finite.line, number, bad->not_finite.text);
}

static void decide_columns(struct reader *reader)
{
    reader->table->header = has_header(reader);
    for (size_t i = 0; i < reader->table->column_count && reader->status == RMS_OK; ++i)
        decide_column(reader, i + 1);
}

/* ---------------------------------------------------------------------------------------------------
 * The second reading: cells
 * ------------------------------------------------------------------------------------------------- */

static void forget_values(struct lab_column *column)
{
    for (size_t i = 0; i < column->value_count; ++i)
        free(column->values[i]);
    free(column->values);
    column->values = NULL;
    column->value_count = 0;
}

/* The number of a value among those of its column, to which it is added where it is new. */
static double value_number(struct reader *reader, struct lab_column *column, const char *text)
{
    if (!column->values && reader->filled > 0)
        return 0.0; /* too many were there */
    for (size_t i = 0; column->values && i < column->value_count; ++i)
        if (strcmp(column->values[i], text) == 0)
            return (double)i;
    if (column->value_count == LAB_TABLE_VALUES_MAX) {
        forget_values(column);
        return 0.0;
    }
    if (!column->values)
        column->values = calloc(LAB_TABLE_VALUES_MAX, sizeof *column->values);
    char *const copy = column->values ? copy_of(text) : NULL;
    if (!copy) {
        refuse_memory(reader);
        return 0.0;
    }
    column->values[column->value_count] = copy;
    return (double)column->value_count++;
}

static void fill_field(void *field, size_t length, void *context)
{
    (void)length;
    struct reader *const reader = context;
    struct lab_table *const table = reader->table;
    const size_t column = reader->column++;
    if (reader->status != RMS_OK || (reader->row == 0 && table->header) || !reader->complete[reader->row])
        return;
    double *const cell = &table->cells[reader->filled * table->column_count + column];
    if (table->columns[column].words)
        *cell = value_number(reader, &table->columns[column], field);
    else
        (void)classify(field, cell);
}

static void fill_row(int end, void *context)
{
    (void)end;
    struct reader *const reader = context;
    reader->filled += !(reader->row == 0 && reader->table->header) && reader->complete[reader->row];
    ++reader->row;
    reader->column = 0;
    reader->row_line = 0;
}

/* ---------------------------------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------------------------------- */

/* The one that the first line has most of, outside quotation marks; of as many, the rarer in numbers and names. */
static char delimiter_of(const char *text, size_t count)
{
    static const char candidates[] = {'\t', ';', ','};
    size_t counts[sizeof candidates] = {0};
    bool quoted = false;
    size_t i = 0;
    while (i < count && (text[i] == '\n' || text[i] == '\r'))
        ++i;
    for (; i < count && (quoted || (text[i] != '\n' && text[i] != '\r')); ++i) {
        quoted ^= text[i] == '"';
        for (size_t c = 0; !quoted && c < sizeof candidates; ++c)
            counts[c] += text[i] == candidates[c];
    }
    size_t most = sizeof candidates - 1;
    for (size_t c = sizeof candidates; c-- > 0;)
        most = counts[c] >= counts[most] ? c : most;
    return counts[most] > 0 ? candidates[most] : ',';
}

/* The length of the line that begins here, with its end: LF, CR LF or CR. */
static size_t line_length(const char *text, size_t count)
{
    size_t length = 0;
    while (length < count && text[length] != '\n' && text[length] != '\r')
        ++length;
    const bool two = count - length >= 2 && text[length] == '\r' && text[length + 1] == '\n';
    return length == count ? count : length + 1 + two;
}

/* Nothing but white space, of which a tab may be a delimiter. */
static bool is_blank(const struct reader *reader, const char *text, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (text[i] == reader->table->delimiter || !strchr(" \t\r\n", text[i]))
            return false;
    return true;
}

static void explain(struct reader *reader, const struct csv_parser *parser, bool at_end)
{
    if (parser->status == CSV_ENOMEM || parser->status == CSV_ETOOBIG)
        refuse_memory(reader);
    else if (at_end)
        refuse(reader, RMS_ERROR_FORMAT, "a quotation mark is not closed in the row that begins in line %zu",
               reader->row_line);
    else
        refuse(reader, RMS_ERROR_FORMAT,
               "line %zu, field %zu: a quotation mark in the middle of a field (expected \"...\" around the field, and "
               "two for one in it)",
               reader->line, reader->column + 1);
}

typedef void on_field(void *field, size_t length, void *context);
typedef void on_row(int end, void *context);

static void parse_line(struct reader *reader, struct csv_parser *parser, const char *text, size_t count,
                       on_field *field, on_row *row)
{
    for (size_t done = 0; done < count && reader->status == RMS_OK; done += PIECE) {
        const size_t size = count - done < PIECE ? count - done : PIECE;
        if (csv_parse(parser, text + done, size, field, row, reader) != size)
            explain(reader, parser, false);
        else if (csv_get_buffer_size(parser) > FIELD_MAX)
            refuse(reader, RMS_ERROR_FORMAT,
                   "the row that begins in line %zu has a field of more than 1 MiB (a quotation mark that is not "
                   "closed?)",
                   reader->row_line);
    }
}

static void parse(struct reader *reader, const char *text, size_t count, on_field *field, on_row *row)
{
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
        refuse_memory(reader);
        return;
    }
    csv_set_delim(&parser, (unsigned char)reader->table->delimiter);
    csv_set_blk_size(&parser, 4096);
    reader->line = reader->row = reader->column = reader->row_line = 0;
    while (count > 0 && reader->status == RMS_OK) {
        const size_t length = line_length(text, count);
        ++reader->line;
        if (reader->row_line != 0 || !is_blank(reader, text, length)) {
            reader->row_line = reader->row_line != 0 ? reader->row_line : reader->line;
            parse_line(reader, &parser, text, length, field, row);
        }
        text += length;
        count -= length;
    }
    if (reader->status == RMS_OK && csv_fini(&parser, field, row, reader) != 0)
        explain(reader, &parser, true);
    csv_free(&parser);
}

/* Allocates the cells of the complete rows. */
static void make_room(struct reader *reader)
{
    struct lab_table *const table = reader->table;
    const size_t first = table->header ? 1 : 0;
    for (size_t row = first; row < reader->row; ++row)
        table->row_count += reader->complete[row];
    if (reader->row <= first) {
        refuse(reader, RMS_ERROR_FORMAT, "%s", reader->row == 0 ? "it is empty" : "nothing follows its header");
        return;
    }
    table->left_out = reader->row - first - table->row_count;
    if (table->row_count == 0) {
        size_t most = 0;
        for (size_t i = 1; i < table->column_count; ++i)
            most = table->columns[i].missing > table->columns[most].missing ? i : most;
        char name[48];
        lab_clean_text(name, sizeof name, table->columns[most].name);
        refuse(reader, RMS_ERROR_FORMAT,
               "no row is complete: of %zu, the column \"%s\" lacks %zu values (empty, NA or ?)", table->left_out, name,
               table->columns[most].missing);
    } else if (table->row_count > LAB_TABLE_CELLS_MAX / table->column_count)
        refuse(reader, RMS_ERROR_FORMAT, "its %zu rows of %zu columns are more than 2^27 cells", table->row_count,
               table->column_count);
    else
        table->cells = calloc(table->row_count * table->column_count, sizeof *table->cells);
    if (reader->status == RMS_OK && !table->cells)
        refuse_memory(reader);
}

/* The line in which text first has a byte 0, which no text has; 0 for none. */
static size_t line_of_zero(const char *text, size_t count)
{
    const char *const zero = memchr(text, '\0', count);
    size_t line = 1;
    for (const char *at = text; zero && at < zero; ++at)
        line += *at == '\n';
    return zero ? line : 0;
}

static void read_table(struct reader *reader, const char *text, size_t count)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some programs put before UTF-8 */
    if (count >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) {
        text += sizeof mark - 1;
        count -= sizeof mark - 1;
    }
    const size_t binary = line_of_zero(text, count);
    if (binary != 0) {
        refuse(reader, RMS_ERROR_FORMAT, "line %zu has a byte 0: it is no text in UTF-8", binary);
        return;
    }
    reader->table->delimiter = delimiter_of(text, count);
    parse(reader, text, count, see_field, see_row);
    if (reader->status == RMS_OK)
        decide_columns(reader);
    if (reader->status == RMS_OK)
        make_room(reader);
    if (reader->status == RMS_OK)
        parse(reader, text, count, fill_field, fill_row);
}

rms_status lab_table_read(struct lab_table *table, const char *name, const char *text, size_t count, rms_error *error)
{
    *table = (struct lab_table){0};
    struct reader reader = {.table = table, .name = name, .error = error, .status = RMS_OK};
    read_table(&reader, text, count);
    free(reader.sights);
    free(reader.complete);
    if (reader.status != RMS_OK)
        lab_table_free(table);
    return reader.status;
}

void lab_table_free(struct lab_table *table)
{
    for (size_t i = 0; i < table->column_count; ++i) {
        forget_values(&table->columns[i]);
        free(table->columns[i].name);
    }
    free(table->columns);
    free(table->cells);
    *table = (struct lab_table){0};
}

/* ---------------------------------------------------------------------------------------------------
 * Columns by name
 * ------------------------------------------------------------------------------------------------- */

#define NAME_COMPARED 48

static size_t shorter(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be put in, left out or exchanged (Levenshtein), of the first NAME_COMPARED. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_COMPARED + 1];
    const size_t rows = shorter(strlen(a), NAME_COMPARED), columns = shorter(strlen(b), NAME_COMPARED);
    for (size_t j = 0; j <= columns; ++j)
        row[j] = j;
    for (size_t i = 1; i <= rows; ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; ++j) {
            const size_t exchanged = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            const size_t shifted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = exchanged < shifted ? exchanged : shifted;
        }
    }
    return row[columns];
}

static rms_status unknown_column(const struct lab_table *table, const char *name, rms_error *error)
{
    char asked[48], near[48];
    size_t nearest = 0, least = SIZE_MAX;
    for (size_t i = 0; i < table->column_count; ++i) {
        const size_t distance = edit_distance(name, table->columns[i].name);
        if (distance < least) {
            least = distance;
            nearest = i;
        }
    }
    lab_clean_text(asked, sizeof asked, name);
    lab_clean_text(near, sizeof near, table->columns[nearest].name);
    if (table->header)
        snprintf(error->message, sizeof error->message, "no column is called \"%s\" (the nearest of %zu is \"%s\")",
                 asked, table->column_count, near);
    else
        snprintf(error->message, sizeof error->message,
                 "no column is called \"%s\": the file has no header, and its columns are 1 to %zu", asked,
                 table->column_count);
    return RMS_ERROR_ARGUMENT;
}

rms_status lab_table_find(const struct lab_table *table, const char *name, size_t *column, rms_error *error)
{
    *column = table->column_count - 1;
    if (!name)
        return RMS_OK;
    size_t found = 0;
    for (size_t i = 0; i < table->column_count; ++i)
        if (strcmp(table->columns[i].name, name) == 0 && found++ == 0)
            *column = i;
    if (found > 1) {
        char asked[48];
        lab_clean_text(asked, sizeof asked, name);
        snprintf(error->message, sizeof error->message, "%zu columns are called \"%s\" (a number would tell which)",
                 found, asked);
        return RMS_ERROR_ARGUMENT;
    }
    if (found == 1)
        return RMS_OK;
    char *end = NULL;
    const unsigned long long number = strtoull(name, &end, 10);
    if (isdigit((unsigned char)*name) && *end == '\0' && number >= 1 && number <= table->column_count) {
        *column = (size_t)number - 1;
        return RMS_OK;
    }
    return unknown_column(table, name, error);
}
