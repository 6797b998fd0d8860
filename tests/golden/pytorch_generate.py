#!/usr/bin/env python3
"""Writes pytorch.txt: what the optimizers of PyTorch itself make of hard gradients, for golden_pytorch.c.

    python3 tests/golden/pytorch_generate.py > tests/golden/pytorch.txt

Needs torch (any build; the CPU is used). Parameters and gradients come from integers and powers
of two, so that golden_pytorch.c makes the same ones; whatever is changed here must be changed there.
"""

import os
import platform
import struct

# One instruction set, so that every x86 machine since 2013 writes the same file.
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")

import torch

STEPS_KEPT = (1, 2, 5, 10, 20, 50)
KINDS = 12
COUNT = 2 * KINDS
MASK = (1 << 64) - 1

# Name of the set, optimizer, and the options that differ from PyTorch's defaults. AdamW always says its
# weight_decay: its default is not 0. Where a divided gradient holds weight decay, eps is chosen such that
# lr * weight_decay / eps, by which a parameter near 0 multiplies its own rounding errors, stays small.
SETS = (
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
    ("rmsprop", "RMSprop", {}),
    ("rmsprop-alpha", "RMSprop", {"lr": 0.001, "alpha": 0.9}),
    ("rmsprop-eps", "RMSprop", {"eps": 0.001}),
    ("rmsprop-momentum", "RMSprop", {"momentum": 0.9}),
    ("rmsprop-decay", "RMSprop", {"lr": 0.001, "eps": 0.001, "weight_decay": 0.01}),
    ("rmsprop-maximize", "RMSprop", {"maximize": True}),
    ("rmsprop-momentum-decay-maximize", "RMSprop",
     {"lr": 0.001, "alpha": 0.95, "eps": 0.01, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("rmsprop-centered", "RMSprop", {"centered": True}),
    ("rmsprop-centered-alpha", "RMSprop", {"alpha": 0.95, "centered": True}),
    ("rmsprop-centered-momentum", "RMSprop", {"centered": True, "momentum": 0.9}),
    ("rmsprop-centered-decay-maximize", "RMSprop",
     {"lr": 0.001, "eps": 0.001, "centered": True, "weight_decay": 0.01, "maximize": True}),
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
)

# A gradient that never changes, for centered RMSprop: the variance is rounding error, and its root NaN.
CONSTANTS = (
    (0.009, {"alpha": 0.9, "centered": True}),
    (0.011, {"lr": 0.001, "alpha": 0.9, "centered": True, "momentum": 0.9}),
    (0.003, {"alpha": 0.95, "centered": True}),
    (0.099, {"centered": True}),
)
CONSTANT_STEPS = 3000


class Random:
    """splitmix64, as in tests/support.c."""

    def __init__(self, seed):
        self.state = seed & MASK

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def number(self):
        """A multiple of 2^-23 in [-1, 1)."""
        return ((self.bits() >> 40) - (1 << 23)) / (1 << 23)


def gradient(kind, step, draw, fixed):
    """One gradient; draw is new at every step, fixed is the element's own. Exact in float32."""
    return {
        0: 0.0,
        1: draw * 2.0**-100,                    # its square vanishes
        2: draw * 2.0**-70,                     # its square is subnormal
        3: draw * 2.0**33,
        4: fixed,                               # constant
        5: fixed if step % 2 == 0 else -fixed,  # the sign flips
        6: draw if step % 7 == 0 else 0.0,      # sparse, from the seventh step on
        7: draw * 2.0**33 if step == 1 else draw,
        8: draw * 2.0**-12,
        9: draw * 2.0**10,
    }.get(kind, draw)


def gradients(step):
    draws = Random(step)
    own = Random(1000)
    return [gradient(i % KINDS, step, draws.number(), own.number()) for i in range(COUNT)]


def parameters():
    """The second element of each kind starts at 0, where nothing hides the error of the movement."""
    draws = Random(2000)
    return [2.0 * draws.number() if i < KINDS else 0.0 for i in range(COUNT)]


def hexadecimal(value):
    """C99's notation, as short as it goes."""
    text = value.hex()
    if text in ("nan", "inf", "-inf"):
        return text
    mantissa, exponent = text.split("p")
    return mantissa.rstrip("0").rstrip(".") + "p" + exponent if "." in mantissa else text


def written(options):
    def value(v):
        if isinstance(v, tuple):
            return ",".join(map(repr, v))
        return str(v).lower() if isinstance(v, bool) else repr(v)

    return "".join(f" {key}={value(v)}" for key, v in options.items())


def trajectory(optimizer, options):
    """Yields (step, parameters) for the steps that are kept."""
    param = torch.tensor(parameters(), dtype=torch.float32, requires_grad=True)
    optimizer = getattr(torch.optim, optimizer)([param], foreach=False, **options)
    for step in range(1, STEPS_KEPT[-1] + 1):
        param.grad = torch.tensor(gradients(step), dtype=torch.float32)
        optimizer.step()
        if step in STEPS_KEPT:
            yield step, param.tolist()


def first_nan(constant, options):
    """The step after which the parameter is NaN; 0 if it never is."""
    param = torch.tensor([1.0], dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.RMSprop([param], foreach=False, **options)
    param.grad = torch.tensor([constant], dtype=torch.float32)
    for step in range(1, CONSTANT_STEPS + 1):
        optimizer.step()
        if torch.isnan(param).any():
            return step
    return 0


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    print("# Trajectories of PyTorch's optimizers, made by pytorch_generate.py; README.md describes the format.")
    print(f"# torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}), python "
          f"{platform.python_version()}")
    for name, optimizer, options in SETS:
        print(f"set {name} {optimizer}{written(options)}")
        for step, param in trajectory(optimizer, options):
            print(step, *map(hexadecimal, param))
    for constant, options in CONSTANTS:
        constant = struct.unpack("f", struct.pack("f", constant))[0]
        print(f"constant {hexadecimal(constant)} {first_nan(constant, options)} RMSprop{written(options)}")


if __name__ == "__main__":
    main()
