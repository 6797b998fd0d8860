/* Small tables of text, whose columns are as wide as what is in them. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 10
#define TABLE_ROWS_MAX 64
#define TABLE_CELL_SIZE 80

struct table {
    size_t columns;
    size_t rows;
    size_t filled;                 /* cells of the last row */
    size_t gap;                    /* spaces between columns */
    bool right[TABLE_COLUMNS_MAX]; /* aligned to the right */
    char headings[TABLE_COLUMNS_MAX][TABLE_CELL_SIZE];
    char cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX][TABLE_CELL_SIZE];
};

/* Empty, with two spaces between columns. */
void table_begin(struct table *table);

/* Adds a column; returns its place. What is beyond the last is dropped. */
size_t table_column(struct table *table, bool right, const char *heading);

/* Begins a row, whose cells are added from left to right. */
void table_row(struct table *table);
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many columns of the terminal it takes. */
size_t table_width(const struct table *table);

/* Prints it to stdout; the headings faintly on a terminal. */
void table_print(const struct table *table);

#endif
