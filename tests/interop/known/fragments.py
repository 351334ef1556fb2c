"""What is smaller than a document: tokens and tags, slots, coverage statements, key files, the log, commitments."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import fixtures
from fixtures import secret
from hedui import canonical, coverage, ed25519, keyfile, log, merkle, names, proofs, slots, tokens
from hedui.basics import HeduiError
from hedui.slots import Account, Slot, Total
from hedui.subjects import KIND_BYTES, Subject

from . import world
from .splice import Blobs

SUBJECTS = [
    world.ZHANG, world.OUYANG, world.ZHANG_FORMER, world.CHAN, world.LI,
    Subject("permanent-old", "USA123456789012"), Subject("tw-permit", "12345678"), Subject("officer", "2001988"),
]
NAMES = [
    "张三", " 张 三\u3000", "张三（经理）", "阿不都·热合曼", "阿不都•热合曼", "阿不都．热合曼", "Chan, Tai-Man", "TAI-MAN CHAN",
    "ｃｈａｎ", "J. Smith", "é.b", "(x)", "张？", "张*", "张\ufffd", "张\ue000", "□山", "",
]
PRFS = ("blake3", "hmac-sha256")


def every_file() -> dict[str, dict[str, Any]]:
    return {
        "tokens.json": {"tokens": _tokens(), "name_tags": _name_tags()},
        "slots.json": _slot_file(),
        "coverage.json": _coverage_file(),
        "key_files.json": _key_files(),
        "log.json": _log(),
        "authorisations.json": {"commitments": _commitments(), "trees": _trees(), "proofs": _proofs()},
    }


def _tokens() -> list[dict[str, Any]]:
    assert {subject.kind for subject in SUBJECTS} == KIND_BYTES.keys()
    return [
        {
            "prf": prf, "key": key.hex(), "kind": subject.kind, "number": subject.number,
            "token": tokens.token(prf, key, subject).hex(),
        }
        for prf in PRFS for key in (world.token_key(), bytes(range(32))) for subject in SUBJECTS
    ]


def _name_tags() -> list[dict[str, Any]]:
    made = []
    for prf in PRFS:
        key, token = world.token_key(), tokens.token(prf, world.token_key(), world.ZHANG)
        for name in NAMES:
            case: dict[str, Any] = {"prf": prf, "key": key.hex(), "token": token.hex(), "name": name}
            if names.is_wild(name):
                case["wild"] = True
            else:
                folded, exact = names.tags(prf, key, token, name)
                case |= {
                    "wild": False, "folded": names.folded(name), "trimmed": names.trimmed(name),
                    "folded_tag": folded.hex(), "exact_tag": exact.hex(),
                }
            case["flags"] = [names.flag(prf, key, token, other, *names.tags(prf, key, token, name)) for other in NAMES]
            made.append(case)
    return made


def _full_slot() -> Slot:
    kinds, currencies = sorted(slots.KINDS), ("CNY", "EUR", "HKD", "JPY", "USD", "XXX")
    totals = [
        Total(kind, currency, (-1) ** n * 10 ** (n % 19), n, n // 2, 20250101 + n % 28, 20260101 + n % 28)
        for n, (kind, currency) in enumerate((k, c) for k in kinds for c in currencies[:2])
    ]
    accounts = [
        Account(kinds[n % 12], currencies[n % 6], -n, 20260201 + n % 28, n % 5, n % 4, n % 8, n % 8, f"6222{n:020}", "活期储蓄存款")
        for n in range(slots.MOST_ACCOUNTS)
    ]
    return Slot(1, 0b1111, 0, 0xFF, 2**32 - 1, 0x7F, totals, sorted(accounts, key=Account.to_bytes))


def _slot_file() -> dict[str, Any]:
    blobs = Blobs()
    made = {"slots": _slots(blobs), "refused": _bad_slots(blobs)}
    return {"blobs": blobs.to_json()} | made


def _coverage_file() -> dict[str, Any]:
    blobs = Blobs()
    made = {"statements": _statements(blobs), "refused": _bad_statements(blobs)}
    return {"blobs": blobs.to_json()} | made


def _slots(blobs: Blobs) -> list[dict[str, Any]]:
    one = Total(1, "CNY", -(2**63), 65_535, 65_535, 0, 0)
    other = Total(131, "XXX", 2**63 - 1, 0, 0, 19500101, 21991231)
    cases = [
        ("L0", Slot()), ("L0", Slot(line=1)), ("L0", Slot(1, 0b10, 2, 0b11)), ("L1", Slot()),
        ("L1", Slot(1, 0b110, 0, 1, 7, 0b1010, [one, other])), ("L2", Slot()), ("L2", fixtures.slots("L2")[3]), ("L2", _full_slot()),
    ]
    return [
        {"level": level, "slot": asdict(slot), "bytes": blobs.put(f"ok_{n}_{level}", slot.to_bytes(level))}
        for n, (level, slot) in enumerate(cases)
    ]


def _bad_slots(blobs: Blobs) -> list[dict[str, Any]]:
    l2 = fixtures.slots("L2")[3].to_bytes("L2")
    first, second = l2[592:656], l2[656:720]

    def put(at: int, *values: int) -> bytes:
        return l2[:at] + bytes(values) + l2[at + len(values):]

    cases = {
        "outcome_2": put(0, 2), "line_3": put(2, 3), "too_many_totals": put(8, 25), "too_many_accounts": put(9, 33),
        "reserved_byte": put(11, 1), "kind_0": put(16, 0), "kind_10": put(16, 10), "status_5": put(592 + 16, 5),
        "text_not_utf8": put(592 + 20, 0xFF), "behind_the_last_total": put(591, 1), "behind_the_last_account": put(2639, 1),
        "accounts_not_sorted": l2[:592] + second + first + l2[720:], "cut": l2[:-1], "longer": l2 + b"\x00", "empty": b"",
        "one_total_fewer": put(8, 1), "one_account_fewer": put(9, 1),
    }
    strict = {
        "flag_bit_4": put(1, 0x10), "note_bit_7": put(10, 0x80), "currency_lower": put(17, 0x63),
        "totals_not_sorted": l2[:16] + l2[40:64] + l2[16:40] + l2[64:], "total_date": put(16 + 16, 1, 52, 2, 3),
        "account_flag_4": put(592 + 17, 4), "account_ordinal_8": put(592 + 18, 8), "account_bit_3": put(592 + 19, 8),
        "zero_byte_in_text": put(592 + 21, 0),
    }
    for name, data in (cases | strict).items():
        try:
            Slot.from_bytes(data, "L2")
        except HeduiError:
            continue
        raise AssertionError(name)
    return [{"level": "L2", "bytes": blobs.put(f"bad_{name}", data)} for name, data in (cases | strict).items()]


def _statements(blobs: Blobs) -> list[dict[str, Any]]:
    least = fixtures.STATEMENT | {
        "columns": [], "files": [], "normalised": {}, "not_personal": 0, "quarantined": {}, "rows": 0, "skipped": {}, "valid": 0,
        "balance_date": "2026-10-31", "encoding": "utf-16be", "grain": "customer",
    }
    most = fixtures.STATEMENT | {
        "columns": list(coverage.ROLES), "valid": 2**53 - 1, "rows": 2**53 - 1, "not_personal": 0, "quarantined": {},
        "normalised": dict.fromkeys(coverage.NORMALISED, 1), "files": [{"bytes": 2**53 - 1, "rows": n} for n in range(80)],
        "skipped": {"blank": 1, "footer": 2, "repeated_header": 3},
    }
    return [
        {"statement": made, "bytes": blobs.put(f"ok_{n}", coverage.write(made))}
        for n, made in enumerate((fixtures.STATEMENT, least, most))
    ]


def _bad_statements(blobs: Blobs) -> list[dict[str, Any]]:
    good = coverage.write(fixtures.STATEMENT)
    text = good.rstrip(b"\x00")

    def padded(changed: bytes) -> bytes:
        return changed.ljust(coverage.SIZE, b"\x00")

    cases = {
        "cut": good[:-1], "longer": good + b"\x00", "empty": b"", "zeros": bytes(coverage.SIZE), "padding": good[:-1] + b"\x01",
        "space": padded(text + b" "), "rows": padded(text.replace(b'"rows":12,"skipped"', b'"rows":13,"skipped"')),
        "member_missing": padded(text.replace(b'"grain":"account",', b"")),
        "member_unknown": padded(text[:-1] + b',"zebra":1}'), "grain": padded(text.replace(b'"account"', b'"person"')),
        "date": padded(text.replace(b'"balance_date":null', b'"balance_date":"2026-02-30"')),
    }
    for name, data in cases.items():
        try:
            coverage.read(data)
        except HeduiError:
            continue
        raise AssertionError(name)
    return [{"bytes": blobs.put(f"bad_{name}", data)} for name, data in cases.items()]


def _key_files() -> dict[str, Any]:
    opened, refused = [], []
    for role, kdf in (("institution", world.KDF), ("centre", world.KDF | {"t": 2}), ("officer", keyfile.KDF)):
        keys = keyfile.Keys(f"{role}-1", "名称 \"\\", role, secret(role), secret(role + " private"))
        data = keyfile.write(keys, world.PASSPHRASE, secret(role)[:16], kdf)
        opened.append({
            "file": data.decode(), "passphrase": world.PASSPHRASE, "code": keys.code, "role": role,
            "signing_seed": keys.signing_seed.hex(), "sealing_private": keys.sealing_private.hex(),
            "signing_key": keys.signing_key.hex(), "sealing_key": keys.sealing_key.hex(),
        })
    text = opened[0]["file"]
    for name, code, changed in (
        ("cut", "not_canonical", text[:-1]), ("empty", "not_canonical", ""), ("space_before", "not_canonical", " " + text),
        ("version_2", "member", text.replace("key/v1", "key/v2")), ("m_kib", "member", text.replace("8192", "8191")),
        ("m_kib_large", "member", text.replace("8192", "65537")), ("t", "member", text.replace('"t":1', '"t":17')),
        ("p", "member", text.replace('"p":1', '"p":2')), ("kdf", "member", text.replace("argon2id", "argon2i")),
        ("role", "member", text.replace('"role":"institution"', '"role":"guest"')),
        ("salt", "member", text.replace('"salt":"', '"salt":"AAAA')), ("unknown", "member", text[:-1] + ',"zebra":1}'),
        ("code_changed", "passphrase", text.replace('"institution-1"', '"institution-2"')),
        ("key_changed", "passphrase", text.replace('"signing_key":"', '"signing_key":"' + "00" * 32 + '","was":"', 1)
         .replace(',"was":"' + opened[0]["signing_key"] + '"', "")),
    ):
        assert changed != text
        refused.append({"name": f"bad_{name}", "code": code, "file": changed, "passphrase": world.PASSPHRASE})
    refused.append({"name": "bad_passphrase", "code": "passphrase", "file": text, "passphrase": "another passphrase"})
    return {"opened": opened, "refused": refused}


def _log() -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    chain, previous = [], log.FIRST_PREVIOUS
    for sequence, (action, actor, about) in enumerate(
        (("agreement.accepted", "centre-1", "1a" * 32), ("host.started", "host-1", None), ("answer.received", "bank-1", "2b" * 32)), 1,
    ):
        entry = {
            "action": action, "actor": actor, "at": f"2026-11-23T00:00:0{sequence}Z", "object": about, "previous": previous,
            "sequence": sequence,
        }
        entries.append(entry)
        previous = log.entry_digest(entry).hex()
        chain.append({"entry": entry, "digest": previous, "head": log.head(entries).hex()})
    seed, challenge = secret("sign-in"), secret("challenge")
    return {
        "chain": chain,
        "sign_in": [
            {
                "signing_seed": seed.hex(), "signing_key": ed25519.public_key(seed).hex(), "host": host,
                "challenge": challenge.hex(), "signature": log.sign_in(seed, host, challenge).hex(),
            }
            for host in ("host-1", "h", "A.b_c-" + "9" * 26)
        ],
    }


def _commitments() -> list[dict[str, Any]]:
    return [
        {
            "salt": salt.hex(), "authorisation": number, "kind": subject.kind, "number": subject.number, "scope": scope,
            "commitment": merkle.commitment(salt, number, subject, scope).hex(),
        }
        for salt in (bytes(32), secret("salt")) for number, scope in (("SQ-1", "存款"), ("", ""), ("授权〔2026〕7号", "全部"))
        for subject in SUBJECTS[:3]
    ]


def _trees() -> list[dict[str, Any]]:
    leaves = [secret(f"leaf {n}") for n in range(64)]
    return [
        {
            "leaves": [leaf.hex() for leaf in leaves[:count]], "root": merkle.root(leaves[:count]).hex(),
            "paths": {str(i): [node.hex() for node in merkle.path(leaves[:count], i)] for i in {0, count // 2, count - 1} if count},
        }
        for count in (0, 1, 2, 3, 5, 8, 64)
    ]


def _proofs() -> list[dict[str, Any]]:
    """Proofs of two slots, and what is made of one of them: the code of its refusal."""
    roster, slots_ = secret("roster digest"), {5: (world.ZHANG, "SQ-1", "存款"), 63: (world.LI, "授权〔2026〕7号", "")}
    leaves = [secret(f"decoy {n}") for n in range(64)]
    for slot, (subject, number, scope) in slots_.items():
        leaves[slot] = merkle.commitment(secret(f"salt {slot}"), number, subject, scope)
    root = merkle.root(leaves)
    made = []

    def add(name: str, text: bytes, code: str | None = None) -> None:
        case = {"name": name, "proof": text.decode("utf-8"), "roster": roster.hex(), "root": root.hex(), "slot_count": 64}
        made.append(case if code is None else case | {"code": code})
        try:
            proofs.check(proofs.read(text), roster, root, 64)
        except HeduiError:
            assert code is not None, name
        else:
            assert code is None, name

    for slot, (subject, number, scope) in slots_.items():
        good = proofs.make(roster, slot, secret(f"salt {slot}"), number, subject, scope, leaves)
        add(f"ok_slot_{slot}", good)
    add("ok_line_break_at_the_end", good + b"\n")
    proof = proofs.read(good)
    for name, code, change in (
        ("slot", "not_proven", {"slot": 62}), ("slot_beyond", "not_proven", {"slot": 64}), ("scope", "not_proven", {"scope": "存款"}),
        ("authorisation", "not_proven", {"authorisation": "SQ-1"}), ("salt", "not_proven", {"salt": "00" * 32}),
        ("another_person", "not_proven", {"kind": "resident", "number": world.ZHANG.number}),
        ("path_shorter", "not_proven", {"path": proof["path"][1:]}), ("path_longer", "not_proven", {"path": [*proof["path"], "00" * 32]}),
        ("path_empty", "not_proven", {"path": []}), ("path_turned", "not_proven", {"path": proof["path"][::-1]}),
        ("roster", "wrong_roster", {"roster": "00" * 32}), ("kind_of_another", "malformed", {"kind": "resident"}),
        ("kind_unknown", "malformed", {"kind": "company"}),
        ("number_not_canonical", "malformed", {"number": "南字第01234567号"}), ("type_v2", "member", {"type": "hedui/proof/v2"}),
        ("salt_short", "member", {"salt": "00"}), ("slot_negative", "member", {"slot": -1}),
    ):
        try:
            add(f"bad_{name}", canonical.write(proof | change), code)
        except HeduiError:  # what canonical JSON cannot say
            add(f"bad_{name}", good.replace(b'"slot":63', b'"slot":-1'), "not_canonical")
    add("bad_space", good.replace(b",", b", ", 1), "not_canonical")
    add("bad_member_unknown", good[:-1] + b',"zebra":1}', "member")
    add("bad_cut", good[:-1], "not_canonical")
    return made
