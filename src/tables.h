/* The tables of options and rules, made from options.def and rules.def, and the way from a row to a field. */
#ifndef TABLES_H
#define TABLES_H

#include "prefix.h"

#include <rmsprop.h>

#define SMALLEST_NORMAL 0x1p-126 /* of float */

enum option {
    NO_OPTION = -1,
#define OPTION(CONSTANT, ...) OPTION_##CONSTANT,
#include "options.def"
    OPTION_COUNT
};

/* How few bits a slot's numbers can be kept in. */
enum slot_kind {
    AVERAGE, /* of either sign; what rounding at random adds evens out */
    SQUARES, /* 0 or more, of any size; the same */
    EXACT    /* needs all its bits */
};

/* A state slot of a rule. */
struct slot {
    const char *name;
    enum option asked_by;    /* kept when this option is not 0; NO_OPTION: always */
    enum option starts_from; /* initial value; NO_OPTION: 0 */
    enum slot_kind kind;
    const char *because; /* why it is exact: the end of a sentence */
};

struct rule_option {
    enum option option;
    double default_value;
};

#define RULE_OPTIONS_MAX 16
struct rule {
    const char *name;
    const char *source;
    size_t slot_count;
    size_t optional_slots; /* the last so many of them depend on an option */
    struct slot slots[RMS_RULE_SLOTS];
    size_t option_count;
    struct rule_option options[RULE_OPTIONS_MAX];
};

struct option_row {
    const char *key;
    size_t offset;
    rms_option_type type;
    double minimum;
    double maximum;
    const char *unit;
    bool per_group;
    bool common;
    const char *meaning;
};

extern const struct option_row option_rows[OPTION_COUNT];

/* NULL for an unknown rule. */
const struct rule *rule_of(rms_rule rule);

/* Whether a rule takes an option, and what it is by default. */
bool rule_takes(const struct rule *rule, enum option option);
double rule_default(const struct rule *rule, enum option option);

/* What an option means, to this rule. */
const char *rule_meaning(const struct rule *rule, enum option option);

/* A field as a double. A flag may hold any byte, one that is neither 0 nor 1 among them. */
double field_get(const rms_options *options, enum option option);

/* value is within the option's bounds. */
void field_set(rms_options *options, enum option option, double value);

#endif
