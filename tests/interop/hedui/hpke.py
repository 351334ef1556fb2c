"""SPEC §6: HPKE (RFC 9180), base mode, single shot, for the one suite Hedui uses.

DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20Poly1305 0x0003.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .basics import HeduiError, u16

KEM_SUITE = b"KEM" + u16(0x0020)
HPKE_SUITE = b"HPKE" + u16(0x0020) + u16(0x0001) + u16(0x0003)
OVERHEAD = 32 + 16


def _extract(suite: bytes, salt: bytes, name: bytes, keying: bytes) -> bytes:
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + name + keying, hashlib.sha256).digest()


def _expand(suite: bytes, key: bytes, name: bytes, info: bytes, length: int) -> bytes:
    labelled = u16(length) + b"HPKE-v1" + suite + name + info
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(key, block + labelled + bytes([counter]), hashlib.sha256).digest()
        output, counter = output + block, counter + 1
    return output[:length]


def public_key(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def derive_private_key(keying: bytes) -> bytes:
    """DeriveKeyPair, RFC 9180 §7.1.3."""
    return _expand(KEM_SUITE, _extract(KEM_SUITE, b"", b"dkp_prk", keying), b"sk", b"", 32)


def _agree(private: bytes, public: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # the shared secret is all zero
        raise HeduiError("seal", "a public key of small order") from None


def _shared_secret(agreed: bytes, enc: bytes, recipient: bytes) -> bytes:
    extracted = _extract(KEM_SUITE, b"", b"eae_prk", agreed)
    return _expand(KEM_SUITE, extracted, b"shared_secret", enc + recipient, 32)


def key_schedule(shared_secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The AEAD key and the base nonce, which is the nonce of the first message."""
    context = (
        b"\x00"
        + _extract(HPKE_SUITE, b"", b"psk_id_hash", b"")
        + _extract(HPKE_SUITE, b"", b"info_hash", info)
    )
    secret = _extract(HPKE_SUITE, shared_secret, b"secret", b"")
    key = _expand(HPKE_SUITE, secret, b"key", context, 32)
    return key, _expand(HPKE_SUITE, secret, b"base_nonce", context, 12)


def seal(recipient: bytes, info: bytes, plaintext: bytes, keying: bytes, aad: bytes = b"") -> bytes:
    """enc ‖ ct. `keying` is the 32 bytes that the ephemeral key pair is derived from."""
    ephemeral = derive_private_key(keying)
    enc = public_key(ephemeral)
    key, nonce = key_schedule(_shared_secret(_agree(ephemeral, recipient), enc, recipient), info)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def open_sealed(private: bytes, info: bytes, sealed: bytes, aad: bytes = b"") -> bytes:
    if len(sealed) < OVERHEAD:
        raise HeduiError("seal", "shorter than an empty seal")
    enc, ciphertext = sealed[:32], sealed[32:]
    key, nonce = key_schedule(_shared_secret(_agree(private, enc), enc, public_key(private)), info)
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise HeduiError("seal", "does not open with this key") from None
