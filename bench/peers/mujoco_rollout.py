"""MuJoCo itself, without Python in the loop: mujoco_rollout.c on the threads of the job.

The library is that of the Python package mujoco, the models are those of the Python package gymnasium.
"""

from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import native
from peer import answer, leave, read_job

MODELS = {
    "InvertedPendulum-v5": "inverted_pendulum.xml",
    "InvertedDoublePendulum-v5": "inverted_double_pendulum.xml",
    "Swimmer-v5": "swimmer.xml",
}


def package(name):
    found = find_spec(name)
    if found is None:
        leave(3, f"the Python package {name} is missing")
    return Path(found.origin).parent


def library(mujoco):
    found = sorted([*mujoco.glob("libmujoco.so*"), *mujoco.glob("libmujoco*.dylib")])
    if not found:
        leave(3, "the Python package mujoco has no shared library to link with")
    return found[0]


job = read_job(MODELS)
mujoco = package("mujoco")
model = package("gymnasium") / "envs" / "mujoco" / "assets" / MODELS[job["env"]]
task = job["env"].partition("-")[0]
options = [f"-D{task}", f'-DMODEL="{model}"', f"-I{mujoco / 'include'}", str(library(mujoco)), f"-Wl,-rpath,{mujoco}"]
with TemporaryDirectory() as folder:
    program = native.build("mujoco_rollout.c", job, Path(folder, "rollout"), *options)
    answer([{"variant": "mj_step in C", **native.play(program, job)}], job["threads"])
