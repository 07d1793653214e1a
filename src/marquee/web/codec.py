"""Values in and out of JSON as the contract describes them, so that no code repeats its fields."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Row

Convert = Callable[[Any], Any]

READ: dict[str, Convert] = {"date-time": datetime.fromisoformat, "date": date.fromisoformat}


def _write_datetime(value: datetime | str | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:26] + "Z"


def _write_date(value: date | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else value.isoformat()


WRITE: dict[str, Convert] = {"date-time": _write_datetime, "date": _write_date}


Made = dict[int, Convert | None]


def decoder(schema: dict[str, Any], made: Made | None = None) -> Convert | None:
    """A function from a valid JSON value to Python: dates and times as such, defaults filled in.

    None where the value would come out as it went in. `made` has the decoders of the objects that
    this schema is part of.
    """
    made = {} if made is None else made
    kind = schema.get("type")
    if kind == "object":
        return _object_decoder(schema, made)
    if kind == "array" and (each := decoder(schema["items"], made)):
        return lambda values: values and [each(value) for value in values]
    if kind == "string" and (read := READ.get(schema.get("format", ""))):
        return lambda text: text and read(text)
    return None


def _object_decoder(schema: dict[str, Any], made: Made) -> Convert | None:
    properties = schema.get("properties", {})
    key = id(properties)
    if key in made:
        # A schema that contains itself: its decoder is there by the time that this runs.
        return lambda value: found(value) if (found := made[key]) else value
    made[key] = None
    parts = {name: part for name, each in properties.items() if (part := decoder(each, made))}
    defaults = {name: each["default"] for name, each in properties.items() if "default" in each}
    if not parts and not defaults:
        return None

    def decode(value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is None:
            return None
        decoded = {**defaults, **value}
        for name, part in parts.items():
            if name in decoded:
                decoded[name] = part(decoded[name])
        return decoded

    made[key] = decode
    return decode


class Encoders:
    """Makes functions from objects, with attributes or keys, to JSON in the shape of a schema.

    Only what the contract names goes out: a column that it does not know cannot leak. A field that
    it requires and the object lacks is a bug, and raises AttributeError or KeyError.
    """

    def __init__(self) -> None:
        self._made: dict[int, Convert | None] = {}

    def make(self, schema: dict[str, Any]) -> Convert | None:
        """The encoder of a schema; None where values go out as they are."""
        if schema.get("type") == "array":
            each = self.make(schema["items"])
            return None if each is None else lambda values: [each(value) for value in values]
        if "properties" not in schema:
            return WRITE.get(schema.get("format", ""))
        key = id(schema["properties"])
        if key not in self._made:
            # A schema that contains itself meets this while it is being made, and looks the
            # encoder up when it runs.
            self._made[key] = partial(self._encode, key)
            self._made[key] = _object_encoder(schema, self)
        return self._made[key]

    def _encode(self, key: int, thing: Any) -> Any:  # noqa: ANN401 - rows, models, dicts
        encode = self._made[key]
        return encode(thing) if encode else thing


def _object_encoder(schema: dict[str, Any], encoders: Encoders) -> Convert:
    properties: dict[str, Any] = schema["properties"]
    required = set(schema.get("required", ()))
    names = tuple(name for name in properties if name in required)
    optional = tuple(name for name in properties if name not in required)
    parts = {name: part for name, each in properties.items() if (part := encoders.make(each))}
    by_key, by_attribute = _getter(itemgetter, names), _getter(attrgetter, names)
    readers: dict[type, Convert] = {}

    def reader(kind: type) -> Convert:
        if issubclass(kind, Row):
            # By attribute, a row of SQLAlchemy costs five times as much.
            return lambda row: by_key(row._mapping)  # noqa: SLF001 - its public name for that
        return by_key if issubclass(kind, Mapping) else by_attribute

    def encode(thing: Any) -> dict[str, Any] | None:  # noqa: ANN401 - rows, models, dicts
        if thing is None:
            return None
        read = readers.get(type(thing))
        if read is None:
            read = readers[type(thing)] = reader(type(thing))
        encoded = dict(zip(names, read(thing), strict=True))
        if optional:
            encoded |= _present(thing, optional)
        for name, part in parts.items():
            if encoded.get(name) is not None:
                encoded[name] = part(encoded[name])
        return encoded

    return encode


def _present(thing: Any, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401
    """What an object has of these names."""
    if isinstance(thing, Mapping):
        return {name: thing[name] for name in names if name in thing}
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def _getter(getter: Callable[..., Any], names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if not names:
        return lambda _thing: ()
    if len(names) == 1:
        one = getter(names[0])
        return lambda thing: (one(thing),)
    several: Callable[[Any], tuple[Any, ...]] = getter(*names)
    return several
