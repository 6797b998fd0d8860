#!/usr/bin/env python3
"""Writes keras.txt: what the optimizers of Keras 3 itself make of hard gradients, for golden_frameworks.c.

    python3 tests/golden/keras_generate.py > tests/golden/keras.txt

Needs keras and tensorflow (or tensorflow-cpu), its backend here; the CPU is used, on one thread, eagerly.
"""

import math
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN's kernels differ from CPU to CPU

import keras
import numpy as np
import tensorflow as tf

import golden

NAMES = {"f32": "float32", "f64": "float64"}


def written(arguments):
    return ", ".join(f"{key}={value}" for key, value in arguments.items())


def optimizer_begin(kind, arguments, changes=None):
    """begin for an optimizer of keras.optimizers. changes: {step: learning rate}."""

    def begin(dtype, parameters):
        keras.config.set_floatx(NAMES[dtype])  # the learning rate is a variable of this type
        var = keras.Variable(np.array(parameters, NAMES[dtype]), dtype=NAMES[dtype])
        optimizer = getattr(keras.optimizers, kind)(**arguments)

        def step(number, gradients):
            if changes and number in changes:
                optimizer.learning_rate = changes[number]
            optimizer.apply([tf.constant(gradients, NAMES[dtype])], [var])
            if not optimizer.use_ema:
                return var.numpy().tolist()
            # What finalize_variable_values would make of the parameters, had training ended here.
            kept = var.numpy()
            optimizer.finalize_variable_values([var])
            average = var.numpy().tolist()
            var.assign(kept)
            return average

        return step

    return begin


def rows_begin(kind, arguments):
    """begin for an optimizer whose gradients are rows. Keras squares the gradients of a repeated row one by one and
    adds the squares up, which is not the square of the gradient; here they are added up before."""

    def begin(dtype, parameters):
        keras.config.set_floatx(NAMES[dtype])
        start = np.array(parameters, NAMES[dtype]).reshape(-1, golden.ROWS_WIDTH)
        var = keras.Variable(start, dtype=NAMES[dtype])
        optimizer = getattr(keras.optimizers, kind)(**arguments)

        def step(number, indices, values):
            del number
            unique, place = np.unique(indices, return_inverse=True)
            summed = np.zeros((len(unique), golden.ROWS_WIDTH), NAMES[dtype])
            np.add.at(summed, place, np.array(values, NAMES[dtype]))
            optimizer.apply([tf.IndexedSlices(tf.constant(summed), tf.constant(unique), start.shape)], [var])
            return var.numpy().flatten().tolist()

        return step

    return begin


def write(name, kind, arguments, options, changes=None, dtypes=("f32", "f64")):
    changed = "".join(f"; learning_rate={value} from step {step}" for step, value in (changes or {}).items())
    golden.write_set(name, f"{kind}({written(arguments)}){changed}", options,
                     optimizer_begin(kind, arguments, changes), dtypes)


# Keras turns betas, SGD's momentum, weight_decay and an initial accumulator into float32 numbers before it turns them
# into those of the variable. So in f64 such arguments are sums of few powers of two; others are for f32 only.
SINGLE = ("f32",)


def rmsprop(name, arguments, options, **more):
    write(name, "RMSprop", arguments, {"preset": "keras", **options}, **more)


def rmsprop_sets():
    golden.arithmetic("flush")
    rmsprop("rmsprop", {}, {})
    rmsprop("rmsprop-lr", {"learning_rate": 0.01}, {"lr": 0.01})
    rmsprop("rmsprop-rho", {"rho": 0.99}, {"rho": 0.99})
    rmsprop("rmsprop-epsilon", {"epsilon": 0.001}, {"eps_inside": 0.001})
    rmsprop("rmsprop-momentum", {"momentum": 0.9}, {"momentum": 0.9, "21:lr": 0.01}, changes={21: 0.01})
    rmsprop("rmsprop-centered", {"centered": True, "epsilon": 0.001}, {"centered": True, "eps_inside": 0.001})
    rmsprop("rmsprop-centered-momentum", {"centered": True, "momentum": 0.5, "rho": 0.96875, "epsilon": 0.01},
            {"centered": True, "momentum": 0.5, "rho": 0.96875, "eps_inside": 0.01, "21:lr": 0.01}, changes={21: 0.01})
    rmsprop("rmsprop-clipvalue", {"clipvalue": 0.5}, {"clip_value": 0.5})
    rmsprop("rmsprop-loss-scale", {"learning_rate": 0.5, "loss_scale_factor": 1024.0, "epsilon": 0.001},
            {"lr": 0.5, "grad_scale": 2.0**-10, "eps_inside": 0.001})
    rmsprop("rmsprop-average-momentum", {"momentum": 0.9, "use_ema": True, "ema_momentum": 0.75},
            {"momentum": 0.9, "average_decay": 0.75})
    # In float, Keras's norm of these gradients overflows.
    rmsprop("rmsprop-clipnorm", {"clipnorm": 1e30}, {"clip_norm": 1e30}, dtypes=("f64",))
    rmsprop("rmsprop-global-clipnorm", {"global_clipnorm": 5e29}, {"clip_norm": 5e29}, dtypes=("f64",))

    # The moving average of the parameters takes 1 - ema_momentum as the dtype has it.
    golden.arithmetic("complement", "flush")
    rmsprop("rmsprop-average", {"learning_rate": 0.01, "rho": 0.875, "use_ema": True},
            {"lr": 0.01, "rho": 0.875, "average_decay": 0.99})

    golden.arithmetic("decay", "flush")
    rmsprop("rmsprop-decay", {"weight_decay": 0.0625}, {"decoupled_decay": 0.0625})
    rmsprop("rmsprop-decay-momentum", {"learning_rate": 0.01, "weight_decay": 0.5, "momentum": 0.9},
            {"lr": 0.01, "decoupled_decay": 0.5, "momentum": 0.9})
    rmsprop("rmsprop-centered-decay", {"centered": True, "epsilon": 0.01, "weight_decay": 0.5},
            {"centered": True, "eps_inside": 0.01, "decoupled_decay": 0.5})
    rmsprop("rmsprop-all",
            {"learning_rate": 0.01, "rho": 0.95, "momentum": 0.75, "epsilon": 0.01, "centered": True,
             "weight_decay": 0.25, "clipvalue": 2.0, "use_ema": True, "ema_momentum": 0.5},
            {"lr": 0.01, "rho": 0.95, "momentum": 0.75, "eps_inside": 0.01, "centered": True, "decoupled_decay": 0.25,
             "clip_value": 2, "average_decay": 0.5, "21:lr": 0.001}, changes={21: 0.001})


def adagrad(name, arguments, options, dtypes=("f32", "f64"), write_it=None):
    """epsilon is under the root. The library's own eps, 1e-10 outside it, must go; in float it vanishes there anyway."""
    for dtype in dtypes:
        outside = {} if dtype == "f32" else {"eps": 0}
        (write_it or write)(name, "Adagrad", arguments, {"rule": "adagrad", **options, **outside}, dtypes=(dtype,))


def ancestors_sets():
    """SGD, Adagrad and Adadelta."""
    golden.arithmetic("flush")
    write("sgd", "SGD", {}, {"rule": "sgd", "lr": 0.01})
    write("sgd-momentum", "SGD", {"momentum": 0.875},
          {"rule": "sgd", "lr": 0.01, "momentum": 0.875, "lr_in_momentum": True, "21:lr": 0.1}, {21: 0.1})
    write("sgd-nesterov", "SGD", {"momentum": 0.75, "nesterov": True},
          {"rule": "sgd", "lr": 0.01, "momentum": 0.75, "nesterov": True, "lr_in_momentum": True, "21:lr": 0.1},
          {21: 0.1})
    write("sgd-clipvalue", "SGD", {"clipvalue": 0.5}, {"rule": "sgd", "lr": 0.01, "clip_value": 0.5})
    write("sgd-clipnorm", "SGD", {"clipnorm": 1e30}, {"rule": "sgd", "lr": 0.01, "clip_norm": 1e30}, dtypes=("f64",))
    write("sgd-global-clipnorm", "SGD", {"global_clipnorm": 5e29}, {"rule": "sgd", "lr": 0.01, "clip_norm": 5e29},
          dtypes=("f64",))
    write("sgd-average", "SGD", {"use_ema": True, "ema_momentum": 0.75},
          {"rule": "sgd", "lr": 0.01, "average_decay": 0.75})
    adagrad("adagrad", {}, {"lr": 0.001, "initial_accumulator": float(np.float32(0.1)), "eps_inside": 1e-7}, ("f64",))
    adagrad("adagrad-accumulator", {"learning_rate": 0.125, "initial_accumulator_value": 0.0, "epsilon": 0.001},
            {"lr": 0.125, "eps_inside": 0.001})
    write("adadelta", "Adadelta", {}, {"rule": "adadelta", "lr": 0.001, "rho": 0.95, "eps_inside": 1e-7})
    write("adadelta-epsilon", "Adadelta", {"learning_rate": 1.0, "rho": 0.875, "epsilon": 0.001},
          {"rule": "adadelta", "rho": 0.875, "eps_inside": 0.001})

    golden.arithmetic("decay", "flush")
    write("sgd-decay", "SGD", {"weight_decay": 0.5}, {"rule": "sgd", "lr": 0.01, "decoupled_decay": 0.5})
    write("sgd-nesterov-decay", "SGD", {"learning_rate": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.125},
          {"rule": "sgd", "lr": 0.1, "momentum": 0.5, "nesterov": True, "decoupled_decay": 0.125})
    adagrad("adagrad-decay",
            {"learning_rate": 0.01, "initial_accumulator_value": 0.25, "weight_decay": 0.25, "epsilon": 0.001},
            {"initial_accumulator": 0.25, "decoupled_decay": 0.25, "eps_inside": 0.001})
    write("adadelta-decay", "Adadelta", {"learning_rate": 0.5, "weight_decay": 0.0625},
          {"rule": "adadelta", "lr": 0.5, "rho": 0.95, "eps_inside": 1e-7, "decoupled_decay": 0.0625})


def eps_beside_corrected_root(eps, beta2):
    """Keras's Adam adds epsilon to the root of v before v is corrected. The library's adds it after, where the same
    divisor needs an eps that falls from step to step."""
    return {f"{t}:eps": repr(eps / math.sqrt(1.0 - beta2**t)) for t in range(1, golden.STEPS_KEPT[-1] + 1)}


def adam(name, kind, arguments, options, **more):
    eps = arguments.get("epsilon", 1e-7)
    write(name, kind, arguments,
          {"rule": "adam", **options, **eps_beside_corrected_root(eps, arguments.get("beta_2", 0.999))}, **more)


def adam_sets():
    golden.arithmetic("powers", "beside", "increment", "flush")
    adam("adam", "Adam", {}, {}, dtypes=SINGLE)
    adam("adam-betas", "Adam", {"learning_rate": 0.01, "beta_1": 0.875, "beta_2": 0.96875, "epsilon": 0.001},
         {"lr": 0.01, "beta1": 0.875, "beta2": 0.96875})
    adam("adam-amsgrad", "Adam", {"amsgrad": True, "beta_1": 0.75, "beta_2": 0.96875, "epsilon": 0.001},
         {"amsgrad": True, "beta1": 0.75, "beta2": 0.96875})
    golden.arithmetic("powers", "beside", "increment", "decay", "flush")
    adam("adamw", "AdamW", {}, {"decoupled_decay": 0.004}, dtypes=SINGLE)
    adam("adamw-amsgrad", "AdamW",
         {"learning_rate": 0.01, "weight_decay": 0.5, "amsgrad": True, "beta_1": 0.5, "beta_2": 0.96875,
          "epsilon": 0.001},
         {"lr": 0.01, "decoupled_decay": 0.5, "amsgrad": True, "beta1": 0.5, "beta2": 0.96875})


def kin_sets():
    """Nadam and Lion."""
    # Keras's 0.96 is a float32, too: no f64.
    golden.arithmetic("complement", "powers", "increment", "flush")
    nadam = {"rule": "nadam", "momentum_decay": 1, "lr": 0.001}
    write("nadam", "Nadam", {}, {**nadam, "eps": 1e-7}, dtypes=SINGLE)
    write("nadam-betas", "Nadam", {"learning_rate": 0.01, "beta_1": 0.75, "beta_2": 0.96875, "epsilon": 0.001},
          {**nadam, "lr": 0.01, "beta1": 0.75, "beta2": 0.96875, "eps": 0.001}, dtypes=SINGLE)
    golden.arithmetic("complement", "powers", "increment", "decay", "flush")
    write("nadam-decay", "Nadam", {"learning_rate": 0.01, "weight_decay": 0.5, "epsilon": 0.01},
          {**nadam, "lr": 0.01, "eps": 0.01, "decoupled_decay": 0.5}, dtypes=SINGLE)

    golden.arithmetic("complement", "flush")
    lion = {"rule": "lion", "lr": 0.001}
    write("lion", "Lion", {}, lion, dtypes=SINGLE)
    write("lion-betas", "Lion", {"beta_1": 0.75, "beta_2": 0.9375}, {**lion, "beta1": 0.75, "beta2": 0.9375})
    golden.arithmetic("complement", "decay", "flush")
    write("lion-decay", "Lion", {"learning_rate": 0.01, "beta_1": 0.875, "beta_2": 0.96875, "weight_decay": 0.5},
          {**lion, "lr": 0.01, "beta1": 0.875, "beta2": 0.96875, "decoupled_decay": 0.5})


def rows_sets():
    """Rows that are not given have gradient 0, like any others."""

    def rows(name, kind, arguments, options, dtypes=("f32", "f64")):
        golden.write_rows(name, f"{kind}({written(arguments)}), IndexedSlices without repeated rows", options, "dense",
                          rows_begin(kind, arguments), dtypes)

    golden.arithmetic("flush")
    rows("rows-rmsprop", "RMSprop", {"learning_rate": 0.01}, {"preset": "keras", "lr": 0.01})
    rows("rows-rmsprop-momentum", "RMSprop", {"rho": 0.75, "momentum": 0.9},
         {"preset": "keras", "rho": 0.75, "momentum": 0.9})
    rows("rows-rmsprop-centered", "RMSprop", {"momentum": 0.5, "epsilon": 0.01, "centered": True},
         {"preset": "keras", "momentum": 0.5, "eps_inside": 0.01, "centered": True})
    adagrad("rows-adagrad", {"learning_rate": 0.125, "initial_accumulator_value": 0.5, "epsilon": 0.001},
            {"lr": 0.125, "initial_accumulator": 0.5, "eps_inside": 0.001}, write_it=rows)
    rows("rows-sgd-momentum", "SGD", {"momentum": 0.875}, {"rule": "sgd", "lr": 0.01, "momentum": 0.875})
    golden.arithmetic("decay", "flush")
    rows("rows-rmsprop-decay", "RMSprop", {"weight_decay": 0.5}, {"preset": "keras", "decoupled_decay": 0.5})


# A gradient that never changes, for centered RMSprop: dtype, gradient, rho, epsilon.
CONSTANTS = (
    ("f32", 0.576, 0.9, 1e-7),
    ("f32", 0.592, 0.95, 1e-7),
    ("f32", 0.176, 0.99, 1e-7),
    ("f64", 0.336, 0.9, 1e-16),
)


def constants():
    golden.arithmetic("flush")
    for dtype, constant, rho, epsilon in CONSTANTS:
        arguments = {"rho": rho, "centered": True, "epsilon": epsilon}
        golden.write_constant(dtype, float(np.array(constant, NAMES[dtype])), f"RMSprop({written(arguments)})",
                              {"preset": "keras", "centered": True,
                               **({} if rho == 0.9 else {"rho": rho}),
                               **({} if epsilon == 1e-7 else {"eps_inside": epsilon})},
                              optimizer_begin("RMSprop", arguments))


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    golden.header("Keras", f"keras {keras.__version__}, tensorflow {tf.__version__}, numpy {np.__version__}")
    rmsprop_sets()
    ancestors_sets()
    adam_sets()
    kin_sets()
    rows_sets()
    constants()
    golden.footer()


if __name__ == "__main__":
    main()
