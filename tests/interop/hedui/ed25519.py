"""Ed25519 (RFC 8032), checked strictly as SPEC §2 asks.

`cryptography` checks the equation without the cofactor and compares R by its bytes. What it leaves open is
refused here first: keys and R of small order, keys and R not encoded canonically, S not below the group order.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .basics import HeduiError

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _square_root(value: int) -> int | None:
    root = pow(value, (P + 3) // 8, P)
    for candidate in (root, root * ROOT_OF_MINUS_ONE % P):
        if candidate * candidate % P == value % P:
            return candidate
    return None


def _small_order_y() -> frozenset[int]:
    """The y of all eight points of small order: 0, 1, -1 and the four roots of d·y⁴ + 2y² - 1 = 0."""
    found = {0, 1, P - 1}
    root = _square_root(1 + D)
    for sign in (1, -1):
        y = _square_root((-1 + sign * root) * pow(D, -1, P) % P) if root is not None else None
        if y is not None:
            found |= {y, P - y}
    return frozenset(found)


SMALL_ORDER_Y = _small_order_y()


def _check_point(encoded: bytes, what: str) -> None:
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= P:
        raise HeduiError("signatures", f"{what} is not encoded canonically")
    if y in SMALL_ORDER_Y:
        raise HeduiError("signatures", f"{what} is of small order")


def public_key(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(key: bytes, signature: bytes, message: bytes) -> None:
    _check_point(key, "the key")
    _check_point(signature[:32], "R")
    if int.from_bytes(signature[32:], "little") >= ORDER:
        raise HeduiError("signatures", "S is not below the group order")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise HeduiError("signatures", "a signature that does not hold") from None
