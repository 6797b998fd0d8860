"""What the generators of PyTorch's family share: one optimizer on one tensor, on the CPU, one thread."""

import os

# One instruction set, so that every x86 machine since 2013 writes the same file.
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")

import torch

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

DTYPES = {"f32": torch.float32, "f64": torch.float64}


def versions():
    return f"torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()})"


def beginning(make, schedule=()):
    """make(parameters) returns the optimizer; schedule is pairs (step, lr): the rate is set before that step."""
    rates = dict(schedule)

    def begin(dtype, parameters):
        # Step counts and products of powers are kept in the default dtype, which is the model's.
        torch.set_default_dtype(DTYPES[dtype])
        param = torch.tensor(parameters, requires_grad=True)
        optimizer = make([param])

        def step(number, gradients):
            if number in rates:
                optimizer.param_groups[0]["lr"] = rates[number]
            param.grad = torch.tensor(gradients)
            optimizer.step()
            return param.tolist()

        return step

    return begin


def call_text(name, arguments, schedule=()):
    """"RMSprop(lr=0.001, betas=(0.9, 0.99)); lr = 0.002 from step 21"."""
    said = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return f"{name}({said})" + "".join(f"; lr = {lr!r} from step {step}" for step, lr in schedule)
