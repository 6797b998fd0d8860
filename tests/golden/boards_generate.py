#!/usr/bin/env python3
"""Writes boards.txt: episodes of MinAtar's Breakout and bsuite's Catch, with the whole board after every step.

    python3 tests/golden/boards_generate.py > tests/golden/boards.txt
"""

import platform
from importlib.metadata import version

import numpy
from bsuite.environments.catch import Catch
from minatar import Environment

WALL_ROWS = range(1, 4)


def bricks(world):
    """Bit 10 (row - 1) + column."""
    return sum(1 << (10 * (y - 1) + x) for y in WALL_ROWS for x in range(10) if world.brick_map[y, x])


def check_observation(world):
    """Cells with channels innermost: paddle, ball, trail, brick."""
    expected = numpy.zeros((10, 10, 4), bool)
    expected[9, world.pos, 0] = True
    expected[world.ball_y, world.ball_x, 1] = True
    expected[world.last_y, world.last_x, 2] = True
    for y in WALL_ROWS:
        expected[y, :, 3] = world.brick_map[y] == 1
    assert numpy.array_equal(world.state(), expected)


def towards(x, target):
    return 0 if x == target else 1 if target < x else 2


def below(world, generator):
    """Under the ball, so that it comes straight, but anywhere while it rises."""
    rises = world.ball_dir < 2
    return int(generator.integers(3)) if rises and generator.random() < 0.5 else towards(world.pos, world.ball_x)


def ahead(world, generator):
    """Where the ball will be, so that it comes aslant; now and then below, as it would come back for ever."""
    if generator.random() < 0.05:
        return below(world, generator)
    return towards(world.pos, min(max(world.ball_x + (1 if world.ball_dir in (1, 2) else -1), 0), 9))


def at_random(world, generator):
    return int(generator.integers(3))


def always(action):
    return lambda world, generator: action


def breakout(seed, name, policy, steps_max):
    environment = Environment("breakout", sticky_action_prob=0.0)
    environment.seed(seed)
    actions = environment.minimal_action_set()
    world, generator = environment.env, numpy.random.default_rng(seed)
    environment.reset()
    print(f"episode breakout {name}-{seed}")
    print(f"start {world.pos} {world.ball_x} {world.ball_y} {world.last_x} {world.last_y} {bricks(world)}")
    for step in range(1, steps_max + 1):
        action = policy(world, generator)
        reward, terminated = environment.act(actions[action])
        if not terminated:
            check_observation(world)
        print(
            f"{action} {reward:g} {int(terminated)} {world.pos} {world.ball_x} {world.ball_y} "
            f"{world.last_x} {world.last_y} {bricks(world)}"
        )
        if terminated:
            break
    return step


def catch(seed):
    world, generator = Catch(seed=seed), numpy.random.default_rng(seed)
    moment = world.reset()
    print(f"episode catch {seed}")
    print(f"start {world._ball_x} {world._ball_y} {world._paddle_x}")
    step = 0
    while not moment.last():
        target = world._ball_x if seed % 3 else 4 - world._ball_x
        action = 1 if target == world._paddle_x else 0 if target < world._paddle_x else 2
        action = action if generator.random() < 0.7 else int(generator.integers(3))
        moment = world.step(action)
        step += 1
        print(f"{action} {moment.reward:g} {int(moment.last())} {world._ball_x} {world._ball_y} {world._paddle_x}")
    return step


def main():
    print(f"# MinAtar {version('MinAtar')}, bsuite {version('bsuite')}, numpy {numpy.__version__}, ", end="")
    print(f"python {platform.python_version()}")
    steps = [breakout(seed, "below", below, 900) for seed in (1, 2)]
    steps += [breakout(seed, "ahead", ahead, 900) for seed in (3, 4)]
    steps += [breakout(seed, "random", at_random, 900) for seed in range(5, 13)]
    steps += [breakout(seed, "left", always(1), 900) for seed in (13, 14)]
    steps += [breakout(seed, "right", always(2), 900) for seed in (15, 16)]
    steps += [catch(seed) for seed in range(12)]
    print(f"end {len(steps)} {sum(steps)}")


main()
