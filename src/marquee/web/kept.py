"""Answers that are the same for all who may have them, kept by the process until what they tell of
changes (`x-cache: {scope: private, until: titles}`).

`titles` stands for PostgreSQL's channel `marquee_titles`: a notice on it ends them all, and nothing
is kept while notices are not heard (`marquee.remembered`). Whether the caller may have an answer
has been decided before. Parameters of the query that make an answer the caller's own, unless they
have their default, stand in `unless`; what it depends on beside the database, in `stamp`.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import cache

from marquee.remembered import Remembered
from marquee.web.answers import Answer
from marquee.web.caching import answer_key
from marquee.web.plan import Plan
from marquee.web.request import Request

HEADERS = 500
"""Bytes that an answer weighs beside its body."""
_stamps: dict[str, Callable[[], Hashable | None]] = {}


@cache
def until(channel: str) -> Remembered[Answer]:
    """What is kept until a notice comes on this channel."""
    return Remembered(f"marquee_{channel}")


def add_stamp(name: str, stamp: Callable[[], Hashable | None]) -> None:
    """Say by what answers with this `stamp` differ too; None while they cannot be kept."""
    _stamps[name] = stamp


def answer(
    plan: Plan, request: Request, arguments: Mapping[str, object], make: Callable[[], Answer]
) -> Answer:
    """The answer that is kept, else what `make` makes, once for all who ask."""
    rule = plan.kept
    stamp = _stamps[rule.stamp]() if rule.stamp else ""
    usual = plan.parameters.query.defaults if rule.unless else {}
    own = any(arguments.get(name) != usual.get(name) for name in rule.unless)
    if own or stamp is None:
        return make()
    found = until(rule.until).find((stamp, answer_key(plan, request)), make, _weight)
    return replace(found, headers=list(found.headers))


def _weight(kept: Answer) -> int:
    return len(kept.body) + HEADERS
