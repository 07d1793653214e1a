"""What single values of a title file may be: each check returns what is kept, or raises BadLine.

None is "not said", and so are empty text and empty lists.
"""

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import date
from typing import Any

Check = Callable[[Any], Any]

FIRST_YEAR, LAST_YEAR = 1800, 2200
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
WEB_ADDRESS = re.compile(r"https?://[^\s\"<>]+")


class BadLine(ValueError):
    """The line cannot be loaded; the message says why."""


def text(limit: int, *, lines: bool = False) -> Check:
    """Text of at most `limit` characters; on one line, unless it may have several."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            raise BadLine("is not text")
        if "\0" in value:
            raise BadLine("contains a NUL character")
        found = value.strip() if lines else " ".join(value.split())
        if len(found) > limit:
            raise BadLine(f"is longer than {limit} characters")
        return found or None

    return check


def formed(pattern: re.Pattern[str], limit: int, like: str) -> Check:
    """Text of a form, of which `like` is an example."""
    check_text = text(limit)

    def check(value: object) -> str | None:
        found: str | None = check_text(value)
        if found is not None and not pattern.fullmatch(found):
            raise BadLine(f"is not like {like}")
        return found

    return check


def texts(limit: int, most: int, among: Collection[str] | None = None) -> Check:
    """A list of at most `most` texts, each kept once, in its place; perhaps only some words."""
    check_one = text(limit)

    def check(value: object) -> list[str] | None:
        if not isinstance(value, list):
            raise BadLine("is not a list")
        found = dict.fromkeys(one for each in value if (one := check_one(each)) is not None)
        if len(found) > most:
            raise BadLine(f"has more than {most} entries")
        if among is not None and not found.keys() <= set(among):
            raise BadLine(f"has other words than {', '.join(among)}")
        return list(found) or None

    return check


def number(low: float, high: float) -> Check:
    """A number within these two."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadLine("is not a number")
        if not low <= value <= high:  # not a number (NaN) is in no range
            raise BadLine(f"is not within {low} and {high}")
        return value

    return check


def whole(low: int, high: int) -> Check:
    """A whole number. 90.0 is one: tools that know only floating point write it so."""
    check_range = number(low, high)

    def check(value: object) -> int:
        found = check_range(value)
        if found != int(found):
            raise BadLine("is not a whole number")
        return int(found)

    return check


def minutes(value: object) -> int | None:
    """Minutes, of which 0 is what many files say for "unknown"."""
    return whole(0, 100_000)(value) or None


def day(value: object) -> str | None:
    """A date."""
    found: str | None = text(20)(value)
    if found is None:
        return None
    with suppress(ValueError):
        if DAY.fullmatch(found) and FIRST_YEAR <= date.fromisoformat(found).year <= LAST_YEAR:
            return found
    raise BadLine(f"is not a date of {FIRST_YEAR} to {LAST_YEAR} like 1975-06-20")


def checked(found: dict[str, Any], fields: dict[str, Check], *, within: str = "") -> dict[str, Any]:
    """The values of these fields, each checked. A complaint begins with the field's name."""
    values = {}
    for name, check in fields.items():
        given = found.get(name)
        try:
            values[name] = None if given is None else check(given)
        except BadLine as error:
            raise BadLine(f"{within}{name}: {error}") from None
    return values


def numbered(key: str, fields: dict[str, Check], most: int) -> Check:
    """A list of at most `most` objects, each told from the others by a number under `key`."""

    def check(value: object) -> list[dict[str, Any]] | None:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise BadLine("is not a list of objects")
        found = [checked(one, fields) for one in value]
        if any(one[key] is None for one in found):
            raise BadLine(f"has one without {key}")
        if len({one[key] for one in found}) != len(found):
            raise BadLine(f"has one {key} twice")
        if len(found) > most:
            raise BadLine(f"has more than {most} entries")
        return found or None

    return check


def named(pattern: re.Pattern[str], fields: dict[str, Check], most: int) -> Check:
    """An object of at most `most` objects, under names of a form."""

    def check(value: object) -> dict[str, dict[str, Any]] | None:
        if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
            raise BadLine("is not an object of objects")
        if len(value) > most:
            raise BadLine(f"has more than {most} entries")
        if wrong := next((name for name in value if not pattern.fullmatch(name)), None):
            raise BadLine(f"{wrong[:20]!r} is no name for one")
        found = {name: checked(one, fields, within=f"{name}: ") for name, one in value.items()}
        return {name: one for name, one in found.items() if any(one.values())} or None

    return check
