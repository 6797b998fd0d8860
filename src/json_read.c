/* JSON from files that anyone may have written (RFC 8259). */
#include "json_read.h"

#include "json_text.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 4, VALUES_MAX = 8 << 20 };

struct parser {
    char *next; /* in a copy of the text, which strings are unescaped into */
    const char *begin;
    struct json_value *values;
    size_t count;
    size_t capacity;
    const char *reason; /* why it is no JSON; NULL: it is, so far */
};

/* ---- before parsing -------------------------------------------------------------------------------- */

/* How many values there may be at most: one, and one more for each comma and bracket. 0 and a reason if it is nested too
 * deep or holds too many. */
static size_t count_values(const char *text, const char **reason)
{
    size_t depth = 0, values = 1;
    bool quoted = false;
    for (; *text != '\0'; ++text) {
        if (quoted) {
            text += *text == '\\' && text[1] != '\0';
            quoted = *text != '"';
        } else if (*text == '"') {
            quoted = true;
        } else if (*text == '{' || *text == '[') {
            ++depth;
            ++values;
        } else if (*text == '}' || *text == ']') {
            depth -= depth > 0;
        } else {
            values += *text == ',';
        }
        if (depth > DEPTH_MAX || values > VALUES_MAX) {
            *reason = depth > DEPTH_MAX ? "it is nested more than 4 deep" : "it holds more than 8388608 values";
            return 0;
        }
    }
    return values;
}

/* ---- words ----------------------------------------------------------------------------------------- */

static bool refuse(struct parser *parser, const char *reason)
{
    if (!parser->reason)
        parser->reason = reason;
    return false;
}

static void skip_space(struct parser *parser)
{
    while (*parser->next == ' ' || *parser->next == '\t' || *parser->next == '\n' || *parser->next == '\r')
        ++parser->next;
}

/* Goes past a character if it is there. */
static bool take(struct parser *parser, char character)
{
    if (*parser->next != character)
        return false;
    ++parser->next;
    return true;
}

static bool take_word(struct parser *parser, const char *word)
{
    const size_t length = strlen(word);
    if (strncmp(parser->next, word, length) != 0)
        return false;
    parser->next += length;
    return true;
}

static bool take_digits(struct parser *parser)
{
    const char *begin = parser->next;
    while (*parser->next >= '0' && *parser->next <= '9')
        ++parser->next;
    return parser->next > begin;
}

static bool take_number(struct parser *parser)
{
    (void)take(parser, '-');
    if (!take(parser, '0') && !take_digits(parser))
        return false;
    if (take(parser, '.') && !take_digits(parser))
        return false;
    if (take(parser, 'e') || take(parser, 'E')) {
        if (!take(parser, '+'))
            (void)take(parser, '-');
        return take_digits(parser);
    }
    return true;
}

/* ---- strings --------------------------------------------------------------------------------------- */

/* Four hexadecimal digits; -1 for anything else. */
static int32_t take_hexadecimal(struct parser *parser)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    int32_t value = 0;
    for (int i = 0; i < 4; ++i, ++parser->next) {
        const char *digit = *parser->next != '\0' ? strchr(digits, *parser->next) : NULL;
        if (!digit)
            return -1;
        const int32_t place = (int32_t)(digit - digits);
        value = value * 16 + (place < 16 ? place : place - 6);
    }
    return value;
}

/* The character that \u and what follows it mean, of two such if need be; -1 for none, and for NUL. */
static int32_t take_character(struct parser *parser)
{
    const int32_t first = take_hexadecimal(parser);
    if (first <= 0 || (first >= 0xdc00 && first < 0xe000))
        return -1;
    if (first < 0xd800 || first >= 0xe000)
        return first;
    if (!take(parser, '\\') || !take(parser, 'u'))
        return -1;
    const int32_t second = take_hexadecimal(parser);
    return second >= 0xdc00 && second < 0xe000 ? 0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00) : -1;
}

/* Never longer than the escape that it was. */
static char *put_character(char *out, int32_t character)
{
    if (character < 0x80) {
        *out++ = (char)character;
    } else if (character < 0x800) {
        *out++ = (char)(0xc0 | character >> 6);
        *out++ = (char)(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        *out++ = (char)(0xe0 | character >> 12);
        *out++ = (char)(0x80 | (character >> 6 & 0x3f));
        *out++ = (char)(0x80 | (character & 0x3f));
    } else {
        *out++ = (char)(0xf0 | character >> 18);
        *out++ = (char)(0x80 | (character >> 12 & 0x3f));
        *out++ = (char)(0x80 | (character >> 6 & 0x3f));
        *out++ = (char)(0x80 | (character & 0x3f));
    }
    return out;
}

/* What follows a backslash, unescaped to *out. */
static bool take_escape(struct parser *parser, char **out)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *escape = *parser->next != '\0' ? strchr(escapes, *parser->next) : NULL;
    if (escape) {
        *(*out)++ = meanings[escape - escapes];
        ++parser->next;
        return true;
    }
    if (!take(parser, 'u'))
        return refuse(parser, "unknown escape");
    const int32_t character = take_character(parser);
    if (character < 0)
        return refuse(parser, "an escape that is no character");
    *out = put_character(*out, character);
    return true;
}

/* Unescapes a string where it stands and ends it by NUL; the opening quote is past. NULL if it is none. */
static const char *take_string(struct parser *parser)
{
    char *const begin = parser->next;
    char *out = begin;
    for (;;) {
        const unsigned char c = (unsigned char)*parser->next;
        if (c < 0x20) {
            (void)refuse(parser, c == 0 ? "a string without end" : "a control character in a string");
            return NULL;
        }
        ++parser->next;
        if (c == '"')
            break;
        if (c != '\\')
            *out++ = (char)c;
        else if (!take_escape(parser, &out))
            return NULL;
    }
    *out = '\0';
    return begin;
}

/* ---- values ---------------------------------------------------------------------------------------- */

static bool take_value(struct parser *parser, const char *key);

/* What lies between the brackets of value number parent; the opening one is past. */
static bool take_content(struct parser *parser, size_t parent)
{
    const bool is_object = parser->values[parent].type == JSON_OBJECT;
    const char end = is_object ? '}' : ']';
    skip_space(parser);
    if (take(parser, end))
        return true;
    do {
        const char *key = NULL;
        skip_space(parser);
        if (is_object) {
            key = take(parser, '"') ? take_string(parser) : NULL;
            if (!key)
                return refuse(parser, "a key was expected");
            skip_space(parser);
            if (!take(parser, ':'))
                return refuse(parser, "a colon was expected");
        }
        if (!take_value(parser, key))
            return false;
        ++parser->values[parent].count;
        skip_space(parser);
    } while (take(parser, ','));
    return take(parser, end) || refuse(parser, "a comma or the end was expected");
}

/* A number is followed by what is needed to see its end: it gets its NUL later. */
static bool take_plain(struct parser *parser, struct json_value *value)
{
    static const struct {
        const char *word;
        enum json_type type;
    } words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};
    value->text = parser->next;
    for (size_t i = 0; i < sizeof words / sizeof *words; ++i)
        if (take_word(parser, words[i].word)) {
            value->type = words[i].type;
            value->text = words[i].word;
            return true;
        }
    value->type = JSON_NUMBER;
    return take_number(parser) || refuse(parser, "a value was expected");
}

static bool take_value(struct parser *parser, const char *key)
{
    if (parser->count == parser->capacity) /* as counted before, so never */
        return refuse(parser, "it holds more values than commas");
    skip_space(parser);
    const size_t index = parser->count++;
    struct json_value *value = &parser->values[index];
    *value = (struct json_value){.key = key};
    bool taken;
    if (take(parser, '{') || take(parser, '[')) {
        value->type = parser->next[-1] == '{' ? JSON_OBJECT : JSON_ARRAY;
        taken = take_content(parser, index);
    } else if (take(parser, '"')) {
        value->type = JSON_STRING;
        value->text = take_string(parser);
        taken = value->text != NULL;
    } else {
        taken = take_plain(parser, value);
    }
    value->size = parser->count - index;
    return taken;
}

/* ---- after parsing --------------------------------------------------------------------------------- */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* keys has room for all keys of the object. */
static bool has_duplicates(const struct json_value *object, const char **keys)
{
    const struct json_value *value = json_first(object);
    for (size_t i = 0; i < object->count; ++i, value = json_next(value))
        keys[i] = value->key;
    if (object->count > 1)
        qsort((void *)keys, object->count, sizeof *keys, by_text);
    for (size_t i = 1; i < object->count; ++i)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            return true;
    return false;
}

static rms_status check_duplicates(const struct json *json, size_t count, const char *path, const char *what,
                                   rms_error *error)
{
    const char **keys = malloc(count * sizeof *keys);
    bool found = false;
    if (!keys)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for %s", path, what);
    for (size_t i = 0; i < count && !found; ++i)
        found = json->values[i].type == JSON_OBJECT && has_duplicates(&json->values[i], keys);
    free((void *)keys);
    return found ? fail(error, RMS_ERROR_FORMAT, "%.160s: %s cannot be read as JSON: duplicate key", path, what)
                 : RMS_OK;
}

/* Ends numbers by NUL. What stands behind a number is never needed any more. */
static void end_numbers(const struct json *json, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (json->values[i].type == JSON_NUMBER) {
            char *number = json->text + (json->values[i].text - json->text);
            number[strspn(number, "+-.0123456789eE")] = '\0';
        }
}

static rms_status parse(struct json *json, const char *path, const char *what, rms_error *error)
{
    struct parser parser = {.next = json->text, .begin = json->text};
    const size_t most = count_values(json->text, &parser.reason);
    if (most > 0) {
        json->values = parser.values = malloc(most * sizeof *json->values);
        parser.capacity = most;
        if (!json->values)
            return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for %s", path, what);
        if (take_value(&parser, NULL)) {
            skip_space(&parser);
            if (*parser.next != '\0')
                (void)refuse(&parser, "something follows its end");
        }
    }
    if (parser.reason)
        return fail(error, RMS_ERROR_FORMAT, "%.160s: %s cannot be read as JSON: %s (byte %zu)", path, what,
                    parser.reason, (size_t)(parser.next - parser.begin));
    end_numbers(json, parser.count);
    return check_duplicates(json, parser.count, path, what, error);
}

rms_status json_read(struct json *json, const char *text, size_t bytes, const char *path, const char *what,
                     rms_error *error)
{
    *json = (struct json){.text = malloc(bytes + 1)};
    if (!json->text)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for %s", path, what);
    memcpy(json->text, text, bytes);
    json->text[bytes] = '\0';
    rms_status status = RMS_OK;
    if (strlen(json->text) != bytes || !json_text_is_utf8(json->text))
        status = fail(error, RMS_ERROR_FORMAT, "%.160s: %s cannot be read as JSON: it is not UTF-8", path, what);
    if (status == RMS_OK)
        status = parse(json, path, what, error);
    if (status != RMS_OK)
        json_free(json);
    return status;
}

void json_free(struct json *json)
{
    free(json->values);
    free(json->text);
    *json = (struct json){.values = NULL};
}

const struct json_value *json_first(const struct json_value *parent)
{
    return parent + 1;
}

const struct json_value *json_next(const struct json_value *value)
{
    return value + value->size;
}

const struct json_value *json_find(const struct json_value *object, const char *key)
{
    const struct json_value *value = json_first(object);
    for (size_t i = 0; object->type == JSON_OBJECT && i < object->count; ++i, value = json_next(value))
        if (strcmp(value->key, key) == 0)
            return value;
    return NULL;
}

const char *json_string(const struct json_value *value)
{
    return value && value->type == JSON_STRING ? value->text : NULL;
}

bool json_whole(const struct json_value *value, uint64_t *whole)
{
    if (!value || value->type != JSON_NUMBER)
        return false;
    uint64_t read = 0;
    for (const char *digit = value->text; *digit != '\0'; ++digit) {
        if (*digit < '0' || *digit > '9' || read > (INT64_MAX - (uint64_t)(*digit - '0')) / 10)
            return false;
        read = read * 10 + (uint64_t)(*digit - '0');
    }
    *whole = read;
    return true;
}
