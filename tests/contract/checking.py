"""Every answer of every test against the contract: status, media type, body and promised
headers.
"""

from functools import cache
from typing import Any

import httpx

from marquee.web import contract
from marquee.web.schema import Schema
from marquee.web.specification import Specification

CONTRACT = contract.load()
BASE = CONTRACT["servers"][0]["url"]
UNIVERSAL = {404, 405, 501, 308}
"""Statuses of paths and methods that the contract does not have."""

exercised: set[tuple[str, int]] = set()
"""The documented statuses that were seen, as (operationId, status)."""


@cache
def resolved() -> Any:
    """The contract with its references resolved."""
    return Specification(CONTRACT)


def check_answer(answer: httpx.Response) -> None:
    """Fail unless the contract says that this answer may come."""
    answer.read()
    request = answer.request
    path = request.url.raw_path.decode().partition("?")[0]
    assert "x-request-id" in answer.headers, f"{request.method} {path} has no X-Request-Id"
    try:
        operation = contract.operation_at(
            resolved(), "get" if request.method == "HEAD" else request.method, path
        )
    except LookupError:
        check_outside(answer, path)
        return
    name = operation["operationId"]
    responses = operation["responses"]
    assert str(answer.status_code) in responses, (
        f"{name} answered {answer.status_code}, which it does not document"
    )
    exercised.add((name, answer.status_code))
    response = responses[str(answer.status_code)]
    for header, definition in response.get("headers", {}).items():
        assert header in answer.headers or not definition.get("required"), (
            f"{name} promises the header {header}"
        )
    if request.method != "HEAD":
        check_body(name, answer, response.get("content", {}))


def check_body(name: str, answer: httpx.Response, content: dict[str, Any]) -> None:
    """The body has a documented media type, and the shape that goes with it."""
    if not content:
        assert answer.content == b"", (
            f"{name} {answer.status_code} has a body that it does not document"
        )
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    any_of_kind = media_type.partition("/")[0] + "/*"
    assert {media_type, any_of_kind} & content.keys(), f"{name} answered {media_type}"
    if media_type == "application/json":
        compiled(
            id(content["application/json"]["schema"]), content["application/json"]["schema"]
        ).check(answer.json())


def check_outside(answer: httpx.Response, path: str) -> None:
    """What is not in the contract answers with the envelope, or is a document about the
    contract.
    """
    if answer.status_code in UNIVERSAL:
        if answer.status_code >= 400 and answer.request.method != "HEAD":
            assert set(answer.json()["error"]) >= {"code", "message"}, answer.text
        return
    assert answer.request.method == "OPTIONS" or "/ui" in path or "/openapi." in path, (
        f"{path} is in no contract"
    )


_compiled: dict[int, Schema] = {}


def compiled(key: int, schema: dict[str, Any]) -> Schema:
    """The validator of a schema of the contract."""
    if key not in _compiled:
        _compiled[key] = Schema(schema)
    return _compiled[key]
