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
    methods: frozenset[str] = frozenset()
    """Operations whose verb is one of those, by another method than its own."""
    parameters_without_example: frozenset[str] = frozenset()
    """Parameters, by name, of which no example could be a real value."""
    not_all_required: frozenset[str] = frozenset()
    """Schemas of answers with properties that may be missing."""
    property_names: frozenset[str] = frozenset()
    """Properties, as `Schema.name`, whose name a client has to change."""
    foreign_names: frozenset[str] = frozenset()
    """Properties, as `Schema.name`, that another standard has named, not in snake_case."""
    without_permission: frozenset[str] = frozenset()
    """Operations that every signed-in caller may call, whatever the role."""
    without_links: frozenset[str] = frozenset()
    """Operations that create what no other operation takes."""
    without_idempotency: frozenset[str] = frozenset()
    """POSTs that create, but may not be replayed."""
    without_audit: frozenset[str] = frozenset()
    """Those that only read, since their questions are too long for a URL, and what is said all the
    time."""


AGREED = Exceptions(
    verbs=frozenset(
        (
            "add",  # a policy: it has no id of its own
            "admin",  # admin_…: the administrator's form of an operation that users have too
            "assign",
            "autocomplete",
            "cancel",
            "change",
            "complete",
            "describe",  # an operation tells of another
            "disable",
            "disconnect",  # an account elsewhere
            "enable",
            "export",
            "forgot",
            "generate",
            "handle",  # handle_…_callback: others send their users here
            "link",
            "login",
            "logout",
            "mark",
            "patch",  # patch_…: where PUT, which is partial too, has other fields
            "rate",  # rate_…: one score for each title, made or changed
            "refresh",
            "proxy",  # hand on what another server has
            "regenerate",
            "reindex",  # an index is built anew
            "remove",
            "request",  # request_more_…: once more of the same
            "register",
            "resend",
            "reset",
            "resolve",  # many names at once
            "revoke",
            "run",  # run_…: do now what otherwise is done on a schedule
            "save",  # save_…: one or many, whether they were there or not
            "search",  # search_…: by words, where list_… has filters
            "setup",
            "start",
            "stream",
            "sync",  # two sides are brought to the same
            "unlink",
            "unwatch",
            "upload",
            "verify",
        )
    ),
    methods=frozenset(
        (
            "delete_account",  # it takes the password, and DELETE takes no body
            "list_more_tmdb_picks",  # its question, a whole quiz, is too long for a URL
            "update_movie_progress",  # players know it so; that of episodes is a PUT
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
    without_permission=frozenset(
        (
            "delete_account",  # everybody may go
            "logout",
        )
    ),
    without_links=frozenset(
        (
            "add_policy",  # a policy has no path of its own
            "create_recommendation_feedback",  # it is told with its recommendation
            "register",  # the new account is /users/me from then on
            "upload_avatar",  # there is one, without an id in its path
        )
    ),
    without_idempotency=frozenset(
        (
            "create_api_key",  # the store of answers would keep the key itself for a day
            "register",  # keys belong to users; a second registration finds the first
            "register_passkey",  # its challenge is good once
        )
    ),
    without_audit=frozenset(
        (
            "list_more_tmdb_picks",  # a whole quiz
            "resolve_movie_posters",  # fifty names at a time
            "update_episode_progress",  # a player says it every few seconds
            "update_movie_progress",
        )
    ),
    property_names=frozenset(
        ("InvalidValue.in",)  # OpenAPI's own word for the place of a parameter
    ),
    foreign_names=frozenset(
        (  # WebAuthn's, level 3: browsers read and write its JSON as it is
            "PasskeyAssertion.authenticatorAttachment",
            "PasskeyAssertion.clientExtensionResults",
            "PasskeyAssertion.rawId",
            "PasskeyAttestation.attestationObject",
            "PasskeyAttestation.authenticatorData",
            "PasskeyAttestation.clientDataJSON",
            "PasskeyAttestation.publicKey",
            "PasskeyAttestation.publicKeyAlgorithm",
            "PasskeyCreationOptions.authenticatorSelection",
            "PasskeyCreationOptions.excludeCredentials",
            "PasskeyCreationOptions.pubKeyCredParams",
            "PasskeyExtensions.credProps",
            "PasskeyRegistration.authenticatorAttachment",
            "PasskeyRegistration.clientExtensionResults",
            "PasskeyRegistration.rawId",
            "PasskeyRequestOptions.allowCredentials",
            "PasskeyRequestOptions.rpId",
            "PasskeyRequestOptions.userVerification",
            "PasskeySelection.requireResidentKey",
            "PasskeySelection.residentKey",
            "PasskeySelection.userVerification",
            "PasskeySignature.authenticatorData",
            "PasskeySignature.clientDataJSON",
            "PasskeySignature.userHandle",
            "PasskeyUser.displayName",
        )
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
