"""The rules of forms notice when they are broken."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.contract.test_lint import Document, operation, part, schema
from tools.contract.lint import lint_document

FORM = "multipart/form-data"


def body(document: Document) -> Document:
    found: Document = operation(document, "upload_avatar")["requestBody"]
    return found


def field(document: Document, **more: Any) -> None:
    schema(document, "NewAvatar")
    document["components"]["schemas"]["NewAvatar"]["properties"] |= more


BREAKS: list[tuple[str, Callable[[Document], object]]] = [
    ("say by x-max-bytes how large", lambda d: body(d).pop("x-max-bytes")),
    ("say by x-max-bytes how large", lambda d: body(d).update({"x-max-bytes": 2**40})),
    ("nothing reads x-max-bytes here", lambda d: d["info"].update({"x-max-bytes": 1})),
    (
        "the field words of a form is",
        lambda d: field(d, words={"type": "array", "maxItems": 1, "items": {"type": "boolean"}}),
    ),
    (
        "how many bytes the file cover may have",
        lambda d: field(d, cover={"type": "string", "format": "binary"}),
    ),
    (
        "which media types the file file may have",
        lambda d: body(d)["content"][FORM].pop("encoding"),
    ),
    (
        "upload_avatar: it creates something",
        lambda d: operation(d, "upload_avatar").pop("x-idempotent"),
    ),
]


@cache
def findings_before() -> list[str]:
    """What is found of the tag alone: components that only other tags use."""
    return lint_document(part("users"))


@pytest.mark.parametrize("words,break_it", BREAKS, ids=[words for words, _ in BREAKS])
def test_each_rule_notices(words: str, break_it: Callable[[Document], object]) -> None:
    document = copy.deepcopy(part("users"))
    break_it(document)
    found = lint_document(document)
    assert [each for each in found if each not in findings_before() and words in each] != []
