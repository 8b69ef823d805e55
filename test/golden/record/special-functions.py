"""Writes ../special-functions.json: values of special functions by mpmath (`pip install mpmath`), exact in all digits.

Run it in this folder: python special-functions.py
"""
import json

from mpmath import betainc, erfc, gammainc, log, loggamma, mp, mpf, sqrt

mp.dps = 40


def normal_tail(z):
    return erfc(z / sqrt(mpf(2))) / 2


def student_tails(t, dof):
    return betainc(dof / 2, mpf(1) / 2, 0, dof / (dof + t * t), regularized=True)


def solve(f, low, high):
    rises = f(high) > 0
    assert rises != (f(low) > 0)
    for _ in range(90):
        middle = (low + high) / 2
        if (f(middle) > 0) == rises:
            high = middle
        else:
            low = middle
    return low


def normal_upper_quantile(q):
    return solve(lambda z: log(normal_tail(z)) - log(q), mpf(0), sqrt(-2 * log(q)) + 1)


def student_upper_quantile(q, dof):
    high = mpf(1)
    while student_tails(high, dof) / 2 > q:
        high *= 2
    f = lambda s: log(student_tails(mp.e**s, dof) / 2) - log(q)
    return mp.e ** solve(f, log(high) - 8, log(high))


def chi_squared_quantile(p, dof):
    f = lambda s: log(gammainc(dof / 2, 0, mp.e**s / 2, regularized=True)) - log(p)
    low = high = mpf(log(dof))
    while f(low) > 0:
        low -= 1
    while f(high) < 0:
        high += mpf(1) / 4
    return mp.e ** solve(f, low, high)


def table(function, arguments):
    """Arguments are taken as the doubles that the test passes."""
    return [[*row, float(function(*[mpf(float(x)) for x in row]))] for row in arguments]


dofs = [1, 2, 3, 4.5, 9, 31, 99, 100, 4095, 65535, 1e6, 1e8]
values = {
    "logGammaRatio": table(
        lambda a, b: loggamma(a + b) - loggamma(a),
        [(a, b) for a in [0.5, 1, 2.5, 9.75, 10, 333, 1e6, 3e9] for b in [0.5, 7.25]],
    ),
    "incompleteGammaLower": table(
        lambda a, x: gammainc(a, 0, x, regularized=True),
        [(a, f * a) for a in [0.5, 1, 3.5, 40, 1e4, 1e6] for f in [1e-3, 0.9, 1, 1.002, 3] if a < 1e3 or f > 0.5],
    ),
    "incompleteGammaUpper": table(
        lambda a, x: gammainc(a, x, regularized=True),
        [(a, f * a) for a in [0.5, 1, 3.5, 40, 1e4] for f in [0.5, 0.99, 1.001, 1.02, 2, 20] if a < 1e3 or f < 2],
    ),
    "incompleteBeta": table(
        lambda x, a, b: betainc(a, b, 0, x, regularized=True),
        [(x, a, b) for a in [0.5, 3, 60, 2047.5] for b in [0.5, 8] for x in [1e-3, 0.3, 0.5, 0.75, 0.9375] if a < 100 or x > 0.4],
    ),
    "normalTail": table(normal_tail, [(z,) for z in [-9, -2.5, -0.3, 0, 1e-6, 0.7, 1.4, 1.8, 2.83, 3, 8.3, 20, 37]]),
    "normalUpperQuantile": table(normal_upper_quantile, [(q,) for q in [1e-300, 1e-20, 1e-5, 0.025, 0.1, 0.3, 0.4375, 0.499]]),
    "studentTails": table(student_tails, [(t, dof) for t in [0.01, 1, 1.7, 1.8, 4, 30] for dof in dofs]),
    "studentUpperQuantile": table(student_upper_quantile, [(q, dof) for q in [1e-9, 0.005, 0.025, 0.25, 0.45] for dof in dofs if dof < 1e6]),
    "chiSquaredQuantile": table(chi_squared_quantile, [(p, dof) for p in [1e-4, 0.025, 0.4, 0.975, 0.9999] for dof in [2, 3, 11, 62, 999]]),
}
with open("../special-functions.json", "w") as file:
    rows = lambda entries: ",\n".join("    " + json.dumps(entry) for entry in entries)
    file.write("{\n" + ",\n".join(f'  "{name}": [\n{rows(entries)}\n  ]' for name, entries in values.items()) + "\n}\n")
