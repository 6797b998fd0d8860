/* JSON from files that anyone may have written (RFC 8259), by jansson. */
#include "json_read.h"

#include "message.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 4, VALUES_MAX = 8 << 20 };

/* How many values there may be at most: one, and one more for each comma and bracket; jansson would take any depth and
 * number. 0 and a reason if it is nested too deep or holds too many. */
static size_t count_values(const char *text, const char **reason)
{
    size_t depth = 0, values = 1;
    bool quoted = false;
    for (; *text != '\0'; ++text) {
        if (quoted && *text == '\\' && text[1] != '\0') {
            ++text;
        } else if (quoted) {
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

/* How many values a value is, with all that is in it. */
static size_t size_of(json_t *value) /* NOLINT(misc-no-recursion) */
{
    size_t size = 1;
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
        size += size_of(json_object_iter_value(at));
    for (size_t i = 0; i < json_array_size(value); ++i)
        size += size_of(json_array_get(value, i));
    return size;
}

static size_t flatten(struct json_value *value, const char *key, json_t *from);

static size_t flatten_object(struct json_value *object, json_t *from)
{
    size_t size = 1;
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at))
        size += flatten(object + size, json_object_iter_key(at), json_object_iter_value(at));
    return size;
}

static size_t flatten_array(struct json_value *array, json_t *from)
{
    size_t size = 1;
    for (size_t i = 0; i < json_array_size(from); ++i)
        size += flatten(array + size, NULL, json_array_get(from, i));
    return size;
}

/* Lays out a value and all that is in it; returns how many that are. As deep as DEPTH_MAX. */
static size_t flatten(struct json_value *value, const char *key, json_t *from) /* NOLINT(misc-no-recursion) */
{
    *value = (struct json_value){.key = key, .whole = -1, .size = 1};
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        value->kind = VALUE_OBJECT;
        value->count = json_object_size(from);
        value->size = flatten_object(value, from);
        break;
    case JSON_ARRAY:
        value->kind = VALUE_ARRAY;
        value->count = json_array_size(from);
        value->size = flatten_array(value, from);
        break;
    case JSON_STRING:
        value->kind = VALUE_STRING;
        value->text = json_string_value(from);
        break;
    case JSON_INTEGER:
        value->whole = json_integer_value(from);
        value->kind = VALUE_NUMBER;
        value->number = json_number_value(from);
        break;
    case JSON_REAL:
        value->kind = VALUE_NUMBER;
        value->number = json_real_value(from);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value->kind = VALUE_FLAG;
        value->number = json_is_true(from) ? 1 : 0;
        break;
    case JSON_NULL:
        value->kind = VALUE_NULL;
        break;
    }
    return value->size;
}

static rms_status not_json(const char *path, const char *what, const char *reason, size_t byte, rms_error *error)
{
    return fail(error, RMS_ERROR_FORMAT, "%.160s: %s cannot be read as JSON: %.120s (byte %zu)", path, what, reason,
                byte);
}

/* jansson 2.14 does not survive that its memory runs out while it reads, so it is asked for beforehand: for a string that is
 * the whole text, its buffer as it doubles and its copy; and for each value what it takes with its place in an object. It
 * may still be gone a moment later. */
static bool is_memory_there(size_t bytes, size_t values)
{
    enum { BYTES_OF_VALUE = 192 };
    void *const memory = malloc(4 * bytes + values * BYTES_OF_VALUE);
    free(memory);
    return memory != NULL;
}

rms_status json_read(struct json *json, const char *text, size_t bytes, const char *path, const char *what,
                     rms_error *error)
{
    *json = (struct json){.values = NULL};
    const char *reason = "a NUL is in it";
    const size_t most = strlen(text) == bytes ? count_values(text, &reason) : 0;
    if (most == 0)
        return not_json(path, what, reason, strlen(text), error);
    if (!is_memory_there(bytes, most))
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for %s", path, what);
    json_error_t why;
    json->document = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!json->document && json_error_code(&why) == json_error_out_of_memory)
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for %s", path, what);
    if (!json->document)
        return not_json(path, what, why.text, (size_t)(why.position > 0 ? why.position : 0), error);
    json->values = malloc(size_of(json->document) * sizeof *json->values);
    if (!json->values) {
        json_release(json);
        return fail(error, RMS_ERROR_MEMORY, "%.160s: out of memory for %s", path, what);
    }
    (void)flatten(json->values, NULL, json->document);
    return RMS_OK;
}

void json_release(struct json *json)
{
    free(json->values);
    json_decref(json->document);
    *json = (struct json){.values = NULL};
}

const struct json_value *value_first(const struct json_value *parent)
{
    return parent + 1;
}

const struct json_value *value_next(const struct json_value *value)
{
    return value + value->size;
}

const struct json_value *value_find(const struct json_value *object, const char *key)
{
    const struct json_value *value = value_first(object);
    for (size_t i = 0; object->kind == VALUE_OBJECT && i < object->count; ++i, value = value_next(value))
        if (strcmp(value->key, key) == 0)
            return value;
    return NULL;
}

const char *value_text(const struct json_value *value)
{
    return value && value->kind == VALUE_STRING ? value->text : NULL;
}

bool value_whole(const struct json_value *value, uint64_t *whole)
{
    if (!value || value->whole < 0)
        return false;
    *whole = (uint64_t)value->whole;
    return true;
}
