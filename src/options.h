/* The door-keeper: whether a set of options can be meant, and what state it asks for. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "slot.h"
#include "tables.h"

/* Reads an options struct of any size that this library knows, by its struct_size, into *full, and checks
 * all of it. On failure *full is undefined. */
rms_status options_admit(rms_options *full, const rms_options *given, rms_error *error);

/* The parts of that: reading alone, and writing back into a struct of the caller's size. */
rms_status options_read(rms_options *full, const rms_options *given, rms_error *error);
void options_write(rms_options *given, size_t struct_size, const rms_options *full);

/* Checks one value against the bounds of its option. */
rms_status options_check_bounds(enum option option, double value, rms_error *error);

/* The rest take admitted options. */

/* Bit i is set when slot i is kept for a tensor of this dtype, which is known. */
unsigned options_slots(const rms_options *options, rms_dtype dtype);

/* The same for the optional slots alone, counted from 0: it selects the kernel. */
unsigned options_variant(const rms_options *options);

/* What a slot of the rule starts from. */
double options_slot_start(const rms_options *options, size_t slot);

/* How a kept slot of a tensor of this dtype is coded. */
enum slot_coding options_slot_coding(const rms_options *options, rms_dtype dtype, size_t slot);

/* Whether a tensor of this dtype can be kept with these options. */
rms_status options_check_dtype(const rms_options *options, rms_dtype dtype, rms_error *error);

/* Fills in a rule's defaults; struct_size stays 0. */
void options_set_defaults(rms_options *options, rms_rule rule);

/* The option of that key; NO_OPTION for NULL or an unknown one. */
enum option option_of_key(const char *key);

/* Copies the options of the whole step from one set to another. */
void options_copy_step(rms_options *to, const rms_options *from);

#endif
