#!/usr/bin/env python3
"""Writes timm.txt: what the optimizers of timm (PyTorch Image Models) make of hard gradients.

    python3 tests/golden/timm_generate.py > tests/golden/timm.txt

Left out, because the library has no such option: caution, and corrected_weight_decay (which multiplies by
1 - lr^2 / lr_0 * weight_decay). Left out as well: LaProp's weight_decay, which timm takes from the parameter after it
has moved, and not before.
"""

import itertools

import golden
import golden_torch
import timm
import timm.optim

NAMES = {"alpha": "rho", "eps": "eps_inside", "weight_decay": "l2_decay"}

# Each combination of these. Momentum comes with a learning rate that changes, without which nothing tells whether it
# is multiplied in before the buffer or behind it.
CENTERED = (("", {}), ("centered", {"centered": True}))
MOMENTUM = (
    ("", {}),
    ("momentum", {"momentum": 0.9}),
    ("momentum-behind", {"momentum": 0.9, "lr_in_momentum": False}),
)
DECAY = (
    ("", {}),
    ("decay", {"weight_decay": 0.01}),
    ("decoupled", {"weight_decay": 0.1, "decoupled_decay": True}),
)
SCHEDULE = ((11, 0.0005), (31, 0.02))

# Centered, 1e-10 under the root is less than what rounding leaves of a variance of 1e20.
CENTERED_EPS = {"lr": 0.001, "eps": 0.0001}
DECAY_EPS = {"lr": 0.001, "eps": 0.001}

FURTHER = [
    ("rmsprop-alpha", {"alpha": 0.99}),
    ("rmsprop-eps", {"eps": 0.01}),
    ("rmsprop-lr", {"lr": 0.0625}),
]

# A gradient that never changes: its variance is rounding error. The order of operations here leaves none of it, but
# where 1 - alpha is large.
CONSTANTS = (
    ("f32", 76.59, {"alpha": 0.5, "centered": True}),
    ("f32", 16.65, {"alpha": 0.75, "centered": True}),
    ("f32", 0.009, {"centered": True}),
    ("f64", 40700.0, {"alpha": 0.5, "centered": True}),
)

LION = [
    ("lion", {}),
    ("lion-betas", {"lr": 0.001, "betas": (0.5, 0.75)}),
    ("lion-decay", {"lr": 0.01, "weight_decay": 0.5}),
    ("lion-maximize", {"maximize": True}),
]

LAPROP = [
    ("laprop", {}),
    ("laprop-lr", {"lr": 0.01}),
    ("laprop-betas", {"betas": (0.8, 0.99)}),
    ("laprop-eps", {"eps": 0.001}),
]


def combinations():
    for centered, momentum, decay in itertools.product(CENTERED, MOMENTUM, DECAY):
        arguments = {**(CENTERED_EPS if centered[0] else {}), **(DECAY_EPS if decay[0] == "decay" else {}),
                     **centered[1], **momentum[1], **decay[1]}
        name = "-".join(["rmsprop"] + [part for part, _ in (centered, momentum, decay) if part])
        yield name, arguments, SCHEDULE if momentum[0] else ()


def ours(arguments, schedule):
    """timm's arguments, said in the library's words."""
    options = {"preset": "timm"}
    for key, value in arguments.items():
        if key == "weight_decay" and "decoupled_decay" in arguments:
            options["decoupled_decay"] = value
        elif key != "decoupled_decay":
            options[NAMES.get(key, key)] = value
    options.update((f"{step}:lr", lr) for step, lr in schedule)
    return options


def beginning(kind, arguments, schedule=()):
    return golden_torch.beginning(lambda parameters: kind(parameters, foreach=False, **arguments), schedule)


def write(name, kind, arguments, options, schedule=()):
    golden.write_set(name, golden_torch.call_text(kind.__name__, arguments, schedule), options,
                     beginning(kind, arguments, schedule))


def with_betas(start, arguments, names):
    options = dict(start)
    for key, value in arguments.items():
        options.update(zip(names, value) if key == "betas" else [(key, value)])
    return options


def main():
    golden.header("timm", f"timm {timm.__version__}, {golden_torch.versions()}")
    golden.arithmetic("increment")
    for name, arguments, schedule in [(name, arguments, ()) for name, arguments in FURTHER] + list(combinations()):
        write(name, timm.optim.RMSpropTF, arguments, ours(arguments, schedule), schedule)
    for dtype, constant, arguments in CONSTANTS:
        golden.write_constant(dtype, constant, golden_torch.call_text("RMSpropTF", arguments), ours(arguments, ()),
                              beginning(timm.optim.RMSpropTF, arguments))
    golden.arithmetic("lerp")
    for name, arguments in LION:
        options = with_betas({"rule": "lion"}, arguments, ("beta1", "beta2"))
        if "weight_decay" in options:
            options["decoupled_decay"] = options.pop("weight_decay")
        write(name, timm.optim.Lion, arguments, options)
    # The sums from which LaProp's corrections are made are running ones, in the model's dtype.
    golden.arithmetic("sums")
    for name, arguments in LAPROP:
        write(name, timm.optim.LaProp, arguments,
              with_betas({"preset": "laprop"}, arguments, ("momentum", "rho")))
    golden.footer()


if __name__ == "__main__":
    main()
