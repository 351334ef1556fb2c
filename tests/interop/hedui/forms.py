"""The forms that members take (SPEC §1, §2.1, §4): each checks one value and names the member it refuses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from .basics import HeduiError, from_b64, from_hex, parse_date, parse_time
from .canonical import LARGEST_INTEGER

Form = Callable[[Any, str], None]


def members(value: dict[str, Any], table: dict[str, Form], prefix: str = "") -> None:
    """Every member of the table must be there, and no other. A member of a member is named `outer.inner`."""
    for missing in sorted(table.keys() - value.keys()):
        raise HeduiError(prefix + missing, "missing")
    for unknown in sorted(value.keys() - table.keys()):
        raise HeduiError(prefix + unknown, "unknown member")
    for member in sorted(table):
        table[member](value[member], prefix + member)


def text(value: Any, name: str) -> None:
    if not isinstance(value, str):
        raise HeduiError(name, "not a text")
    if len(value.encode("utf-8")) > 1024:
        raise HeduiError(name, "longer than 1,024 bytes")
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise HeduiError(name, "a control character")


def any_text(value: Any, name: str) -> None:
    """Of any length, and with any characters."""
    if not isinstance(value, str):
        raise HeduiError(name, "not a text")


def code(value: Any, name: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,32}", value):
        raise HeduiError(name, "not a code")


def release(value: Any, name: str) -> None:
    number = "(?:0|[1-9][0-9]{0,4})"
    if not isinstance(value, str) or not re.fullmatch(rf"{number}\.{number}\.{number}", value):
        raise HeduiError(name, "not MAJOR.MINOR.PATCH")
    if max(release_numbers(value)) > 65_535:
        raise HeduiError(name, "a number above 65,535")


def release_numbers(release_text: str) -> tuple[int, ...]:
    """Releases compare as these."""
    return tuple(int(number) for number in release_text.split("."))


def currency(value: Any, name: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise HeduiError(name, "not three capital letters")


def boolean(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        raise HeduiError(name, "not true or false")


def date(value: Any, name: str) -> None:
    parse_date(value, name)


def time(value: Any, name: str) -> None:
    parse_time(value, name)


def key(value: Any, name: str) -> None:
    from_hex(value, name, 32)


digest = key


def identifier(value: Any, name: str) -> None:
    from_hex(value, name, 16)


def sealed(length: int) -> Form:
    def check(value: Any, name: str) -> None:
        from_b64(value, name, length)
    return check


def sealed_up_to(most: int) -> Form:
    def check(value: Any, name: str) -> None:
        if len(from_b64(value, name)) > most:
            raise HeduiError(name, f"longer than {most} bytes")
    return check


def integer(low: int = 0, high: int = LARGEST_INTEGER) -> Form:
    def check(value: Any, name: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise HeduiError(name, f"not an integer from {low} to {high}")
    return check


def one_of(*choices: Any) -> Form:
    def check(value: Any, name: str) -> None:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise HeduiError(name, "not one of the values it may have")
    return check


def or_null(form: Form) -> Form:
    def check(value: Any, name: str) -> None:
        if value is not None:
            form(value, name)
    return check


def list_of(form: Form, least: int = 0, most: int | None = None) -> Form:
    def check(value: Any, name: str) -> None:
        if not isinstance(value, list):
            raise HeduiError(name, "not a list")
        if len(value) < least or (most is not None and len(value) > most):
            raise HeduiError(name, "too few or too many")
        for item in value:
            form(item, name)
    return check


def sorted_list_of(form: Form, least: int = 0) -> Form:
    """Sorted by byte, each value once."""
    def check(value: Any, name: str) -> None:
        list_of(form, least)(value, name)
        spelt = [item.encode("utf-8") for item in value]
        if any(a >= b for a, b in zip(spelt, spelt[1:])):
            raise HeduiError(name, "not sorted, or a value twice")
    return check


def object_of(table: dict[str, Form]) -> Form:
    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            raise HeduiError(name, "not an object")
        members(value, table, name + ".")
    return check


def counts(*names: str) -> Form:
    """An object of counts by name; counts of zero are left out."""
    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            raise HeduiError(name, "not an object")
        for counted in value:
            if counted not in names:
                raise HeduiError(name, f"{counted} is not counted here")
            integer(1)(value[counted], name)
    return check
