"""Compiles a C peer for one job, with the environment's numbers as constants, and plays the job with it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from peer import leave


def build(source, job, target, *options):
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler) is None:
        leave(3, f'the C compiler "{compiler}" is missing')
    numbers = [f"-DP_{name}={float(value)!r}" for name, value in job["params"].items()]
    flags = ["-std=gnu11", "-O3", "-march=native", "-pthread", *numbers]
    command = [compiler, *flags, "-o", str(target), str(Path(__file__).with_name(source)), *options, "-lm"]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        leave(1, f"{source} does not compile: {made.stderr.strip()}")
    return target


def play(program, job):
    numbers = [job["episodes"], job["maxSteps"], job["repeats"], job["threads"], *job["policy"]["params"]]
    done = subprocess.run([program, *map(repr, numbers)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        leave(1, f"{Path(program).name} failed with exit code {done.returncode}")
    return json.loads(done.stdout)
