"""Documents that must be read and documents that must be refused, of every type (SPEC §2, §4)."""

from __future__ import annotations

from typing import Any

import fixtures
from fixtures import seeds
from hedui import documents
from hedui.basics import sha256
from hedui.envelope import Envelope

from . import world
from .refusals import DROP, resigned
from .splice import Blobs
from .world import TWO_OF_THREE, Setup

AUTHORS = {
    "joining": ("bank",), "agreement": ("centre", "bank"), "roster": ("centre", "cosigner"),
    "answer": ("bank", "approver"), "copy": ("bank",), "receipt": ("host",), "release": ("publisher",),
    "report": ("centre",), "archive": ("centre",), "base-data": ("housing",), "cosigner": ("cosigner",), "cosign-request": ("centre",),
}
# A member of each type with a value that it may not have.
MALFORMED: dict[str, list[dict[str, Any]]] = {
    "joining": [{"kind": "shop"}, {"code": "bank 1"}, {"code": ""}, {"name": "a\u0085b"}, {"name": "x" * 1025}, {"signing_key": "AB" * 32}],
    "agreement": [
        {"approver_keys": []}, {"level": "L1"}, {"fields": ["name", "account"]}, {"prfs": []}, {"suites": []},
        {"prfs": ["hmac-sha256", "blake3"]}, {"valid_to": "2025-12-31"}, {"valid_from": "2026-02-29"}, {"page_sha256": ""},
    ],
    "roster": [
        {"expires": "2026-11-22T09:00:00Z"}, {"expires": "2026-12-22T09:00:01Z"}, {"slot_count": 65}, {"slot_count": 0},
        {"slot_size": 592}, {"entry_count": 0}, {"serial": 0}, {"opening_groups": []}, {"opening_groups": [[]]},
        {"fields": ["amount"]}, {"fields": ["name", "name"]}, {"line": {"currency": "cny", "minor": 1}},
        {"level": "L1", "slot_size": 592}, {"income_from": "2026-01-01"}, {"token_key": "AA=="}, {"token_key": "AB=="},
        {"ticket": "AAAA" * 342}, {"id": "AA" * 16}, {"module_minimum": "1.0"}, {"module_minimum": "1.0.65536"},
        {"kem": "mlkem768"}, {"prf": "md5"}, {"suite": "psi"},
        {"issued": "2026-11-22T24:00:00Z"}, {"as_of": "1899-12-31"},
    ],
    "answer": [{"version": 0}, {"version": 1000}, {"created": "2026-11-23"}, {"module_sha256": "5e"}, {"slot_count": "64"}],
    "copy": [{"content_key": "AA=="}, {"compliance_key": "ab"}, {"answer": "AB" * 32}, {"created": "2026-11-23"}, {"roster": None}],
    "receipt": [{"log_position": 0}, {"answer_bytes": None}, {"received": "2200-01-01T00:00:00Z"}],
    "report": [
        {"version": 0}, {"version": 2}, {"supersedes": "b4" * 32}, {"kind": "letter"}, {"case": "a\u0085b"}, {"pdf_sha256": None},
        {"issued": "2026-11-24"}, {"centre": {"code": "centre-1", "name": "x"}},
    ],
    "archive": [
        {"version": 0}, {"sequence": 0}, {"sequence": 1}, {"previous": None}, {"log_head": "92"}, {"files": "3"},
        {"made": "2026-13-01T00:00:00Z"}, {"number": "x" * 1025}, {"log_position": "41"},
    ],
    "cosigner": [{"code": ""}, {"name": "x" * 1025}, {"signing_key": "AB" * 32}, {"issued": "2026-11-01"}],
    "cosign-request": [
        {"seed": "AA=="}, {"slot_count": 65}, {"slot_count": 128}, {"recipient": None}, {"roster": "AB" * 32},
        {"created": "2026-11-22T24:00:00Z"}, {"agreement": ""},
    ],
    "base-data": [
        {"day": "2026-13-01"}, {"day": None}, {"recipient": "ab"}, {"created": "2026-11-23"}, {"institution": "a b"},
        {"agreement": "5e"}, {"body_bytes": 80}, {"body_bytes": 80 + 5 * 65_552}, {"body_bytes": 80 + 4_096 * 65_552},
    ],
    "release": [{"exports": ["run", "memory"]}, {"imports": ["a", "a"]}, {"release": "01.0.0"}, {"module_bytes": True}],
}


TABLE = "姓名,证件号码,面积\n张三,11010519491231002X,88.5\n".encode()


class Cases:
    def __init__(self) -> None:
        self.blobs = Blobs()
        self.cases: list[dict[str, Any]] = []

    def ok(self, name: str, kind: str, data: bytes) -> None:
        document = documents.read(data)
        self.cases.append({
            "name": name, "type": f"hedui/{kind}/v1", "document": self.blobs.put(name, data),
            "digest": document.digest.hex(), "header": document.header,
            "signers": [key.hex() for key in document.signers],
        })

    def bad(self, name: str, kind: str, code: str, data: bytes) -> None:
        self.cases.append({
            "name": name, "type": f"hedui/{kind}/v1", "document": self.blobs.put(name, data), "code": code,
        })


def every_file() -> dict[str, dict[str, Any]]:
    made = Cases()
    small = fixtures.every_document()
    for kind, data in (small | {"base-data": world.base_data(TABLE)}).items():
        made.ok(f"ok_{kind}", kind, data)
        _refused(made, kind, data)
    made.ok("ok_roster_l2", "roster", world.roster(Setup("L2", "hmac-sha256", TWO_OF_THREE)))
    made.ok("ok_roster_l1_largest_life", "roster", world.roster(Setup(), expires="2026-12-22T08:00:00Z"))
    made.ok("ok_report_suspension", "report", _report(kind="suspension", number="ZZ2026-000001"))
    made.ok("ok_report_second_version", "report", _report(version=2, supersedes="b4" * 32))
    made.ok("ok_archive_the_first", "archive", _archive(fixtures.LIST, sequence=1, previous=None))
    made.ok("ok_archive_of_nothing", "archive", _archive(b"", files=0))
    _rosters(made)
    _lists(made)
    return {"documents.json": {"blobs": made.blobs.to_json(), "cases": made.cases}}


def _refused(made: Cases, kind: str, data: bytes) -> None:
    document, signers = documents.read(data), seeds(*AUTHORS[kind])
    line = len(document.type) + 1
    header, body = document.envelope.header, document.body
    signatures = line + 4 + len(header)

    def bad(what: str, code: str, changed: bytes) -> None:
        made.bad(f"bad_{kind}_{what}", kind, code, changed)

    for where, at in (
        ("nothing", 0), ("type", line - 1), ("header_length", line + 3), ("header", line + 4 + len(header) // 2),
        ("signature_count", signatures), ("signature", signatures + 50), ("body_length", len(data) - len(body) - 1),
        ("last_byte", len(data) - 1),
    ):
        bad(f"cut_{where}", "truncated", data[:at])
    bad("trailing_byte", "trailing_bytes", data + b"\n")
    bad("twice", "trailing_bytes", data + data[:200])
    bad("no_type", "not_a_document", b"Hedui" + data[5:])
    bad("type_too_long", "not_a_document", b"a" * 65 + data[line - 1:])
    bad("header_too_large", "too_large", data[:line] + (65_537).to_bytes(4, "big") + data[line + 4:])
    bad("body_too_large", "too_large", data[:len(data) - len(body) - 8] + (2**40 + 1).to_bytes(8, "big") + body)
    bad("version_2", "wrong_type", resigned(data, signers, f"hedui/{kind}/v2"))
    bad("another_type", "wrong_type", resigned(data, signers, "hedui/probe/v1"))
    bad("without_signature", "signers", resigned(data, []))
    bad("five_signatures", "signers", resigned(data, seeds(*"abcde")))
    bad("one_key_twice", "signers", resigned(data, signers + signers[:1]))
    for where, at in (("header", line + 4 + 20), ("key", signatures + 1), ("r", signatures + 33), ("s", signatures + 65)):
        bad(f"flipped_{where}", "bad_signature", data[:at] + bytes([data[at] ^ 2]) + data[at + 1:])
    for what, spelled in (
        ("space_behind", header + b" "), ("space_inside", header.replace(b":", b": ", 1)),
        ("escaped", b'{"\\u%04x' % header[2] + header[3:]), ("fraction", header[:-1] + b',"zz":1.0}'),
        ("member_twice", b"{" + header[1:header.index(b",") + 1] + header[1:]),
    ):
        changed = Envelope(document.type, spelled, [], body)
        changed.sign(signers[0])
        bad(f"not_canonical_{what}", "not_canonical", changed.to_bytes())
    bad("member_unknown", "member", resigned(data, signers, zebra=None))
    for member in document.header:
        bad(f"without_{member}", "member", resigned(data, signers, **{member: DROP}))
    for n, change in enumerate(MALFORMED[kind]):
        bad(f"member_{'_'.join(change)}_{n}", "member", resigned(data, signers, **change))
    if body:
        bad("body_flipped", "body_mismatch", data[:-1] + bytes([data[-1] ^ 1]))
        bad("body_bytes", _body_bytes_code(kind), resigned(data, signers, body_bytes=len(body) + 1))
        bad("body_sha256", "body_mismatch", resigned(data, signers, body_sha256="00" * 32))
    else:
        bad("body_where_none_is", "body_mismatch", resigned(data, signers, _body=b"x"))


def _body_bytes_code(kind: str) -> str:
    """Where body_bytes follows from another member, or has few values, as of base data, the member itself is wrong."""
    return "member" if kind in ("roster", "cosign-request", "base-data") else "body_mismatch"


def _report(**changes: Any) -> bytes:
    return documents.write("hedui/report/v1", fixtures.REPORT | changes, fixtures.FACTS, seeds("centre"))


def _archive(body: bytes, **changes: Any) -> bytes:
    return documents.write("hedui/archive/v1", fixtures.ARCHIVE | changes, body, seeds("centre"))


def _lists(made: Cases) -> None:
    """Lists that are not as §4.9 has them: found after the body's digest."""
    whole = fixtures.every_document()["archive"]
    lines = fixtures.LIST.splitlines(keepends=True)
    for what, changed in (
        ("not_by_name", lines[1] + lines[0] + lines[2]),
        ("name_twice", lines[0] * 2 + lines[2]),
        ("a_line_less", lines[0] + lines[1]),
        ("last_line_open", fixtures.LIST[:-1]),
        ("empty_line", lines[0] + lines[1] + b"\n"),
        ("one_space", fixtures.LIST.replace(b"  ", b" ", 1)),
        ("digest_upper_case", lines[0][:64].upper() + lines[0][64:] + lines[1] + lines[2]),
        ("name_upper_case", lines[0] + lines[1] + lines[2].replace(b"commission", b"Commission")),
        ("name_leads_elsewhere", lines[0][:66] + b"../" + lines[0][66:] + lines[1] + lines[2]),
        ("name_hidden", lines[0][:66] + b"." + lines[0][66:] + lines[1] + lines[2]),
        ("name_empty", lines[0][:66] + b"\n" + lines[1] + lines[2]),
        ("carriage_return", fixtures.LIST.replace(b"\n", b"\r\n")),
        ("not_utf_8", lines[0] + lines[1] + lines[2][:-2] + b"\xff\n"),
    ):
        digest = sha256(changed).hex()
        data = resigned(whole, seeds("centre"), body_bytes=len(changed), body_sha256=digest, _body=changed)
        made.bad(f"bad_archive_list_{what}", "archive", "member", data)


def _rosters(made: Cases) -> None:
    """Entries that are not as §4.3 has them: found after the body's digest."""
    roster = world.roster(Setup())
    header = documents.read(roster).header
    del header["body_bytes"], header["body_sha256"]
    body = documents.read(roster).body
    for what, changed in (
        ("not_sorted", body[24:48] + body[:24] + body[48:]),
        ("token_twice", body[:24] * 2 + body[48:]),
        ("slot_64", body[:16] + b"\x00\x00\x00\x40" + body[20:]),
        ("ordinal_8", body[:23] + b"\x08" + body[24:]),
        ("empty_slots", b"".join(body[i:i + 16] + bytes(4) + body[i + 20:i + 24] for i in range(0, len(body), 24))),
    ):
        data = documents.write("hedui/roster/v1", header, changed, seeds("centre"), checked=False)
        made.bad(f"bad_roster_entries_{what}", "roster", "malformed", data)
