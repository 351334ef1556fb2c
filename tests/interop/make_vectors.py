#!/usr/bin/env python3
"""Writes `vectors/`, all but subjects.json, which was worked out by hand: known answers by this implementation alone.

`make_vectors.py` writes them; `make_vectors.py --check` says whether they are what it would write. Nothing here is
random: the same code gives the same bytes. Run it in the environment that run.sh makes, after a change of docs/SPEC.md
or of the workspace's version, which stands in every answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from known import base_data, documents, fragments, sessions
from known.refusals import refusals
from known.world import key_file

VECTORS = Path(__file__).resolve().parent.parent.parent / "vectors"
MADE_BY = "tests/interop/make_vectors.py, from docs/SPEC.md, by the implementation in Python"


def module_sessions() -> dict[str, Any]:
    script = sessions.Script()
    script.blob("bank.key", key_file("bank", "institution"))
    sessions.ok_sessions(script)
    sessions.subjects_session(script)
    sessions.copy_and_approval(script)
    sessions.key_steps(script)
    refusals(script)
    base_data.sessions(script)
    return script.to_json()


def every_file() -> dict[str, dict[str, Any]]:
    made = fragments.every_file() | documents.every_file() | base_data.fragment() | {"sessions.json": module_sessions()}
    return {name: {"made_by": MADE_BY} | made[name] for name in sorted(made)}


def text(file: dict[str, Any]) -> str:
    """JSON with one line for each blob and case, so that a difference can be read."""
    def one(value: Any) -> str:
        return json.dumps(value, ensure_ascii=True, sort_keys=True)

    members = []
    for name, value in file.items():
        if isinstance(value, list):
            members.append(f"{one(name)}: [\n" + ",\n".join("  " + one(item) for item in value) + "\n ]")
        elif isinstance(value, dict):
            lines = (f"  {one(key)}: {one(item)}" for key, item in value.items())
            members.append(f"{one(name)}: {{\n" + ",\n".join(lines) + "\n }")
        else:
            members.append(f"{one(name)}: {one(value)}")
    return "{" + ",\n ".join(members) + "}\n"


def main() -> int:
    stale = []
    for name, file in every_file().items():
        path, new = VECTORS / name, text(file)
        if not path.exists() or path.read_text("utf-8") != new:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                path.write_text(new, "utf-8")
    print(f"{'differ' if '--check' in sys.argv[1:] else 'written'}: {', '.join(stale) or 'none'}")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
