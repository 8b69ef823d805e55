"""Records what the original programs and equations of optimisers give, for test/optimisers.

python3 -m venv /tmp/env && /tmp/env/bin/pip install cma==4.5.0 numpy==2.4.6
/tmp/env/bin/python test/golden/record/optimisers.py

Writes test/golden/optimisers/{cma-tells,cma-evaluations,gradient-steps}.json.
"""
import json
import warnings
from pathlib import Path

import cma
import numpy as np

warnings.simplefilter('ignore')
folder = Path(__file__).resolve().parent.parent / 'optimisers'
quiet = {'verbose': -9, 'verb_log': 0, 'signals_filename': None}


def save(name, content):
    (folder / name).write_text(json.dumps(content, separators=(',', ':')) + '\n')


def floats(array):
    return np.asarray(array, dtype=float).tolist()


def tells(diagonal, function, n, population, outside):
    """The state after 50 tells, and the solutions and values that were told."""
    options = {**quiet, 'seed': 20, 'popsize': population, 'CMA_diagonal': diagonal}
    start = floats(np.linspace(-1, 2, n))
    es = cma.CMAEvolutionStrategy(start, 0.7, options)
    rng = np.random.default_rng(3)
    generations = []
    for generation in range(50):
        injected = generation in outside
        if injected:
            # Near the mean, so that it keeps its length; the cut of a long one has its own record.
            es.inject([es.mean + es.sigma * 0.1 * rng.standard_normal(n)], force=True)
        solutions = es.ask()
        values = [function(x) for x in solutions]
        generations.append({'solutions': floats(solutions), 'values': floats(values), 'outside': [0] if injected else []})
        es.tell(solutions, values)
    shape = {'scales': floats(es.sigma_vec.scaling)} if diagonal else {'covariance': floats(es.sm.C.ravel())}
    return {
        'diagonal': diagonal, 'n': n, 'population': population, 'start': start, 'sigma0': 0.7,
        'generations': generations,
        'mean': floats(es.mean), 'sigma': float(es.sigma), 'path': floats(es.pc), 'sigmaPath': floats(es.adapt_sigma.ps),
        **shape,
    }


functions = {'sphere': cma.ff.sphere, 'rosenbrock': cma.ff.rosen, 'ellipsoid': cma.ff.elli}
# A diagonal matrix cannot follow the valley of Rosenbrock's function: the way to it is what is compared.
diagonal_targets = {'rosenbrock': 5.0}


def evaluations(diagonal, name, n=10, seeds=30):
    """Evaluations until a value of at most the target, at the end of the generation, for each seed."""
    target = diagonal_targets.get(name, 1e-9) if diagonal else 1e-9
    start = 0.1 if name == 'rosenbrock' else 1.0
    counts = []
    for seed in range(1, seeds + 1):
        options = {**quiet, 'seed': seed, 'CMA_diagonal': diagonal, 'ftarget': target, 'tolupsigma': 0}
        es = cma.CMAEvolutionStrategy(n * [start], 0.5, options)
        es.optimize(functions[name])
        assert es.best.f <= target, (name, diagonal, seed, es.stop())
        counts.append(int(es.countevals))
    return {'function': name, 'diagonal': diagonal, 'n': n, 'start': start, 'sigma': 0.5, 'target': target,
            'median': float(np.median(counts)), 'evaluations': counts}


def rastrigin(n=4, seeds=30, budget=8_000):
    """How often BIPOP-CMA-ES finds the optimum within the budget."""
    solved = 0
    for seed in range(1, seeds + 1):
        options = {**quiet, 'seed': seed, 'bounds': [-5, 5], 'ftarget': 1e-8, 'maxfevals': budget}
        np.random.seed(seed)
        result = cma.fmin(cma.ff.rastrigin, lambda: np.random.uniform(-5, 5, n), 2.0, options, restarts=20, bipop=True)
        solved += result[1] <= 1e-8
    return {'n': n, 'low': -5, 'high': 5, 'sigma': 2.0, 'target': 1e-8, 'budget': budget, 'seeds': seeds, 'solved': solved}


def ars_step(rng, n, directions, top, step, noise):
    """Algorithm 2 of Mania et al. 2018, V1-t."""
    params = rng.uniform(-1, 1, n)
    deltas = rng.standard_normal((directions, n))
    plus, minus = rng.standard_normal(directions) * 40, rng.standard_normal(directions) * 40
    order = np.argsort(-np.maximum(plus, minus))[:top]
    spread = np.std(np.concatenate([plus[order], minus[order]]))
    moved = params + step / (top * spread) * np.sum((plus - minus)[order, None] * deltas[order], axis=0)
    return {'params': floats(params), 'deltas': floats(deltas), 'plus': floats(plus), 'minus': floats(minus),
            'top': top, 'step': step, 'noise': noise, 'moved': floats(moved)}


def ars_filter(rng, n, entries):
    """V2: parameters for observations as they are, from parameters for normalized ones."""
    observations = rng.standard_normal((200, entries)) * [3.0, 0.2, 1.0] + [1.0, -4.0, 0.5]
    mean, std = observations.mean(axis=0), observations.std(axis=0, ddof=1)
    weights, biases = rng.standard_normal((entries, n)), rng.standard_normal(n)
    folded = weights / std[:, None]
    return {'observations': floats(observations), 'params': floats(np.concatenate([weights.ravel(), biases])),
            'folded': floats(np.concatenate([folded.ravel(), biases - mean @ folded])),
            'mean': floats(mean), 'std': floats(std)}


def es_step(rng, n, pairs, sigma, rate, decay, method, generations):
    """Algorithm 1 of Salimans et al. 2017 with mirrored noise, centred ranks, weight decay, and SGD or Adam."""
    params = rng.uniform(-1, 1, n)
    start = params.copy()
    m, v = np.zeros(n), np.zeros(n)
    record = []
    for t in range(1, generations + 1):
        noise = rng.standard_normal((pairs, n))
        returns = rng.standard_normal((pairs, 2)) * 7 + 3
        flat = returns.ravel()
        ranks = np.empty(flat.size)
        ranks[flat.argsort()] = np.arange(flat.size)
        fitness = (ranks / (flat.size - 1) - 0.5).reshape(returns.shape)
        gradient = (fitness[:, 0] - fitness[:, 1]) @ noise / (flat.size * sigma) - decay * params
        if method == 'adam':
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient**2
            params = params + rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)
        else:
            params = params + rate * gradient
        record.append({'noise': floats(noise), 'returns': floats(flat), 'params': floats(params)})
    return {'method': method, 'start': floats(start), 'sigma': sigma, 'rate': rate, 'decay': decay, 'generations': record}


if __name__ == '__main__':
    folder.mkdir(exist_ok=True)
    save('cma-tells.json', {
        'cma': cma.__version__.split()[0],
        'runs': [
            tells(False, cma.ff.elli, 5, 8, outside=()),
            tells(False, cma.ff.rosen, 4, 13, outside=(4, 11, 30)),
            tells(True, cma.ff.elli, 5, 9, outside=()),
        ],
    })
    rng = np.random.default_rng(11)
    save('gradient-steps.json', {
        'ars': ars_step(rng, 7, 6, 4, 0.03, 0.05),
        'arsAll': ars_step(rng, 5, 3, 3, 0.02, 0.1),
        'filter': ars_filter(rng, 2, 3),
        'es': [es_step(rng, 6, 5, 0.3, 0.1, 0.005, 'sgd', 1), es_step(rng, 6, 5, 0.3, 0.1, 0.01, 'adam', 3)],
    })
    save('cma-evaluations.json', {
        'cma': cma.__version__.split()[0],
        'runs': [evaluations(diagonal, name) for diagonal in (False, True) for name in functions],
        'rastrigin': rastrigin(),
    })
