"""SPEC §3.1 to §3.3: from the text of a cell to subjects, or to the reason why there are none."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field

KIND_BYTES = {"resident": 1, "permanent-old": 2, "passport": 3, "hk-mo-permit": 4, "tw-permit": 5, "officer": 6}
HINTS = ("company", "passport", "tw", "hk-mo", "officer")
REASONS = ("check_digit", "date", "empty", "format", "length", "masked", "placeholder", "scientific")
NORMALISED = ("wrapped", "spaces", "fullwidth", "lowercase", "lookalike", "star", "upgraded15", "reissue")


def _characters(*ranges: tuple[int, int]) -> frozenset[str]:
    return frozenset(chr(point) for first, last in ranges for point in range(first, last + 1))


SPACES = _characters(
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0xAD, 0xAD), (0x1680, 0x1680), (0x2000, 0x200F),
    (0x2028, 0x202F), (0x205F, 0x2064), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)
HYPHENS = _characters((0x2D, 0x2D), (0x2010, 0x2015), (0x2212, 0x2212), (0xFE63, 0xFE63), (0xFF0D, 0xFF0D))
FULLWIDTH = {0xFF01 + i: 0x21 + i for i in range(0x5E)}
LOWERCASE = {ord("a") + i: ord("A") + i for i in range(26)}
LOOKALIKE = dict.fromkeys(
    (0x0425, 0x0445, 0x03A7, 0x03C7, 0x2169, 0x2179, 0x00D7, 0x2715, 0x2716), ord("X")
)
HAN = "[\u4e00-\u9fff]"
CREDIT_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Subject:
    kind: str
    number: str


@dataclass
class Outcome:
    """Subjects; or none and a quarantine reason; or none and no reason: not personal."""

    subjects: list[Subject] = field(default_factory=list)
    reason: str | None = None
    normalised: list[str] = field(default_factory=list)


def clean(text: str) -> tuple[str, list[str]]:
    """The cleaned text, and the names of the steps that changed something (§3.1)."""
    steps: set[str] = set()
    trimmed = text.strip("".join(SPACES))
    if trimmed != text:
        steps.add("spaces")
    unwrapped = trimmed
    if len(unwrapped) >= 3 and unwrapped.startswith('="') and unwrapped.endswith('"'):
        unwrapped = unwrapped[2:-1]
    if unwrapped[:1] in tuple("'’`＇"):
        unwrapped = unwrapped[1:]
    if unwrapped != trimmed:
        steps.add("wrapped")
    value = "".join(c for c in unwrapped if c not in SPACES and c not in HYPHENS)
    if value != unwrapped:
        steps.add("spaces")
    for name, table in (("fullwidth", FULLWIDTH), ("lowercase", LOWERCASE), ("lookalike", LOOKALIKE)):
        changed = value.translate(table)
        if changed != value:
            steps.add(name)
        value = changed
    return value, [name for name in NORMALISED if name in steps]


def hint_of(cell: str) -> str | None:
    """What the document-kind cell says (§3.3)."""
    text = "".join(c for c in cell if c not in SPACES)
    if any(word in text for word in ("营业执照", "信用代码", "机构代码", "工商", "企业")):
        return "company"
    if "护照" in text or "PASSPORT" in text.translate(LOWERCASE):
        return "passport"
    if "台胞" in text or "台湾居民来往" in text or _permit_of_residents_of("台湾", text):
        return "tw"
    if "回乡" in text or "港澳居民来往" in text or _permit_of_residents_of("港澳", text):
        return "hk-mo"
    if any(word in text for word in ("军官", "士兵", "警官", "文职", "军人")):
        return "officer"
    return None


def _permit_of_residents_of(place: str, text: str) -> bool:
    """Those of mainland residents for travel there (往来) are another document."""
    return place in text and "通行证" in text and "往来" + place not in text


def resident_check_character(digits: str) -> str:
    """MOD 11-2 of GB 11643 over the first 17 digits."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(digits, RESIDENT_WEIGHTS)) % 11]


def resident_date_exists(number: str) -> bool:
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    if not 1800 <= year <= 2199:
        return False
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def is_resident(number: str) -> bool:
    return resident_date_exists(number) and number[17] == resident_check_character(number[:17])


def is_credit_code(code: str) -> bool:
    """MOD 31-3 of GB 32100: the check character of a unified social credit code."""
    total = sum(CREDIT_CODE.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return code[17] == CREDIT_CODE[-total % 31]


def subjects_of(text: str, hint: str | None) -> Outcome:
    cleaned, steps = clean(text)
    outcome = _classify(cleaned, hint)
    outcome.normalised = [name for name in NORMALISED if name in steps + outcome.normalised]
    return outcome


def _one(kind: str, number: str, *steps: str) -> Outcome:
    return Outcome([Subject(kind, number)], None, list(steps))


def _quarantine(reason: str) -> Outcome:
    return Outcome(reason=reason)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def _classify(text: str, hint: str | None) -> Outcome:
    """§3.2, rule by rule; the numbers are those of the rules."""
    if not text:  # 1
        return _quarantine("empty")
    if text.count("*") >= 2:  # 2
        return _quarantine("masked")
    if _matches(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,3}", text) and ("." in text or "+" in text):  # 3
        return _quarantine("scientific")
    if _matches(r"([0-9])\1*", text) or text in ("123456789012345678", "123456789012345"):  # 4
        return _quarantine("placeholder")
    if hint == "company":  # 5
        return Outcome()
    if _matches("[0-9]{17}[0-9X]", text):  # 6
        if is_resident(text):
            return _one("resident", text)
        if resident_date_exists(text):
            return _quarantine("check_digit")
        return Outcome() if is_credit_code(text) else _quarantine("date")
    if _matches(r"[0-9]{17}\*", text):  # 7
        number = text[:17] + "X"
        return _one("resident", number, "star") if is_resident(number) else _quarantine("check_digit")
    if _matches(f"[{CREDIT_CODE}]{{18}}", text) and not _matches("[0-9]{17}.", text):  # 8
        return Outcome()
    if _matches("[0-9]{15}", text) and hint not in ("passport", "officer"):  # 9
        return _upgrade(text)
    if hint == "passport":  # 10
        return _passport(text)
    if hint == "hk-mo":
        return _reissued("hk-mo-permit", "[HM][0-9]{8}", text)
    if hint == "tw":
        return _reissued("tw-permit", "[0-9]{8}", text)
    if hint == "officer":
        return _officer(text)
    if _matches("[A-Z]{3}[0-9]{12}", text):  # 11
        return _one("permanent-old", text)
    if _matches("[HM][0-9]{8}(?:[0-9]{2})?", text):  # 12
        return _reissued("hk-mo-permit", "[HM][0-9]{8}", text)
    if _matches("[A-Z]{1,2}[0-9]{7,8}", text):  # 13
        return _one("passport", text)
    if "字" in text:  # 14
        return _officer(text)
    if _matches("[0-9]{8}", text):  # 15
        return _one("tw-permit", text)
    if _matches("[0-9X]{9}|[0-9X]{13,20}", text) and _matches("X*[0-9][0-9X]*", text):  # 16
        return _quarantine("length")
    return _quarantine("format")


def _upgrade(text: str) -> Outcome:
    """A number of 15 digits, from before 1999; the last three digits 996 to 999 were for people over a hundred.

    18xx and 19xx have the same days: neither 1800 nor 1900 is a leap year.
    """
    found = []
    for century in ("19", "18") if text[12:] in ("996", "997", "998", "999") else ("19",):
        digits = text[:6] + century + text[6:]
        number = digits + resident_check_character(digits)
        if not resident_date_exists(number):
            return _quarantine("date")
        found.append(Subject("resident", number))
    return Outcome(found, None, ["upgraded15"])


def _passport(text: str) -> Outcome:
    fits = _matches("[A-Z0-9]{5,17}", text) and _matches(".*[0-9].*", text)
    return _one("passport", text) if fits else _quarantine("format")


def _reissued(kind: str, pattern: str, text: str) -> Outcome:
    """A permit number; two more digits count the times it was issued and are dropped."""
    if _matches(pattern, text):
        return _one(kind, text)
    if _matches(pattern + "[0-9]{2}", text):
        return _one(kind, text[:-2], "reissue")
    return _quarantine("format")


def _officer(text: str) -> Outcome:
    number = "".join(c for c in text if c not in "第号证字")
    return _one("officer", number) if _matches(HAN + "{0,2}[0-9]{6,10}", number) else _quarantine("format")
