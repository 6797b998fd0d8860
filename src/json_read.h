/* JSON from files that anyone may have written: read by jansson, and laid out flat. Nested no more than a few deep, without
 * duplicate keys, in UTF-8. */
#ifndef JSON_READ_H
#define JSON_READ_H

#include "prefix.h"

#include <rmsprop.h>

enum value_kind { VALUE_OBJECT, VALUE_ARRAY, VALUE_STRING, VALUE_NUMBER, VALUE_FLAG, VALUE_NULL };

/* Values lie in the order of the text: an object or array, then what is in it. Strings live as long as the document. */
struct json_value {
    enum value_kind kind;
    const char *key;  /* in an object; elsewhere NULL */
    const char *text; /* of a string; of anything else NULL */
    double number;    /* of a number; 0 or 1 of a flag */
    int64_t whole;    /* of a number without point or exponent; of anything else -1 */
    size_t count;     /* of what is directly in it */
    size_t size;      /* of what is in it at any depth, itself included */
};

struct json {
    struct json_value *values; /* the first is the whole */
    void *document;            /* jansson's */
};

/* Reads one value with nothing but white space around it; text is followed by a NUL. what it is and path are for the
 * sentence. On failure there is nothing to be freed. */
rms_status json_read(struct json *json, const char *text, size_t bytes, const char *path, const char *what,
                     rms_error *error);
void json_release(struct json *json);

/* The first value in an object or array, and the one behind a value; only as many as its count are there. */
const struct json_value *value_first(const struct json_value *parent);
const struct json_value *value_next(const struct json_value *value);

/* The value of that key in an object that has few; NULL if there is none. */
const struct json_value *value_find(const struct json_value *object, const char *key);

/* The text of a string; NULL for anything else, and for NULL. */
const char *value_text(const struct json_value *value);

/* Whether it is a whole number from 0 to INT64_MAX, written without point or exponent. */
bool value_whole(const struct json_value *value, uint64_t *whole);

#endif
