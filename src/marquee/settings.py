"""Every setting of the server, read once from the environment into one frozen dataclass.

A field's name in capitals is its variable: `redis_url` is `REDIS_URL`. An empty variable counts as
unset. The README lists them in groups.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
ORIGIN = r"https?://[^/\s,]+"
RATE = r"[1-9][0-9]*/[1-9]?[0-9]*(second|minute|hour|day)"
FORMS = {
    "MARQUEE_ENV": ("development|test|staging|production", "development or production"),
    "PUBLIC_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://api.example.org"),
    "CORS_ORIGINS": (
        rf"(\*|{ORIGIN})(\s*,\s*(\*|{ORIGIN})?)*",
        "a list of origins like https://example.org",
    ),
    "LOG_LEVEL": ("DEBUG|INFO|WARNING|ERROR|CRITICAL", "a level like INFO"),
    "RATE_LIMIT_DEFAULT": (RATE, "a rate like 600/minute"),
    "RATE_LIMIT_AUTH": (RATE, "a rate like 5/15minute"),
    "RATE_LIMIT_RECOMMENDATIONS": (RATE, "a rate like 10/minute"),
}
"""What the text of a variable must look like, and that in words."""
RANGES: dict[str, tuple[float, float]] = {
    "PORT": (0, 65535),
    "MARQUEE_WORKERS": (1, 512),
    "MARQUEE_THREADS": (1, 512),
    "TRUSTED_PROXIES": (0, 20),
    "REQUEST_TIMEOUT": (1, 3600),
    "HEADER_TIMEOUT": (1, 3600),
    "DATABASE_TIMEOUT": (1, 3600),
    "WORKER_CONCURRENCY": (1, 512),
    "CACHE_DURATION_SECONDS": (0, 86400),
    "TMDB_TIMEOUT": (0.01, 60),
}
"""The least and the most that a number may be."""


class BadSetting(ValueError):
    """A variable holds something that it cannot mean. The message names the variable."""


@dataclass(frozen=True)
class Settings:
    """All settings with their defaults. Times are in seconds, sizes in bytes."""

    marquee_env: str = "development"
    """`production` refuses what only a laptop may do: demo keys, a secret made on the spot."""
    marquee_data: Path = Path(".data")
    """The folder of the embedded PostgreSQL, the secret key, stored files and the mailbox."""
    marquee_secret_key: str = ""
    """Signs tokens, cookies and cursors. At least 32 characters; the same on every machine."""

    host: str = "127.0.0.1"
    port: int = 8080
    marquee_workers: int = 1
    """Server processes of `marquee serve`."""
    marquee_threads: int = 16
    """Handler threads of a server process; as many database connections are opened at the most,
    and two more for rate limits where there are several processes."""
    trusted_proxies: int = 0
    """How many reverse proxies stand in front: so many entries of `X-Forwarded-For` are
    believed."""
    public_url: str = ""
    """The address that clients see, e.g. `https://api.example.org`; makes cookies `Secure`."""
    cors_origins: tuple[str, ...] = ()
    request_timeout: int = 30
    """How long a client may take to send its body."""
    header_timeout: int = 15
    """How long a client may take to send its headers."""
    validate_responses: bool = True
    access_log: bool = True
    log_level: str = "INFO"

    database_url: str = ""
    """`postgresql://user:password@host/name`; empty means the embedded PostgreSQL."""
    database_timeout: int = 15
    """The longest that one statement may run."""

    worker_concurrency: int = 2
    """Jobs that one worker process does at a time."""

    redis_url: str = ""
    redis_password: str = ""
    cache_duration_seconds: int = 30
    """How long an answer that was read from TMDB stays fresh."""

    rate_limits_enabled: bool = True
    rate_limit_default: str = "600/minute"
    rate_limit_auth: str = "5/15minute"
    rate_limit_recommendations: str = "10/minute"

    tmdb_api_key: str = ""
    """A TMDB v3 key or a v4 read access token; empty means the demo catalogue answers."""
    tmdb_base_url: str = "https://api.themoviedb.org/3"
    tmdb_timeout: float = 5.0

    metrics_enabled: bool = False
    metrics_token: str = ""
    cron_secret: str = ""

    region: str = ""
    build_commit: str = ""
    build_branch: str = ""
    build_channel: str = "stable"

    @property
    def production(self) -> bool:
        """Whether this server must be safe without a second look."""
        return self.marquee_env == "production"

    @property
    def https(self) -> bool:
        """Whether clients come by HTTPS."""
        return self.public_url.startswith("https://")


def read(environ: Mapping[str, str]) -> Settings:
    """Settings from an environment. Raises BadSetting, naming the variable."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        variable = field.name.upper()
        if text := environ.get(variable, "").strip():
            values[field.name] = _convert(variable, text, type(field.default))
    return Settings(**values)


@cache
def current() -> Settings:
    """The settings of this process."""
    return read(os.environ)


def _convert(variable: str, text: str, kind: type) -> object:
    form, words = FORMS.get(variable, (".*", ""))
    if not re.fullmatch(form, text):
        raise BadSetting(f"{variable}={text!r} is not {words}.")
    if kind is bool:
        if text.lower() not in TRUE | FALSE:
            raise BadSetting(f"{variable}={text!r} is neither true nor false.")
        return text.lower() in TRUE
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        value = kind(text)
    except ValueError as error:
        raise BadSetting(f"{variable}={text!r} is not a {kind.__name__}.") from error
    least, most = RANGES.get(variable, (None, None))
    if least is not None and most is not None and not least <= value <= most:
        raise BadSetting(f"{variable}={text!r} is not between {least:g} and {most:g}.")
    return value
