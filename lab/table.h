/* Tables of numbers and words from text: CSV as RFC 4180 has it, split by commas, semicolons or tabs, read by libcsv. */
#ifndef LAB_TABLE_H
#define LAB_TABLE_H

#include <rmsprop.h>

#define LAB_TABLE_COLUMNS_MAX 16384
#define LAB_TABLE_CELLS_MAX ((size_t)1 << 27) /* a GiB of cells */
#define LAB_TABLE_VALUES_MAX 256
#define LAB_TABLE_NUMBER_MAX                                                                                           \
    1e30 /* in magnitude: squares of such can still be added up in double, and be told in float */

/* A field worth remembering, and where it was. */
struct lab_field_note {
    size_t line; /* from 1; 0: there is none */
    char text[32];
};

struct lab_column {
    char *name;                 /* of the header; else "1", "2" ... */
    bool words;                 /* not all its fields are numbers */
    struct lab_field_note word; /* the first that is none */
    char **values;              /* words: its different values, in the order in which they appear */
    size_t value_count;         /* 0 if they are more than LAB_TABLE_VALUES_MAX: then none is kept */
    size_t missing;             /* fields */
};

/* The rows in which no field is missing. */
struct lab_table {
    size_t row_count;
    size_t column_count;
    size_t left_out; /* rows with a missing field: empty, NA or ? */
    bool header;
    char delimiter;
    struct lab_column *columns;
    double *cells; /* row_count x column_count: numbers, or the number of a value, from 0 */
};

/* Reads count bytes of text, of which name says whose they are. The first line is a header when no field of it is a
 * number, or a word of it stands over numbers alone. On failure *table is empty and *error holds a sentence with line
 * and column: RMS_ERROR_FORMAT or MEMORY. */
rms_status lab_table_read(struct lab_table *table, const char *name, const char *text, size_t count, rms_error *error);

/* Releases what a table holds; an empty one is allowed. */
void lab_table_free(struct lab_table *table);

/* Finds a column by its name, or, where no column has that name, by its number from 1; NULL is the last. The sentence of
 * RMS_ERROR_ARGUMENT proposes the nearest name. */
rms_status lab_table_find(const struct lab_table *table, const char *name, size_t *column, rms_error *error);

#endif
