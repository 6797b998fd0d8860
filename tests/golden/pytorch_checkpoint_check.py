#!/usr/bin/env python3
"""Reads what checkpoint_pytorch.c wrote in PyTorch's layout into PyTorch's own optimizers, and goes on: their parameters
must come as near to the library's as rounding allows, which the test works out.

    checkpoint_pytorch --write FOLDER && python3 tests/golden/pytorch_checkpoint_check.py FOLDER

A line of FOLDER/trajectories.txt: steps, parameters; of the last steps also the distance allowed to each. Needs torch and
safetensors."""

import pathlib
import sys

from pytorch_checkpoint import BEFORE, DTYPES, SETS, STEPS, load, make, take_steps, torch


def read_sets(path):
    """{name: {(steps, tensor or "allowed"): numbers}}"""
    sets, current = {}, None
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["set"]:
            current = sets.setdefault(words[1], {})
        elif words:
            current[words[0], words[1]] = [float.fromhex(word) for word in words[2:]]
    return sets


def main():
    folder = pathlib.Path(sys.argv[1])
    sets = read_sets(folder / "trajectories.txt")
    failed = 0
    for name, dtype, kind, options, _ in SETS:
        said = sets[name]
        # Options that are wrong everywhere, but for those that decide what state is kept: the file's must win.
        wrong = {key: 2 * value if isinstance(value, float) and value < 0.5 else value for key, value in options.items()}
        model, optimizer = make(dtype, kind, wrong)
        load(model, optimizer, str(folder / f"{name}.safetensors"))
        with torch.no_grad():
            for parameter, key in zip(model.parameters(), ("fc.weight", "fc.bias")):
                values = torch.tensor(said[str(BEFORE), key], dtype=DTYPES[dtype])
                parameter.copy_(values.reshape(parameter.shape))
        take_steps(model, optimizer, BEFORE + 1, STEPS)
        worst = 0.0
        for parameter, key in zip(model.parameters(), ("fc.weight", "fc.bias")):
            allowed = said["allowed", key]
            for ours, theirs, most in zip(said[str(STEPS), key], parameter.flatten().tolist(), allowed):
                worst = max(worst, abs(ours - theirs) / most if most else (0.0 if ours == theirs else float("inf")))
        print(f"{name}: {worst:.2f} of the distance that is allowed")
        failed += not worst <= 1.0
    if len(SETS) != len(sets) or failed:
        sys.exit(f"{failed} sets of {len(SETS)} (the library wrote {len(sets)}) are too far away")


if __name__ == "__main__":
    main()
