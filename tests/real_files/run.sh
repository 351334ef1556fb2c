#!/usr/bin/env bash
# Make the files of tests/tests/real_files.rs under target/real-files, once. `run.sh full` makes the two full sheets, which take a minute; `run.sh commissions` those of the desk.
# PYTHON names another interpreter (3.11 or newer); soffice is LibreOffice; npm brings SheetJS.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
venv="$root/target/files-venv"
out="$root/target/real-files"
part="${1:-small}"

if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    mkdir "$venv/sheetjs"
    (cd "$venv/sheetjs" && tar -xzf "$(npm pack --silent --ignore-scripts xlsx@0.18.5)")
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
mkdir -p "$out"
if ! cmp -s "$here/make.py" "$out/made-$part.py"; then
    "$venv/bin/python" -B "$here/make.py" "$part" "$out"
    cp "$here/make.py" "$out/made-$part.py"
fi
