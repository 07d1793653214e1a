"""What surrounds every handler: who calls, may they, what do they say, one transaction, and what
they get.

Runs in a handler thread. The order decides which error is seen first: credential (401), rate limit
(429), permission (403), then the request's own faults (400, 406, 415).
"""

from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Any

import orjson
from sqlalchemy.exc import DBAPIError

from marquee import audit
from marquee.db import transaction
from marquee.errors import Refusal, Unauthenticated
from marquee.viewer import origin
from marquee.waiting import Hurry, WouldWait, may_wait
from marquee.web import conditions, idempotency, kept
from marquee.web.answers import Answer, etag_of, matches, not_modified
from marquee.web.caching import PrivateAnswers
from marquee.web.envelope import answer_to, as_refusal
from marquee.web.limits import RateLimits
from marquee.web.plan import NOTHING, Plan
from marquee.web.ranges import ranged
from marquee.web.request import Request
from marquee.web.security import require_permission
from marquee.web.shared import SharedAnswers

NOTHING_SAID = audit.Described()
FAILED_SIGN_INS = frozenset(("INVALID_CREDENTIALS", "MFA_REQUIRED", "INVALID_CODE"))
"""What a stranger's attempt to sign in is refused with: each is a line of the audit log."""


class PreconditionRequired(Refusal):
    """This change must say by `If-Match` which version it is meant for (428)."""

    status, code = 428, "PRECONDITION_REQUIRED"


class Performer:
    """Answers requests by their plans. One for a server process."""

    def __init__(
        self,
        limits: RateLimits,
        private: PrivateAnswers,
        shared: SharedAnswers,
        *,
        validate: bool,
    ) -> None:
        self.limits, self.private, self.shared = limits, private, shared
        self.validate = validate

    def at_once(self, plan: Plan, request: Request) -> Answer | None:
        """The answer, where it can be had without waiting; else None: then it is to be performed.

        For the event loop, and plans that are `at_once`: what is audited knows where it came from.
        """
        try:
            with Hurry():
                answer = self._answer(plan, request)
        except WouldWait:
            return None
        except Exception as error:  # noqa: BLE001 - the boundary: everything becomes an answer
            came_from = origin.set(request.origin)  # what is logged has the request's id
            try:
                return self._refuse(plan, request, error)
            finally:
                origin.reset(came_from)
        return self._finish(plan, request, answer)

    def perform(self, plan: Plan, request: Request) -> Answer:
        """The answer to a request; errors are answers too."""
        came_from, about = origin.set(request.origin), audit.subject.set((None, None))
        described = audit.described.set(NOTHING_SAID)
        try:
            answer = self._try(plan, request)
        except Exception as error:  # noqa: BLE001 - the boundary: everything becomes an answer
            return self._refuse(plan, request, error)
        finally:
            origin.reset(came_from)
            audit.subject.reset(about)
            audit.described.reset(described)
        return self._finish(plan, request, answer)

    def _try(self, plan: Plan, request: Request) -> Answer:
        """Do it; once more where a read met a connection that the server had closed."""
        try:
            return self._in_transaction(plan, request)
        except DBAPIError as error:
            if not (plan.safe and error.connection_invalidated):
                raise
        return self._in_transaction(plan, request)

    def _in_transaction(self, plan: Plan, request: Request) -> Answer:
        with transaction():
            return self._answer(plan, request)

    def _answer(self, plan: Plan, request: Request) -> Answer:
        information = plan.security.authenticate(request)
        viewer = request.viewer = information.get("sub")
        if not request.counted:
            request.counted = True
            caller = f"user:{viewer.id}" if viewer else f"address:{request.address}"
            self.limits.hit(plan.rate_limit, caller, plan.operation_id)
        require_permission(plan.permission, viewer, plan.method)
        arguments = plan.arguments(request, information)
        if plan.stored_once:
            return self.shared.answer(plan, request, lambda: self._handle(plan, arguments))
        if plan.kept.until:
            return kept.answer(plan, request, arguments, lambda: self._handle(plan, arguments))
        if plan.cache is not None and viewer is not None:
            return self.private.answer(plan, request, viewer, lambda: self._handle(plan, arguments))
        if plan.safe and plan.audit is None:
            return self._handle(plan, arguments)
        return self._write(plan, request, arguments)

    def _handle(self, plan: Plan, arguments: dict[str, object]) -> Answer:
        if plan.waits != NOTHING:
            may_wait()
        answer = plan.answer(plan.handler(**arguments), validate=self.validate)
        if plan.cache is not None and answer.header(b"etag") is None:
            answer.headers.append((b"etag", etag_of(answer.body)))
        return answer

    def _write(self, plan: Plan, request: Request, arguments: dict[str, object]) -> Answer:
        viewer = request.viewer
        key = request.headers.get(idempotency.HEADER) if plan.idempotent else None
        running: AbstractContextManager[None] = nullcontext()
        if key and viewer:
            if earlier := idempotency.earlier_answer(request, viewer.id, key):
                return earlier
            if plan.waits is True:
                running = idempotency.running(request, viewer.id, key)
        with running:
            answer = self._handle_if_match(plan, request, arguments)
        if plan.audit is not None:
            audit.record(
                plan.audit,
                viewer,
                resource_id=_resource_id(plan, request, answer),
                details=_details(request),
            )
        if key and viewer:
            idempotency.store(request, viewer.id, key, answer)
        self.private.forget_after_commit(request)
        return answer

    def _handle_if_match(
        self, plan: Plan, request: Request, arguments: dict[str, object]
    ) -> Answer:
        """With the condition of operations that take one at hand for `require_version`."""
        if plan.if_match is None:
            return self._handle(plan, arguments)
        condition = request.headers.get("if-match")
        if plan.if_match == "required" and condition is None:
            raise PreconditionRequired("Name the version that you mean by If-Match.")
        token = conditions.if_match.set(condition)
        try:
            return self._handle(plan, arguments)
        finally:
            conditions.if_match.reset(token)

    @staticmethod
    def _finish(plan: Plan, request: Request, answer: Answer) -> Answer:
        """Cache headers, and 304 where the client has this answer already."""
        if plan.cache is None:
            answer.headers.append((b"cache-control", b"no-store"))
            return answer
        if plan.varies_by:
            answer.headers.append((b"vary", ", ".join(plan.varies_by).encode()))
        if plan.cache["scope"] == "private":
            answer.headers.append((b"cache-control", b"private, no-cache"))
        elif plan.lifetime and answer.header(b"cache-control") is None:
            answer.headers.append((b"cache-control", plan.lifetime))
        condition, etag = request.headers.get("if-none-match"), answer.header(b"etag")
        if condition and etag and matches(condition, etag) and answer.status == HTTPStatus.OK:
            return not_modified(answer, request.headers.get("accept-encoding", ""))
        if plan.has_parts and answer.status == HTTPStatus.OK:
            return ranged(request, answer)
        return answer

    def _refuse(self, plan: Plan, request: Request, error: Exception) -> Answer:
        if isinstance(error, Unauthenticated) and not request.counted:
            error = self._count_failure(plan, request, error)
        answer = answer_to(error)
        refusal = as_refusal(error) if isinstance(error, Refusal) else None
        if refusal and plan.audit and self._worth_recording(plan, request, refusal):
            answer = self._record_refusal(plan, request, refusal) or answer
        return answer

    def _count_failure(self, plan: Plan, request: Request, error: Exception) -> Exception:
        """Guessing credentials is limited by address, as nobody is known to limit it by."""
        try:
            self.limits.hit(plan.rate_limit, f"address:{request.address}", plan.operation_id)
        except Refusal as refusal:
            return refusal
        return error

    @staticmethod
    def _worth_recording(plan: Plan, request: Request, refusal: Refusal) -> bool:
        """Refused writes of known callers, and failed sign-ins; not the noise of strangers."""
        return request.viewer is not None or (
            refusal.code in FAILED_SIGN_INS and plan.security.optional
        )

    @staticmethod
    def _record_refusal(plan: Plan, request: Request, refusal: Refusal) -> Answer | None:
        """In a transaction of its own: what was refused was rolled back."""
        try:
            with transaction():
                audit.record(
                    str(plan.audit),
                    request.viewer,
                    resource_id=_resource_id(plan, request),
                    error_code=refusal.code,
                    details=_details(request, refusal),
                )
        except DBAPIError as error:
            return answer_to(error)
        return None


def _details(request: Request, refusal: Refusal | None = None) -> dict[str, Any] | None:
    """What the path names, what has changed, and why not."""
    details: dict[str, Any] = dict(request.path_values)
    if changes := audit.described.get().changes:
        details["changes"] = [change._asdict() for change in changes]
    if refusal is not None:
        details["error_message"] = refusal.message
    return details or None


def _resource_id(plan: Plan, request: Request, answer: Answer | None = None) -> str | None:
    """What the operation says; else the id that the path ends with; of what has been created, the
    id in the answer.
    """
    if said := audit.described.get().resource_id:
        return said
    if plan.template.endswith("}"):
        return next(reversed(request.path_values.values()), None)
    if answer is not None and answer.status == HTTPStatus.CREATED:
        created = orjson.loads(answer.body).get("id")
        return None if created is None else str(created)
    return None
