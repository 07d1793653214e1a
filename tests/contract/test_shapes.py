"""The contract's shapes: bounded, closed, complete, with examples that are so, and with names that
no generated client stumbles over.
"""

import builtins
import keyword
import re
from collections.abc import Iterator
from typing import Any

import pytest

from marquee.web import contract
from marquee.web.schema import Schema
from tests.contract.calls import FORM, OPERATIONS, Operation, name_of
from tools.contract.exceptions import AGREED

BUNDLE = contract.load()
SCHEMAS = BUNDLE["components"]["schemas"]
SAFEST = 2**53 - 1

OPTIONAL_IN_ANSWERS = {
    "ErrorBody.details",
    "ErrorDetails.errors",
    "ErrorDetails.existing_id",
    "ErrorDetails.job_id",
    "ErrorDetails.checks",
    "ErrorDetails.challenge",
    "ErrorDetails.methods",
    "ErrorDetails.expires_in",
    "ErrorDetails.flagged",
    "ErrorDetails.public_key",
}
"""Properties that an answer may lack. All others are there, perhaps as null."""

WITHOUT_EXAMPLE = {"cursor"}
"""Parameters that nobody can make up: a cursor is signed."""

AWKWARD_NAMES = {"in", "object"}
"""Properties named like a keyword: `in` is what OpenAPI itself calls a parameter's place, and
`object` is what a policy is about, in the words of RBAC. Both clients compile with them.
"""
VALUES = {"Policy", "RoleMappings", "RolePermission"}
"""Shapes that go both ways: all that they say is given by whoever writes them."""

TYPESCRIPT = frozenset(
    [
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "import",
        "in",
        "instanceof",
        "new",
        "null",
        "return",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "var",
        "void",
        "while",
        "with",
        "implements",
        "interface",
        "let",
        "package",
        "private",
        "protected",
        "public",
        "static",
        "yield",
        "await",
        "async",
        "arguments",
        "eval",
    ]
)
SHADOWING = frozenset(
    # Names that generated Python models use themselves: as types, as functions, or as methods of
    # pydantic's base class.
    [
        "any",
        "bool",
        "bytes",
        "cast",
        "copy",
        "date",
        "datetime",
        "dict",
        "float",
        "int",
        "json",
        "list",
        "object",
        "optional",
        "print",
        "schema",
        "self",
        "set",
        "str",
        "tuple",
        "union",
        "validate",
        "construct",
        "field",
        "fields",
        "config",
    ]
)
CLASHING_SCHEMAS = frozenset(dir(builtins)) | frozenset(
    # Globals of TypeScript and names that generated modules import.
    [
        "Any",
        "Array",
        "Boolean",
        "Date",
        "Dict",
        "Error",
        "Field",
        "Function",
        "List",
        "Map",
        "Number",
        "Object",
        "Optional",
        "Promise",
        "Record",
        "Request",
        "Response",
        "Set",
        "String",
        "Union",
    ]
)
CLASHING_SCHEMAS_KEPT = {"Error"}
"""Schemas named like something that exists: `Error` is the envelope, exported as a type only."""


def nodes(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema below a schema, itself included, with where it stands."""
    if "$ref" in node:
        return
    yield where, node
    for name, part in node.get("properties", {}).items():
        yield from nodes(part, f"{where}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(node.get(word), dict):
            yield from nodes(node[word], f"{where}[]")
    for word in ("allOf", "anyOf", "oneOf"):
        for number, part in enumerate(node.get(word, ())):
            yield from nodes(part, f"{where}.{word}{number}")


def parameters() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every parameter with where it stands: shared ones, path items', operations'."""
    for name, parameter in BUNDLE["components"]["parameters"].items():
        yield name, parameter
    for path, item in BUNDLE["paths"].items():
        for parameter in item.get("parameters", ()):
            yield path, parameter
    for path, method, operation in contract.operations(BUNDLE):
        for parameter in operation.get("parameters", ()):
            yield f"{method} {path}", parameter


def everywhere() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of the contract with where it stands."""
    for name, schema in SCHEMAS.items():
        yield from nodes(schema, name)
    for where, parameter in parameters():
        if "schema" in parameter:
            yield from nodes(parameter["schema"], f"{where} {parameter['name']}")
    for path, method, operation in contract.operations(BUNDLE):
        places = [operation.get("requestBody", {}), *operation["responses"].values()]
        for place in places:
            for media_type, content in place.get("content", {}).items():
                yield from nodes(content["schema"], f"{method} {path} {media_type}")
            for name, header in place.get("headers", {}).items():
                yield from nodes(header.get("schema", header), f"{method} {path} {name}")


def reachable(roots: Any) -> set[str]:
    """The names of all schemas that a piece of the contract leads to."""
    found: set[str] = set()
    waiting = [roots]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/schemas/")[2]
            if name in SCHEMAS and name not in found:
                found.add(name)
                waiting.append(SCHEMAS[name])
            if str(node.get("$ref", "")).startswith("#/components/responses/"):
                waiting.append(BUNDLE["components"]["responses"][node["$ref"].rpartition("/")[2]])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found


ALL = list(everywhere())
ANSWERED = reachable([operation["responses"] for *_, operation in contract.operations(BUNDLE)])
ASKED = reachable([operation.get("requestBody") for *_, operation in contract.operations(BUNDLE)])


class TestBounds:
    def test_every_object_is_closed(self) -> None:
        open_ = [
            where
            for where, node in ALL
            if node.get("type") == "object" and node.get("additionalProperties", True) is True
        ]
        assert open_ == [], "Write additionalProperties: false."

    def test_every_string_has_a_longest(self) -> None:
        wrong = [
            where
            for where, node in ALL
            if node.get("type") == "string"
            and not ({"maxLength", "enum"} & node.keys() or node.get("format") == "binary")
        ]
        assert wrong == [], "Write maxLength."

    def test_every_number_has_its_range(self) -> None:
        wrong = [
            where
            for where, node in ALL
            if node.get("type") in ("integer", "number")
            and not ({"minimum", "maximum"} <= node.keys() and node["maximum"] <= SAFEST)
        ]
        assert wrong == [], f"Write minimum and maximum, of 2^53 - 1 = {SAFEST} at the most."

    def test_every_array_has_a_largest(self) -> None:
        wrong = [
            where for where, node in ALL if node.get("type") == "array" and "maxItems" not in node
        ]
        assert wrong == [], "Write maxItems."

    def test_every_schema_has_a_type(self) -> None:
        wrong = [where for where, node in ALL if not {"type", "allOf", "oneOf"} & node.keys()]
        assert wrong == [], "Write type: Connexion cannot read a parameter without one."

    def test_null_stands_beside_a_type_only(self) -> None:
        wrong = [where for where, node in ALL if node.get("nullable") and "type" not in node]
        assert wrong == [], "nullable beside allOf is refused by validators: put it inside."

    def test_patterns_hold_to_the_end(self) -> None:
        wrong = [
            where
            for where, node in ALL
            if "pattern" in node and not re.fullmatch(r"\^.*\$", node["pattern"], re.DOTALL)
        ]
        assert wrong == [], "A pattern begins with ^ and ends with $."


class TestAnswers:
    def test_properties_are_required_unless_listed(self) -> None:
        optional = {
            f"{name}.{word}"
            for name in ANSWERED
            for word in SCHEMAS[name].get("properties", {})
            if word not in SCHEMAS[name].get("required", ())
        }
        assert optional == OPTIONAL_IN_ANSWERS, (
            "An answer has all of its properties, perhaps as null: write them into required."
        )

    def test_no_shape_is_for_both_ways(self) -> None:
        objects = {name for name in SCHEMAS if SCHEMAS[name].get("type") == "object"}
        assert ASKED & ANSWERED & objects == VALUES, (
            "New…, …Changes and the answer are three shapes."
        )

    def test_no_shape_is_unused(self) -> None:
        asked_by_parameters = reachable([parameter for _, parameter in parameters()])
        assert set(SCHEMAS) - ANSWERED - ASKED - asked_by_parameters == set()


class TestNames:
    def test_words_are_snake_case(self) -> None:
        named = {(where, word) for where, node in ALL for word in node.get("properties", {})}
        words = {word for where, word in named if f"{where}.{word}" not in AGREED.foreign_names}
        words |= {each["name"] for _, each in parameters() if each.get("in") in ("query", "path")}
        assert not [word for word in words if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", word)]

    def test_no_word_breaks_a_client(self) -> None:
        words = {word for _, node in ALL for word in node.get("properties", {})}
        words |= {each["name"] for _, each in parameters() if "name" in each}
        reserved = frozenset(keyword.kwlist) | TYPESCRIPT | SHADOWING
        assert words & reserved == AWKWARD_NAMES, "Rename it: generated clients would not compile."

    def test_schemas_are_pascal_case_and_hide_nothing(self) -> None:
        assert not [name for name in SCHEMAS if not re.fullmatch(r"([A-Z]+[a-z0-9]*)+", name)]
        assert set(SCHEMAS) & CLASHING_SCHEMAS == CLASHING_SCHEMAS_KEPT, (
            "A generated class of this name would hide the one that everybody means."
        )


class TestExamples:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_parameters_have_examples_that_hold(self, operation: Operation) -> None:
        without = {each["name"] for each in operation.parameters if "example" not in each}
        assert without <= WITHOUT_EXAMPLE, "Write an example."
        for each in operation.parameters:
            if "example" in each:
                Schema(each["schema"]).check(each["example"])

    def test_parameters_without_an_example_exist(self) -> None:
        names = {each["name"] for operation in OPERATIONS for each in operation.parameters}
        assert names >= WITHOUT_EXAMPLE

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_bodies_have_examples_that_hold(self, operation: Operation) -> None:
        places = [
            operation.definition.get("requestBody", {}),
            *operation.definition["responses"].values(),
        ]
        for place in places:
            for media_type, content in place.get("content", {}).items():
                if media_type == FORM or content["schema"].get("format") == "binary":
                    continue  # no text could be one
                assert "example" in content, f"{operation.name}: write an example."
                Schema(content["schema"]).check(content["example"])

    def test_schemas_examples_hold(self) -> None:
        for _, node in ALL:
            if "example" in node:
                Schema(node).check(node["example"])

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_operations_say_what_they_do(self, operation: Operation) -> None:
        summary = operation.definition["summary"]
        assert summary[0].isupper(), f"{operation.name}: a summary is a phrase with a capital."
        assert not summary.endswith("."), f"{operation.name}: a summary ends without a full stop."
        for each in operation.parameters:
            assert each.get("description"), f"{operation.name}: describe {each['name']}."
