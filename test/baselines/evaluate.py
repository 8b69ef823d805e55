"""Returns of a model by Stable-Baselines3 itself: evaluate.py MODEL ENV SEED EPISODES [STATISTICS]

Episode i has `env.reset(seed=SEED + i)`. Prints a JSON list.
"""
import json
import os
import sys

import stable_baselines3 as sb3
import sb3_contrib
import torch
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "baselines", "python"))
from games_gym import make  # noqa: E402

torch.set_num_threads(1)
path, algorithm, env_id, seed, episodes = sys.argv[1:6]
module = sb3_contrib if algorithm in ("TRPO", "ARS") else sb3
model = getattr(module, algorithm).load(path, device="cpu")
returns = []
for i in range(int(episodes)):
    venv = DummyVecEnv([lambda: make(env_id, None)])
    if len(sys.argv) > 6:
        venv = VecNormalize.load(sys.argv[6], venv)
        venv.training, venv.norm_reward = False, False
    venv.seed(int(seed) + i)
    (value,), _ = evaluate_policy(model, venv, n_eval_episodes=1, deterministic=True, return_episode_rewards=True, warn=False)
    returns.append(float(value))
print(json.dumps(returns))
