/* Options and rules as data. */
#include "tables.h"

#include <string.h>

#define DECAY_BELOW_ONE 0x1.fffffep-1
#define LARGEST 1e30

#define ROW(field, TYPE, minimum, maximum, unit, per_group, common, meaning)                                           \
    {#field, offsetof(rms_options, field), RMS_OPTION_##TYPE, minimum, maximum, unit, per_group, common, meaning},
const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(CONSTANT, field, TYPE, minimum, maximum, unit, per_group, meaning)                                      \
    ROW(field, TYPE, minimum, maximum, unit, per_group, false, meaning)
#define COMMON(CONSTANT, field, TYPE, minimum, maximum, unit, per_group, meaning)                                      \
    ROW(field, TYPE, minimum, maximum, unit, per_group, true, meaning)
#include "options.def"
};

#define COUNT_OF(...) (sizeof((struct rule_option[]){__VA_ARGS__}) / sizeof(struct rule_option))
static const struct rule rules[RMS_RULE_COUNT] = {
#define SLOTS(...)                                                                                                     \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define OPTIONS(...)                                                                                                   \
    COUNT_OF(__VA_ARGS__),                                                                                             \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define RULE(CONSTANT, name, slot_count, optional, source, slots, ...)                                                 \
    [RMS_##CONSTANT] = {#name, source, slot_count, optional, slots, __VA_ARGS__},
#include "rules.def"
#undef RULE
};

const struct rule *rule_of(rms_rule rule)
{
    return (size_t)rule < RMS_RULE_COUNT ? &rules[rule] : NULL;
}

const char *rms_rule_source(rms_rule rule)
{
    const struct rule *row = rule_of(rule);
    return row ? row->source : NULL;
}

/* Fields are reached by offset; memcpy, because an enum's sign is the compiler's choice, and because a byte
 * that is neither 0 nor 1 must not be read as bool before it has been refused. */
double field_get(const rms_options *options, enum option option)
{
    const char *field = (const char *)options + option_rows[option].offset;
    double real;
    unsigned char flag;
    int whole;
    switch (option_rows[option].type) {
    case RMS_OPTION_REAL:
        memcpy(&real, field, sizeof real);
        return real;
    case RMS_OPTION_FLAG:
        memcpy(&flag, field, sizeof flag);
        return flag;
    case RMS_OPTION_COUNT:
    case RMS_OPTION_CHOICE:
        break;
    }
    memcpy(&whole, field, sizeof whole);
    return whole;
}

void field_set(rms_options *options, enum option option, double value)
{
    char *field = (char *)options + option_rows[option].offset;
    bool flag;
    int whole;
    switch (option_rows[option].type) {
    case RMS_OPTION_REAL:
        memcpy(field, &value, sizeof value);
        break;
    case RMS_OPTION_FLAG:
        flag = value != 0;
        memcpy(field, &flag, sizeof flag);
        break;
    case RMS_OPTION_COUNT:
    case RMS_OPTION_CHOICE:
        whole = (int)value;
        memcpy(field, &whole, sizeof whole);
        break;
    }
}
_Static_assert(sizeof(rms_isa) == sizeof(int) && sizeof(rms_nonfinite) == sizeof(int) &&
                   sizeof(rms_master) == sizeof(int) && sizeof(rms_state_format) == sizeof(int),
               "choices are stored as ints");
_Static_assert(sizeof(bool) == 1, "a flag is one byte");

static const struct rule_option *own_option(const struct rule *rule, enum option option)
{
    for (size_t i = 0; i < rule->option_count; ++i)
        if (rule->options[i].option == option)
            return &rule->options[i];
    return NULL;
}

bool rule_takes(const struct rule *rule, enum option option)
{
    return option_rows[option].common || own_option(rule, option);
}

/* Where a rule uses an option for something else than the others do. */
static const struct {
    rms_rule rule;
    enum option option;
    const char *meaning;
} particular[] = {
    {RMS_RPROP, OPTION_LR, "the first step size"},
    {RMS_ADAMAX, OPTION_BETA2, "decay of the largest gradient"},
    {RMS_ADAMAX, OPTION_EPS, "added to the gradient's size"},
    {RMS_LION, OPTION_BETA1, "weight of the gradient average against the newest gradient"},
    {RMS_LION, OPTION_BETA2, "decay of the gradient average"},
};

const char *rule_meaning(const struct rule *rule, enum option option)
{
    for (size_t i = 0; i < sizeof particular / sizeof *particular; ++i)
        if (rule == rule_of(particular[i].rule) && option == particular[i].option)
            return particular[i].meaning;
    return option_rows[option].meaning;
}

double rule_default(const struct rule *rule, enum option option)
{
    const struct rule_option *own = own_option(rule, option);
    if (own)
        return own->default_value;
    return option == OPTION_GRAD_SCALE ? 1 : 0;
}
