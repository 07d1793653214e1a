"""Values in and out of JSON as the contract describes them, so that no code repeats its fields."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from keyword import iskeyword
from typing import Any

from sqlalchemy import Row

Convert = Callable[[Any], Any]

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _read_datetime(text: str) -> datetime:
    """A moment in UTC: RFC 3339 has offsets that PostgreSQL does not.

    One that lies in no year of UTC's is the first or the last that does.
    """
    value = datetime.fromisoformat(text)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return FIRST if value.year == 1 else LAST


READ: dict[str, Convert] = {"date-time": _read_datetime, "date": date.fromisoformat}


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
        self._made: dict[int, _ObjectEncoder] = {}

    def make(self, schema: dict[str, Any]) -> Convert | None:
        """The encoder of a schema; None where values go out as they are."""
        if schema.get("type") == "array":
            each = self.make(schema["items"])
            if isinstance(each, _ObjectEncoder):
                return each.many
            return each and (lambda values: None if values is None else [each(v) for v in values])
        if "properties" not in schema:
            return WRITE.get(schema.get("format", ""))
        key = id(schema["properties"])
        if key not in self._made:
            # A schema that contains itself finds its own encoder here, and its parts when it runs.
            made = self._made[key] = _ObjectEncoder(schema)
            parts = {name: self.make(each) for name, each in schema["properties"].items()}
            made.parts = {name: part for name, part in parts.items() if part is not None}
        return self._made[key]


class _ObjectEncoder(dict[type, Convert]):
    """The encoder of an object schema for each type of object that it has met.

    Each is compiled from source, as the methods of dataclasses are: a row costs one dict display.
    Whoever has many things to encode looks up what each takes, which is faster than to call this.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__({type(None): lambda _: None})
        required = schema.get("required", ())
        self.required = [name for name in schema["properties"] if name in required]
        self.optional = [name for name in schema["properties"] if name not in required]
        self.parts: dict[str, Convert] = {}

    def __call__(self, thing: Any) -> Any:  # noqa: ANN401 - rows, models, dicts
        """JSON from a row, a model, a mapping; None from None."""
        return self[type(thing)](thing)

    def many(self, things: Iterable[Any] | None) -> list[Any] | None:
        """JSON from a list of them."""
        return None if things is None else [self[type(thing)](thing) for thing in things]

    def __missing__(self, kind: type) -> Convert:
        by_key = issubclass(kind, (Row, Mapping))
        written = {f"write_{number}": part for number, part in enumerate(self.parts.values())}
        writers = dict(zip(self.parts, written, strict=True))

        def field(name: str) -> str:
            value = f"thing[{name!r}]" if by_key else _attribute(name)
            part = self.parts.get(name)
            if isinstance(part, _ObjectEncoder):
                return f"{writers[name]}[type(part := {value})](part)"
            if part in WRITE.values():
                return f"part if type(part := {value}) is str else {writers[name]}(part)"
            return f"{writers[name]}({value})" if part else value

        def has(name: str) -> str:
            return f"{name!r} in thing" if by_key else f"hasattr(thing, {name!r})"

        lines = [
            "def encode(thing):",
            *(self._as_it_is(written) if kind is dict else []),
            # By attribute, a row of SQLAlchemy costs five times as much.
            *([" thing = thing._mapping"] if issubclass(kind, Row) else []),
            f" encoded = {{{', '.join(f'{name!r}: {field(name)}' for name in self.required)}}}",
            *(f" if {has(name)}: encoded[{name!r}] = {field(name)}" for name in self.optional),
            " return encoded",
        ]
        exec("\n".join(lines), written)  # noqa: S102 - of the contract's own names
        encode: Convert = written["encode"]
        self[kind] = encode
        return encode

    def _as_it_is(self, written: dict[str, Any]) -> list[str]:
        """Lines by which a dict that has just what goes out, as it goes out, is not copied."""
        conditions = ["thing.keys() == names"]
        for (name, part), writer in zip(self.parts.items(), list(written), strict=True):
            if isinstance(part, _ObjectEncoder):
                conditions.append(f"{writer}[type(part := thing[{name!r}])](part) is part")
            elif part in WRITE.values():
                conditions.append(f"(type(part := thing[{name!r}]) is str or part is None)")
            else:
                return []
        written["names"] = frozenset((*self.required, *self.optional))
        return [f" if {' and '.join(conditions)}: return thing"]


def _attribute(name: str) -> str:
    plain = name.isidentifier() and not iskeyword(name)
    return f"thing.{name}" if plain else f"getattr(thing, {name!r})"
