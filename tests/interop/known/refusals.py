"""Sessions that must be refused, each with its code. The codes are the module's dictionary (`DecodeError`, `CheckError`
and the matcher's own); what deserves which stands in SPEC §2, §4, §5 and §8."""

from __future__ import annotations

from typing import Any

from fixtures import secret, seeds
from hedui import canonical, documents
from hedui.basics import from_b64, to_b64
from hedui.envelope import Envelope

from . import world
from .sessions import ROWS, Script, open_step, options, refused
from .table import spell
from .world import Setup

SETUP = Setup("L0", line=1_000, fields=("name",))


def resigned(
    data: bytes, signers: list[bytes], _kind: str | None = None, _body: bytes | None = None, **members: Any
) -> bytes:
    """The document with other members, type or body, under fresh signatures; not checked. None drops a member."""
    document = documents.read(data)
    header = document.header | members
    header = {name: value for name, value in header.items() if value is not DROP}
    changed = Envelope(_kind or document.type, canonical.write(header), [], document.body if _body is None else _body)
    for seed in signers:
        changed.sign(seed)
    return changed.to_bytes()


DROP = object()


def refusals(script: Script) -> None:
    agreement, roster = world.agreement(SETUP), world.roster(SETUP)
    key_file = world.key_file("bank", "institution")
    names = {
        "agreement": script.blob("base.l0.agreement", agreement), "roster": script.blob("base.l0.roster", roster),
        "key_file": "bank.key",
    }
    rows = script.blob("rows", spell(ROWS))

    def case(name: str, code: str, **changes: Any) -> None:
        for part in ("agreement", "roster", "key_file"):
            if isinstance(changes.get(part), bytes):
                changes[part] = script.blob(f"{name}.{part}", changes[part])
        script.add(name, [refused(open_step(**(names | changes)), code)])

    both, centre = seeds("centre", "bank"), seeds("centre")
    for kind, data, signers in (("agreement", agreement, both), ("roster", roster, centre)):
        case(f"bad_{kind}_cut", "truncated", **{kind: data[:-1]})
        case(f"bad_{kind}_empty", "truncated", **{kind: b""})
        case(f"bad_{kind}_longer", "trailing_bytes", **{kind: data + b"\x00"})
        case(f"bad_{kind}_no_document", "not_a_document", **{kind: b"PK\x03\x04" + data})
        case(f"bad_{kind}_v2", "wrong_type", **{kind: resigned(data, signers, f"hedui/{kind}/v2")})
        case(f"bad_{kind}_other_type", "wrong_type", **{kind: roster if kind == "agreement" else agreement})
        case(f"bad_{kind}_header_changed", "bad_signature", **{kind: _flipped(data, 200)})
        case(f"bad_{kind}_signature_changed", "bad_signature", **{kind: _flipped(data, _signature_at(data))})
        case(f"bad_{kind}_unsigned", "signers", **{kind: resigned(data, [])})
        case(f"bad_{kind}_signed_twice", "signers", **{kind: resigned(data, centre + centre)})
        case(f"bad_{kind}_five_signatures", "signers", **{kind: resigned(data, seeds(*"abcde"))})
        case(f"bad_{kind}_member_missing", "member", **{kind: resigned(data, signers, purpose=DROP)})
        case(f"bad_{kind}_member_unknown", "member", **{kind: resigned(data, signers, zebra=1)})
        case(f"bad_{kind}_member_malformed", "member", **{kind: resigned(data, signers, level="L3")})
        case(f"bad_{kind}_suite_unknown", "member", **{kind: resigned(data, signers, suite="psi", suites=["psi"])})
        spaced = Envelope(f"hedui/{kind}/v1", documents.read(data).envelope.header + b" ", [], documents.read(data).body)
        spaced.sign(signers[0])
        case(f"bad_{kind}_not_canonical", "not_canonical", **{kind: spaced.to_bytes()})
    case("bad_agreement_other_signer", "wrong_signer", agreement=resigned(agreement, seeds("bank", "centre")))
    case("bad_agreement_one_signature", "missing_signature", agreement=resigned(agreement, centre))
    case("bad_agreement_another_second", "missing_signature", agreement=resigned(agreement, seeds("centre", "anyone")))
    case("bad_agreement_ended", "expired", agreement=resigned(agreement, both, valid_to="2026-11-21"))
    case("bad_agreement_not_begun", "not_yet_valid", agreement=resigned(agreement, both, valid_from="2026-11-23"))
    # Days are China's: 16:00 UTC is midnight there.
    midnight = options(now=world.NOW_UNIX + 8 * 3_600)
    last, first = resigned(agreement, both, valid_to="2026-11-22"), resigned(agreement, both, valid_from="2026-11-23")
    case("bad_agreement_ended_in_china", "expired", agreement=last, options=midnight)
    case("bad_agreement_begun_in_china", "wrong_agreement", agreement=first, options=midnight)
    case("bad_agreement_another", "wrong_agreement", agreement=resigned(agreement, both, number="another"))
    case("bad_agreement_body", "body_mismatch", agreement=resigned(agreement, both, _body=b"x"))

    case("bad_roster_body_changed", "body_mismatch", roster=_flipped(roster, len(roster) - 1))
    case("bad_roster_other_signer", "wrong_signer", roster=resigned(roster, seeds("anyone")))
    case("bad_roster_institution", "wrong_institution", roster=resigned(roster, centre, institution="bank-2"))
    case("bad_roster_level", "not_permitted", roster=resigned(roster, centre, level="L1", slot_size=592, line=None))
    case("bad_roster_prf", "not_permitted", roster=resigned(roster, centre, prf="hmac-sha256"))
    bare = world.agreement(Setup("L0", fields=()))
    case("bad_roster_fields", "not_permitted", agreement=bare, roster=resigned(
        roster, centre, agreement=documents.read(bare).digest.hex(),
    ))
    case("bad_roster_too_new", "module_too_old", roster=resigned(roster, centre, module_minimum="65535.0.0"))
    case("bad_roster_expired", "expired", options=options(now=world.NOW_UNIX + 20 * 86_400))
    case("bad_roster_not_yet", "not_yet_valid", options=options(now=world.NOW_UNIX - 1))
    case("bad_roster_replayed", "replayed", options=options(last_serial=3))
    case("bad_roster_slot_count", "member", roster=resigned(roster, centre, slot_count=65))
    case("bad_roster_slot_count_doubled", "malformed", roster=resigned(roster, centre, slot_count=128))
    case("bad_roster_slot_size", "member", roster=resigned(roster, centre, slot_size=592))
    case("bad_roster_lives_too_long", "member", roster=resigned(roster, centre, expires="2026-12-22T08:00:01Z"))
    sealed = from_b64(documents.read(roster).header["token_key"], "token_key")
    case("bad_roster_token_key", "seal", roster=resigned(roster, centre, token_key=to_b64(_flipped(sealed, 79))))
    case("bad_roster_id_changed", "seal", roster=resigned(roster, centre, id="00" * 16))
    body = documents.read(roster).body
    unsorted = body[24:48] + body[:24] + body[48:]
    case("bad_roster_unsorted", "malformed", roster=_with_body(roster, unsorted))
    case("bad_roster_cosigner", "missing_signature", **_cosigned_by_nobody())

    case("bad_passphrase", "passphrase", passphrase="another passphrase")
    case("bad_key_file_of_another", "wrong_institution", key_file=world.key_file("bank-2", "institution"))
    case("bad_key_file_v2", "member", key_file=key_file.replace(b"hedui/key/v1", b"hedui/key/v2"))
    case("bad_key_file_cut", "not_canonical", key_file=key_file[:-1])
    case("bad_key_file_empty", "not_canonical", key_file=b"")
    case("bad_key_file_costly", "member", key_file=key_file.replace(b"8192", b"65537"))
    case("bad_key_file_changed", "passphrase", key_file=key_file.replace(b'"institution"', b'"centre"'))
    case("bad_key_file_spaced", "not_canonical", key_file=b" " + key_file)
    case("bad_entropy_zero", "entropy", entropy="00" * 32)
    case("bad_entropy_short", "entropy", entropy="11" * 31)
    case("bad_option_version_0", "bad_option", options=options(answer_version=0))
    case("bad_option_version_1000", "bad_option", options=options(answer_version=1000))
    case("bad_option_unknown", "bad_option", options=options(zebra=1))
    case("bad_option_now", "bad_option", options=options(now=1 << 40))
    case("bad_option_module", "bad_option", options=options(module_sha256="5E" * 32))
    steps_out_of_order(script, open_step(**names), rows)
    bad_files(script, open_step(**names))


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def _signature_at(data: bytes) -> int:
    """The first byte of R of the first signature."""
    document = documents.read(data)
    return len(document.type) + 1 + 4 + len(document.envelope.header) + 1 + 32


def _with_body(roster: bytes, body: bytes) -> bytes:
    header = documents.read(roster).header
    del header["body_bytes"], header["body_sha256"]
    return documents.write("hedui/roster/v1", header, body, seeds("centre"), checked=False)


def _cosigned_by_nobody() -> dict[str, Any]:
    setup = Setup("L0", fields=("name",), cosigner=True)
    roster = documents.read(world.roster(setup))
    roster.envelope.signatures = roster.envelope.signatures[:1]
    roster.envelope.sign(secret("anyone"))
    return {"agreement": world.agreement(setup), "roster": roster.to_bytes()}


def steps_out_of_order(script: Script, opened: dict[str, Any], rows: str) -> None:
    push, finish = {"op": "push", "file": rows, "chunk": 1 << 20}, {"op": "finish"}
    read, next_file = {"op": "read_once"}, {"op": "next_file"}
    script.add("bad_push_unopened", [refused(push, "not_open")])
    script.add("bad_next_file_unopened", [refused(next_file, "not_open")])
    script.add("bad_finish_unopened", [refused(finish, "not_open")])
    script.add("bad_read_unfinished", [refused(read, "not_finished"), opened, push, refused(read, "not_finished")])
    script.add("bad_open_twice", [opened, refused(opened, "busy"), push, finish, refused(opened, "busy")])
    script.add("bad_push_finished", [opened, push, finish, refused(push, "not_open"), refused(finish, "not_open"), read])
    script.add("bad_finish_without_file", [opened, refused(finish, "empty_file"), refused(finish, "not_open")])
    for name, request in (("empty", b""), ("op_0", b"\x00"), ("op_21", b"\x15"), ("op_255", b"\xff" * 9)):
        script.add(f"bad_request_{name}", [refused({"op": "raw", "request": request.hex()}, "unknown_operation")])
    for name, request in (
        ("open_without_parts", b"\x01"), ("open_part_cut", b"\x01\x00\x00\x00\x05abcd"),
        ("open_part_huge", b"\x01\xff\xff\xff\xff"), ("inspect_two_parts", b"\x13" + bytes(8)),
        ("sign_in_trailing", b"\x11" + bytes(17)), ("new_key_without_parts", b"\x10"), ("preview_cut", b"\x06\x00"),
    ):
        script.add(f"bad_request_{name}", [refused({"op": "raw", "request": request.hex()}, "bad_request")])


def bad_files(script: Script, opened: dict[str, Any]) -> None:
    head = "姓名,证件号码,账户余额\r\n"

    def case(name: str, code: str, data: bytes, at_push: bool = False) -> None:
        push = {"op": "push", "file": script.blob(f"{name}.file", data), "chunk": 40_000}
        steps = [refused(push, code)] if at_push else [push, refused({"op": "finish"}, code)]
        script.add(name, [opened, *steps, refused({"op": "finish"}, "not_open")])

    def rows(*numbers: str) -> bytes:
        return (head + "".join(f"张三,{number},1.00\r\n" for number in numbers)).encode()

    case("bad_file_heading_only", "empty_file", head.encode())
    case("bad_file_only_a_mark", "empty_file", b"\xef\xbb\xbf")
    case("bad_file_no_id_column", "no_id_column", "客户经理,余额\r\n张三,1\r\n".encode())
    case("bad_file_binary", "binary_file", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)))
    case("bad_file_xlsx", "spreadsheet_xlsx", b"PK\x03\x04" + bytes(60))
    case("bad_file_xls", "spreadsheet_xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60))
    case("bad_file_pdf", "pdf_file", b"%PDF-1.7\n")
    case("bad_file_html", "html_file", b"<html><table></table></html>")
    case("bad_file_unclosed_quote", "unclosed_quote", (head + '张三,"11010519491231002X,1\r\n').encode())
    case("bad_file_line_too_long", "line_too_long", (head + "张三," + "7" * 70_000).encode(), at_push=True)
    case("bad_file_without_line_break", "line_too_long", b"7" * 70_000, at_push=True)
    case("bad_file_too_many_columns", "too_many_columns", (head + "," * 300 + "\r\n").encode())
    case("bad_column_scientific", "column_scientific", rows("11010519491231002X", "1.10105E+17"))
    case("bad_column_masked", "column_masked", rows("110105********002X"))
    zeros = [f"110105194912{day:02}0000" for day in range(1, 7)]
    case("bad_column_trailing_zeros", "column_trailing_zeros", rows(*zeros))
    sixteens = [str(int(f"1101051949120{day}1237") // 16 * 16) for day in range(1, 7)]
    case("bad_column_multiples", "column_multiples", rows(*sixteens))
    odd = [f"1101051949{month:02}{day:02}0015" for month in (1, 2) for day in range(1, 16)]
    case("bad_column_check_digit", "column_check_digit", rows(*odd))
