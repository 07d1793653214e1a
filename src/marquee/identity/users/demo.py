"""The two accounts of the demo, whose passwords and API keys everybody knows."""

from hashlib import sha256

from sqlalchemy import Connection, func, insert, select, text

from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth import passwords
from marquee.identity.users.models import Role, User, UserRole

ADMIN, CASEY = 1, 2
ACCOUNTS = (
    {
        "id": ADMIN,
        "username": "admin",
        "email": "admin@example.org",
        "display_name": "Administrator",
        "password": "marquee-admin",
        "role": "admin",
        "key": "abcdef1234567890",
        "scopes": ["read", "write", "admin"],
    },
    {
        "id": CASEY,
        "username": "casey",
        "email": "casey@example.org",
        "display_name": "Casey",
        "password": "marquee-casey",
        "role": "user",
        "key": "1234567890",
        "scopes": ["read", "write"],
    },
)
KEY_PREFIX = 4
"""Characters of a key that are stored, so that its owner tells it from others."""


def create_demo_accounts(connection: Connection) -> bool:
    """Make `admin` (id 1) and `casey` (id 2), each with an API key, if there are no users at all.

    Returns whether they were made; the caller commits. Raises LookupError if the migrations have
    not made the roles. Never for a server that strangers can reach: the caller sees to that.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('demo accounts', 0))"))
    if connection.scalar(select(User.id).limit(1)) is not None:
        return False
    roles = {row.name: row.id for row in connection.execute(select(Role.name, Role.id))}
    for account in ACCOUNTS:
        if account["role"] not in roles:
            raise LookupError(
                f"There is no role {account['role']}: has the database been migrated?"
            )
        password, key = str(account["password"]), str(account["key"])
        connection.execute(
            insert(User).values(
                **{name: account[name] for name in ("id", "username", "email", "display_name")},
                password_hash=passwords.hashed(password),
                email_verified=True,
            )
        )
        connection.execute(
            insert(UserRole).values(user_id=account["id"], role_id=roles[str(account["role"])])
        )
        connection.execute(
            insert(ApiKey).values(
                user_id=account["id"],
                name="Demo",
                description="The key of the demo. It is in the README for everybody to read.",
                key_prefix=key[:KEY_PREFIX],
                digest=sha256(key.encode()).digest(),
                scopes=account["scopes"],
            )
        )
    sequence = func.pg_get_serial_sequence("users", "id")
    # A sequence never goes back: ids that other users had, before they were deleted, stay theirs.
    connection.execute(select(func.setval(sequence, func.greatest(func.nextval(sequence), CASEY))))
    return True
