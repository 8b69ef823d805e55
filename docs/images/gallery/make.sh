#!/bin/sh
# Draws the gallery of the README again: one median episode of a good policy per environment.
# Needs a build ("npm run build"); the cpu backend, so that every machine draws the same.
set -e
here=$(dirname "$0")
for policy in "$here"/policies/*.json; do
  env=$(basename "$policy" .json)
  node "$here/../../../dist/cli/main.js" eval --env "$env" --policy "$policy" --episodes 101 --seed 0 \
    --backend cpu --quiet --animate "$here/$env.svg" >/dev/null
done
