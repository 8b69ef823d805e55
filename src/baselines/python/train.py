"""Trains one policy with Stable-Baselines3: train.py FOLDER

FOLDER/job.json says what to train. JSON lines on stdout say what happens; snapshots of the policy lie in
FOLDER/snapshots. The word "stop" on stdin, or its end, saves a checkpoint and ends the process; a later call
with the same folder continues from FOLDER/checkpoint.
"""
import json
import os
import random
import shutil
import sys
import threading
import time
import traceback

# Before torch is loaded: several trainings may share the machine.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

lines = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # what libraries print is no line of the protocol


def say(event, **fields):
    lines.write(json.dumps({"type": event, **fields}, allow_nan=False) + "\n")
    lines.flush()


import cloudpickle  # noqa: E402
import gymnasium as gym  # noqa: E402
import numpy as np  # noqa: E402
import stable_baselines3 as sb3  # noqa: E402
import sb3_contrib  # noqa: E402
import torch  # noqa: E402
from stable_baselines3.common.callbacks import BaseCallback  # noqa: E402
from stable_baselines3.common.logger import Logger  # noqa: E402
from stable_baselines3.common.noise import NormalActionNoise, OrnsteinUhlenbeckActionNoise  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from games_gym import make  # noqa: E402

ALGORITHMS = {
    "a2c": sb3.A2C, "ddpg": sb3.DDPG, "dqn": sb3.DQN, "ppo": sb3.PPO, "sac": sb3.SAC, "td3": sb3.TD3,
    "ars": sb3_contrib.ARS, "trpo": sb3_contrib.TRPO,
}
#: the reference asks for so many steps, and stops by itself
ENDLESS_STEPS = 2_000_000_000
PROGRESS_SECONDS = 1.0
#: training episodes whose mean is reported
RECENT = 20


class Broken(Exception):
    """The training cannot go on: a word for the kind, and why."""

    def __init__(self, kind, detail):
        super().__init__(detail)
        self.kind = kind


class CountedEpisodes(gym.Wrapper):
    """Counts the episodes that every algorithm plays, also those that only evaluate candidates."""

    def __init__(self, env, ended):
        super().__init__(env)
        self.ended = ended
        self.total, self.length = 0.0, 0

    def reset(self, **kwargs):
        self.total, self.length = 0.0, 0
        return self.env.reset(**kwargs)

    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.total += float(reward)
        self.length += 1
        if terminated or truncated:
            self.ended.append((self.total, self.length))
        return observation, reward, terminated, truncated, info


class Ended(list):
    """Returns and lengths of the latest episodes, and the number of all."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def append(self, episode):
        self.count += 1
        super().append(episode)
        if len(self) > RECENT:
            del self[0]


def schedule(value, constant):
    """`{"linear": x}` falls from x to 0 over the training; with `constant` it stays x."""
    if not isinstance(value, dict) or "linear" not in value:
        return value
    start = value["linear"]
    return start if constant else (lambda left: left * start)


def arguments(job, venv):
    """What the class of the algorithm takes."""
    given = {key: schedule(value, job["constant_schedules"]) for key, value in job["hyperparams"].items()}
    kind, std = given.pop("noise_type", None), given.pop("noise_std", None)
    if kind is not None:
        size = int(np.prod(venv.action_space.shape))
        noise = NormalActionNoise if kind == "normal" else OrnsteinUhlenbeckActionNoise
        given["action_noise"] = noise(mean=np.zeros(size), sigma=std * np.ones(size))
    if "policy_kwargs" in given:
        kwargs = dict(given["policy_kwargs"])
        if "activation_fn" in kwargs:
            kwargs["activation_fn"] = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[kwargs["activation_fn"]]
        given["policy_kwargs"] = kwargs
    return given


def base_env(venv):
    return venv.venv if isinstance(venv, VecNormalize) else venv


def keeps_state(venv):
    """Whether a pickle of the environments holds their state: `EzPickle` makes new ones."""
    return not any(isinstance(env.unwrapped, gym.utils.EzPickle) for env in base_env(venv).envs)


def exploration(model):
    """The distribution that holds the noise of state-dependent exploration; None: there is none."""
    if not getattr(model, "use_sde", False):
        return None
    return (getattr(model, "actor", None) or model.policy).action_dist


NOISE = ("exploration_mat", "exploration_matrices")


class Checkpoint:
    """The state of a training on disk, replaced as a whole."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "checkpoint")

    def restore_name(self):
        old = self.path + ".old"
        if not os.path.isdir(self.path) and os.path.isdir(old):
            os.rename(old, self.path)
        shutil.rmtree(self.path + ".new", ignore_errors=True)
        return os.path.isdir(self.path)

    def write(self, model, venv, state):
        new, old = self.path + ".new", self.path + ".old"
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(new)
        model.save(os.path.join(new, "model.zip"))
        if getattr(model, "replay_buffer", None) is not None:
            model.save_replay_buffer(os.path.join(new, "replay.pkl"))
        if isinstance(venv, VecNormalize):
            venv.save(os.path.join(new, "vecnormalize.pkl"))
        exact = keeps_state(venv)
        source = exploration(model)
        with open(os.path.join(new, "state.pkl"), "wb") as file:
            cloudpickle.dump(
                {
                    **state,
                    "random": random.getstate(),
                    "numpy": np.random.get_state(),
                    "noise": source and {name: getattr(source, name) for name in NOISE},
                    "actions": model.action_space.np_random.bit_generator.state,
                    "env": base_env(venv) if exact else None,
                    "running_returns": venv.returns if isinstance(venv, VecNormalize) else None,
                },
                file,
            )
            file.flush()
            os.fsync(file.fileno())
        shutil.rmtree(old, ignore_errors=True)
        if os.path.isdir(self.path):
            os.rename(self.path, old)
        os.rename(new, self.path)
        shutil.rmtree(old, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def state(self):
        with open(self.file("state.pkl"), "rb") as file:
            return cloudpickle.load(file)


class Reporter(BaseCallback):
    """Takes snapshots, reports, saves checkpoints between updates, and ends the training at its budget."""

    def __init__(self, training):
        super().__init__()
        self.training = training

    def _on_rollout_start(self):
        self.training.between_updates()

    def _on_rollout_end(self):
        self.training.after_rollout()

    def _on_step(self):
        return self.training.after_step()


class Training:
    def __init__(self, folder, job, stop):
        self.folder, self.job, self.stop = folder, job, stop
        self.snapshots = os.path.join(folder, "snapshots")
        os.makedirs(self.snapshots, exist_ok=True)
        self.checkpoint = Checkpoint(folder)
        self.ended = Ended()
        #: number of the latest snapshot, and the episodes or steps that it was taken after
        self.index, self.taken_at, self.seconds_before = 0, 0, 0.0
        self.begun = time.monotonic()
        self.reported = self.saved = self.begun
        self.outcome = None
        #: state of a checkpoint, until its generators are in use again
        self.restored = None
        #: of torch, before the candidates of ARS are drawn
        self.torch_state = None
        self.resumed = self.checkpoint.restore_name()
        self.build()

    def environments(self):
        job = self.job
        make_one = lambda: CountedEpisodes(make(job["env"], job["max_steps"]), self.ended)
        return DummyVecEnv([make_one for _ in range(job["n_envs"])])

    def build(self):
        state = self.checkpoint.state() if self.resumed else None
        venv = self.environments()
        if state and state["env"] is not None:
            venv = state["env"]
            for env in venv.envs:
                env.ended = self.ended
        normalize = self.job["normalize"]
        if normalize:
            if state:
                venv = VecNormalize.load(self.checkpoint.file("vecnormalize.pkl"), venv)
                venv.returns = state["running_returns"]
            else:
                gamma = self.job["hyperparams"].get("gamma", 0.99)
                venv = VecNormalize(venv, gamma=gamma, **(normalize if isinstance(normalize, dict) else {}))
        self.venv = venv
        algorithm = ALGORITHMS[self.job["algorithm"]]
        if state:
            self.restore(algorithm, state)
        else:
            self.model = self.new_model(algorithm)
        self.follow_budget()
        self.torch_state = torch.get_rng_state()

    def new_model(self, algorithm):
        given = {"seed": self.job["seed"], "device": "cpu", "verbose": 0, **arguments(self.job, self.venv)}
        try:
            return algorithm(self.job["policy"], self.venv, **given)
        except (AssertionError, TypeError, ValueError) as error:
            # SB3 would refuse them again.
            traceback.print_exc()
            raise Broken("settings", f"{type(error).__name__}: {error}".splitlines()[0]) from error

    def restore(self, algorithm, state):
        exact = state["env"] is not None
        overrides = {key: value for key, value in arguments(self.job, self.venv).items() if callable(value)}
        self.model = algorithm.load(
            self.checkpoint.file("model.zip"), env=self.venv, device="cpu", force_reset=not exact, custom_objects=overrides
        )
        if os.path.exists(self.checkpoint.file("replay.pkl")):
            self.model.load_replay_buffer(self.checkpoint.file("replay.pkl"))
        self.ended.extend(state["recent"])
        self.ended.count = state["episodes"]
        self.index, self.taken_at, self.seconds_before = state["index"], state["taken_at"], state["seconds"]
        if hasattr(self.model, "weights"):
            # ARS: loading sets the network only.
            self.model.weights = torch.nn.utils.parameters_to_vector(self.model.policy.parameters()).detach()
        # Loading seeds everything again.
        self.model.action_space.np_random.bit_generator.state = state["actions"]
        base_env(self.venv)._reset_seeds()
        if not exact:
            # The episode under way is lost: the environments begin new ones.
            self.venv.seed((self.job["seed"] + 7919 * (1 + state["episodes"])) % 2**32)
            self.model._last_obs = None
        self.restored = state
        self.restore_generators()

    def restore_generators(self):
        state = self.restored
        random.setstate(state["random"])
        np.random.set_state(state["numpy"])
        torch.set_rng_state(state["torch"])

    def follow_budget(self):
        """Schedules follow the share of the budget that is used, which for episodes SB3 cannot know."""

        def update(model, steps, _total):
            used = steps / ENDLESS_STEPS if self.job["endless_schedule"] else self.share()
            model._current_progress_remaining = 1.0 - min(1.0, used)

        # On the class: what is set on the model is saved with it.
        type(self.model)._update_current_progress_remaining = update

    def share(self):
        job = self.job
        if job["episodes"] is not None:
            return self.ended.count / job["episodes"]
        return self.model.num_timesteps / job["steps"]

    @property
    def seconds(self):
        return self.seconds_before + time.monotonic() - self.begun

    def figures(self):
        recent = [total for total, _ in self.ended]
        return {
            "episodes": self.ended.count,
            "steps": int(self.model.num_timesteps),
            "seconds": round(self.seconds, 3),
            "training_mean": float(np.mean(recent)) if recent else None,
        }

    def require_finite(self):
        for name, tensor in self.model.policy.state_dict().items():
            if not torch.isfinite(tensor).all():
                raise Broken("nan", f"the parameters {name} are no longer finite numbers")
        if not np.isfinite([total for total, _ in self.ended]).all():
            raise Broken("nan", "the returns of training episodes are no longer finite numbers")

    def save_snapshot(self):
        self.require_finite()
        self.index += 1
        stem = os.path.join(self.snapshots, f"{self.index:06d}")
        if isinstance(self.venv, VecNormalize) and not self.job["raw_evaluation"]:
            self.venv.save(f"{stem}.vecnormalize.pkl")
        self.model.save(f"{stem}.zip.new", exclude=["replay_buffer"])
        written = f"{stem}.zip.new.zip" if os.path.exists(f"{stem}.zip.new.zip") else f"{stem}.zip.new"
        figures = {"index": self.index, **self.figures()}
        # Whoever finds the model later knows from it what it is.
        with open(f"{stem}.json", "w", encoding="utf-8") as file:
            json.dump(figures, file)
        os.replace(written, f"{stem}.zip")
        say("snapshot", file=f"snapshots/{self.index:06d}.zip", **figures)

    def used(self):
        return self.ended.count if self.job["episodes"] is not None else int(self.model.num_timesteps)

    def after_step(self):
        job = self.job
        if self.outcome is not None:
            return False
        done = self.share() >= 1.0
        used, every = self.used(), job["every_episodes"] or job["every_steps"]
        if used // every > self.taken_at // every or (done and used > self.taken_at):
            self.taken_at = used
            self.save_snapshot()
        now = time.monotonic()
        if now - self.reported >= PROGRESS_SECONDS:
            self.reported = now
            self.require_finite()
            say("progress", **self.figures())
        if done:
            self.outcome = "finished"
            if job["algorithm"] == "ars":
                raise StopTraining()
        return not done

    def after_rollout(self):
        self.torch_state = torch.get_rng_state()

    def between_updates(self):
        if self.restored is not None and self.job["algorithm"] != "ars":
            # The checkpoint was made here; what was drawn since then was drawn before it too.
            self.restore_generators()
            source = exploration(self.model)
            if source is not None:
                for name, value in self.restored["noise"].items():
                    setattr(source, name, value)
        self.restored = None
        if self.stop.is_set() or time.monotonic() - self.saved >= self.job["checkpoint_seconds"]:
            self.save_checkpoint()
        if self.stop.is_set():
            self.outcome = "stopped"
            raise StopTraining()

    def save_checkpoint(self):
        self.require_finite()
        state = {
            "episodes": self.ended.count,
            "recent": list(self.ended),
            "index": self.index,
            "taken_at": self.taken_at,
            "seconds": self.seconds,
            "torch": self.torch_state if self.job["algorithm"] == "ars" else torch.get_rng_state(),
        }
        # The environments refer to it, and get a new one when they are restored.
        for env in base_env(self.venv).envs:
            env.ended = None
        try:
            self.checkpoint.write(self.model, self.venv, state)
        finally:
            for env in base_env(self.venv).envs:
                env.ended = self.ended
        self.saved = time.monotonic()
        say("checkpoint", index=self.index, exact=keeps_state(self.venv), **self.figures())

    def run(self):
        versions = {
            "python": ".".join(map(str, sys.version_info[:3])), "stable_baselines3": sb3.__version__,
            "sb3_contrib": sb3_contrib.__version__, "gymnasium": gym.__version__, "numpy": np.__version__,
            "torch": torch.__version__,
        }
        say("started", versions=versions, resumed=self.resumed, index=self.index, **self.figures())
        total = ENDLESS_STEPS if self.job["steps"] is None or self.job["endless_schedule"] else self.job["steps"]
        # The default one makes a folder for files that nobody reads.
        self.model.set_logger(Logger(None, []))
        left = total - (self.model.num_timesteps if self.resumed else 0)
        if not (self.resumed and self.share() >= 1.0):
            try:
                self.model.learn(left, callback=Reporter(self), log_interval=None, reset_num_timesteps=not self.resumed)
            except StopTraining:
                pass
            except ValueError as error:
                self.require_finite()
                if "nan" in str(error).lower():
                    raise Broken("nan", str(error).splitlines()[0]) from error
                raise
        say(self.outcome or "finished", **self.figures())


class StopTraining(Exception):
    pass


def listen(stop):
    for line in sys.stdin:
        if line.strip() == "stop":
            break
    stop.set()


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    torch.set_num_threads(1)
    stop = threading.Event()
    threading.Thread(target=listen, args=(stop,), daemon=True).start()
    try:
        Training(folder, job, stop).run()
    except Broken as broken:
        say("failed", kind=broken.kind, detail=str(broken))
        return 1
    except OSError as error:
        say("failed", kind="disk", detail=str(error))
        return 1
    except Exception as error:  # what SB3 refuses, in its own words
        traceback.print_exc()
        say("failed", kind="error", detail=f"{type(error).__name__}: {error}".splitlines()[0])
        return 1
    return 0


if __name__ == "__main__":
    import signal

    # A terminal sends Ctrl-C to both processes, a service manager or a scheduler SIGTERM; the other one says what to do.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    sys.exit(main())
