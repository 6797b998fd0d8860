/* Options: defaults, bounds, keys, text, validation. All of it is driven by options.def and rules.def. */
#define _POSIX_C_SOURCE 200809L

#include "options.h"

#include "kernels/kernels.h"
#include "message.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_BELOW_ONE 0x1.fffffep-1
#define SMALLEST_NORMAL 0x1p-126 /* of float */
#define LARGEST 1e30

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

#define ROW(field, TYPE, minimum, maximum, unit, per_group, common, meaning)                                           \
    {#field, offsetof(rms_options, field), RMS_OPTION_##TYPE, minimum, maximum, unit, per_group, common, meaning},
static const struct option_row rows[OPTION_COUNT] = {
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

/* Fields are reached by offset, as doubles; memcpy, because an enum's size and sign are the compiler's. */
static double get_field(const rms_options *options, enum option option)
{
    const char *field = (const char *)options + rows[option].offset;
    double real;
    bool flag;
    int whole;
    switch (rows[option].type) {
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

static void set_field(rms_options *options, enum option option, double value)
{
    char *field = (char *)options + rows[option].offset;
    const bool flag = value != 0;
    const int whole = (int)value;
    switch (rows[option].type) {
    case RMS_OPTION_REAL:
        memcpy(field, &value, sizeof value);
        break;
    case RMS_OPTION_FLAG:
        memcpy(field, &flag, sizeof flag);
        break;
    case RMS_OPTION_COUNT:
    case RMS_OPTION_CHOICE:
        memcpy(field, &whole, sizeof whole);
        break;
    }
}
_Static_assert(sizeof(rms_isa) == sizeof(int) && sizeof(rms_nonfinite) == sizeof(int), "choices are stored as ints");

static const struct rule_option *own_option(const struct rule *rule, enum option option)
{
    for (size_t i = 0; i < rule->option_count; ++i)
        if (rule->options[i].option == option)
            return &rule->options[i];
    return NULL;
}

static bool rule_takes(const struct rule *rule, enum option option)
{
    return rows[option].common || own_option(rule, option);
}

static double default_of(const struct rule *rule, enum option option)
{
    const struct rule_option *own = own_option(rule, option);
    if (own)
        return own->default_value;
    return option == OPTION_GRAD_SCALE ? 1 : 0;
}

/* The size of rms_options in the first version of the interface: nothing shorter was ever compiled. */
#define FIRST_SIZE sizeof(rms_options)

static void set_defaults(rms_options *options, rms_rule rule)
{
    memset(options, 0, sizeof *options);
    options->rule = rule;
    for (enum option option = 0; option < OPTION_COUNT; ++option)
        if (rule_takes(&rules[rule], option))
            set_field(options, option, default_of(&rules[rule], option));
}

/* Copies a caller's struct out or in; what one side does not know stays as it is, or becomes zero. */
static void write_back(rms_options *given, size_t struct_size, const rms_options *full)
{
    memcpy(given, full, struct_size < sizeof *full ? struct_size : sizeof *full);
    if (struct_size > sizeof *full)
        memset((char *)given + sizeof *full, 0, struct_size - sizeof *full);
    given->struct_size = struct_size;
}

rms_status rms_options_init(rms_options *options, size_t struct_size, rms_rule rule)
{
    if (!options || struct_size < FIRST_SIZE)
        return RMS_ERROR_ARGUMENT;
    rms_options defaults;
    if (!rule_of(rule)) {
        memset(&defaults, 0, sizeof defaults);
        write_back(options, struct_size, &defaults);
        options->struct_size = 0;
        return RMS_ERROR_ARGUMENT;
    }
    set_defaults(&defaults, rule);
    write_back(options, struct_size, &defaults);
    return RMS_OK;
}

static rms_status read_struct(rms_options *full, const rms_options *given, rms_error *error)
{
    if (!given)
        return fail(error, RMS_ERROR_ARGUMENT, "options: NULL (start from rms_options_for)");
    const size_t size = given->struct_size;
    if (size < FIRST_SIZE)
        return fail(error, RMS_ERROR_ARGUMENT, "options: struct_size is %zu, at least %zu is needed (start from %s)",
                    size, FIRST_SIZE, "rms_options_for");
    for (size_t i = sizeof *full; i < size; ++i)
        if (((const char *)given)[i] != 0)
            return fail(error, RMS_ERROR_UNSUPPORTED,
                        "options: byte %zu is set, but version %s of the library knows only %zu bytes of rms_options",
                        i, rms_version(), sizeof *full);
    if (!rule_of(given->rule))
        return fail(error, RMS_ERROR_ARGUMENT, "options: rule is %d, expected one of the rms_rule constants (0 to %d)",
                    (int)given->rule, RMS_RULE_COUNT - 1);
    set_defaults(full, given->rule);
    memcpy(full, given, size < sizeof *full ? size : sizeof *full);
    full->struct_size = sizeof *full;
    return succeed(error);
}

static rms_status check_bounds(enum option option, double value, rms_error *error)
{
    const struct option_row *row = &rows[option];
    if (!(value >= row->minimum && value <= row->maximum))
        return fail(error, RMS_ERROR_RANGE, "%s = %.9g is out of bounds: expected %.9g to %.9g (%s)", row->key, value,
                    row->minimum, row->maximum, row->meaning);
    if (row->type != RMS_OPTION_REAL && value != floor(value))
        return fail(error, RMS_ERROR_RANGE, "%s = %.9g is not a whole number: expected %.9g to %.9g (%s)", row->key,
                    value, row->minimum, row->maximum, row->meaning);
    return succeed(error);
}

/* What no single bound can say. */
static rms_status check_together(const rms_options *o, rms_error *error)
{
    const struct rule *rule = rule_of(o->rule);
    if (rule_takes(rule, OPTION_EPS) && o->eps < SMALLEST_NORMAL && o->eps_inside < SMALLEST_NORMAL)
        return fail(
            error, RMS_ERROR_RANGE,
            "eps = %.9g and eps_inside = %.9g: one of them must be at least %.9g, or a parameter whose gradients "
            "are all 0 is divided 0 by 0",
            o->eps, o->eps_inside, SMALLEST_NORMAL);
    if (o->nesterov && !(o->momentum > 0))
        return fail(error, RMS_ERROR_RANGE, "nesterov needs momentum above 0 (it is %.9g)", o->momentum);
    if (o->nesterov && o->dampening > 0)
        return fail(error, RMS_ERROR_RANGE, "nesterov needs dampening 0 (it is %.9g)", o->dampening);
    if (o->lr * o->decoupled_decay > 1)
        return fail(error, RMS_ERROR_RANGE,
                    "lr * decoupled_decay = %.9g is above 1: a step would turn the sign of parameters (lr %.9g, "
                    "decoupled_decay %.9g)",
                    o->lr * o->decoupled_decay, o->lr, o->decoupled_decay);
    return succeed(error);
}

static rms_status check_callbacks(const rms_options *o, rms_error *error)
{
    if (o->allocator && (!o->allocator->allocate || !o->allocator->release))
        return fail(error, RMS_ERROR_ARGUMENT, "allocator: allocate and release must both be given");
    if (o->parallel && !o->parallel->parallel_for)
        return fail(error, RMS_ERROR_ARGUMENT, "parallel: parallel_for is NULL");
    if (o->parallel && o->threads == 0)
        return fail(error, RMS_ERROR_ARGUMENT, "threads is 0: with parallel, say into how many parts to cut the work");
    return succeed(error);
}

static rms_status check_all(const rms_options *options, rms_error *error)
{
    const struct rule *rule = rule_of(options->rule);
    rms_status status = RMS_OK;
    for (enum option option = 0; option < OPTION_COUNT && status == RMS_OK; ++option) {
        const double value = get_field(options, option);
        if (rule_takes(rule, option))
            status = check_bounds(option, value, error);
        else if (value != 0)
            status = fail(error, RMS_ERROR_ARGUMENT, "%s = %.9g: %s takes no %s (expected 0)", rows[option].key, value,
                          rule->name, rows[option].key);
    }
    if (status == RMS_OK)
        status = check_together(options, error);
    if (status == RMS_OK)
        status = check_callbacks(options, error);
    return status;
}

rms_status options_admit(rms_options *full, const rms_options *given, rms_error *error)
{
    const rms_status status = read_struct(full, given, error);
    return status == RMS_OK ? check_all(full, error) : status;
}

rms_status rms_options_check(const rms_options *options, rms_error *error)
{
    rms_options full;
    return options_admit(&full, options, error);
}

static enum option option_of_key(const char *key)
{
    for (enum option option = 0; key && option < OPTION_COUNT; ++option)
        if (strcmp(rows[option].key, key) == 0)
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
            append_name(choices, sizeof choices, rows[option].key);
    say(error, "%.40s: not an option of %s; choose from %s", key ? key : "NULL", rule->name, choices);
    return NO_OPTION;
}

static rms_status set_option(rms_options *given, rms_options *full, enum option option, double value, rms_error *error)
{
    const rms_status status = check_bounds(option, value, error);
    if (status != RMS_OK)
        return status;
    set_field(full, option, value);
    write_back(given, given->struct_size, full);
    return RMS_OK;
}

rms_status rms_options_set(rms_options *options, const char *key, double value, rms_error *error)
{
    rms_options full;
    const rms_status status = read_struct(&full, options, error);
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

static bool parse_choice(enum option option, const char *text, double *value)
{
    rms_isa isa;
    rms_nonfinite nonfinite;
    if (option == OPTION_ISA && rms_isa_from_name(text, &isa)) {
        *value = isa;
        return true;
    }
    if (option == OPTION_NONFINITE && rms_nonfinite_from_name(text, &nonfinite)) {
        *value = nonfinite;
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
    default:
        return NULL;
    }
}

static rms_status parse_option(enum option option, const char *text, double *value, rms_error *error)
{
    const char *key = rows[option].key;
    if (!text)
        return fail(error, RMS_ERROR_ARGUMENT, "%s: the text is NULL", key);
    switch (rows[option].type) {
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
                        rows[option].minimum, rows[option].maximum);
        break;
    }
    return succeed(error);
}

rms_status rms_options_set_text(rms_options *options, const char *key, const char *text, rms_error *error)
{
    rms_options full;
    rms_status status = read_struct(&full, options, error);
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
    const rms_status status = read_struct(&full, options, error);
    if (status != RMS_OK)
        return status;
    if (!value)
        return fail(error, RMS_ERROR_ARGUMENT, "value: NULL");
    const enum option option = find_option(rule_of(full.rule), key, error);
    if (option == NO_OPTION)
        return RMS_ERROR_NAME;
    *value = get_field(&full, option);
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
    const struct option_row *row = &rows[option];
    *info = (rms_option_info){
        .key = row->key,
        .type = row->type,
        .minimum = row->minimum,
        .maximum = row->maximum,
        .default_value = default_of(owner, option),
        .unit = row->unit,
        .meaning = row->meaning,
        .choices = choices_of(option),
        .per_group = row->per_group,
    };
    return true;
}

unsigned options_slots(const rms_options *options)
{
    const struct rule *rule = rule_of(options->rule);
    unsigned kept = 0;
    for (size_t i = 0; i < rule->slot_count; ++i)
        if (rule->slots[i].asked_by == NO_OPTION || get_field(options, rule->slots[i].asked_by) != 0)
            kept |= 1U << i;
    return kept;
}

unsigned options_variant(const rms_options *options)
{
    const struct rule *rule = rule_of(options->rule);
    return options_slots(options) >> (rule->slot_count - rule->optional_slots);
}

float options_slot_start(const rms_options *options, size_t slot)
{
    const enum option start = rule_of(options->rule)->slots[slot].starts_from;
    return start == NO_OPTION ? 0.0F : (float)get_field(options, start);
}

size_t slot_bytes(size_t count)
{
    if (count > (PTRDIFF_MAX - STATE_ALIGNMENT) / sizeof(float))
        return 0;
    return (count * sizeof(float) + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT;
}

size_t rms_slot_count(rms_rule rule)
{
    const struct rule *row = rule_of(rule);
    return row ? row->slot_count : 0;
}

const char *rms_slot_name(rms_rule rule, size_t slot)
{
    const struct rule *row = rule_of(rule);
    return row && slot < row->slot_count ? row->slots[slot].name : NULL;
}

unsigned rms_slots_kept(const rms_options *options)
{
    rms_options full;
    return options_admit(&full, options, NULL) == RMS_OK ? options_slots(&full) : 0;
}

size_t rms_state_bytes(const rms_options *options, size_t count)
{
    rms_options full;
    const size_t bytes = slot_bytes(count);
    if (options_admit(&full, options, NULL) != RMS_OK || (count > 0 && bytes == 0))
        return SIZE_MAX;
    size_t total = 0;
    for (unsigned kept = options_slots(&full); kept != 0; kept >>= 1)
        if (kept & 1) {
            if (total > PTRDIFF_MAX - bytes)
                return SIZE_MAX;
            total += bytes;
        }
    return total;
}

bool option_is_of_step(const char *key)
{
    const enum option option = option_of_key(key);
    return option != NO_OPTION && !rows[option].per_group;
}

void options_copy_step(rms_options *to, const rms_options *from)
{
    for (enum option option = 0; option < OPTION_COUNT; ++option)
        if (!rows[option].per_group)
            set_field(to, option, get_field(from, option));
}
