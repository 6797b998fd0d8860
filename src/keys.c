/* Options by key and in words: what bindings and commands use instead of the struct. */
#define _POSIX_C_SOURCE 200809L

#include "message.h"
#include "options.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum option option_of_key(const char *key)
{
    for (enum option option = 0; key && option < OPTION_COUNT; ++option)
        if (strcmp(option_rows[option].key, key) == 0)
            return option;
    return NO_OPTION;
}

/* The option of that key among those that the rule takes; NO_OPTION, and a sentence, otherwise. */
static enum option find_option(const struct rule *rule, const char *key, rms_error *error)
{
    const enum option found = option_of_key(key);
    if (found != NO_OPTION && rule_takes(rule, found))
        return found;
    char choices[RMS_MESSAGE_SIZE] = "";
    for (enum option option = 0; option < OPTION_COUNT; ++option)
        if (rule_takes(rule, option))
            append_name(choices, sizeof choices, option_rows[option].key);
    say(error, "%.40s: not an option of %s; choose from %s", key ? key : "NULL", rule->name, choices);
    return NO_OPTION;
}

static rms_status set_option(rms_options *given, rms_options *full, enum option option, double value, rms_error *error)
{
    const rms_status status = options_check_bounds(option, value, error);
    if (status != RMS_OK)
        return status;
    if (option_rows[option].offset >= given->struct_size)
        return fail(error, RMS_ERROR_UNSUPPORTED,
                    "%s: rms_options of %zu bytes do not hold it; compile with a newer rmsprop.h",
                    option_rows[option].key, given->struct_size);
    field_set(full, option, value);
    options_write(given, given->struct_size, full);
    return RMS_OK;
}

rms_status rms_options_set(rms_options *options, const char *key, double value, rms_error *error)
{
    rms_options full;
    const rms_status status = options_read(&full, options, error);
    if (status != RMS_OK)
        return status;
    const enum option option = find_option(rule_of(full.rule), key, error);
    return option == NO_OPTION ? RMS_ERROR_NAME : set_option(options, &full, option, value, error);
}

/* A number as C writes it, whatever decimal point the program's locale has. */
static bool parse_number(const char *text, double *value)
{
    if (text[0] == '\0' || isspace((unsigned char)text[0]))
        return false;
    const locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return false;
    const locale_t previous = uselocale(c_locale);
    char *end;
    *value = strtod(text, &end);
    uselocale(previous);
    freelocale(c_locale);
    return *end == '\0';
}

static bool parse_flag(const char *text, double *value)
{
    static const struct {
        const char *text;
        double value;
    } words[] = {{"false", 0}, {"true", 1}, {"0", 0}, {"1", 1}};
    for (size_t i = 0; i < sizeof words / sizeof *words; ++i)
        if (strcmp(words[i].text, text) == 0) {
            *value = words[i].value;
            return true;
        }
    return false;
}

static const char *choices_of(enum option option)
{
    switch (option) {
    case OPTION_ISA:
        return "auto, baseline, avx2, avx512, neon";
    case OPTION_NONFINITE:
        return "skip, propagate";
    case OPTION_MASTER:
        return "f32, remainder, none";
    case OPTION_STATE_FORMAT:
        return "full, 16-bit, 8-bit";
    default:
        return NULL;
    }
}

/* Numbered from 0 by their place in the list. */
static bool parse_choice(enum option option, const char *text, double *value)
{
    const char *word = choices_of(option);
    for (int number = 0;; ++number) {
        const size_t length = strcspn(word, ",");
        if (strlen(text) == length && strncmp(word, text, length) == 0) {
            *value = number;
            return true;
        }
        if (word[length] == '\0')
            return false;
        word += length + strlen(", ");
    }
}

static rms_status parse_option(enum option option, const char *text, double *value, rms_error *error)
{
    const char *key = option_rows[option].key;
    if (!text)
        return fail(error, RMS_ERROR_ARGUMENT, "%s: the text is NULL", key);
    switch (option_rows[option].type) {
    case RMS_OPTION_FLAG:
        if (!parse_flag(text, value))
            return fail(error, RMS_ERROR_RANGE, "%s: \"%.40s\" is neither true nor false", key, text);
        break;
    case RMS_OPTION_CHOICE:
        if (!parse_choice(option, text, value))
            return fail(error, RMS_ERROR_NAME, "%s: \"%.40s\" is unknown; choose from %s", key, text,
                        choices_of(option));
        break;
    case RMS_OPTION_REAL:
    case RMS_OPTION_COUNT:
        if (!parse_number(text, value))
            return fail(error, RMS_ERROR_RANGE, "%s: \"%.40s\" is not a number (expected %.9g to %.9g)", key, text,
                        option_rows[option].minimum, option_rows[option].maximum);
        break;
    }
    return succeed(error);
}

rms_status rms_options_set_text(rms_options *options, const char *key, const char *text, rms_error *error)
{
    rms_options full;
    rms_status status = options_read(&full, options, error);
    if (status != RMS_OK)
        return status;
    const enum option option = find_option(rule_of(full.rule), key, error);
    if (option == NO_OPTION)
        return RMS_ERROR_NAME;
    double value = 0;
    status = parse_option(option, text, &value, error);
    return status == RMS_OK ? set_option(options, &full, option, value, error) : status;
}

rms_status rms_options_get(const rms_options *options, const char *key, double *value, rms_error *error)
{
    rms_options full;
    const rms_status status = options_read(&full, options, error);
    if (status != RMS_OK)
        return status;
    if (!value)
        return fail(error, RMS_ERROR_ARGUMENT, "value: NULL");
    const enum option option = find_option(rule_of(full.rule), key, error);
    if (option == NO_OPTION)
        return RMS_ERROR_NAME;
    *value = field_get(&full, option);
    return RMS_OK;
}

size_t rms_option_count(rms_rule rule)
{
    size_t count = 0;
    const struct rule *row = rule_of(rule);
    for (enum option option = 0; row && option < OPTION_COUNT; ++option)
        count += rule_takes(row, option);
    return count;
}

bool rms_option_at(rms_rule rule, size_t index, rms_option_info *info)
{
    const struct rule *owner = rule_of(rule);
    if (!owner || !info)
        return false;
    enum option option = 0;
    for (size_t seen = 0; option < OPTION_COUNT; ++option)
        if (rule_takes(owner, option) && seen++ == index)
            break;
    if (option == OPTION_COUNT)
        return false;
    const struct option_row *row = &option_rows[option];
    *info = (rms_option_info){
        .key = row->key,
        .type = row->type,
        .minimum = row->minimum,
        .maximum = row->maximum,
        .default_value = rule_default(owner, option),
        .unit = row->unit,
        .meaning = rule_meaning(owner, option),
        .choices = choices_of(option),
        .per_group = row->per_group,
    };
    return true;
}
