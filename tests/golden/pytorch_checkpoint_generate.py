#!/usr/bin/env python3
"""Writes NAME.safetensors, the state of PyTorch's own optimizers after 5 steps, and trajectories.txt, their parameters
then and after 20, for checkpoint_pytorch.c.

    python3 tests/golden/pytorch_checkpoint_generate.py tests/golden/pytorch_checkpoints

Needs torch and safetensors; the CPU is used."""

import pathlib
import sys

from golden import hexadecimal
from pytorch_checkpoint import BEFORE, SETS, STEPS, make, save, take_steps, torch


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    lines = [f"# Made by pytorch_checkpoint_generate.py with torch {torch.__version__}. A set: its name, dtype and the",
             "# library's options; then the parameters of fc.weight and fc.bias after so many steps.\n"]
    for name, dtype, kind, options, ours in SETS:
        model, optimizer = make(dtype, kind, options)
        lines.append(f"set {name} {dtype} {ours}")
        for first, last in ((1, BEFORE), (BEFORE + 1, STEPS)):
            take_steps(model, optimizer, first, last)
            if last == BEFORE:
                save(model, optimizer, str(folder / f"{name}.safetensors"))
            for parameter in model.parameters():
                values = " ".join(hexadecimal(value) for value in parameter.flatten().tolist())
                lines.append(f"{last} {values}")
        lines.append("")
    (folder / "trajectories.txt").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
