"""Rules of schemas: limits on everything, closed objects, names that no client stumbles over."""

import builtins
import keyword
from collections.abc import Callable, Iterator

from tools.contract.exceptions import Exceptions, compare
from tools.contract.walk import (
    PASCAL,
    SNAKE,
    Node,
    all_schemas,
    follow,
    operations,
    reached,
)

EXACT = 2**53 - 1
"""The largest integer that JavaScript has exactly."""
FORMATS = frozenset(
    ("int32", "int64", "double", "date", "date-time", "email", "uri", "uuid", "password", "binary")
)
UNKNOWN = ("const", "if", "then", "else", "prefixItems", "readOnly", "writeOnly", "anyOf", "not")
"""What OpenAPI 3.0 does not have, and what generators get wrong."""
TAKEN_NAMES = frozenset(
    ("cast", "list", "type_", "import", "class", "self", "cls", "copy", "json", "schema", "dict")
)
OF_CLIENTS = "Array Client Config Date Function Map Object Options Promise Record Set String"
TAKEN_TYPES = frozenset(dir(builtins)) | frozenset(OF_CLIENTS.split())
"""Builtins of Python, globals of TypeScript, words of the clients: a type would hide them."""


def check_types(document: Node, _: Exceptions) -> Iterator[str]:
    """Every schema has a type, and no keyword that readers of 3.0 disagree about."""
    for place, schema in all_schemas(document):
        if "$ref" in schema:
            if len(schema) > 1:
                yield f"{place}: nothing stands beside $ref; it would be ignored."
            continue
        if not schema.keys() & {"type", "oneOf", "allOf"}:
            yield f"{place}: give it a `type`."
        if schema.get("nullable") and "type" not in schema:
            yield f"{place}: `nullable` needs `type` beside it, and never stands beside allOf."
        for word in UNKNOWN:
            if word in schema:
                yield f"{place}: `{word}` is not for this contract: write it otherwise."
        if "oneOf" in schema and "mapping" not in schema.get("discriminator", {}):
            yield f"{place}: give oneOf a `discriminator` with a `mapping`."


def check_limits(document: Node, _: Exceptions) -> Iterator[str]:
    """Strings, numbers and arrays are bounded; patterns are whole; formats are known."""
    for place, schema in all_schemas(document):
        kind = schema.get("type")
        if kind == "string":
            yield from _string(place, schema)
        if kind in ("integer", "number") and "enum" not in schema:
            if not schema.keys() >= {"minimum", "maximum"}:
                yield f"{place}: give the {kind} a `minimum` and a `maximum`."
            elif kind == "integer" and max(-schema["minimum"], schema["maximum"]) > EXACT:
                yield f"{place}: keep the integer within 2^53 - 1; JavaScript has no larger."
        if kind == "array" and "maxItems" not in schema:
            yield f"{place}: give the array `maxItems`."
        if schema.get("format", "int64") not in FORMATS:
            yield f"{place}: the format {schema['format']} is not checked: use a pattern."


def check_objects(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """Objects are closed; those of answers have all their properties."""
    for place, schema in all_schemas(document):
        if schema.get("type") != "object":
            continue
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            if "maxProperties" not in schema:
                yield f"{place}: give the map `maxProperties`."
        elif extra is not False:
            yield f"{place}: close the object with `additionalProperties: false`."
        for name in set(schema.get("required", [])) - set(schema.get("properties", {})):
            if extra is False:
                yield f"{place}: {name} is required, but no property of it."
    answers = [
        response
        for _, _, _, each in operations(document)
        for response in each["responses"].values()
    ]
    partial = set()
    for name in reached(document, answers):
        schema = document["components"]["schemas"][name]
        if set(schema.get("properties", {})) != set(schema.get("required", [])):
            partial.add(name)
    yield from compare(
        partial,
        exceptions.not_all_required,
        field="not_all_required",
        what="{}: an answer has all its properties: make them `required`, perhaps nullable.",
    )


def check_schema_names(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """PascalCase schemas, snake_case properties, none that a generated client must rename."""
    for name in document["components"]["schemas"]:
        if not PASCAL.fullmatch(name):
            yield f"{name}: write the schema's name in PascalCase."
        if name in TAKEN_TYPES:
            yield f"{name}: the name would hide a builtin in the clients: choose another."
    taken, foreign = set(), set()
    for place, schema in all_schemas(document):
        for name in schema.get("properties", {}):
            if not SNAKE.fullmatch(name):
                foreign.add(f"{place}.{name}")
            if name in TAKEN_NAMES or keyword.iskeyword(name) or name.startswith("model_"):
                taken.add(f"{place}.{name}")
    yield from compare(
        taken,
        exceptions.property_names,
        field="property_names",
        what="{}: the name is a word of Python or of the clients: choose another.",
    )
    yield from compare(
        foreign,
        exceptions.foreign_names,
        field="foreign_names",
        what="{}: write the property's name in snake_case.",
    )


def check_enums(document: Node, _: Exceptions) -> Iterator[str]:
    """Closed sets are of strings, which differ in more than case."""
    for place, schema in all_schemas(document):
        values = schema.get("enum", [])
        if "enum" in schema and not (values and all(isinstance(each, str) for each in values)):
            yield f"{place}: an enum is of strings (YAML reads 15, yes and no as something else)."
        elif len({each.lower() for each in values}) != len(values):
            yield f"{place}: values of an enum differ in more than case."
        if follow(document, schema).get("nullable") and None in values:
            yield f"{place}: `nullable` says that null is allowed; leave it out of the enum."


def _string(place: str, schema: Node) -> Iterator[str]:
    binary = schema.get("format") == "binary"
    if "enum" not in schema and "maxLength" not in schema and not binary:
        yield f"{place}: give the string a `maxLength`."
    pattern = schema.get("pattern", "^$")
    if not (pattern.startswith("^") and pattern.endswith("$")):
        yield f"{place}: begin its pattern with ^ and end it with $: it must fit the whole value."


RULES: tuple[Callable[[Node, Exceptions], Iterator[str]], ...] = (
    check_types,
    check_limits,
    check_objects,
    check_schema_names,
    check_enums,
)
