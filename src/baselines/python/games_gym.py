"""Gymnasium environments of the games in `games.py`, with the spaces that the baselines of the reference give them."""
import gymnasium as gym
import numpy as np

import games


class Nim(gym.Env):
    """Observation: sticks left. Action a takes a + 1 sticks, as the reference shifts it."""

    def __init__(self):
        self.observation_space = gym.spaces.Discrete(games.NIM_START + 1)
        self.action_space = gym.spaces.Discrete(3)
        self.sticks = games.NIM_START

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.sticks = games.NIM_START
        return self.sticks, {}

    def step(self, action):
        choose = lambda options: int(self.np_random.choice(options))
        self.sticks, reward, terminated = games.nim_step(self.sticks, int(action) + 1, choose)
        return self.sticks, reward, terminated, False, {}


class Maze(gym.Env):
    """Observation: row * 3 + column."""

    def __init__(self):
        self.observation_space = gym.spaces.Discrete(games.MAZE_SIZE**2)
        self.action_space = gym.spaces.Discrete(len(games.MAZE_MOVES))
        self.position, self.count = (0, 0), 0

    def _observe(self):
        column, row = self.position
        return row * games.MAZE_SIZE + column

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.count = (0, 0), 0
        return self._observe(), {}

    def step(self, action):
        self.position, self.count, reward, terminated, truncated = games.maze_step(
            self.position, self.count, int(action)
        )
        return self._observe(), reward, terminated, truncated, {}


class Pong(gym.Env):
    """Observation: middle of the own paddle, x and y of the ball, its speed."""

    def __init__(self):
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (5,), np.float32)
        self.action_space = gym.spaces.Discrete(3)
        self.state = games.pong_start(5, 0)

    def _observe(self):
        return np.array(games.pong_observation(self.state), dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        dx = int(self.np_random.choice([-5, 5]))
        dy = float(self.np_random.uniform(-5, 5))
        self.state = games.pong_start(dx, dy)
        return self._observe(), {}

    def step(self, action):
        self.state, reward, terminated, truncated = games.pong_step(self.state, int(action))
        return self._observe(), reward, terminated, truncated, {}


GAMES = {"Nim-v0": Nim, "maze-sample-3x3-v0": Maze, "Pong-v0": Pong}


def make(env_id, max_steps):
    """An environment by its id. `max_steps`: limit where the environment has none of its own; None: its own."""
    if env_id in GAMES:
        return GAMES[env_id]()
    return gym.make(env_id) if max_steps is None else gym.make(env_id, max_episode_steps=max_steps)
