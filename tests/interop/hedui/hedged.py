"""SPEC §6.5: the hedged generator. Nothing here draws randomness of its own."""

from __future__ import annotations

import blake3

from .basics import HeduiError, sha256, u8

CONTEXT = "hedui 2026-11-22 hedged generator v1"
USES = ("answer", "roster", "key-file", "answer-copy", "base-data", "cosign-request")


class Hedged:
    """A stream of bytes that depends on the entropy, on what is to be sealed and on the caller's secret key."""

    def __init__(self, use: str, seed: bytes, everything_digest: bytes, secret: bytes = b"") -> None:
        if use not in USES:
            raise HeduiError("use", "not a use of the generator")
        if len(seed) != 32 or seed == bytes(32):
            raise HeduiError("entropy", "not 32 bytes, or all zero")
        if len(everything_digest) != 32:
            raise HeduiError("everything_digest", "not 32 bytes")
        material = u8(len(use)) + use.encode("ascii") + seed + everything_digest + secret
        self._hasher = blake3.blake3(material, derive_key_context=CONTEXT)
        self._taken = 0

    @classmethod
    def over(cls, use: str, seed: bytes, everything: bytes, secret: bytes = b"") -> Hedged:
        return cls(use, seed, sha256(everything), secret)

    def take(self, count: int) -> bytes:
        piece = self._hasher.digest(length=count, seek=self._taken)
        self._taken += count
        return piece
