"""Reading a stranger's JSON: every value is checked and cleaned where it enters.

Two rules. A value of the wrong type, or a required one that is missing, makes the whole object bad:
`Malformed`. An optional value without its form (a date that is none, an IMDb id that is a link) is
as good as absent: None. Text loses NUL, which PostgreSQL cannot store, and is cut to its length.
"""

import re
from collections.abc import Callable
from datetime import date
from math import isfinite
from typing import TypeGuard, TypeVar

LARGEST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact, JavaScript's too."""

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
T = TypeVar("T")


class Malformed(ValueError):
    """An answer is not what its service promises. Says what is wrong; never quotes the value."""


Skip = Callable[[Malformed], None]
"""What hears of a bad item that is left out."""


class Fields:
    """One JSON object from outside. `where` names it in errors: `results[3]`."""

    def __init__(self, value: object, where: str, skip: Skip | None = None) -> None:
        """Raise Malformed if the value is no object. `skip` is handed on to what is within."""
        if not isinstance(value, dict):
            raise Malformed(f"{where} is not an object")
        self._values = value
        self._where = where
        self._skip = skip

    def text(self, name: str, longest: int) -> str:
        """Text without NUL and outer space, cut to `longest` characters; "" where there is none."""
        return self.piece(name).strip()[:longest].rstrip()

    def piece(self, name: str) -> str:
        """Text as it is, with its outer space, but for NUL; "" where there is none."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value.replace("\0", "")

    def some_text(self, name: str, longest: int) -> str:
        """Text that must not be empty."""
        text = self.text(name, longest)
        if not text:
            raise self._wrong(name, "there")
        return text

    def matching(self, name: str, form: re.Pattern[str]) -> str | None:
        """Text of a form, or None."""
        value = self.text(name, 1000)
        return value if form.fullmatch(value) else None

    def day(self, name: str) -> date | None:
        """A date written YYYY-MM-DD, or None."""
        value = self.matching(name, DAY)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            return None

    def flag(self, name: str) -> bool:
        """Read true or false; false where there is neither."""
        value = self._values.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def identifier(self, name: str, largest: int = LARGEST) -> int:
        """Read a whole number of at least 1, which must be there."""
        return self._identifier(name, self._values.get(name), largest)

    def identifiers(self, name: str) -> list[int]:
        """Read an array of ids; empty where there is none."""
        return [self._identifier(name, value, LARGEST) for value in self._array(name)]

    def count(self, name: str, largest: int = LARGEST) -> int:
        """Read a whole number of at least 0; 0 where there is none."""
        return self.known_count(name, largest) or 0

    def known_count(self, name: str, largest: int = LARGEST) -> int | None:
        """Read a whole number of at least 0, or None."""
        value = self._values.get(name)
        if value is None:
            return None
        if not _whole(value) or not 0 <= value <= largest:
            raise self._wrong(name, "a whole number in its range")
        return value

    def number(self, name: str, largest: float) -> float:
        """Read a number from 0 to `largest`; 0 where there is none."""
        value = self._values.get(name)
        if value is None:
            return 0.0
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number")
        if not isfinite(value) or not 0 <= value <= largest:
            raise self._wrong(name, "a number in its range")
        return float(value)

    def items(self, name: str) -> list[object]:
        """Read an array, which must be there."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "an array")
        return value

    def inner(self, name: str) -> "Fields | None":
        """Read an object within this one, or None."""
        value = self._values.get(name)
        return None if value is None else Fields(value, f"{self._where}.{name}", self._skip)

    def inners(self, name: str) -> list["Fields"]:
        """Read an array of objects; empty where there is none."""
        values = enumerate(self._array(name))
        where = f"{self._where}.{name}"
        return [Fields(value, f"{where}[{index}]", self._skip) for index, value in values]

    def each(self, name: str, read: Callable[["Fields"], T]) -> list[T]:
        """Read an array of objects; empty where there is none. A bad one is left out, and `skip`
        hears of it.
        """
        found = []
        for index, value in enumerate(self._array(name)):
            try:
                found.append(read(Fields(value, f"{self._where}.{name}[{index}]", self._skip)))
            except Malformed as error:
                if self._skip is not None:
                    self._skip(error)
        return found

    def entries(self, name: str) -> list[tuple[str, "Fields"]]:
        """Read an object of objects, with their names; empty where there is none."""
        value = self._values.get(name)
        if value is None:
            return []
        where = f"{self._where}.{name}"
        if not isinstance(value, dict):
            raise Malformed(f"{where} is not an object")
        return [(key, Fields(inner, f"{where}.*", self._skip)) for key, inner in value.items()]

    def _array(self, name: str) -> list[object]:
        return [] if self._values.get(name) is None else self.items(name)

    def _identifier(self, name: str, value: object, largest: int) -> int:
        if not _whole(value) or not 1 <= value <= largest:
            raise self._wrong(name, "an id")
        return value

    def _wrong(self, name: str, wanted: str) -> Malformed:
        return Malformed(f"{self._where}.{name} is not {wanted}")


def _whole(value: object) -> TypeGuard[int]:
    """Tell a whole number from all else. Python counts True and False among the integers."""
    return isinstance(value, int) and not isinstance(value, bool)
