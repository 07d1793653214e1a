"""marquee/web/schema.py."""

from typing import Any

import pytest

from marquee.errors import Invalid
from marquee.web.schema import MOST_ERRORS, Schema

STARS = {
    "type": "number",
    "minimum": 0,
    "maximum": 5,
    "multipleOf": 0.5,
    "x-error-code": "INVALID_RATING",
}
RATING: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rating"],
    "properties": {"rating": STARS, "note": {"type": "string", "maxLength": 3}},
}


def recursive() -> dict[str, Any]:
    """A comment with answers, which are comments."""
    comment: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["text"],
        "properties": {"text": {"type": "string"}, "answers": {"type": "array"}},
    }
    comment["properties"]["answers"]["items"] = comment
    return comment


def refusal(schema: dict[str, Any], value: object) -> Invalid:
    with pytest.raises(Invalid) as raised:
        Schema(schema).check(value)
    return raised.value


def test_names_each_value_at_fault() -> None:
    refused = refusal(RATING, {"note": "a secret", "extra": 1})
    assert refused.code == "VALIDATION_ERROR"
    assert refused.details is not None
    errors: Any = refused.details["errors"]
    assert {error["path"] for error in errors} == {"/", "/note"}
    assert {error["in"] for error in errors} == {"body"}
    assert all("secret" not in error["message"] for error in errors)


@pytest.mark.parametrize("stars", [-0.5, 5.5, 0.3])
def test_gives_the_code_of_a_number_that_is_out_of_range(stars: float) -> None:
    assert refusal(RATING, {"rating": stars}).code == "INVALID_RATING"


@pytest.mark.parametrize(
    "value", [{"rating": "5"}, {}, {"rating": 6, "note": "long"}, {"rating": True}]
)
def test_gives_it_for_nothing_else(value: object) -> None:
    assert refusal(RATING, value).code == "VALIDATION_ERROR"


def test_bounds_what_it_says() -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    details = refusal(schema, ["x" * 1000] * 100).details
    assert details is not None
    errors: Any = details["errors"]
    assert len(errors) == MOST_ERRORS
    assert max(len(error["message"]) for error in errors) <= 300


@pytest.mark.parametrize(
    "schema,good,bad",
    [
        ({"type": "string", "nullable": True}, [None, "x"], [1]),
        ({"type": "string", "enum": ["a"], "nullable": True}, [None, "a"], ["b"]),
        ({"type": "string", "format": "date"}, ["2024-02-29"], ["2023-02-29", "2024-2-9", "x"]),
        (
            {"type": "string", "format": "date-time"},
            ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.5+01:00"],
            ["2024-02-29", "2024-02-30T00:00:00Z", "2024-02-29T25:00:00Z"],
        ),
        (
            {"type": "string", "format": "uuid"},
            ["6f1c9ad2-0b1f-4a53-9c80-3d2f2cf2c1a7"],
            ["6f1c9ad2", "x"],
        ),
        ({"type": "integer", "minimum": 1, "maximum": 2**53 - 1}, [1, 2**53 - 1], [0, 2**53, 1.5]),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, [0.1], [0]),
        ({"type": "boolean"}, [True], [1, "true"]),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, [3], [2, "3"]),
        (
            {"type": "object", "properties": {"type": {"type": "string"}}},
            [{"type": "x"}],
            [{"type": 1}],
        ),
        (
            {"type": "object", "properties": {"example": {"type": "integer"}}},
            [{"example": 1}],
            [{"example": "1"}],
        ),
        (
            {"type": "object", "properties": {"x-y": {"type": "integer"}}},
            [{"x-y": 1}],
            [{"x-y": "1"}],
        ),
    ],
)
def test_reads_openapi(schema: dict[str, Any], good: list[object], bad: list[object]) -> None:
    compiled = Schema(schema)
    assert [compiled.is_valid(value) for value in good] == [True] * len(good)
    assert [compiled.is_valid(value) for value in bad] == [False] * len(bad)


def test_a_schema_may_contain_itself() -> None:
    compiled = Schema(recursive())
    good = {"text": "a", "answers": [{"text": "b", "answers": [{"text": "c"}]}]}
    compiled.check(good)
    good["answers"][0]["answers"][0]["text"] = 1  # type: ignore[index]
    details = refusal(recursive(), good).details
    assert details is not None
    errors: Any = details["errors"]
    assert errors[0]["path"] == "/answers/0/answers/0/text"


def test_an_array_may_contain_itself() -> None:
    tree: dict[str, Any] = {"type": "array"}
    tree["items"] = tree
    compiled = Schema(tree)
    assert compiled.is_valid([[], [[]]])
    assert not compiled.is_valid([[1]])


def test_of_what_has_been_encoded_the_encoder_guarantees_the_names() -> None:
    closed: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {"id": {"type": "integer"}},
    }
    whole = {"type": "object", "properties": {"films": {"type": "array", "items": closed}}}
    encoded = Schema(whole, "response", encoded=True)
    assert encoded.is_valid({"films": [{"id": 1}]})
    assert encoded.is_valid({"films": [{"more": 1}]})
    assert not encoded.is_valid({"films": [{"id": "1"}]})
    assert not encoded.is_valid({"films": [1]})


def test_what_no_encoder_writes_is_checked_as_a_whole() -> None:
    closed: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {"id": {"type": "integer"}},
    }
    either = {"type": "object", "properties": {"one": {"oneOf": [closed, {"type": "string"}]}}}
    empty = {"type": "object", "additionalProperties": False}
    values: list[object] = [{"one": {"id": 1}}, {"one": {"id": 1, "more": 2}}, {"one": {}}, {}]
    for schema in (either, {"oneOf": [closed]}, empty):
        whole, encoded = Schema(schema), Schema(schema, "response", encoded=True)
        for value in values:
            assert encoded.is_valid(value) == whole.is_valid(value)


def test_a_schema_that_contains_itself_may_have_been_encoded() -> None:
    compiled = Schema(recursive(), "response", encoded=True)
    assert compiled.is_valid({"text": "a", "answers": [{"text": "b", "answers": []}]})
    assert not compiled.is_valid({"text": "a", "answers": [{"text": 1}]})
