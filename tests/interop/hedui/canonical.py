"""SPEC §2.1: canonical JSON, a narrower RFC 8785."""

from __future__ import annotations

import json
from typing import Any

from .basics import HeduiError

LARGEST_INTEGER = 2**53 - 1
DEEPEST = 8
ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def write(value: Any, field: str = "json") -> bytes:
    """The one spelling of `value`; refuses what canonical JSON cannot say."""
    try:
        return _text(value, field, 1).encode("utf-8")
    except UnicodeEncodeError:
        raise HeduiError(field, "a text with a lone surrogate") from None


def read(data: bytes, field: str = "json") -> dict[str, Any]:
    """The object that `data` spells; refuses every other spelling than `write` gives."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=lambda pairs: _object(pairs, field),
            parse_float=lambda text: _refuse_number(text, field),
            parse_constant=lambda text: _refuse_number(text, field),
        )
    except (ValueError, RecursionError):
        raise HeduiError(field, "not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise HeduiError(field, "not a JSON object")
    if write(value, field) != data:
        raise HeduiError(field, "not canonical JSON")
    return value


def _object(pairs: list[tuple[str, Any]], field: str) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise HeduiError(field, "a member twice")
    return value


def _refuse_number(text: str, field: str) -> Any:
    raise HeduiError(field, f"the number {text[:32]} is no integer")


def _text(value: Any, field: str, level: int) -> str:
    """`level` is that of `value` if it is an object or a list; the outermost object is level 1."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not 0 <= value <= LARGEST_INTEGER:
            raise HeduiError(field, "an integer outside 0 to 2^53-1")
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if level > DEEPEST:
        raise HeduiError(field, f"more than {DEEPEST} levels deep")
    if isinstance(value, list):
        return "[" + ",".join(_text(item, field, level + 1) for item in value) + "]"
    if isinstance(value, dict):
        if not all(isinstance(name, str) and name.isascii() for name in value):
            raise HeduiError(field, "a member name that is not ASCII")
        members = (_quoted(name) + ":" + _text(value[name], field, level + 1) for name in sorted(value))
        return "{" + ",".join(members) + "}"
    raise HeduiError(field, f"a {type(value).__name__} cannot be written")


def _quoted(text: str) -> str:
    return '"' + "".join(ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'
