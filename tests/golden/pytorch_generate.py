#!/usr/bin/env python3
"""Writes pytorch.txt: what the optimizers of torch.optim make of hard gradients.

    python3 tests/golden/pytorch_generate.py > tests/golden/pytorch.txt
"""

import itertools

import golden
import golden_torch
from golden_torch import torch

# What PyTorch's arguments are called here. A pair of values has a pair of names. AdamW's decay is decoupled by
# itself, NAdam's and RAdam's by a flag.
NAMES = {
    "alpha": "rho",
    "weight_decay": "l2_decay",
    "initial_accumulator_value": "initial_accumulator",
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}

# Where a divided gradient holds weight decay, eps is chosen such that lr * weight_decay / eps, by which a
# parameter near 0 multiplies its own rounding errors, stays small. AdamW always says its weight_decay: its default
# is not 0.
SETS = [
    ("sgd", "SGD", {"lr": 0.01}),
    ("sgd-momentum", "SGD", {"lr": 0.01, "momentum": 0.9}),
    ("sgd-dampening", "SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.5}),
    ("sgd-nesterov", "SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("sgd-decay", "SGD", {"lr": 0.1, "weight_decay": 0.01}),
    ("sgd-maximize", "SGD", {"lr": 0.01, "maximize": True}),
    ("sgd-nesterov-decay-maximize", "SGD",
     {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("sgd-dampening-decay", "SGD", {"lr": 0.1, "momentum": 0.99, "dampening": 0.1, "weight_decay": 0.001}),
    ("adagrad", "Adagrad", {}),
    ("adagrad-lr-decay", "Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
    ("adagrad-accumulator", "Adagrad", {"initial_accumulator_value": 0.1}),
    ("adagrad-decay", "Adagrad", {"eps": 0.001, "weight_decay": 0.01}),
    ("adagrad-eps", "Adagrad", {"eps": 0.001}),
    ("adagrad-maximize", "Adagrad", {"maximize": True}),
    ("adagrad-all", "Adagrad",
     {"lr": 0.02, "lr_decay": 0.01, "initial_accumulator_value": 0.001, "eps": 0.01, "weight_decay": 0.1,
      "maximize": True}),
    ("rmsprop-alpha", "RMSprop", {"lr": 0.001, "alpha": 0.9}),
    ("rmsprop-eps", "RMSprop", {"eps": 0.001}),
    ("rmsprop-strong-decay", "RMSprop",
     {"lr": 0.001, "alpha": 0.95, "eps": 0.01, "momentum": 0.5, "weight_decay": 0.1}),
    ("rmsprop-centered-alpha", "RMSprop", {"alpha": 0.95, "centered": True}),
    ("adam", "Adam", {}),
    ("adam-betas", "Adam", {"lr": 0.01, "betas": (0.8, 0.99)}),
    ("adam-beta1-zero", "Adam", {"betas": (0.0, 0.9)}),
    ("adam-eps", "Adam", {"eps": 0.001}),
    ("adam-amsgrad", "Adam", {"betas": (0.9, 0.9), "amsgrad": True}),
    ("adam-decay", "Adam", {"eps": 0.001, "weight_decay": 0.01}),
    ("adam-maximize", "Adam", {"maximize": True}),
    ("adam-amsgrad-decay-maximize", "Adam",
     {"lr": 0.01, "betas": (0.9, 0.95), "eps": 0.01, "amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    ("adamw", "AdamW", {"weight_decay": 0.01}),
    ("adamw-decay", "AdamW", {"lr": 0.01, "weight_decay": 0.5}),
    ("adamw-amsgrad", "AdamW", {"betas": (0.9, 0.9), "amsgrad": True, "weight_decay": 0.1}),
    ("adamw-maximize", "AdamW", {"betas": (0.5, 0.999), "weight_decay": 0.01, "maximize": True}),
    ("adadelta", "Adadelta", {}),
    ("adadelta-lr", "Adadelta", {"lr": 0.5}),
    ("adadelta-rho", "Adadelta", {"rho": 0.95}),
    ("adadelta-eps", "Adadelta", {"eps": 0.0001}),
    ("adadelta-decay", "Adadelta", {"eps": 0.001, "weight_decay": 0.01}),
    ("adadelta-maximize", "Adadelta", {"maximize": True}),
    ("adadelta-all", "Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 0.001, "weight_decay": 0.01, "maximize": True}),
    ("adamax", "Adamax", {}),
    ("adamax-lr", "Adamax", {"lr": 0.01}),
    ("adamax-betas", "Adamax", {"betas": (0.8, 0.9)}),
    ("adamax-eps", "Adamax", {"eps": 0.001}),
    ("adamax-decay", "Adamax", {"eps": 0.001, "weight_decay": 0.01}),
    ("adamax-maximize", "Adamax", {"maximize": True}),
    ("adamax-all", "Adamax",
     {"lr": 0.01, "betas": (0.5, 0.99), "eps": 0.01, "weight_decay": 0.1, "maximize": True}),
    ("nadam", "NAdam", {}),
    ("nadam-lr", "NAdam", {"lr": 0.01}),
    ("nadam-betas", "NAdam", {"betas": (0.8, 0.99)}),
    ("nadam-eps", "NAdam", {"eps": 0.001}),
    ("nadam-momentum-decay", "NAdam", {"momentum_decay": 0.1}),
    ("nadam-decay", "NAdam", {"eps": 0.001, "weight_decay": 0.01}),
    ("nadam-decoupled", "NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("nadam-maximize", "NAdam", {"maximize": True}),
    ("nadam-all", "NAdam",
     {"lr": 0.01, "betas": (0.95, 0.9), "eps": 0.01, "momentum_decay": 0.02, "weight_decay": 0.1, "maximize": True}),
    ("radam", "RAdam", {}),
    ("radam-lr", "RAdam", {"lr": 0.01}),
    ("radam-betas", "RAdam", {"betas": (0.8, 0.99)}),
    ("radam-beta2-small", "RAdam", {"betas": (0.9, 0.5)}),  # never rectified: the gradient average alone moves it
    ("radam-eps", "RAdam", {"eps": 0.001}),
    ("radam-decay", "RAdam", {"eps": 0.001, "weight_decay": 0.01}),
    ("radam-decoupled", "RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("radam-maximize", "RAdam", {"maximize": True}),
    ("radam-all", "RAdam",
     {"lr": 0.01, "betas": (0.95, 0.9), "eps": 0.01, "weight_decay": 0.1, "maximize": True}),
    ("rprop", "Rprop", {}),
    ("rprop-lr", "Rprop", {"lr": 0.001}),
    ("rprop-etas", "Rprop", {"etas": (0.25, 1.5)}),
    ("rprop-step-sizes", "Rprop", {"step_sizes": (0.001, 0.1)}),
    ("rprop-maximize", "Rprop", {"maximize": True}),
]

# RMSprop's options, each combination of them.
RMSPROP_FLAGS = (
    ("centered", {"centered": True}),
    ("momentum", {"momentum": 0.9}),
    ("decay", {"lr": 0.001, "eps": 0.001, "weight_decay": 0.01}),
    ("maximize", {"maximize": True}),
)

# Recipes that are PyTorch's RMSprop with values of their own: presets of other names.
RECIPES = [
    ("rmsprop-hinton", {"alpha": 0.9}, "hinton"),
    ("rmsprop-minatar", {"lr": 0.00025, "alpha": 0.95, "eps": 0.01, "centered": True}, "minatar"),
]

# Sets with a learning rate that changes: it multiplies the whole buffer.
SCHEDULED = [
    ("sgd-momentum-schedule", "SGD", {"lr": 0.01, "momentum": 0.9}),
    ("sgd-nesterov-schedule", "SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("rmsprop-momentum-schedule", "RMSprop", {"momentum": 0.9}),
    ("adamw-schedule", "AdamW", {"weight_decay": 0.1}),
]
SCHEDULE = ((11, 0.0005), (31, 0.02))

# A gradient that never changes, for centered RMSprop: the variance is rounding error, and its root NaN.
CONSTANTS = (
    ("f32", 0.009, {"alpha": 0.9, "centered": True}),
    ("f32", 0.011, {"lr": 0.001, "alpha": 0.9, "centered": True, "momentum": 0.9}),
    ("f32", 0.003, {"alpha": 0.95, "centered": True}),
    ("f32", 0.099, {"centered": True}),
    ("f64", 0.633, {"alpha": 0.9, "centered": True}),
    ("f64", 0.267, {"alpha": 0.95, "centered": True}),
)


def combinations():
    for chosen in itertools.product((False, True), repeat=len(RMSPROP_FLAGS)):
        parts = [part for part, taken in zip(RMSPROP_FLAGS, chosen) if taken]
        options = {key: value for _, part in parts for key, value in part.items()}
        yield "-".join(["rmsprop"] + [name for name, _ in parts]), "RMSprop", options


def ours(optimizer, arguments, schedule=()):
    """PyTorch's arguments, said in the library's words."""
    decoupled = optimizer == "AdamW" or arguments.get("decoupled_weight_decay")
    names = dict(NAMES)
    if decoupled:
        names["weight_decay"] = "decoupled_decay"
    if optimizer == "Adadelta":
        names["eps"] = "eps_inside"
    options = {"preset": "pytorch"} if optimizer == "RMSprop" else \
        {"rule": {"AdamW": "adam"}.get(optimizer, optimizer.lower())}
    for key, value in arguments.items():
        if key == "decoupled_weight_decay":
            continue
        name = names.get(key, key)
        options.update(zip(name, value) if isinstance(name, tuple) else [(name, value)])
    options = {key: value for key, value in options.items() if (options.get("rule"), key, value) not in DEFAULTS}
    options.update((f"{step}:lr", lr) for step, lr in schedule)
    return options


# Halves of pairs that stay at their default, which would be options without effect.
DEFAULTS = {
    ("adam", "beta1", 0.9), ("adam", "beta2", 0.999), ("radam", "beta1", 0.9),
}


def begin(optimizer, arguments, schedule=()):
    kind = getattr(torch.optim, optimizer)
    return golden_torch.beginning(lambda parameters: kind(parameters, foreach=False, **arguments), schedule)


def main():
    golden.header("PyTorch", golden_torch.versions())
    golden.arithmetic("lerp")
    for name, optimizer, arguments in SETS + list(combinations()):
        golden.write_set(name, golden_torch.call_text(optimizer, arguments), ours(optimizer, arguments),
                         begin(optimizer, arguments))
    for name, arguments, preset in RECIPES:
        golden.write_set(name, golden_torch.call_text("RMSprop", arguments), {"preset": preset},
                         begin("RMSprop", arguments))
    for name, optimizer, arguments in SCHEDULED:
        golden.write_set(name, golden_torch.call_text(optimizer, arguments, SCHEDULE),
                         ours(optimizer, arguments, SCHEDULE), begin(optimizer, arguments, SCHEDULE))
    for dtype, constant, arguments in CONSTANTS:
        golden.write_constant(dtype, constant, golden_torch.call_text("RMSprop", arguments),
                              ours("RMSprop", arguments), begin("RMSprop", arguments))
    golden.footer()


if __name__ == "__main__":
    main()
