"""SPEC §8: the key file, a signing and a sealing key under a passphrase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from . import canonical, ed25519, forms, hpke
from .basics import HeduiError, from_b64, to_b64

TYPE = "hedui/key/v1"
WHITE_SPACE = b" \t\n\r"
KDF = {"m_kib": 32768, "name": "argon2id", "p": 1, "t": 4}
ROLES = ("centre", "institution", "officer", "approver", "compliance", "cosigner", "host", "publisher")
TABLE: dict[str, forms.Form] = {
    "code": forms.code,
    "kdf": forms.object_of({
        "m_kib": forms.integer(8192, 65536),
        "name": forms.one_of("argon2id"),
        "p": forms.one_of(1),
        "t": forms.integer(1, 16),
    }),
    "name": forms.text,
    "role": forms.one_of(*ROLES),
    "salt": forms.sealed(16),
    "sealed": forms.sealed(64 + 16),
    "sealing_key": forms.key,
    "signing_key": forms.key,
    "type": forms.one_of(TYPE),
}


@dataclass
class Keys:
    code: str
    name: str
    role: str
    signing_seed: bytes
    sealing_private: bytes

    @property
    def signing_key(self) -> bytes:
        return ed25519.public_key(self.signing_seed)

    @property
    def sealing_key(self) -> bytes:
        return hpke.public_key(self.sealing_private)


def _cipher(header: dict[str, Any], passphrase: str) -> ChaCha20Poly1305:
    secret = passphrase.encode("utf-8")
    if len(secret) < 8:
        raise HeduiError("passphrase", "shorter than 8 bytes")
    kdf, salt = header["kdf"], from_b64(header["salt"], "salt", 16)
    derive = Argon2id(salt=salt, length=32, iterations=kdf["t"], lanes=kdf["p"], memory_cost=kdf["m_kib"])
    return ChaCha20Poly1305(derive.derive(secret))


def write(keys: Keys, passphrase: str, salt: bytes, kdf: dict[str, Any] | None = None) -> bytes:
    header: dict[str, Any] = {
        "code": keys.code,
        "kdf": kdf or KDF,
        "name": keys.name,
        "role": keys.role,
        "salt": to_b64(salt),
        "sealing_key": keys.sealing_key.hex(),
        "signing_key": keys.signing_key.hex(),
        "type": TYPE,
    }
    forms.members(header | {"sealed": to_b64(bytes(80))}, TABLE)
    secrets = keys.signing_seed + keys.sealing_private
    sealed = _cipher(header, passphrase).encrypt(bytes(12), secrets, canonical.write(header))
    return canonical.write(header | {"sealed": to_b64(sealed)})


def open_keys(data: bytes, passphrase: str) -> Keys:
    """White space at the end of the file is allowed: editors add it."""
    header = canonical.read(data.rstrip(WHITE_SPACE), "key file")
    forms.members(header, TABLE)
    sealed = from_b64(header.pop("sealed"), "sealed", 80)
    try:
        secrets = _cipher(header, passphrase).decrypt(bytes(12), sealed, canonical.write(header))
    except InvalidTag:
        raise HeduiError("passphrase", "wrong, or the file was changed") from None
    keys = Keys(header["code"], header["name"], header["role"], secrets[:32], secrets[32:])
    if keys.signing_key.hex() != header["signing_key"]:
        raise HeduiError("signing_key", "not that of the sealed seed")
    if keys.sealing_key.hex() != header["sealing_key"]:
        raise HeduiError("sealing_key", "not that of the sealed private key")
    return keys
