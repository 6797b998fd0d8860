/* What the command makes of numbers, names and curves before they reach a terminal. */
#include "cli/braille.h"
#include "cli/race.h"
#include "cli/race_words.h"
#include "cli/table.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INF ((double)INFINITY)

static const struct lab_quantity accuracy = {.name = "test accuracy", .unit = "%", .factor = 100, .rising = true};
static const struct lab_quantity loss = {.name = "validation loss", .unit = ""};

static void numbers_have_two_decimals_of_per_cent_and_three_digits_else(void **state)
{
    (void)state;
    const struct {
        const struct lab_quantity *quantity;
        double value;
        const char *text;
    } cases[] = {
        {&accuracy, 0.96114, "96.11"}, {&accuracy, 0.999949, "99.99"},
        {&accuracy, 0.99996, "100.0"}, {&accuracy, 1, "100.0"},
        {&accuracy, 0, "0.00"},        {&accuracy, (double)NAN, "-"},
        {&accuracy, 1e40, "1e+42"},    {&accuracy, -2e4, "-2e+06"},
        {&loss, 0.0123456, "0.0123"},  {&loss, 487.34, "487"},
        {&loss, -82.349, "-82.3"},     {&loss, 1234.5, "1234"},
        {&loss, 99999.4, "99999"},     {&loss, 123456, "1.23e+05"},
        {&loss, 1.5e-9, "1.5e-09"},    {&loss, -0.0, "0"},
        {&loss, INF, "inf"},           {&loss, -INF, "-inf"},
        {&loss, DBL_MAX, "1.8e+308"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        char text[QUANTITY_TEXT_SIZE];
        assert_string_equal(quantity_text(text, cases[i].quantity, cases[i].value), cases[i].text);
    }
}

static void differences_have_signs(void **state)
{
    (void)state;
    char text[QUANTITY_TEXT_SIZE];
    assert_string_equal(quantity_difference_text(text, &accuracy, 0.00278, 3), "+0.28");
    assert_string_equal(quantity_difference_text(text, &accuracy, -0.1, 3), "-10.00");
    assert_string_equal(quantity_difference_text(text, &loss, 0.012345, 2), "+0.012");
    assert_string_equal(quantity_difference_text(text, &loss, -1234, 3), "-1234");
    assert_string_equal(quantity_difference_text(text, &accuracy, 1e40, 3), "+1e+42");
    assert_string_equal(quantity_points(&accuracy, text), " points");
    assert_string_equal(quantity_points(&loss, text), "");
}

static void names_become_names_of_files_that_stay_apart(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *stem;
    } cases[] = {
        {"digits", "digits"},
        {"quadratic:condition=1000,noise=0.1", "quadratic-condition-1000-noise-0.1"},
        {"a:b=-1", "a-b-minus-1"},
        {"a:b=1", "a-b-1"},
        {"a:b=1e+3", "a-b-1e3"},
        {"a:b=1e-3", "a-b-1e-3"},
        {"../../etc/passwd", "etc-passwd"},
        {".hidden", "hidden"},
        {"two-wells", "two-wells"},
        {"a b\tc\\d", "a-b-c-d"},
        {"\xC3\xA4", "problem"},
        {"", "problem"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        char stem[128];
        race_stem(stem, sizeof stem, cases[i].name);
        assert_string_equal(stem, cases[i].stem);
    }
}

static void long_names_are_cut_within_their_memory(void **state)
{
    (void)state;
    char name[512];
    char stem[20];
    for (size_t length = 0; length < sizeof name; ++length) {
        memset(name, length % 2 ? '=' : '-', sizeof name);
        name[length] = '\0';
        race_stem(stem, sizeof stem, name);
        assert_true(strlen(stem) < sizeof stem);
    }
}

static void tables_are_as_wide_as_what_is_in_them(void **state)
{
    (void)state;
    struct table table;
    table_begin(&table);
    assert_int_equal(table_column(&table, false, "name"), 0);
    assert_int_equal(table_column(&table, true, "n"), 1);
    assert_int_equal(table_width(&table), 4 + 2 + 1);
    table_row(&table);
    table_cell(&table, "%s", "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"); /* five letters, ten bytes */
    table_cell(&table, "%d", 1234);
    table_cell(&table, "beyond the last column");
    assert_int_equal(table_width(&table), 5 + 2 + 4);
    table.gap = 1;
    assert_int_equal(table_width(&table), 5 + 1 + 4);
    for (size_t i = 0; i < 2 * (size_t)TABLE_ROWS_MAX; ++i) {
        table_row(&table);
        table_cell(&table, "%200d", 1);
    }
    assert_int_equal(table.rows, TABLE_ROWS_MAX);
    assert_int_equal(table_width(&table), TABLE_CELL_SIZE - 1 + 1 + 4);
}

static void cells_end_with_a_whole_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x8F\x81"};
    for (size_t bytes = 1; bytes <= COUNT_OF(characters); ++bytes)
        for (size_t before = 0; before < 4; ++before) {
            struct text words = {0};
            struct table table;
            text_append(&words, "%.*s", (int)before, "xxx");
            while (words.length < 2 * (size_t)TABLE_CELL_SIZE)
                text_append(&words, "%s", characters[bytes - 1]);
            table_begin(&table);
            (void)table_column(&table, false, words.text);
            table_row(&table);
            table_cell(&table, "%s", words.text);
            const size_t whole = before + (TABLE_CELL_SIZE - 1 - before) / bytes * bytes;
            assert_int_equal(strlen(table.headings[0]), whole);
            assert_int_equal(strlen(table.cells[0][0]), whole);
            assert_true(text_is_printable(table.cells[0][0]));
            text_free(&words);
        }
}

static void settings_are_told_with_all_their_digits(void **state)
{
    (void)state;
    const struct lab_setting settings[] = {{.key = "seed"}, {.key = "target"}, {.key = "every"}};
    const struct lab_problem problem = {.settings = settings, .setting_count = COUNT_OF(settings)};
    const struct lab_instance instance = {.problem = &problem, .settings = {12345678, -INF, 0.1}};
    struct text text = {0};
    append_settings(&text, &instance);
    assert_string_equal(text.text, "seed 12345678, every 0.1");
    text_free(&text);
}

/* ---- curves --------------------------------------------------------------------------------------- */

static void make_line(struct plot *plot, const char *name, size_t count, double *x, double *y)
{
    plot->lines[plot->line_count] = (struct plot_line){
        .name = name, .color = plot->line_count, .count = count, .x = x, .y = y, .special = SIZE_MAX};
    ++plot->line_count;
}

static char *draw(const struct plot *plot, size_t columns, size_t rows, bool unicode)
{
    struct text text = {0};
    const struct braille_size size = {.columns = columns, .rows = rows, .unicode = unicode};
    braille_draw(&text, plot, &size);
    assert_false(text.failed);
    return text.text;
}

static void a_straight_line_goes_from_corner_to_corner(void **state)
{
    (void)state;
    double x[] = {0, 10}, y[] = {0, 1};
    struct plot plot = {.title = "Title", .x_title = "step", .y_title = "height", .y_linear = true};
    make_line(&plot, "up", 2, x, y);
    char *text = draw(&plot, 44, 9, false);
    assert_string_equal(text, "Title\n"
                              "height\n"
                              "     1 +                        aaaaaa  a up\n"
                              "       |                  aaaaaaa\n"
                              "   0.5 +            aaaaaa\n"
                              "       |     aaaaaaa\n"
                              "     0 +aaaaaa\n"
                              "       ++--------------+-------------+\n"
                              "        0              5             10\n"
                              "        step\n");
    free(text);
    text = draw(&plot, 44, 9, true);
    assert_string_equal(text, "Title\n"
                              "height\n"
                              "     1 ┤                        ⢀⣀⠤⠔⠒a  a up\n"
                              "       │                  ⣀⡠⠤⠒⠒⠉⠁\n"
                              "   0.5 ┤            ⣀⡠⠤⠒⠊⠉\n"
                              "       │     ⢀⣀⠤⠤⠒⠊⠉\n"
                              "     0 ┤⣀⠤⠔⠒⠉⠁\n"
                              "       └┬──────────────┬─────────────┬\n"
                              "        0              5             10\n"
                              "        step\n");
    free(text);
}

/* The line of the text that holds these words; fails when there is none. */
static size_t line_with(const char *text, const char *words)
{
    const char *const found = strstr(text, words);
    size_t line = 0;
    assert_non_null(found);
    for (const char *c = text; c < found; ++c)
        line += *c == '\n';
    return line;
}

static void a_logarithmic_axis_halves_at_the_geometric_mean(void **state)
{
    (void)state;
    double x[] = {0, 1, 2}, y[] = {1, 10, 100};
    struct plot plot = {0};
    make_line(&plot, "up", 3, x, y);
    char *const text = draw(&plot, 60, 13, false);
    assert_int_equal(line_with(text, "   100 +"), 2);
    assert_int_equal(line_with(text, "    10 +"), 6);
    assert_int_equal(line_with(text, "     1 +"), 10);
    free(text);
}

static void lines_that_end_together_have_each_their_letter_and_row(void **state)
{
    (void)state;
    double x[] = {0, 1}, first[] = {1, 5}, second[] = {2, 5}, third[] = {3, 5};
    struct plot plot = {.y_linear = true};
    make_line(&plot, "first", 2, x, first);
    make_line(&plot, "second", 2, x, second);
    make_line(&plot, "third", 2, x, third);
    char *const text = draw(&plot, 60, 12, true);
    assert_int_equal(line_with(text, "cba  a first\n"), 2);
    assert_int_equal(line_with(text, " b second\n"), 3);
    assert_int_equal(line_with(text, " c third\n"), 4);
    free(text);
}

static void what_cannot_be_shown_leaves_a_gap(void **state)
{
    (void)state;
    double x[] = {0, 1, 2, 3, 4}, y[] = {1, 1, (double)NAN, 1, 1}, logs[] = {1, 1, -1, 1, 1};
    for (int logarithmic = 0; logarithmic < 2; ++logarithmic) {
        struct plot plot = {.y_linear = !logarithmic};
        make_line(&plot, "level", 5, x, logarithmic ? logs : y);
        char *const text = draw(&plot, 60, 12, false);
        assert_non_null(strstr(text, "aaaaa     ")); /* from 1 to 3 there is nothing */
        assert_non_null(strstr(text, "     aaaaa"));
        free(text);
    }
}

static void no_numbers_break_it_and_no_line_is_too_long(void **state)
{
    (void)state;
    static const double hard[] = {0,        -0.0,    1,      -1,  1e-308, -1e308,      DBL_MAX,
                                  -DBL_MAX, DBL_MIN, 5e-324, INF, -INF,   (double)NAN, 1e-9};
    uint64_t random = 1;
    for (size_t trial = 0; trial < 300; ++trial) {
        double x[2][6];
        double y[2][6];
        struct plot plot = {.title = "A title \xC2\xB7 of some length, which goes on and on and on",
                            .x_title = "how far it is from there to here, in steps",
                            .y_linear = random_below(&random, 2) == 0,
                            .x_logarithmic = random_below(&random, 2) == 0,
                            .y_span = random_below(&random, 2) == 0 ? 100 : 0};
        for (size_t line = 0; line < 2; ++line) {
            for (size_t i = 0; i < 6; ++i) {
                x[line][i] = hard[random_below(&random, COUNT_OF(hard))];
                y[line][i] = hard[random_below(&random, COUNT_OF(hard))];
            }
            make_line(&plot, "a name that is longer than most", random_below(&random, 7), x[line], y[line]);
            plot.lines[line].detail = "and more";
            plot.lines[line].dash = (enum plot_dash)random_below(&random, PLOT_DASH_COUNT);
        }
        const size_t columns = 40 + random_below(&random, 41);
        char *const text = draw(&plot, columns, 8 + random_below(&random, 10), trial % 2 == 0);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            assert_in_range(text_columns(line), 0, columns);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_two_decimals_of_per_cent_and_three_digits_else),
        cmocka_unit_test(differences_have_signs),
        cmocka_unit_test(names_become_names_of_files_that_stay_apart),
        cmocka_unit_test(long_names_are_cut_within_their_memory),
        cmocka_unit_test(tables_are_as_wide_as_what_is_in_them),
        cmocka_unit_test(cells_end_with_a_whole_character),
        cmocka_unit_test(settings_are_told_with_all_their_digits),
        cmocka_unit_test(a_straight_line_goes_from_corner_to_corner),
        cmocka_unit_test(a_logarithmic_axis_halves_at_the_geometric_mean),
        cmocka_unit_test(lines_that_end_together_have_each_their_letter_and_row),
        cmocka_unit_test(what_cannot_be_shown_leaves_a_gap),
        cmocka_unit_test(no_numbers_break_it_and_no_line_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
