"""SPEC §1: notation. Bytes, integers, texts of bytes, times, digests."""

from __future__ import annotations

import base64
import binascii
import calendar
import datetime
import hashlib
import re


class HeduiError(Exception):
    """A refusal. `field` names the part of the input that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def u8(value: int) -> bytes:
    return value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def i64(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def label(name: str, context: bytes) -> bytes:
    """LABEL(name, context): every use of a key or digest has its own name (§11)."""
    return b"hedui/v1/" + name.encode("ascii") + b"\x00" + context


def from_hex(text: object, field: str, length: int | None = None) -> bytes:
    """Lower-case hexadecimal only, of exactly `length` bytes when given."""
    if not isinstance(text, str) or not re.fullmatch(r"(?:[0-9a-f]{2})*", text):
        raise HeduiError(field, "not lower-case hexadecimal")
    data = bytes.fromhex(text)
    if length is not None and len(data) != length:
        raise HeduiError(field, f"{len(data)} bytes where {length} are due")
    return data


def to_b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def from_b64(text: object, field: str, length: int | None = None) -> bytes:
    """Base64 of RFC 4648 §4 with padding; any other spelling of the same bytes is refused."""
    if not isinstance(text, str):
        raise HeduiError(field, "not a text")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise HeduiError(field, "not base64") from None
    if to_b64(data) != text:
        raise HeduiError(field, "base64 in another spelling")
    if length is not None and len(data) != length:
        raise HeduiError(field, f"{len(data)} bytes where {length} are due")
    return data


def parse_date(text: object, field: str) -> datetime.date:
    match = isinstance(text, str) and re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    if not match:
        raise HeduiError(field, "not a date YYYY-MM-DD")
    year, month, day = (int(part) for part in match.groups())
    if not 1900 <= year <= 2199:
        raise HeduiError(field, "a year outside 1900 to 2199")
    try:
        return datetime.date(year, month, day)
    except ValueError:
        raise HeduiError(field, "a day that does not exist") from None


def parse_time(text: object, field: str) -> int:
    """A time as Unix seconds, from 1970. Leap seconds (`:60`) are refused."""
    match = isinstance(text, str) and re.fullmatch(
        r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z", text
    )
    if not match:
        raise HeduiError(field, "not a time YYYY-MM-DDTHH:MM:SSZ")
    day = parse_date(match[1], field)
    if day.year < 1970:
        raise HeduiError(field, "a time before 1970")
    hour, minute, second = int(match[2]), int(match[3]), int(match[4])
    if hour > 23 or minute > 59 or second > 59:
        raise HeduiError(field, "a time of day that does not exist")
    return calendar.timegm((day.year, day.month, day.day, hour, minute, second))
