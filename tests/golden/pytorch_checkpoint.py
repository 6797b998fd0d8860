"""What the generator and the check of checkpoints in PyTorch's layout share: a model, its gradients, and the way between
an optimizer and a file, which docs/checkpoints.md shows."""

import os

# One instruction set, so that every x86 machine since 2013 writes the same file.
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")

import torch
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint.state_dict import (StateDictOptions, get_optimizer_state_dict,
                                                     set_optimizer_state_dict)

from golden import Random

BEFORE, STEPS = 5, 20
DTYPES = {"f32": torch.float32, "f64": torch.float64}
FLAT = StateDictOptions(flatten_optimizer_state_dict=True)

# Name, dtype, PyTorch's optimizer and options, and the library's rule and options. fc.bias has half the rate.
SETS = (
    ("rmsprop", "f32", "RMSprop",
     {"lr": 0.01, "alpha": 0.95, "eps": 1e-6, "momentum": 0.9, "centered": True, "weight_decay": 0.01},
     "rule=rmsprop lr=0.01 rho=0.95 eps=1e-6 momentum=0.9 centered=true l2_decay=0.01"),
    ("rmsprop_f64", "f64", "RMSprop", {"lr": 0.01, "momentum": 0.5}, "rule=rmsprop lr=0.01 momentum=0.5"),
    ("adam", "f32", "Adam", {"lr": 0.01, "betas": (0.8, 0.99), "amsgrad": True, "weight_decay": 0.1},
     "rule=adam lr=0.01 beta1=0.8 beta2=0.99 amsgrad=true l2_decay=0.1"),
    ("adamw", "f32", "AdamW", {"lr": 0.01, "weight_decay": 0.1, "maximize": True},
     "rule=adam lr=0.01 decoupled_decay=0.1 maximize=true"),
    ("sgd", "f32", "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, "rule=sgd lr=0.1 momentum=0.9 nesterov=true"),
    ("sgd_dampening", "f32", "SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
     "rule=sgd lr=0.1 momentum=0.9 dampening=0.5"),
    ("sgd_plain", "f32", "SGD", {"lr": 0.1}, "rule=sgd lr=0.1"),
    ("adagrad", "f32", "Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.1},
     "rule=adagrad lr=0.1 lr_decay=0.1 initial_accumulator=0.1"),
    ("adadelta", "f32", "Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4}, "rule=adadelta lr=0.5 rho=0.8 eps_inside=1e-4"),
    ("adamax", "f32", "Adamax", {"lr": 0.01}, "rule=adamax lr=0.01"),
    ("nadam", "f32", "NAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
     "rule=nadam lr=0.01 decoupled_decay=0.1"),
    ("radam", "f32", "RAdam", {"lr": 0.01}, "rule=radam lr=0.01"),
    ("rprop", "f32", "Rprop", {"lr": 0.01, "etas": (0.6, 1.1), "step_sizes": (1e-5, 2)},
     "rule=rprop lr=0.01 eta_minus=0.6 eta_plus=1.1 step_size_min=1e-5 step_size_max=2"),
)


def numbers(seed, dtype, shape, scale=1.0):
    draws = Random(seed)
    count = torch.Size(shape).numel()
    return torch.tensor([scale * draws.number(dtype) for _ in range(count)], dtype=DTYPES[dtype]).reshape(shape)


class Model(torch.nn.Module):
    """fc.weight and fc.bias; their gradients are given."""

    def __init__(self, dtype):
        super().__init__()
        # Step counts are kept in the default dtype, which is the model's.
        torch.set_default_dtype(DTYPES[dtype])
        self.dtype = dtype
        self.fc = torch.nn.Linear(4, 3)
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(numbers(5000 + number, dtype, parameter.shape, 2.0))

    def take_gradients(self, step):
        for number, parameter in enumerate(self.parameters()):
            parameter.grad = numbers(100 * step + number, self.dtype, parameter.shape)


def make(dtype, name, options):
    model = Model(dtype)
    groups = [{"params": [model.fc.weight]}, {"params": [model.fc.bias], "lr": options["lr"] / 2}]
    return model, getattr(torch.optim, name)(groups, **options)


def take_steps(model, optimizer, first, last):
    for step in range(first, last + 1):
        model.take_gradients(step)
        optimizer.step()


def save(model, optimizer, path):
    """Numbers become tensors; None, which no tensor can say, is left out."""
    flat = get_optimizer_state_dict(model, optimizer, options=FLAT)
    save_file({key: value.contiguous() if torch.is_tensor(value)
               else torch.tensor(value, dtype=torch.bool if isinstance(value, bool) else torch.float64)
               for key, value in flat.items() if value is not None}, path)


def load(model, optimizer, path):
    """What the file does not say stays as it is; shapes are the model's."""
    flat = get_optimizer_state_dict(model, optimizer, options=FLAT)
    for key, tensor in load_file(path).items():
        old = flat.get(key)
        if torch.is_tensor(old):
            flat[key] = tensor.reshape(old.shape)
        else:
            flat[key] = tuple(tensor.tolist()) if tensor.dim() > 0 else tensor.item()
    set_optimizer_state_dict(model, optimizer, flat, options=FLAT)
