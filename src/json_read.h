/* JSON from files that anyone may have written: nested no more than a few deep, without duplicate keys, in UTF-8, and in
 * two blocks of memory whose size is known before anything is read. */
#ifndef JSON_READ_H
#define JSON_READ_H

#include "prefix.h"

#include <rmsprop.h>

enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

/* Values lie in the order of the text: an object or array, then what is in it. */
struct json_value {
    enum json_type type;
    const char *key;  /* in an object; elsewhere NULL */
    const char *text; /* a string, unescaped; a number or word, as it was written */
    size_t count;     /* of what is directly in it */
    size_t size;      /* of what is in it at any depth, itself included */
};

struct json {
    struct json_value *values; /* the first is the whole */
    char *text;
};

/* Reads one value with nothing but white space around it. what it is and path are for the sentence. On failure
 * there is nothing to be freed. */
rms_status json_read(struct json *json, const char *text, size_t bytes, const char *path, const char *what,
                     rms_error *error);
void json_free(struct json *json);

/* The first value in an object or array, and the one behind a value; only as many as its count are there. */
const struct json_value *json_first(const struct json_value *parent);
const struct json_value *json_next(const struct json_value *value);

/* The value of that key in an object that has few; NULL if there is none. */
const struct json_value *json_find(const struct json_value *object, const char *key);

/* The text of a string; NULL for anything else, and for NULL. */
const char *json_string(const struct json_value *value);

/* Whether it is a whole number from 0 to INT64_MAX, written without point or exponent. */
bool json_whole(const struct json_value *value, uint64_t *whole);

#endif
