"""The contract's schemas as compiled validators, and their errors as the envelope shows them."""

from typing import Any

import jsonschema_rs

from marquee.errors import Invalid

DROPPED = frozenset(
    [
        "components",
        "discriminator",
        "xml",
        "example",
        "examples",
        "externalDocs",
        "deprecated",
        "nullable",
        "readOnly",
        "writeOnly",
        "description",
    ]
)
MAPS = frozenset(("properties", "definitions"))
ENCODED = frozenset(("required", "additionalProperties"))
"""What an encoder of `codec.py` sees to: it writes all required fields, and none but ours."""
LITERALS = frozenset(("enum", "default", "required", "type"))
RANGES = frozenset(("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"))
MOST_ERRORS = 20
LONGEST = 300
UUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
"""Draft 4 does not know the format."""


class Schema:
    """One schema of OpenAPI 3.0, compiled. Formats are checked; references are resolved already.

    Of what the schema's encoder has made, only the rest is checked: that takes a fifth less time.
    """

    def __init__(
        self, schema: dict[str, Any], where: str = "body", *, encoded: bool = False
    ) -> None:
        self.source, self.where = schema, where
        converted = _Conversion().document(schema, encoded=encoded)
        self._validator = jsonschema_rs.Draft4Validator(
            converted, validate_formats=True, mask="The value"
        )
        self.is_valid = self._validator.is_valid

    def check(self, value: object) -> None:
        """Raise Invalid, naming each value at fault, unless the value keeps to the schema."""
        if not self.is_valid(value):
            raise self.refusal(value)

    def refusal(self, value: object) -> Invalid:
        """What to answer to a value that does not keep to the schema."""
        errors, codes = [], set()
        for error in self._validator.iter_errors(value):
            errors.append(self._describe(error))
            codes.add(self._code(error))
            if len(errors) == MOST_ERRORS:
                break
        code = codes.pop() if len(codes) == 1 else None
        return Invalid("The request breaks the contract.", code, details={"errors": errors})

    def first_error(self, value: object) -> str:
        """The first error in words, for a log."""
        error = self._describe(next(iter(self._validator.iter_errors(value))))
        return f"{error['path']}: {error['message']}"

    def _describe(self, error: jsonschema_rs.ValidationError) -> dict[str, str]:
        path = "".join(f"/{part}" for part in error.instance_path) or "/"
        message = error.message[:LONGEST]
        return {"in": self.where, "path": path[:LONGEST], "message": message}

    def _code(self, error: jsonschema_rs.ValidationError) -> str | None:
        """`x-error-code` of the schema at fault, where a number is out of its range."""
        if error.schema_path[-1] not in RANGES:
            return None
        node: Any = self.source
        for part in error.instance_path:
            node = node.get("items", {}) if isinstance(part, int) else node["properties"][part]
        code: str | None = node.get("x-error-code")
        return code


class _Conversion:
    """OpenAPI 3.0 to JSON Schema draft 4. A schema that contains itself becomes a definition."""

    def __init__(self) -> None:
        self.open: dict[tuple[int, bool], str | None] = {}
        self.definitions: dict[str, Any] = {}

    def document(self, schema: dict[str, Any], *, encoded: bool) -> dict[str, Any]:
        converted: dict[str, Any] = self.convert(schema, encoded=encoded)
        if self.definitions:
            converted = {"allOf": [converted], "definitions": self.definitions}
        return converted

    def convert(self, node: Any, *, encoded: bool = False) -> Any:  # noqa: ANN401 - any part
        if isinstance(node, list):
            return [self.convert(each) for each in node]
        if not isinstance(node, dict):
            return node
        key = id(node.get("properties", node)), encoded
        if key in self.open:
            name = f"recursive{len(self.definitions)}{key[0]}{encoded:d}"
            self.open[key] = self.open[key] or name
            return {"$ref": f"#/definitions/{self.open[key]}"}
        self.open[key] = None
        dropped = ENCODED if encoded and "properties" in node else ()
        kept = {k: v for k, v in node.items() if _kept(k) and k not in dropped}
        converted = {k: self._keyword(k, v, encoded=encoded) for k, v in kept.items()}
        converted = _nullable(node, converted)
        definition = self.open.pop(key)
        if definition is not None:
            self.definitions[definition] = converted
            return {"$ref": f"#/definitions/{definition}"}
        return converted

    def _keyword(self, keyword: str, value: Any, *, encoded: bool) -> Any:  # noqa: ANN401
        if keyword in LITERALS:
            return value
        if keyword in MAPS:
            return {name: self.convert(part, encoded=encoded) for name, part in value.items()}
        # An encoder walks through properties and items, and leaves all else as it is.
        return self.convert(value, encoded=encoded and keyword == "items")


def _kept(keyword: str) -> bool:
    return keyword not in DROPPED and not keyword.startswith("x-")


def _nullable(source: dict[str, Any], converted: dict[str, Any]) -> dict[str, Any]:
    if source.get("format") == "uuid":
        converted.setdefault("pattern", UUID)
    if not source.get("nullable"):
        return converted
    if "enum" in converted and None not in converted["enum"]:
        converted["enum"] = [*converted["enum"], None]
    if "type" in converted:
        return converted | {"type": [converted["type"], "null"]}
    return {"anyOf": [{"type": "null"}, converted]}
