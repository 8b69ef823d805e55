"""Records small models of Stable-Baselines3 and the returns of its own evaluation: models.py OUT_DIR [NAME...]

Written with Python 3.11, stable_baselines3 and sb3_contrib 2.9.2, gymnasium 1.4.0, torch 2.15 (CPU, one thread).
Each model is trained just enough to act on what it observes. Episode i of an evaluation has `env.reset(seed=1000 + i)`.
"""
import json
import os
import sys
import zipfile

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib import ARS, QRDQN, TQC, TRPO
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

torch.set_num_threads(1)
out = sys.argv[1]
os.makedirs(out, exist_ok=True)
relu, tanh = torch.nn.ReLU, torch.nn.Tanh

MODELS = [
    ("ppo-cartpole", PPO, "CartPole-v1", 2000, dict(n_steps=256, policy_kwargs=dict(net_arch=[12, 10])), False),
    ("dqn-cartpole", DQN, "CartPole-v1", 3000, dict(policy_kwargs=dict(net_arch=[14, 9]), learning_starts=200), False),
    ("qrdqn-cartpole", QRDQN, "CartPole-v1", 2000, dict(policy_kwargs=dict(net_arch=[8], n_quantiles=5)), False),
    ("dqn-acrobot", DQN, "Acrobot-v1", 3000, dict(policy_kwargs=dict(net_arch=[10]), learning_starts=200), False),
    ("a2c-mountaincar", A2C, "MountainCar-v0", 2000, dict(policy_kwargs=dict(net_arch=dict(pi=[9], vf=[4]), activation_fn=relu)), True),
    ("ppo-mcc", PPO, "MountainCarContinuous-v0", 2000, dict(n_steps=256, policy_kwargs=dict(net_arch=[7, 5])), True),
    ("trpo-pendulum", TRPO, "Pendulum-v1", 2000, dict(n_steps=256, policy_kwargs=dict(net_arch=[11, 6])), False),
    ("sac-pendulum", SAC, "Pendulum-v1", 2500, dict(policy_kwargs=dict(net_arch=[13, 8]), learning_starts=500), False),
    ("tqc-pendulum", TQC, "Pendulum-v1", 1500, dict(policy_kwargs=dict(net_arch=[9], n_critics=1, n_quantiles=3), learning_starts=500), False),
    ("td3-pendulum", TD3, "Pendulum-v1", 2500, dict(policy_kwargs=dict(net_arch=[12, 7]), learning_starts=500), False),
    ("ddpg-pendulum", DDPG, "Pendulum-v1", 1500, dict(policy_kwargs=dict(net_arch=[8, 6]), learning_starts=500), False),
    ("sac-sde-pendulum", SAC, "Pendulum-v1", 2500, dict(use_sde=True, policy_kwargs=dict(net_arch=[9, 8], clip_mean=0.3), learning_starts=500), False),
    ("ars-cartpole", ARS, "CartPole-v1", 2000, dict(policy="LinearPolicy"), False),
    ("ars-mlp-pendulum", ARS, "Pendulum-v1", 2000, dict(policy_kwargs=dict(net_arch=[6])), False),
    ("dqn-frozenlake", DQN, "FrozenLake-v1", 2000, dict(policy_kwargs=dict(net_arch=[8]), learning_starts=200), False),
    ("ppo-frozenlake", PPO, "FrozenLake-v1", 2000, dict(n_steps=256, policy_kwargs=dict(net_arch=[8])), False),
    ("ppo-three-layers", PPO, "CartPole-v1", 300, dict(n_steps=128, policy_kwargs=dict(net_arch=[4, 4, 4])), False),
    ("ppo-gelu", PPO, "CartPole-v1", 300, dict(n_steps=128, policy_kwargs=dict(net_arch=[4], activation_fn=torch.nn.GELU)), False),
]
EPISODES = 8


def deflated(path):
    """SB3 stores without compression."""
    with zipfile.ZipFile(path) as old:
        parts = {info.filename: old.read(info) for info in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            if name != "policy.optimizer.pth":
                new.writestr(name, data)


def returns_of(model, env_id, stats):
    env = gym.make(env_id)
    totals, lengths = [], []
    for i in range(EPISODES):
        obs, _ = env.reset(seed=1000 + i)
        total, length, over = 0.0, 0, False
        while not over:
            seen = stats.normalize_obs(np.asarray(obs)) if stats else obs
            action, _ = model.predict(seen, deterministic=True)
            obs, reward, terminated, truncated, _ = env.step(action if action.shape else int(action))
            total, length, over = total + float(reward), length + 1, terminated or truncated
        totals.append(total)
        lengths.append(length)
    return totals, lengths


results = {}
if sys.argv[2:]:
    with open(os.path.join(out, "returns.json")) as file:
        results = json.load(file)
for name, algorithm, env_id, steps, options, normalise in MODELS:
    if sys.argv[2:] and name not in sys.argv[2:]:
        continue
    venv = DummyVecEnv([lambda: gym.make(env_id)])
    if normalise:
        venv = VecNormalize(venv)
    model = algorithm(options.pop("policy", "MlpPolicy"), venv, seed=3, device="cpu", **options)
    model.learn(steps)
    path = os.path.join(out, f"{name}.zip")
    model.save(path)
    deflated(path)
    stats = None
    if normalise:
        venv.training = False
        stats = venv
        venv.save(os.path.join(out, f"{name}.vecnormalize.pkl"))
    returns, lengths = returns_of(model, env_id, stats)
    results[name] = {"env": env_id, "seed": 1000, "returns": returns, "lengths": lengths}
    print(name, os.path.getsize(path), np.mean(returns), flush=True)
with open(os.path.join(out, "returns.json"), "w") as file:
    json.dump(results, file, indent=1)
