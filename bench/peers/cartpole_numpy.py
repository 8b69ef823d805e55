"""CartPole and a linear policy over batches of episodes in NumPy, one thread: how a vectorised environment does it.

Episodes that are over are taken out of their batch.
"""

from peer import answer, need, read_job, timed

job = read_job(["CartPole-v1"])
np = need("numpy")
p = job["params"]
# As many as stay in the processor's cache with all intermediate results.
BATCH = 4096


def play_batch(episodes, rng, matrix, bias, dtype):
    """Steps played by one batch. A row per state entry, so that every operation runs over neighbours in memory."""
    state = rng.uniform(p["resetLow"], p["resetHigh"], size=(4, episodes)).astype(dtype)
    # Of two scores only the difference counts.
    towards, offset = (matrix[:, 1] - matrix[:, 0]).astype(dtype), dtype(bias[1] - bias[0])
    played = 0
    for _ in range(job["maxSteps"]):
        played += state.shape[1]
        seen = state.astype(np.float32).astype(dtype, copy=False)
        force = np.where(towards @ seen + offset > 0, dtype(p["force"]), dtype(-p["force"]))
        x, x_dot, theta, theta_dot = state
        cosine, sine = np.cos(theta), np.sin(theta)
        push = (force + dtype(p["poleMassLength"]) * theta_dot**2 * sine) * dtype(1 / p["totalMass"])
        lever = dtype(p["halfLength"] * 4 / 3) - dtype(p["halfLength"] * p["poleMass"] / p["totalMass"]) * cosine**2
        turn = (dtype(p["gravity"]) * sine - cosine * push) / lever
        drive = push - dtype(p["poleMassLength"] / p["totalMass"]) * turn * cosine
        state[::2] += dtype(p["timeStep"]) * state[1::2]
        x_dot += dtype(p["timeStep"]) * drive
        theta_dot += dtype(p["timeStep"]) * turn
        up = (np.abs(x) <= p["positionLimit"]) & (np.abs(theta) <= p["angleLimit"])
        if not up.all():
            state = state[:, up]
            if state.shape[1] == 0:
                break
    return played


def play(dtype):
    rng = np.random.default_rng(job["seed"])
    weights = np.array(job["policy"]["params"])
    matrix, bias = weights[:8].reshape(4, 2), weights[8:]
    starts = range(0, job["episodes"], BATCH)
    steps = sum(play_batch(min(BATCH, job["episodes"] - start), rng, matrix, bias, dtype) for start in starts)
    # Every step is worth 1.
    return {"steps": steps, "meanReturn": steps / job["episodes"]}


variants = {f"batches of {BATCH}, {dtype.__name__}": dtype for dtype in (np.float64, np.float32)}
answer([{"variant": name, **timed(lambda: play(dtype), job["repeats"])} for name, dtype in variants.items()])
