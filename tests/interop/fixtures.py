"""One of each document, small and made the same way every time, for the self-test."""

from __future__ import annotations

from typing import Any

from hedui import answers, coverage, documents, ed25519, hpke, rosters
from hedui.basics import from_hex, label, sha256, to_b64, u32
from hedui.slots import Account, Slot, Total
from hedui.subjects import Subject


def secret(name: str) -> bytes:
    return sha256(b"hedui self-test " + name.encode("ascii"))


def signing(name: str) -> str:
    return ed25519.public_key(secret(name + " signing")).hex()


def sealing(name: str) -> str:
    return hpke.public_key(secret(name + " sealing")).hex()


def seeds(*names: str) -> list[bytes]:
    return [secret(name + " signing") for name in names]


TOKEN_KEY = secret("token key")
PEOPLE = [
    rosters.Person(Subject("resident", "11010519491231002X"), "张三", 3),
    rosters.Person(Subject("hk-mo-permit", "H12345678"), "CHAN TAI MAN", 3, 1),
    rosters.Person(Subject("resident", "440524188001010014"), "欧阳·娜娜", 60),
]
STATEMENT: dict[str, Any] = {
    "balance_date": None,
    "columns": ["amount", "id_number", "name"],
    "encoding": "gb18030",
    "files": [{"bytes": 1000, "rows": 12}],
    "grain": "account",
    "normalised": {"spaces": 2, "upgraded15": 1},
    "not_personal": 1,
    "quarantined": {"check_digit": 1, "ragged": 1},
    "rows": 12,
    "skipped": {"footer": 1},
    "valid": 9,
}
JOINING: dict[str, Any] = {
    "code": "bank-1", "issued": "2026-11-22T08:00:00Z", "kind": "bank", "name": "某某银行",
    "sealing_key": sealing("bank"), "signing_key": signing("bank"),
}
AGREEMENT: dict[str, Any] = {
    "approval_required": True,
    "approver_keys": [signing("approver")],
    "centre": {
        "code": "centre-1", "name": "核对中心", "sealing_key": sealing("centre"), "signing_key": signing("centre"),
    },
    "compliance_key": sealing("compliance"),
    "cosigner_key": signing("cosigner"),
    "fields": ["account", "accounts", "amount", "balance_date", "name", "product", "status"],
    "institution": {
        "code": "bank-1", "kind": "bank", "name": "某某银行",
        "sealing_key": sealing("bank"), "signing_key": signing("bank"),
    },
    "level": "L2", "number": "2026-7", "page_sha256": None, "prfs": ["blake3", "hmac-sha256"],
    "purpose": "社会救助", "suites": ["keyed"], "valid_from": "2026-01-01", "valid_to": "2027-12-31",
}
ROSTER: dict[str, Any] = {
    "as_of": "2026-10-31", "expires": "2026-12-01T00:00:00Z", "fields": ["name"], "id": "00" * 15 + "07",
    "income_from": None, "income_to": None, "issued": "2026-11-22T09:00:00Z", "legal_basis": "办法", "level": "L0",
    "line": {"currency": "CNY", "minor": 5_000_000}, "module_minimum": "1.0.0",
    "opening_groups": [[sealing("officer 1"), sealing("officer 2")], [sealing("officer 3")]],
    "prf": "blake3", "purpose": "社会救助", "serial": 1,
}
RECEIPT: dict[str, Any] = {
    "answer": "1a" * 32, "answer_bytes": 8000, "institution": "bank-1", "log_head": "2b" * 32, "log_position": 3,
    "received": "2026-11-23T00:00:00Z", "roster": "3c" * 32,
}
RELEASE: dict[str, Any] = {
    "exports": ["abi_version", "memory", "run"], "imports": [], "issued": "2026-11-01T00:00:00Z",
    "module_blake3": "4d" * 32, "module_bytes": 400_000, "module_sha256": "5e" * 32, "page_sha256": "6f" * 32,
    "release": "1.0.0", "source_sha256": "70" * 32, "toolchain": "rustc 1.90.0",
}
ISSUER: dict[str, Any] = {"code": "centre-1", "name": "某某核对中心", "signing_key": signing("centre")}
FACTS = '{"salt":"00112233445566778899aabbccddeeff","kind":"report","number":"BG2026-000001","version":1}'.encode()
LIST = b"".join(
    sha256(name.encode()).hex().encode() + b"  " + name.encode() + b"\n"
    for name in ("bg2026-000001-1.pdf", "bg2026-000001-1.report.hedui", "commission.json")
)
REPORT: dict[str, Any] = {
    "case": "HD2026-000001", "centre": ISSUER, "issued": "2026-11-24T00:00:00Z", "kind": "report",
    "number": "BG2026-000001", "pdf_sha256": "81" * 32, "supersedes": None, "version": 1,
}
ARCHIVE: dict[str, Any] = {
    "case": "HD2026-000001", "centre": ISSUER, "files": 3, "log_head": "92" * 32, "log_position": 41,
    "made": "2026-11-25T00:00:00Z", "number": "DA2026-000001", "previous": "a3" * 32, "sequence": 2, "version": 1,
}
LEVEL_FIELDS = {"L0": ["name"], "L1": ["amount", "name"], "L2": ["account", "amount", "name"]}
ENTROPY = secret("entropy")


def agreement() -> bytes:
    return documents.write("hedui/agreement/v1", AGREEMENT, b"", seeds("centre", "bank"))


def roster(level: str = "L0") -> bytes:
    header = ROSTER | {"level": level, "fields": LEVEL_FIELDS[level], "line": ROSTER["line"] if level == "L0" else None}
    return rosters.make(
        documents.read(agreement()), header, TOKEN_KEY, PEOPLE, ENTROPY, seeds("centre", "cosigner")
    )


def slots(level: str) -> dict[int, Slot]:
    if level == "L0":
        return {3: Slot(outcome=1, name_flags=0b10, line=2, ordinals=0b11)}
    accounts = [
        Account(1, "CNY", 123_456, 20261031, 1, 1, 0, 0, "6222000011112222", "活期"),
        Account(129, "CNY", 900_000, 0, 4, 2, 1, 0b100, "L-7", "住房贷款"),
    ]
    totals = [Total(1, "CNY", 123_456, 1, 0, 20261031, 20261031), Total(129, "CNY", 900_000, 1)]
    return {3: Slot(1, 0b110, 0, 0b11, 2, 0b10000, totals, accounts if level == "L2" else [])}


def answer(level: str = "L0", entropy: bytes = ENTROPY) -> bytes:
    roster_read = documents.read(roster(level))
    size = roster_read.header["slot_size"]
    filled = slots(level)
    clear = b"".join(
        filled[i].to_bytes(level) if i in filled else bytes(size) for i in range(roster_read.header["slot_count"])
    )
    made = answers.make(
        roster_read, documents.read(agreement()), created="2026-11-23T00:00:00Z", module_release="1.0.0",
        module_sha256="5e" * 32, version=1, statement=coverage.write(STATEMENT), slots=clear, entropy=entropy,
        signing_seed=secret("bank signing"),
    )
    return documents.cosign(made, secret("approver signing"))


def copy() -> bytes:
    """Of the answer above, with its true content key: three officers' keys open it, two are enough."""
    read = documents.read(answer())
    keys = [secret(name + " sealing") for name in ("officer 1", "officer 2")]
    content_key = answers.content_key(read, documents.read(roster()), documents.read(agreement()), keys)
    return answers.make_copy(read, content_key, from_hex(sealing("compliance"), "compliance"), ENTROPY, secret("bank signing"))


COSIGNER: dict[str, Any] = {
    "code": "township-1", "issued": "2026-11-01T00:00:00Z", "name": "城关镇人民政府", "sealing_key": sealing("cosigner"),
    "signing_key": signing("cosigner"),
}


def cosign_request() -> bytes:
    """About the roster above; its seed is one of that roster's form alone."""
    asked, agreed = documents.read(roster()), documents.read(agreement())
    seed = secret("roster seed") + u32(4) + u32(asked.header["slot_count"])
    info = label("cosign-request", asked.digest + agreed.digest)
    to = from_hex(COSIGNER["sealing_key"], "sealing_key")
    header = {
        "agreement": agreed.digest.hex(), "created": "2026-11-22T09:00:00Z", "recipient": COSIGNER["sealing_key"],
        "roster": asked.digest.hex(), "seed": to_b64(hpke.seal(to, info, seed, secret("cosign request"))),
        "slot_count": asked.header["slot_count"],
    }
    commitments = b"".join(secret(f"commitment {slot}") for slot in range(asked.header["slot_count"]))
    return documents.write("hedui/cosign-request/v1", header, commitments, seeds("centre"))


def every_document() -> dict[str, bytes]:
    return {
        "joining": documents.write("hedui/joining/v1", JOINING, b"", seeds("bank")),
        "agreement": agreement(),
        "roster": roster(),
        "answer": answer(),
        "copy": copy(),
        "receipt": documents.write("hedui/receipt/v1", RECEIPT, b"", seeds("host")),
        "release": documents.write("hedui/release/v1", RELEASE, b"", seeds("publisher")),
        "report": documents.write("hedui/report/v1", REPORT, FACTS, seeds("centre")),
        "archive": documents.write("hedui/archive/v1", ARCHIVE, LIST, seeds("centre")),
        "cosigner": documents.write("hedui/cosigner/v1", COSIGNER, b"", seeds("cosigner")),
        "cosign-request": cosign_request(),
    }


def opened(answer_bytes: bytes, level: str, *officers: str) -> answers.Opened:
    return answers.open_answer(
        documents.read(answer_bytes), documents.read(roster(level)), documents.read(agreement()),
        [secret(name + " sealing") for name in officers],
    )
