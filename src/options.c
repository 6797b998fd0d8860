/* Options as a whole: defaults, struct sizes, validation, and the state that they ask for. */
#include "options.h"

#include "message.h"

#include <math.h>
#include <string.h>

/* The size of rms_options in the first version of the interface: nothing shorter was ever compiled. New
 * fields go behind it, and leave no padding at the end, whose bytes nobody sets. */
#define FIRST_SIZE (offsetof(rms_options, parallel) + sizeof(const rms_parallel *))
_Static_assert(sizeof(rms_options) == FIRST_SIZE, "rms_options ends with its last field");

/* No version will ever need more: a larger struct_size is garbage. */
#define SIZE_LIMIT 4096

static void set_defaults(rms_options *options, rms_rule rule)
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
    set_defaults(&defaults, rule);
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
    set_defaults(full, given->rule);
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

unsigned options_slots(const rms_options *options)
{
    const struct rule *rule = rule_of(options->rule);
    unsigned kept = 0;
    for (size_t i = 0; i < rule->slot_count; ++i)
        if (rule->slots[i].asked_by == NO_OPTION || field_get(options, rule->slots[i].asked_by) != 0)
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
    return start == NO_OPTION ? 0.0F : (float)field_get(options, start);
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

void options_copy_step(rms_options *to, const rms_options *from)
{
    for (enum option option = 0; option < OPTION_COUNT; ++option)
        if (!option_rows[option].per_group)
            field_set(to, option, field_get(from, option));
}
