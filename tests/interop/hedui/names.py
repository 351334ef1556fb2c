"""SPEC §3.5: names are compared by two short tags, and never take part in a token."""

from __future__ import annotations

import re
import unicodedata

from .subjects import FULLWIDTH, LOWERCASE, SPACES
from .tokens import prf

MIDDLE_DOTS = dict.fromkeys((0x2022, 0x2027, 0x30FB, 0xFF65, 0x2E, 0x22C5, 0x2219), 0xB7)
NOT_COMPARED, SAME, SAME_FOLDED, DIFFERENT = range(4)


def trimmed(name: str) -> str:
    return name.strip("".join(SPACES))


def folded(name: str) -> str:
    """The numbers are those of the steps."""
    text = trimmed(trimmed(name).translate(FULLWIDTH))  # 1
    if text.endswith(")") and "(" in text:  # 2
        text = text[:text.rindex("(")]
    text = text.translate(LOWERCASE)  # 3
    if text.isascii():  # 4
        text = "".join(sorted(re.split("[ ,.]", text)))
    else:
        text = text.translate(MIDDLE_DOTS)
    return "".join(c for c in text if c not in SPACES)  # 5


def is_wild(name: str) -> bool:
    """A name that cannot be compared: nothing left, or a mark of lost characters."""
    text = folded(name)
    return not text or any(c in "?*\u25a1\ufffd" or unicodedata.category(c) == "Co" for c in text)


def tags(prf_name: str, key: bytes, token: bytes, name: str) -> tuple[bytes, bytes]:
    """The folded tag (2 bytes) and the exact tag (1 byte)."""
    folded_tag = prf(prf_name, key, b"\xf0" + token + folded(name).encode("utf-8"))[:2]
    exact_tag = prf(prf_name, key, b"\xf1" + token + trimmed(name).encode("utf-8"))[:1]
    return folded_tag, exact_tag


def flag(prf_name: str, key: bytes, token: bytes, name: str, folded_tag: bytes, exact_tag: bytes) -> int:
    """How a customer row's name compares with the tags of a roster entry."""
    if is_wild(name):
        return NOT_COMPARED
    row_folded, row_exact = tags(prf_name, key, token, name)
    if row_folded != folded_tag:
        return DIFFERENT
    return SAME if row_exact == exact_tag else SAME_FOLDED
