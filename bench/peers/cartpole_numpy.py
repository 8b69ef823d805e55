"""CartPole and a linear policy over a batch of episodes in NumPy, one thread: how a vectorised environment does it.

python3 cartpole_numpy.py <episodes> <steps> <ten weights>, prints one JSON object: steps really played, seconds, mean
return. Episodes that are over are taken out of the batch.
"""

import json
import sys
import time

import numpy as np

episodes, limit = int(sys.argv[1]), int(sys.argv[2])
weights = np.array([float(text) for text in sys.argv[3:13]])
matrix, bias = weights[:8].reshape(4, 2), weights[8:]
rng = np.random.default_rng(7)

began = time.perf_counter()
state = rng.uniform(-0.05, 0.05, size=(episodes, 4))
played = 0
for _ in range(limit):
    played += len(state)
    scores = state.astype(np.float32).astype(np.float64) @ matrix + bias
    force = np.where(scores[:, 1] > scores[:, 0], 10.0, -10.0)
    x, x_dot, theta, theta_dot = state.T
    cosine, sine = np.cos(theta), np.sin(theta)
    push = (force + 0.05 * theta_dot**2 * sine) / 1.1
    turn = (9.8 * sine - cosine * push) / (0.5 * (4.0 / 3.0 - 0.1 * cosine**2 / 1.1))
    drive = push - 0.05 * turn * cosine / 1.1
    state = np.stack([x + 0.02 * x_dot, x_dot + 0.02 * drive, theta + 0.02 * theta_dot, theta_dot + 0.02 * turn], axis=1)
    up = (np.abs(state[:, 0]) <= 2.4) & (np.abs(state[:, 2]) <= 0.20943951023931953)
    if not up.all():
        state = state[up]
        if len(state) == 0:
            break
took = time.perf_counter() - began
print(json.dumps({"steps": played, "seconds": took, "meanReturn": played / episodes}))
