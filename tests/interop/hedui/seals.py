"""SPEC §6.1 to §6.4: wrapping for opening groups, the token key, the ticket, and the parts of an answer."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import hpke
from .basics import HeduiError, label, sha256, u8, u32, u64
from .hedged import Hedged

TAG = 16
TICKET_BYTES = 32 + 4 + 4


def wrapped_size(group: list[bytes]) -> int:
    return 32 + hpke.OVERHEAD * len(group)


def _group_info(name: str, context: bytes, number: int, depth: int) -> bytes:
    return label(name, context + u8(number) + u8(depth))


def wrap_for_group(
    name: str, context: bytes, number: int, keys: list[bytes], secret: bytes, stream: Hedged
) -> bytes:
    """The key that opens first is sealed to last; each Seal takes the next 32 bytes of the stream."""
    wrapped = secret
    for depth in reversed(range(len(keys))):
        wrapped = hpke.seal(keys[depth], _group_info(name, context, number, depth), wrapped, stream.take(32))
    return wrapped


def unwrap_for_group(name: str, context: bytes, number: int, private_keys: list[bytes], wrapped: bytes) -> bytes:
    for depth, private in enumerate(private_keys):
        wrapped = hpke.open_sealed(private, _group_info(name, context, number, depth), wrapped)
    return wrapped


def _token_key_info(roster_id: bytes, agreement: bytes) -> bytes:
    return label("token-key", roster_id + agreement)


def seal_token_key(institution: bytes, roster_id: bytes, agreement: bytes, key: bytes, stream: Hedged) -> bytes:
    return hpke.seal(institution, _token_key_info(roster_id, agreement), key, stream.take(32))


def open_token_key(private: bytes, roster_id: bytes, agreement: bytes, sealed: bytes) -> bytes:
    key = hpke.open_sealed(private, _token_key_info(roster_id, agreement), sealed)
    if len(key) != 32:
        raise HeduiError("token_key", "not 32 bytes")
    return key


def _ticket_info(roster_id: bytes, agreement: bytes) -> bytes:
    return label("ticket", roster_id + agreement)


def seal_ticket(
    centre: bytes, roster_id: bytes, agreement: bytes, seed: bytes, real: int, slots: int, stream: Hedged
) -> bytes:
    return hpke.seal(centre, _ticket_info(roster_id, agreement), seed + u32(real) + u32(slots), stream.take(32))


def open_ticket(private: bytes, roster_id: bytes, agreement: bytes, sealed: bytes) -> tuple[bytes, int, int]:
    """The seed, the real count and the slot count."""
    ticket = hpke.open_sealed(private, _ticket_info(roster_id, agreement), sealed)
    if len(ticket) != TICKET_BYTES:
        raise HeduiError("ticket", "not 40 bytes")
    return ticket[:32], int.from_bytes(ticket[32:36], "big"), int.from_bytes(ticket[36:], "big")


def answer_binding(
    roster_digest: bytes, module_sha256: bytes, version: int, created: int, institution_signing_key: bytes
) -> bytes:
    if created < 0:
        raise HeduiError("created", "before 1970, which u64 cannot say")
    context = roster_digest + module_sha256 + u32(version) + u64(created) + institution_signing_key
    return sha256(label("answer-binding", context))


def _part_nonce(number: int) -> bytes:
    return bytes(4) + u64(number)


def seal_part(content_key: bytes, number: int, part: bytes, binding: bytes) -> bytes:
    return ChaCha20Poly1305(content_key).encrypt(_part_nonce(number), part, binding)


def open_part(content_key: bytes, number: int, sealed: bytes, binding: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(content_key).decrypt(_part_nonce(number), sealed, binding)
    except InvalidTag:
        raise HeduiError("body", f"sealed part {number} does not open") from None
