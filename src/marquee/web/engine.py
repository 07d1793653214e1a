"""The engine: Connexion's middleware list in one, compiled from the contract when the server
starts.

For each operation there is a plan; a request costs a look-up, one hop to a handler thread, and the
way back. What is not in the contract (the explorer, the contract itself) goes on to the application
inside, Flask.

Connexion stays the framework: this is a middleware of its public `middlewares=`, fed by its
Specification, its operations and its Resolver.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from connexion.middleware.abstract import AbstractSpecAPI, SpecMiddleware
from connexion.resolver import Resolver
from connexion.spec import Specification
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marquee.errors import Refusal
from marquee.settings import Settings
from marquee.web import kept, metrics
from marquee.web.access import AccessLog
from marquee.web.answers import Answer, compressed, preferred_coding, worth_compressing
from marquee.web.bodies import receive_body
from marquee.web.caching import PublicAnswers
from marquee.web.codec import Encoders
from marquee.web.contract import METHODS
from marquee.web.cors import Cors
from marquee.web.envelope import answer_to, envelope
from marquee.web.heads import Heads
from marquee.web.multipart import Spool
from marquee.web.patience import Patience
from marquee.web.perform import Performer
from marquee.web.plan import NOBODY, NOTHING, Plan
from marquee.web.redirects import Redirects, are_numbers
from marquee.web.request import Request
from marquee.web.routing import TEMPLATE, Routes
from marquee.web.security import Scheme
from marquee.web.threads import Threads

log = structlog.get_logger("marquee")
PROBES = 2


class Engine(SpecMiddleware):
    """One ASGI application for all operations of the contract."""

    def __init__(
        self, app: ASGIApp, *, settings: Settings, performer: Performer, public: PublicAnswers
    ) -> None:
        self.app, self.settings = app, settings
        self.performer, self.public = performer, public
        self.routes: Routes[Plan] = Routes()
        self.plans: dict[str, Plan] = {}
        self.redirects = Redirects()
        self.shared: set[str] = set()
        """Templates of what is served where paths have moved from: those are numbers, these are
        not."""
        logged = settings.access_log and settings.log_level in ("DEBUG", "INFO")
        self.access = AccessLog() if logged else None
        self.cors = Cors(settings.cors_origins)
        self.heads = Heads(settings)
        self.patience = Patience(settings.request_timeout)
        self.threads = Threads(settings.marquee_threads, "handler")
        self.waiting = Threads(settings.marquee_threads, "waiting")
        """For what waits for an outside service: while that is slow, nothing else is."""
        self.probing = Threads(PROBES, "probe")
        """For what tells how the server is: also while all else is slow."""

    def add_api(
        self,
        specification: Specification,
        *,
        base_path: str | None = None,
        resolver: Resolver | None = None,
        **_: Any,  # noqa: ANN401 - Connexion's options that the engine has no use for
    ) -> None:
        """Compile a contract. Connexion calls this for each `app.add_api`."""
        api = AbstractSpecAPI(specification, base_path=base_path, resolver=resolver)
        definitions = specification.security_schemes
        schemes = {name: Scheme(name, each) for name, each in definitions.items()}
        encoders = Encoders()
        for path, item in specification["paths"].items():
            for method in item.keys() & set(METHODS):
                operation = specification.operation_cls.from_spec(
                    specification, path=path, method=method, resolver=api.resolver
                )
                plan = Plan(operation, schemes, encoders)
                if isinstance(plan.waits, str) and plan.waits not in (NOTHING, NOBODY):
                    plan.waits = bool(getattr(self.settings, plan.waits))
                plan.at_once = plan.at_once and self.performer.limits.local
                if plan.kept.until:
                    kept.until(plan.kept.until)
                self.plans[plan.operation_id] = plan
                for served in (api.base_path + path, item.get("x-also-at")):
                    if served:
                        self.routes.add(served, plan.method, plan)
            self.redirects.add(api.base_path, path, item.get("x-moved-from", []))
        self._share_with_moved()

    def _share_with_moved(self) -> None:
        """Find the templates by which what has moved, and is a number, is served too."""
        for old, target in self.redirects.templates.items():
            served = self.routes.find(TEMPLATE.sub("0", old))
            if served is not None:
                self.redirects.numbered.add(target)
                self.shared |= {plan.template for plan in served[0].values()}

    def _moved(self, request: Request, method: str) -> Answer | None:
        """The redirect to where a path of numbers has moved, if this method is served there."""
        if not are_numbers(request.path_values):
            return None
        answer = self.redirects.find(request)
        place = (answer and answer.header(b"location")) or b""
        served = self.routes.find(place.decode("latin-1").partition("?")[0])
        return answer if served is not None and method in served[0] else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request = Request.of(scope, self.settings.trusted_proxies)
        plan: Plan | None = None
        try:
            moved = request.path in self.redirects.fixed
            found = None if moved else self.routes.find(request.path)
            if found is None:
                answer = self.redirects.find(request)
                if answer is None:
                    await self._elsewhere(request, receive, send, started)
                    return
            else:
                methods, request.path_values = found
                method = "GET" if request.method == "HEAD" else request.method
                plan = methods.get(method)
                if plan is None:
                    answer = self._other_method(request, methods)
                elif plan.template in self.shared and (gone := self._moved(request, method)):
                    answer = gone
                else:
                    answer = await self._perform(plan, request, receive)
        except Exception as error:  # noqa: BLE001 - the boundary: everything becomes an answer
            answer = answer_to(error)
        await self._send(request, answer, receive, send)
        self._account(request, plan, answer.status, started)

    async def _perform(self, plan: Plan, request: Request, receive: Receive) -> Answer:
        if plan.body is not None:
            request.body = await receive_body(
                receive,
                request.headers,
                largest=plan.largest_body,
                patience=self.patience,
            )
        elif plan.form is not None:
            return await self._perform_form(plan, request, receive)
        if plan.at_once and (answer := self.performer.at_once(plan, request)) is not None:
            return answer
        threads = self._threads_of(plan)
        if not plan.public:
            return await threads.run(self.performer.perform, plan, request)
        plan.check_accept(request.headers.get("accept"))
        return await self.public.answer(
            plan,
            request,
            lambda: threads.run(
                self.performer.perform, plan, _without_conditions(request, plan.varies_by)
            ),
        )

    def _threads_of(self, plan: Plan) -> Threads:
        if plan.waits is True:
            return self.waiting
        return self.probing if plan.waits == NOBODY else self.threads

    async def _perform_form(self, plan: Plan, request: Request, receive: Receive) -> Answer:
        """With the body in files, which are closed whatever happens."""
        with Spool() as request.form:
            await receive_body(
                receive,
                request.headers,
                largest=plan.largest_body,
                patience=self.patience,
                keep=request.form.raw.write,
            )
            return await self.threads.run(self.performer.perform, plan, request)

    def _other_method(self, request: Request, methods: Mapping[str, Plan]) -> Answer:
        """OPTIONS, with and without CORS; 405 for anything else."""
        allowed = sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})
        headers = {"Allow": ", ".join(allowed)}
        if request.method == "OPTIONS":
            return Answer(
                204,
                headers=[
                    (b"allow", headers["Allow"].encode()),
                    *self.cors.preflight(request, allowed),
                ],
            )
        message = f"This path takes {headers['Allow']}."
        return envelope(
            HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message, headers=headers
        )

    async def _elsewhere(
        self, request: Request, receive: Receive, send: Send, started: float
    ) -> None:
        """What is not in the contract: Flask's, with the headers that every answer has."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *self.heads.missing(request, message["headers"]),
                    *self.cors.headers(request),
                ]
            await send(message)

        try:
            await self.app(request.scope, receive, send_with_headers)
        except Refusal as refusal:
            answer = answer_to(refusal)
            status = HTTPStatus(answer.status)
            await self._send(request, answer, receive, send)
        self._account(request, None, status, started)

    async def _send(self, request: Request, answer: Answer, receive: Receive, send: Send) -> None:
        """One answer; HEAD gets the headers of GET."""
        if worth_compressing(answer) and request.scope["method"] != "HEAD":
            coding = preferred_coding(request.headers.get("accept-encoding", ""))
            if coding is not None:
                answer = await asyncio.to_thread(compressed, answer, coding)
        headers = self.heads.complete(request, answer, self.cors.headers(request))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.stream is not None and request.method != "HEAD":
            await self._stream(answer, receive, send)
            return
        body = b"" if request.method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    @staticmethod
    async def _stream(answer: Answer, receive: Receive, send: Send) -> None:
        """Pieces as they are made, until the client goes. The maker is closed whatever ends the
        stream.
        """
        pieces: Any = answer.stream
        sending = asyncio.create_task(_send_pieces(pieces, send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        except Exception:
            log.exception("stream_broke_off")
            raise
        finally:
            sending.cancel()
            gone.cancel()
            await asyncio.wait({sending, gone})
            await pieces.aclose()

    def _account(self, request: Request, plan: Plan | None, status: int, started: float) -> None:
        seconds = time.perf_counter() - started
        operation = plan.operation_id if plan else "none"
        metrics.observe(request.method if plan else "other", operation, status, seconds)
        if self.access is not None:
            self.access.note(
                method=request.method,
                path=plan.template if plan else request.path[:200],
                operation=operation,
                status=int(status),
                duration_ms=round(seconds * 1000, 2),
                user_id=request.viewer.id if request.viewer else None,
                address=request.address,
                request_id=request.id,
            )


async def _send_pieces(pieces: AsyncIterator[bytes], send: Send) -> None:
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _without_conditions(request: Request, told: Iterable[str]) -> Request:
    """The request that fills a store: it asks for the whole answer, and for nobody in
    particular. In logs it is the one that came first.
    """
    names = {"user-agent", "accept", *told}
    kept = {name: value for name, value in request.headers.items() if name in names}
    shared = Request(
        request.method,
        request.path,
        request.query,
        kept,
        request.address,
        request.scope,
        _id=request.id,
    )
    shared.path_values = request.path_values
    return shared
