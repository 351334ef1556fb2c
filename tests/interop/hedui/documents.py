"""SPEC §4: the documents. Each has a table of members and, some, a rule between members."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import canonical, envelope, forms, roster_body
from .basics import HeduiError, from_hex, parse_date, parse_time, sha256
from .envelope import Envelope
from .forms import Form

SLOT_SIZES = {"L0": 16, "L1": 592, "L2": 2640}
SIZE_CLASSES = tuple(64 << k for k in range(15))
LEVEL_FIELDS = {
    "L0": {"name"},
    "L1": {"accounts", "amount", "balance_date", "name"},
    "L2": {"account", "accounts", "amount", "balance_date", "name", "product", "status"},
}
FIELD_NAMES = sorted(LEVEL_FIELDS["L2"])
# §6.7: bytes of a chunk of base data, how many chunks there may be, and bytes of the sealed key before them.
CHUNK = 65_536
CHUNK_COUNTS = sorted({1} | {count << k for k in range(11) for count in (2, 3)})
SEALED_KEY = 32 + 48
LONGEST_ROSTER = 30 * 24 * 3600

KIND = forms.one_of("bank", "securities", "insurance", "payment", "department")
LEVEL = forms.one_of("L0", "L1", "L2")
PRF = forms.one_of("blake3", "hmac-sha256")
FIELDS = forms.sorted_list_of(forms.one_of(*FIELD_NAMES))
PARTY: dict[str, Form] = {
    "code": forms.code, "name": forms.text, "sealing_key": forms.key, "signing_key": forms.key,
}
BODY: dict[str, Form] = {"body_bytes": forms.integer(0, 2**40), "body_sha256": forms.digest}

JOINING: dict[str, Form] = {
    "code": forms.code,
    "issued": forms.time,
    "kind": KIND,
    "name": forms.text,
    "sealing_key": forms.key,
    "signing_key": forms.key,
}
AGREEMENT: dict[str, Form] = {
    "approval_required": forms.boolean,
    "approver_keys": forms.list_of(forms.key),
    "centre": forms.object_of(PARTY),
    "compliance_key": forms.or_null(forms.key),
    "cosigner_key": forms.or_null(forms.key),
    "fields": FIELDS,
    "institution": forms.object_of(PARTY | {"kind": KIND}),
    "level": LEVEL,
    "number": forms.text,
    "page_sha256": forms.or_null(forms.digest),
    "prfs": forms.sorted_list_of(PRF, 1),
    "purpose": forms.text,
    "suites": forms.sorted_list_of(forms.one_of("keyed"), 1),
    "valid_from": forms.date,
    "valid_to": forms.date,
}
ROSTER: dict[str, Form] = BODY | {
    "agreement": forms.digest,
    "as_of": forms.date,
    "authorisations_root": forms.digest,
    "entry_count": forms.integer(1, 1_310_720),
    "expires": forms.time,
    "fields": FIELDS,
    "id": forms.identifier,
    "income_from": forms.or_null(forms.date),
    "income_to": forms.or_null(forms.date),
    "institution": forms.code,
    "issued": forms.time,
    "kem": forms.one_of("x25519-hkdf-sha256"),
    "legal_basis": forms.text,
    "level": LEVEL,
    "line": forms.or_null(forms.object_of({"currency": forms.currency, "minor": forms.integer()})),
    "module_minimum": forms.release,
    "opening_groups": forms.list_of(forms.list_of(forms.key, 1, 3), 1, 6),
    "prf": PRF,
    "purpose": forms.text,
    "serial": forms.integer(1),
    "slot_count": forms.one_of(*SIZE_CLASSES),
    "slot_size": forms.one_of(*SLOT_SIZES.values()),
    "suite": forms.one_of("keyed"),
    "ticket": forms.sealed_up_to(1024),
    "token_key": forms.sealed(80),
}
ANSWER: dict[str, Form] = BODY | {
    "created": forms.time,
    "institution": forms.code,
    "module_release": forms.release,
    "module_sha256": forms.digest,
    "roster": forms.digest,
    "roster_id": forms.identifier,
    "slot_count": forms.integer(0, 2**32 - 1),
    "slot_size": forms.integer(0, 2**32 - 1),
    "version": forms.integer(1, 999),
}
RECEIPT: dict[str, Form] = {
    "answer": forms.digest,
    "answer_bytes": forms.integer(),
    "institution": forms.code,
    "log_head": forms.digest,
    "log_position": forms.integer(1),
    "received": forms.time,
    "roster": forms.digest,
}
RELEASE: dict[str, Form] = {
    "exports": forms.sorted_list_of(forms.text),
    "imports": forms.sorted_list_of(forms.text),
    "issued": forms.time,
    "module_blake3": forms.digest,
    "module_bytes": forms.integer(),
    "module_sha256": forms.digest,
    "page_sha256": forms.or_null(forms.digest),
    "release": forms.release,
    "source_sha256": forms.digest,
    "toolchain": forms.text,
}
COPY: dict[str, Form] = {
    "answer": forms.digest,
    "compliance_key": forms.key,
    "content_key": forms.sealed(80),
    "created": forms.time,
    "institution": forms.code,
    "roster": forms.digest,
}
ISSUER = forms.object_of({"code": forms.code, "name": forms.text, "signing_key": forms.key})
REPORT: dict[str, Form] = BODY | {
    "case": forms.text,
    "centre": ISSUER,
    "issued": forms.time,
    "kind": forms.one_of("report", "suspension"),
    "number": forms.text,
    "pdf_sha256": forms.digest,
    "supersedes": forms.or_null(forms.digest),
    "version": forms.integer(1),
}
ARCHIVE: dict[str, Form] = BODY | {
    "case": forms.text,
    "centre": ISSUER,
    "files": forms.integer(),
    "log_head": forms.digest,
    "log_position": forms.integer(),
    "made": forms.time,
    "number": forms.text,
    "previous": forms.or_null(forms.digest),
    "sequence": forms.integer(1),
    "version": forms.integer(1),
}
COSIGNER: dict[str, Form] = {
    "code": forms.code,
    "issued": forms.time,
    "name": forms.text,
    "sealing_key": forms.key,
    "signing_key": forms.key,
}
COSIGN_REQUEST: dict[str, Form] = BODY | {
    "agreement": forms.digest,
    "created": forms.time,
    "recipient": forms.key,
    "roster": forms.digest,
    "seed": forms.sealed(88),
    "slot_count": forms.one_of(*SIZE_CLASSES),
}
BASE_DATA: dict[str, Form] = BODY | {
    "agreement": forms.digest,
    "created": forms.time,
    "day": forms.date,
    "institution": forms.code,
    "recipient": forms.key,
}
TABLES: dict[str, dict[str, Form]] = {
    "hedui/joining/v1": JOINING,
    "hedui/agreement/v1": AGREEMENT,
    "hedui/roster/v1": ROSTER,
    "hedui/answer/v1": ANSWER,
    "hedui/receipt/v1": RECEIPT,
    "hedui/release/v1": RELEASE,
    "hedui/copy/v1": COPY,
    "hedui/report/v1": REPORT,
    "hedui/archive/v1": ARCHIVE,
    "hedui/cosigner/v1": COSIGNER,
    "hedui/cosign-request/v1": COSIGN_REQUEST,
    "hedui/base-data/v1": BASE_DATA,
}


@dataclass
class Document:
    """A document that passed every check of §2."""

    envelope: Envelope
    header: dict[str, Any]

    @property
    def type(self) -> str:
        return self.envelope.type

    @property
    def digest(self) -> bytes:
        return self.envelope.digest

    @property
    def signers(self) -> list[bytes]:
        return self.envelope.signers

    @property
    def body(self) -> bytes:
        return self.envelope.body

    def to_bytes(self) -> bytes:
        return self.envelope.to_bytes()


def check_members(kind: str, header: dict[str, Any]) -> None:
    forms.members(header, TABLES[kind])
    if kind == "hedui/agreement/v1":
        if header["approval_required"] and not header["approver_keys"]:
            raise HeduiError("approver_keys", "empty though approval is required")
        _check_fields(header)
        _check_order(header, "valid_from", "valid_to")
    if kind == "hedui/roster/v1":
        _check_roster_members(header)
    if kind == "hedui/cosign-request/v1" and header["body_bytes"] != 32 * header["slot_count"]:
        raise HeduiError("body_bytes", "not a commitment for each slot")
    if kind == "hedui/report/v1" and (header["supersedes"] is None) != (header["version"] == 1):
        raise HeduiError("supersedes", "the first version takes no other's place, every later one does")
    if kind == "hedui/archive/v1" and (header["previous"] is None) != (header["sequence"] == 1):
        raise HeduiError("previous", "the first list follows none, every later one does")
    if kind == "hedui/base-data/v1":
        chunks, rest = divmod(header["body_bytes"] - SEALED_KEY, CHUNK + 16)
        if rest or chunks not in CHUNK_COUNTS:
            raise HeduiError("body_bytes", "not one of the sizes")


def _check_roster_members(header: dict[str, Any]) -> None:
    issued, expires = parse_time(header["issued"], "issued"), parse_time(header["expires"], "expires")
    if not issued < expires <= issued + LONGEST_ROSTER:
        raise HeduiError("expires", "not after the roster was issued, or more than 30 days after")
    if (header["income_from"] is None) != (header["income_to"] is None):
        raise HeduiError("income_to", "only one end of the income period")
    if header["income_from"] is not None:
        _check_order(header, "income_from", "income_to")
    if header["line"] is not None and header["level"] != "L0":
        raise HeduiError("line", "a line above level L0")
    _check_fields(header)
    if header["slot_size"] != SLOT_SIZES[header["level"]]:
        raise HeduiError("slot_size", "not the size of the level")
    if header["entry_count"] < header["slot_count"]:
        raise HeduiError("entry_count", "fewer entries than slots")


def _check_fields(header: dict[str, Any]) -> None:
    if not set(header["fields"]) <= LEVEL_FIELDS[header["level"]]:
        raise HeduiError("fields", "a field that the level has no place for")


def _check_order(header: dict[str, Any], first: str, last: str) -> None:
    if parse_date(header[first], first) > parse_date(header[last], last):
        raise HeduiError(last, "before " + first)


def read(data: bytes) -> Document:
    """Check in the order of §2: framing, type, signatures, canonical JSON, members, body."""
    envelope_read = envelope.parse(data)
    kind = envelope_read.type
    if kind not in TABLES:
        raise HeduiError("type", "no document of version 1")
    envelope_read.check_signatures()
    header = envelope_read.read_header()
    check_members(kind, header)
    _check_body(kind, header, envelope_read.body)
    return Document(envelope_read, header)


def _check_body(kind: str, header: dict[str, Any], body: bytes) -> None:
    if "body_bytes" not in TABLES[kind]:
        if body:
            raise HeduiError("body", "a body in a document that has none")
        return
    if len(body) != header["body_bytes"]:
        raise HeduiError("body_bytes", "not the length of the body")
    if sha256(body) != from_hex(header["body_sha256"], "body_sha256", 32):
        raise HeduiError("body_sha256", "not the digest of the body")
    if kind == "hedui/roster/v1":
        roster_body.read(body, header["entry_count"], header["slot_count"])
    if kind == "hedui/archive/v1":
        _check_list(body, header["files"])


def _check_list(body: bytes, files: int) -> None:
    """§4.9: as `sha256sum` writes it, by name, no name twice."""
    lines = body.split(b"\n")
    if lines.pop() or len(lines) != files:
        raise HeduiError("body", "not as many lines as files")
    read = [re.fullmatch(rb"[0-9a-f]{64}  ([a-z0-9-][a-z0-9.-]*)", line) for line in lines]
    names = [line.group(1) for line in read if line]
    if len(names) != files or any(a >= b for a, b in zip(names, names[1:])):
        raise HeduiError("body", "no list of digests and names, by name")


def write(kind: str, header: dict[str, Any], body: bytes, seeds: list[bytes], checked: bool = True) -> bytes:
    """A signed document. `header` is given without the body members; `checked` reads it back."""
    if kind not in TABLES:
        raise HeduiError("type", "no document of version 1")
    if "body_bytes" in TABLES[kind]:
        header = header | {"body_bytes": len(body), "body_sha256": sha256(body).hex()}
    written = Envelope(kind, canonical.write(header, "header"), [], body)
    for seed in seeds:
        written.sign(seed)
    data = written.to_bytes()
    if checked:
        read(data)
    return data


def cosign(data: bytes, seed: bytes) -> bytes:
    """Add a co-signature. The document digest stays the same."""
    document = read(data)
    document.envelope.sign(seed)
    signed = document.to_bytes()
    read(signed)
    return signed
