"""Gymnasium itself, stepped from Python with a NumPy policy on one thread: one environment, and a vector of them.

Each variant plays as many of the job's episodes as fit into `secondsLimit` of the job (2 when left out), at least one
per lane, and says how many those are.
"""

import time

from peer import answer, leave, need, read_job, timed

# Ours are the registered ones, each with its registered arguments.
KNOWN = [
    "CartPole-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Acrobot-v1",
    "Pendulum-v1",
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5",
    "Swimmer-v5",
    "FrozenLake-v1",
    "CliffWalking-v1",
]
# The vectorised CartPole gains with every lane; a loop over environments gains only a shared policy call.
NATIVE_LANES, LOOPED_LANES = 4096, 32
# A few episodes tell what one takes; fewer say little.
FEW = 4

job = read_job(KNOWN)
np = need("numpy")
gymnasium = need("gymnasium")
env_id, most_steps, seed = job["env"], job["maxSteps"], job["seed"]
options = {"max_episode_steps": most_steps}


def policies(space):
    """The policy for one observation and for a batch of them."""
    params = np.array(job["policy"]["params"])
    if job["policy"]["kind"] == "tabular":
        table = params.astype(np.int64)
        entries = table.tolist()
        return entries.__getitem__, table.__getitem__
    discrete = isinstance(space, gymnasium.spaces.Discrete)
    outputs = int(space.n) if discrete else space.shape[0]
    matrix, bias = params[:-outputs].reshape(-1, outputs), params[-outputs:]
    if discrete:
        return lambda seen: int((seen @ matrix + bias).argmax()), lambda seen: (seen @ matrix + bias).argmax(axis=1)
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)

    def clipped(seen):
        return np.minimum(np.maximum(seen @ matrix + bias, low), high)

    return clipped, clipped


def one_by_one(env, act, episodes):
    returns, steps = 0.0, 0
    for episode in range(episodes):
        seen, _ = env.reset(seed=seed + episode)
        over = False
        while not over:
            seen, reward, terminated, truncated, _ = env.step(act(seen))
            returns += reward
            steps += 1
            over = terminated or truncated
    return {"steps": steps, "meanReturn": float(returns) / episodes, "episodes": episodes}


def side_by_side(env, act, episodes):
    """Each lane plays its share of the episodes, so that short ones do not count more than long ones."""
    lanes = env.num_envs
    left = np.full(lanes, episodes // lanes) + (np.arange(lanes) < episodes % lanes)
    # The call after an episode's last step only resets.
    resetting = np.zeros(lanes, dtype=bool)
    seen, _ = env.reset(seed=seed)
    returns, steps = 0.0, 0
    while left.any():
        seen, rewards, terminated, truncated, _ = env.step(act(seen))
        live = (left > 0) & ~resetting
        returns += rewards[live].sum()
        steps += int(live.sum())
        resetting = terminated | truncated
        left -= live & resetting
    return {"steps": steps, "meanReturn": float(returns) / episodes, "episodes": episodes}


def affordable(play, unit):
    """How many of the job's episodes `play` can do within the limit, in whole units; found by playing more and more."""
    limit, most = job.get("secondsLimit", 2), job["episodes"]
    episodes = min(unit, most)
    while True:
        began = time.perf_counter()
        play(episodes)
        spent = time.perf_counter() - began
        if spent > limit / 4 or episodes == most:
            return min(most, max(unit, int(episodes * limit / spent) // unit * unit))
        episodes = min(most, 4 * episodes)


def measured(variant, play, unit):
    episodes = affordable(play, unit)
    return {"variant": variant, **timed(lambda: play(episodes), job["repeats"])}


try:
    single = gymnasium.make(env_id, disable_env_checker=True, **options)
    native = single.spec.vector_entry_point is not None
    lanes = min(NATIVE_LANES if native else LOOPED_LANES, job["episodes"])
    looped = {} if native else {"disable_env_checker": True}
    vector = gymnasium.make_vec(env_id, num_envs=lanes, **looped, **options)
except (gymnasium.error.DependencyNotInstalled, gymnasium.error.UnregisteredEnv) as error:
    leave(3, f"gymnasium {gymnasium.__version__} cannot make {env_id}: {error}")
act_one, act_all = policies(single.action_space)
several = f"{type(vector).__name__} of {lanes}"
answer(
    [
        measured("gymnasium.make", lambda episodes: one_by_one(single, act_one, episodes), FEW),
        measured(several, lambda episodes: side_by_side(vector, act_all, episodes), lanes),
    ]
)
