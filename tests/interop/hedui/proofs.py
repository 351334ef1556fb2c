"""SPEC §7.1: the proof that a slot of a roster had an authorisation."""

from __future__ import annotations

from typing import Any

from . import canonical, forms, merkle
from .basics import HeduiError, from_hex
from .documents import Document
from .subjects import HINTS, KIND_BYTES, Subject, subjects_of

TYPE = "hedui/proof/v1"
TABLE: dict[str, forms.Form] = {
    "authorisation": forms.any_text,
    "kind": forms.one_of(*KIND_BYTES),
    "number": forms.any_text,
    "path": forms.list_of(forms.digest),
    "roster": forms.digest,
    "salt": forms.digest,
    "scope": forms.any_text,
    "slot": forms.integer(0, 2**32 - 1),
    "type": forms.one_of(TYPE),
}


def make(roster: bytes, slot: int, salt: bytes, authorisation: str, subject: Subject, scope: str, leaves: list[bytes]) -> bytes:
    """`roster` is the roster's digest, `leaves` are the commitments of all its slots."""
    return canonical.write({
        "authorisation": authorisation, "kind": subject.kind, "number": subject.number,
        "path": [node.hex() for node in merkle.path(leaves, slot)], "roster": roster.hex(), "salt": salt.hex(),
        "scope": scope, "slot": slot, "type": TYPE,
    })


def read(data: bytes) -> dict[str, Any]:
    proof = canonical.read(data.rstrip(b" \t\n\x0c\r"), "proof")
    forms.members(proof, TABLE)
    return proof


def verify(proof: dict[str, Any], roster: Document) -> Subject:
    """Whom the slot asks about, when the centre committed to it."""
    return check(proof, roster.digest, from_hex(roster.header["authorisations_root"], "authorisations_root", 32), roster.header["slot_count"])


def check(proof: dict[str, Any], roster: bytes, root: bytes, slot_count: int) -> Subject:
    if proof["roster"] != roster.hex():
        raise HeduiError("roster", "the proof is for another roster")
    subject = Subject(proof["kind"], proof["number"])
    if not any(subject in subjects_of(subject.number, hint).subjects[:1] for hint in (None, *HINTS)):
        raise HeduiError("number", "not canonical for its kind")
    leaf = merkle.commitment(from_hex(proof["salt"], "salt", 32), proof["authorisation"], subject, proof["scope"])
    siblings = [from_hex(node, "path", 32) for node in proof["path"]]
    if merkle.root_from_path(leaf, proof["slot"], slot_count, siblings) != root:
        raise HeduiError("path", "does not lead to what the centre signed")
    return subject
