/* JSON, written into memory. */
#include "json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4096 };

void json_text_free(struct json_text *json)
{
    free(json->text);
    *json = (struct json_text){.text = NULL};
}

static void add_bytes(struct json_text *json, const char *bytes, size_t count)
{
    if (json->failed)
        return;
    if (count >= json->capacity - json->length || json->capacity == 0) {
        const size_t least = json->length + count + 1;
        const size_t doubled = json->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : 2 * json->capacity;
        const size_t capacity = least > doubled ? least : doubled;
        char *larger = least > count ? realloc(json->text, capacity) : NULL;
        if (!larger) {
            json_text_free(json);
            json->failed = true;
            return;
        }
        json->text = larger;
        json->capacity = capacity;
    }
    memcpy(json->text + json->length, bytes, count);
    json->length += count;
    json->text[json->length] = '\0';
}

void json_text_add(struct json_text *json, const char *text)
{
    add_bytes(json, text, strlen(text));
}

void json_text_add_string(struct json_text *json, const char *text)
{
    json_text_add(json, "\"");
    for (;;) {
        size_t plain = 0;
        while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
            ++plain;
        add_bytes(json, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        char escaped[8];
        (void)snprintf(escaped, sizeof escaped, (unsigned char)*text < 0x20 ? "\\u%04x" : "\\%c", *text);
        json_text_add(json, escaped);
        ++text;
    }
    json_text_add(json, "\"");
}

void json_text_add_whole(struct json_text *json, uint64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRIu64, value);
    json_text_add(json, digits);
}

/* The fewest digits that bring the same bits back; and a point, whatever bytes the locale has for it. */
void json_text_add_real(struct json_text *json, double value)
{
    char digits[64], plain[64];
    size_t length = 0;
    int precision = 15;
    do
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
    while (++precision <= 17 && strtod(digits, NULL) != value);
    for (const char *digit = digits; *digit != '\0'; ++digit)
        if (strchr("0123456789+-e", *digit))
            plain[length++] = *digit;
        else if (length == 0 || plain[length - 1] != '.')
            plain[length++] = '.';
    plain[length] = '\0';
    json_text_add(json, plain);
}

/* Length of the sequence that begins here; 0 if it is none. Overlong forms, surrogates and what lies above the last
 * character are none. */
static size_t sequence_length(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, second_least, second_most;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; ++i) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        if (forms[i].length > 1 && (text[1] < forms[i].second_least || text[1] > forms[i].second_most))
            return 0;
        for (size_t k = 2; k < forms[i].length; ++k)
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

bool json_text_is_utf8(const char *text)
{
    const unsigned char *next = (const unsigned char *)text;
    while (*next != '\0') {
        const size_t length = sequence_length(next);
        if (length == 0)
            return false;
        next += length;
    }
    return true;
}
