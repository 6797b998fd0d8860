"""PyTorch's optimizers, and those that build on it: DeepSpeed's for the CPU, bitsandbytes' with 8-bit state."""

import numpy
import torch

from serve import Contestant, gradients, serve


def of_torch(request, parameters):
    mode = request["mode"]
    form = {"foreach": mode == "foreach", "lr": request["lr"]}
    if request["rule"] != "rmsprop":  # it has no fused form
        form["fused"] = mode == "fused"
    return {
        "sgd": lambda: torch.optim.SGD(parameters, momentum=request["momentum"], **form),
        "adagrad": lambda: torch.optim.Adagrad(parameters, eps=request["eps"], **form),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, alpha=request["rho"], eps=request["eps"], **form),
        "adam": lambda: torch.optim.Adam(
            parameters, betas=(request["beta1"], request["beta2"]), eps=request["eps"], **form
        ),
    }[request["rule"]]()


def of_deepspeed(request, parameters):
    if request["rule"] == "adagrad":
        from deepspeed.ops.adagrad import DeepSpeedCPUAdagrad

        return DeepSpeedCPUAdagrad(parameters, lr=request["lr"], eps=request["eps"])
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    betas = request["beta1"], request["beta2"]
    return DeepSpeedCPUAdam(parameters, lr=request["lr"], betas=betas, eps=request["eps"], adamw_mode=False)


def of_bitsandbytes(request, parameters):
    import bitsandbytes

    rule, form = request["rule"], {"lr": request["lr"]}
    if rule == "sgd":
        return bitsandbytes.optim.SGD8bit(parameters, momentum=request["momentum"], **form)
    form["eps"] = request["eps"]
    if rule == "adam":
        return bitsandbytes.optim.Adam8bit(parameters, betas=(request["beta1"], request["beta2"]), **form)
    if rule == "adagrad":
        return bitsandbytes.optim.Adagrad8bit(parameters, **form)
    return bitsandbytes.optim.RMSprop8bit(parameters, alpha=request["rho"], **form)


def prepare(request):
    torch.set_num_threads(request["threads"])
    parameters = []
    for gradient in gradients(numpy, request):
        parameter = torch.nn.Parameter(torch.zeros(request["count"]))
        parameter.grad = torch.from_numpy(gradient)
        parameters.append(parameter)
    make = {"deepspeed": of_deepspeed, "8-bit": of_bitsandbytes}.get(request["mode"], of_torch)
    optimizer = make(request, parameters)
    return Contestant(optimizer.step, lambda: (parameters[0].data[0], parameters[-1].data[-1]))


serve(prepare)
