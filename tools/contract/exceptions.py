"""Where the contract may differ from its rules, and why. Compared exactly: one that is not needed
any more is a finding as well, so that the lists only shrink with the contract.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Exceptions:
    """What is allowed although a rule says otherwise."""

    verbs: frozenset[str] = frozenset()
    """First words of operationIds beside list, get, create, update, delete: the domain's own."""
    parameters_without_example: frozenset[str] = frozenset()
    """Parameters, by name, of which no example could be a real value."""
    not_all_required: frozenset[str] = frozenset()
    """Schemas of answers with properties that may be missing."""
    property_names: frozenset[str] = frozenset()
    """Properties, as `Schema.name`, whose name a client has to change."""
    without_permission: frozenset[str] = frozenset()
    """Operations that every signed-in caller may call, whatever the role."""
    without_links: frozenset[str] = frozenset()
    """Operations that create what no other operation takes."""
    without_idempotency: frozenset[str] = frozenset()
    """POSTs that create, but may not be replayed."""


AGREED = Exceptions(
    verbs=frozenset(
        (
            "admin",  # admin_…: the administrator's form of an operation that users have too
            "login",
            "run",  # run_…: do now what otherwise is done on a schedule
        )
    ),
    parameters_without_example=frozenset(
        ("cursor",)  # signed by the server that gave it: one written here could never be taken
    ),
    not_all_required=frozenset(
        (
            "ErrorBody",  # `details` belong to some codes only
            "ErrorDetails",  # each property belongs to codes of its own
        )
    ),
    property_names=frozenset(
        ("InvalidValue.in",)  # OpenAPI's own word for the place of a parameter
    ),
)


def compare(
    found: Collection[str], allowed: Collection[str], *, field: str, what: str
) -> Iterator[str]:
    """A finding for each that is not allowed (`what` says what to do, with `{}` for its name), and
    for each that is allowed for nothing.
    """
    for each in sorted(set(found) - set(allowed)):
        yield what.format(each)
    for each in sorted(set(allowed) - set(found)):
        yield f"{field} lists {each}, which needs no exception: remove it there."
