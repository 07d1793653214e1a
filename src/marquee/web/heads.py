"""The headers that every answer has, whoever made it."""

from marquee.settings import Settings
from marquee.web.answers import (
    FOR_EVERY_PAGE,
    FOR_ITS_OWN,
    NO_CONTENT_POLICY,
    SECURITY_HEADERS,
    Answer,
    Header,
)
from marquee.web.request import Request

HSTS: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
VARY: Header = (b"vary", b"Accept-Encoding, Authorization, X-API-Key, Cookie, Origin")
VARY_PUBLIC: Header = (b"vary", b"Accept-Encoding, Origin")
BODILESS = (204, 304)


class Heads:
    """Security headers by the server's settings, and what follows from an answer."""

    def __init__(self, settings: Settings) -> None:
        self.fixed = [
            *SECURITY_HEADERS,
            *([HSTS] if settings.https else []),
            NO_CONTENT_POLICY,
        ]
        self.fixed_public = [FOR_EVERY_PAGE if each == FOR_ITS_OWN else each for each in self.fixed]

    def complete(self, request: Request, answer: Answer, cors: list[Header]) -> list[Header]:
        """All headers of an answer of the contract's."""
        public = is_public(answer)
        fixed = self.fixed_public if public else self.fixed
        headers = [*answer.headers, *cors, *fixed, (b"x-request-id", request.id.encode())]
        if answer.content_type is not None:
            headers.append((b"content-type", answer.content_type))
        if answer.stream is None and answer.status not in BODILESS:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        headers.append(VARY_PUBLIC if public else VARY)
        return headers

    def missing(self, request: Request, given: list[Header]) -> list[Header]:
        """What an answer of the application inside lacks."""
        names = {name.lower() for name, _ in given}
        wanted = [*self.fixed, (b"x-request-id", request.id.encode())]
        return [pair for pair in wanted if pair[0] not in names]


def is_public(answer: Answer) -> bool:
    """Whether shared caches may give the answer to anybody."""
    return (answer.header(b"cache-control") or b"").startswith(b"public")
