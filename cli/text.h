/* Words and numbers as people read them. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Room for any number that number_text writes. */
#define NUMBER_TEXT_SIZE 32

/* A number in short; "-" for NaN, which stands for nothing measured, "inf" and "-inf". Returns text. */
const char *number_text(char text[NUMBER_TEXT_SIZE], double value, int significant_digits);

/* A string that grows. text is never NULL after the first append; when memory is short, failed is set and
 * the rest is lost. */
struct text {
    char *text;
    size_t length;
    bool failed;
};
void text_append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *text);

/* Whether all of it is UTF-8, and nothing in it a control character. */
bool text_is_printable(const char *text);

/* Columns that UTF-8 text takes on a terminal, for the characters that this command writes. */
size_t text_columns(const char *text);

/* Prints text to stdout, padded with spaces to a number of columns. A negative number aligns to the right. */
void print_padded(const char *text, int columns);

/* Prints words to stdout, broken into lines of at most 80 columns; all but the first are indented. column is
 * where the first begins. */
void print_wrapped(const char *words, size_t column, size_t indent);

/* How many single-character edits lie between two words, at most SIZE_MAX. */
size_t text_distance(const char *left, const char *right);

#endif
