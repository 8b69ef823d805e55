#!/usr/bin/env bash
# Trains the tuned baselines whose results are published, for docs/baselines.md: baseline-evidence.sh [RUNS_DIR]
# It takes hours. It can be interrupted and started again: finished trainings are skipped, others are resumed.
# R2PO_PYTHON names the Python that trains; without it an environment is installed. JOBS: trainings at a time.
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-runs/baselines}
status=0
train() { node dist/cli/main.js sweep "$@" --runs-dir "$runs" -j "${JOBS:-1}" --quiet >/dev/null || status=$?; }
train cartpole/zoo/{ppo,a2c,dqn,trpo} seed=0..9
train acrobot/zoo/ppo seed=0..9
train pendulum/zoo/{sac,td3} seed=0..4
train mountaincar-continuous/zoo/sac seed=0..4
node dist/cli/main.js report "$runs" --against published
exit "$status"
