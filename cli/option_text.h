/* Options of rules in words and in JSON, made from what the library tells of them. */
#ifndef CLI_OPTION_TEXT_H
#define CLI_OPTION_TEXT_H

#include "text.h"

#include <jansson.h>
#include <rmsprop.h>

/* Appends a value of an option as a person writes it: "0.001", "true", "skip". */
void option_append_value(struct text *text, const rms_option_info *info, double value);

/* Appends what it may be: "0 or more", "0 to 1", "0 to below 1", "a name". */
void option_append_bounds(struct text *text, const rms_option_info *info);

/* A value as JSON: a number, a boolean, or a choice by its name. */
json_t *option_json(const rms_option_info *info, double value);

/* All options that the rule takes, by key. */
json_t *options_json(const rms_options *options);

#endif
