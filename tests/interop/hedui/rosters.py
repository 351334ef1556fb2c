"""SPEC §4.3, §6.2, §6.3: making a roster.

How a centre draws its randomness for a roster is its own affair; here everything comes from one hedged stream, so
that a test can make the same roster twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import canonical, documents, names, roster_body, seals, tokens
from .basics import HeduiError, from_hex, to_b64
from .documents import SIZE_CLASSES, SLOT_SIZES, Document
from .hedged import Hedged
from .roster_body import LAST_ORDINAL, Entry
from .subjects import Subject


@dataclass
class Person:
    """One number of one applicant: the slot that asks about the applicant and the number's place in it."""

    subject: Subject
    name: str
    slot: int
    ordinal: int = 0


def make(
    agreement: Document, header: dict[str, Any], token_key: bytes, people: list[Person], entropy: bytes,
    signing_seeds: list[bytes],
) -> bytes:
    """A roster document. `header` holds the members that are not worked out here.

    Worked out: agreement, institution, entry_count, slot_count (unless given), slot_size, suite, kem, token_key,
    ticket, and authorisations_root (random unless given).
    """
    slot_count = header.get("slot_count") or slot_class(max((p.slot for p in people), default=0) + 1)
    everything = canonical.write(header) + token_key + repr(people).encode("utf-8")
    stream = Hedged.over("roster", entropy, everything, signing_seeds[0])
    entries = [_entry(header["prf"], token_key, person, slot_count) for person in people]
    entries += _decoys(entries, slot_count, stream)
    party, roster_id = agreement.header, from_hex(header["id"], "id", 16)
    institution_key = from_hex(party["institution"]["sealing_key"], "institution")
    centre_key = from_hex(party["centre"]["sealing_key"], "centre")
    ticket_seed, random_root = stream.take(32), stream.take(32)
    real = len({person.slot for person in people})
    complete = {"authorisations_root": random_root.hex()} | header | {
        "agreement": agreement.digest.hex(),
        "institution": party["institution"]["code"],
        "entry_count": len(entries),
        "kem": "x25519-hkdf-sha256",
        "slot_count": slot_count,
        "slot_size": SLOT_SIZES[header["level"]],
        "suite": "keyed",
        "ticket": to_b64(
            seals.seal_ticket(centre_key, roster_id, agreement.digest, ticket_seed, real, slot_count, stream)
        ),
        "token_key": to_b64(
            seals.seal_token_key(institution_key, roster_id, agreement.digest, token_key, stream)
        ),
    }
    return documents.write("hedui/roster/v1", complete, roster_body.write(entries), signing_seeds)


def slot_class(slots: int) -> int:
    """The smallest size class that holds so many slots."""
    for size in SIZE_CLASSES:
        if slots <= size:
            return size
    raise HeduiError("slot_count", "more slots than the largest class")


def _entry(prf: str, key: bytes, person: Person, slot_count: int) -> Entry:
    if not 0 <= person.slot < slot_count or not 0 <= person.ordinal <= LAST_ORDINAL:
        raise HeduiError("entries", "a slot or ordinal out of range")
    token = tokens.token(prf, key, person.subject)
    return Entry(token, person.slot, *names.tags(prf, key, token, person.name), person.ordinal)


def _decoys(entries: list[Entry], slot_count: int, stream: Hedged) -> list[Entry]:
    """Fill every empty slot, then deal entries to random slots until there are slot_count · 5/4."""
    used = [0] * slot_count
    for entry in entries:
        used[entry.slot] += 1
    decoys: list[Entry] = []

    def deal(slot: int) -> None:
        decoys.append(Entry(stream.take(16), slot, stream.take(2), stream.take(1), used[slot]))
        used[slot] += 1

    for slot in range(slot_count):
        if not used[slot]:
            deal(slot)
    while len(entries) + len(decoys) < slot_count * 5 // 4:
        slot = int.from_bytes(stream.take(4), "big") % slot_count
        if used[slot] <= LAST_ORDINAL:
            deal(slot)
    return decoys
