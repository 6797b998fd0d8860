#!/usr/bin/env python3
"""Writes tensorflow.txt: what TensorFlow's own training kernels make of hard gradients, for golden_frameworks.c.

    python3 tests/golden/tensorflow_generate.py > tests/golden/tensorflow.txt

Needs tensorflow or tensorflow-cpu; the CPU is used, on one thread, eagerly. The optimizers of tf.compat.v1 are thin
callers of the kernels; where a kernel has no such caller, it is called by its name in tf.raw_ops.
"""

import math
import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN's kernels differ from CPU to CPU

import numpy as np
import tensorflow as tf

import golden

train = tf.compat.v1.train
NUMPY = {"f32": np.float32, "f64": np.float64}
TINY = 2.0**-126  # the least that the library takes for an epsilon, where TensorFlow has none


class Numbers(dict):
    """Arguments as numbers of the dtype: TensorFlow would make a Python float a float32 first."""

    def __init__(self, dtype, arguments):
        super().__init__({key: NUMPY[dtype](value) if isinstance(value, float) else value
                          for key, value in arguments.items()})


class Rate:
    """A learning rate that changes before some step; tf.compat.v1 calls it at each."""

    def __init__(self, dtype, value):
        self.value = NUMPY[dtype](value)

    def __call__(self):
        return self.value


def by_optimizer(kind, learning_rate, changes=None, clip=None, average=None, **arguments):
    """begin for an optimizer of tf.compat.v1.train. changes: {step: learning rate}."""

    def begin(dtype, parameters):
        var = tf.Variable(np.array(parameters, NUMPY[dtype]))
        rate = Rate(dtype, learning_rate)
        optimizer = kind(learning_rate=rate, **Numbers(dtype, arguments))
        ema = average and train.ExponentialMovingAverage(average)

        def step(number, gradients):
            if changes and number in changes:
                rate.value = NUMPY[dtype](changes[number])
            grad = tf.constant(gradients, NUMPY[dtype])
            if clip:
                grad = clip(grad)
            optimizer.apply_gradients([(grad, var)])
            if not average:
                return var.numpy().tolist()
            ema.apply([var])
            return ema.average(var).numpy().tolist()

        return step

    return begin


def by_rows(kind, learning_rate, **arguments):
    """begin for an optimizer of tf.compat.v1.train whose gradients are rows; it adds up those of a repeated row."""

    def begin(dtype, parameters):
        start = np.array(parameters, NUMPY[dtype]).reshape(-1, golden.ROWS_WIDTH)
        var = tf.Variable(start)
        optimizer = kind(learning_rate=NUMPY[dtype](learning_rate), **Numbers(dtype, arguments))

        def step(number, indices, values):
            del number
            grad = tf.IndexedSlices(tf.constant(values, NUMPY[dtype]), tf.constant(indices), start.shape)
            optimizer.apply_gradients([(grad, var)])
            return var.numpy().flatten().tolist()

        return step

    return begin


def by_kernel(kernel, slots, arguments, powers=()):
    """begin for an op of tf.raw_ops. slots: {name: initial value}. powers: names of running products of betas."""

    def begin(dtype, parameters):
        number_of = NUMPY[dtype]
        var = tf.Variable(np.array(parameters, number_of))
        kept = {name: tf.Variable(np.full(len(parameters), value, number_of)) for name, value in slots.items()}
        given = Numbers(dtype, arguments)
        product = {name: given[name] for name in powers}

        def step(number, gradients):
            del number
            kernel(var=var.handle, grad=tf.constant(gradients, number_of),
                   **{name: slot.handle for name, slot in kept.items()}, **given,
                   **{f"{name}_power": value for name, value in product.items()})
            for name in powers:
                product[name] = product[name] * given[name]
            return var.numpy().tolist()

        return step

    return begin


def eps_beside_corrected_root(eps, beta2):
    """TensorFlow's Adam adds eps to the root of v before v is corrected. The library's adds it after, where the same
    divisor needs an eps that falls from step to step."""
    return {f"{t}:eps": repr(eps / math.sqrt(1.0 - beta2**t)) for t in range(1, golden.STEPS_KEPT[-1] + 1)}


# RMSPropOptimizer's own defaults, said so that they reach double precision: left to themselves they are float32.
RMSPROP = {"decay": 0.9, "momentum": 0.0, "epsilon": 1e-10}


def rmsprop_sets():
    # TensorFlow always keeps the momentum buffer, so that lr is in it, and momentum 0 is one of many values.
    def write(name, arguments, options, learning_rate=0.001, changes=None):
        text = "".join(f", {key}={value}" for key, value in arguments.items())
        changed = "".join(f", then {value} from step {step}" for step, value in (changes or {}).items())
        golden.write_set(name, f"v1.train.RMSPropOptimizer({learning_rate}{changed}{text})",
                         {"preset": "tensorflow", "lr": learning_rate, **options},
                         by_optimizer(train.RMSPropOptimizer, learning_rate, changes, **{**RMSPROP, **arguments}))

    golden.arithmetic("complement", "increment", "flush")
    write("rmsprop", {}, {})
    write("rmsprop-decay", {"decay": 0.99}, {"rho": 0.99})
    write("rmsprop-decay-dyadic", {"decay": 0.9375}, {"rho": 0.9375})
    write("rmsprop-epsilon", {"epsilon": 0.1}, {"eps_inside": 0.1})
    write("rmsprop-impala", {"decay": 0.99, "epsilon": 0.1}, {"rho": 0.99, "eps_inside": 0.1}, 0.00048)
    write("rmsprop-momentum", {"momentum": 0.9}, {"momentum": 0.9})
    write("rmsprop-momentum-lr", {"momentum": 0.9}, {"momentum": 0.9, "21:lr": 0.01}, changes={21: 0.01})
    write("rmsprop-efficientnet", {"momentum": 0.9, "epsilon": 0.001}, {"momentum": 0.9, "eps_inside": 0.001}, 0.016)
    write("rmsprop-all", {"decay": 0.96875, "momentum": 0.5, "epsilon": 1e-5},
          {"rho": 0.96875, "momentum": 0.5, "eps_inside": 1e-5, "21:lr": 0.5}, 0.25, {21: 0.5})
    write("rmsprop-centered", {"centered": True, "epsilon": 0.001}, {"centered": True, "eps_inside": 0.001})
    write("rmsprop-centered-decay", {"centered": True, "decay": 0.96875, "epsilon": 0.01},
          {"centered": True, "rho": 0.96875, "eps_inside": 0.01})
    write("rmsprop-centered-momentum", {"centered": True, "momentum": 0.9, "epsilon": 0.01},
          {"centered": True, "momentum": 0.9, "eps_inside": 0.01, "21:lr": 0.01}, changes={21: 0.01})

    raw = tf.raw_ops.ResourceApplyRMSProp
    for name, momentum in (("rmsprop-kernel-zero", 0.0), ("rmsprop-kernel-zero-momentum", 0.75)):
        arguments = {"lr": 0.01, "rho": 0.75, "momentum": momentum, "epsilon": 1e-8}
        options = {"preset": "tensorflow", "rho": 0.75, "eps_inside": 1e-8, "initial_accumulator": 0}
        if momentum:
            options["momentum"] = momentum
        golden.write_set(name, f"raw_ops.ResourceApplyRMSProp(ms=0, momentum={momentum})", options,
                         by_kernel(raw, {"ms": 0.0, "mom": 0.0}, arguments))


def adagrad_sets():
    # No epsilon at all, so the accumulator starts above 0; a reciprocal root instead of a division.
    golden.arithmetic("rsqrt", "flush")
    for name, lr, start in (("adagrad", 0.01, 0.1), ("adagrad-accumulator", 0.25, 0.5)):
        options = {"rule": "adagrad", "lr": lr, "initial_accumulator": start}
        if lr == 0.01:
            del options["lr"]  # the library's default, too
        for dtype in ("f32", "f64"):
            # The library's own eps, 1e-10, vanishes in float beside a root above 0.3; in double it does not.
            exact = {} if dtype == "f32" else {"eps": 0, "eps_inside": repr(TINY)}
            golden.write_set(name, f"v1.train.AdagradOptimizer({lr}, {start})", {**options, **exact},
                             by_optimizer(train.AdagradOptimizer, lr, initial_accumulator_value=start), (dtype,))

    golden.arithmetic("flush")
    for name, eps, start in (("adagrad-v2", 1e-7, 0.0), ("adagrad-v2-epsilon", 0.01, 0.1)):
        options = {"rule": "adagrad", "lr": 0.125, "eps": eps, "initial_accumulator": start}
        if start == 0.0:
            del options["initial_accumulator"]
        golden.write_set(name, f"raw_ops.ResourceApplyAdagradV2(accum={start}, epsilon={eps})", options,
                         by_kernel(tf.raw_ops.ResourceApplyAdagradV2, {"accum": start}, {"lr": 0.125, "epsilon": eps}))


def adadelta_sets():
    golden.arithmetic("complement", "rsqrt", "flush")
    for name, lr, rho, eps in (("adadelta", 1.0, 0.95, 1e-6), ("adadelta-epsilon", 0.5, 0.875, 0.001)):
        options = {"rule": "adadelta", "lr": lr, "rho": rho, "eps_inside": eps}
        if lr == 1.0:
            del options["lr"], options["eps_inside"]
        golden.write_set(name, f"v1.train.AdadeltaOptimizer({lr}, rho={rho}, epsilon={eps})", options,
                         by_optimizer(train.AdadeltaOptimizer, lr, rho=rho, epsilon=eps))


def adam_sets():
    golden.arithmetic("complement", "powers", "beside", "increment", "flush")
    for name, beta1, beta2, eps in (("adam", 0.9, 0.999, 1e-8), ("adam-betas", 0.875, 0.96875, 0.001)):
        options = {"rule": "adam", "beta1": beta1, "beta2": beta2}
        if name == "adam":
            del options["beta1"], options["beta2"]
        golden.write_set(name, f"v1.train.AdamOptimizer(0.001, beta1={beta1}, beta2={beta2}, epsilon={eps})",
                         {**options, **eps_beside_corrected_root(eps, beta2)},
                         by_optimizer(train.AdamOptimizer, 0.001, beta1=beta1, beta2=beta2, epsilon=eps))
    arguments = {"lr": 0.01, "beta1": 0.875, "beta2": 0.96875, "epsilon": 0.001}
    golden.write_set("adam-amsgrad", "raw_ops.ResourceApplyAdamWithAmsgrad(beta1=0.875, beta2=0.96875, epsilon=0.001)",
                     {"rule": "adam", "lr": 0.01, "beta1": 0.875, "beta2": 0.96875, "amsgrad": True,
                      **eps_beside_corrected_root(0.001, 0.96875)},
                     by_kernel(tf.raw_ops.ResourceApplyAdamWithAmsgrad, {"m": 0.0, "v": 0.0, "vhat": 0.0}, arguments,
                               ("beta1", "beta2")))


def sgd_sets():
    golden.arithmetic("flush")
    golden.write_set("sgd", "v1.train.GradientDescentOptimizer(0.01)", {"rule": "sgd", "lr": 0.01},
                     by_optimizer(train.GradientDescentOptimizer, 0.01))
    for name, nesterov in (("sgd-momentum", False), ("sgd-nesterov", True)):
        options = {"rule": "sgd", "lr": 0.01, "momentum": 0.9, "nesterov": nesterov, "21:lr": 0.1}
        if not nesterov:
            del options["nesterov"]
        golden.write_set(name, f"v1.train.MomentumOptimizer(0.01, then 0.1 from step 21, 0.9, use_nesterov={nesterov})",
                         options,
                         by_optimizer(train.MomentumOptimizer, 0.01, {21: 0.1}, momentum=0.9, use_nesterov=nesterov))
        arguments = {"lr": 0.01, "momentum": 0.9, "use_nesterov": nesterov}
        options = {"rule": "sgd", "lr": 0.01, "momentum": 0.9, "nesterov": nesterov}
        if not nesterov:
            del options["nesterov"]
        golden.write_set(f"{name}-keras-kernel", f"raw_ops.ResourceApplyKerasMomentum(use_nesterov={nesterov})",
                         options, by_kernel(tf.raw_ops.ResourceApplyKerasMomentum, {"accum": 0.0}, arguments))
    golden.write_set("sgd-clip-value", "tf.clip_by_value(grad, -0.5, 0.5), GradientDescentOptimizer(0.01)",
                     {"rule": "sgd", "lr": 0.01, "clip_value": 0.5},
                     by_optimizer(train.GradientDescentOptimizer, 0.01,
                                  clip=lambda grad: tf.clip_by_value(grad, -0.5, 0.5)))
    # In float, TensorFlow's norm of these gradients overflows.
    golden.write_set("sgd-clip-norm", "tf.clip_by_global_norm([grad], 1e30), GradientDescentOptimizer(0.01)",
                     {"rule": "sgd", "lr": 0.01, "clip_norm": 1e30},
                     by_optimizer(train.GradientDescentOptimizer, 0.01,
                                  clip=lambda grad: tf.clip_by_global_norm([grad], 1e30)[0][0]), ("f64",))
    golden.write_set("sgd-average", "GradientDescentOptimizer(0.01), ExponentialMovingAverage(0.75)",
                     {"rule": "sgd", "lr": 0.01, "average_decay": 0.75},
                     by_optimizer(train.GradientDescentOptimizer, 0.01, average=0.75))


def rows_sets():
    """Rows that are not given stay as they are, parameters and state; only Adam treats their gradient as 0."""
    preset = {"preset": "tensorflow"}  # whose lr is 0.01
    golden.arithmetic("complement", "rsqrt", "flush")
    golden.write_rows("rows-rmsprop", "v1.train.RMSPropOptimizer(0.01), IndexedSlices", preset, "lazy",
                      by_rows(train.RMSPropOptimizer, 0.01, **RMSPROP))
    golden.write_rows("rows-rmsprop-momentum",
                      "v1.train.RMSPropOptimizer(0.01, decay=0.75, momentum=0.9), IndexedSlices",
                      {**preset, "rho": 0.75, "momentum": 0.9}, "lazy",
                      by_rows(train.RMSPropOptimizer, 0.01, **{**RMSPROP, "decay": 0.75, "momentum": 0.9}))
    golden.write_rows("rows-rmsprop-centered",
                      "v1.train.RMSPropOptimizer(0.01, momentum=0.5, epsilon=0.01, centered=True), IndexedSlices",
                      {**preset, "momentum": 0.5, "eps_inside": 0.01, "centered": True}, "lazy",
                      by_rows(train.RMSPropOptimizer, 0.01, centered=True,
                              **{**RMSPROP, "momentum": 0.5, "epsilon": 0.01}))
    golden.write_rows("rows-adadelta", "v1.train.AdadeltaOptimizer(1.0, rho=0.875, epsilon=0.001), IndexedSlices",
                      {"rule": "adadelta", "rho": 0.875, "eps_inside": 0.001}, "lazy",
                      by_rows(train.AdadeltaOptimizer, 1.0, rho=0.875, epsilon=0.001))
    golden.write_rows("rows-adagrad", "v1.train.AdagradOptimizer(0.125, 0.5), IndexedSlices",
                      {"rule": "adagrad", "lr": 0.125, "initial_accumulator": 0.5}, "lazy",
                      by_rows(train.AdagradOptimizer, 0.125, initial_accumulator_value=0.5), ("f32",))
    golden.write_rows("rows-sgd-momentum", "v1.train.MomentumOptimizer(0.01, 0.9), IndexedSlices",
                      {"rule": "sgd", "lr": 0.01, "momentum": 0.9}, "lazy",
                      by_rows(train.MomentumOptimizer, 0.01, momentum=0.9))
    golden.arithmetic("complement", "powers", "beside", "flush")
    golden.write_rows("rows-adam", "v1.train.AdamOptimizer(0.01, 0.875, 0.96875, 0.001), IndexedSlices",
                      {"rule": "adam", "lr": 0.01, "beta1": 0.875, "beta2": 0.96875, **eps_beside_corrected_root(0.001, 0.96875)},
                      "dense", by_rows(train.AdamOptimizer, 0.01, beta1=0.875, beta2=0.96875, epsilon=0.001))


# A gradient that never changes: dtype, gradient, decay, epsilon. With the decays that people use, TensorFlow's own
# form of the averages creeps up to g and stops below it; NaN needs a decay whose complement is a power of two.
CONSTANTS = (
    ("f32", 3.072, 0.5, 1e-10),
    ("f32", 109.568, 0.75, 1e-10),
    ("f32", 0.009, 0.9, 1e-10),
    ("f64", 1.024, 0.5, 1e-18),
    ("f64", 56.32, 0.75, 1e-18),
)


def constants():
    golden.arithmetic("complement", "increment", "flush")
    for dtype, constant, decay, eps in CONSTANTS:
        golden.write_constant(dtype, float(NUMPY[dtype](constant)),
                              f"v1.train.RMSPropOptimizer(0.001, decay={decay}, epsilon={eps}, centered=True)",
                              {"preset": "tensorflow", "lr": 0.001, "rho": decay, "eps_inside": eps, "centered": True},
                              by_optimizer(train.RMSPropOptimizer, 0.001, centered=True,
                                           **{**RMSPROP, "decay": decay, "epsilon": eps}))




def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    golden.header("TensorFlow", f"tensorflow {tf.__version__}, numpy {np.__version__}")
    rmsprop_sets()
    adagrad_sets()
    adadelta_sets()
    adam_sets()
    sgd_sets()
    rows_sets()
    constants()
    golden.footer()


if __name__ == "__main__":
    main()
