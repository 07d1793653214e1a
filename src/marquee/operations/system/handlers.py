"""Handlers of openapi/operations/system.yaml."""

from typing import Any

from marquee import __version__, clock, settings
from marquee.errors import Unavailable
from marquee.operations.system import build, checks, cleanup
from marquee.progress import Progress
from marquee.web import metrics

ALIVE = {"status": "ok"}


def get_health() -> dict[str, Any]:
    states = checks.CHECKS.states()
    if "error" in states.values():
        raise checks.refusal(states)
    return {
        "status": "ok",
        "checks": states,
        "region": settings.current().region or None,
        "timestamp": clock.now(),
    }


def get_liveness() -> dict[str, str]:
    return ALIVE


def get_readiness() -> dict[str, str]:
    if checks.CHECKS.states()["postgres"] != "ok":
        raise Unavailable("The database cannot be reached.", "DATABASE_UNAVAILABLE", retry_after=1)
    return ALIVE


def get_startup() -> dict[str, str]:
    if not checks.migrated():
        raise Unavailable(
            "The database lacks migrations of this version.", "DATABASE_UNAVAILABLE", retry_after=1
        )
    return ALIVE


def get_build_info() -> dict[str, Any]:
    values, commit = settings.current(), build.commit()
    return {
        "app": "marquee",
        "version": __version__,
        "channel": values.build_channel,
        "commit_sha": commit,
        "commit_short_sha": commit and commit[:7],
        "branch": build.branch(),
        "environment": values.marquee_env,
        "base_url": values.server_address,
        "timestamp": clock.now(),
    }


def get_metrics() -> str:
    return metrics.exposition()


def run_cron_cleanup() -> dict[str, Any]:
    cleaned = cleanup.clean_up(Progress())
    return {"success": True, "cleaned": cleaned, "total": sum(cleaned.values())}
