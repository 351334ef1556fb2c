"""SPEC §9: the host's log and the sign-in message."""

from __future__ import annotations

from typing import Any

from . import canonical, ed25519, forms
from .basics import HeduiError, label, sha256

FIRST_PREVIOUS = "0" * 64
TABLE: dict[str, forms.Form] = {
    "action": forms.code,
    "actor": forms.code,
    "at": forms.time,
    "object": forms.or_null(forms.digest),
    "previous": forms.digest,
    "sequence": forms.integer(1),
}


def entry_digest(entry: dict[str, Any]) -> bytes:
    forms.members(entry, TABLE)
    return sha256(label("log", canonical.write(entry, "entry")))


def head(entries: list[dict[str, Any]]) -> bytes:
    """Check the chain from its first entry and return the newest digest."""
    previous = FIRST_PREVIOUS
    for sequence, entry in enumerate(entries, 1):
        digest = entry_digest(entry)
        if entry["sequence"] != sequence:
            raise HeduiError("sequence", f"{entry['sequence']} where {sequence} is due")
        if entry["previous"] != previous:
            raise HeduiError("previous", "not the digest of the entry before")
        previous = digest.hex()
    return bytes.fromhex(previous)


def sign_in_message(host_code: str, challenge: bytes) -> bytes:
    forms.code(host_code, "host")
    if len(challenge) != 32:
        raise HeduiError("challenge", "not 32 bytes")
    return label("sign-in", host_code.encode("ascii") + b"\x00" + challenge)


def sign_in(signing_seed: bytes, host_code: str, challenge: bytes) -> bytes:
    return ed25519.sign(signing_seed, sign_in_message(host_code, challenge))
