"""CartPole as a loop in C on the threads of the job; see cartpole.c."""

from pathlib import Path
from tempfile import TemporaryDirectory

import native
from peer import answer, read_job

DOUBLES = ["-DREAL=double", "-DSIN=sin", "-DCOS=cos", "-DABS=fabs"]
FLOATS = ["-DREAL=float", "-DSIN=sinf", "-DCOS=cosf", "-DABS=fabsf"]
# Vector sines and cosines exist only for those who do not ask for the last bit.
VECTORS = ["-ffast-math", "-fopenmp-simd"]
VARIANTS = {
    "one episode at a time, float64": [*DOUBLES, "-DLANES=1"],
    "32 episodes side by side, float64": [*DOUBLES, "-DLANES=32", *VECTORS],
    "64 episodes side by side, float32": [*FLOATS, "-DLANES=64", *VECTORS],
}

job = read_job(["CartPole-v1"])
with TemporaryDirectory() as folder:
    played = []
    for number, (variant, options) in enumerate(VARIANTS.items()):
        program = native.build("cartpole.c", job, Path(folder, f"cartpole-{number}"), *options)
        played.append({"variant": variant, **native.play(program, job)})
answer(played, job["threads"])
