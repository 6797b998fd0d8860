/* What PyTorch 2 calls slots and options; taken from what torch.optim's state_dict() holds. */
#include "pytorch_names.h"

#include "rules/elementary.h"

#include <string.h>

static const struct {
    rms_rule rule;
    size_t slot;
    const char *name;
} slots[] = {
    {RMS_SGD, 0, "momentum_buffer"},
    {RMS_ADAGRAD, 0, "sum"},
    {RMS_RMSPROP, 0, "square_avg"},
    {RMS_RMSPROP, 1, "grad_avg"},
    {RMS_RMSPROP, 2, "momentum_buffer"},
    {RMS_ADAM, 0, "exp_avg"},
    {RMS_ADAM, 1, "exp_avg_sq"},
    {RMS_ADAM, 2, "max_exp_avg_sq"},
    {RMS_RPROP, 0, "prev"},
    {RMS_RPROP, 1, "step_size"},
    {RMS_ADADELTA, 0, "square_avg"},
    {RMS_ADADELTA, 1, "acc_delta"},
    {RMS_ADAMAX, 0, "exp_avg"},
    {RMS_ADAMAX, 1, "exp_inf"},
    {RMS_NADAM, 0, "exp_avg"},
    {RMS_NADAM, 1, "exp_avg_sq"},
    {RMS_RADAM, 0, "exp_avg"},
    {RMS_RADAM, 1, "exp_avg_sq"},
    {RMS_LION, 0, "exp_avg"}, /* not in torch.optim; the name that its implementations share */
};

static const struct pytorch_option options[] = {
    {RMS_SGD, "lr", {"lr"}},
    {RMS_SGD, "momentum", {"momentum"}},
    {RMS_SGD, "dampening", {"dampening"}},
    {RMS_SGD, "nesterov", {"nesterov"}},
    {RMS_SGD, "weight_decay", {"l2_decay"}},
    {RMS_SGD, "maximize", {"maximize"}},
    {RMS_ADAGRAD, "lr", {"lr"}},
    {RMS_ADAGRAD, "lr_decay", {"lr_decay"}},
    {RMS_ADAGRAD, "eps", {"eps"}},
    {RMS_ADAGRAD, "initial_accumulator_value", {"initial_accumulator"}},
    {RMS_ADAGRAD, "weight_decay", {"l2_decay"}},
    {RMS_ADAGRAD, "maximize", {"maximize"}},
    {RMS_RMSPROP, "lr", {"lr"}},
    {RMS_RMSPROP, "alpha", {"rho"}},
    {RMS_RMSPROP, "eps", {"eps"}},
    {RMS_RMSPROP, "momentum", {"momentum"}},
    {RMS_RMSPROP, "centered", {"centered"}},
    {RMS_RMSPROP, "weight_decay", {"l2_decay"}},
    {RMS_RMSPROP, "maximize", {"maximize"}},
    {RMS_ADAM, "lr", {"lr"}},
    {RMS_ADAM, "betas", {"beta1", "beta2"}},
    {RMS_ADAM, "eps", {"eps"}},
    {RMS_ADAM, "amsgrad", {"amsgrad"}},
    {RMS_ADAM, "weight_decay", {"l2_decay"}},
    {RMS_ADAM, "maximize", {"maximize"}},
    {RMS_RPROP, "lr", {"lr"}},
    {RMS_RPROP, "etas", {"eta_minus", "eta_plus"}},
    {RMS_RPROP, "step_sizes", {"step_size_min", "step_size_max"}},
    {RMS_RPROP, "maximize", {"maximize"}},
    {RMS_ADADELTA, "lr", {"lr"}},
    {RMS_ADADELTA, "rho", {"rho"}},
    {RMS_ADADELTA, "eps", {"eps_inside"}},
    {RMS_ADADELTA, "weight_decay", {"l2_decay"}},
    {RMS_ADADELTA, "maximize", {"maximize"}},
    {RMS_ADAMAX, "lr", {"lr"}},
    {RMS_ADAMAX, "betas", {"beta1", "beta2"}},
    {RMS_ADAMAX, "eps", {"eps"}},
    {RMS_ADAMAX, "weight_decay", {"l2_decay"}},
    {RMS_ADAMAX, "maximize", {"maximize"}},
    {RMS_NADAM, "lr", {"lr"}},
    {RMS_NADAM, "betas", {"beta1", "beta2"}},
    {RMS_NADAM, "eps", {"eps"}},
    {RMS_NADAM, "momentum_decay", {"momentum_decay"}},
    {RMS_NADAM, "weight_decay", {"l2_decay"}},
    {RMS_NADAM, "maximize", {"maximize"}},
    {RMS_RADAM, "lr", {"lr"}},
    {RMS_RADAM, "betas", {"beta1", "beta2"}},
    {RMS_RADAM, "eps", {"eps"}},
    {RMS_RADAM, "weight_decay", {"l2_decay"}},
    {RMS_RADAM, "maximize", {"maximize"}},
    {RMS_LION, "lr", {"lr"}},
    {RMS_LION, "betas", {"beta1", "beta2"}},
    {RMS_LION, "weight_decay", {"decoupled_decay"}},
};

static const char *const ignored[] = {"foreach", "fused",  "capturable",    "differentiable", "initial_lr",
                                      "max_lr",  "min_lr", "base_momentum", "max_momentum"};

/* Names of one rule alone come first. A rule that shares all of its names with another needs one of its options. */
static const struct pytorch_marker markers[] = {
    {true, "exp_inf", RMS_ADAMAX},      {true, "mu_product", RMS_NADAM},      {true, "acc_delta", RMS_ADADELTA},
    {true, "grad_avg", RMS_RMSPROP},    {true, "sum", RMS_ADAGRAD},           {true, "prev", RMS_RPROP},
    {true, "max_exp_avg_sq", RMS_ADAM}, {false, "momentum_decay", RMS_NADAM}, {false, "alpha", RMS_RMSPROP},
    {false, "lr_decay", RMS_ADAGRAD},   {false, "dampening", RMS_SGD},        {false, "etas", RMS_RPROP},
    {false, "rho", RMS_ADADELTA},       {false, "amsgrad", RMS_ADAM},         {false, PYTORCH_DECOUPLED, RMS_RADAM},
    {true, "square_avg", RMS_RMSPROP},  {true, "exp_avg_sq", RMS_ADAM},       {false, "eps", RMS_ADAMAX},
    {true, "exp_avg", RMS_LION},        {false, "betas", RMS_LION},           {true, "momentum_buffer", RMS_SGD},
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const char *pytorch_slot_name(rms_rule rule, size_t slot)
{
    for (size_t i = 0; i < COUNT_OF(slots); ++i)
        if (slots[i].rule == rule && slots[i].slot == slot)
            return slots[i].name;
    return NULL;
}

size_t pytorch_slot(rms_rule rule, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(slots); ++i)
        if (slots[i].rule == rule && strcmp(slots[i].name, name) == 0)
            return slots[i].slot;
    return RMS_SLOTS_MAX;
}

const struct pytorch_option *pytorch_option_at(rms_rule rule, size_t index)
{
    for (size_t i = 0; i < COUNT_OF(options); ++i)
        if (options[i].rule == rule && index-- == 0)
            return &options[i];
    return NULL;
}

bool pytorch_has_decoupled(rms_rule rule)
{
    return rule == RMS_ADAM || rule == RMS_NADAM || rule == RMS_RADAM;
}

bool pytorch_has_step(rms_rule rule)
{
    return rule != RMS_SGD && rule != RMS_LION;
}

bool pytorch_is_ignored(const char *option)
{
    for (size_t i = 0; i < COUNT_OF(ignored); ++i)
        if (strcmp(ignored[i], option) == 0)
            return true;
    return false;
}

const struct pytorch_marker *pytorch_marker_at(size_t index)
{
    return index < COUNT_OF(markers) ? &markers[index] : NULL;
}

/* Until 0.96^... no longer shows, or the product is 0 as a float: one of the two comes within some thousand steps. */
float pytorch_mu_product(const rms_options *given, uint64_t steps)
{
    double product = 1.0;
    for (uint64_t step = 1; step <= steps && product > 0x1p-160; ++step) {
        const double fade = elementary_power(0.96, (double)step * given->momentum_decay);
        if (fade < 0x1p-60)
            return (float)(product * elementary_power(given->beta1, (double)(steps - step + 1)));
        product *= given->beta1 * (1.0 - 0.5 * fade);
    }
    return (float)product;
}
