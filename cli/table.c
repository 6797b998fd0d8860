/* Small tables of text, whose columns are as wide as what is in them. */
#include "table.h"

#include "output.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where there was no room for a whole character, its first bytes may be left at the end. */
static void drop_half_character(char *cell)
{
    size_t begin = strlen(cell);
    size_t bytes = 1;
    while (begin > 0 && ((unsigned char)cell[begin - 1] & 0xC0U) == 0x80U) {
        --begin;
        ++bytes;
    }
    if (begin == 0)
        return;
    const unsigned char lead = (unsigned char)cell[begin - 1];
    if (bytes < (lead >= 0xF0 ? 4U : lead >= 0xE0 ? 3U : lead >= 0xC0 ? 2U : 1U))
        cell[begin - 1] = '\0';
}

void table_begin(struct table *table)
{
    table->columns = 0;
    table->rows = 0;
    table->filled = 0;
    table->gap = 2;
}

size_t table_column(struct table *table, bool right, const char *heading)
{
    if (table->columns == TABLE_COLUMNS_MAX)
        return TABLE_COLUMNS_MAX - 1;
    table->right[table->columns] = right;
    (void)snprintf(table->headings[table->columns], TABLE_CELL_SIZE, "%s", heading);
    drop_half_character(table->headings[table->columns]);
    return table->columns++;
}

void table_row(struct table *table)
{
    table->filled = table->columns; /* without room for a row, its cells are dropped */
    if (table->rows == TABLE_ROWS_MAX)
        return;
    table->filled = 0;
    for (size_t column = 0; column < TABLE_COLUMNS_MAX; ++column)
        table->cells[table->rows][column][0] = '\0';
    ++table->rows;
}

void table_cell(struct table *table, const char *format, ...)
{
    if (table->rows == 0 || table->filled == table->columns)
        return;
    char *const cell = table->cells[table->rows - 1][table->filled++];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(cell, TABLE_CELL_SIZE, format, values);
    va_end(values);
    drop_half_character(cell);
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = text_columns(table->headings[column]);
    for (size_t row = 0; row < table->rows; ++row) {
        const size_t columns = text_columns(table->cells[row][column]);
        width = columns > width ? columns : width;
    }
    return width;
}

size_t table_width(const struct table *table)
{
    size_t width = 0;
    for (size_t column = 0; column < table->columns; ++column)
        width += column_width(table, column) + (column > 0 ? table->gap : 0);
    return width;
}

/* Nothing follows what is last in its row. */
static void print_cell(const struct table *table, size_t column, const char *text, bool last)
{
    const int width = (int)column_width(table, column);
    if (column > 0)
        (void)printf("%*s", (int)table->gap, "");
    print_padded(text, table->right[column] ? -width : last ? 0 : width);
}

void table_print(const struct table *table)
{
    (void)fputs(faint(), stdout);
    for (size_t column = 0; column < table->columns; ++column)
        print_cell(table, column, table->headings[column], column + 1 == table->columns);
    (void)printf("%s\n", plain());
    for (size_t row = 0; row < table->rows; ++row) {
        size_t used = table->columns;
        while (used > 0 && !*table->cells[row][used - 1])
            --used;
        for (size_t column = 0; column < used; ++column)
            print_cell(table, column, table->cells[row][column], column + 1 == used);
        (void)putchar('\n');
    }
}
