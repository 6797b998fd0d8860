/* What PyTorch calls slots and options, rule by rule: the keys of an optimizer's flattened state_dict,
 * state.NAME.square_avg and param_groups.NAME.alpha. */
#ifndef PYTORCH_NAMES_H
#define PYTORCH_NAMES_H

#include "prefix.h"

#include <rmsprop.h>

/* A slot's name; NULL where PyTorch has none. And the slot of that name; RMS_SLOTS_MAX for none. */
const char *pytorch_slot_name(rms_rule rule, size_t slot);
size_t pytorch_slot(rms_rule rule, const char *name);

struct pytorch_option {
    rms_rule rule;
    const char *name;    /* PyTorch's */
    const char *keys[2]; /* the library's; the second is NULL unless it is a pair, such as betas */
};

/* The options of a rule, one after the other; NULL at the end. Weight decay is among them as l2_decay, but for Lion. */
const struct pytorch_option *pytorch_option_at(rms_rule rule, size_t index);

/* Tells whether weight_decay is l2_decay or decoupled_decay, for the rules that have it. */
#define PYTORCH_DECOUPLED "decoupled_weight_decay"
bool pytorch_has_decoupled(rms_rule rule);

/* Whether it counts the steps of this rule. */
bool pytorch_has_step(rms_rule rule);

/* Whether it says nothing about what the rule computes: how PyTorch runs it, or a scheduler's notes. */
bool pytorch_is_ignored(const char *option);

/* The rule of a file, from the names in it, in the order of this table: the first that is found decides. */
struct pytorch_marker {
    bool is_slot; /* of state, and not of param_groups */
    const char *name;
    rms_rule rule;
};
const struct pytorch_marker *pytorch_marker_at(size_t index);

/* NAdam's mu_product after so many steps: PyTorch stores what the library works out from the step. */
float pytorch_mu_product(const rms_options *options, uint64_t steps);

#endif
