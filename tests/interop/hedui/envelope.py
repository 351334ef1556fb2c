"""SPEC §2: the envelope around every document."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from . import canonical, ed25519
from .basics import HeduiError, sha256, u8, u32, u64

LONGEST_TYPE = 64
LONGEST_HEADER = 65_536
MOST_SIGNATURES = 4
LONGEST_BODY = 2**40


@dataclass
class Envelope:
    """A document as it travels. `header` holds the bytes that were signed."""

    type: str
    header: bytes
    signatures: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def pae(self) -> bytes:
        kind = self.type.encode("ascii")
        return b" ".join(
            [b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(self.header), self.header],
        )

    @property
    def digest(self) -> bytes:
        """The document digest: it does not change when a signature is added."""
        return sha256(self.pae)

    @property
    def signers(self) -> list[bytes]:
        return [key for key, _ in self.signatures]

    def sign(self, seed: bytes) -> None:
        self.signatures.append((ed25519.public_key(seed), ed25519.sign(seed, self.pae)))

    def to_bytes(self) -> bytes:
        signatures = b"".join(key + signature for key, signature in self.signatures)
        return (
            self.type.encode("ascii") + b"\n"
            + u32(len(self.header)) + self.header
            + u8(len(self.signatures)) + signatures
            + u64(len(self.body)) + self.body
        )

    def check_signatures(self) -> None:
        if len(set(self.signers)) != len(self.signers):
            raise HeduiError("signatures", "the same key twice")
        for key, signature in self.signatures:
            ed25519.verify(key, signature, self.pae)

    def read_header(self) -> dict[str, Any]:
        return canonical.read(self.header, "header")


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if len(self.data) - self.at < count:
            raise HeduiError("framing", "the document ends too early")
        piece = self.data[self.at:self.at + count]
        self.at += count
        return piece

    def number(self, size: int, low: int, high: int, what: str) -> int:
        value = int.from_bytes(self.take(size), "big")
        if not low <= value <= high:
            raise HeduiError("framing", f"{what} is {value}, outside {low} to {high}")
        return value


def parse(data: bytes) -> Envelope:
    """Check the framing, of which a first line that is spelt as a type is part; nothing else."""
    line = re.match(rb"([a-z0-9/-]{1,%d})\n" % LONGEST_TYPE, data)
    if not line:
        raise HeduiError("framing", "no type line of 1 to 64 bytes")
    cursor = _Cursor(data)
    kind = cursor.take(line.end())[:-1]
    header = cursor.take(cursor.number(4, 2, LONGEST_HEADER, "the header length"))
    count = cursor.number(1, 1, MOST_SIGNATURES, "the signature count")
    signatures = [(cursor.take(32), cursor.take(64)) for _ in range(count)]
    body = cursor.take(cursor.number(8, 0, LONGEST_BODY, "the body length"))
    if cursor.at != len(data):
        raise HeduiError("framing", "bytes after the body")
    return Envelope(kind.decode("ascii"), header, signatures, body)
