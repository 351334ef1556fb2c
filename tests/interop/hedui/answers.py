"""SPEC §4.4, §4.7, §6.4, §6.6: sealing an answer and opening one, with officers' keys or with a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import coverage, documents, hpke, rules, seals
from .basics import HeduiError, from_b64, from_hex, label, parse_time, to_b64
from .documents import Document
from .hedged import Hedged
from .slots import Slot


@dataclass
class Opened:
    coverage: dict[str, Any]
    slots: list[bytes]
    level: str

    def found(self) -> list[tuple[int, Slot]]:
        """The slots that are not all zero, with their numbers."""
        return [(i, Slot.from_bytes(slot, self.level)) for i, slot in enumerate(self.slots) if any(slot)]


def opening_groups(roster: Document, agreement: Document) -> list[list[bytes]]:
    """The roster's groups, then the compliance key as one more when the agreement has one."""
    groups = [[from_hex(key, "opening_groups") for key in group] for group in roster.header["opening_groups"]]
    compliance = agreement.header["compliance_key"]
    return groups if compliance is None else [*groups, [from_hex(compliance, "compliance_key")]]


def make(
    roster: Document, agreement: Document, *, created: str, module_release: str, module_sha256: str, version: int,
    statement: bytes, slots: bytes, entropy: bytes, signing_seed: bytes,
) -> bytes:
    """The answer document. The same arguments give the same bytes (§6.5)."""
    rules.agreement_in_force(agreement)
    rules.roster_follows(roster, agreement)
    slot_count, slot_size = roster.header["slot_count"], roster.header["slot_size"]
    if len(statement) != coverage.SIZE:
        raise HeduiError("coverage", "not 4,096 bytes")
    if len(slots) != slot_count * slot_size:
        raise HeduiError("slots", "not slot_count times slot_size bytes")
    header = {
        "created": created,
        "institution": roster.header["institution"],
        "module_release": module_release,
        "module_sha256": module_sha256,
        "roster": roster.digest.hex(),
        "roster_id": roster.header["id"],
        "slot_count": slot_count,
        "slot_size": slot_size,
        "version": version,
    }
    binding = _binding(header, roster, agreement)
    stream = Hedged.over("answer", entropy, binding + statement + slots, signing_seed)
    content_key = stream.take(32)
    body = [
        seals.wrap_for_group("content-key", binding, number, group, content_key, stream)
        for number, group in enumerate(opening_groups(roster, agreement))
    ]
    body.append(seals.seal_part(content_key, 0, statement, binding))
    for i in range(slot_count):
        slot = slots[i * slot_size:(i + 1) * slot_size]
        body.append(seals.seal_part(content_key, i + 1, slot, binding))
    return documents.write("hedui/answer/v1", header, b"".join(body), [signing_seed])


def open_answer(answer: Document, roster: Document, agreement: Document, officer_keys: list[bytes]) -> Opened:
    """Open with the first group all of whose private keys are at hand."""
    rules.agreement_in_force(agreement)
    rules.roster_follows(roster, agreement)
    rules.answer_follows(answer, roster, agreement)
    slot_count, sealed_size = roster.header["slot_count"], roster.header["slot_size"] + seals.TAG
    groups = opening_groups(roster, agreement)
    parts_at = sum(seals.wrapped_size(group) for group in groups)
    slots_at = parts_at + coverage.SIZE + seals.TAG
    if len(answer.body) != slots_at + slot_count * sealed_size:
        raise HeduiError("body_bytes", "not the length that roster and agreement fix")
    binding = _binding(answer.header, roster, agreement)
    content_key = _content_key(answer.body, groups, officer_keys, binding)
    statement = seals.open_part(content_key, 0, answer.body[parts_at:slots_at], binding)
    slots = []
    for i in range(slot_count):
        at = slots_at + i * sealed_size
        slots.append(seals.open_part(content_key, i + 1, answer.body[at:at + sealed_size], binding))
    return Opened(coverage.read(statement), slots, roster.header["level"])


def content_key(answer: Document, roster: Document, agreement: Document, officer_keys: list[bytes]) -> bytes:
    """The answer's content key, by the officers of one group."""
    binding = _binding(answer.header, roster, agreement)
    return _content_key(answer.body, opening_groups(roster, agreement), officer_keys, binding)


def make_copy(answer: Document, content_key: bytes, compliance_key: bytes, entropy: bytes, signing_seed: bytes) -> bytes:
    """The copy that gives `content_key`, the answer's, to the compliance office (§6.6)."""
    rules.expect(answer, "hedui/answer/v1")
    stream = Hedged.over("answer-copy", entropy, answer.digest + compliance_key + content_key, signing_seed)
    header = {
        "answer": answer.digest.hex(),
        "compliance_key": compliance_key.hex(),
        "content_key": to_b64(hpke.seal(compliance_key, _copy_info(answer), content_key, stream.take(32))),
        **{name: answer.header[name] for name in ("created", "institution", "roster")},
    }
    return documents.write("hedui/copy/v1", header, b"", [signing_seed])


def open_with_copy(answer: Document, copy: Document, compliance_private: bytes) -> Opened:
    """Without roster and agreement: the level shows in the slots' size, the groups in the body's length."""
    content_key = copied_key(answer, copy, compliance_private)
    header = answer.header
    levels = [level for level, size in documents.SLOT_SIZES.items() if size == header["slot_size"]]
    if not levels:
        raise HeduiError("slot_size", "not that of a level")
    sealed_size = header["slot_size"] + seals.TAG
    slots_at = len(answer.body) - header["slot_count"] * sealed_size
    parts_at = slots_at - coverage.SIZE - seals.TAG
    if parts_at < 0:
        raise HeduiError("body_bytes", "too short for its slots")
    binding = seals.answer_binding(
        from_hex(header["roster"], "roster", 32), from_hex(header["module_sha256"], "module_sha256", 32),
        header["version"], parse_time(header["created"], "created"), answer.signers[0],
    )
    statement = seals.open_part(content_key, 0, answer.body[parts_at:slots_at], binding)
    slots = [
        seals.open_part(content_key, i + 1, answer.body[at:at + sealed_size], binding)
        for i, at in enumerate(range(slots_at, len(answer.body), sealed_size))
    ]
    return Opened(coverage.read(statement), slots, levels[0])


def copied_key(answer: Document, copy: Document, compliance_private: bytes) -> bytes:
    """The answer's content key, out of its copy."""
    rules.expect(answer, "hedui/answer/v1")
    rules.expect(copy, "hedui/copy/v1")
    if copy.signers[0] != answer.signers[0]:
        raise HeduiError("signatures", "copy and answer are not by one institution")
    if copy.header["answer"] != answer.digest.hex():
        raise HeduiError("answer", "the copy is of another answer")
    for name in ("created", "institution", "roster"):
        if copy.header[name] != answer.header[name]:
            raise HeduiError(name, "not that of the answer")
    return hpke.open_sealed(compliance_private, _copy_info(answer), from_b64(copy.header["content_key"], "content_key"))


def _copy_info(answer: Document) -> bytes:
    return label("answer-copy", from_hex(answer.header["roster"], "roster", 32) + answer.digest)


def _binding(header: dict[str, Any], roster: Document, agreement: Document) -> bytes:
    return seals.answer_binding(
        roster.digest,
        from_hex(header["module_sha256"], "module_sha256", 32),
        header["version"],
        parse_time(header["created"], "created"),
        from_hex(agreement.header["institution"]["signing_key"], "institution", 32),
    )


def _content_key(body: bytes, groups: list[list[bytes]], officer_keys: list[bytes], binding: bytes) -> bytes:
    private_of = {hpke.public_key(private): private for private in officer_keys}
    at = 0
    for number, group in enumerate(groups):
        size = seals.wrapped_size(group)
        if all(public in private_of for public in group):
            private_keys = [private_of[public] for public in group]
            return seals.unwrap_for_group("content-key", binding, number, private_keys, body[at:at + size])
        at += size
    raise HeduiError("officer_keys", "no group opens with these keys")
