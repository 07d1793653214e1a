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
ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+"
RATE = r"[1-9][0-9]*/[1-9]?[0-9]*(second|minute|hour|day)"
FORMS = {
    "MARQUEE_ENV": ("development|test|staging|production", "development or production"),
    "DATABASE_URL": (
        r"postgres(ql)?(\+psycopg2)?://([^@]*@)?(\[[^]]+\]|[^\[\]:/?#@]*)(:\d{1,5})?([/?].*)?",
        "an address like postgresql://user:password@127.0.0.1:5432/marquee",
    ),
    "PUBLIC_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://api.example.org"),
    "APP_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://www.example.org"),
    "PASSKEY_DOMAIN": (r"[a-z0-9-]+(\.[a-z0-9-]+)*", "a domain like example.org"),
    "SMTP_TLS": ("starttls|tls|none", "starttls, tls or none"),
    "MAIL_FROM": (
        rf"[^<>\x00-\x1f]*<{ADDRESS}>|{ADDRESS}",
        "an address like Marquee <no-reply@example.org>",
    ),
    "CORS_ORIGINS": (
        rf"(\*|{ORIGIN})(\s*,\s*(\*|{ORIGIN})?)*",
        "a list of origins like https://example.org",
    ),
    "STORAGE_URL": (
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_./-]*)?",
        "a bucket like s3://marquee/files",
    ),
    "MEDIA_SERVER_URL": (rf"{ORIGIN}(/\S*)?", "an address like http://jellyfin.local:8096"),
    "MEDIA_SERVER_KIND": ("jellyfin|emby", "jellyfin or emby"),
    "TRAKT_BASE_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://api.trakt.tv"),
    "TRAKT_WEB_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://trakt.tv"),
    "EMBEDDINGS_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://api.openai.com/v1"),
    "TEXT_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://api.openai.com/v1"),
    "SEARCH_URL": (rf"{ORIGIN}(/\S*)?", "an address like http://127.0.0.1:7700"),
    "SEARCH_INDEX": ("[A-Za-z0-9_-]{1,200}", "a name of letters, digits, - and _"),
    "S3_ENDPOINT_URL": (rf"{ORIGIN}/?", "an address like https://s3.example.org"),
    "LOG_LEVEL": ("DEBUG|INFO|WARNING|ERROR|CRITICAL", "a level like INFO"),
    "REGISTRATION": ("open|verified|closed", "open, verified or closed"),
    "RATE_LIMIT_DEFAULT": (RATE, "a rate like 600/minute"),
    "RATE_LIMIT_AUTH": (RATE, "a rate like 5/15minute"),
    "RATE_LIMIT_POSTERS": (RATE, "a rate like 60/minute"),
    "RATE_LIMIT_RECOMMENDATIONS": (RATE, "a rate like 10/minute"),
    "IMAGE_BASE_URL": (rf"{ORIGIN}(/\S*)?", "an address like https://image.tmdb.org/t/p"),
}
"""What the text of a variable must look like, and that in words."""
SECRET = frozenset(("DATABASE_URL",))
"""What is not shown, as it may hold a password."""
RANGES: dict[str, tuple[float, float]] = {
    "PORT": (0, 65535),
    "MARQUEE_WORKERS": (1, 512),
    "MARQUEE_THREADS": (1, 512),
    "TRUSTED_PROXIES": (0, 20),
    "REQUEST_TIMEOUT": (1, 3600),
    "HEADER_TIMEOUT": (1, 3600),
    "SIGN_IN_ATTEMPTS": (1, 1_000_000),
    "ACCESS_TOKEN_LIFETIME": (1, 86400),
    "REFRESH_TOKEN_LIFETIME": (60, 366 * 86400),
    "SESSION_MAX_PER_USER": (1, 1000),
    "DATABASE_TIMEOUT": (1, 3600),
    "WORKER_CONCURRENCY": (1, 512),
    "CACHE_DURATION_SECONDS": (0, 86400),
    "TMDB_TIMEOUT": (0.01, 60),
    "MEDIA_SERVER_TIMEOUT": (0.01, 60),
    "TRAKT_TIMEOUT": (0.01, 10),
    "IMAGE_TIMEOUT": (0.01, 60),
    "IMAGES_MAX_BYTES": (1_000_000, 1e15),
    "STORAGE_TIMEOUT": (0.01, 60),
    "EMBEDDINGS_TIMEOUT": (0.01, 300),
    "VECTOR_INDEX_BYTES": (64 * 2**20, 2**40),
    "SEARCH_TIMEOUT": (0.01, 60),
    "TEXT_TIMEOUT": (0.01, 300),
    "SMTP_PORT": (1, 65535),
    "SMTP_TIMEOUT": (0.01, 300),
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
    """Signs tokens, cookies and cursors, encrypts stored secrets. At least 32 characters; the same
    on every machine."""
    marquee_old_secret_keys: tuple[str, ...] = ()
    """Those before it, still believed: so that a change of the key signs nobody out."""

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
    app_url: str = ""
    """The address of the web application, to whose pages `/verify-email` and `/reset-password` the
    links in mails lead; empty means `public_url`."""
    passkey_domain: str = ""
    """The domain that passkeys are for, e.g. `example.org` for pages of `www.example.org`; empty
    means that of the web application. Passkeys do not survive its change."""
    cors_origins: tuple[str, ...] = ()
    request_timeout: int = 30
    """How long a client may take to send its body."""
    header_timeout: int = 15
    """How long a client may take to send its headers."""
    validate_responses: bool = True
    access_log: bool = True
    log_level: str = "INFO"

    cache_callers: bool = True
    """Whether a process knows a caller for seconds; otherwise each request asks the database."""
    registration: str = "open"
    """Who may register: everybody (`open`), who confirms the e-mail first (`verified`), or nobody
    (`closed`)."""
    sign_in_attempts: int = 5
    """Failures of one account, or from one address, that lock it for a quarter of an hour."""
    access_token_lifetime: int = 900
    refresh_token_lifetime: int = 30 * 24 * 3600
    """How long a session lasts that is not used; each refresh begins it anew."""
    session_max_per_user: int = 10
    """A further sign-in ends the oldest session."""

    database_url: str = ""
    """`postgresql://user:password@host/name`; empty means the embedded PostgreSQL."""
    database_timeout: int = 15
    """The longest that one statement may run."""

    worker_concurrency: int = 2
    """Jobs that one worker process does at a time."""

    redis_url: str = ""
    redis_password: str = ""
    cache_duration_seconds: int = 30
    """How long an answer that was read from TMDB stays fresh, and what is known of lists."""

    rate_limits_enabled: bool = True
    rate_limit_default: str = "600/minute"
    rate_limit_auth: str = "5/15minute"
    rate_limit_posters: str = "60/minute"
    rate_limit_recommendations: str = "10/minute"

    tmdb_api_key: str = ""
    """A TMDB v3 key or a v4 read access token; empty means the demo catalogue answers."""
    tmdb_base_url: str = "https://api.themoviedb.org/3"
    tmdb_timeout: float = 5.0
    image_base_url: str = "https://image.tmdb.org/t/p"
    """Where the pictures are that TMDB names. A name that leads into a private network is refused,
    unless the address itself stands here, or `localhost`."""
    image_timeout: float = 5.0
    images_max_bytes: int = 2_000_000_000
    """How much is kept of pictures that were fetched or drawn; the longest unused goes first."""

    media_server_url: str = ""
    """The media server whose accounts may sign in here, whatever `registration` says. Its
    administrators are administrators here. Empty means that nobody signs in so."""
    media_server_kind: str = "jellyfin"
    """What it is: `jellyfin` or `emby`."""
    media_server_api_key: str = ""
    """A key of it, by which playlists are written there, and what is unwatched here is there too;
    empty means that neither is done."""
    media_server_timeout: float = 5.0
    """The longest that it may take to look at a password. To list what it has may take six times
    as long."""
    allow_passwordless_login: bool = False
    """Whether accounts of the media server that have no password there may sign in without one."""

    trakt_client_id: str = ""
    """Of an application at https://trakt.tv/oauth/applications whose redirect URI is
    `/trakt/callback` of the web application; empty means that nobody connects an account there."""
    trakt_client_secret: str = ""
    trakt_base_url: str = "https://api.trakt.tv"
    trakt_web_url: str = "https://trakt.tv"
    """Where people give leave."""
    trakt_timeout: float = 5.0
    """The longest that one answer may take."""

    smtp_host: str = ""
    """The server that takes our mail; empty means that mail is kept in the folder `mailbox` of
    `marquee_data`, where `marquee mail` shows it."""
    smtp_port: int = 587
    smtp_username: str = ""
    smtp_password: str = ""
    smtp_tls: str = "starttls"
    """`starttls`, `tls` from the first byte (port 465), or `none`, which excludes a password. The
    server's certificate must hold; `SSL_CERT_FILE` names a private authority."""
    smtp_timeout: float = 10.0
    """The longest wait for each of the server's answers; a message may take six times as long."""
    mail_from: str = ""
    """Whom mail comes from: `Marquee <no-reply@example.org>`."""

    storage_url: str = ""
    """Where files are kept: `s3://bucket` or `s3://bucket/prefix`; empty means the folder `files`
    of `marquee_data`, which all processes must share."""
    storage_timeout: float = 10.0
    """The longest that one attempt to store or read a file may take; three are made."""
    s3_endpoint_url: str = ""
    """Of a store other than Amazon's, e.g. `https://s3.example.org`."""
    s3_region: str = "us-east-1"
    s3_access_key_id: str = ""
    """Empty means that the key is found as Amazon's tools find it, e.g. by the machine's role."""
    s3_secret_access_key: str = ""

    embeddings_url: str = ""
    """A service that speaks OpenAI's `/embeddings` below this address, e.g.
    `https://api.openai.com/v1`; empty means the model that Marquee brings along."""
    embeddings_api_key: str = ""
    embeddings_model: str = "text-embedding-3-small"
    """Its model. After a change all titles are embedded again; until then similar titles are found
    by the old vectors, and descriptions by words."""
    embeddings_timeout: float = 30.0
    """The longest that one answer may take. Who searches waits for a second at the most."""
    vector_index_bytes: int = 2 * 2**30
    """Memory that PostgreSQL may take while it builds an index of vectors: 2,000 bytes for each of
    them, of a million titles 2 GB. With less it takes many times as long."""

    text_url: str = ""
    """A service that speaks OpenAI's `/chat/completions` below this address, e.g.
    `https://api.openai.com/v1` or `http://localhost:11434/v1`: it writes what people read, such as
    the words for their taste. It is told what a text is about, and not who it is for. Empty means
    the narrator that Marquee brings along."""
    text_api_key: str = ""
    text_model: str = "gpt-4o-mini"
    text_timeout: float = 60.0
    """The longest that one text may take, with a second and a third attempt; of that, it may be
    silent for 20 seconds at a time."""

    search_url: str = ""
    """A Meilisearch of one's own, 1.36 or later, e.g. `http://127.0.0.1:7700`, that all machines
    search; empty means the index that Marquee keeps on each machine."""
    search_api_key: str = ""
    """Its key: one that may do everything with the indexes whose names begin with `search_index`,
    and see the tasks."""
    search_index: str = "marquee"
    """The name of its index; one for each database."""
    search_timeout: float = 2.0
    """The longest that a search may take there."""

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

    @property
    def mailbox(self) -> Path:
        """The folder of the mail that is kept where no `SMTP_HOST` takes it."""
        return self.marquee_data / "mailbox"

    @property
    def server_address(self) -> str:
        """Where clients find the server: `PUBLIC_URL`, else the place where it listens."""
        return self.public_url.rstrip("/") or listening_at(self.host, self.port)

    @property
    def app_address(self) -> str:
        """Where people find the web application."""
        return self.app_url.rstrip("/") or self.server_address


def listening_at(host: str, port: int) -> str:
    """The address by which a client on this machine finds a server that listens on `host`."""
    host = reachable_host(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable_host(host: str) -> str:
    """Where a client on this machine finds a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not listened on


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
        shown = variable if variable in SECRET else f"{variable}={text!r}"
        raise BadSetting(f"{shown} is not {words}.")
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
