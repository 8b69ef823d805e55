"""CartPole in jax.numpy on one thread, in float32 and float64: `jax_numpy.py JOB.json plain|tight`.

Both have batches that stay in the cache one after the other, the numbers of policy and environment as constants, and a loop
that stops when all episodes are over. plain: sine and cosine of the library. tight: those of our shaders, and the steps of
the loop in groups, which XLA makes one vectorised loop of.
"""

import os
import sys
from functools import partial

STYLE = sys.argv.pop()

# Before JAX starts its threads.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")

from peer import answer, need, read_job, timed

job = read_job(["CartPole-v1"])
jax = need("jax")
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
from jax import lax

p, weights = job["params"], job["policy"]["params"]
# Of two scores only the difference counts.
ahead = [weights[2 * i + 1] - weights[2 * i] for i in range(5)]
UNROLL = 4 if STYLE == "tight" else 1


def short_sincos(x):
    """For angles below 0.21, as shaders/lib/trig.wgsl."""
    z = x * x
    sine = x + x * z * (-0.16666651 + z * 0.0083211595)
    return sine, 1 + z * (-0.5 + z * (0.041666638 + z * -0.0013871852))


def sincos(x):
    return short_sincos(x) if STYLE == "tight" else (jnp.sin(x), jnp.cos(x))


def step(dtype, carry):
    t, (x, x_dot, theta, theta_dot), alive, length = carry
    c = lambda value: jnp.asarray(value, dtype)
    score = x * c(ahead[0]) + x_dot * c(ahead[1]) + theta * c(ahead[2]) + theta_dot * c(ahead[3]) + c(ahead[4])
    force = jnp.where(score > 0, c(p["force"]), c(-p["force"]))
    sine, cosine = sincos(theta)
    sine, cosine = sine.astype(dtype), cosine.astype(dtype)
    push = (force + c(p["poleMassLength"]) * theta_dot * theta_dot * sine) * c(1 / p["totalMass"])
    lever = c(p["halfLength"] * 4 / 3) - c(p["halfLength"] * p["poleMass"] / p["totalMass"]) * cosine * cosine
    turn = (c(p["gravity"]) * sine - cosine * push) / lever
    drive = push - c(p["poleMassLength"] / p["totalMass"]) * turn * cosine
    dt = c(p["timeStep"])
    state = (x + dt * x_dot, x_dot + dt * drive, theta + dt * theta_dot, theta_dot + dt * turn)
    length = length + alive
    up = (jnp.abs(state[0]) <= c(p["positionLimit"])) & (jnp.abs(state[2]) <= c(p["angleLimit"]))
    return t + 1, state, alive * up.astype(jnp.int32), length


def batch(dtype, size, key):
    low, high = p["resetLow"], p["resetHigh"]
    state = tuple(jax.random.uniform(k, (size,), dtype, low, high) for k in jax.random.split(key, 4))
    carry = jnp.int32(0), state, jnp.ones(size, jnp.int32), jnp.zeros(size, jnp.int32)
    one = partial(step, dtype)

    def several(carry):
        for _ in range(UNROLL):
            carry = one(carry)
        return carry

    passes, rest = divmod(job["maxSteps"], UNROLL)
    carry = lax.while_loop(lambda c: (c[0] < passes * UNROLL) & jnp.any(c[2] > 0), several, carry)
    for _ in range(rest):
        carry = one(carry)
    return jnp.sum(carry[3], dtype=jnp.int64)


def played(dtype, size, parts):
    @jax.jit
    def program(key):
        return jnp.sum(lax.map(partial(batch, dtype, size), jax.random.split(key, parts)))

    def once():
        # Every step is worth 1.
        steps = int(program(jax.random.key(job["seed"])))
        return {"steps": steps, "meanReturn": steps / (size * parts), "episodes": size * parts}

    return timed(once, job["repeats"])


answer(
    [
        {"variant": f"{STYLE}, batches of {size}, {dtype.__name__}", **played(dtype, size, max(1, job["episodes"] // size))}
        for dtype in (jnp.float32, jnp.float64)
        for size in (1024, 8192)
    ]
)
