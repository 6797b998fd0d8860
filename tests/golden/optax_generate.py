#!/usr/bin/env python3
"""Writes optax.txt: what the optimizers of optax itself make of hard gradients, for golden_frameworks.c.

    python3 tests/golden/optax_generate.py > tests/golden/optax.txt

Needs jax and optax; the CPU is used. Updates are compiled, as their users do it.
"""

import os

# SSE4.2 is on every x86-64 machine of today: without wider instructions XLA has no fused multiply-add and no
# approximate reciprocal root, and writes the same file everywhere.
os.environ["XLA_FLAGS"] = "--xla_cpu_max_isa=SSE4_2 --xla_cpu_multi_thread_eigen=false"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import optax

import golden

TYPES = {"f32": jnp.float32, "f64": jnp.float64}


def begin_with(transformation, average=None):
    """begin for a gradient transformation; average: decay of a moving average of the parameters, which is what is
    returned then."""

    def begin(dtype, parameters):
        param = jnp.array(parameters, TYPES[dtype])
        state = transformation.init(param)
        mean = None

        @jax.jit
        def update(grad, state, param):
            updates, state = transformation.update(grad, state, param)
            return optax.apply_updates(param, updates), state

        def step(number, gradients):
            nonlocal param, state, mean
            param, state = update(jnp.array(gradients, TYPES[dtype]), state, param)
            assert param.dtype == TYPES[dtype]
            if not average:
                return np.asarray(param).tolist()
            mean = param if number == 1 else optax.incremental_update(param, mean, 1.0 - average)
            return np.asarray(mean).tolist()

        return step

    return begin


def changing(before, after):
    """A schedule: the rate changes before step 21, which optax counts as 20."""
    return lambda count: jnp.where(count < 20, before, after)


def write(name, call, options, transformation, average=None, dtypes=("f32", "f64")):
    golden.write_set(name, call, options, begin_with(transformation, average), dtypes)


def text(function, arguments):
    def value(v):
        return "0.001, then 0.01 from step 21" if callable(v) else v

    return f"{function}({', '.join(f'{key}={value(v)}' for key, v in arguments.items())})"


def written(name, function, arguments, options, dtypes=("f32", "f64")):
    write(name, text(function, arguments), options, getattr(optax, function)(**arguments), None, dtypes)


def rmsprop(name, arguments, options, learning_rate=0.01, **more):
    """The preset lets lr be the library's default: optax has none."""
    written(name, "rmsprop", {"learning_rate": learning_rate, **arguments}, {"preset": "optax", **options}, **more)


def rmsprop_sets():
    lr = {"lr": 0.001}
    change = changing(0.001, 0.01)
    changed = {**lr, "21:lr": 0.01}
    outside = {"eps_in_sqrt": False}

    golden.arithmetic("rsqrt", "flush")
    rmsprop("rmsprop", {}, lr, 0.001)
    rmsprop("rmsprop-decay", {"decay": 0.99}, {**lr, "rho": 0.99}, 0.001)
    rmsprop("rmsprop-eps", {"eps": 0.001}, {**lr, "eps_inside": 0.001}, 0.001)
    rmsprop("rmsprop-initial-scale", {"initial_scale": 1.0}, {**lr, "initial_accumulator": 1}, 0.001)
    rmsprop("rmsprop-momentum", {"momentum": 0.9}, {**changed, "momentum": 0.9}, change)
    rmsprop("rmsprop-nesterov", {"momentum": 0.9, "nesterov": True},
            {**changed, "momentum": 0.9, "nesterov": True}, change)
    rmsprop("rmsprop-centered", {"centered": True, "eps": 0.001}, {**lr, "centered": True, "eps_inside": 0.001}, 0.001)
    rmsprop("rmsprop-centered-momentum", {"centered": True, "eps": 0.01, "momentum": 0.75},
            {**changed, "centered": True, "eps_inside": 0.01, "momentum": 0.75}, change)
    rmsprop("rmsprop-centered-nesterov",
            {"decay": 0.96875, "centered": True, "eps": 0.01, "momentum": 0.5, "nesterov": True, "initial_scale": 0.5},
            {**changed, "rho": 0.96875, "centered": True, "eps_inside": 0.01, "momentum": 0.5, "nesterov": True,
             "initial_accumulator": 0.5}, change)

    golden.arithmetic("reciprocal", "flush")
    out = {"eps": 1e-8, "eps_inside": 0}
    rmsprop("rmsprop-outside", outside, {**lr, **out}, 0.001)
    rmsprop("rmsprop-outside-eps", {**outside, "eps": 0.001, "decay": 0.95},
            {**lr, "eps": 0.001, "eps_inside": 0, "rho": 0.95}, 0.001)
    rmsprop("rmsprop-outside-momentum", {**outside, "momentum": 0.9}, {**changed, **out, "momentum": 0.9}, change)
    rmsprop("rmsprop-outside-nesterov", {**outside, "momentum": 0.5, "nesterov": True},
            {**changed, **out, "momentum": 0.5, "nesterov": True}, change)
    rmsprop("rmsprop-outside-initial-scale", {**outside, "initial_scale": 0.5},
            {**lr, **out, "initial_accumulator": 0.5}, 0.001, dtypes=("f64",))
    rmsprop("rmsprop-outside-centered", {**outside, "centered": True, "eps": 0.01},
            {**lr, "centered": True, "eps": 0.01, "eps_inside": 0}, 0.001)

    golden.arithmetic("rsqrt", "powers", "flush")
    # Centered and corrected, the variance of a first gradient is rounding error, and optax's parameter mostly NaN from
    # then on: no such sets.
    correct = {"bias_correction": True}
    rmsprop("rmsprop-corrected", correct, {**lr, **correct}, 0.001)
    rmsprop("rmsprop-corrected-decay", {**correct, "decay": 0.96875, "eps": 0.001},
            {**lr, **correct, "rho": 0.96875, "eps_inside": 0.001}, 0.001)
    rmsprop("rmsprop-corrected-nesterov", {**correct, "momentum": 0.9, "nesterov": True},
            {**changed, **correct, "momentum": 0.9, "nesterov": True}, change)
    rmsprop("rmsprop-corrected-initial-scale", {**correct, "momentum": 0.5, "initial_scale": 0.25},
            {**changed, **correct, "momentum": 0.5, "initial_accumulator": 0.25}, change)

    golden.arithmetic("reciprocal", "powers", "flush")
    rmsprop("rmsprop-corrected-outside", {**correct, **outside, "decay": 0.99},
            {**lr, **correct, **out, "rho": 0.99}, 0.001)
    write("laprop", "chain(scale_by_rms(0.99, eps_in_sqrt=False, bias_correction=True), ema(0.9), "
          "scale_by_learning_rate(0.001, then 0.01 from step 21))",
          {"rule": "rmsprop", **changed, **correct, "momentum": 0.9, "momentum_average": True},
          optax.chain(optax.scale_by_rms(0.99, eps_in_sqrt=False, bias_correction=True), optax.ema(0.9),
                      optax.scale_by_learning_rate(change)))


def sgd_sets():
    golden.arithmetic("flush")
    written("sgd", "sgd", {"learning_rate": 0.01}, {"rule": "sgd", "lr": 0.01})
    change = changing(0.001, 0.01)
    written("sgd-momentum", "sgd", {"learning_rate": change, "momentum": 0.9},
            {"rule": "sgd", "momentum": 0.9, "21:lr": 0.01})
    written("sgd-nesterov", "sgd", {"learning_rate": change, "momentum": 0.75, "nesterov": True},
            {"rule": "sgd", "momentum": 0.75, "nesterov": True, "21:lr": 0.01})
    write("sgd-clip", "chain(clip(0.5), sgd(0.01))", {"rule": "sgd", "lr": 0.01, "clip_value": 0.5},
          optax.chain(optax.clip(0.5), optax.sgd(0.01)))
    # In float, the norm of these gradients overflows.
    write("sgd-clip-by-global-norm", "chain(clip_by_global_norm(1e30), sgd(0.01))",
          {"rule": "sgd", "lr": 0.01, "clip_norm": 1e30},
          optax.chain(optax.clip_by_global_norm(1e30), optax.sgd(0.01)), dtypes=("f64",))
    write("sgd-average", "sgd(0.01), incremental_update(params, average, 0.25)",
          {"rule": "sgd", "lr": 0.01, "average_decay": 0.75}, optax.sgd(0.01), 0.75)
    write("sgd-decay", "chain(add_decayed_weights(0.5), sgd(0.01))", {"rule": "sgd", "lr": 0.01, "l2_decay": 0.5},
          optax.chain(optax.add_decayed_weights(0.5), optax.sgd(0.01)))


def adagrad_sets():
    golden.arithmetic("rsqrt", "flush")
    # The library's own eps, 1e-10, vanishes in float beside a root above 0.3; in double it does not.
    written("adagrad", "adagrad", {"learning_rate": 0.01},
            {"rule": "adagrad", "initial_accumulator": 0.1, "eps": 0, "eps_inside": 1e-7}, ("f64",))
    for dtype, none in (("f32", {}), ("f64", {"eps": 0})):
        written("adagrad-accumulator", "adagrad",
                {"learning_rate": 0.125, "initial_accumulator_value": 0.5, "eps": 0.001},
                {"rule": "adagrad", "lr": 0.125, "initial_accumulator": 0.5, **none, "eps_inside": 0.001}, (dtype,))
    # Where the sum is 0, optax does not move. In float it is 0 also after gradients whose squares vanish.
    written("adagrad-zero", "adagrad", {"learning_rate": 0.125, "initial_accumulator_value": 0.0, "eps": 0.001},
            {"rule": "adagrad", "lr": 0.125, "eps": 0, "eps_inside": 0.001}, ("f64",))


def adadelta_sets():
    golden.arithmetic("flush")
    written("adadelta", "adadelta", {"learning_rate": 1.0}, {"rule": "adadelta"})
    written("adadelta-rho", "adadelta", {"learning_rate": 0.5, "rho": 0.96875, "eps": 0.001},
            {"rule": "adadelta", "lr": 0.5, "rho": 0.96875, "eps_inside": 0.001})
    written("adadelta-decay", "adadelta", {"learning_rate": 0.01, "eps": 0.001, "weight_decay": 0.01},
            {"rule": "adadelta", "lr": 0.01, "eps_inside": 0.001, "l2_decay": 0.01})


def adam_sets():
    golden.arithmetic("powers", "flush")
    written("adam", "adam", {"learning_rate": 0.001}, {"rule": "adam"})
    written("adam-betas", "adam", {"learning_rate": 0.01, "b1": 0.875, "b2": 0.96875, "eps": 0.001},
            {"rule": "adam", "lr": 0.01, "beta1": 0.875, "beta2": 0.96875, "eps": 0.001})
    written("adam-eps-root", "adam", {"learning_rate": 0.001, "eps_root": 0.001},
            {"rule": "adam", "eps_inside": 0.001})
    written("adam-both-eps", "adam", {"learning_rate": 0.001, "eps": 0.01, "eps_root": 0.001},
            {"rule": "adam", "eps": 0.01, "eps_inside": 0.001})
    nadam = {"rule": "nadam", "momentum_decay": 10000}
    written("nadam", "nadam", {"learning_rate": 0.001}, {**nadam, "lr": 0.001})
    written("nadam-betas", "nadam",
            {"learning_rate": 0.01, "b1": 0.75, "b2": 0.96875, "eps": 0.001, "eps_root": 0.01},
            {**nadam, "lr": 0.01, "beta1": 0.75, "beta2": 0.96875, "eps": 0.001, "eps_inside": 0.01})
    written("adamax", "adamax", {"learning_rate": 0.002}, {"rule": "adamax"})
    written("adamax-betas", "adamax", {"learning_rate": 0.01, "b1": 0.75, "b2": 0.9375, "eps": 0.001},
            {"rule": "adamax", "lr": 0.01, "beta1": 0.75, "beta2": 0.9375, "eps": 0.001})

    golden.arithmetic("flush")
    plain = {"bias_correction_mu": False, "bias_correction_nu": False}
    written("amsgrad-uncorrected", "amsgrad", {"learning_rate": 0.001, "b2": 0.9, **plain},
            {"rule": "adam", "beta2": 0.9, "amsgrad": True, "bias_correction": False})
    written("amsgrad-uncorrected-eps", "amsgrad",
            {"learning_rate": 0.01, "b1": 0.5, "b2": 0.875, "eps": 0.01, "eps_root": 0.001, **plain},
            {"rule": "adam", "lr": 0.01, "beta1": 0.5, "beta2": 0.875, "eps": 0.01, "eps_inside": 0.001,
             "amsgrad": True, "bias_correction": False})

    golden.arithmetic("powers", "decay", "flush")
    # lr * weight_decay is less than float can take from 1.
    written("adamw", "adamw", {"learning_rate": 0.001}, {"rule": "adam", "decoupled_decay": 0.0001}, ("f64",))
    written("adamw-decay", "adamw", {"learning_rate": 0.01, "weight_decay": 0.5, "b2": 0.96875},
            {"rule": "adam", "lr": 0.01, "decoupled_decay": 0.5, "beta2": 0.96875})
    written("nadamw", "nadamw", {"learning_rate": 0.01, "weight_decay": 0.25},
            {**nadam, "lr": 0.01, "decoupled_decay": 0.25})
    written("adamaxw", "adamaxw", {"learning_rate": 0.01, "weight_decay": 0.25},
            {"rule": "adamax", "lr": 0.01, "decoupled_decay": 0.25})


def radam_sets():
    """The library's eps, as PyTorch's, is added to the root of v before v is corrected; optax's after, where it
    weighs the more the earlier the step."""

    def eps_beside_uncorrected_root(eps, beta2):
        limit = 2.0 / (1.0 - beta2) - 1.0
        steps = range(1, golden.STEPS_KEPT[-1] + 1)
        rectified = [t for t in steps if limit - 2.0 * t * beta2**t / (1.0 - beta2**t) > 5.0]  # others do not divide
        return {f"{t}:eps": repr(eps * (1.0 - beta2**t) ** 0.5) for t in rectified}

    # In float, the length of the average that decides when to rectify is known to a tenth only, for beta2 0.999.
    golden.arithmetic("powers", "flush")
    written("radam", "radam", {"learning_rate": 0.001},
            {"rule": "radam", **eps_beside_uncorrected_root(1e-8, 0.999)}, ("f64",))
    written("radam-betas", "radam", {"learning_rate": 0.01, "b1": 0.75, "b2": 0.9375, "eps": 0.001},
            {"rule": "radam", "lr": 0.01, "beta1": 0.75, "beta2": 0.9375,
             **eps_beside_uncorrected_root(0.001, 0.9375)})


def lion_sets():
    golden.arithmetic("decay", "flush")
    written("lion", "lion", {"learning_rate": 0.0001, "weight_decay": 0.0}, {"rule": "lion"})
    written("lion-betas", "lion", {"learning_rate": 0.01, "b1": 0.75, "b2": 0.9375, "weight_decay": 0.0},
            {"rule": "lion", "lr": 0.01, "beta1": 0.75, "beta2": 0.9375})
    written("lion-decay", "lion", {"learning_rate": 0.01, "weight_decay": 0.5},
            {"rule": "lion", "lr": 0.01, "decoupled_decay": 0.5})


# A gradient that never changes, for centered rmsprop: dtype, gradient, decay, eps.
CONSTANTS = (
    ("f32", 0.288, 0.9, 1e-8),
    ("f32", 0.216, 0.95, 1e-8),
    ("f32", 0.088, 0.99, 1e-8),
    ("f64", 0.336, 0.9, 1e-16),
)


def constants():
    golden.arithmetic("rsqrt", "flush")
    for dtype, constant, decay, eps in CONSTANTS:
        arguments = {"learning_rate": 0.01, "decay": decay, "centered": True, "eps": eps}
        options = {"preset": "optax", "lr": 0.01, "centered": True}
        if decay != 0.9:
            options["rho"] = decay
        if eps != 1e-8:
            options["eps_inside"] = eps
        golden.write_constant(dtype, float(np.array(constant, TYPES[dtype])), text("rmsprop", arguments), options,
                              begin_with(optax.rmsprop(**arguments)))


def main():
    golden.header("optax", f"optax {optax.__version__}, jax {jax.__version__}, jaxlib {jaxlib.__version__}")
    rmsprop_sets()
    sgd_sets()
    adagrad_sets()
    adadelta_sets()
    adam_sets()
    radam_sets()
    lion_sets()
    constants()
    golden.footer()


if __name__ == "__main__":
    main()
