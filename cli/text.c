/* Words and numbers as people read them. */
#include "text.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERMINAL_COLUMNS 80
#define WORD_MAX 32 /* longer words are not compared */

const char *number_text(char text[NUMBER_TEXT_SIZE], double value, int significant_digits)
{
    if (isnan(value))
        (void)snprintf(text, NUMBER_TEXT_SIZE, "-");
    else if (isinf(value))
        (void)snprintf(text, NUMBER_TEXT_SIZE, value > 0 ? "inf" : "-inf");
    else
        (void)snprintf(text, NUMBER_TEXT_SIZE, "%.*g", significant_digits, value == 0 ? 0.0 : value);
    return text;
}

void text_append(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const int added = vsnprintf(NULL, 0, format, values);
    va_end(values);

    char *grown = added < 0 ? NULL : realloc(text->text, text->length + (size_t)added + 1);
    if (!grown) {
        text->failed = true;
        return;
    }
    text->text = grown;
    va_start(values, format);
    (void)vsnprintf(text->text + text->length, (size_t)added + 1, format, values);
    va_end(values);
    text->length += (size_t)added;
}

void text_free(struct text *text)
{
    free(text->text);
    *text = (struct text){0};
}

/* The character at the front of UTF-8 text; UINT32_MAX for what is none. Its bytes go to *length. */
static uint32_t decode(const unsigned char *text, size_t *length)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least; /* anything below has a shorter form, which is the only one allowed */
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    size_t form = 0;
    while (form < 4 && (text[0] & forms[form].mask) != forms[form].lead)
        ++form;
    if (form == 4)
        return UINT32_MAX;
    uint32_t character = text[0] & (uint32_t)(unsigned char)~forms[form].mask;
    for (*length = 1; *length <= form; ++*length) {
        if ((text[*length] & 0xC0U) != 0x80U)
            return UINT32_MAX;
        character = character << 6 | (text[*length] & 0x3FU);
    }
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    return character < forms[form].least || surrogate || character > 0x10FFFF ? UINT32_MAX : character;
}

bool text_is_printable(const char *text)
{
    for (size_t length = 0; *text; text += length) {
        const uint32_t character = decode((const unsigned char *)text, &length);
        if (character == UINT32_MAX || character < ' ' || (character >= 0x7F && character <= 0x9F))
            return false;
    }
    return true;
}

/* Columns of the first bytes of UTF-8 text. */
static size_t columns_of(const char *text, size_t bytes)
{
    size_t columns = 0;
    for (size_t i = 0; i < bytes; ++i)
        columns += ((unsigned char)text[i] & 0xC0U) != 0x80U; /* all but continuation bytes */
    return columns;
}

size_t text_columns(const char *text)
{
    return columns_of(text, strlen(text));
}

void print_padded(const char *text, int columns)
{
    const size_t width = (size_t)abs(columns);
    const size_t used = text_columns(text);
    const int padding = used < width ? (int)(width - used) : 0;
    if (columns < 0)
        (void)printf("%*s%s", padding, "", text);
    else
        (void)printf("%s%*s", text, padding, "");
}

void print_wrapped(const char *words, size_t column, size_t indent)
{
    bool first = true;
    while (*words) {
        const size_t bytes = strcspn(words, " ");
        const size_t width = columns_of(words, bytes);
        if (!first && column + 1 + width > TERMINAL_COLUMNS) {
            (void)printf("\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            (void)putchar(' ');
            ++column;
        }
        (void)fwrite(words, 1, bytes, stdout);
        column += width;
        first = false;
        words += bytes;
        words += strspn(words, " ");
    }
    (void)putchar('\n');
}

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* Levenshtein's distance, by rows. */
size_t text_distance(const char *left, const char *right)
{
    const size_t width = strlen(right);
    if (strlen(left) >= WORD_MAX || width >= WORD_MAX)
        return SIZE_MAX;

    size_t row[WORD_MAX];
    for (size_t j = 0; j <= width; ++j)
        row[j] = j;
    for (size_t i = 0; left[i]; ++i) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; ++j) {
            const size_t above = row[j + 1];
            row[j + 1] = least(above + 1, row[j] + 1, diagonal + (left[i] != right[j]));
            diagonal = above;
        }
    }
    return row[width];
}
