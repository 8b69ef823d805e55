"""CartPole of gymnax on one thread, as its documentation does it: `vmap` of a `scan` over `env.step`, in float32."""

import os
from importlib.metadata import version

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")

from peer import answer, need, read_job, timed

job = read_job(["CartPole-v1"])
jax = need("jax")
gymnax = need("gymnax")
import jax.numpy as jnp

env, params = gymnax.make(job["env"])
params = params.replace(max_steps_in_episode=job["maxSteps"])
weights = jnp.array(job["policy"]["params"], jnp.float32)
matrix, bias = weights[:8].reshape(4, 2), weights[8:]


def episode(key):
    key, start = jax.random.split(key)
    observation, state = env.reset(start, params)

    def step(carry, _):
        key, observation, state, alive, length = carry
        key, own = jax.random.split(key)
        action = jnp.argmax(observation @ matrix + bias)
        # One flag in earlier versions; now two, terminated and truncated.
        observation, state, _, *over, _ = env.step(own, state, action, params)
        return (key, observation, state, alive & ~jnp.any(jnp.stack(over)), length + alive), None

    carry = key, observation, state, jnp.bool_(True), jnp.int32(0)
    return jax.lax.scan(step, carry, length=job["maxSteps"])[0][4]


@jax.jit
def program(key):
    return jnp.sum(jax.vmap(episode)(jax.random.split(key, job["episodes"])))


def once():
    steps = int(program(jax.random.key(job["seed"])))
    return {"steps": steps, "meanReturn": steps / job["episodes"]}


answer([{"variant": f"gymnax {version('gymnax')}, vmap of scan", **timed(once, job["repeats"])}])
