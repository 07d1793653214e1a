"""Filters of the fake Meilisearch, as far as
https://www.meilisearch.com/docs/capabilities/filtering_sorting_faceting/advanced/filter_expression_syntax
goes without places and vectors.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

Json = dict[str, Any]
Test = Callable[[Json], bool]
TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<mark>!=|>=|<=|[=<>()\[\],])"""
    r"""|(?P<word>[\w./+-]+))"""
)


class BadFilter(ValueError):
    """An expression that means nothing."""


def parsed(value: Any, filterable: Iterable[str]) -> Test:
    """What a filter lets pass. Raises BadFilter."""
    known = set(filterable)
    if value is None or value == []:
        return lambda _: True
    if isinstance(value, str):
        return _Expression(value, known).whole()
    if not isinstance(value, list):
        raise BadFilter("The filter is neither a string nor an array.")
    parts = [_either(each, known) for each in value]
    return lambda document: all(test(document) for test in parts)


def _either(value: Any, known: set[str]) -> Test:
    if isinstance(value, str):
        return _Expression(value, known).whole()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadFilter("Too many filters are nested.")
    tests = [_Expression(each, known).whole() for each in value]
    return lambda document: any(test(document) for test in tests)


class _Expression:
    """One expression, read from left to right."""

    def __init__(self, text: str, known: set[str]) -> None:
        self.text, self.known = text, known
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise BadFilter(f"Was expecting an operation at {at} of `{text}`.")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()

    def whole(self) -> Test:
        if not self.tokens:
            return lambda _: True
        test = self._or()
        if self.tokens:
            raise BadFilter(f"Found unexpected characters at the end of `{self.text}`.")
        return test

    def _next_is(self, *words: str) -> bool:
        """Take these words if they come next; operators are not quoted."""
        coming = [token for kind, token in self.tokens[: len(words)] if kind != "quoted"]
        if coming != list(words):
            return False
        del self.tokens[: len(words)]
        return True

    def _value(self) -> str:
        if not self.tokens or self.tokens[0][0] == "mark":
            raise BadFilter(f"Was expecting a value in `{self.text}`.")
        kind, token = self.tokens.pop(0)
        return re.sub(r"\\(.)", r"\1", token[1:-1]) if kind == "quoted" else token

    def _or(self) -> Test:
        tests = [self._and()]
        while self._next_is("OR"):
            tests.append(self._and())
        return lambda document: any(test(document) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._next_is("AND"):
            tests.append(self._not())
        return lambda document: all(test(document) for test in tests)

    def _not(self) -> Test:
        if self._next_is("NOT"):
            test = self._not()
            return lambda document: not test(document)
        if self._next_is("("):
            test = self._or()
            if not self._next_is(")"):
                raise BadFilter(f"Expression `{self.text}` is missing a closing parenthesis.")
            return test
        return self._condition()

    def _condition(self) -> Test:
        name = self._value()
        if name not in self.known:
            raise BadFilter(f"Attribute `{name}` is not filterable.")
        if self._next_is("NOT"):
            test = self._operation(name)
            return lambda document: not test(document)
        return self._operation(name)

    def _operation(self, name: str) -> Test:
        if self._next_is("IN", "["):
            return self._one_of(name)
        if self._next_is("STARTS", "WITH"):
            start = folded(self._value())
            return lambda document: any(
                folded(each).startswith(start)
                for each in values_of(document, name)
                if isinstance(each, str)
            )
        if self._next_is("EXISTS"):
            return lambda document: name in document
        for mark in ("=", "!=", ">=", "<=", ">", "<"):
            if self._next_is(mark):
                return _compared(name, mark, self._value())
        low = self._value()
        if self._next_is("TO"):
            high = self._value()
            first, last = _compared(name, ">=", low), _compared(name, "<=", high)
            return lambda document: first(document) and last(document)
        raise BadFilter(f"Was expecting an operation after `{name}` in `{self.text}`.")

    def _one_of(self, name: str) -> Test:
        tests = []
        while not self._next_is("]"):
            tests.append(_compared(name, "=", self._value()))
            if not self._next_is(",") and not (self.tokens and self.tokens[0][1] == "]"):
                raise BadFilter(f"Expected only comma-separated values in `{self.text}`.")
        return lambda document: any(test(document) for test in tests)


def _compared(name: str, mark: str, text: str) -> Test:
    if mark == "!=":
        equal = _compared(name, "=", text)
        return lambda document: not equal(document)
    try:
        number: float | None = float(text)
    except ValueError:
        number = None
    wanted = folded(text)

    def holds(value: Any) -> bool:
        if mark == "=":
            return folded(shown(value)) == wanted or (is_number(value) and value == number)
        if number is None or not is_number(value):
            return False
        return bool(
            {
                ">=": value >= number,
                "<=": value <= number,
                ">": value > number,
                "<": value < number,
            }[mark]
        )

    return lambda document: any(map(holds, values_of(document, name)))


def values_of(document: Json, name: str) -> list[Any]:
    """The values that a document has of a field."""
    value = document.get(name)
    values = value if isinstance(value, list) else [value]
    return [each for each in values if each is not None]


def is_number(value: Any) -> bool:
    """Whether it is compared as a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """A value as facets name it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def folded(text: str) -> str:
    """A text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))
