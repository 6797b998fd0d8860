"""Installs the peers: each framework in a virtual environment of its own, by pip; programs by the compiler. What cannot
be installed is absent, with the reason."""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
X86 = platform.machine() in ("x86_64", "AMD64")

# Environments and what goes into each, in this order. Each line is a peer's name and pip's arguments; the first is what
# the others build on.
ENVIRONMENTS = {
    "torch": [
        ("PyTorch", ["torch", "numpy"]),
        ("DeepSpeed", ["setuptools", "wheel", "ninja"], ["--no-build-isolation", "deepspeed"]),
        ("bitsandbytes", ["bitsandbytes"]),
    ],
    "jax": [("optax", ["jax", "optax", "numpy"])],
    "tf": [("Keras", ["tensorflow-cpu" if X86 else "tensorflow", "keras", "numpy"])],
    "plot": [("Matplotlib", ["matplotlib"])],
}

# What a peer is recorded by, and what else is.
DISTRIBUTIONS = {
    "PyTorch": "torch",
    "DeepSpeed": "deepspeed",
    "bitsandbytes": "bitsandbytes",
    "optax": "optax",
    "Keras": "keras",
    "Matplotlib": "matplotlib",
}
RECORDED = [*DISTRIBUTIONS.values(), "jax", "jaxlib", "tensorflow", "tensorflow-cpu"]

VERSIONS = """
import importlib.metadata, sys
for distribution in importlib.metadata.distributions():
    name = distribution.metadata["Name"].lower().replace("_", "-")
    if name in sys.argv:
        print(name, distribution.version)
"""

# DeepSpeed compiles its kernels when they are first used.
BUILD_DEEPSPEED = """
from deepspeed.ops.op_builder import CPUAdagradBuilder, CPUAdamBuilder
CPUAdamBuilder().load(), CPUAdagradBuilder().load()
"""


class Installation:
    """Where the peers are. Absent peers have a reason."""

    def __init__(self, folder, borrowed, say):
        self.folder = Path(folder)
        self.borrowed = borrowed and Path(borrowed)  # environments that others have made; nothing is put into them
        self.say = say
        self.absent = {}
        self.versions = {}
        self.alone = None

    def python(self, environment):
        return (self.borrowed or self.folder) / environment / "bin" / "python"

    def variables(self):
        """What the frameworks are to know when they are built and run."""
        binaries = self.python("torch").parent
        return {
            "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
            "DS_ACCELERATOR": "cpu",
            "CUDA_VISIBLE_DEVICES": "",
            "TORCH_EXTENSIONS_DIR": str(self.folder / "deepspeed"),
        }

    def run(self, name, command):
        """Runs a command, its output appended to build/peers/NAME.log; the reason if it fails, else None."""
        log = self.folder / f"{name}.log"
        with open(log, "ab") as output:
            start = output.tell()
            variables = os.environ | self.variables()
            try:
                status = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=variables, check=False
                ).returncode
            except OSError as error:
                return f"{command[0]}: {error.strerror}"
        if status == 0:
            return None
        lines = log.read_bytes()[start:].decode(errors="replace").strip().splitlines() or [f"status {status}"]
        told = [line for line in lines if "error" in line.lower()] or lines
        return f"{told[-1].strip()} (the whole log: {log})"

    def pip(self, environment, arguments):
        command = [self.python(environment), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        return self.run(environment, [*command, *arguments])

    def make_environment(self, environment):
        """One that is complete is marked, and used as it is; otherwise pip adds what is missing."""
        place = self.folder / environment
        if self.borrowed or (place / "complete").exists():
            return
        reason = self.run(environment, [sys.executable, "-m", "venv", place])
        for peer, *installs in ENVIRONMENTS[environment]:
            self.say(f"installing {peer} (log: {self.folder / environment}.log)")
            for arguments in installs:
                reason = reason or self.pip(environment, arguments)
            if reason:
                self.absent[peer] = reason
                reason = reason if peer == ENVIRONMENTS[environment][0][0] else None
        if not any(peer in self.absent for peer, *_ in ENVIRONMENTS[environment]):
            (place / "complete").touch()

    def look_at(self, environment):
        """Records versions, and what is not there."""
        python = self.python(environment)
        command = [python, "-c", VERSIONS, *RECORDED]
        try:
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            told = ""
        found = dict(line.split() for line in told.splitlines())
        self.versions |= found
        for peer, *_ in ENVIRONMENTS[environment]:
            if DISTRIBUTIONS[peer] not in found:
                self.absent.setdefault(peer, f"not in {python.parent.parent}")

    def build_deepspeed(self):
        if "DeepSpeed" not in self.absent:
            if not (self.folder / "deepspeed").exists():
                self.say("building DeepSpeed's kernels")
            # A build that was interrupted leaves its lock, for which the next would wait for ever.
            for lock in self.folder.glob("deepspeed/*/lock"):
                lock.unlink()
            reason = self.run("deepspeed", [self.python("torch"), "-c", BUILD_DEEPSPEED])
            if reason:
                self.absent["DeepSpeed"] = f"its kernels did not build: {reason}"

    def build_armadillo(self):
        """The contestant in C++, built anew each time, since it is small."""
        requests, options = self.folder / "requests.o", ["-O3", "-march=native"]
        compiler = os.environ.get("CXX", "g++")
        in_c = [os.environ.get("CC", "cc"), *options, "-D_POSIX_C_SOURCE=200809L", "-c", HERE / "requests.c"]
        in_cxx = [compiler, *options, "-DARMA_NO_DEBUG", "-DARMA_DONT_USE_WRAPPER", HERE / "armadillo.cpp", requests]
        reason = self.run("armadillo", [*in_c, "-o", requests])
        reason = reason or self.run("armadillo", [*in_cxx, "-ljansson", "-o", self.folder / "armadillo"])
        if reason:
            self.absent["Armadillo"] = reason
            return
        code = "#include <armadillo>\nARMA_VERSION_MAJOR.ARMA_VERSION_MINOR.ARMA_VERSION_PATCH"
        command = [compiler, "-E", "-P", "-x", "c++", "-"]
        told = subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout
        self.versions["armadillo"] = told.strip().splitlines()[-1].replace(" ", "")

    def everything(self, fresh, environments):
        """These environments; and what builds on all of them if they are all."""
        if fresh:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.alone = open(self.folder / "lock", "w")  # for as long as this program runs
        fcntl.flock(self.alone, fcntl.LOCK_EX)
        for environment in environments:
            self.make_environment(environment)
            self.look_at(environment)
        if len(environments) == len(ENVIRONMENTS):
            self.build_deepspeed()
            self.build_armadillo()
