#!/usr/bin/env bash
# Make the Python environment under target/interop-venv and run the self-test.
# PYTHON names another interpreter (3.11 or newer). `run.sh venv` only makes the environment.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
venv="$root/target/interop-venv"
stamp="$venv/requirements.txt"

if ! cmp -s "$here/requirements.txt" "$stamp"; then
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
fi
if [ "${1:-}" = venv ]; then
    exit 0
fi
cd "$here"
exec "$venv/bin/python" -B -m unittest "$@" test_self test_vectors
