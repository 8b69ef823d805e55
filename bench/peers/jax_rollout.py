"""Rollouts in JAX: `python3 jax_rollout.py JOB.json --style idiomatic|tuned`, prints one JSON object (see README.md).

idiomatic: what a user of a JAX environment library writes. One episode is a `scan` with a mask of what is still alive,
    `vmap` makes many of it, the policy is `obs @ W + b`.
tuned: the batch written out, the policy's numbers constants of the program, and then a search: steps per pass of the
    loop, library or own sine and table, a loop that stops when all episodes are over, the hardware's random numbers,
    parts of the batch one after the other, and on a GPU a Pallas kernel. What is fastest is timed again and reported.

Start states and step draws come from JAX's own generator. Both styles play the same equations (jax_envs.py).
"""

import argparse
import json
import statistics
import sys
import time
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

try:
    import jax
except ImportError:
    print('jax is not installed', file=sys.stderr)
    sys.exit(3)
import jax.numpy as jnp
from jax import lax

sys.dont_write_bytecode = True  # it would leave a folder among the sources

import jax_envs

# For the two sums alone: of a million episodes they need more than 24 bits. `check_precision` guards the rest.
jax.config.update('jax_enable_x64', True)

LIBRARY = jax_envs.Tools(jax_envs.library_sincos, jax_envs.gathered)
OWN = jax_envs.Tools(jax_envs.polynomial_sincos, jax_envs.packed)
LONGEST_COMPILE = 20  # seconds; what would take longer is not unrolled further


def sums(totals, lengths):
    return jnp.sum(totals, dtype=jnp.float64), jnp.sum(lengths, dtype=jnp.int64)


def check_precision(env):
    """Throws where a step would compute in 64 bits, which no user of JAX does."""
    state = env.reset(jax.random.key(0), (2,))
    action = jnp.zeros(2, jnp.float32 if env.bounds else jnp.int32)
    program = str(jax.make_jaxpr(env.step)(state, action, jnp.zeros(2, jnp.float32)))
    if '64[2]' in program or any(part.dtype.itemsize != 4 for part in state):
        raise TypeError(f'expected a step in 32 bits, got\n{program}')


# --- idiomatic


def idiomatic(job, env, key, parameters):
    """parameters: of the policy, (W, b) or a table."""

    def act(observation):
        if job.policy.kind == 'tabular':
            return parameters[observation[0]]
        matrix, bias = parameters
        outputs = jnp.stack(observation) @ matrix + bias
        return jnp.clip(outputs[0], *env.bounds) if env.bounds else lax.argmax(outputs, 0, jnp.int32)

    def episode(key):
        key, start = jax.random.split(key)

        def step(carry, _):
            key, state, alive, total, length = carry
            draw = None
            if env.draws:
                key, own = jax.random.split(key)
                draw = jax.random.uniform(own, dtype=jnp.float32)
            state, reward, terminated = env.step(state, act(env.observe(state)), draw)
            total += jnp.where(alive, reward, 0).astype(jnp.float32)
            length += alive.astype(jnp.int32)
            return (key, state, alive & ~terminated, total, length), None

        carry = key, env.reset(start, ()), jnp.bool_(True), jnp.float32(0), jnp.int32(0)
        (_, _, _, total, length), _ = lax.scan(step, carry, length=job.maxSteps)
        return total, length

    return sums(*jax.vmap(episode)(jax.random.split(key, job.episodes)))


def policy_arrays(job, env):
    numbers = job.policy.params
    if job.policy.kind == 'tabular':
        return jnp.array(numbers, jnp.int32)
    inputs = len(jax.eval_shape(lambda: env.observe(env.reset(jax.random.key(0), ()))))
    rows = jnp.array(numbers, jnp.float32).reshape(inputs + 1, -1)
    return rows[:inputs], rows[inputs]


# --- tuned


class Variant(NamedTuple):
    tools: str = 'library'
    loop: str = 'scan'
    unroll: int = 1
    generator: str = 'threefry2x32'
    parts: int = 1
    block: int = 0  # of a Pallas kernel

    def __str__(self):
        more = [f'{self.parts} parts'] * (self.parts > 1) + [self.generator] * (self.generator != 'threefry2x32')
        more += [f'blocks of {self.block}'] * (self.block > 0)
        return ', '.join([f'{self.loop}, unroll {self.unroll}, {self.tools} functions', *more])


def folded_policy(job, env, tools):
    """The policy with its numbers as constants of the program."""
    numbers = job.policy.params
    if job.policy.kind == 'tabular':
        table = tools.lookup([int(n) for n in numbers])
        return lambda observation: table(observation[0])

    def score(weights, observation):
        return sum((w * o for w, o in zip(weights, observation)), weights[-1])

    if env.bounds:
        return lambda observation: jnp.clip(score(numbers, observation), *env.bounds)

    def act(observation):
        outputs = len(numbers) // (len(observation) + 1)
        columns = [numbers[j::outputs] for j in range(outputs)]
        # Only differences to the first score decide; the first action wins a tie.
        best, highest = jnp.int32(0), 0.0
        for j, column in enumerate(columns[1:], 1):
            other = score([w - first for w, first in zip(column, columns[0])], observation)
            best = jnp.where(other > highest, jnp.int32(j), best)
            highest = jnp.maximum(other, highest)
        return best

    return act


def stepper(job, env, tools, draw):
    """One step of a batch whose carry is (t, state, alive, total, length); `draw`: of t."""
    act = folded_policy(job, env, tools)

    def step(carry):
        t, state, alive, total, length = carry
        state, reward, terminated = env.step(state, act(env.observe(state)), draw(t))
        total = total + jnp.where(alive, reward, 0).astype(jnp.float32)
        length = length + alive.astype(jnp.int32)
        return t + 1, state, alive & ~terminated, total, length

    return step


def fresh(state):
    shape = state[0].shape
    return jnp.int32(0), state, jnp.ones(shape, bool), jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.int32)


def times(step, n, carry):
    for _ in range(n):
        carry = step(carry)
    return carry


def until_over(job, step, unroll, carry):
    """Passes of `unroll` steps while an episode lives, and then what is left of the step limit."""
    passes, rest = divmod(job.maxSteps, unroll)

    def go_on(carry):
        t, _, alive, _, _ = carry
        # A maximum, because Triton has no `any`.
        return (t < passes * unroll) & (jnp.max(alive.astype(jnp.int32)) > 0)

    return times(step, rest, lax.while_loop(go_on, partial(times, step, unroll), carry))


def play_batch(job, env, tools, variant, size, key):
    """Returns and lengths of `size` episodes."""
    start, stream = jax.random.split(key)
    state = env.reset(start, (size,))
    if variant.loop == 'pallas':
        return play_in_kernel(job, env, tools, variant, size, state)

    def draw(t):
        return jax.random.uniform(jax.random.fold_in(stream, t), (size,), jnp.float32) if env.draws else None

    step = stepper(job, env, tools, draw)
    if variant.loop == 'scan':
        carry, _ = lax.scan(lambda c, _: (step(c), None), fresh(state), length=job.maxSteps, unroll=variant.unroll)
    else:
        carry = until_over(job, step, variant.unroll, fresh(state))
    return carry[3:]


def play_in_kernel(job, env, tools, variant, size, state):
    """The whole loop in one kernel, its carry in registers: one episode per thread."""
    from jax.experimental import pallas
    from jax.experimental.pallas import triton

    def kernel(*refs):
        state = tuple(ref[...] for ref in refs[:-2])
        carry = until_over(job, stepper(job, env, tools, lambda t: None), variant.unroll, fresh(state))
        refs[-2][...], refs[-1][...] = carry[3:]

    if size % variant.block:
        raise ValueError(f'expected a multiple of {variant.block} episodes, got {size}')
    spec = pallas.BlockSpec((variant.block,), lambda i: (i,))
    return pallas.pallas_call(
        kernel,
        grid=(size // variant.block,),
        in_specs=[spec] * len(state),
        out_specs=[spec] * 2,
        out_shape=[jax.ShapeDtypeStruct((size,), jnp.float32), jax.ShapeDtypeStruct((size,), jnp.int32)],
        compiler_params=triton.CompilerParams(num_warps=variant.block // 32),
    )(*state)


def tuned(job, variant, key):
    tools = OWN if variant.tools == 'own' else LIBRARY
    env = jax_envs.ENVIRONMENTS[job.env](job.params, job.table, tools)
    check_precision(env)
    size, rest = divmod(job.episodes, variant.parts)
    if rest:
        raise ValueError(f'expected a multiple of {variant.parts} episodes, got {job.episodes}')
    play = partial(play_batch, job, env, tools, variant, size)
    return sums(*(play(key) if variant.parts == 1 else lax.map(play, jax.random.split(key, variant.parts))))


# --- timing


def timed(program, arguments, repeats):
    """Median seconds of a repetition, results on the host, after one to warm up; and these results."""

    def once():
        began = time.perf_counter()
        total, steps = jax.block_until_ready(program(*arguments))
        total, steps = float(total), int(steps)
        return time.perf_counter() - began, total, steps

    once()
    runs = [once() for _ in range(repeats)]
    return statistics.median(seconds for seconds, _, _ in runs), *runs[0][1:]


class Attempt(NamedTuple):
    variant: Variant
    compiled: float  # seconds
    seconds: float
    mean: float
    program: object
    arguments: list


class Search:
    """Tries variants until its time is over. One that cannot be built or run here is named on stderr and left out."""

    def __init__(self, job, seconds):
        self.job, self.found, self.until = job, {}, time.perf_counter() + seconds

    def attempt(self, variant):
        """None where it failed, or where the time is over."""
        if variant not in self.found and time.perf_counter() < self.until:
            self.found[variant] = self.measure(variant)
        return self.found.get(variant)

    def measure(self, variant):
        arguments = [jax.random.key(self.job.seed, impl=variant.generator)]
        try:
            began = time.perf_counter()
            program = jax.jit(partial(tuned, self.job, variant)).lower(*arguments).compile()
            compiled = time.perf_counter() - began
            seconds, total, _ = timed(program, arguments, min(3, self.job.repeats))
        except Exception as error:
            print(f'{variant}: left out, {type(error).__name__}: {str(error)[:300]}', file=sys.stderr)
            return None
        print(f'{variant}: {seconds:.6f} s, compiled in {compiled:.1f} s', file=sys.stderr)
        return Attempt(variant, compiled, seconds, total / self.job.episodes, program, arguments)

    def fastest(self, variants):
        attempts = [attempt for attempt in map(self.attempt, variants) if attempt]
        return min(attempts, key=lambda attempt: attempt.seconds, default=None)

    def unrolled(self, variant):
        """The fastest of 1, 2, 4, ... steps per pass, as long as that may pay and compiles in reasonable time."""
        best = before = None
        while variant.unroll <= self.job.maxSteps and (found := self.attempt(variant)):
            best = found if best is None or found.seconds < best.seconds else best
            # Compilers slow down faster than the program grows.
            growth = found.compiled / before.compiled if before else 1
            if found.seconds > 2 * best.seconds or found.compiled * growth**2 > LONGEST_COMPILE:
                break
            before, variant = found, variant._replace(unroll=2 * variant.unroll)
        return best

    def run(self, draws):
        """One choice after the other, each from the best so far."""
        if jax.default_backend() == 'gpu' and not draws:
            start = Variant(loop='pallas', unroll=min(8, self.job.maxSteps), block=128)
            kernel = self.fastest([start, start._replace(tools='own')])
            others = {'unroll': 1}, {'unroll': 2}, {'block': 32}, {'block': 64}, {'block': 256}
            for other in others if kernel else ():
                kernel = self.fastest([kernel.variant, kernel.variant._replace(**other)])
        plain = self.fastest([Variant(), Variant(tools='own')])
        if plain is None:
            raise RuntimeError('expected at least the plain scan to run')
        loops = [self.unrolled(plain.variant), self.unrolled(plain.variant._replace(loop='while'))]
        loop = min(filter(None, loops), key=lambda attempt: attempt.seconds)
        if draws:
            loop = self.fastest([loop.variant, loop.variant._replace(generator='rbg')])
        self.fastest([loop.variant._replace(parts=parts) for parts in (4, 16)])
        if time.perf_counter() > self.until:
            print('the time for the search is over before everything was tried', file=sys.stderr)
        return self.fastest([variant for variant, attempt in self.found.items() if attempt])


def main():
    parser = argparse.ArgumentParser(description='Rollouts in JAX.')
    parser.add_argument('job')
    parser.add_argument('--style', choices=['idiomatic', 'tuned'], default='tuned')
    parser.add_argument('--search-seconds', type=float, default=120, help='of the style tuned')
    options = parser.parse_args()
    with open(options.job) as file:
        job = json.load(file, object_hook=lambda entries: SimpleNamespace(**entries))
    if job.env not in jax_envs.ENVIRONMENTS:
        print(f'{job.env} is not written in JAX here', file=sys.stderr)
        sys.exit(4)
    if job.policy.kind not in ('linear', 'tabular'):
        raise ValueError(f'expected a linear or tabular policy, got {job.policy.kind}')
    job.params.maxSteps = job.maxSteps
    env = jax_envs.ENVIRONMENTS[job.env](job.params, job.table, LIBRARY)
    check_precision(env)

    if options.style == 'idiomatic':
        arguments = [jax.random.key(job.seed), policy_arrays(job, env)]
        program = jax.jit(partial(idiomatic, job, env)).lower(*arguments).compile()
        variant, tried = 'scan, vmap, obs @ W + b' if job.policy.kind == 'linear' else 'scan, vmap, table[obs]', []
    else:
        search = Search(job, options.search_seconds)
        best = search.run(env.draws)
        program, arguments, variant = best.program, best.arguments, str(best.variant)
        tried = [
            {'variant': str(a.variant), 'seconds': a.seconds, 'meanReturn': a.mean} for a in search.found.values() if a
        ]

    seconds, total, steps = timed(program, arguments, job.repeats)
    print(json.dumps({
        'steps': steps,
        'seconds': seconds,
        'kernelSeconds': None,
        'meanReturn': total / job.episodes,
        'device': f'{jax.devices()[0].device_kind}, JAX {jax.__version__}',
        'variant': f'{options.style}: {variant}',
        'variants': tried or [{'variant': variant, 'seconds': seconds}],
    }))


if __name__ == '__main__':
    main()
