"""What an unquoted word of YAML is: text, or a value that YAML makes of it.

Files are read by Kubernetes' and Pulumi's Go libraries, by editors and by Python, which do not all
follow the same YAML. Words that YAML 1.1 (https://yaml.org/type/) and YAML 1.2 (the core schema,
https://yaml.org/spec/1.2.2/#103-core-schema) read differently are therefore values of no type.
"""

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Unclear:
    """A word that is neither text nor a usable value, such as `yes`, `010` or `.inf`.

    No field accepts it. `numbers` and `boolean` are what may be meant, as it should be written.
    """

    text: str
    numbers: tuple[str, ...] = ()
    boolean: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def beyond(self) -> int | None:
        """Of a whole number with too many digits: one that is as far from all bounds."""
        if not _INTEGER.fullmatch(self.text):
            return None
        return -BEYOND if self.text.startswith("-") else BEYOND


LONGEST_NUMBER = 18
"""Digits of a whole number; all of them fit into 64 bits."""

BEYOND = 1_000_000_000_000_000_000
"""The first number with more digits."""

_NULL = ("", "~", "null", "Null", "NULL")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_YES, _NO = ("y", "yes", "on"), ("n", "no", "off")

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL = re.compile(r"[-+]?0o?[0-7]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_BINARY = re.compile(r"[-+]?0b[01]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?")
_BASE_60 = re.compile(r"([-+]?)([0-9]+(?::[0-5]?[0-9])+)(\.[0-9]*)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?"
    r"([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?"
)


def scalar(text: str) -> Any:
    """None, bool, int, float, date, Unclear, or the text itself.

    Raises ValueError for a date that does not exist.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in (text.lower(), text.capitalize(), text.upper()):
        if text.lower() in _YES:
            return Unclear(text, boolean="true")
        if text.lower() in _NO:
            return Unclear(text, boolean="false")
    return _number_or_text(text) if text[0] in "+-.0123456789" else text


def meaning(text: str) -> Any:
    """What `scalar` makes of a text; None for a date that does not exist."""
    try:
        return scalar(text)
    except ValueError:
        return None


def is_key(text: str) -> bool:
    """Whether an unquoted key is text. So are y and n here, as to all libraries in use."""
    return isinstance(meaning(text), str) or text.lower() in ("y", "n")


def _number_or_text(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= LONGEST_NUMBER else Unclear(text)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16) if len(text) <= LONGEST_NUMBER - 2 else Unclear(text)
    if len(text) <= LONGEST_NUMBER and (numbers := _meanings(text)):
        return Unclear(text, numbers)
    if _LEADING_ZERO.fullmatch(text) or ("_" in text and _UNDERSCORES.fullmatch(text)):
        return Unclear(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else Unclear(text)
    if _NO_NUMBER.fullmatch(text) or _BASE_60.fullmatch(text) or _TIME.fullmatch(text):
        return Unclear(text)
    return date.fromisoformat(text) if _DATE.fullmatch(text) else text


def _meanings(text: str) -> tuple[str, ...]:
    """The numbers that a word may mean which only some libraries read as one; none for others."""
    if _OCTAL.fullmatch(text):
        octal = str(int(text.replace("o", ""), 8))
        return (octal,) if "o" in text else tuple(dict.fromkeys((octal, str(int(text)))))
    if _LEADING_ZERO.fullmatch(text):
        return (str(int(text)),)
    if _BINARY.fullmatch(text):
        return (str(int(text, 2)),)
    if "_" in text and _UNDERSCORES.fullmatch(text):
        digits = text.replace("_", "")
        return (digits if "." in digits else str(int(digits)),)
    if (match := _BASE_60.fullmatch(text)) is not None:
        sign, places, fraction = match.groups(default="")
        number = 0
        for place in places.split(":"):
            number = number * 60 + int(place)
        return (f"{sign}{number}{fraction}",)
    return ()
