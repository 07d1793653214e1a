"""Cross-origin requests (Fetch standard), for the origins of `CORS_ORIGINS` and no others."""

from marquee.web.answers import Header
from marquee.web.request import Request

EXPOSED = (
    b"ETag, Age, Cache-Status, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    b"Idempotent-Replayed, Deprecation, Link, Location, WWW-Authenticate, Content-Disposition, "
    b"Content-Range, Accept-Ranges"
)
ALLOWED = (
    b"Authorization, X-API-Key, X-CSRF-Token, Content-Type, Idempotency-Key, If-Match, "
    b"If-None-Match, X-Request-Id"
)


class Cors:
    """The allow-list. Credentials are allowed to listed origins; `*` allows anybody without
    them.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self.origins, self.anybody = frozenset(origins), "*" in origins

    def headers(self, request: Request) -> list[Header]:
        """What lets a browser show the answer to the page that asked."""
        if not self.origins:
            return []
        origin = request.headers.get("origin")
        if origin is None or not (self.anybody or origin in self.origins):
            return []
        if origin not in self.origins:
            return [
                (b"access-control-allow-origin", b"*"),
                (b"access-control-expose-headers", EXPOSED),
            ]
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", EXPOSED),
        ]

    def preflight(self, request: Request, methods: list[str]) -> list[Header]:
        """What lets a browser send the request that it asks about; nothing for other origins."""
        if "access-control-request-method" not in request.headers or not self.headers(request):
            return []
        return [
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", ALLOWED),
            (b"access-control-max-age", b"600"),
        ]
