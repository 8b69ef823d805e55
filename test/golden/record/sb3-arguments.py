"""Records the arguments of the algorithms, of their policies and of VecNormalize, with their defaults: arguments.py OUT.json

Written with Python 3.11, stable_baselines3 and sb3_contrib 2.9.2. Only for policies of plain vectors. A default that is no
plain value is recorded as its text.
"""
import inspect
import json
import sys

from sb3_contrib import ARS, TRPO
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from stable_baselines3.common.vec_env import VecNormalize


def arguments(of):
    found = inspect.signature(of.__init__).parameters.values()
    plain = lambda value: value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
    return {one.name: plain(one.default) for one in found if one.default is not inspect.Parameter.empty}


record = {"VecNormalize": arguments(VecNormalize), "algorithms": {}}
for algorithm in (DQN, A2C, PPO, TRPO, DDPG, TD3, SAC, ARS):
    record["algorithms"][algorithm.__name__.lower()] = {
        "arguments": arguments(algorithm),
        "policies": {
            name: arguments(policy)
            for name, policy in algorithm.policy_aliases.items()
            if name not in ("CnnPolicy", "MultiInputPolicy")
        },
    }
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(record, file, indent=1)
    file.write("\n")
