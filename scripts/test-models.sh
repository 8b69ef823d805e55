#!/usr/bin/env bash
# Runs searches with a real model, embedded in the process and, if LLAMA_SERVER=PATH names the program, behind
# llama-server. Downloads (the model, node-llama-cpp) go to test-models/ and are installed nowhere else.
#
#   npm run test:models                 SmolLM2; R2PO_TEST_MODEL=PATH selects another file
#   npm run test:models -- qwen-coder   Qwen2.5-Coder 0.5B
#
# R2PO_MODELS_SHORT=1 runs one of the four searches. Exit code 3: model or package missing, nothing ran.
set -euo pipefail
cd "$(dirname "$0")/.."
model=$(scripts/fetch-test-model.sh "${1:-smollm2}") || exit 3

folder=test-models
version=$(node -p "require('./package.json').peerDependencies['node-llama-cpp'].replace(/^\D+/, '')")
installed=$(node -p "require('./$folder/node_modules/node-llama-cpp/package.json').version" 2> /dev/null || true)
if [ "$installed" != "$version" ]; then
  # Its binaries are packages per platform and GPU, together 730 MB. Tests use the one that needs no GPU.
  binary=$(node -p "({ linux: 'linux', darwin: 'mac', win32: 'win' })[process.platform] + '-' + process.arch + \
    (process.platform === 'darwin' && process.arch === 'arm64' ? '-metal' : '')")
  echo '{ "private": true }' > "$folder/package.json"
  npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --omit=optional \
    "node-llama-cpp@$version" "@node-llama-cpp/$binary@$version" > "$folder/install.log" 2>&1 || {
    cat "$folder/install.log" >&2
    echo "[test-models] node-llama-cpp $version could not be installed" >&2
    exit 3
  }
fi

npm run -s build
R2PO_TEST_MODEL=$model npx vitest run --config test/models/vitest.config.ts
