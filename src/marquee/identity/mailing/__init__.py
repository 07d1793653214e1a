"""Mail to the owners of accounts: it is asked for in a transaction, and a worker sends it."""

import secrets

from marquee import jobs
from marquee.identity.mailing.letters import Kind

TASK = "send-mail"


def send_soon(kind: Kind, user_id: int) -> None:
    """Send a user a mail of this kind once the present transaction is committed.

    An id that is nobody's, or by then is that of a disabled account or of one without an address,
    costs the same and sends nothing: the answer to a request need not tell whom we know.
    """
    jobs.defer(TASK, kind=kind, user_id=user_id, message_id=secrets.token_hex(16))
