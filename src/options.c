/* Options as a whole: defaults, struct sizes, validation, and the state that they ask for. */
#include "options.h"

#include "message.h"

#include <math.h>
#include <string.h>

/* The least that rms_options ever had: no released header is this short, but the tests grow the struct by it. New fields go
 * to the end, and leave no padding there, whose bytes nobody sets. */
#define FIRST_SIZE (offsetof(rms_options, parallel) + sizeof(const rms_parallel *))
_Static_assert(sizeof(rms_options) == offsetof(rms_options, reserved_number) + sizeof(int),
               "rms_options ends with its last field");

/* No version will ever need more: a larger struct_size is garbage. */
#define SIZE_LIMIT 4096

void options_set_defaults(rms_options *options, rms_rule rule)
{
    memset(options, 0, sizeof *options);
    options->rule = rule;
    for (enum option option = 0; option < OPTION_COUNT; ++option)
        if (rule_takes(rule_of(rule), option))
            field_set(options, option, rule_default(rule_of(rule), option));
}

/* Copies a caller's struct out or in; what one side does not know stays as it is, or becomes zero. */
void options_write(rms_options *given, size_t struct_size, const rms_options *full)
{
    memcpy(given, full, struct_size < sizeof *full ? struct_size : sizeof *full);
    if (struct_size > sizeof *full)
        memset((char *)given + sizeof *full, 0, struct_size - sizeof *full);
    given->struct_size = struct_size;
}

rms_status rms_options_init(rms_options *options, size_t struct_size, rms_rule rule)
{
    if (!options || struct_size < FIRST_SIZE || struct_size > SIZE_LIMIT)
        return RMS_ERROR_ARGUMENT;
    rms_options defaults;
    if (!rule_of(rule)) {
        memset(&defaults, 0, sizeof defaults);
        options_write(options, struct_size, &defaults);
        options->struct_size = 0;
        return RMS_ERROR_ARGUMENT;
    }
    options_set_defaults(&defaults, rule);
    options_write(options, struct_size, &defaults);
    return RMS_OK;
}

rms_status options_read(rms_options *full, const rms_options *given, rms_error *error)
{
    if (!given)
        return fail(error, RMS_ERROR_ARGUMENT, "options: NULL (start from rms_options_for)");
    const size_t size = given->struct_size;
    if (size < FIRST_SIZE || size > SIZE_LIMIT)
        return fail(error, RMS_ERROR_ARGUMENT,
                    "options: struct_size is %zu, expected %zu to %d (start from rms_options_for, with a known rule)",
                    size, FIRST_SIZE, SIZE_LIMIT);
    for (size_t i = sizeof *full; i < size; ++i)
        if (((const char *)given)[i] != 0)
            return fail(error, RMS_ERROR_UNSUPPORTED,
                        "options: byte %zu is set, but version %s of the library knows only %zu bytes of rms_options",
                        i, rms_version(), sizeof *full);
    if (!rule_of(given->rule))
        return fail(error, RMS_ERROR_ARGUMENT, "options: rule is %d, expected one of the rms_rule constants (0 to %d)",
                    (int)given->rule, RMS_RULE_COUNT - 1);
    options_set_defaults(full, given->rule);
    memcpy(full, given, size < sizeof *full ? size : sizeof *full);
    full->struct_size = sizeof *full;
    return succeed(error);
}

rms_status options_check_bounds(enum option option, double value, rms_error *error)
{
    const struct option_row *row = &option_rows[option];
    if (!(value >= row->minimum && value <= row->maximum))
        return fail(error, RMS_ERROR_RANGE, "%s = %.9g is out of bounds: expected %.9g to %.9g (%s)", row->key, value,
                    row->minimum, row->maximum, row->meaning);
    if (row->type != RMS_OPTION_REAL && value != floor(value))
        return fail(error, RMS_ERROR_RANGE, "%s = %.9g is not a whole number: expected %.9g to %.9g (%s)", row->key,
                    value, row->minimum, row->maximum, row->meaning);
    return succeed(error);
}

static bool is_kept(const rms_options *options, const struct slot *slot)
{
    return slot->asked_by == NO_OPTION || field_get(options, slot->asked_by) != 0;
}

/* Whether every slot can be kept in the format that is asked for. */
static rms_status check_format(const rms_options *options, rms_error *error)
{
    const struct rule *rule = rule_of(options->rule);
    for (size_t i = 0; options->state_format != RMS_STATE_FULL && i < rule->slot_count; ++i) {
        const struct slot *slot = &rule->slots[i];
        if (slot->kind == EXACT && is_kept(options, slot))
            return fail(error, RMS_ERROR_RANGE, "state_format = %s: the slot %s of %s%s%s needs full state: %s",
                        rms_state_format_name(options->state_format), slot->name, rule->name,
                        slot->asked_by == NO_OPTION ? "" : " with ",
                        slot->asked_by == NO_OPTION ? "" : option_rows[slot->asked_by].key, slot->because);
    }
    return RMS_OK;
}

/* What no single bound can say. */
static rms_status check_together(const rms_options *o, rms_error *error)
{
    const struct rule *rule = rule_of(o->rule);
    const bool outside = rule_takes(rule, OPTION_EPS);
    const bool inside = rule_takes(rule, OPTION_EPS_INSIDE);
    if ((outside || inside) && o->eps < SMALLEST_NORMAL && o->eps_inside < SMALLEST_NORMAL)
        return fail(error, RMS_ERROR_RANGE,
                    "%s must be at least %.9g, or a parameter whose gradients are all 0 is divided 0 by 0 (eps = %.9g, "
                    "eps_inside = %.9g)",
                    outside && inside ? "eps or eps_inside"
                    : outside         ? "eps"
                                      : "eps_inside",
                    SMALLEST_NORMAL, o->eps, o->eps_inside);
    if (o->momentum_average && !(o->momentum > 0))
        return fail(error, RMS_ERROR_RANGE, "momentum_average needs momentum above 0 (it is %.9g)", o->momentum);
    if (o->momentum_average && o->nesterov)
        return fail(error, RMS_ERROR_RANGE,
                    "momentum_average and nesterov are two different forms of momentum: choose one");
    if (o->step_size_min > o->step_size_max)
        return fail(error, RMS_ERROR_RANGE, "step_size_min = %.9g is above step_size_max = %.9g", o->step_size_min,
                    o->step_size_max);
    if (o->nesterov && !(o->momentum > 0))
        return fail(error, RMS_ERROR_RANGE, "nesterov needs momentum above 0 (it is %.9g)", o->momentum);
    if (o->nesterov && o->dampening > 0)
        return fail(error, RMS_ERROR_RANGE, "nesterov needs dampening 0 (it is %.9g)", o->dampening);
    if (o->lr * o->decoupled_decay > 1)
        return fail(error, RMS_ERROR_RANGE,
                    "lr * decoupled_decay = %.9g is above 1: a step would turn the sign of parameters (lr %.9g, "
                    "decoupled_decay %.9g)",
                    o->lr * o->decoupled_decay, o->lr, o->decoupled_decay);
    return check_format(o, error);
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
    bool own[OPTION_COUNT] = {false};
    for (size_t i = 0; i < rule->option_count; ++i)
        own[rule->options[i].option] = true;
    rms_status status = RMS_OK;
    for (enum option option = 0; option < OPTION_COUNT && status == RMS_OK; ++option) {
        const double value = field_get(options, option);
        if (own[option] || option_rows[option].common)
            status = options_check_bounds(option, value, error);
        else if (value != 0)
            status = fail(error, RMS_ERROR_ARGUMENT, "%s = %.9g: %s takes no %s (expected 0)", option_rows[option].key,
                          value, rule->name, option_rows[option].key);
    }
    for (size_t i = 0; i < sizeof options->reserved_flags && status == RMS_OK; ++i)
        if (memcmp(&options->reserved_flags[i], "", 1) != 0)
            status =
                fail(error, RMS_ERROR_UNSUPPORTED, "reserved_flags[%zu] must be 0 in version %s", i, rms_version());
    if (status == RMS_OK && options->reserved_number != 0)
        status = fail(error, RMS_ERROR_UNSUPPORTED, "reserved_number must be 0 in version %s", rms_version());
    if (status == RMS_OK)
        status = check_together(options, error);
    if (status == RMS_OK)
        status = check_callbacks(options, error);
    return status;
}

rms_status options_admit(rms_options *full, const rms_options *given, rms_error *error)
{
    const rms_status status = options_read(full, given, error);
    return status == RMS_OK ? check_all(full, error) : status;
}

rms_status rms_options_check(const rms_options *options, rms_error *error)
{
    rms_options full;
    return options_admit(&full, options, error);
}

unsigned options_slots(const rms_options *options, rms_dtype dtype)
{
    const struct rule *rule = rule_of(options->rule);
    const bool is_short = dtype == RMS_F16 || dtype == RMS_BF16;
    unsigned kept = 0;
    for (size_t i = 0; i < rule->slot_count; ++i)
        if (is_kept(options, &rule->slots[i]))
            kept |= 1U << i;
    if (is_short && options->master == RMS_MASTER_F32)
        kept |= 1U << RMS_SLOT_MASTER;
    if (is_short && options->master == RMS_MASTER_REMAINDER)
        kept |= 1U << RMS_SLOT_REMAINDER;
    if (options->average_decay > 0)
        kept |= 1U << RMS_SLOT_AVERAGE;
    return kept;
}

unsigned options_variant(const rms_options *options)
{
    const struct rule *rule = rule_of(options->rule);
    const unsigned own = options_slots(options, RMS_F32) & ((1U << RMS_RULE_SLOTS) - 1);
    return own >> (rule->slot_count - rule->optional_slots);
}

double options_slot_start(const rms_options *options, size_t slot)
{
    const enum option start = rule_of(options->rule)->slots[slot].starts_from;
    return start == NO_OPTION ? 0 : field_get(options, start);
}

rms_status options_check_dtype(const rms_options *options, rms_dtype dtype, rms_error *error)
{
    if (!rms_dtype_name(dtype))
        return fail(error, RMS_ERROR_UNSUPPORTED, "dtype %d is unknown; choose from f32, f64, f16, bf16", (int)dtype);
    if (dtype == RMS_F16 && options->master == RMS_MASTER_REMAINDER)
        return fail(error, RMS_ERROR_UNSUPPORTED,
                    "dtype f16 with master = remainder: 16 bits do not make a float of an f16, whose exponent is "
                    "shorter; choose master f32 or none, or dtype bf16");
    if (dtype == RMS_F16 && options->master == RMS_MASTER_NONE && options->average_decay > 0)
        return fail(error, RMS_ERROR_UNSUPPORTED,
                    "dtype f16 with master = none and average_decay = %.9g: the average could not be swapped in and "
                    "out without loss; choose master f32, or dtype bf16",
                    options->average_decay);
    if (dtype == RMS_F64 && options->state_format != RMS_STATE_FULL)
        return fail(error, RMS_ERROR_UNSUPPORTED,
                    "dtype f64 with state_format = %s: state of doubles is kept in full; choose state_format full, or "
                    "dtype f32",
                    rms_state_format_name(options->state_format));
    return RMS_OK;
}

enum slot_coding options_slot_coding(const rms_options *options, rms_dtype dtype, size_t slot)
{
    if (slot == RMS_SLOT_REMAINDER)
        return CODED_REMAINDER;
    if (slot >= RMS_RULE_SLOTS || options->state_format == RMS_STATE_FULL)
        return dtype == RMS_F64 ? CODED_F64 : CODED_F32;
    if (options->state_format == RMS_STATE_16_BIT)
        return CODED_BF16;
    return rule_of(options->rule)->slots[slot].kind == SQUARES ? CODED_SQUARES : CODED_AVERAGES;
}

size_t rms_dtype_size(rms_dtype dtype)
{
    switch (dtype) {
    case RMS_F64:
        return sizeof(double);
    case RMS_F32:
        return sizeof(float);
    case RMS_F16:
    case RMS_BF16:
        return sizeof(uint16_t);
    }
    return 0;
}

size_t rms_slot_count(rms_rule rule)
{
    const struct rule *row = rule_of(rule);
    return row ? row->slot_count : 0;
}

const char *rms_slot_name(rms_rule rule, size_t slot)
{
    const struct rule *row = rule_of(rule);
    if (!row || slot >= RMS_SLOTS_MAX)
        return NULL;
    switch (slot) {
    case RMS_SLOT_MASTER:
        return "master";
    case RMS_SLOT_REMAINDER:
        return "remainder";
    case RMS_SLOT_AVERAGE:
        return "average";
    default:
        return slot < row->slot_count ? row->slots[slot].name : NULL;
    }
}

unsigned rms_slots_kept(const rms_options *options, rms_dtype dtype)
{
    rms_options full;
    if (options_admit(&full, options, NULL) != RMS_OK || options_check_dtype(&full, dtype, NULL) != RMS_OK)
        return 0;
    return options_slots(&full, dtype);
}

size_t rms_slot_bytes(const rms_options *options, rms_dtype dtype, size_t slot, size_t count)
{
    rms_options full;
    if (slot >= RMS_SLOTS_MAX || options_admit(&full, options, NULL) != RMS_OK ||
        options_check_dtype(&full, dtype, NULL) != RMS_OK || !(options_slots(&full, dtype) >> slot & 1))
        return 0;
    return slot_bytes(options_slot_coding(&full, dtype, slot), count);
}

size_t rms_state_bytes(const rms_options *options, rms_dtype dtype, size_t count)
{
    rms_options full;
    if (options_admit(&full, options, NULL) != RMS_OK || options_check_dtype(&full, dtype, NULL) != RMS_OK)
        return SIZE_MAX;
    const unsigned kept = options_slots(&full, dtype);
    size_t total = 0;
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        if (!(kept >> slot & 1))
            continue;
        const size_t bytes = slot_bytes(options_slot_coding(&full, dtype, slot), count);
        if ((count > 0 && bytes == 0) || total > PTRDIFF_MAX - STATE_ALIGNMENT - bytes)
            return SIZE_MAX;
        total += slot_aligned(bytes);
    }
    return total;
}

void options_copy_step(rms_options *to, const rms_options *from)
{
    for (enum option option = 0; option < OPTION_COUNT; ++option)
        if (!option_rows[option].per_group)
            field_set(to, option, field_get(from, option));
}
