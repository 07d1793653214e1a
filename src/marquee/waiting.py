"""Where nothing may be waited for: the event loop, on which one wait stops all requests.

What needs no database, no lock and no outside service is answered there at once, which saves the
way to a handler thread and back: two thirds of what a small answer costs.
"""

import threading


class WouldWait(BaseException):
    """What was asked for has to be waited for: ask again in a thread.

    No `Exception`, so that nobody takes it for an error.
    """


class _Thread(threading.local):
    hurries = False


_thread = _Thread()


class Hurry:
    """What runs inside must not wait; whatever would raises WouldWait. A class costs less than a
    generator.
    """

    def __enter__(self) -> None:
        """Begin."""
        _thread.hurries = True

    def __exit__(self, *_: object) -> None:
        """End, whatever happened."""
        _thread.hurries = False


def may_wait() -> None:
    """Called before whatever waits. Raises WouldWait where nothing may."""
    if _thread.hurries:
        raise WouldWait
