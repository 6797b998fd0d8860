/* Tables from bytes that nobody meant: nothing crashes, what is refused has a sentence, and what is taken holds what it
 * says. */
#include <table.h>
#include <whole_file.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* A sentence, or a name as it is shown: text without control characters. */
static void check_clean(const char *text)
{
    for (; *text != '\0'; ++text)
        require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_column(const struct lab_table *table, size_t number)
{
    const struct lab_column *const column = &table->columns[number];
    require(column->name && column->words == (column->word.line != 0) && column->value_count <= LAB_TABLE_VALUES_MAX);
    check_clean(column->word.text);
    for (size_t row = 0; row < table->row_count; ++row) {
        const double cell = table->cells[row * table->column_count + number];
        require(fabs(cell) <= LAB_TABLE_NUMBER_MAX);
        if (column->value_count > 0)
            require(column->words && cell >= 0.0 && cell < (double)column->value_count && cell == floor(cell));
    }
    char clean[24];
    lab_clean_text(clean, sizeof clean, column->name);
    check_clean(clean);
}

/* The first line is the name of a column that is sought, the rest the table. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *const end = size > 0 ? memchr(data, '\n', size) : NULL;
    const size_t name_length = end ? (size_t)(end - data) : 0;
    char name[64] = "";
    memcpy(name, data, name_length < sizeof name ? name_length : sizeof name - 1);
    const size_t first = end ? name_length + 1 : 0;
    struct lab_table table;
    rms_error error = {""};
    const rms_status status = lab_table_read(&table, name, (const char *)data + first, size - first, &error);
    require(status == RMS_OK || (error.message[0] != '\0' && !table.columns && !table.cells));
    check_clean(error.message);
    if (status != RMS_OK)
        return 0;
    require(table.row_count > 0 && table.column_count > 0 && table.cells);
    for (size_t i = 0; i < table.column_count; ++i)
        check_column(&table, i);
    size_t column = 0;
    const rms_status found = lab_table_find(&table, name, &column, &error);
    require(found == RMS_OK ? column < table.column_count : error.message[0] != '\0');
    lab_table_free(&table);
    return 0;
}
