"""The plan of an operation: all that its contract says, compiled once when the server starts."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, Self

import orjson
from connexion.operations import AbstractOperation

from marquee.errors import Refusal
from marquee.web import codec
from marquee.web.answers import Answer, Content, Header, Stream, encode_headers
from marquee.web.bodies import LARGEST, Body
from marquee.web.codec import Convert
from marquee.web.multipart import FORM, Form
from marquee.web.parameters import ENGINE_HEADERS, Parameters
from marquee.web.request import Request
from marquee.web.schema import Schema
from marquee.web.security import Scheme, Security, TokenInfo

JSON = "application/json"
NOTHING = "nothing"
NOBODY = "nobody"


class NotAcceptable(Refusal):
    """Nothing that the operation answers with suits `Accept` (406)."""

    status, code = 406, "NOT_ACCEPTABLE"


class BrokenPromise(Exception):
    """A handler answered with something that the contract does not say: a bug of ours."""


@dataclass(frozen=True)
class Outcome:
    """One status of an operation: its media type, and how its body is made and checked."""

    status: int
    media_type: str | None
    encode: Convert | None
    schema: Schema | None

    @cached_property
    def content_type(self) -> bytes | None:
        """The media type as a header has it."""
        if self.media_type is None:
            return None
        charset = "; charset=utf-8" if self.media_type == "text/plain" else ""
        return (self.media_type + charset).encode()

    def write(self, value: Any, *, validate: bool) -> bytes:  # noqa: ANN401 - what a handler returns
        """The body. Raises BrokenPromise where it would break the contract."""
        if self.media_type is None:
            return b""
        if self.media_type != JSON:
            return value if isinstance(value, bytes) else str(value).encode()
        encoded = self.encode(value) if self.encode else value
        if validate and self.schema is not None and not self.schema.is_valid(encoded):
            raise BrokenPromise(self.schema.first_error(encoded))
        return orjson.dumps(encoded)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How an answer is kept that is the same for all: see `marquee.web.kept`."""

    until: str = ""
    """The channel whose notices end it; empty where it is not kept."""
    unless: tuple[str, ...] = ()
    stamp: str = ""

    @classmethod
    def of(cls, cache: dict[str, Any], parameters: Collection[str]) -> Self:
        """What `x-cache` says of it. Raises ValueError for a parameter that is not there: what is
        one's own would be shown to others.
        """
        unless = tuple(cache.get("unless", ()))
        if unknown := set(unless).difference(parameters):
            raise ValueError(f"x-cache names unknown parameters: {', '.join(sorted(unknown))}.")
        return cls(cache.get("until", ""), unless, cache.get("stamp", ""))


class Plan:
    """What the engine needs to know of one operation, and nothing that it must look up again."""

    def __init__(
        self, operation: AbstractOperation, schemes: dict[str, Scheme], encoders: codec.Encoders
    ) -> None:
        source: dict[str, Any] = operation._operation  # noqa: SLF001 - Connexion keeps extensions nowhere else
        self.operation_id: str = source["operationId"]
        self.method: str = operation.method.upper()
        self.template: str = operation.path
        self.safe = self.method == "GET"
        self.handler: Callable[..., Any] = operation.function
        takes = inspect.signature(self.handler).parameters
        self.takes_user, self.takes_information = "user" in takes, "token_info" in takes
        self.parameters = Parameters(
            operation.parameters, open_query=source.get("x-open-query", False)
        )
        told = [each["name"] for each in operation.parameters if each["in"] == "header"]
        self.varies_by = tuple(name.lower() for name in told if name.lower() not in ENGINE_HEADERS)
        """The headers that an answer depends on, beside those that each does."""
        self.body = Body(source["requestBody"]) if JSON in operation.consumes else None
        self.form = Form(source["requestBody"]) if FORM in operation.consumes else None
        self.security = Security(operation.security, schemes)
        self.permission: str | None = source.get("x-permission")
        self.rate_limit: str = source.get("x-rate-limit", "default")
        self.audit: str | None = source.get("x-audit")
        self.idempotent: bool = source.get("x-idempotent", False)
        self.if_match: str | None = source.get("x-if-match")
        self.cache: dict[str, Any] | None = source.get("x-cache")
        self.lifetime = _lifetime(self.cache)
        self.stored_once = (self.cache or {}).get("stored") == "once"
        self.kept = Keeping.of(self.cache or {}, [each["name"] for each in operation.parameters])
        self.waits: bool | str = source.get("x-waits", False)
        """Whether it waits for an outside service, or the setting that says whether it does. Or
        `nothing`, not even the database: its handler is called on the event loop. Or `nobody`: it
        has threads of its own, which other operations cannot keep busy."""
        self.at_once = self.audit is None and (self.waits == NOTHING or bool(self.kept.until))
        """Whether there may be an answer for which nothing has to be waited for."""
        self.outcomes = dict(_outcomes(operation, encoders))
        success = [
            each for status, each in self.outcomes.items() if status < HTTPStatus.BAD_REQUEST
        ]
        # JSON among them: errors are, and generated clients ask for nothing else where they can.
        self.media_types = {JSON, *(each.media_type for each in success if each.media_type)}
        self.has_parts = HTTPStatus.PARTIAL_CONTENT in self.outcomes
        self.has_content = any(each.media_type for each in success)
        self.default_status = min(
            status for status in self.outcomes if status < HTTPStatus.MULTIPLE_CHOICES
        )

    @property
    def public(self) -> bool:
        """Whether one stored answer serves everybody."""
        cache = self.cache or {}
        stored = cache.get("scope") == "public" and cache.get("stored", True)
        return stored and not self.security.schemes

    @property
    def largest_body(self) -> int:
        """How many bytes of body are read at the most."""
        body = self.body or self.form
        return body.largest if body else LARGEST

    def arguments(self, request: Request, information: TokenInfo) -> dict[str, Any]:
        """The handler's arguments, as Connexion names them. Raises the refusals of bad input."""
        self.check_accept(request.headers.get("accept"))
        values = self.parameters.read(request.query, request.path_values, request.headers)
        if self.body is not None:
            values["body"] = self.body.read(request.body, request.headers)
        elif self.form is not None and request.form is not None:
            values["body"], request.body = self.form.read(request.form, request.headers)
        if self.takes_user:
            values["user"] = information.get("sub")
        if self.takes_information:
            values["token_info"] = information
        return values

    def check_accept(self, accept: str | None) -> None:
        """Raise NotAcceptable where `Accept` has none of the operation's media types."""
        if accept is None or "*/*" in accept or not self.has_content:
            return
        ranges = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
        for media_type in self.media_types:
            kind, _, rest = media_type.partition("/")
            if media_type in ranges or f"{kind}/*" in ranges:
                return
            # Which one of several it is, nobody knows yet.
            if rest == "*" and any(each.startswith(f"{kind}/") for each in ranges):
                return
        raise NotAcceptable(f"This operation answers with {', '.join(sorted(self.media_types))}.")

    def answer(self, result: Any, *, validate: bool) -> Answer:  # noqa: ANN401 - what a handler returns
        """A handler's result, `body`, `(body, status)` or `(body, status, headers)`, as an
        answer.
        """
        status, headers = self.default_status, None
        if isinstance(result, tuple):
            result, status, *rest = result
            headers = rest[0] if rest else None
        outcome = self.outcomes.get(status)
        if outcome is None:
            raise BrokenPromise(f"{self.operation_id} does not document {status}.")
        if isinstance(result, Stream):
            return Answer(
                status, b"", result.content_type.encode(), encode_headers(headers), result.pieces
            )
        if isinstance(result, Content):
            return self._content(result, outcome, encode_headers(headers))
        body = outcome.write(result, validate=validate)
        return Answer(status, body, outcome.content_type, encode_headers(headers))

    def _content(self, content: Content, outcome: Outcome, headers: list[Header]) -> Answer:
        kind, _, _rest = content.media_type.partition("/")
        if outcome.media_type not in (content.media_type, f"{kind}/*"):
            words = f"{self.operation_id} does not document {content.media_type}."
            raise BrokenPromise(words)
        headers.append((b"etag", f'"{content.digest}"'.encode()))
        return Answer(outcome.status, content.data, content.media_type.encode(), headers)


def _lifetime(cache: dict[str, Any] | None) -> bytes | None:
    """The `Cache-Control` of a public answer whose contract says for how long it holds."""
    if cache is None or "max_age" not in cache:
        return None
    stale = cache.get("stale_while_revalidate")
    more = f", stale-while-revalidate={stale}" if stale else ""
    return f"public, max-age={cache['max_age']}{more}".encode()


def _outcomes(operation: AbstractOperation, encoders: codec.Encoders) -> list[tuple[int, Outcome]]:
    made = []
    for status, response in operation.responses.items():
        content = response.get("content", {})
        media_type, schema = next(iter(content), None), content.get(JSON, {}).get("schema")
        encode = encoders.make(schema) if schema else None
        # Errors are written by the envelope alone.
        checked = schema if int(status) < HTTPStatus.BAD_REQUEST else None
        schema_ = Schema(checked, "response", encoded=True) if checked else None
        made.append((int(status), Outcome(int(status), media_type, encode, schema_)))
    return made
