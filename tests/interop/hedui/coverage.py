"""SPEC §5.2: the coverage statement, canonical JSON padded with zero bytes to 4,096."""

from __future__ import annotations

from typing import Any

from . import canonical, forms
from .basics import HeduiError
from .subjects import NORMALISED, REASONS

SIZE = 4096
ROLES = (
    "account", "account_count", "amount", "amount:bond", "amount:cash", "amount:credit_card", "amount:deposit",
    "amount:fund", "amount:insurance", "amount:loan", "amount:margin", "amount:metal", "amount:stock",
    "amount:wealth", "balance_date", "currency", "id_kind", "id_number", "name", "product", "status",
)
TABLE: dict[str, forms.Form] = {
    "balance_date": forms.or_null(forms.date),
    "columns": forms.sorted_list_of(forms.one_of(*ROLES)),
    "encoding": forms.one_of("utf-8", "gb18030", "utf-16le", "utf-16be"),
    "files": forms.list_of(forms.object_of({"bytes": forms.integer(), "rows": forms.integer()})),
    "grain": forms.one_of("account", "customer"),
    "normalised": forms.counts(*NORMALISED),
    "not_personal": forms.integer(),
    "quarantined": forms.counts(*REASONS, "ragged", "undecodable"),
    "rows": forms.integer(),
    "skipped": forms.counts("blank", "footer", "repeated_header"),
    "valid": forms.integer(),
}


def check(statement: dict[str, Any]) -> None:
    forms.members(statement, TABLE)
    placed = statement["valid"] + statement["not_personal"] + sum(statement["quarantined"].values())
    if statement["rows"] != placed:
        raise HeduiError("rows", "not valid + not_personal + quarantined")


def write(statement: dict[str, Any]) -> bytes:
    check(statement)
    data = canonical.write(statement, "coverage")
    if len(data) > SIZE:
        raise HeduiError("coverage", "longer than 4,096 bytes")
    return data.ljust(SIZE, b"\x00")


def read(data: bytes) -> dict[str, Any]:
    if len(data) != SIZE:
        raise HeduiError("coverage", "not 4,096 bytes")
    statement = canonical.read(data.rstrip(b"\x00"), "coverage")
    check(statement)
    return statement
