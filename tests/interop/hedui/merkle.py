"""SPEC §7: commitments to authorisations, and the Merkle tree of RFC 9162 §2.1 over them."""

from __future__ import annotations

import hashlib

from .basics import HeduiError, label, sha256, u8
from .subjects import KIND_BYTES, Subject


def commitment(salt: bytes, number: str, subject: Subject, scope: str) -> bytes:
    if len(salt) != 32:
        raise HeduiError("salt", "not 32 bytes")
    if subject.kind not in KIND_BYTES:
        raise HeduiError("kind", "not a kind of subject")
    person = u8(KIND_BYTES[subject.kind]) + subject.number.encode("utf-8")
    context = salt + sha256(number.encode("utf-8")) + sha256(person) + sha256(scope.encode("utf-8"))
    return sha256(label("authorisation", context))


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return _leaf(leaves[0])
    k = _split(len(leaves))
    return _node(root(leaves[:k]), root(leaves[k:]))


def path(leaves: list[bytes], index: int) -> list[bytes]:
    """The inclusion path of one leaf, from the leaf up."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*path(leaves[:k], index), root(leaves[k:])]
    return [*path(leaves[k:], index - k), root(leaves[:k])]


def root_from_path(leaf: bytes, index: int, count: int, siblings: list[bytes]) -> bytes:
    """The root that a leaf and its path lead to; the caller compares it (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < count:
        raise HeduiError("index", "outside the tree")
    remaining = list(siblings)
    found = _climb(_leaf(leaf), index, count, remaining)
    if remaining:
        raise HeduiError("path", "too long")
    return found


def _climb(leaf_hash: bytes, index: int, count: int, remaining: list[bytes]) -> bytes:
    if count == 1:
        return leaf_hash
    if not remaining:
        raise HeduiError("path", "too short")
    sibling = remaining.pop()
    k = _split(count)
    if index < k:
        return _node(_climb(leaf_hash, index, k, remaining), sibling)
    return _node(sibling, _climb(leaf_hash, index - k, count - k, remaining))
