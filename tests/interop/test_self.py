"""The self-test: known answers of the primitives, and every document written, read, cut short and changed.

Run by run.sh, or `python3 -m unittest test_self` in this folder.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import blake3
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

import fixtures
from hedui import canonical, coverage, documents, ed25519, hpke, keyfile, log, merkle, names, rules, seals, slots, tokens
from hedui.basics import HeduiError, from_b64, parse_time, sha256
from hedui.envelope import Envelope
from hedui.hedged import Hedged
from hedui.subjects import HINTS, Subject, hint_of, subjects_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
UNHEX = bytes.fromhex


class TestCase(unittest.TestCase):
    def refused(self, field: str | None, call: Any, *arguments: Any) -> None:
        with self.assertRaises(HeduiError) as caught:
            call(*arguments)
        if field is not None:
            self.assertEqual(caught.exception.field, field, caught.exception)


class KnownAnswers(TestCase):
    """Published test vectors; their sources stand beside them."""

    def test_sha256(self) -> None:  # FIPS 180-4
        self.assertEqual(sha256(b"abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")

    def test_hmac(self) -> None:  # RFC 4231, case 1
        self.assertEqual(
            hmac.new(b"\x0b" * 20, b"Hi There", hashlib.sha256).hexdigest(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        )

    def test_blake3(self) -> None:  # BLAKE3-team/BLAKE3 test_vectors.json, input length 0
        key = b"whats the Elvish word for friend"
        self.assertEqual(
            tokens.prf("blake3", key, b"").hex(), "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"
        )
        derived = blake3.blake3(b"", derive_key_context="BLAKE3 2019-12-27 16:29:52 test vectors context")
        self.assertEqual(derived.hexdigest(), "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d")

    def test_hpke(self) -> None:  # RFC 9180, A.2.1
        ephemeral = UNHEX("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b")
        recipient = UNHEX("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
        info, plain = UNHEX("4f6465206f6e2061204772656369616e2055726e"), b"Beauty is truth, truth beauty"
        derived = hpke.derive_private_key(ephemeral)
        self.assertEqual(derived.hex(), "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
        self.assertEqual(
            hpke.derive_private_key(UNHEX("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df")), recipient
        )
        sealed = hpke.seal(hpke.public_key(recipient), info, plain, ephemeral, b"Count-0")
        self.assertEqual(
            sealed.hex(),
            "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
        )
        self.assertEqual(hpke.open_sealed(recipient, info, sealed, b"Count-0"), plain)
        self.refused("seal", hpke.open_sealed, recipient, info, sealed)
        self.refused("seal", hpke.seal, bytes(32), info, plain, ephemeral)

    def test_argon2id(self) -> None:  # RFC 9106, 5.3
        derive = Argon2id(
            salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\x04" * 12, secret=b"\x03" * 8
        )
        self.assertEqual(
            derive.derive(b"\x01" * 32).hex(), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
        )

    def test_ed25519(self) -> None:  # RFC 8032, 7.1, test 1
        seed = UNHEX("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        key = UNHEX("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        signature = UNHEX(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595"
            "bbe24655141438e7a100b"
        )
        self.assertEqual((ed25519.public_key(seed), ed25519.sign(seed, b"")), (key, signature))
        ed25519.verify(key, signature, b"")
        self.refused("signatures", ed25519.verify, key, signature, b"x")
        above = (int.from_bytes(signature[32:], "little") + ed25519.ORDER).to_bytes(32, "little")
        self.refused("signatures", ed25519.verify, key, signature[:32] + above, b"")

    def test_ed25519_small_order(self) -> None:
        one = UNHEX("01" + "00" * 31)
        known = [
            "00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f",  # 0 and 1 not encoded canonically
        ]
        for text in known:
            for sign_bit in (0, 0x80):
                key = bytearray(UNHEX(text))
                key[31] |= sign_bit
                self.refused("signatures", ed25519.verify, bytes(key), one + bytes(32), b"")

    def test_merkle(self) -> None:  # transparency-dev/merkle, the vectors of RFC 6962
        leaves = [UNHEX(leaf) for leaf in (
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
        )]
        roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        self.assertEqual([merkle.root(leaves[:n]).hex() for n in range(9)], roots)
        for count in range(1, 9):
            for index in range(count):
                path = merkle.path(leaves[:count], index)
                found = merkle.root_from_path(leaves[index], index, count, path)
                self.assertEqual(found.hex(), roots[count])
                self.refused("path", merkle.root_from_path, leaves[index], index, count, [*path, bytes(32)])


class Canonical(TestCase):
    def test_round_trip(self) -> None:
        value = {"a": [1, True, None, "é\u007f\u2028"], "b": {"x": '"\\/\b\t\n\f\r\u0001'}, "c": 2**53 - 1}
        data = canonical.write(value)
        self.assertEqual(canonical.read(data), value)
        self.assertIn(rb'"\"\\/\b\t\n\f\r\u0001"', data)

    def test_refused(self) -> None:
        deep = b'{"a":' + b"[" * 7 + b"]" * 7 + b"}"
        canonical.read(deep)
        for data in (
            b"", b"[]", b"1", b"{} ", b' {}', b'{"a" :1}', b'{"b":1,"a":1}', b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":1e3}',
            b'{"a":-1}', b'{"a":-0}', b'{"a":01}', b'{"a":9007199254740992}', b'{"a":NaN}', b'{"a":"\\u0041"}',
            b'{"a":"\\/"}', b'{"a":"\\u001F"}', b'{"a":"\\u0009"}', b'{"a":"\\ud800"}', b'{"a":"\xff"}',
            '{"é":1}'.encode(), b"\xef\xbb\xbf{}", b'{"a":"\n"}', deep.replace(b"[", b"[[").replace(b"]", b"]]"),
            b'{"a":' + b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}",
        ):
            self.refused("json", canonical.read, data)


class Subjects(TestCase):
    def test_cases(self) -> None:
        cases = json.loads((ROOT / "vectors" / "subjects.json").read_text("utf-8"))
        self.assertGreaterEqual(len(cases), 60)
        for case in cases:
            hint = case["hint"] if case["hint"] in HINTS else hint_of(case["hint"] or "")
            outcome = subjects_of(case["text"], hint)
            with self.subTest(case["why"], text=case["text"]):
                found = [[subject.kind, subject.number] for subject in outcome.subjects]
                self.assertEqual(found, case.get("subjects", []))
                self.assertEqual(outcome.reason, case.get("reason"))
                if case["outcome"] == "subjects":
                    self.assertEqual(outcome.normalised, case["normalised"])

    def test_names(self) -> None:
        for name, folded in (
            ("  张 三\u3000", "张三"), ("张三（经理）", "张三"), ("阿不都•热合曼", "阿不都·热合曼"),
            ("阿不都．热合曼", "阿不都·热合曼"), ("Chan, Tai-Man", "CHANTAI-MAN"), ("TAI-MAN CHAN", "CHANTAI-MAN"),
            ("J. Smith", "JSMITH"), ("SMITH,J.", "JSMITH"), ("Ａ．Ｂ", "AB"), ("é.b", "é·B"), ("（x）张（y）", "(X)张"), ("张三)", "张三)"),
            ("ｃｈａｎ", "CHAN"), ("(x)", ""),
        ):
            self.assertEqual(names.folded(name), folded)
        for name in ("", " ", "(x)", "张？", "张*", "张\u25a1", "张\ufffd", "张\ue000"):
            self.assertTrue(names.is_wild(name), name)

    def test_flags(self) -> None:
        key = fixtures.TOKEN_KEY
        for prf in ("blake3", "hmac-sha256"):
            token = tokens.token(prf, key, Subject("resident", "11010519491231002X"))
            tags = names.tags(prf, key, token, "阿不都·热合曼")
            compared = [names.flag(prf, key, token, name, *tags) for name in (
                "阿?", "阿不都·热合曼 ", "阿不都•热合曼", "张三",
            )]
            self.assertEqual(compared, [0, 1, 2, 3])


class Documents(TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.documents = fixtures.every_document()

    def test_round_trip(self) -> None:
        for name, data in self.documents.items():
            document = documents.read(data)
            self.assertEqual(document.type, f"hedui/{name}/v1")
            self.assertEqual(document.to_bytes(), data)
            self.assertEqual(canonical.write(document.header), document.envelope.header)

    def test_every_truncation_is_refused(self) -> None:
        for data in self.documents.values():
            for length in range(len(data)):
                self.refused("framing", documents.read, data[:length])
            self.refused("framing", documents.read, data + b"\x00")

    def test_every_changed_byte_is_refused(self) -> None:
        for data in self.documents.values():
            for at in range(len(data)):
                self.refused(None, documents.read, data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:])

    def test_members(self) -> None:
        """A member missing, a member more, and every member with a value that none of them may have."""
        for data in self.documents.values():
            document = documents.read(data)
            for member in document.header:
                without = {name: value for name, value in document.header.items() if name != member}
                self.refused(member, self.reread, document, without)
                self.refused(member, self.reread, document, document.header | {member: "\u0007"})
                self.refused(member, self.reread, document, document.header | {member: [{}]})
            self.refused("zebra", self.reread, document, document.header | {"zebra": 1})

    def reread(self, document: documents.Document, header: dict[str, Any]) -> None:
        changed = Envelope(document.type, canonical.write(header), [], document.body)
        changed.sign(fixtures.secret("anyone"))
        documents.read(changed.to_bytes())

    def test_roster_rules(self) -> None:
        document = documents.read(self.documents["roster"])
        for member, change in (
            ("expires", {"expires": "2026-12-22T09:00:01Z"}), ("expires", {"expires": "2026-11-22T09:00:00Z"}),
            ("income_to", {"income_from": "2026-01-01"}),
            ("income_to", {"income_from": "2026-01-02", "income_to": "2026-01-01"}), ("ticket", {"ticket": "AAAA" * 342}),
            ("module_minimum", {"module_minimum": "1.0.65536"}), ("issued", {"issued": "1969-12-31T23:59:59Z"}),
            ("fields", {"fields": ["amount"]}),
            ("fields", {"fields": ["name", "name"]}), ("slot_size", {"slot_size": 592}), ("slot_count", {"slot_count": 65}),
            ("entry_count", {"entry_count": 63}), ("entry_count", {"entry_count": 81}), ("serial", {"serial": 0}),
            ("line", {"level": "L1", "slot_size": 592}), ("opening_groups", {"opening_groups": [[]]}),
            ("as_of", {"as_of": "2026-02-29"}), ("as_of", {"as_of": "1899-12-31"}), ("issued", {"issued": "2026-11-22T24:00:00Z"}),
            ("token_key", {"token_key": "AA=="}), ("ticket", {"ticket": "AB=="}), ("id", {"id": "AA" * 16}),
            ("module_minimum", {"module_minimum": "1.0"}), ("body_bytes", {"body_bytes": 1}),
            ("body_sha256", {"body_sha256": "00" * 32}),
        ):
            self.refused(member, self.reread, document, document.header | change)
        self.reread(document, document.header | {"expires": "2026-12-22T09:00:00Z"})

    def test_agreement_rules(self) -> None:
        document = documents.read(self.documents["agreement"])
        for member, change in (
            ("approver_keys", {"approver_keys": []}), ("fields", {"level": "L1"}), ("fields", {"fields": ["name", "account"]}),
            ("prfs", {"prfs": []}), ("prfs", {"prfs": ["hmac-sha256", "blake3"]}), ("suites", {"suites": []}),
            ("valid_to", {"valid_to": "2025-12-31"}), ("valid_from", {"valid_from": "2026-06-31"}),
        ):
            self.refused(member, self.reread, document, document.header | change)
        self.reread(document, document.header | {"valid_to": document.header["valid_from"]})
        self.reread(document, document.header | {"approval_required": False, "approver_keys": []})

    def test_roster_body(self) -> None:
        document = documents.read(self.documents["roster"])
        body = document.body
        header = {k: v for k, v in document.header.items() if k not in ("body_bytes", "body_sha256")}
        for changed in (
            body[24:48] + body[:24] + body[48:],  # not sorted
            body[:24] * 2 + body[48:],  # a token twice
            body[:16] + b"\x00\x00\x00\x40" + body[20:],  # slot 64
            body[:23] + b"\x08" + body[24:],  # ordinal 8
            b"".join(body[i:i + 16] + bytes(4) + body[i + 20:i + 24] for i in range(0, len(body), 24)),  # empty slots
        ):
            self.refused("body", documents.write, document.type, header, changed, fixtures.seeds("centre"))

    def test_order_of_checks(self) -> None:
        header = canonical.write(fixtures.RECEIPT)
        signed = Envelope("hedui/receipt/v1", header, [], b"x")
        signed.sign(fixtures.secret("host signing"))
        self.refused("body", documents.read, signed.to_bytes())
        signed.signatures *= 2
        self.refused("signatures", documents.read, signed.to_bytes())
        signed.type = "hedui/receipt/v2"
        self.refused("type", documents.read, signed.to_bytes())
        signed.type = "Hedui"
        self.refused("framing", documents.read, signed.to_bytes())
        spaced = Envelope("hedui/receipt/v1", header + b" ")
        self.refused("framing", documents.read, spaced.to_bytes())
        spaced.sign(fixtures.secret("host signing"))
        self.refused("header", documents.read, spaced.to_bytes())

    def test_parties(self) -> None:
        read = {name: documents.read(data) for name, data in self.documents.items()}
        rules.joining_signed(read["joining"])
        rules.agreement_in_force(read["agreement"])
        rules.roster_follows(read["roster"], read["agreement"])
        rules.answer_follows(read["answer"], read["roster"], read["agreement"])
        alone = documents.write("hedui/agreement/v1", fixtures.AGREEMENT, b"", fixtures.seeds("centre"))
        self.assertEqual(documents.read(alone).digest, read["agreement"].digest)
        self.refused("signatures", rules.agreement_in_force, documents.read(alone))
        for name, check in (
            ("roster", lambda document: rules.roster_follows(document, read["agreement"])),
            ("answer", lambda document: rules.answer_follows(document, read["roster"], read["agreement"])),
        ):
            document = documents.read(self.documents[name])
            del document.envelope.signatures[1]
            self.refused("signatures", check, document)

    def test_times(self) -> None:
        self.assertEqual(parse_time("1970-01-02T00:00:01Z", "at"), 86_401)
        self.assertEqual(parse_time("1970-01-01T00:00:00Z", "at"), 0)
        for text in ("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2026-11-22T08:00:60Z", "2026-11-22T8:00:00Z", "2026-11-22t08:00:00z", "２026-11-22T08:00:00Z", None):
            self.refused("at", parse_time, text, "at")


class Answers(TestCase):
    def test_levels(self) -> None:
        for level in ("L0", "L1", "L2"):
            answer = fixtures.answer(level)
            for officers in (("officer 2", "officer 1"), ("officer 3",), ("compliance",)):
                opened = fixtures.opened(answer, level, *officers)
                self.assertEqual(opened.coverage, fixtures.STATEMENT)
                self.assertEqual(dict(opened.found()).keys(), {3})
                self.assertEqual(opened.slots[3], fixtures.slots(level)[3].to_bytes(level))
            self.refused("officer_keys", fixtures.opened, answer, level, "officer 1")
            self.assertEqual(answer, fixtures.answer(level))
            self.assertNotEqual(answer, fixtures.answer(level, b"\x01" * 32))
        self.refused("entropy", fixtures.answer, "L0", bytes(32))

    def test_body_length(self) -> None:
        document = documents.read(fixtures.answer())
        self.assertEqual(len(document.body), (32 + 48 * 2) + (32 + 48) * 2 + 4096 + 16 + 64 * (16 + 16))

    def test_parts_cannot_move(self) -> None:
        """Changed slots, signed anew by the institution, still do not open."""
        document = documents.read(fixtures.answer())
        slots_at = len(document.body) - 64 * 32
        swapped = document.body[:slots_at] + document.body[slots_at + 32:] + document.body[slots_at:slots_at + 32]
        header = {k: v for k, v in document.header.items() if not k.startswith("body_")}
        forged = documents.write(document.type, header, swapped, fixtures.seeds("bank", "approver"))
        self.refused("body", fixtures.opened, forged, "L0", "officer 3")
        later = documents.write(document.type, header | {"version": 2}, document.body, fixtures.seeds("bank", "approver"))
        self.refused("seal", fixtures.opened, later, "L0", "officer 3")

    def test_roster_seals(self) -> None:
        header = documents.read(fixtures.roster()).header
        about = (UNHEX(header["id"]), UNHEX(header["agreement"]))
        opened = seals.open_token_key(fixtures.secret("bank sealing"), *about, from_b64(header["token_key"], ""))
        self.assertEqual(opened, fixtures.TOKEN_KEY)
        ticket = from_b64(header["ticket"], "ticket")
        self.assertEqual(seals.open_ticket(fixtures.secret("centre sealing"), *about, ticket)[1:], (2, 64))
        self.refused("seal", seals.open_ticket, fixtures.secret("bank sealing"), *about, ticket)

    def test_slots(self) -> None:
        for level in ("L0", "L1", "L2"):
            slot = fixtures.slots(level)[3]
            data = slot.to_bytes(level)
            self.assertEqual(slots.Slot.from_bytes(data, level), slot)
            self.refused("slot", slots.Slot.from_bytes, data[:-1], level)
            self.refused("slot", slots.Slot.from_bytes, data[:11] + b"\x01" + data[12:], level)
        self.refused("slot", slots.Slot.from_bytes, data[:-1] + b"\x01", "L2")
        first, second = data[592:656], data[656:720]
        self.refused("slot", slots.Slot.from_bytes, data[:592] + second + first + data[720:], "L2")
        cut = slots.Account.from_bytes(slots.Account(1, "CNY", product="一二三四五六七").to_bytes())
        self.assertEqual(cut.product, "一二三四五六")

    def test_coverage(self) -> None:
        data = coverage.write(fixtures.STATEMENT)
        self.assertEqual(coverage.read(data), fixtures.STATEMENT)
        self.refused("coverage", coverage.read, data[:-1] + b"\x01")
        self.refused("rows", coverage.write, fixtures.STATEMENT | {"rows": 13})
        self.refused("quarantined", coverage.write, fixtures.STATEMENT | {"quarantined": {"odd": 1}})
        self.refused("skipped", coverage.write, fixtures.STATEMENT | {"skipped": {"blank": 0}})
        coverage.write(fixtures.STATEMENT | {"skipped": {"blank": 1}})

    def test_hedged(self) -> None:
        def stream(*arguments: Any) -> bytes:
            return Hedged(*arguments).take(64)

        first = stream("answer", b"\x01" * 32, bytes(32), b"secret")
        in_pieces = Hedged("answer", b"\x01" * 32, bytes(32), b"secret")
        self.assertEqual(in_pieces.take(7) + in_pieces.take(57), first)
        for other in (
            ("roster", b"\x01" * 32, bytes(32), b"secret"), ("answer", b"\x02" * 32, bytes(32), b"secret"),
            ("answer", b"\x01" * 32, b"\x01" * 32, b"secret"), ("answer", b"\x01" * 32, bytes(32), b""),
        ):
            self.assertNotEqual(stream(*other), first)


class KeysAndLog(TestCase):
    def test_key_file(self) -> None:
        keys = keyfile.Keys("centre-1", "核对中心", "centre", fixtures.secret("s"), fixtures.secret("x"))
        data = keyfile.write(keys, "密码密码", bytes(range(16)))
        self.assertEqual(keyfile.open_keys(data, "密码密码"), keys)
        self.refused("passphrase", keyfile.open_keys, data, "密码密码 ")
        self.refused("passphrase", keyfile.open_keys, data, "1234567")
        self.refused("passphrase", keyfile.open_keys, data.replace(b"centre-1", b"centre-2"), "密码密码")
        self.assertEqual(keyfile.open_keys(data + b" \r\n", "密码密码"), keys)
        for spaced in (b" " + data, b"\n" + data, data + b"\xc2\xa0", data + b"\x00"):
            self.refused("key file", keyfile.open_keys, spaced, "密码密码")
        self.refused("kdf.m_kib", keyfile.open_keys, data.replace(b"32768", b"65537"), "密码密码")
        for length in range(0, len(data), 7):
            self.refused("key file", keyfile.open_keys, data[:length], "密码密码")

    def test_log(self) -> None:
        first = {
            "action": "received", "actor": "bank-1", "at": "2026-11-23T00:00:00Z", "object": None,
            "previous": "0" * 64, "sequence": 1,
        }
        digest = log.entry_digest(first)
        self.assertEqual(digest, sha256(b"hedui/v1/log\x00" + canonical.write(first)))
        second = first | {"object": "ab" * 32, "previous": digest.hex(), "sequence": 2}
        self.assertEqual(log.head([first, second]), log.entry_digest(second))
        self.refused("sequence", log.head, [second])
        self.refused("previous", log.head, [first, second | {"previous": "0" * 64}])

    def test_sign_in(self) -> None:
        seed = fixtures.secret("officer")
        signature = log.sign_in(seed, "host-1", bytes(32))
        ed25519.verify(ed25519.public_key(seed), signature, b"hedui/v1/sign-in\x00host-1\x00" + bytes(32))

    def test_commitment(self) -> None:
        subject = Subject("resident", "11010519491231002X")
        parts = bytes(32) + sha256(b"A-1") + sha256(b"\x0111010519491231002X") + sha256(b"deposits")
        expected = sha256(b"hedui/v1/authorisation\x00" + parts)
        self.assertEqual(merkle.commitment(bytes(32), "A-1", subject, "deposits"), expected)


class Driver(TestCase):
    def test_many_requests_in_one_process(self) -> None:
        requests = [
            {"op": "subjects", "text": "11010519491231002x", "hint": None},
            {"op": "merkle_root", "leaves": []},
            {"op": "read", "document": "AAAA"},
            {"op": "no such"},
            {"op": "token", "prf": "blake3", "key": "00" * 32, "kind": "resident", "number": "11010519491231002X"},
        ]
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        run = subprocess.run(
            [sys.executable, "-B", str(HERE / "interop.py")], input=lines, capture_output=True, encoding="utf-8", check=True
        )
        replies = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(replies[0]["subjects"], [["resident", "11010519491231002X"]])
        self.assertEqual(replies[1], {"root": sha256(b"").hex()})
        self.assertEqual([reply["field"] for reply in replies[2:4]], ["framing", "request"])
        self.assertEqual(len(replies[4]["token"]), 32)


if __name__ == "__main__":
    unittest.main()
