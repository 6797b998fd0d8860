"""Keras' optimizers on TensorFlow, in a tf.function: as a graph, and compiled by XLA."""

import keras
import numpy
import tensorflow

from serve import Contestant, gradients, serve


def make(request):
    rate, eps = request["lr"], request["eps"]
    return {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=request["momentum"]),
        "adagrad": lambda: keras.optimizers.Adagrad(rate, initial_accumulator_value=0.0, epsilon=eps),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate, rho=request["rho"], epsilon=eps),
        "adam": lambda: keras.optimizers.Adam(rate, beta_1=request["beta1"], beta_2=request["beta2"], epsilon=eps),
    }[request["rule"]]()


def prepare(request):
    grads = [tensorflow.constant(gradient) for gradient in gradients(numpy, request)]
    variables = [keras.Variable(numpy.zeros(request["count"], numpy.float32)) for _ in grads]
    optimizer = make(request)
    optimizer.build(variables)

    @tensorflow.function(jit_compile=request["mode"] == "xla")
    def step():
        optimizer.apply(grads)

    return Contestant(step, lambda: (variables[0].value[0], variables[-1].value[-1]))


tensorflow.config.threading.set_inter_op_parallelism_threads(1)
serve(prepare)
