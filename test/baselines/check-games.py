"""Compares the games of src/baselines/python with recorded steps: check-games.py GOLDEN_FOLDER [episodes]

Prints one JSON object: how many single steps and episodes agreed. With `episodes`, which needs Gymnasium and NumPy, the
recorded episodes are played from their seeds. Ends with an AssertionError at the first difference.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "baselines", "python"))
import games  # noqa: E402


def golden(env_id):
    with open(os.path.join(sys.argv[1], f"{env_id}.json"), encoding="utf-8") as file:
        return json.load(file)


def check_single_steps():
    counts = {"Nim-v0": 0, "maze-sample-3x3-v0": 0, "Pong-v0": 0}
    for step in golden("Nim-v0")["single_step"]:
        asked = []
        choose = lambda options: asked.append(options) or options[step["index"] % len(options)]
        got = games.nim_step(step["s"][0], step["a"], choose)
        assert got == (step["ns"][0], step["r"], step["term"]), (step, got)
        assert bool(asked) == step["drawn"], step
        counts["Nim-v0"] += 1
    for step in golden("maze-sample-3x3-v0")["single_step"]:
        x, y, count = step["s"]
        position, after, reward, terminated, truncated = games.maze_step((x, y), count, step["a"])
        got = [*position, after], reward, terminated, truncated
        assert got == (step["ns"], step["r"], step["term"], step["trunc"]), (step, got)
        counts["maze-sample-3x3-v0"] += 1
    for step in golden("Pong-v0")["single_step"]:
        state, reward, terminated, _ = games.pong_step(tuple(step["s"]), step["a"])
        assert (list(state), reward, terminated) == (step["ns"], step["r"], step["term"]), (step, state)
        counts["Pong-v0"] += 1
    return counts


def choice_of(policy, observation):
    """The action of a recorded policy: of a table, or the first of the highest outputs of a linear one."""
    params = policy["params"]
    if policy["kind"] == "table":
        return int(params[observation])
    seen = [float(value) for value in observation]
    outputs = len(params) // (len(seen) + 1)
    scores = [sum(x * params[i * outputs + j] for i, x in enumerate(seen)) + params[len(seen) * outputs + j] for j in range(outputs)]
    return scores.index(max(scores))


def check_episodes():
    import games_gym

    counts = {}
    for env_id in games_gym.GAMES:
        env = games_gym.make(env_id, None)
        counts[env_id] = 0
        for episode in golden(env_id)["episodes"]:
            steps = {step["t"]: step for step in episode["steps"]}
            observation, _ = env.reset(seed=episode["seed"])
            total, over, t = 0.0, False, 0
            while not over and t < episode["length"]:
                action = choice_of(episode["policy"], observation)
                # Action a of the environment takes a + 1 sticks; the reference has no such shift, and an action 0 loses.
                if env_id == "Nim-v0":
                    action -= 1
                observation, reward, terminated, truncated, _ = env.step(action)
                total, over, t = total + reward, terminated or truncated, t + 1
                if t in steps:
                    assert reward == steps[t]["r"], (env_id, episode["seed"], steps[t])
                    if env_id == "Pong-v0":
                        assert list(env.state) == steps[t]["s"], (env_id, episode["seed"], steps[t], env.state)
            assert (t, total) == (episode["length"], episode["total_reward"]), (env_id, episode["seed"], t, total)
            # The maze that nobody leaves was stopped where the reference stops it.
            assert over or env_id == "maze-sample-3x3-v0", (env_id, episode["seed"])
            counts[env_id] += 1
    return counts


result = {"steps": check_single_steps()}
if "episodes" in sys.argv[2:]:
    result["episodes"] = check_episodes()
print(json.dumps(result))
