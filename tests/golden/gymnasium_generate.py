#!/usr/bin/env python3
"""Writes gymnasium.txt: episodes of Gymnasium's CartPole-v1 and Acrobot-v1, with the whole state in double after every
step.

    python3 tests/golden/gymnasium_generate.py > tests/golden/gymnasium.txt

Policies are of the plainest kind: what counts is that they bring every way for an episode to end.

Before the episodes stands how far both systems drive errors apart: if each of so many steps in a row adds an error of 1,
the error of the last state is at most so large, anywhere along these episodes, to first order.
"""

import platform

import gymnasium
import numpy


def upright(state, step):
    x, speed, angle, turning = state
    return int(0.03 * x + 0.1 * speed + angle + 0.3 * turning > 0)


def out_to_the_right(state, step):
    """Upright, but drawn to what lies beyond the bound."""
    x, speed, angle, turning = state
    return int(0.03 * (x - 6) + 0.1 * speed + angle + 0.3 * turning > 0)


def always(action):
    return lambda state, step: action


def draws(seed, actions):
    drawn = numpy.random.default_rng(seed).integers(actions, size=500)
    return lambda state, step: int(drawn[step])


def swing_up(state, step):
    return 2 if state[3] > 0 else 0


def swing_up_late(state, step):
    return 1 if step < 100 else swing_up(state, step)


# (environment, name, seed of the initial state, policy)
EPISODES = (
    ("CartPole-v1", "upright", 1, upright),
    ("CartPole-v1", "out-to-the-right", 2, out_to_the_right),
    ("CartPole-v1", "left", 3, always(0)),
    ("CartPole-v1", "right", 4, always(1)),
    ("CartPole-v1", "random-5", 5, draws(5, 2)),
    ("CartPole-v1", "random-6", 6, draws(6, 2)),
    ("Acrobot-v1", "random", 7, draws(7, 3)),
    ("Acrobot-v1", "swing-up", 8, swing_up),
    ("Acrobot-v1", "swing-up-late", 9, swing_up_late),
)

# In how many steps the sum of errors is looked at.
FREE = (("CartPole-v1", 40), ("Acrobot-v1", 15))


def numbers(state):
    return " ".join(float(number).hex() for number in state)


def write(environment, name, seed, policy):
    world = gymnasium.make(environment)
    world.reset(seed=seed)
    print(f"episode {environment} {name}")
    print(f"start {numbers(world.unwrapped.state)}")
    step, ended = 0, False
    while not ended:
        action = policy(world.unwrapped.state, step)
        _, reward, terminated, truncated, _ = world.step(action)
        ended = terminated or truncated
        step += 1
        print(f"{action} {reward:g} {int(terminated)} {int(truncated)} {numbers(world.unwrapped.state)}")
    return step


def moved(world, state, action):
    """The state one step after this one."""
    world.reset()
    world.unwrapped.state = numpy.array(state)
    world.step(action)
    return numpy.array(world.unwrapped.state)


def jacobian(world, state, action, difference=1e-6):
    """Of a step, by central differences; Acrobot's angles are taken modulo 2 pi."""
    columns = []
    for nudge in numpy.eye(4) * difference:
        change = moved(world, state + nudge, action) - moved(world, state - nudge, action)
        if world.spec.id == "Acrobot-v1":
            change[:2] = (change[:2] + numpy.pi) % (2 * numpy.pi) - numpy.pi
        columns.append(change / (2 * difference))
    return numpy.array(columns).T


def jacobians(environment, seed, policy):
    world, beside = gymnasium.make(environment), gymnasium.make(environment)
    world.reset(seed=seed)
    found, ended = [], False
    while not ended:
        state = numpy.array(world.unwrapped.state, float)
        action = policy(state, len(found))
        found.append(jacobian(beside, state, action))
        _, _, terminated, truncated, _ = world.step(action)
        ended = terminated or truncated
    return found


def growth(environment, steps):
    """The largest sum over windows of so many steps of the norms of what each error is multiplied by."""
    largest = 0.0
    for _, _, seed, policy in (episode for episode in EPISODES if episode[0] == environment):
        found = jacobians(environment, seed, policy)
        for begin in range(len(found) - steps + 1):
            product, total = numpy.eye(4), 1.0
            for matrix in reversed(found[begin + 1 : begin + steps]):
                product = product @ matrix
                total += numpy.abs(product).sum(axis=1).max()
            largest = max(largest, total)
    return largest


def main():
    print(f"# gymnasium {gymnasium.__version__}, numpy {numpy.__version__}, python {platform.python_version()}")
    for environment, steps in FREE:
        print(f"growth {environment} {steps} {growth(environment, steps):.0f}")
    steps = sum(write(*episode) for episode in EPISODES)
    print(f"end {len(EPISODES)} {steps}")


main()
