/* JSON, written into memory: what checkpoints say of themselves. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "prefix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_text {
    char *text; /* NUL-terminated, if not NULL */
    size_t length;
    size_t capacity;
    bool failed; /* out of memory: the text is worthless, and whatever follows is ignored */
};

void json_text_free(struct json_text *json);

/* As it is; then as a string, quoted and escaped, of text that is UTF-8. */
void json_text_add(struct json_text *json, const char *text);
void json_text_add_string(struct json_text *json, const char *text);

void json_text_add_whole(struct json_text *json, uint64_t value);

/* With as many digits as bring the same bits back. */
void json_text_add_real(struct json_text *json, double value);

/* Whether it can be written as a string at all. */
bool json_text_is_utf8(const char *text);

#endif
