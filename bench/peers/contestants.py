"""Who takes part in the comparison, and in which cases."""

from dataclasses import dataclass

RULES = ("rmsprop", "adam", "adagrad", "sgd")
QUICK_RULES = RULES[:2]
RATES = {"lr": 1e-3, "rho": 0.99, "beta1": 0.9, "beta2": 0.999, "momentum": 0.9, "eps": 1e-8}

# Tensors, numbers in each, threads; and which of them --quick keeps: one thread, so that each framework starts once.
CASES = [
    (1, 100, 1, True),
    (1000, 100, 1, False),
    (50, 1000, 1, True),
    (1, 1_000_000, 1, True),
    (1, 30_000_000, 1, True),
    (1, 1_000_000, 2, False),
    (1, 30_000_000, 2, False),
]

LARGE = 1_000_000  # what only large tensors have: narrow state, temporaries that are handed back to the system

# glibc hands large temporaries back to the system, which then fills the next ones with zeros; with these it keeps them.
KEEP_HEAP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}


@dataclass(frozen=True)
class Contestant:
    name: str
    peer: str  # what must be installed; "" for ours
    worker: str
    mode: str
    rules: tuple = RULES
    base: str = "unchecked"  # which mode of ours it is compared with
    count: int = 1  # the least numbers in a tensor
    threads: int = 2  # at most
    tensors: int = 1000  # at most


CONTESTANTS = [
    Contestant("gradients checked (default)", "", "ours", "checked"),
    Contestant("state in 16 bits", "", "ours", "16-bit", count=LARGE),
    Contestant("state in 8 bits", "", "ours", "8-bit", count=LARGE),
    Contestant("PyTorch, fused", "PyTorch", "torch", "fused", ("adam", "adagrad", "sgd")),
    Contestant("PyTorch, foreach", "PyTorch", "torch", "foreach"),
    Contestant("PyTorch, for-loop", "PyTorch", "torch", "for-loop"),
    Contestant("PyTorch, foreach, heap kept", "PyTorch", "torch_kept", "foreach", ("rmsprop",), count=LARGE),
    Contestant("DeepSpeed", "DeepSpeed", "torch", "deepspeed", ("adam", "adagrad")),
    Contestant("optax, jit", "optax", "jax", "jit"),
    Contestant("Keras, tf.function", "Keras", "keras", "graph", tensors=50),
    Contestant("Keras, XLA", "Keras", "keras", "xla", tensors=50),
    Contestant("Armadillo (ensmallen)", "Armadillo", "armadillo", "expression", threads=1),
    Contestant("plain loop, -O3", "", "loop", "plain", threads=1),
    Contestant("plain loop, -Ofast", "", "loop_fast", "plain", threads=1),
    Contestant("bitsandbytes, 8 bits", "bitsandbytes", "torch", "8-bit", base="8-bit", count=LARGE),
]

# Contestants in Python: their programs and environments.
FRAMEWORKS = {
    "torch": ("torch", "torch"),
    "torch_kept": ("torch", "torch"),
    "jax": ("jax", "jax"),
    "keras": ("keras", "tf"),
}
