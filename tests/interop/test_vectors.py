"""The vectors are what this implementation gives today, and it reads and refuses what they say.

Run by run.sh, or `python3 -m unittest test_vectors` in this folder.
"""

from __future__ import annotations

import json
import unittest
from typing import Any

import make_vectors
from hedui import base_data, coverage, documents, ed25519, keyfile, log, merkle, names, proofs, tokens
from hedui.basics import HeduiError, from_b64, sha256
from hedui.slots import Account, Slot, Total
from hedui.subjects import Subject

UNHEX = bytes.fromhex


def read(name: str) -> dict[str, Any]:
    return json.loads((make_vectors.VECTORS / name).read_text("utf-8"))


def blobs(file: dict[str, Any]) -> dict[str, bytes]:
    found = {name: from_b64(blob, name) for name, blob in file["blobs"].items() if isinstance(blob, str)}
    for name, blob in file["blobs"].items():
        if isinstance(blob, dict):
            base = found[blob["of"]]
            found[name] = base[:blob["at"]] + from_b64(blob["put"], name) + base[blob["at"] + blob["drop"]:]
    return found


class Vectors(unittest.TestCase):
    def test_current(self) -> None:
        """After a change of the specification or the version: run make_vectors.py, and read the difference."""
        made = make_vectors.every_file()
        self.assertGreaterEqual(len(made), 8)
        for name, file in made.items():
            with self.subTest(name):
                self.assertTrue((make_vectors.VECTORS / name).read_text("utf-8") == make_vectors.text(file), f"{name} is stale")

    def cases(self, file: dict[str, Any], name: str) -> list[dict[str, Any]]:
        self.assertTrue(file[name], f"{name} holds nothing")
        return file[name]

    def test_base_data(self) -> None:
        file = read("base_data.json")
        data = blobs(file)
        for case in self.cases(file, "sealed"):
            seed, pattern, length = UNHEX(case["signing_seed"]), UNHEX(case["repeat"]), case["length"]
            made = base_data.make(
                documents.read(data[case["agreement"]]), day=case["day"], created=case["created"],
                file=(pattern * (length // len(pattern) + 1))[:length], entropy=UNHEX(case["entropy"]), signing_seed=seed,
                signing_key=ed25519.public_key(seed),
            )
            self.assertEqual((len(made), sha256(made).hex()), (case["bytes"], case["sha256"]))
        for case in self.cases(file, "opened"):
            opened = base_data.open_table(documents.read(data[case["document"]]), UNHEX(case["sealing_private"]))
            self.assertEqual(opened, UNHEX(case["file"]))
        for case in self.cases(file, "refused"):
            with self.subTest(case["name"]):
                document = documents.read(data[case["document"]])
                self.assertRaises(HeduiError, base_data.open_table, document, UNHEX(case["sealing_private"]))

    def test_documents(self) -> None:
        file = read("documents.json")
        data = blobs(file)
        for case in self.cases(file, "cases"):
            with self.subTest(case["name"]):
                if "code" in case:
                    self.assertRaises(HeduiError, self.read_as, case["type"], data[case["document"]])
                else:
                    document = self.read_as(case["type"], data[case["document"]])
                    self.assertEqual(document.digest.hex(), case["digest"])
                    self.assertEqual(document.header, case["header"])
                    self.assertEqual([key.hex() for key in document.signers], case["signers"])

    def read_as(self, kind: str, data: bytes) -> documents.Document:
        document = documents.read(data)
        if document.type != kind:
            raise HeduiError("type", "another")
        return document

    def test_tokens(self) -> None:
        file = read("tokens.json")
        for case in self.cases(file, "tokens"):
            subject = Subject(case["kind"], case["number"])
            self.assertEqual(tokens.token(case["prf"], UNHEX(case["key"]), subject).hex(), case["token"])
        for case in self.cases(file, "name_tags"):
            self.assertEqual(names.is_wild(case["name"]), case["wild"])

    def test_slots_and_coverage(self) -> None:
        file = read("slots.json")
        data = blobs(file)
        for case in self.cases(file, "slots"):
            parts = case["slot"]
            totals, accounts = [Total(**t) for t in parts["totals"]], [Account(**a) for a in parts["accounts"]]
            slot = Slot(**parts | {"totals": totals, "accounts": accounts})
            self.assertEqual(Slot.from_bytes(data[case["bytes"]], case["level"]), slot)
        for case in self.cases(file, "refused"):
            with self.subTest(case["bytes"]):
                self.assertRaises(HeduiError, Slot.from_bytes, data[case["bytes"]], case["level"])
        file = read("coverage.json")
        data = blobs(file)
        for case in self.cases(file, "statements"):
            self.assertEqual(coverage.read(data[case["bytes"]]), case["statement"])
        for case in self.cases(file, "refused"):
            with self.subTest(case["bytes"]):
                self.assertRaises(HeduiError, coverage.read, data[case["bytes"]])

    def test_key_files(self) -> None:
        file = read("key_files.json")
        for case in self.cases(file, "opened"):
            keys = keyfile.open_keys(case["file"].encode(), case["passphrase"])
            self.assertEqual((keys.code, keys.role, keys.signing_seed.hex()), (case["code"], case["role"], case["signing_seed"]))
        for case in self.cases(file, "refused"):
            with self.subTest(case["name"]):
                self.assertRaises(HeduiError, keyfile.open_keys, case["file"].encode(), case["passphrase"])

    def test_log_and_authorisations(self) -> None:
        chain = self.cases(read("log.json"), "chain")
        self.assertEqual(log.head([case["entry"] for case in chain]).hex(), chain[-1]["head"])
        file = read("authorisations.json")
        for case in self.cases(file, "commitments"):
            subject = Subject(case["kind"], case["number"])
            made = merkle.commitment(UNHEX(case["salt"]), case["authorisation"], subject, case["scope"])
            self.assertEqual(made.hex(), case["commitment"])
        for case in self.cases(file, "trees"):
            leaves = [UNHEX(leaf) for leaf in case["leaves"]]
            for index, path in case["paths"].items():
                siblings = [UNHEX(node) for node in path]
                found = merkle.root_from_path(leaves[int(index)], int(index), len(leaves), siblings)
                self.assertEqual(found.hex(), case["root"])

        for case in self.cases(file, "proofs"):
            with self.subTest(case["name"]):
                given = (case["proof"].encode("utf-8"), UNHEX(case["roster"]), UNHEX(case["root"]), case["slot_count"])
                check = lambda text, *rest: proofs.check(proofs.read(text), *rest)
                if "code" in case:
                    self.assertRaises(HeduiError, check, *given)
                else:
                    self.assertEqual(check(*given).number, json.loads(case["proof"])["number"])

    def test_sessions_name_what_is_there(self) -> None:
        file = read("sessions.json")
        data = blobs(file)
        for case in self.cases(file, "cases"):
            for step in self.cases(case, "steps"):
                for member in ("key_file", "agreement", "roster", "document", "answer", "file"):
                    self.assertIn(step.get(member, "bank.key"), data, case["name"])


if __name__ == "__main__":
    unittest.main()
