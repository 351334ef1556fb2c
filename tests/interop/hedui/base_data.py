"""SPEC §4.10, §6.7: a department's own table, sealed to the centre, and opened by it."""

from __future__ import annotations

from typing import Any

from . import documents, hpke, rules, seals
from .basics import HeduiError, from_hex, label, parse_date, parse_time, sha256, u32, u64
from .documents import Document
from .hedged import Hedged

CHUNK = documents.CHUNK


def _binding(header: dict[str, Any], signing_key: bytes) -> bytes:
    day = parse_date(header["day"], "day")
    context = (
        from_hex(header["agreement"], "agreement", 32)
        + u32(day.year * 10_000 + day.month * 100 + day.day)
        + u64(parse_time(header["created"], "created"))
        + from_hex(header["recipient"], "recipient", 32)
        + signing_key
    )
    return sha256(label("base-data", context))


def make(
    agreement: Document, *, day: str, created: str, file: bytes, entropy: bytes, signing_seed: bytes, signing_key: bytes
) -> bytes:
    """The document. The same arguments give the same bytes (§6.5)."""
    rules.agreement_in_force(agreement)
    if agreement.header["institution"]["kind"] != "department":
        raise HeduiError("agreement", "not with a department")
    if not file:
        raise HeduiError("file", "empty")
    header = {
        "agreement": agreement.digest.hex(), "created": created, "day": day,
        "institution": agreement.header["institution"]["code"], "recipient": agreement.header["centre"]["sealing_key"],
    }
    binding = _binding(header, signing_key)
    stream = Hedged.over("base-data", entropy, binding + file, signing_seed)
    key = stream.take(32)
    recipient = from_hex(header["recipient"], "recipient", 32)
    body = hpke.seal(recipient, label("base-data", binding), key, stream.take(32)) + seal_clear(key, clear(file), binding)
    return documents.write("hedui/base-data/v1", header, body, [signing_seed])


def clear(file: bytes) -> bytes:
    """The file behind its length, with zero bytes up to one of the sizes."""
    data = u64(len(file)) + file
    counts = [count for count in documents.CHUNK_COUNTS if count * CHUNK >= len(data)]
    if not counts:
        raise HeduiError("file", "too large")
    return data.ljust(counts[0] * CHUNK, b"\x00")


def seal_clear(key: bytes, data: bytes, binding: bytes) -> bytes:
    chunks = range(len(data) // CHUNK)
    return b"".join(seals.seal_part(key, n, data[n * CHUNK:(n + 1) * CHUNK], binding) for n in chunks)


def open_table(document: Document, private: bytes) -> bytes:
    """The file. Who signed, for whom and under what is for the caller to look at first."""
    key, binding = content_key(document, private)
    sealed, size = document.body[documents.SEALED_KEY:], CHUNK + seals.TAG
    parts = (seals.open_part(key, n, sealed[n * size:(n + 1) * size], binding) for n in range(len(sealed) // size))
    data = b"".join(parts)
    length = int.from_bytes(data[:8], "big")
    if length > len(data) - 8:
        raise HeduiError("file", "shorter than its length says")
    if any(data[8 + length:]):
        raise HeduiError("file", "something behind its end")
    return data[8:8 + length]


def content_key(document: Document, private: bytes) -> tuple[bytes, bytes]:
    """The content key, and the binding."""
    rules.expect(document, "hedui/base-data/v1")
    if document.header["recipient"] != hpke.public_key(private).hex():
        raise HeduiError("recipient", "another key")
    binding = _binding(document.header, document.signers[0])
    return hpke.open_sealed(private, label("base-data", binding), document.body[:documents.SEALED_KEY]), binding
