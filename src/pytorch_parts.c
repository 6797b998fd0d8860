/* State and options in PyTorch's words, for saving. What PyTorch has no word for is refused by name. */
#include "checkpoint_parts.h"
#include "message.h"
#include "optimizer.h"
#include "pytorch_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char state[] = "state.", param_groups[] = "param_groups.";

static rms_status add_real(struct part_list *list, const char *prefix, const char *name, const char *key,
                           const double *numbers, size_t count, rms_error *error)
{
    char suffix[64];
    (void)snprintf(suffix, sizeof suffix, ".%s", key);
    struct part part = {.dtype = STORED_F64, .scalar = count == 1, .count = count};
    memcpy(part.own, numbers, count * sizeof *numbers);
    return part_list_add(list, prefix, name, suffix, &part, error);
}

static rms_status add_single(struct part_list *list, const char *name, const char *suffix, float number,
                             rms_error *error)
{
    struct part part = {.dtype = STORED_F32, .scalar = true, .count = 1};
    memcpy(part.own, &number, sizeof number);
    return part_list_add(list, state, name, suffix, &part, error);
}

static rms_status add_flag(struct part_list *list, const char *name, const char *key, bool flag, rms_error *error)
{
    char suffix[64];
    (void)snprintf(suffix, sizeof suffix, ".%s", key);
    struct part part = {.dtype = STORED_BOOL, .scalar = true, .count = 1};
    part.own[0] = flag;
    return part_list_add(list, param_groups, name, suffix, &part, error);
}

/* ---- what cannot be said --------------------------------------------------------------------------- */

/* An option of the group that PyTorch calls something. */
static bool has_word(rms_rule rule, const char *key)
{
    /* What a slot starts from is in the slot by now. */
    if (strcmp(key, "initial_accumulator") == 0)
        return true;
    if (strcmp(key, "decoupled_decay") == 0 && pytorch_has_decoupled(rule))
        return true;
    const struct pytorch_option *option;
    for (size_t i = 0; (option = pytorch_option_at(rule, i)) != NULL; ++i)
        if (strcmp(option->keys[0], key) == 0 || (option->keys[1] && strcmp(option->keys[1], key) == 0))
            return true;
    return false;
}

/* Defaults are PyTorch's, so an option without a word there must have its default. Options of the step (clipping,
 * scaling) are no affair of PyTorch's optimizers, master none of theirs that have 32 bits or more, and how state is kept
 * here none of a file that has it in full. */
static rms_status check_options(const rms_options *options, size_t group, rms_error *error)
{
    rms_option_info info;
    for (size_t i = 0; rms_option_at(options->rule, i, &info); ++i) {
        double value = 0;
        (void)rms_options_get(options, info.key, &value, NULL);
        const bool differs = value < info.default_value || value > info.default_value;
        if (info.per_group && differs && strcmp(info.key, "master") != 0 && strcmp(info.key, "state_format") != 0 &&
            !has_word(options->rule, info.key))
            return fail(error, RMS_ERROR_UNSUPPORTED,
                        "group %zu: %s = %.9g cannot be said in PyTorch's layout: torch.optim's %s has no such option",
                        group, info.key, value, rms_rule_name(options->rule));
    }
    if (options->l2_decay > 0 && options->decoupled_decay > 0)
        return fail(
            error, RMS_ERROR_UNSUPPORTED,
            "group %zu: l2_decay and decoupled_decay together cannot be said in PyTorch's layout, which has one "
            "weight_decay",
            group);
    return RMS_OK;
}

static rms_status check_tensor(const rms_tensor *tensor, rms_error *error)
{
    if (tensor->dtype == RMS_F32 || tensor->dtype == RMS_F64)
        return RMS_OK;
    return fail(error, RMS_ERROR_UNSUPPORTED,
                "tensor \"%.100s\" is %s: PyTorch's layout holds state of f32 and f64 tensors only", tensor->name,
                rms_dtype_name(tensor->dtype));
}

/* ---- what can -------------------------------------------------------------------------------------- */

static rms_status add_options(struct part_list *list, const rms_options *options, const char *name, rms_error *error)
{
    const bool decoupled = pytorch_has_decoupled(options->rule) && options->decoupled_decay > 0;
    const struct pytorch_option *option;
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && (option = pytorch_option_at(options->rule, i)) != NULL; ++i) {
        double numbers[2] = {0};
        const size_t count = option->keys[1] ? 2 : 1;
        for (size_t k = 0; k < count; ++k)
            (void)rms_options_get(options, option->keys[k], &numbers[k], NULL);
        if (decoupled && strcmp(option->keys[0], "l2_decay") == 0)
            numbers[0] = options->decoupled_decay;
        const bool flag = strcmp(option->name, "centered") == 0 || strcmp(option->name, "amsgrad") == 0 ||
                          strcmp(option->name, "nesterov") == 0 || strcmp(option->name, "maximize") == 0;
        status = flag ? add_flag(list, name, option->name, numbers[0] != 0, error)
                      : add_real(list, param_groups, name, option->name, numbers, count, error);
    }
    if (status == RMS_OK && pytorch_has_decoupled(options->rule))
        status = add_flag(list, name, PYTORCH_DECOUPLED, decoupled, error);
    return status;
}

/* A float tensor, as in PyTorch, while a float holds the count; then a double. */
static rms_status add_steps(struct part_list *list, const char *name, uint64_t steps, rms_error *error)
{
    const double number = (double)steps;
    if (steps <= UINT64_C(1) << 24)
        return add_single(list, name, ".step", (float)number, error);
    if (steps > UINT64_C(1) << 53)
        return fail(error, RMS_ERROR_UNSUPPORTED,
                    "tensor \"%.100s\": PyTorch's layout cannot hold %" PRIu64 " steps exactly", name, steps);
    return add_real(list, state, name, "step", &number, 1, error);
}

/* SGD's buffer exists from its first step on, which fills it otherwise than later ones do. */
static bool has_slot_yet(rms_rule rule, uint64_t steps)
{
    return rule != RMS_SGD || steps > 0;
}

static rms_status add_slots(struct part_list *list, rms_optimizer *optimizer, size_t index, const rms_tensor *tensor,
                            uint64_t steps, rms_error *error)
{
    const rms_options *options = optimizer_options(optimizer, tensor->group);
    const unsigned kept = rms_slots_kept(options, tensor->dtype);
    rms_status status = RMS_OK;
    for (size_t slot = 0; status == RMS_OK && slot < RMS_SLOTS_MAX; ++slot) {
        const char *word = pytorch_slot_name(options->rule, slot);
        if (!(kept >> slot & 1) || !word || !has_slot_yet(options->rule, steps))
            continue;
        char suffix[64];
        (void)snprintf(suffix, sizeof suffix, ".%s", word);
        const struct part part = {.dtype = tensor->dtype == RMS_F64 ? STORED_F64 : STORED_F32,
                                  .count = tensor->count,
                                  .data = rms_state(optimizer, index, rms_slot_name(options->rule, slot)),
                                  .decoded = options->state_format != RMS_STATE_FULL ? optimizer : NULL,
                                  .tensor = index,
                                  .slot = slot};
        status = part_list_add(list, state, tensor->name, suffix, &part, error);
    }
    return status;
}

rms_status part_list_add_pytorch(struct part_list *list, rms_optimizer *optimizer, size_t index, rms_error *error)
{
    rms_tensor tensor;
    uint64_t steps = 0;
    rms_status status = rms_tensor_at(optimizer, index, &tensor);
    if (status == RMS_OK)
        status = rms_get_steps(optimizer, index, &steps);
    if (status != RMS_OK)
        return status;
    const rms_options *options = optimizer_options(optimizer, tensor.group);
    status = check_tensor(&tensor, error);
    if (status == RMS_OK)
        status = check_options(options, tensor.group, error);
    if (status == RMS_OK)
        status = add_slots(list, optimizer, index, &tensor, steps, error);
    if (status == RMS_OK)
        status = add_steps(list, tensor.name, steps, error);
    if (status == RMS_OK && options->rule == RMS_NADAM)
        status = add_single(list, tensor.name, ".mu_product", pytorch_mu_product(options, steps), error);
    if (status == RMS_OK)
        status = add_options(list, options, tensor.name, error);
    return status;
}
