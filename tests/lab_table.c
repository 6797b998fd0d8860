/* Tables from text: what is read, and the sentence for each thing that cannot be. */
#include "support.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

/* Exactly as many bytes as there are, so that a sanitizer sees one read too many. */
static rms_status read_bytes(struct lab_table *table, const char *text, size_t count, rms_error *error)
{
    char *const copy = bytes_create(count);
    memcpy(copy, text, count);
    error->message[0] = '\0';
    const rms_status status = lab_table_read(table, "flowers.csv", copy, count, error);
    free(copy);
    return status;
}

static struct lab_table read_text(const char *text)
{
    struct lab_table table;
    rms_error error;
    assert_ok(read_bytes(&table, text, strlen(text), &error), error.message);
    return table;
}

static void assert_cells(const struct lab_table *table, const double *cells, size_t rows, size_t columns)
{
    assert_int_equal(table->row_count, rows);
    assert_int_equal(table->column_count, columns);
    for (size_t i = 0; i < rows * columns; ++i)
        if (table->cells[i] != cells[i])
            fail_msg("row %zu, column %zu: %g, not %g", i / columns, i % columns, table->cells[i], cells[i]);
}

static void numbers_and_words_are_told_apart(void **state)
{
    (void)state;
    struct lab_table table = read_text("a,b,kind\n1,-2.5e1,round\n.5,+3,flat\n2,0,round\n");
    static const double cells[] = {1, -25, 0, 0.5, 3, 1, 2, 0, 0};
    assert_true(table.header);
    assert_cells(&table, cells, 3, 3);
    assert_string_equal(table.columns[1].name, "b");
    assert_false(table.columns[0].words);
    assert_true(table.columns[2].words);
    assert_int_equal(table.columns[2].value_count, 2);
    assert_string_equal(table.columns[2].values[0], "round");
    assert_string_equal(table.columns[2].values[1], "flat");
    lab_table_free(&table);
    lab_table_free(&table);
}

static void every_delimiter_quote_and_line_end_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a,b\n1,2\n3,4\n",
        "a,b\n1,2\n3,4", /* no line end */
        "a;b\n1;2\n3;4\n",
        "a\tb\n1\t2\n3\t4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4\r",
        "\n\na,b\n\n1,2\n  \n3,4\n\n",
        "\xef\xbb\xbf\x61,b\n1,2\n3,4\n",
        "\"a\",\"b\"\n\"1\", 2 \n\"3\",4\n",
        "\"a\n\",\"b;;;\"\"\t\"\n1,2\n3,4\n",
    };
    static const double cells[] = {1, 2, 3, 4};
    for (size_t i = 0; i < COUNT_OF(texts); ++i) {
        struct lab_table table = read_text(texts[i]);
        assert_true(table.header);
        assert_cells(&table, cells, 2, 2);
        assert_int_equal(table.columns[0].name[0], 'a');
        assert_int_equal(table.columns[1].name[0], 'b');
        lab_table_free(&table);
    }
}

static void a_header_is_words_alone_or_a_word_over_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool header;
        size_t rows;
    } cases[] = {
        {"1,2\n3,4\n", false, 2},
        {"5.1,setosa\n4.9,setosa\n", false, 2}, /* UCI's files have none */
        {"a,b\nred,1\n", true, 1},
        {"x,y\nred,blue\n", true, 1},
        {"1999,kind,b\n3,red,2\n", true, 1}, /* b stands over a number */
        {"a,\n3,4\n", true, 1},              /* a title may be missing */
        {"NA,1\n3,4\n", false, 1},
        {"inf1,1\n3,4\n", true, 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_table table = read_text(cases[i].text);
        if (table.header != cases[i].header || table.row_count != cases[i].rows)
            fail_msg("case %zu: header %d, %zu rows", i, table.header, table.row_count);
        lab_table_free(&table);
    }
}

static void rows_with_missing_fields_are_left_out_and_counted(void **state)
{
    (void)state;
    struct lab_table table = read_text("a,b,c\n1,,x\n2,5,y\nNA,6,z\n3,?,x\n4,7,z\n5,8,\"\"\n");
    static const double cells[] = {2, 5, 0, 4, 7, 1};
    assert_cells(&table, cells, 2, 3);
    assert_int_equal(table.left_out, 4);
    assert_int_equal(table.columns[2].value_count, 2); /* of the rows that are left: y and z */
    assert_int_equal(table.columns[1].missing, 2);
    lab_table_free(&table);
}

static void every_bad_table_is_refused_by_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "flowers.csv: it is empty"},
        {"\n \r\n", "it is empty"},
        {"a,b\n", "nothing follows its header"},
        {"a,b\n1,2\n3\n", "line 3 has 1 field, but the first line has 2"},
        {"a,b\n1,2\n\n3,4,5\n", "line 4 has 3 fields, but the first line has 2"},
        {"a,b\n1,2\n3,inf\n", "line 3, column 2: \"inf\" is not a number within 1e30"},
        {"1,-NaN\n1,2\n", "line 1, column 2: \"-NaN\" is not a number within 1e30"},
        {"a,b\n1e999,2\n", "line 2, column 1: \"1e999\" is not"},
        {"a,b\n1,2\n-1.1e30,2\n", "line 3, column 1: \"-1.1e30\" is not"},
        {"a,b\n1,\"2\n3,4\n", "a quotation mark is not closed in the row that begins in line 2"},
        {"a,b\n1,2\"3\n", "line 2, field 2: a quotation mark in the middle of a field"},
        {"a,b\n\"1\"2,3\n", "line 2, field 1: a quotation mark in the middle of a field"},
        {"a,b\n1,NA\n,2\n3,?\n", "no row is complete: of 3, the column \"b\" lacks 2 values"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_table table;
        rms_error error;
        assert_status(RMS_ERROR_FORMAT, read_bytes(&table, cases[i].text, strlen(cases[i].text), &error),
                      error.message);
        assert_contains(error.message, cases[i].sentence);
        assert_null(table.columns);
        assert_null(table.cells);
    }
}

static void binary_files_are_refused(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,2\n3\0,4\n";
    struct lab_table table;
    rms_error error;
    assert_status(RMS_ERROR_FORMAT, read_bytes(&table, text, sizeof text - 1, &error), error.message);
    assert_contains(error.message, "line 3 has a byte 0");
}

/* Names go to terminals and into JSON. */
static void sentences_show_no_control_characters(void **state)
{
    (void)state;
    struct lab_table table;
    rms_error error;
    static const char text[] = "a,b\n\x1b[2J\xff\xc3\xa9,?\n";
    assert_status(RMS_ERROR_FORMAT, read_bytes(&table, text, sizeof text - 1, &error), error.message);
    assert_null(strchr(error.message, '\x1b'));

    table = read_text("a,b\n1,2\n\x1b[2J\xff\xc3\xa9,4\n");
    assert_string_equal(table.columns[0].word.text, "?[2J?\xc3\xa9");
    lab_table_free(&table);
}

/* A million columns, and a field without end: refused before they are held. */
static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    enum { COLUMNS = 1000000, FIELD = 3 << 20 };
    struct lab_table table;
    rms_error error;
    char *const text = bytes_create(FIELD + 2);
    memset(text, ',', COLUMNS);
    assert_status(RMS_ERROR_FORMAT, read_bytes(&table, text, COLUMNS, &error), error.message);
    assert_contains(error.message, "line 1 has more than 16384 fields");

    memset(text, 'x', FIELD);
    text[0] = '\n';
    text[1] = '"';
    assert_status(RMS_ERROR_FORMAT, read_bytes(&table, text, FIELD, &error), error.message);
    assert_contains(error.message, "the row that begins in line 2 has a field of more than 1 MiB");
    free(text);
}

static void a_wide_table_is_read(void **state)
{
    (void)state;
    enum { ROWS = 3 };
    char *const text = bytes_create((size_t)2 * ROWS * LAB_TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < (size_t)ROWS * LAB_TABLE_COLUMNS_MAX; ++i) {
        text[2 * i] = (char)('0' + i % 7);
        text[2 * i + 1] = (i + 1) % LAB_TABLE_COLUMNS_MAX == 0 ? '\n' : ',';
    }
    struct lab_table table;
    rms_error error;
    assert_ok(read_bytes(&table, text, (size_t)2 * ROWS * LAB_TABLE_COLUMNS_MAX, &error), error.message);
    assert_int_equal(table.row_count, ROWS);
    assert_int_equal(table.column_count, LAB_TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < (size_t)ROWS * LAB_TABLE_COLUMNS_MAX; ++i)
        assert_true(table.cells[i] == (double)(i % 7));
    lab_table_free(&table);
    free(text);
}

/* 256 different words are kept, of 257 none. */
static void words_are_kept_while_they_are_few(void **state)
{
    (void)state;
    for (size_t words = LAB_TABLE_VALUES_MAX; words <= LAB_TABLE_VALUES_MAX + 1; ++words) {
        char text[8192];
        int used = snprintf(text, sizeof text, "a,b\n");
        for (size_t i = 0; i < words; ++i)
            used += snprintf(text + used, sizeof text - (size_t)used, "%zu,w%zu\n%zu,w%zu\n", i, i, i, i);
        struct lab_table table = read_text(text);
        const bool few = words == LAB_TABLE_VALUES_MAX;
        assert_int_equal(table.row_count, 2 * words);
        assert_int_equal(table.columns[1].value_count, few ? words : 0);
        for (size_t i = 0; few && i < 2 * words; ++i)
            assert_int_equal((size_t)table.cells[2 * i + 1], i / 2);
        lab_table_free(&table);
    }
}

static void columns_are_found_by_name_or_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        size_t column;
        const char *sentence;
    } cases[] = {
        {"a,b\n1,2\n", NULL, 1, NULL},
        {"a,b\n1,2\n", "a", 0, NULL},
        {"a,b\n1,2\n", "2", 1, NULL},
        {"2,b\n7,2\n", "2", 0, NULL}, /* a name comes before a number */
        {"3,2\n1,2\n", "1", 0, NULL},
        {"length,width\n1,2\n", "lenght", 0, "no column is called \"lenght\" (the nearest of 2 is \"length\")"},
        {"length,width\n1,2\n", "3", 0, "no column is called \"3\""},
        {"length,width\n1,2\n", "0", 0, "no column is called \"0\""},
        {"length,width\n1,2\n", "", 0, "no column is called \"\""},
        {"3,2\n1,2\n", "species", 0, "the file has no header, and its columns are 1 to 2"},
        {"a,a\n1,2\n", "a", 0, "2 columns are called \"a\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        struct lab_table table = read_text(cases[i].text);
        size_t column = SIZE_MAX;
        rms_error error = {""};
        const rms_status status = lab_table_find(&table, cases[i].name, &column, &error);
        assert_status(cases[i].sentence ? RMS_ERROR_ARGUMENT : RMS_OK, status, error.message);
        if (cases[i].sentence)
            assert_contains(error.message, cases[i].sentence);
        else
            assert_int_equal(column, cases[i].column);
        lab_table_free(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_words_are_told_apart),
        cmocka_unit_test(every_delimiter_quote_and_line_end_is_read),
        cmocka_unit_test(a_header_is_words_alone_or_a_word_over_numbers),
        cmocka_unit_test(rows_with_missing_fields_are_left_out_and_counted),
        cmocka_unit_test(every_bad_table_is_refused_by_line_and_column),
        cmocka_unit_test(binary_files_are_refused),
        cmocka_unit_test(sentences_show_no_control_characters),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(a_wide_table_is_read),
        cmocka_unit_test(words_are_kept_while_they_are_few),
        cmocka_unit_test(columns_are_found_by_name_or_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
