"""Records episodes of Gymnasium's environments with options, for test/envs/env-options.test.ts.

Run with Python 3.11, gymnasium 1.4 with mujoco, from the root of the repository:
    python test/golden/record/env-options.py > test/golden/env-options.json
Actions are recorded too, so that the test plays the same ones. States are those of the unwrapped environment.
"""

import json
import sys
from importlib.metadata import version

import gymnasium as gym
import numpy as np

CASES = [
    ("CartPole-v1", {"sutton_barto_reward": True}, "random", 60),
    ("CartPole-v1", {"max_episode_steps": 7}, "random", 60),
    ("MountainCar-v0", {"goal_velocity": 0.05}, "pump", 250),
    ("MountainCar-v0", {"max_episode_steps": 205}, "random", 250),
    ("MountainCarContinuous-v0", {"goal_velocity": 0.045}, "pump", 250),
    ("Acrobot-v1", {"max_episode_steps": 25}, "random", 60),
    ("Pendulum-v1", {"g": 9.81}, "random", 60),
    ("Pendulum-v1", {"g": 0.0, "max_episode_steps": 12}, "random", 60),
    ("FrozenLake-v1", {"success_rate": 0.8}, "random", 60),
    ("FrozenLake-v1", {"reward_schedule": [2, -0.75, -0.01]}, "random", 60),
    ("FrozenLake-v1", {"map_name": "8x8", "is_slippery": False, "max_episode_steps": 130}, "left-up", 140),
    ("FrozenLake-v1", {"desc": ["SFH", "FFG"], "success_rate": 0.5, "reward_schedule": [1, -1, 0]}, "random", 60),
    ("CliffWalking-v1", {"is_slippery": True, "max_episode_steps": 40}, "random", 60),
    ("InvertedPendulum-v5", {"reset_noise_scale": 0.05}, "random", 8),
    ("InvertedDoublePendulum-v5", {"reset_noise_scale": 0.02, "healthy_reward": 3.5}, "random", 8),
    (
        "Swimmer-v5",
        {"reset_noise_scale": 0.25, "forward_reward_weight": 2.5, "ctrl_cost_weight": 0.3, "max_episode_steps": 9},
        "random",
        12,
    ),
    ("Swimmer-v5", {"reset_noise_scale": 0.0}, "random", 3),
]
SEEDS = [3, 2**31 + 11]


def state_of(env):
    raw = env.unwrapped
    if hasattr(raw, "data"):
        return [float(x) for x in np.concatenate([raw.data.qpos, raw.data.qvel])]
    if hasattr(raw, "s"):
        return [int(raw.s)]
    return [float(x) for x in raw.state]


def action_of(env, kind, state, rng):
    space = env.action_space
    if kind == "pump":
        push = 1 if state[1] >= 0 else -1
        return push + 1 if hasattr(space, "n") else np.array([0.9 * push if rng.random() < 0.7 else 1.5 * push])
    if kind == "left-up":
        return int(3 * rng.integers(2))
    if hasattr(space, "n"):
        return int(rng.integers(space.n))
    # Beyond the bounds too, where an environment cuts the action.
    return rng.uniform(1.2 * space.low, 1.2 * space.high).astype(np.float64)


def record(env_id, options, kind, steps, seed):
    env = gym.make(env_id, disable_env_checker=True, **options)
    env.reset(seed=seed)
    rng = np.random.default_rng([seed, 1])
    start = state_of(env)
    played = []
    terminated = truncated = False
    while not (terminated or truncated) and len(played) < steps:
        action = action_of(env, kind, state_of(env), rng)
        _, reward, terminated, truncated, _ = env.step(action)
        given = [float(x) for x in np.atleast_1d(action)]
        played.append([given, state_of(env), float(reward)])
    env.close()
    return {"seed": seed, "start": start, "steps": played, "terminated": terminated, "truncated": truncated}


recordings = [
    {"env": env_id, "options": options, "episodes": [record(env_id, options, kind, steps, seed) for seed in SEEDS]}
    for env_id, options, kind, steps in CASES
]
versions = {name: version(name) for name in ("gymnasium", "mujoco", "numpy")}
header = json.dumps({"format": "env-options/1", "versions": versions})[:-1]
lines = ",\n".join(json.dumps(recording) for recording in recordings)
sys.stdout.write(f'{header}, "recordings": [\n{lines}\n]}}\n')
