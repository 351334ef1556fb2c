"""SPEC §9.1: the log that an institution keeps of its answers."""

from __future__ import annotations

from . import canonical, forms
from .basics import HeduiError, label, sha256
from .log import FIRST_PREVIOUS

TABLE: dict[str, forms.Form] = {
    "action": forms.one_of("saved", "sent"),
    "answer": forms.digest,
    "answer_bytes": forms.integer(1),
    "approvers": forms.sorted_list_of(forms.key),
    "at": forms.time,
    "institution": forms.code,
    "level": forms.one_of("L0", "L1", "L2"),
    "log_position": forms.or_null(forms.integer(1)),
    "module_sha256": forms.digest,
    "previous": forms.digest,
    "receipt": forms.or_null(forms.digest),
    "roster": forms.digest,
    "sequence": forms.integer(1),
    "version": forms.integer(1, 999),
}


def check(text: bytes) -> tuple[int, bytes]:
    """Check every line and the chain; return the number of entries and the newest digest."""
    *lines, rest = text.split(b"\n")
    if rest:
        raise HeduiError("line", "the last one does not end")
    previous = FIRST_PREVIOUS
    for sequence, line in enumerate(lines, 1):
        entry = canonical.read(line, "entry")
        forms.members(entry, TABLE)
        if entry["sequence"] != sequence:
            raise HeduiError("sequence", f"{entry['sequence']} where {sequence} is due")
        if entry["previous"] != previous:
            raise HeduiError("previous", "not the digest of the line before")
        if (entry["action"] == "sent") != (entry["receipt"] is not None and entry["log_position"] is not None):
            raise HeduiError("receipt", "what was sent has a receipt, what was saved has none")
        previous = sha256(label("institution-log", line)).hex()
    return len(lines), bytes.fromhex(previous)
