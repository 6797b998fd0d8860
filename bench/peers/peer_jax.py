"""optax, its update compiled by XLA, with parameters and state updated in place (donated)."""

import jax
import numpy
import optax

from serve import Contestant, gradients, serve


def transformation(request):
    rate = request["lr"]
    return {
        "sgd": lambda: optax.sgd(rate, momentum=request["momentum"]),
        "adagrad": lambda: optax.adagrad(rate, initial_accumulator_value=0.0, eps=request["eps"]),
        "rmsprop": lambda: optax.rmsprop(rate, decay=request["rho"], eps=request["eps"], eps_in_sqrt=False),
        "adam": lambda: optax.adam(rate, b1=request["beta1"], b2=request["beta2"], eps=request["eps"]),
    }[request["rule"]]()


def prepare(request):
    optimizer = transformation(request)
    grads = [jax.device_put(gradient) for gradient in gradients(numpy, request)]
    params = [jax.numpy.zeros(request["count"]) for _ in grads]
    current = [params, optimizer.init(params)]

    def update(params, state, grads):
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    compiled = jax.jit(update, donate_argnums=(0, 1))

    def step():
        current[:] = compiled(*current, grads)

    return Contestant(step, lambda: (current[0][0][0], current[0][-1][-1]), lambda: jax.block_until_ready(current))


serve(prepare)
