"""SPEC §4.12, §6.8: a co-signer opens the centre's request and rebuilds the roster from its own list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import hpke, merkle, names, roster_body, rules, seals, tokens
from .basics import HeduiError, from_b64, from_hex, label, sha256
from .documents import Document
from .hedged import Hedged
from .roster_body import LAST_ORDINAL, Entry
from .subjects import KIND_BYTES, Subject

SEED_BYTES = 32 + 4 + 4


@dataclass
class Authorised:
    """A line of the co-signer's list: all numbers of one person, the current one first, and the form."""

    numbers: list[Subject]
    name: str
    form: str
    scope: str

    @property
    def place(self) -> tuple[int, str]:
        return KIND_BYTES[self.numbers[0].kind], self.numbers[0].number


@dataclass
class Rebuilt:
    body: bytes
    authorisations_root: bytes
    token_key: bytes


def open_request(request: Document, roster: Document, agreement: Document, private: bytes) -> tuple[bytes, int]:
    """The seed and the number of people."""
    rules.expect(request, "hedui/cosign-request/v1")
    header = request.header
    if request.signers[0] != from_hex(agreement.header["centre"]["signing_key"], "signing_key"):
        raise HeduiError("signatures", "not by the agreement's centre")
    if header["agreement"] != agreement.digest.hex() or header["roster"] != roster.digest.hex():
        raise HeduiError("roster", "another roster or agreement")
    commitments = [request.body[i:i + 32] for i in range(0, len(request.body), 32)]
    if merkle.root(commitments).hex() != roster.header["authorisations_root"]:
        raise HeduiError("body", "not the commitments that the roster has the root of")
    clear = hpke.open_sealed(private, _info(roster, agreement), from_b64(header["seed"], "seed"))
    seed, real, slots = clear[:32], int.from_bytes(clear[32:36], "big"), int.from_bytes(clear[36:], "big")
    if len(clear) != SEED_BYTES or slots != roster.header["slot_count"] or real > slots:
        raise HeduiError("seed", "not a seed of this roster")
    return seed, real


def _info(roster: Document, agreement: Document) -> bytes:
    return label("cosign-request", roster.digest + agreement.digest)


def rebuild(roster: Document, agreement: Document, seed: bytes, people: list[Authorised]) -> Rebuilt:
    """What a roster of exactly these people is, grown from the seed."""
    header = roster.header
    identity = from_hex(header["id"], "id") + from_hex(header["agreement"], "agreement")

    def stream(part: str) -> Hedged:
        return Hedged("roster", seed, sha256(label("ticket", identity + part.encode("ascii"))))

    slots = _deal(sorted(people, key=lambda person: person.place), header["slot_count"], stream("permutation"))
    key = stream("token-key").take(32)
    institution = from_hex(agreement.header["institution"]["sealing_key"], "sealing_key")
    return Rebuilt(
        roster_body.write(_entries(header, key, slots, stream)),
        merkle.root(_commitments(slots, stream("salts"))),
        seals.seal_token_key(institution, identity[:16], identity[16:], key, stream("token-key-seal")),
    )


def _below(stream: Hedged, bound: int) -> int:
    """A number below `bound`: what would make the first ones likelier is drawn again."""
    zone = (2**32 - 1) - (2**32 - 1) % bound
    while True:
        drawn = int.from_bytes(stream.take(4), "big")
        if drawn < zone:
            return drawn % bound


def _deal(people: list[Authorised], slot_count: int, stream: Hedged) -> list[Authorised | None]:
    slots: list[Authorised | None] = [*people, *[None] * (slot_count - len(people))]
    for last in range(slot_count - 1, 0, -1):
        other = _below(stream, last + 1)
        slots[last], slots[other] = slots[other], slots[last]
    return slots


def _commitments(slots: list[Authorised | None], stream: Hedged) -> list[bytes]:
    made = []
    for person in slots:
        salt = stream.take(32)
        made.append(salt if person is None else merkle.commitment(salt, person.form, person.numbers[0], person.scope))
    return made


def _entries(header: dict[str, Any], key: bytes, slots: list[Authorised | None], stream: Any) -> list[Entry]:
    tags, entries = stream("tags"), []
    for slot, person in enumerate(slots):
        for ordinal, subject in enumerate(person.numbers if person else []):
            token = tokens.token(header["prf"], key, subject)
            random = tags.take(2), tags.take(1)
            real = names.tags(header["prf"], key, token, person.name)
            entries.append(Entry(token, slot, *(real if "name" in header["fields"] else random), ordinal))
    used = [len(person.numbers) if person else 0 for person in slots]
    known = {entry.token for entry in entries}
    bare = iter([slot for slot, person in enumerate(slots) if person is None])
    decoys = stream("decoys")
    while len(entries) < header["slot_count"] * 5 // 4:
        slot = next(bare, None)
        if slot is None:
            slot = _below(decoys, header["slot_count"])
        token, folded, exact = decoys.take(16), decoys.take(2), decoys.take(1)
        if used[slot] <= LAST_ORDINAL and token not in known:
            entries.append(Entry(token, slot, folded, exact, used[slot]))
            used[slot] += 1
            known.add(token)
    return entries
