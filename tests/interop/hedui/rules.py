"""SPEC §4: what documents ask of each other, beyond what one document shows."""

from __future__ import annotations

from .basics import HeduiError, from_hex
from .documents import Document
from .forms import release_numbers


def expect(document: Document, kind: str) -> None:
    if document.type != kind:
        raise HeduiError("type", f"{document.type} where {kind} is due")


def agreement_in_force(agreement: Document) -> None:
    """Signed by the centre first and the institution second. The days of validity are the caller's to compare."""
    expect(agreement, "hedui/agreement/v1")
    signing_keys = [from_hex(agreement.header[party]["signing_key"], party) for party in ("centre", "institution")]
    if agreement.signers[:2] != signing_keys:
        raise HeduiError("signatures", "not those of the centre and the institution")


def joining_signed(joining: Document) -> None:
    expect(joining, "hedui/joining/v1")
    if joining.signers[0] != from_hex(joining.header["signing_key"], "signing_key"):
        raise HeduiError("signatures", "not that of the key in the request")


def roster_follows(roster: Document, agreement: Document) -> None:
    expect(roster, "hedui/roster/v1")
    asked, agreed = roster.header, agreement.header
    if asked["agreement"] != agreement.digest.hex():
        raise HeduiError("agreement", "not the agreement at hand")
    if roster.signers[0] != from_hex(agreed["centre"]["signing_key"], "centre"):
        raise HeduiError("signatures", "the first is not the centre's")
    cosigner = agreed["cosigner_key"]
    if cosigner is not None and from_hex(cosigner, "cosigner_key") not in roster.signers[1:]:
        raise HeduiError("signatures", "the co-signer's is missing")
    if asked["institution"] != agreed["institution"]["code"]:
        raise HeduiError("institution", "not the institution of the agreement")
    if not set(asked["fields"]) <= set(agreed["fields"]):
        raise HeduiError("fields", "a field that was not agreed")
    if asked["level"] > agreed["level"]:
        raise HeduiError("level", "above the level agreed")
    if asked["prf"] not in agreed["prfs"]:
        raise HeduiError("prf", "was not agreed")
    if asked["suite"] not in agreed["suites"]:
        raise HeduiError("suite", "was not agreed")


def answer_follows(answer: Document, roster: Document, agreement: Document) -> None:
    expect(answer, "hedui/answer/v1")
    given, asked, agreed = answer.header, roster.header, agreement.header
    if given["roster"] != roster.digest.hex():
        raise HeduiError("roster", "not the roster at hand")
    for name, due in (
        ("roster_id", asked["id"]), ("institution", asked["institution"]),
        ("slot_count", asked["slot_count"]), ("slot_size", asked["slot_size"]),
    ):
        if given[name] != due:
            raise HeduiError(name, "not that of the roster")
    if release_numbers(given["module_release"]) < release_numbers(asked["module_minimum"]):
        raise HeduiError("module_release", "older than the roster's module_minimum")
    if answer.signers[0] != from_hex(agreed["institution"]["signing_key"], "institution"):
        raise HeduiError("signatures", "the first is not the institution's")
    approvers = [from_hex(key, "approver_keys") for key in agreed["approver_keys"]]
    if agreed["approval_required"] and not any(key in approvers for key in answer.signers[1:]):
        raise HeduiError("signatures", "an approver's is missing")
