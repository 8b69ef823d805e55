"""The protocol of the Python peers: a job file as the only argument, one JSON object on stdout.

Exit code 3: something is missing here, named on stderr; 4: the environment is not known.
"""

import importlib
import json
import platform
import statistics
import sys
import time
from pathlib import Path


def leave(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)


def read_job(known):
    if len(sys.argv) != 2:
        leave(2, f"expected a job file, got {len(sys.argv) - 1} arguments")
    job = json.loads(Path(sys.argv[1]).read_text())
    if job["env"] not in known:
        leave(4, f"{job['env']} is not known here; known: {', '.join(known)}")
    return job


def need(package):
    try:
        return importlib.import_module(package)
    except ImportError as error:
        leave(3, f"the Python package {package} cannot be imported: {error}")


def timed(play, repeats):
    """For one thread: `play` once to warm up and `repeats` times; its last result and the median of the CPU seconds.

    Other programs on the machine change the CPU time less than that of the wall.
    """
    played = play()
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        played = play()
        seconds.append(time.process_time() - began)
    return {**played, "seconds": statistics.median(seconds)}


def processor(threads):
    """What the peer ran on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def answer(variants, threads=1):
    """Prints the fastest of the variants, each {variant, steps, seconds, meanReturn}, and the list of all."""
    best = max(variants, key=lambda one: one["steps"] / one["seconds"])
    print(json.dumps({**best, "kernelSeconds": None, "device": processor(threads), "variants": variants}))
