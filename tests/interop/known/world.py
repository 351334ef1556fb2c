"""One centre, one bank and their officers: the agreements and rosters that the vectors are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fixtures import sealing, secret, seeds, signing
from hedui import base_data as tables
from hedui import documents, keyfile, rosters
from hedui.rosters import Person
from hedui.subjects import Subject

NOW = "2026-11-22T08:00:00Z"
NOW_UNIX = 1_795_334_400
PASSPHRASE = "正确的马 battery"
KDF = {"m_kib": 8192, "name": "argon2id", "p": 1, "t": 1}
MODULE = "5e" * 32
FIELDS = {
    "L0": ("name",),
    "L1": ("accounts", "amount", "balance_date", "name"),
    "L2": ("account", "accounts", "amount", "balance_date", "name", "product", "status"),
}
ONE_OFFICER = (("officer 1",),)
TWO_OF_THREE = (("officer 1", "officer 2"), ("officer 1", "officer 3"), ("officer 2", "officer 3"))

ZHANG = Subject("resident", "11010519491231002X")
ZHANG_FORMER = Subject("hk-mo-permit", "H12345678")
OUYANG = Subject("resident", "440524188001010014")
CHAN = Subject("passport", "E12345678")
LI = Subject("officer", "南01234567")
PEOPLE = (
    Person(ZHANG, "张三", 3),
    Person(ZHANG_FORMER, "CHAN TAI MAN", 3, 1),
    Person(OUYANG, "欧阳·娜娜", 60),
    Person(CHAN, "Chan, Tai-Man", 11),
    Person(LI, "李四", 0),
)


@dataclass(frozen=True)
class Setup:
    """What is agreed and asked. The defaults ask for everything that the level has a place for."""

    level: str = "L1"
    prf: str = "blake3"
    groups: tuple[tuple[str, ...], ...] = ONE_OFFICER
    fields: tuple[str, ...] | None = None
    line: int | None = None
    compliance: bool = False
    cosigner: bool = False
    approval: bool = False

    @property
    def asked(self) -> tuple[str, ...]:
        return FIELDS[self.level] if self.fields is None else self.fields


def party(name: str, code: str) -> dict[str, Any]:
    return {"code": code, "name": name, "sealing_key": sealing(code), "signing_key": signing(code)}


def agreement_header(setup: Setup) -> dict[str, Any]:
    return {
        "approval_required": setup.approval,
        "approver_keys": [signing("approver")] if setup.approval else [],
        "centre": party("核对中心", "centre"),
        "compliance_key": sealing("compliance") if setup.compliance else None,
        "cosigner_key": signing("cosigner") if setup.cosigner else None,
        "fields": list(setup.asked),
        "institution": party("某某银行", "bank") | {"kind": "bank"},
        "level": setup.level, "number": "保密-2026-7", "page_sha256": None, "prfs": [setup.prf],
        "purpose": "社会救助家庭经济状况核对", "suites": ["keyed"],
        "valid_from": "2026-01-01", "valid_to": "2027-12-31",
    }


def agreement(setup: Setup) -> bytes:
    return documents.write("hedui/agreement/v1", agreement_header(setup), b"", seeds("centre", "bank"))


def department_header(**changes: Any) -> dict[str, Any]:
    """What a desk agrees with a department that it answers for: its own keys stand there as the department's."""
    desk = {
        "code": "housing", "kind": "department", "name": "住房和城乡建设局", "sealing_key": sealing("desk"),
        "signing_key": signing("desk"),
    }
    return agreement_header(Setup()) | {"institution": desk, "number": "协-住-1"} | changes


def department_agreement(signers: tuple[str, ...] = ("centre", "desk"), **changes: Any) -> bytes:
    return documents.write("hedui/agreement/v1", department_header(**changes), b"", seeds(*signers))


def base_data(file: bytes, **changes: Any) -> bytes:
    """A department's table, sealed by its own key."""
    made = {"day": "2026-10-31", "created": NOW, "entropy": secret("vectors base data")} | changes
    seed = secret("housing signing")
    return tables.make(
        documents.read(department_agreement()), file=file, signing_seed=seed, signing_key=bytes.fromhex(signing("housing")), **made,
    )


def roster_header(setup: Setup) -> dict[str, Any]:
    return {
        "as_of": "2026-10-31", "expires": "2026-12-12T08:00:00Z", "fields": list(setup.asked),
        "id": "00" * 15 + "07", "income_from": None, "income_to": None, "issued": NOW, "legal_basis": "办法",
        "level": setup.level,
        "line": None if setup.line is None else {"currency": "CNY", "minor": setup.line},
        "module_minimum": "0.1.0", "opening_groups": [[sealing(name) for name in group] for group in setup.groups],
        "prf": setup.prf, "purpose": "社会救助", "serial": 2,
    }


def token_key() -> bytes:
    return secret("vectors token key")


def roster(setup: Setup, people: tuple[Person, ...] = PEOPLE, **header: Any) -> bytes:
    signers = seeds("centre", "cosigner") if setup.cosigner else seeds("centre")
    return rosters.make(
        documents.read(agreement(setup)), roster_header(setup) | header, token_key(), list(people),
        secret("vectors roster"), signers,
    )


def key_file(code: str, role: str) -> bytes:
    keys = keyfile.Keys(code, code, role, secret(code + " signing"), secret(code + " sealing"))
    return keyfile.write(keys, PASSPHRASE, secret(code + " salt")[:16], KDF)
