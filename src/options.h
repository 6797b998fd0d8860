/* The door-keeper: what options there are, their bounds, and whether a set of them can be meant. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <rmsprop.h>

enum option {
    NO_OPTION = -1,
#define OPTION(CONSTANT, ...) OPTION_##CONSTANT,
#include "options.def"
    OPTION_COUNT
};

/* A state slot of a rule. */
struct slot {
    const char *name;
    enum option asked_by;    /* kept when this option is not 0; NO_OPTION: always */
    enum option starts_from; /* initial value; NO_OPTION: 0 */
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
    struct slot slots[RMS_SLOTS_MAX];
    size_t option_count;
    struct rule_option options[RULE_OPTIONS_MAX];
};

/* NULL for an unknown rule. */
const struct rule *rule_of(rms_rule rule);

/* Reads an options struct of any size that this library knows, by its struct_size, into *full, and checks
 * all of it. On failure *full is undefined. */
rms_status options_admit(rms_options *full, const rms_options *given, rms_error *error);

/* The rest take admitted options. */

/* Bit i is set when slot i is kept. */
unsigned options_slots(const rms_options *options);

/* The same for the optional slots alone, counted from 0: it selects the kernel. */
unsigned options_variant(const rms_options *options);

float options_slot_start(const rms_options *options, size_t slot);

/* Bytes of one slot of count floats, rounded up so that the next one is aligned, too; 0 if that overflows
 * (count > 0). */
#define STATE_ALIGNMENT 64
size_t slot_bytes(size_t count);

/* Whether the option named key belongs to the whole step; false for an unknown key. */
bool option_is_of_step(const char *key);

/* Copies the options of the whole step from one set to another. */
void options_copy_step(rms_options *to, const rms_options *from);

#endif
