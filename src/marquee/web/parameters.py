"""Parameters of a request: text coerced to the contract's types, then checked in one call a
location.

Stricter than the rules of Python: an integer is ASCII digits with an optional minus, a number has
JSON's form, a boolean is `true` or `false`. A name that the contract does not have, or a second
value for one that takes one, is refused.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import cookie_parser

from marquee.errors import Invalid
from marquee.web import codec
from marquee.web.schema import Schema

INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
# As many digits as any double is written with.
NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
MOST_KNOWN, LONGEST_KNOWN = 1000, 500
"""Queries that are remembered as they were read, and their characters."""
ENGINE_HEADERS = frozenset(("idempotency-key", "if-match"))


def _integer(text: str) -> int | str:
    return int(text) if INTEGER.fullmatch(text) else text


def _number(text: str) -> float | str:
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else text


def _boolean(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


COERCE: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": str,
}


def argument_name(parameter: str) -> str:
    """A parameter's name as a handler's argument: `X-Device` is `x_device`."""
    return parameter.replace("-", "_").lower()


class Location:
    """The parameters of one operation in one place: path, query, header or cookie."""

    def __init__(self, where: str, parameters: list[dict[str, Any]]) -> None:
        self.where = where
        self.single: dict[str, Callable[[str], Any]] = {}
        self.many: dict[str, tuple[Callable[[str], Any], bool]] = {}
        self.arguments: dict[str, str] = {}
        self.defaults: dict[str, Any] = {}
        schema: dict[str, Any] = {"type": "object", "properties": {}}
        for parameter in parameters:
            name = self._name(parameter)
            each = schema["properties"][name] = parameter["schema"]
            if each["type"] == "array":
                explode = parameter.get("explode", where in ("query", "cookie"))
                self.many[name] = COERCE[each["items"]["type"]], explode
            else:
                self.single[name] = COERCE[each["type"]]
            if where != "header" or name not in ENGINE_HEADERS:
                self.arguments[name] = argument_name(parameter["name"])
            if "default" in each:
                self.defaults[self.arguments[name]] = each["default"]
        self.renames = any(self.arguments.get(name) != name for name in schema["properties"])
        self.required = [self._name(each) for each in parameters if each.get("required")]
        needs = {"required": self.required} if self.required else {}
        self.schema = Schema(schema | needs, where)
        self.decode = codec.decoder(schema)

    def _name(self, parameter: dict[str, Any]) -> str:
        name: str = parameter["name"]
        return name.lower() if self.where == "header" else name

    def read(self, pairs: Iterable[tuple[str, str]], *, closed: bool) -> dict[str, Any]:
        """Values by argument name. Raises Invalid; `closed` refuses names that are not here."""
        values: dict[str, Any] = {}
        for name, text in pairs:
            if (coerce := self.single.get(name)) is not None:
                if name in values:
                    raise Invalid.value(self.where, f"/{name}", "is given more than once")
                values[name] = coerce(text)
            elif (several := self.many.get(name)) is not None:
                coerce, explode = several
                texts = [text] if explode else text.split(",")
                values.setdefault(name, []).extend(coerce(each) for each in texts)
            elif closed:
                raise Invalid.value(
                    self.where, f"/{name[:100]}", "is not a parameter of this operation"
                )
        if not values and not self.required:
            return dict(self.defaults)
        if not self.schema.is_valid(values):
            raise self.schema.refusal(values)
        decoded = self.decode(values) if self.decode else values
        if self.renames:
            known = self.arguments
            decoded = {known[name]: value for name, value in decoded.items() if name in known}
        return decoded


class Parameters:
    """All parameters of one operation."""

    def __init__(self, parameters: list[dict[str, Any]], *, open_query: bool = False) -> None:
        """`open_query` lets names pass, and ignores them, that the contract does not have."""
        self.open_query = open_query
        places: dict[str, list[dict[str, Any]]] = {
            "path": [],
            "query": [],
            "header": [],
            "cookie": [],
        }
        for parameter in parameters:
            places[parameter["in"]].append(parameter)
        self.query = Location("query", places["query"])
        self.others = [
            Location(where, places[where])
            for where in ("path", "header", "cookie")
            if places[where]
        ]

    def read_query(self, query: str) -> dict[str, Any]:
        """The arguments of a handler that stand in the query. Raises Invalid."""
        values = _read_query(self, query) if len(query) <= LONGEST_KNOWN else self.parse(query)
        # A handler may change what it is given.
        return {
            name: value.copy() if type(value) is list else value for name, value in values.items()
        }

    def parse(self, query: str) -> dict[str, Any]:
        """The same, read anew."""
        return self.query.read(query_pairs(query), closed=not self.open_query)

    def read(
        self, query: str, path: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """The arguments of a handler. Raises Invalid, naming each value at fault."""
        values = self.read_query(query)
        for location in self.others:
            values |= location.read(_pairs(location, path, headers), closed=False)
        return values


@lru_cache(maxsize=MOST_KNOWN)
def _read_query(parameters: Parameters, query: str) -> dict[str, Any]:
    """Most requests ask what others have asked."""
    return parameters.parse(query)


def _pairs(
    location: Location, path: Mapping[str, str], headers: Mapping[str, str]
) -> Iterable[tuple[str, str]]:
    if location.where == "path":
        return path.items()
    if location.where == "header":
        return (
            (name, headers[name]) for name in (*location.single, *location.many) if name in headers
        )
    return cookies(headers).items()


def cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """The cookies of a request, read as browsers write them.

    Other programs of the same host may have set cookies of any form; they do not hide ours.
    """
    return cookie_parser(headers["cookie"]) if "cookie" in headers else {}


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of a query string. Raises Invalid for what is not clean UTF-8."""
    if not query:
        return []
    if query.isascii() and "%" not in query and "+" not in query and "\0" not in query:
        parts = (part.partition("=") for part in query.split("&") if part)
        return [(name, value) for name, _, value in parts]
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_unquote(name), _unquote(value)))
    return pairs


def _unquote(text: str) -> str:
    try:
        # Bytes, as the server read them: some clients send UTF-8 without encoding it.
        decoded = unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeDecodeError as error:
        raise Invalid.value("query", "/", "is not UTF-8") from error
    if "\0" in decoded:
        raise Invalid.value("query", "/", "has a NUL character")
    return decoded
