"""Work that several ask for at once, done by the first of them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """What is being made in this process, by name."""

    def __init__(self) -> None:
        self._flying: dict[str, Future[T]] = {}
        self._lock = threading.Lock()

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returns or raises; who comes while another makes it waits for that."""
        with self._lock:
            flying = self._flying.get(name)
            ours = flying is None
            if flying is None:
                flying = self._flying[name] = Future()
        if not ours:
            return flying.result()
        try:
            flying.set_result(make())
        except BaseException as error:
            flying.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._flying[name]
        return flying.result()
