#!/usr/bin/env python3
"""Writes one framework's part of schedules.txt: its learning rates in double, beside the same schedule in the
library's words.

    python3 tests/golden/schedules_generate.py pytorch > tests/golden/schedules.txt
    python3 tests/golden/schedules_generate.py optax >> tests/golden/schedules.txt

The first needs torch, the second jax and optax, which need not be installed in the same place.
"""

import platform
import sys
import warnings

# (lr, warm-up steps, the share of lr that warm-up begins with); 1/3 and 0.1 are no binary fractions.
STARTS = (
    (0.1, 0, 0.0),
    (0.001, 10, 1 / 3),
    (3e-4, 1000, 0.1),
    (1.0, 7, 0.25),
)

# (name, decay steps, the share of lr that is left at the end)
FALLS = (
    ("linear", 100, 0.01),
    ("linear", 3000, 0.0),
    ("linear", 1, 0.5),
    ("cosine", 100, 0.0),
    ("cosine", 3000, 0.1),
    ("cosine", 1, 0.5),
)

# (name, decay steps, factor, the share of lr below which it does not fall)
FACTORS = (
    ("step", 30, 0.1, 0.0),
    ("step", 1, 0.95, 0.0),
    ("step", 7, 1.0, 0.0),
    ("exponential", 1, 0.999, 0.0),
    ("exponential", 1, 0.9, 0.0),
    ("exponential", 500, 0.5, 0.0),
    ("exponential", 100, 0.96, 0.2),
    ("step", 100, 0.5, 0.01),
)


def steps_kept(warmup, decay):
    """The first steps, those around the seams, and others ever farther apart."""
    seams = {0, warmup // 2, warmup, warmup + decay // 2, warmup + decay, warmup + 2 * decay}
    near = {seam + offset for seam in seams for offset in (-1, 0, 1, 2)}
    far = {round(1.3**i) for i in range(34)}
    return sorted(step for step in near | far if step >= 0)


def write(framework, formula, call, schedule, rate, last=None):
    """schedule holds the library's fields; rate(step) is the framework's, up to the step last if there is one."""
    fields = " ".join(f"{key}={value.hex() if isinstance(value, float) else value}" for key, value in schedule.items())
    print(f'schedule {framework} {formula} "{call}" {fields}')
    for step in steps_kept(schedule.get("warmup_steps", 0), schedule.get("decay_steps", 0)):
        if last is None or step <= last:
            print(step, float(rate(step)).hex())


def written(name, arguments):
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


class Pytorch:
    """Rates by walking from step to step, as training does: most of PyTorch's schedulers multiply the last rate."""

    def __init__(self):
        import torch

        self.torch = torch
        self.versions = f"torch {torch.__version__}"

    def rates(self, lr, warmup, tail, steps):
        scheduler_of = self.torch.optim.lr_scheduler
        optimizer = self.torch.optim.SGD([self.torch.zeros(1)], lr=lr)
        name, arguments = tail
        call = written(name, arguments)
        scheduler = getattr(scheduler_of, name)(optimizer, **arguments)
        if warmup:
            optimizer = self.torch.optim.SGD([self.torch.zeros(1)], lr=lr)
            rise = scheduler_of.LinearLR(optimizer, **warmup)
            scheduler = getattr(scheduler_of, name)(optimizer, **arguments)
            milestone = warmup["total_iters"]
            scheduler = scheduler_of.SequentialLR(optimizer, [rise, scheduler], [milestone])
            call = f"SequentialLR([{written('LinearLR', warmup)}, {call}], [{milestone}])"
        rates = []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return call, rates

    def one(self, start, tail, formula, fall):
        lr, warmup_steps, share = start
        warmup = {"start_factor": share, "total_iters": warmup_steps} if warmup_steps else None
        schedule = {"lr": lr}
        if warmup:
            schedule |= {"warmup_steps": warmup_steps, "warmup_lr": lr * share}
        schedule |= fall
        last = steps_kept(warmup_steps, fall.get("decay_steps", 0))[-1]
        if formula == "cosine":  # which rises again behind its end
            last = warmup_steps + fall["decay_steps"]
        call, rates = self.rates(lr, warmup, tail, last + 1)
        write("pytorch", formula, call, schedule, lambda step: rates[step], last)

    def all(self):
        for start in STARTS:
            lr = start[0]
            self.one(start, ("ConstantLR", {"factor": 1.0, "total_iters": 5}), "constant", {"decay": "constant"})
            for name, steps, share in FALLS:
                tail = {
                    "linear": ("LinearLR", {"start_factor": 1.0, "end_factor": share, "total_iters": steps}),
                    "cosine": ("CosineAnnealingLR", {"T_max": steps, "eta_min": lr * share}),
                }[name]
                self.one(start, tail, name, {"decay": name, "decay_steps": steps, "final_lr": lr * share})
            for name, steps, factor, share in FACTORS:
                if share or (name == "exponential" and steps > 1):
                    continue  # PyTorch has neither
                tail = {
                    "step": ("StepLR", {"step_size": steps, "gamma": factor}),
                    "exponential": ("ExponentialLR", {"gamma": factor}),
                }[name]
                self.one(start, tail, name, {"decay": name, "decay_steps": steps, "factor": factor})


class Optax:
    """Rates as functions of the step, in double."""

    def __init__(self):
        import jax
        import optax

        jax.config.update("jax_enable_x64", True)
        self.optax = optax
        self.versions = f"optax {optax.__version__}, jax {jax.__version__}"

    def one(self, formula, name, arguments, schedule):
        write("optax", formula, written(name, arguments), schedule, getattr(self.optax, name)(**arguments))

    def warm(self):
        for lr, steps, share in STARTS:
            if not steps:
                continue
            arguments = {"init_value": lr * share, "peak_value": lr, "warmup_steps": steps}
            start = {"lr": lr, "warmup_steps": steps, "warmup_lr": lr * share}
            self.one("constant", "warmup_constant_schedule", arguments, start | {"decay": "constant"})
            for name, decay_steps, left in FALLS:
                if name == "cosine":  # here decay_steps counts from the beginning of the warm-up
                    more = {"decay_steps": steps + decay_steps, "end_value": lr * left}
                    fall = {"decay": "cosine", "decay_steps": decay_steps, "final_lr": lr * left}
                    self.one("cosine", "warmup_cosine_decay_schedule", arguments | more, start | fall)

    def all(self):
        self.warm()
        lr = 0.001
        for name, steps, share in FALLS:
            if name == "linear":
                call = ("linear_schedule", {"init_value": lr, "end_value": lr * share, "transition_steps": steps})
            else:
                call = ("cosine_decay_schedule", {"init_value": lr, "decay_steps": steps, "alpha": share})
            self.one(name, *call, {"lr": lr, "decay": name, "decay_steps": steps, "final_lr": lr * share})
        for name, steps, factor, share in FACTORS:
            arguments = {"init_value": lr, "transition_steps": steps, "decay_rate": factor}
            if name == "step":
                arguments["staircase"] = True
            if share:
                arguments["end_value"] = lr * share
            fall = {"decay": name, "decay_steps": steps, "final_lr": lr * share, "factor": factor}
            self.one(name, "exponential_decay", arguments, {"lr": lr} | fall)


def main():
    warnings.simplefilter("ignore")  # SequentialLR calls its schedulers in ways that they themselves warn of
    frameworks = {"pytorch": Pytorch, "optax": Optax}
    if len(sys.argv) != 2 or sys.argv[1] not in frameworks:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(frameworks)}")
    framework = frameworks[sys.argv[1]]()
    print(f"# {framework.versions}, python {platform.python_version()}; README.md describes the format.")
    framework.all()
    print(f"end {sys.argv[1]}")


if __name__ == "__main__":
    main()
