#!/usr/bin/env python3
"""One JSON object per line in, one per line out: lets another implementation drive this one.

Every request has "op". Binary values are b64 where they are whole documents, bodies or slots, hex otherwise.
A refusal is {"error": text, "field": the part that is wrong}; field "request" means the request itself is.
The operations and their members are the functions below, whose names are the ops.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from hedui import answers, base_data, cosigning, coverage, documents, ed25519, institution_log, keyfile, log, merkle, names, proofs, rosters, rules, seals, tokens
from hedui.basics import HeduiError, from_b64, from_hex, sha256, to_b64
from hedui.hedged import Hedged
from hedui.slots import Account, Slot, Total
from hedui.subjects import HINTS, Subject, clean, hint_of, subjects_of

Request = dict[str, Any]
OPERATIONS: dict[str, Callable[[Request], Request]] = {}


def operation(function: Callable[[Request], Request]) -> Callable[[Request], Request]:
    OPERATIONS[function.__name__] = function
    return function


def _hex(request: Request, name: str, length: int | None = None) -> bytes:
    return from_hex(request[name], name, length)


def _document(request: Request, name: str) -> documents.Document:
    return documents.read(from_b64(request[name], name))


def _seeds(request: Request) -> list[bytes]:
    return [from_hex(seed, "signing_seeds", 32) for seed in request["signing_seeds"]]


# §3


@operation
def subjects(request: Request) -> Request:
    """text, hint → outcome. hint: one of the five, null, or else the text of a document-kind cell."""
    hint = request.get("hint")
    outcome = subjects_of(request["text"], hint if hint in HINTS else hint_of(hint or ""))
    if outcome.subjects:
        found = [[subject.kind, subject.number] for subject in outcome.subjects]
        return {"outcome": "subjects", "subjects": found, "normalised": outcome.normalised}
    if outcome.reason:
        return {"outcome": "quarantine", "reason": outcome.reason}
    return {"outcome": "not_personal"}


@operation
def cleaned(request: Request) -> Request:
    """text → cleaned, normalised."""
    text, steps = clean(request["text"])
    return {"cleaned": text, "normalised": steps}


@operation
def hint(request: Request) -> Request:
    """cell → hint or null."""
    return {"hint": hint_of(request["cell"])}


@operation
def token(request: Request) -> Request:
    """prf, key, kind, number → token."""
    subject = Subject(request["kind"], request["number"])
    return {"token": tokens.token(request["prf"], _hex(request, "key", 32), subject).hex()}


@operation
def name_tags(request: Request) -> Request:
    """prf, key, token, name → folded_tag, exact_tag, and what they were made of."""
    name = request["name"]
    folded_tag, exact_tag = names.tags(request["prf"], _hex(request, "key", 32), _hex(request, "token", 16), name)
    return {
        "folded_tag": folded_tag.hex(), "exact_tag": exact_tag.hex(),
        "folded": names.folded(name), "trimmed": names.trimmed(name), "wild": names.is_wild(name),
    }


@operation
def name_flag(request: Request) -> Request:
    """prf, key, token, name, folded_tag, exact_tag → flag."""
    return {
        "flag": names.flag(
            request["prf"], _hex(request, "key", 32), _hex(request, "token", 16), request["name"],
            _hex(request, "folded_tag", 2), _hex(request, "exact_tag", 1),
        )
    }


# §2, §4


@operation
def read(request: Request) -> Request:
    """document → type, digest, header, signers, body_sha256 (null in the types without a body)."""
    document = _document(request, "document")
    return {
        "type": document.type,
        "digest": document.digest.hex(),
        "header": document.header,
        "signers": [key.hex() for key in document.signers],
        "body_sha256": document.header.get("body_sha256"),
    }


@operation
def write(request: Request) -> Request:
    """type, header, body, signing_seeds → document. "unchecked": true writes even what `read` would refuse."""
    body = from_b64(request.get("body") or "", "body")
    checked = not request.get("unchecked", False)
    return {"document": to_b64(documents.write(request["type"], request["header"], body, _seeds(request), checked))}


@operation
def cosign(request: Request) -> Request:
    """document, signing_seed → document with one signature more."""
    signed = documents.cosign(from_b64(request["document"], "document"), _hex(request, "signing_seed", 32))
    return {"document": to_b64(signed)}


@operation
def check_parties(request: Request) -> Request:
    """joining, or agreement and then, if given, roster and answer → {"ok": true}: who signed, and what was agreed."""
    if "joining" in request:
        rules.joining_signed(_document(request, "joining"))
        return {"ok": True}
    agreement = _document(request, "agreement")
    rules.agreement_in_force(agreement)
    if "roster" in request:
        roster = _document(request, "roster")
        rules.roster_follows(roster, agreement)
        if "answer" in request:
            rules.answer_follows(_document(request, "answer"), roster, agreement)
    return {"ok": True}


@operation
def make_roster(request: Request) -> Request:
    """agreement, header, token_key, entries [{kind, number, name, slot, ordinal}], entropy, signing_seeds."""
    people = [
        rosters.Person(Subject(entry["kind"], entry["number"]), entry["name"], entry["slot"], entry.get("ordinal", 0))
        for entry in request["entries"]
    ]
    return {
        "document": to_b64(
            rosters.make(
                _document(request, "agreement"), request["header"], _hex(request, "token_key", 32), people,
                _hex(request, "entropy", 32), _seeds(request),
            )
        )
    }


@operation
def open_token_key(request: Request) -> Request:
    """roster, sealing_private → token_key."""
    header = _document(request, "roster").header
    key = seals.open_token_key(
        _hex(request, "sealing_private", 32), from_hex(header["id"], "id"), from_hex(header["agreement"], "agreement"),
        from_b64(header["token_key"], "token_key"),
    )
    return {"token_key": key.hex()}


@operation
def open_ticket(request: Request) -> Request:
    """roster, sealing_private (the centre's) → seed, real, slots."""
    header = _document(request, "roster").header
    seed, real, slots = seals.open_ticket(
        _hex(request, "sealing_private", 32), from_hex(header["id"], "id"), from_hex(header["agreement"], "agreement"),
        from_b64(header["ticket"], "ticket"),
    )
    return {"seed": seed.hex(), "real": real, "slots": slots}


@operation
def rebuild_roster(request: Request) -> Request:
    """roster, request, agreement, sealing_private (the co-signer's), people → real, and what a roster of the people is.

    A person is {"numbers": [[kind, number], …], "name", "form", "scope"}.
    """
    roster, agreement = _document(request, "roster"), _document(request, "agreement")
    private = _hex(request, "sealing_private", 32)
    seed, real = cosigning.open_request(_document(request, "request"), roster, agreement, private)
    people = [
        cosigning.Authorised(
            [Subject(kind, number) for kind, number in person["numbers"]], person["name"], person["form"], person["scope"],
        )
        for person in request["people"]
    ]
    made = cosigning.rebuild(roster, agreement, seed, people)
    return {
        "real": real, "body_sha256": sha256(made.body).hex(), "authorisations_root": made.authorisations_root.hex(),
        "token_key": to_b64(made.token_key),
    }


@operation
def make_answer(request: Request) -> Request:
    """roster, agreement, created, module_release, module_sha256, version, coverage, slots, entropy, signing_seed.

    coverage is the statement as an object, or b64 of its 4,096 bytes; slots is b64 of all slots, one after another.
    """
    statement = request["coverage"]
    return {
        "document": to_b64(
            answers.make(
                _document(request, "roster"), _document(request, "agreement"),
                created=request["created"], module_release=request["module_release"],
                module_sha256=request["module_sha256"], version=request["version"],
                statement=from_b64(statement, "coverage") if isinstance(statement, str) else coverage.write(statement),
                slots=from_b64(request["slots"], "slots"),
                entropy=_hex(request, "entropy", 32), signing_seed=_hex(request, "signing_seed", 32),
            )
        )
    }


@operation
def open_answer(request: Request) -> Request:
    """answer, roster, agreement, officer_keys → coverage, and every slot that is not all zero, read and as hex."""
    officer_keys = [from_hex(key, "officer_keys", 32) for key in request["officer_keys"]]
    opened = answers.open_answer(
        _document(request, "answer"), _document(request, "roster"), _document(request, "agreement"), officer_keys
    )
    found = [{"slot": i, "bytes": opened.slots[i].hex(), **slot.readable()} for i, slot in opened.found()]
    return {"coverage": opened.coverage, "slots": found}


@operation
def make_copy(request: Request) -> Request:
    """answer, copy and sealing_private to take the content key from, compliance_key, entropy, signing_seed → document."""
    answer = _document(request, "answer")
    content_key = answers.copied_key(answer, _document(request, "copy"), _hex(request, "sealing_private", 32))
    return {
        "document": to_b64(
            answers.make_copy(
                answer, content_key, _hex(request, "compliance_key", 32), _hex(request, "entropy", 32),
                _hex(request, "signing_seed", 32),
            )
        )
    }


@operation
def open_copy(request: Request) -> Request:
    """answer, copy, sealing_private (the compliance office's) → as open_answer."""
    opened = answers.open_with_copy(
        _document(request, "answer"), _document(request, "copy"), _hex(request, "sealing_private", 32)
    )
    found = [{"slot": i, "bytes": opened.slots[i].hex(), **slot.readable()} for i, slot in opened.found()]
    return {"coverage": opened.coverage, "slots": found}


@operation
def make_base_data(request: Request) -> Request:
    """agreement, day, created, file (b64), entropy, signing_seed → document."""
    seed = _hex(request, "signing_seed", 32)
    made = base_data.make(
        _document(request, "agreement"), day=request["day"], created=request["created"],
        file=from_b64(request["file"], "file"), entropy=_hex(request, "entropy", 32), signing_seed=seed,
        signing_key=ed25519.public_key(seed),
    )
    return {"document": to_b64(made)}


@operation
def open_base_data(request: Request) -> Request:
    """document, sealing_private (the centre's) → file (b64)."""
    return {"file": to_b64(base_data.open_table(_document(request, "document"), _hex(request, "sealing_private", 32)))}


@operation
def slot_write(request: Request) -> Request:
    """level, slot (numbers as in §5.1, with lists "totals" and "accounts") → bytes."""
    parts = dict(request["slot"])
    parts["totals"] = [Total(**total) for total in parts.get("totals", [])]
    parts["accounts"] = [Account(**account) for account in parts.get("accounts", [])]
    return {"bytes": Slot(**parts).to_bytes(request["level"]).hex()}


@operation
def slot_read(request: Request) -> Request:
    """level, bytes → the slot in words."""
    return Slot.from_bytes(_hex(request, "bytes"), request["level"]).readable()


@operation
def coverage_read(request: Request) -> Request:
    """bytes (b64 of 4,096) → coverage."""
    return {"coverage": coverage.read(from_b64(request["bytes"], "bytes"))}


# §6.5 to §9


@operation
def hedged(request: Request) -> Request:
    """use, seed, everything_digest, secret, length → stream."""
    stream = Hedged(
        request["use"], _hex(request, "seed", 32), _hex(request, "everything_digest", 32), _hex(request, "secret")
    )
    return {"stream": stream.take(request["length"]).hex()}


@operation
def commitment(request: Request) -> Request:
    """salt, authorisation, kind, number, scope → commitment."""
    subject = Subject(request["kind"], request["number"])
    committed = merkle.commitment(_hex(request, "salt", 32), request["authorisation"], subject, request["scope"])
    return {"commitment": committed.hex()}


@operation
def proof_verify(request: Request) -> Request:
    """roster, proof (its text) → kind, number, authorisation, scope."""
    proof = proofs.read(request["proof"].encode("utf-8"))
    subject = proofs.verify(proof, _document(request, "roster"))
    return {"kind": subject.kind, "number": subject.number, "authorisation": proof["authorisation"], "scope": proof["scope"]}


def _leaves(request: Request) -> list[bytes]:
    return [from_hex(leaf, "leaves") for leaf in request["leaves"]]


@operation
def merkle_root(request: Request) -> Request:
    """leaves → root."""
    return {"root": merkle.root(_leaves(request)).hex()}


@operation
def merkle_path(request: Request) -> Request:
    """leaves, index → path, from the leaf up."""
    return {"path": [node.hex() for node in merkle.path(_leaves(request), request["index"])]}


@operation
def merkle_root_from_path(request: Request) -> Request:
    """leaf, index, count, path → root."""
    path = [from_hex(node, "path", 32) for node in request["path"]]
    return {"root": merkle.root_from_path(_hex(request, "leaf"), request["index"], request["count"], path).hex()}


@operation
def keyfile_open(request: Request) -> Request:
    """file, passphrase → the keys."""
    keys = keyfile.open_keys(request["file"].encode("utf-8"), request["passphrase"])
    return {
        "code": keys.code, "name": keys.name, "role": keys.role,
        "signing_seed": keys.signing_seed.hex(), "sealing_private": keys.sealing_private.hex(),
        "signing_key": keys.signing_key.hex(), "sealing_key": keys.sealing_key.hex(),
    }


@operation
def keyfile_write(request: Request) -> Request:
    """code, name, role, signing_seed, sealing_private, salt, passphrase, kdf (or left out) → file."""
    keys = keyfile.Keys(
        request["code"], request["name"], request["role"],
        _hex(request, "signing_seed", 32), _hex(request, "sealing_private", 32),
    )
    data = keyfile.write(keys, request["passphrase"], _hex(request, "salt", 16), request.get("kdf"))
    return {"file": data.decode("utf-8")}


@operation
def log_digest(request: Request) -> Request:
    """entry → digest."""
    return {"digest": log.entry_digest(request["entry"]).hex()}


@operation
def log_head(request: Request) -> Request:
    """entries → head, after checking the chain."""
    return {"head": log.head(request["entries"]).hex()}


@operation
def institution_log_check(request: Request) -> Request:
    """`{text}` → `{entries, head}`: an institution's log, every line of it."""
    entries, head = institution_log.check(request["text"].encode())
    return {"entries": entries, "head": head.hex()}


@operation
def sign_in(request: Request) -> Request:
    """signing_seed, host, challenge → signature."""
    signature = log.sign_in(_hex(request, "signing_seed", 32), request["host"], _hex(request, "challenge", 32))
    return {"signature": signature.hex()}


def respond(line: str) -> Request:
    try:
        request = json.loads(line)
        return OPERATIONS[request["op"]](request)
    except HeduiError as refusal:
        return {"error": refusal.message, "field": refusal.field}
    except Exception as mistake:  # a driver's mistake must not end the thousands of cases after it
        return {"error": f"{type(mistake).__name__}: {mistake}", "field": "request"}


def main() -> None:
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.reconfigure(encoding="utf-8")
    for line in sys.stdin:
        print(json.dumps(respond(line), ensure_ascii=True), flush=True)


if __name__ == "__main__":
    main()
