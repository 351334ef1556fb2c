"""Sessions of the module (SPEC §10): the requests, and the answer or refusal that each must come to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import fixtures
from fixtures import sealing, secret, seeds
from hedui import answers, canonical, coverage, documents, ed25519, hpke, keyfile, log
from hedui.basics import sha256
from hedui.hedged import Hedged
from hedui.rosters import Person
from hedui.subjects import Subject

from . import table, world
from .splice import Blobs
from .table import Row
from .world import CHAN, LI, OUYANG, PEOPLE, TWO_OF_THREE, ZHANG, ZHANG_FORMER, Setup

ROOT = Path(__file__).resolve().parents[3]
RELEASE = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text("utf-8"), re.MULTILINE)[1]
ENTROPY = secret("vectors answer")

ROWS = [
    Row("张三", ZHANG.number, 123_456),
    Row("张 三", "１１０１０５１９４９１２３１００２ｘ", 1, date=20260930, account="6222 0001"),
    Row("张叁", '="110105491231002"', None, currency="USD", product="理财产品", date=0, state="冻结"),
    Row("CHAN TAI-MAN", "h12345678 01", 900, paper="回乡证", product="住房贷款", state="销户", account="L-7"),
    Row("TAI-MAN CHAN", CHAN.number, 77, currency="JPY", paper="护照", product="开放式基金"),
    Row("欧阳•娜娜", OUYANG.number, 5_000_000, product="储蓄国债", state="久悬"),
    Row("李四", "南字第01234567号", 0, paper="军官证", product="信用卡", state=""),
    Row("王五", "110105199001010000", 5),
    Row("赵六", "11010519880101000", 5),
    Row("钱七", "", 5),
    Row("某某公司", "91350100M000100Y43", 5, paper="营业执照"),
    Row("孙八", "320311770706001", 5),
]


@dataclass
class Script:
    """Blobs by name, so that a document that many cases use stands in the file once."""

    blobs: Blobs = field(default_factory=Blobs)
    cases: list[dict[str, Any]] = field(default_factory=list)

    def blob(self, name: str, data: bytes) -> str:
        return self.blobs.put(name, data)

    def add(self, name: str, steps: list[dict[str, Any]]) -> None:
        self.cases.append({"name": name, "steps": steps})

    def to_json(self) -> dict[str, Any]:
        return {"blobs": self.blobs.to_json(), "cases": self.cases}


def options(**changes: Any) -> dict[str, Any]:
    return {"answer_version": 3, "last_serial": 2, "module_sha256": world.MODULE, "now": world.NOW_UNIX} | changes


def open_step(key_file: str, agreement: str, roster: str, **changes: Any) -> dict[str, Any]:
    return {
        "op": "open", "key_file": key_file, "passphrase": world.PASSPHRASE, "agreement": agreement, "roster": roster,
        "entropy": ENTROPY.hex(), "options": options(),
    } | changes


def refused(step: dict[str, Any], code: str) -> dict[str, Any]:
    return step | {"code": code}


def ok_session(
    script: Script, name: str, setup: Setup, files: list[list[Row]], people: tuple[Person, ...] = PEOPLE,
    encoding: str = "utf-8", chunk: int = 1 << 20, delimiter: str = ",", codec: str | None = None, copied: bool = False,
) -> None:
    """Open, push, finish, read; the answer is sealed here from the truth about the rows."""
    agreement, roster = world.agreement(setup), world.roster(setup, people)
    read = documents.read(roster)
    spelled = [table.spell(rows, codec or encoding, delimiter) for rows in files]
    made = table.statement(list(zip(files, spelled)), encoding)
    clear = table.clear_slots(setup, people, [row for rows in files for row in rows], read.header["slot_count"])
    answer = answers.make(
        read, documents.read(agreement), created=world.NOW, module_release=RELEASE, module_sha256=world.MODULE,
        version=3, statement=coverage.write(made), slots=b"".join(slot.to_bytes(setup.level) for slot in clear),
        entropy=ENTROPY, signing_seed=secret("bank signing"),
    )
    wanted = options(**({"compliance_key": sealing("own compliance")} if copied else {}))
    opened_with = script.blob(f"{name}.agreement", agreement), script.blob(f"{name}.roster", roster)
    steps = [open_step("bank.key", *opened_with, options=wanted)]
    for n, data in enumerate(spelled):
        steps += [{"op": "next_file"}] if n else []
        steps.append({"op": "push", "file": script.blob(f"{name}.file{n}", data), "chunk": chunk})
    digest = documents.read(answer).digest.hex()
    steps.append({
        "op": "finish", "report": {"answer_bytes": len(answer), "answer_digest": digest, "coverage": made},
    })
    reading = {"op": "read", "bytes": len(answer), "sha256": sha256(answer).hex()}
    if copied:
        copy = _copy_of(answer, read, documents.read(agreement), setup)
        rows = table.set_aside(files)
        # In either order: reading the answer to its end takes neither away.
        listing = {"op": "set_aside", "bytes": len(rows), "sha256": sha256(rows).hex()}
        steps += [{"op": "copy", "result": copy.hex()}, reading, listing, {"op": "copy", "result": copy.hex()}]
    else:
        steps.append(reading)
    script.add(name, steps)
    opened = answers.open_answer(
        documents.read(documents.cosign(answer, secret("approver signing")) if setup.approval else answer),
        read, documents.read(agreement), [secret(officer + " sealing") for officer in setup.groups[-1]],
    )
    assert opened.coverage == made and [s.to_bytes(setup.level) for s in clear] == opened.slots


def _copy_of(answer: bytes, roster: documents.Document, agreement: documents.Document, setup: Setup) -> bytes:
    read = documents.read(answer)
    key = answers.content_key(read, roster, agreement, [secret(officer + " sealing") for officer in setup.groups[0]])
    copy = answers.make_copy(read, key, bytes.fromhex(sealing("own compliance")), ENTROPY, secret("bank signing"))
    opened = answers.open_with_copy(read, documents.read(copy), secret("own compliance sealing"))
    assert opened.found()
    return copy


def copy_and_approval(script: Script) -> None:
    """The list of rows set aside, the copy, and an approver's signature."""
    ok_session(script, "ok_copy_l0", Setup("L0", line=1_000), [ROWS], copied=True)
    ok_session(script, "ok_copy_l2_two_files", Setup("L2", "hmac-sha256", TWO_OF_THREE), [ROWS[:8], ROWS[8:] + ROWS[7:9]], copied=True)
    ok_session(script, "ok_copy_beside_the_agreement_s", Setup(compliance=True), [ROWS], copied=True)
    before = [{"op": "open", **{k: v for k, v in script.cases[0]["steps"][0].items() if k != "op"}}]
    for op, code in (("set_aside", "not_finished"), ("copy", "not_finished")):
        script.add(f"bad_{op}_unopened", [refused({"op": op}, code)])
        script.add(f"bad_{op}_unfinished", [*before, refused({"op": op}, code)])
    script.add("bad_copy_not_asked_for", [*script.cases[0]["steps"], refused({"op": "copy"}, "no_copy")])

    setup = Setup("L0", approval=True, fields=("name",))
    agreement, roster = world.agreement(setup), documents.read(world.roster(setup))
    answer = answers.make(
        roster, documents.read(agreement), created=world.NOW, module_release=RELEASE, module_sha256=world.MODULE, version=1,
        statement=coverage.write(fixtures.STATEMENT), slots=bytes(64 * 16), entropy=ENTROPY, signing_seed=secret("bank signing"),
    )
    read = documents.read(answer)
    head = len(answer) - len(read.body)
    script.blob("approver.key", world.key_file("approver", "approver"))
    approve = {
        "op": "approve", "key_file": "approver.key", "passphrase": world.PASSPHRASE,
        "agreement": script.blob("approve.agreement", agreement), "answer": script.blob("approve.answer", answer),
    }
    approved = documents.cosign(answer, secret("approver signing"))
    script.add("ok_approve", [approve | {"result": approved.hex()}])
    cut = script.blob("approve.answer.head", answer[:head])
    script.add("ok_approve_head", [approve | {"answer": cut, "result": approved[:head + 96].hex()}])
    changed = answer[:-1] + bytes([answer[-1] ^ 1])
    script.add("bad_approve_passphrase", [refused(approve | {"passphrase": "another passphrase"}, "passphrase")])
    script.add("bad_approve_not_named", [refused(approve | {"key_file": "bank.key"}, "not_an_approver")])
    script.add("bad_approve_body", [refused(approve | {"answer": script.blob("approve.answer.changed", changed)}, "body_mismatch")])
    cut = script.blob("approve.answer.cut", answer[:head - 1])
    script.add("bad_approve_cut", [refused(approve | {"answer": cut}, "truncated")])
    script.add("bad_approve_roster", [refused(approve | {"answer": script.blob("approve.roster", world.roster(setup))}, "wrong_type")])
    twice = script.blob("approve.answer.approved", approved)
    script.add("bad_approve_twice", [refused(approve | {"answer": twice}, "signers")])
    ended = documents.write("hedui/agreement/v1", world.agreement_header(setup) | {"valid_to": "2026-11-21"}, b"", seeds("centre", "bank"))
    script.add("bad_approve_agreement_ended", [refused(approve | {"agreement": script.blob("approve.ended", ended)}, "expired")])


def ok_sessions(script: Script) -> None:
    for level in ("L0", "L1", "L2"):
        for prf in ("blake3", "hmac-sha256"):
            for officers, groups in (("one_officer", world.ONE_OFFICER), ("two_of_three", TWO_OF_THREE)):
                for with_compliance in (False, True):
                    setup = Setup(
                        level, prf, groups, compliance=with_compliance, line=1_000 if level == "L0" else None,
                    )
                    name = f"ok_{level.lower()}_{prf.split('-')[0]}_{officers}"
                    ok_session(script, name + ("_compliance" if with_compliance else ""), setup, [ROWS], chunk=997)
    ok_session(script, "ok_cosigner_and_approval", Setup(cosigner=True, approval=True), [ROWS])
    ok_session(script, "ok_l0_without_line_and_name", Setup("L0", fields=()), [ROWS])
    ok_session(script, "ok_l1_accounts_only", Setup(fields=("accounts",)), [ROWS])
    ok_session(script, "ok_l2_status_only", Setup("L2", fields=("status",)), [ROWS])
    ok_session(script, "ok_byte_by_byte", Setup(), [ROWS[:4]], chunk=1)
    ok_session(script, "ok_two_files", Setup("L2"), [ROWS[:5], ROWS[5:]], chunk=100)
    ok_session(script, "ok_gb18030", Setup("L2"), [[replace(row, name=row.name.replace("•", "·")) for row in ROWS]], encoding="gb18030", chunk=3)
    ok_session(script, "ok_utf16le_tabs", Setup(), [ROWS], encoding="utf-16le", codec="utf-16-le", delimiter="\t", chunk=5)
    ok_session(script, "ok_utf16be_bars", Setup(), [ROWS], encoding="utf-16be", codec="utf-16-be", delimiter="|", chunk=7)
    currencies = ["CNY", "USD", "HKD", "EUR", "GBP", "JPY"]
    many = [
        Row("张三", ZHANG.number, 10 ** (n % 15) + n, currencies[n % 6], 20260101 + n % 28, f"{n:04}", product, "正常")
        for n, product in enumerate(list(table.PRODUCTS) * 9)
    ]
    ok_session(script, "ok_more_than_fit", Setup("L2"), [many])


def subjects_session(script: Script) -> None:
    """Every cell of subjects.json that does not refuse the whole file."""
    papers = {"company": "营业执照", "passport": "护照", "tw": "台胞证", "hk-mo": "回乡证", "officer": "军官证"}
    cases = json.loads((ROOT / "vectors" / "subjects.json").read_text("utf-8"))
    cases = [case for case in cases if case.get("reason") not in ("scientific", "masked")]
    numbers: list[Person] = []
    for case in cases:
        for kind, number in case.get("subjects", []):
            subject = Subject(kind, number)
            if subject not in [person.subject for person in numbers]:
                numbers.append(Person(subject, "张三", len(numbers)))
    rows = [
        Row("张三", case["text"], n + 1, paper=papers.get(case["hint"], case["hint"] or "证件"))
        for n, case in enumerate(cases)
    ]
    ok_session(script, "ok_every_subject", Setup(), [rows], tuple(numbers), chunk=4096)
    ok_session(script, "ok_every_subject_hmac", Setup(prf="hmac-sha256"), [rows], tuple(numbers), chunk=11)


def key_steps(script: Script) -> None:
    """The operations that need no session."""
    bank = {"key_file": "bank.key", "passphrase": world.PASSPHRASE}
    seed, challenge = secret("bank signing"), secret("challenge")
    public = ed25519.public_key(seed)
    signature = log.sign_in(seed, "host-1", challenge)
    sign_in = {"op": "sign_in", **bank, "host": "host-1", "challenge": challenge.hex()}
    script.add("ok_sign_in", [sign_in | {"result": (public + signature).hex()}])
    script.add("bad_sign_in_host", [refused(sign_in | {"host": "host 1"}, "bad_request")])
    script.add("bad_sign_in_challenge", [refused(sign_in | {"challenge": "00" * 31}, "bad_request")])
    script.add("bad_sign_in_passphrase", [refused(sign_in | {"passphrase": "another passphrase"}, "passphrase")])

    roster = world.roster(Setup())
    envelope = documents.read(roster).envelope
    co_sign = {"op": "co_sign", **bank, "document": script.blob("base.roster", roster)}
    signed = public + ed25519.sign(seed, envelope.pae)
    script.add("ok_co_sign", [co_sign | {"result": signed.hex()}])
    head = roster[:len(roster) - len(envelope.body)]
    script.add("ok_co_sign_head", [co_sign | {"document": script.blob("base.roster.head", head), "result": signed.hex()}])
    script.add("bad_co_sign_cut", [refused(co_sign | {"document": script.blob("cut.roster.head", head[:-1])}, "truncated")])
    for kind, data in fixtures.every_document().items():
        document = documents.read(data)
        inspection = {
            "digest": document.digest.hex(), "header": document.header,
            "signers": [key.hex() for key in document.signers], "type": document.type,
        }
        script.add(f"ok_inspect_{kind}", [{
            "op": "inspect", "document": script.blob(f"any.{kind}", data), "result": canonical.write(inspection).hex(),
        }])
    forged = bytearray(roster)
    forged[200] ^= 1
    script.add("bad_inspect_signature", [refused(
        {"op": "inspect", "document": script.blob("forged.roster", bytes(forged))}, "bad_signature",
    )])
    new_keys(script)


def _clamped(private: bytes) -> bytes:
    return bytes([private[0] & 248]) + private[1:31] + bytes([private[31] & 127 | 64])


def new_keys(script: Script) -> None:
    """How this module draws its keys from the stream of §6.5: signing seed, X25519 key, salt; mixed with the passphrase.

    It keeps the X25519 key as RFC 7748 §5 decodes it, with the bits set that the function sets anyway.
    """
    for role, kind in (("institution", "securities"), ("officer", None), ("host", None)):
        code, name, entropy = f"new-{role}", "新证券", secret("vectors new key")
        everything = sha256(code.encode() + b"\x00" + name.encode())
        stream = Hedged("key-file", entropy, everything, world.PASSPHRASE.encode())
        seed, private = stream.take(32), _clamped(hpke.derive_private_key(stream.take(32)))
        keys = keyfile.Keys(code, name, role, seed, private)
        data = keyfile.write(keys, world.PASSPHRASE, stream.take(16))
        joining = b"" if kind is None else documents.write("hedui/joining/v1", {
            "code": code, "issued": world.NOW, "kind": kind, "name": name, "sealing_key": keys.sealing_key.hex(),
            "signing_key": keys.signing_key.hex(),
        }, b"", [seed])
        wanted = {"code": code, "kind": kind, "name": name, "now": world.NOW_UNIX, "role": role}
        step = {"op": "new_key", "passphrase": world.PASSPHRASE, "entropy": entropy.hex(), "options": wanted}
        parts = b"".join(len(part).to_bytes(4, "big") + part for part in (data, joining))
        script.add(f"ok_new_key_{role}", [step | {"result": parts.hex()}])
    script.add("bad_new_key_weak", [refused(step | {"passphrase": "1234567"}, "weak_passphrase")])
    script.add("bad_new_key_entropy", [refused(step | {"entropy": "00" * 32}, "entropy")])
    without = {name: value for name, value in wanted.items() if name != "now"}
    script.add("bad_new_key_options", [refused(step | {"options": without}, "bad_option")])
    script.add("bad_new_key_kind", [refused(step | {"options": wanted | {"role": "institution"}}, "bad_option")])
