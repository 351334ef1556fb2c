"""SPEC §4.3: the 24-byte entries of a roster's body."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .basics import HeduiError

ENTRY = struct.Struct(">16sI2s1sB")
LAST_ORDINAL = 7


@dataclass(frozen=True)
class Entry:
    token: bytes
    slot: int
    folded_tag: bytes
    exact_tag: bytes
    ordinal: int

    def to_bytes(self) -> bytes:
        return ENTRY.pack(self.token, self.slot, self.folded_tag, self.exact_tag, self.ordinal)


def read(body: bytes, entry_count: int, slot_count: int) -> list[Entry]:
    """Tokens strictly rise, slots and ordinals are in range, and every slot has an entry."""
    if len(body) != entry_count * ENTRY.size:
        raise HeduiError("entry_count", "not the number of entries in the body")
    entries = [Entry(*parts) for parts in ENTRY.iter_unpack(body)]
    before = b""
    for entry in entries:
        if entry.token <= before:
            raise HeduiError("body", "tokens do not rise")
        if entry.slot >= slot_count:
            raise HeduiError("body", "an entry for a slot that is not there")
        if entry.ordinal > LAST_ORDINAL:
            raise HeduiError("body", "an ordinal above 7")
        before = entry.token
    if len({entry.slot for entry in entries}) != slot_count:
        raise HeduiError("body", "a slot without an entry")
    return entries


def write(entries: list[Entry]) -> bytes:
    return b"".join(entry.to_bytes() for entry in sorted(entries, key=lambda entry: entry.token))
