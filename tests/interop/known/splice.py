"""Bytes by name; those that differ little from others stand as a change of them, so that the files stay small."""

from __future__ import annotations

from typing import Any

from hedui.basics import to_b64


class Blobs:
    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> str:
        if self.data.setdefault(name, data) != data:
            raise ValueError(f"two blobs are called {name}")
        return name

    def to_json(self) -> dict[str, Any]:
        """b64; or {"of", "at", "drop", "put"}: the bytes of `of` with `drop` bytes at `at` replaced by `put`."""
        whole: dict[str, bytes] = {}
        out: dict[str, Any] = {}
        for name, data in self.data.items():
            changes = [(len(put), base, at, drop, put) for base in whole for at, drop, put in [_change(whole[base], data)]]
            least = min(changes, default=None)
            if least and least[0] * 4 < len(data) * 3:
                _, base, at, drop, put = least
                out[name] = {"of": base, "at": at, "drop": drop, "put": to_b64(put)}
            else:
                whole[name], out[name] = data, to_b64(data)
        return out


def _change(base: bytes, data: bytes) -> tuple[int, int, bytes]:
    most = min(len(base), len(data))
    start = next((i for i in range(most) if base[i] != data[i]), most)
    end = next((i for i in range(most - start) if base[-1 - i] != data[-1 - i]), most - start)
    return start, len(base) - start - end, data[start:len(data) - end]
