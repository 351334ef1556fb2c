"""SPEC §3.4: the two pseudo-random functions and the token of a subject."""

from __future__ import annotations

import hashlib
import hmac

import blake3

from .basics import HeduiError, u8
from .subjects import KIND_BYTES, Subject


def prf(name: str, key: bytes, message: bytes) -> bytes:
    if len(key) != 32:
        raise HeduiError("key", "a token key has 32 bytes")
    if name == "blake3":
        return blake3.blake3(message, key=key).digest()
    if name == "hmac-sha256":
        return hmac.new(key, message, hashlib.sha256).digest()
    raise HeduiError("prf", "not a function of version 1")


def token(prf_name: str, key: bytes, subject: Subject) -> bytes:
    if subject.kind not in KIND_BYTES:
        raise HeduiError("kind", "not a kind of subject")
    return prf(prf_name, key, u8(KIND_BYTES[subject.kind]) + subject.number.encode("utf-8"))[:16]
