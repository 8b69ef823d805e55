"""Environments as pure functions in JAX, float32, the equations of shaders/envs.

States and observations are tuples of numbers. So the same functions serve one episode under `vmap`, a batch written out
as arrays, and the registers of a Pallas kernel. Constants come from the job.
"""

import math
from typing import Callable, NamedTuple

import jax
import jax.numpy as jnp

f32 = jnp.float32


class Env(NamedTuple):
    reset: Callable  # key, shape -> state
    observe: Callable  # state -> observation
    step: Callable  # state, action, draw in [0, 1) or None -> state, reward, terminated
    bounds: tuple | None = None  # of a continuous action; None: the action is a number
    draws: bool = False  # whether a step draws


class Tools(NamedTuple):
    """What can be had in more than one way."""

    sincos: Callable  # x, and whether |x| <= 0.21 is sure while an episode lasts -> sine, cosine
    lookup: Callable  # list of numbers from 0 to 3 -> function of an index


def choose(condition, yes, no):
    # Of two Python numbers `jnp.where` would make float64.
    return jnp.where(condition, jnp.asarray(yes, f32), jnp.asarray(no, f32))


def library_sincos(x, near_zero=False):
    return jnp.sin(x), jnp.cos(x)


def polynomial_sincos(x, near_zero=False):
    """As shaders/lib/trig.wgsl: pi/2 in three parts, minimax polynomials on what is left; shorter ones near zero."""
    if near_zero:
        z = x * x
        sine = x + x * z * (-0.16666651 + z * 0.0083211595)
        return sine, 1 + z * (-0.5 + z * (0.041666638 + z * -0.0013871852))
    q = jnp.floor(x * (2 / math.pi) + 0.5)
    near = (x - q * 1.57080078125) - q * -4.454515874385834e-06
    rest = q * 6.07710062827671e-11
    r = near - rest
    z = r * r
    s = near + (r * z * (-0.16666655 + z * (0.008332176 + z * -0.00019516978)) - rest)
    c = 1 + z * (-0.5 + z * (0.041666646 + z * (-0.0013887313 + z * 2.4432786e-05)))
    quarter = q.astype(jnp.int32)
    swap = (quarter & 1) != 0
    sine, cosine = jnp.where(swap, c, s), jnp.where(swap, s, c)
    return jnp.where((quarter & 2) != 0, -sine, sine), jnp.where(((quarter + 1) & 2) != 0, -cosine, cosine)


def gathered(values):
    table = jnp.array(values, jnp.int32)
    return lambda index: table[index]


def packed(values):
    """Sixteen values to a word, which is a constant of the program: no memory is read."""
    words = [sum(value << 2 * i for i, value in enumerate(values[k : k + 16])) for k in range(0, len(values), 16)]

    def at(index):
        word = jnp.full_like(index, words[0], jnp.uint32)
        for k, other in enumerate(words[1:], 1):
            word = jnp.where(index >> 4 == k, jnp.uint32(other), word)
        return ((word >> (2 * (index & 15)).astype(jnp.uint32)) & 3).astype(jnp.int32)

    return at


def uniforms(key, shape, *ranges):
    keys = jax.random.split(key, len(ranges))
    return tuple(jax.random.uniform(k, shape, f32, low, high) for k, (low, high) in zip(keys, ranges))


def identity(state):
    return state


def cartpole(p, table, tools):
    def reset(key, shape):
        return uniforms(key, shape, *[(p.resetLow, p.resetHigh)] * 4)

    def step(state, action, _):
        x, x_dot, theta, theta_dot = state
        sine, cosine = tools.sincos(theta, p.angleLimit <= 0.21)
        push = choose(action == 1, p.forcePerMass, -p.forcePerMass)
        push += p.poleLengthShare * (theta_dot * theta_dot) * sine
        turn = (p.gravity * sine - cosine * push) / (p.rodInertiaLength - p.poleLengthShare * (cosine * cosine))
        drive = push - p.poleLengthShare * turn * cosine
        x, theta = x + p.timeStep * x_dot, theta + p.timeStep * theta_dot
        state = x, x_dot + p.timeStep * drive, theta, theta_dot + p.timeStep * turn
        return state, 1.0, (jnp.abs(x) > p.positionLimit) | (jnp.abs(theta) > p.angleLimit)

    return Env(reset, identity, step)


def valley(p, tools, state, push):
    """The part that both mountain cars share."""
    position, velocity = state
    faster = velocity + (push - p.gravity * tools.sincos(p.hillFrequency * position)[1])
    velocity = jnp.clip(faster, -p.maxSpeed, p.maxSpeed)
    position = jnp.clip(position + velocity, p.minPosition, p.maxPosition)
    at_wall = (position == f32(p.minPosition)) & (velocity < 0)
    arrived = (position >= p.goalPosition) & (velocity >= p.goalSpeed)
    return (position, choose(at_wall, 0, velocity)), arrived


def valley_reset(p):
    return lambda key, shape: (*uniforms(key, shape, (p.resetLow, p.resetHigh)), jnp.zeros(shape, f32))


def mountaincar(p, table, tools):
    def step(state, action, _):
        state, arrived = valley(p, tools, state, (action - 1).astype(f32) * p.force)
        return state, -1.0, arrived

    return Env(valley_reset(p), identity, step)


def mountaincar_continuous(p, table, tools):
    def step(state, action, _):
        state, arrived = valley(p, tools, state, action * p.power)
        return state, choose(arrived, p.goalReward, 0) - action * action * p.actionCost, arrived

    return Env(valley_reset(p), identity, step, bounds=(-p.maxAction, p.maxAction))


def acrobot(p, table, tools):
    def reset(key, shape):
        return uniforms(key, shape, *[(p.resetLow, p.resetHigh)] * 4)

    def observe(state):
        sine1, cosine1 = tools.sincos(state[0])
        sine2, cosine2 = tools.sincos(state[1])
        return cosine1, sine1, cosine2, sine2, state[2], state[3]

    def rate(state, torque):
        theta1, theta2, dot1, dot2 = state
        sine1, cosine1 = tools.sincos(theta1)
        sine2, cosine2 = tools.sincos(theta2)
        coupling_cos, coupling_sin = p.coupling * cosine2, p.coupling * sine2
        d1 = p.bentInertia + 2 * coupling_cos
        d2 = p.lowerInertia + coupling_cos
        phi2 = p.lowerWeight * (sine1 * cosine2 + cosine1 * sine2)
        phi1 = p.upperWeight * sine1 + phi2 - coupling_sin * dot2 * (dot2 + 2 * dot1)
        drive = torque - coupling_sin * dot1 * dot1 - phi2
        scale = 1 / (p.determinant - coupling_cos * coupling_cos)
        return dot1, dot2, -(p.lowerInertia * phi1 + d2 * drive) * scale, (d1 * drive + d2 * phi1) * scale

    def ahead(state, h, slope):
        return tuple(s + h * k for s, k in zip(state, slope))

    def wrap(angle):
        return angle - 2 * math.pi * jnp.floor(angle * (0.5 / math.pi) + 0.5)

    def step(state, action, _):
        torque = (action - 1).astype(f32) * p.torque
        h = p.timeStep
        k1 = rate(state, torque)
        k2 = rate(ahead(state, h / 2, k1), torque)
        k3 = rate(ahead(state, h / 2, k2), torque)
        k4 = rate(ahead(state, h, k3), torque)
        slope = tuple(a + 2 * (b + c) + d for a, b, c, d in zip(k1, k2, k3, k4))
        theta1, theta2, dot1, dot2 = ahead(state, h / 6, slope)
        theta1, theta2 = wrap(theta1), wrap(theta2)
        sine1, cosine1 = tools.sincos(theta1)
        sine2, cosine2 = tools.sincos(theta2)
        height = -p.linkLength1 * cosine1 - p.linkLength2 * (cosine1 * cosine2 - sine1 * sine2)
        arrived = height > p.goalHeight
        state = theta1, theta2, jnp.clip(dot1, -p.maxSpeed1, p.maxSpeed1), jnp.clip(dot2, -p.maxSpeed2, p.maxSpeed2)
        return state, choose(arrived, 0, -1), arrived

    return Env(reset, observe, step)


def pendulum(p, table, tools):
    def reset(key, shape):
        return uniforms(key, shape, (p.resetAngleLow, p.resetAngleHigh), (p.resetSpeedLow, p.resetSpeedHigh))

    def observe(state):
        sine, cosine = tools.sincos(state[0])
        return cosine, sine, state[1]

    def step(state, torque, _):
        theta, theta_dot = state
        tilt = theta - 2 * math.pi * jnp.floor(theta * (0.5 / math.pi) + 0.5)
        cost = tilt * tilt + p.speedCost * (theta_dot * theta_dot) + p.torqueCost * (torque * torque)
        faster = theta_dot + (p.gravityGain * tools.sincos(theta)[0] + p.torqueGain * torque) * p.timeStep
        theta_dot = jnp.clip(faster, -p.maxSpeed, p.maxSpeed)
        return (theta + theta_dot * p.timeStep, theta_dot), -cost, jnp.zeros_like(theta, bool)

    return Env(reset, observe, step, bounds=(-p.maxTorque, p.maxTorque))


class Grid:
    """State: row and column. `ways`: (row, column) of the four directions."""

    def __init__(self, p, tools, ways):
        self.p = p
        self.ways = [tools.lookup([1 + way[axis] for way in ways]) for axis in (0, 1)]

    def reset(self, key, shape):
        row, column = divmod(self.p.startCell, self.p.columns)
        return jnp.full(shape, row, jnp.int32), jnp.full(shape, column, jnp.int32)

    def observe(self, state):
        return (self.number(*state),)

    def number(self, row, column):
        return row * self.p.columns + column

    def move(self, state, direction, draw):
        """One draw decides between the direction before, the one that was meant, and the one after."""
        if self.p.slippery:
            aside = (draw >= self.p.slipLeftBelow).astype(jnp.int32) + (draw >= self.p.slipForwardBelow)
            direction = (direction + 3 + aside) & 3
        sizes = self.p.rows, self.p.columns
        return tuple(jnp.clip(at + way(direction) - 1, 0, n - 1) for at, way, n in zip(state, self.ways, sizes))


def frozenlake(p, table, tools):
    grid = Grid(p, tools, ((0, -1), (1, 0), (0, 1), (-1, 0)))
    half = len(table) // 2

    def bit(words, cell):
        return (words[cell // 32] >> cell % 32) & 1

    # 0: ice, 1: hole, 2: goal
    kind_of = tools.lookup([bit(table[:half], cell) + bit(table[half:], cell) for cell in range(p.rows * p.columns)])

    def step(state, action, draw):
        state = grid.move(state, action, draw)
        kind = kind_of(grid.number(*state))
        return state, (kind == 2).astype(f32), kind != 0

    return Env(grid.reset, grid.observe, step, draws=bool(p.slippery))


def cliffwalking(p, table, tools):
    grid = Grid(p, tools, ((-1, 0), (0, 1), (1, 0), (0, -1)))
    start = divmod(p.startCell, p.columns)

    def step(state, action, draw):
        state = grid.move(state, action, draw)
        number = grid.number(*state)
        fallen = (number > p.startCell) & (number < p.goalCell)
        state = tuple(jnp.where(fallen, jnp.int32(home), place) for home, place in zip(start, state))
        return state, choose(fallen, p.cliffReward, p.stepReward), number == p.goalCell

    return Env(grid.reset, grid.observe, step, draws=bool(p.slippery))


def maze(p, table, tools):
    if p.maxSteps > p.stepLimit:
        # At its own limit the original takes the end at the goal back: nobody would see the difference before.
        raise ValueError(f'expected at most {p.stepLimit} steps in the maze, got {p.maxSteps}')
    is_open = tools.lookup([(table[way] >> cell) & 1 for cell in range(p.rows * p.columns) for way in range(4)])
    # One more than each direction's share: north, south, east, west.
    south, east = tools.lookup([0, 2, 1, 1]), tools.lookup([1, 1, 2, 0])

    def reset(key, shape):
        return jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.int32)

    def observe(state):
        return (state[0] * p.columns + state[1],)

    def step(state, action, _):
        row, column = state
        free = is_open(4 * observe(state)[0] + action)
        row, column = row + free * (south(action) - 1), column + free * (east(action) - 1)
        arrived = (row == p.goalRow) & (column == p.goalColumn)
        return (row, column), choose(arrived, p.goalReward, p.stepReward), arrived

    return Env(reset, observe, step)


def pong(p, table, tools):
    def reset(key, shape):
        side, serve = jax.random.split(key)
        paddle = jnp.full(shape, p.startPaddleY, f32)
        ball_dx = choose(jax.random.bernoulli(side, 0.5, shape), p.ballSpeed, -p.ballSpeed)
        (ball_dy,) = uniforms(serve, shape, (p.serveLow, p.serveHigh))
        return paddle, paddle, jnp.full(shape, p.startBallX, f32), jnp.full(shape, p.startBallY, f32), ball_dx, ball_dy

    def observe(state):
        own, _, x, y, dx, dy = state
        return own + p.paddleMiddle, x, y, dx, dy

    def step(state, action, _):
        own, other, x, y, dx, dy = state
        own_move = choose(action == 0, -p.paddleSpeed, choose(action == 1, p.paddleSpeed, 0))
        other_move = choose(other + p.paddleMiddle < y, p.paddleSpeed, -p.paddleSpeed)
        own = jnp.clip(own + own_move, 0, p.paddleLowest)
        other = jnp.clip(other + other_move, 0, p.paddleLowest)
        x, y = x + dx, y + dy
        approaching = dx < 0
        top = jnp.where(approaching, own, other)
        at_face = (approaching & (x <= p.leftFace)) | (~approaching & (x >= p.rightFace))
        hit = at_face & (top <= y) & (y <= top + p.paddleHeight)
        at_wall = (y <= 0) | (y >= p.ballLowest)
        returned = p.bounceSlope * (y - top) - p.ballSpeed
        state = own, other, x, y, jnp.where(hit, -dx, dx), jnp.where(hit, returned, jnp.where(at_wall, -dy, dy))
        return state, (hit & approaching).astype(f32), (x < 0) | (x > p.ballRightmost)

    return Env(reset, observe, step)


def nim(p, table, tools):
    def reset(key, shape):
        return (jnp.full(shape, p.sticks, jnp.int32),)

    def step(state, action, draw):
        left = state[0] - action
        lost = (action < 1) | (action > p.mostTaken) | (left <= 0)
        # What leaves a multiple of one more than the most that can be taken, and one stick over.
        answer = (left + p.mostTaken) % (p.mostTaken + 1)
        choices = jnp.minimum(p.mostTaken, left)
        answer = jnp.where(answer == 0, 1 + (draw * choices.astype(f32)).astype(jnp.int32), answer)
        won = answer == left
        return (left - answer,), choose(lost, -1, choose(won, 1, 0)), lost | won

    return Env(reset, identity, step, draws=True)


ENVIRONMENTS = {
    'CartPole-v1': cartpole,
    'MountainCar-v0': mountaincar,
    'MountainCarContinuous-v0': mountaincar_continuous,
    'Acrobot-v1': acrobot,
    'Pendulum-v1': pendulum,
    'FrozenLake-v1': frozenlake,
    'CliffWalking-v1': cliffwalking,
    'maze-sample-3x3-v0': maze,
    'Pong-v0': pong,
    'Nim-v0': nim,
}
