"""A department's table (SPEC §4.10, §6.7, §10.4): sealed by the module, opened by the centre, and refused by both."""

from __future__ import annotations

from typing import Any

import fixtures
from fixtures import secret, sealing
from hedui import base_data, documents
from hedui.basics import sha256

from . import world
from .documents import TABLE
from .refusals import resigned
from .sessions import Script, refused
from .splice import Blobs

ENTROPY = secret("vectors base data")
CHUNK = base_data.CHUNK
# Bytes of a file, and of the pieces that it is given to the module in: within a chunk, filling it, one byte more.
SIZES = {"one_byte": (1, 1), "one_chunk": (CHUNK - 8, 1 << 20), "two_chunks": (CHUNK - 7, 9_999)}
# Files whose body is padded with whole chunks: five of six, and nine of twelve.
PADDED = (4 * CHUNK + 77, 8 * CHUNK)


def file_of(length: int) -> bytes:
    """So many bytes of a table that repeats itself."""
    return (TABLE * (length // len(TABLE) + 1))[:length]


def fragment() -> dict[str, Any]:
    """`base_data.json`: what is sealed as what, and what the centre's key makes of documents."""
    blobs = Blobs()
    agreement = blobs.put("agreement", world.department_agreement())
    sealed = []
    for length in (len(TABLE), *(length for length, _ in SIZES.values()), *PADDED):
        document = world.base_data(file_of(length))
        sealed.append({
            "agreement": agreement, "day": "2026-10-31", "created": world.NOW, "entropy": ENTROPY.hex(),
            "signing_seed": secret("housing signing").hex(), "repeat": TABLE.hex(), "length": length,
            "bytes": len(document), "sha256": sha256(document).hex(),
        })
    good = world.base_data(TABLE)
    centre = secret("centre sealing").hex()
    opened = [{"document": blobs.put("ok", good), "sealing_private": centre, "file": TABLE.hex()}]
    refusals = [
        {"name": name, "document": blobs.put(name, data), "sealing_private": key, "code": code}
        for name, data, key, code in _refused(good, centre)
    ]
    return {"base_data.json": {"blobs": blobs.to_json(), "sealed": sealed, "opened": opened, "refused": refusals}}


def _refused(good: bytes, centre: str) -> list[tuple[str, bytes, str, str]]:
    housing = [secret("housing signing")]
    document = documents.read(good)
    key, binding = base_data.content_key(document, bytes.fromhex(centre))
    clear = base_data.clear(TABLE)
    first = document.body[:documents.SEALED_KEY]

    def sealed(data: bytes) -> bytes:
        return changed(first + base_data.seal_clear(key, data, binding))

    def changed(body: bytes, **members: Any) -> bytes:
        return resigned(good, housing, _body=body, body_sha256=sha256(body).hex(), **members)

    def flipped(at: int) -> bytes:
        return changed(document.body[:at] + bytes([document.body[at] ^ 1]) + document.body[at + 1:])

    return [
        ("bad_another_key", good, secret("desk sealing").hex(), "seal"),
        ("bad_recipient", changed(document.body, recipient=sealing("desk")), secret("desk sealing").hex(), "seal"),
        ("bad_signer", resigned(good, [secret("tax signing")]), centre, "seal"),
        ("bad_day", changed(document.body, day="2026-10-30"), centre, "seal"),
        ("bad_created", changed(document.body, created="2026-11-22T08:00:01Z"), centre, "seal"),
        ("bad_agreement", changed(document.body, agreement="5e" * 32), centre, "seal"),
        ("bad_sealed_key", flipped(40), centre, "seal"),
        ("bad_chunk", flipped(5_000), centre, "seal"),
        ("bad_padding", sealed(clear[:-1] + b"\x01"), centre, "trailing_bytes"),
        ("bad_length", sealed((CHUNK - 7).to_bytes(8, "big") + clear[8:]), centre, "truncated"),
    ]


def sessions(script: Script) -> None:
    """A table is sealed by the module (§10.4)."""
    agreement = script.blob("housing.agreement", world.department_agreement())
    begin = {
        "op": "base_data", "key_file": script.blob("housing.key", world.key_file("housing", "institution")),
        "passphrase": world.PASSPHRASE, "agreement": agreement, "entropy": ENTROPY.hex(),
    }

    def options(length: int, **changes: Any) -> dict[str, Any]:
        return {"day": "2026-10-31", "length": length, "now": world.NOW_UNIX} | changes

    def passes(name: str, first: bytes, second: bytes, chunk: int) -> list[dict[str, Any]]:
        names = [f"table.{name}", f"table.{name}" if first == second else f"table.{name}.changed"]
        files = [script.blob(name, file) for name, file in zip(names, (first, second))]
        return [{"op": f"base_data_{op}", "file": file, "chunk": chunk} for op, file in zip(("first", "second"), files)]

    def good(name: str, size: str, day: str = "2026-10-31", created: str = world.NOW, now: int = world.NOW_UNIX) -> None:
        length, chunk = SIZES[size]
        file = file_of(length)
        document = documents.read(world.base_data(file, day=day, created=created))
        head = document.to_bytes()[:-len(document.body)]
        first, second = passes(size, file, file, chunk)
        second |= {"bytes": len(document.body), "sha256": sha256(document.body).hex()}
        begun = begin | {"options": options(length, day=day, now=now)}
        script.add(f"ok_base_data_{name}", [begun, first, second, {"op": "base_data_head", "result": head.hex()}])

    for size in SIZES:
        good(size, size)

    def bad(name: str, code: str, *, length: int = len(TABLE), **changes: Any) -> None:
        script.add(f"bad_base_data_{name}", [refused(begin | {"options": options(length)} | changes, code)])

    def put(name: str, data: bytes) -> str:
        return script.blob(f"housing.{name}", data)

    bad("passphrase", "passphrase", passphrase="another passphrase")
    bad("entropy", "entropy", entropy="00" * 32)
    bad("approver", "wrong_role", key_file=put("approver.key", world.key_file("housing", "approver")))
    bad("key_of_another", "wrong_institution", key_file=put("tax.key", world.key_file("tax", "institution")))
    bank = world.department_header()["institution"] | {"kind": "bank"}
    bad("bank", "not_a_department", agreement=put("bank.agreement", world.department_agreement(institution=bank)))
    bad("agreement_by_one", "missing_signature", agreement=put("one.agreement", world.department_agreement(("centre",))))
    bad("agreement_by_others", "wrong_signer", agreement=put("others.agreement", world.department_agreement(("desk", "centre"))))
    bad("agreement_ended", "expired", agreement=put("ended.agreement", world.department_agreement(valid_to="2026-11-21")))
    bad("agreement_not_begun", "not_yet_valid", agreement=put("new.agreement", world.department_agreement(valid_from="2026-11-23")))
    bad("agreement_cut", "truncated", agreement=put("cut.agreement", world.department_agreement()[:-1]))
    bad("no_agreement", "wrong_type", agreement=put("roster", world.roster(world.Setup())))
    bad("empty_file", "truncated", length=0)
    bad("file_too_large", "too_large", length=3_072 * CHUNK - 7)
    bad("day_to_come", "day_to_come", options=options(1, day="2026-11-23"))
    bad("no_day", "bad_option", options=options(1, day="2026-11-31"))
    bad("option_missing", "bad_option", options={"day": "2026-10-31", "now": world.NOW_UNIX})
    bad("option_more", "bad_option", options=options(1, more=1))

    # Midnight in China is four in the afternoon in UTC.
    evening = world.NOW_UNIX + 8 * 3_600
    good("day_begins_in_china", "one_byte", "2026-11-23", "2026-11-22T16:00:00Z", evening)
    bad("day_not_begun_in_china", "day_to_come", options=options(1, day="2026-11-23", now=evening - 1))

    def changed(name: str, first: bytes, second: bytes) -> None:
        steps = passes(f"{name}", first, second, 9_999)
        script.add(f"bad_base_data_{name}", [
            begin | {"options": options(CHUNK - 8)}, *steps[:-1], refused(steps[-1], "file_changed"),
        ])

    file = file_of(CHUNK - 8)
    changed("changed", file, file[:20] + b"x" + file[21:])
    changed("changed_at_its_end", file, file[:-1] + b"x")
    changed("grown", file, file + b"x")
    changed("shrunk", file, file[:-1])
    changed("shorter_than_said", file[:-1], file[:-1])
    longer = passes("longer_than_said", file + b"x", file, 9_999)
    script.add("bad_base_data_longer_than_said", [begin | {"options": options(CHUNK - 8)}, refused(longer[0], "file_changed")])

    began = begin | {"options": options(1)}
    first, second = passes("one_byte", file_of(1), file_of(1), 1)
    head = {"op": "base_data_head"}
    for name, code, steps in (
        ("twice", "busy", [began, began]),
        ("unbegun", "not_open", [first]),
        ("unbegun_head", "not_open", [head]),
        ("head_first", "bad_request", [began, head]),
        ("head_between", "bad_request", [began, first, head]),
        ("head_twice", "not_open", [began, first, second, head, head]),
        ("first_pass_again", "bad_request", [began, first, second, first]),
        ("answer_of_a_table", "not_finished", [began, {"op": "read_once"}]),
        ("open_beside", "busy", [began, script.cases[0]["steps"][0]]),
    ):
        script.add(f"bad_base_data_{name}", [*steps[:-1], refused(steps[-1], code)])
