"""The secrets of monitoring and of cron. Each fails closed: without a secret nobody is let in."""

import hmac
from typing import Any

from marquee import settings
from marquee.errors import NotConfigured, NotFound


def metrics_token(token: str) -> dict[str, Any] | None:
    """The token of `METRICS_TOKEN`."""
    return {} if _equal(token, settings.current().metrics_token) else None


def cron_secret(token: str) -> dict[str, Any] | None:
    """The secret of `CRON_SECRET`."""
    return {} if _equal(token, settings.current().cron_secret) else None


def require_metrics() -> None:
    """Raise NotFound unless the figures are switched on."""
    if not settings.current().metrics_enabled:
        raise NotFound("The figures are switched off.")


def require_cron() -> None:
    """Raise NotConfigured unless there is a secret to know cron by."""
    if not settings.current().cron_secret:
        raise NotConfigured("CRON_SECRET is not set.", retry_after=3600)


def _equal(given: str, secret: str) -> bool:
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())
