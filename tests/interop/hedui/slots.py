"""SPEC §5.1: the answer to one slot, of one size for each level."""

from __future__ import annotations

import datetime
import struct
from dataclasses import dataclass, field
from typing import Any

from .basics import HeduiError
from .documents import SLOT_SIZES

HEAD = struct.Struct(">BBBBIBBB5x")
TOTAL = struct.Struct(">B3sqHHII")
ACCOUNT = struct.Struct(">B3sqIBBBB24s20s")
MOST_TOTALS, MOST_ACCOUNTS = 24, 32
ACCOUNTS_AT = HEAD.size + MOST_TOTALS * TOTAL.size

KINDS = {
    1: "deposit", 2: "wealth", 3: "fund", 4: "bond", 5: "stock", 6: "cash", 7: "insurance", 8: "metal", 9: "other",
    129: "loan", 130: "credit_card", 131: "margin",
}
STATUSES = ("unknown", "active", "closed", "dormant", "frozen")
OUTCOMES = ("no_record", "found")
LINES = ("not_asked", "not_over", "over")
NAME_FLAGS = ("not_compared", "same", "same_folded", "different")
NOTES = (
    "totals_cut", "accounts_cut", "amount_unreadable", "sum_overflow", "date_unreadable", "product_unknown",
    "currency_unknown",
)
ACCOUNT_BITS = ("amount_empty", "amount_unreadable", "date_unreadable")


@dataclass
class Total:
    kind: int
    currency: str
    minor: int = 0
    accounts: int = 0
    blank: int = 0
    oldest: int = 0
    newest: int = 0

    def to_bytes(self) -> bytes:
        return TOTAL.pack(
            self.kind, self.currency.encode("ascii"), self.minor, self.accounts, self.blank, self.oldest, self.newest
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Total:
        kind, currency, *numbers = TOTAL.unpack(data)
        total = cls(_kind(kind), _currency(currency), *numbers)
        _day(total.oldest)
        _day(total.newest)
        return total


@dataclass
class Account:
    kind: int
    currency: str
    minor: int = 0
    date: int = 0
    status: int = 0
    name_flag: int = 0
    ordinal: int = 0
    bits: int = 0
    account: str = ""
    product: str = ""

    def to_bytes(self) -> bytes:
        return ACCOUNT.pack(
            self.kind, self.currency.encode("ascii"), self.minor, self.date, self.status, self.name_flag,
            self.ordinal, self.bits, _cut(self.account, 24), _cut(self.product, 20),
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Account:
        kind, currency, minor, date, status, flag, ordinal, bits, account, product = ACCOUNT.unpack(data)
        if status >= len(STATUSES) or flag >= len(NAME_FLAGS) or ordinal > 7 or bits >= 1 << len(ACCOUNT_BITS):
            raise HeduiError("slot", "a status, flag, ordinal or bit that does not exist")
        return cls(
            _kind(kind), _currency(currency), minor, _day(date), status, flag, ordinal, bits,
            _padded(account), _padded(product),
        )


@dataclass
class Slot:
    outcome: int = 0
    name_flags: int = 0
    line: int = 0
    ordinals: int = 0
    rows: int = 0
    notes: int = 0
    totals: list[Total] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)

    def to_bytes(self, level: str) -> bytes:
        """Totals and accounts are put in their order; more than fit are refused, cutting is the matcher's work."""
        if len(self.totals) > MOST_TOTALS or len(self.accounts) > MOST_ACCOUNTS:
            raise HeduiError("slot", "more totals or accounts than fit")
        head = HEAD.pack(
            self.outcome, self.name_flags, self.line, self.ordinals, self.rows,
            len(self.totals), len(self.accounts), self.notes,
        )
        totals = b"".join(sorted((t.to_bytes() for t in self.totals), key=lambda t: t[:4]))
        accounts = b"".join(sorted(a.to_bytes() for a in self.accounts))
        if (totals and level == "L0") or (accounts and level != "L2"):
            raise HeduiError("slot", "totals or accounts that the level does not have")
        body = head + totals.ljust(ACCOUNTS_AT - HEAD.size, b"\x00") + accounts
        return body.ljust(SLOT_SIZES["L2"], b"\x00")[:SLOT_SIZES[level]]

    @classmethod
    def from_bytes(cls, data: bytes, level: str) -> Slot:
        """Strict: what reads is what `to_bytes` writes."""
        if len(data) != SLOT_SIZES[level]:
            raise HeduiError("slot", "not the size of the level")
        outcome, flags, line, ordinals, rows, total_count, account_count, notes = HEAD.unpack(data[:HEAD.size])
        if outcome > 1 or line > 2 or flags >= 1 << len(NAME_FLAGS) or notes >= 1 << len(NOTES):
            raise HeduiError("slot", "an outcome, line, flag or note that does not exist")
        if total_count > MOST_TOTALS or account_count > MOST_ACCOUNTS:
            raise HeduiError("slot", "more totals or accounts than fit")
        full = data.ljust(SLOT_SIZES["L2"], b"\x00")
        slot = cls(
            outcome, flags, line, ordinals, rows, notes,
            [Total.from_bytes(piece) for piece in _pieces(full, HEAD.size, TOTAL.size, total_count)],
            [Account.from_bytes(piece) for piece in _pieces(full, ACCOUNTS_AT, ACCOUNT.size, account_count)],
        )
        order = [(total.kind, total.currency) for total in slot.totals]
        if any(a >= b for a, b in zip(order, order[1:])):
            raise HeduiError("slot", "totals not sorted, or one twice")
        if slot.to_bytes(level) != data:
            raise HeduiError("slot", "accounts not sorted, or bytes that should be zero")
        return slot

    def readable(self) -> dict[str, Any]:
        return {
            "outcome": OUTCOMES[self.outcome],
            "name_flags": _words(self.name_flags, NAME_FLAGS),
            "line": LINES[self.line],
            "ordinals": [i for i in range(8) if self.ordinals >> i & 1],
            "rows": self.rows,
            "notes": _words(self.notes, NOTES),
            "totals": [vars(total) | {"kind": KINDS[total.kind]} for total in self.totals],
            "accounts": [
                vars(account) | {
                    "kind": KINDS[account.kind],
                    "status": STATUSES[account.status],
                    "name_flag": NAME_FLAGS[account.name_flag],
                    "bits": _words(account.bits, ACCOUNT_BITS),
                }
                for account in self.accounts
            ],
        }


def _pieces(data: bytes, start: int, size: int, count: int) -> list[bytes]:
    return [data[start + i * size:start + (i + 1) * size] for i in range(count)]


def _words(bits: int, words: tuple[str, ...]) -> list[str]:
    return [word for i, word in enumerate(words) if bits >> i & 1]


def _kind(kind: int) -> int:
    if kind not in KINDS:
        raise HeduiError("slot", f"no asset or liability is of kind {kind}")
    return kind


def _day(number: int) -> int:
    """yyyymmdd as a number, 0 for none; the years are those of §1."""
    if number:
        if not 1900 <= number // 10_000 <= 2199:
            raise HeduiError("slot", f"{number} is no day")
        try:
            datetime.date(number // 10_000, number // 100 % 100, number % 100)
        except ValueError:
            raise HeduiError("slot", f"{number} is no day") from None
    return number


def _currency(data: bytes) -> str:
    if not (data.isalpha() and data.isupper()):
        raise HeduiError("slot", "a currency that is not three capital letters")
    return data.decode("ascii")


def _cut(text: str, size: int) -> bytes:
    """UTF-8 cut at a character, zero-padded."""
    return text.encode("utf-8")[:size].decode("utf-8", "ignore").encode("utf-8").ljust(size, b"\x00")


def _padded(data: bytes) -> str:
    try:
        text = data.rstrip(b"\x00").decode("utf-8")
    except UnicodeDecodeError:
        raise HeduiError("slot", "a text that is not UTF-8") from None
    if "\x00" in text:
        raise HeduiError("slot", "a zero byte inside a text")
    return text
