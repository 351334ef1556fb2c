"""A customer file whose rows are known before they are spelled, and what must be found in it (SPEC §3, §5.1, §5.2).

It reads nothing: the generator says what a cell means and how it is spelled. So it is no second matcher, but the
truth a matcher is held against.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hedui import coverage, names, slots, tokens
from hedui.rosters import Person
from hedui.slots import Account, Slot, Total
from hedui.subjects import Outcome, hint_of, subjects_of

from .world import Setup, token_key

HEADING = ("姓名", "证件类型", "证件号码", "账号", "币种", "账户余额", "余额日期", "产品名称", "账户状态")
COLUMNS = ["account", "amount", "balance_date", "currency", "id_kind", "id_number", "name", "product", "status"]
PRODUCTS = {"活期存款": 1, "理财产品": 2, "开放式基金": 3, "储蓄国债": 4, "住房贷款": 129, "信用卡": 130}
STATES = {"正常": 1, "销户": 2, "久悬": 3, "冻结": 4, "": 0}


@dataclass
class Row:
    """One account. `minor` is in the currency's minor unit; None is an empty cell, as is a date of 0."""

    name: str
    number: str
    minor: int | None = 100
    currency: str = "CNY"
    date: int = 20261031
    account: str = "6222"
    product: str = "活期存款"
    state: str = "正常"
    paper: str = "身份证"

    def cells(self) -> tuple[str, ...]:
        if self.minor is None:
            amount = ""
        else:
            amount = str(self.minor) if self.currency == "JPY" else f"{self.minor // 100}.{self.minor % 100:02}"
        return (
            self.name, self.paper, self.number, self.account, self.currency, amount,
            str(self.date) if self.date else "", self.product, self.state,
        )

    def outcome(self) -> Outcome:
        return subjects_of(self.number, hint_of(self.paper))


@dataclass
class Counts:
    """What the coverage statement counts, over all files."""

    valid: int = 0
    not_personal: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    normalised: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        if outcome.subjects:
            self.valid += 1
            self.normalised.update(outcome.normalised)
        elif outcome.reason:
            self.quarantined[outcome.reason] += 1
        else:
            self.not_personal += 1


def spell(rows: list[Row], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """RFC 4180, every field quoted that needs it; encoded."""
    lines = [delimiter.join(_quoted(cell, delimiter) for cell in line) for line in [HEADING, *(r.cells() for r in rows)]]
    return "".join(line + "\r\n" for line in lines).encode(encoding)


def set_aside(files: list[list[Row]]) -> bytes:
    """The list of §10.3: a heading takes the first line of each file, and no cell here has a line break."""
    lines = ["file,row,reason,number"]
    for number, rows in enumerate(files, 1):
        for line, row in enumerate(rows, 2):
            if row.outcome().reason:
                lines.append(f"{number},{line},{row.outcome().reason},{_shown(row.number)}")
    return "".join(line + "\n" for line in lines).encode("utf-8")


def _shown(number: str) -> str:
    """At most three characters of the beginning and two of the end, of a short number a sixth and a ninth."""
    length = min(len(number), 32)
    first, last = min(3, len(number) // 6), min(2, len(number) // 9)
    ends = [c if c in "0123456789X" else "*" for c in number[:first] + number[len(number) - last:]]
    return "".join(ends[:first]) + "*" * (length - first - last) + "".join(ends[first:])


def _quoted(cell: str, delimiter: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in (delimiter, '"', "\r", "\n")) else cell


def statement(files: list[tuple[list[Row], bytes]], encoding: str) -> dict[str, Any]:
    counts = Counts()
    for rows, _ in files:
        for row in rows:
            counts.add(row.outcome())
    made = {
        "balance_date": None, "columns": COLUMNS, "encoding": encoding,
        "files": [{"bytes": len(data), "rows": len(rows)} for rows, data in files],
        "grain": "account", "normalised": dict(counts.normalised), "not_personal": counts.not_personal,
        "quarantined": dict(counts.quarantined), "rows": sum(len(rows) for rows, _ in files), "skipped": {},
        "valid": counts.valid,
    }
    coverage.check(made)
    return made


def clear_slots(setup: Setup, people: tuple[Person, ...], rows: list[Row], slot_count: int) -> list[Slot]:
    """The slots that must be sealed: what `rows` say of `people`, as far as it is asked."""
    key, asked = token_key(), setup.asked
    found = [Slot(line=0 if setup.line is None else 1) for _ in range(slot_count)]
    sums: list[dict[tuple[int, str], list[Row]]] = [{} for _ in range(slot_count)]
    lists: list[list[Account]] = [[] for _ in range(slot_count)]
    for row in rows:
        seen: set[int] = set()
        for subject in row.outcome().subjects:
            person = next((p for p in people if p.subject == subject), None)
            if person is None or person.slot in seen:
                continue
            seen.add(person.slot)
            token = tokens.token(setup.prf, key, subject)
            tags = names.tags(setup.prf, key, token, person.name)
            flag = names.flag(setup.prf, key, token, row.name, *tags)
            slot, kind = found[person.slot], PRODUCTS[row.product]
            slot.outcome = 1
            slot.name_flags |= 1 << flag if "name" in asked else 0
            slot.ordinals |= 1 << person.ordinal
            slot.rows += 1
            sums[person.slot].setdefault((kind, row.currency), []).append(row)
            lists[person.slot].append(_account(row, kind, flag, person.ordinal, asked))
    for slot, by_kind, accounts in zip(found, sums, lists):
        if setup.line is not None and slot.outcome:
            owned = (r for (kind, currency), rs in by_kind.items() if kind < 128 and currency == "CNY" for r in rs)
            slot.line = 2 if sum(r.minor or 0 for r in owned) > setup.line else 1
        if setup.level == "L0":
            slot.rows = 0
            continue
        slot.totals = [_total(kind, currency, rs, asked) for (kind, currency), rs in sorted(by_kind.items())]
        if len(slot.totals) > slots.MOST_TOTALS:
            slot.totals, slot.notes = slot.totals[:slots.MOST_TOTALS], slot.notes | 1
        if len(accounts) > slots.MOST_ACCOUNTS:
            slot.notes |= 2
        if setup.level == "L2":
            slot.accounts = sorted(accounts, key=Account.to_bytes)[:slots.MOST_ACCOUNTS]
    return found


def _account(row: Row, kind: int, flag: int, ordinal: int, asked: tuple[str, ...]) -> Account:
    bits = 0
    if "amount" in asked and row.minor is None:
        bits |= 1
    if "balance_date" in asked and not row.date:
        bits |= 4
    return Account(
        kind, row.currency,
        row.minor or 0 if "amount" in asked else 0,
        row.date if "balance_date" in asked else 0,
        STATES[row.state] if "status" in asked else 0,
        flag if "name" in asked else 0, ordinal, bits,
        row.account if "account" in asked else "",
        row.product if "product" in asked else "",
    )


def _total(kind: int, currency: str, rows: list[Row], asked: tuple[str, ...]) -> Total:
    dates = [row.date for row in rows if row.date] if "balance_date" in asked else []
    amounts = "amount" in asked
    return Total(
        kind, currency,
        sum(row.minor or 0 for row in rows) if amounts else 0,
        len(rows) if "accounts" in asked else 0,
        sum(row.minor is None for row in rows) if amounts else 0,
        min(dates, default=0), max(dates, default=0),
    )
