#!/usr/bin/env python3
"""Writes stable_baselines3.txt: what RMSpropTFLike of Stable-Baselines3 makes of hard gradients.

    python3 tests/golden/stable_baselines3_generate.py > tests/golden/stable_baselines3.txt
"""

import itertools

import golden
import golden_torch
import stable_baselines3
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

NAMES = {"alpha": "rho", "eps": "eps_inside", "weight_decay": "l2_decay"}

# Each combination of these. Where the parameter is fed back, or a variance divides, eps is large enough that neither
# multiplies rounding errors without end.
FLAGS = (
    ("centered", {"centered": True, "lr": 0.001, "eps": 0.0001}),
    ("momentum", {"momentum": 0.9}),
    ("decay", {"lr": 0.001, "eps": 0.001, "weight_decay": 0.01}),
)

FURTHER = [
    ("rmsprop-lr", {"lr": 0.001}),
    ("rmsprop-alpha", {"alpha": 0.9}),
    ("rmsprop-eps", {"eps": 0.01}),
    ("rmsprop-a2c", {"lr": 0.0007, "eps": 1e-05}),
]

# A gradient that never changes: its variance is rounding error.
CONSTANTS = (
    ("f32", 36.63, {"alpha": 0.9, "centered": True}),
    ("f32", 131.35, {"centered": True}),
    ("f64", 48100.0, {"alpha": 0.9, "centered": True}),
)

SCHEDULE = ((11, 0.0005), (31, 0.02))


def combinations():
    for chosen in itertools.product((False, True), repeat=len(FLAGS)):
        parts = [part for part, taken in zip(FLAGS, chosen) if taken]
        arguments = {key: value for _, part in parts for key, value in part.items()}
        yield "-".join(["rmsprop"] + [name for name, _ in parts]), arguments, ()


def ours(arguments, schedule):
    """Its arguments, said in the library's words."""
    options = {"preset": "sb3-tf-like"}
    options.update((NAMES.get(key, key), value) for key, value in arguments.items())
    options.update((f"{step}:lr", lr) for step, lr in schedule)
    return options


def beginning(arguments, schedule=()):
    return golden_torch.beginning(lambda parameters: RMSpropTFLike(parameters, **arguments), schedule)


def main():
    golden.header("Stable-Baselines3", f"stable-baselines3 {stable_baselines3.__version__}, {golden_torch.versions()}")
    scheduled = [("rmsprop-momentum-schedule", {"momentum": 0.9}, SCHEDULE)]
    for name, arguments, schedule in [(*row, ()) for row in FURTHER] + list(combinations()) + scheduled:
        golden.write_set(name, golden_torch.call_text("RMSpropTFLike", arguments, schedule), ours(arguments, schedule),
                         beginning(arguments, schedule))
    for dtype, constant, arguments in CONSTANTS:
        golden.write_constant(dtype, constant, golden_torch.call_text("RMSpropTFLike", arguments), ours(arguments, ()),
                              beginning(arguments))
    golden.footer()


if __name__ == "__main__":
    main()
