"""An embedder that speaks OpenAI's `/v1/embeddings`, as OpenAI, vLLM, Ollama and others do:
https://platform.openai.com/docs/api-reference/embeddings.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from structlog.typing import FilteringBoundLogger

from marquee.services.fields import Fields, Malformed
from marquee.services.http import Timing, Upstream

MOST_TEXTS = 64
"""In one request."""
LONGEST = 8000
"""Characters of a text that are sent. OpenAI's models take 8,192 tokens, of several each."""
MOST_DIMENSIONS = 3900
"""What pgvector can index as halfvec, less the genres' own."""
LARGEST = 32 * 1024 * 1024
QUERY_TIMEOUT = 1.0
"""Seconds that somebody who searches waits for it."""


class RemoteEmbedder:
    """One model of one service, for all threads of a process."""

    def __init__(  # noqa: PLR0913 - what there is to say of it
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        *,
        timeout: float = 30.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """`base_url` ends before `/embeddings`, e.g. https://api.openai.com/v1; `timeout` is the
        longest that one answer may take, in seconds.
        """
        self.name = model
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

        def upstream(within: float) -> Upstream:
            return Upstream(
                "embeddings",
                base_url.rstrip("/"),
                connect_timeout=min(3.0, within),
                read_timeout=within,
                total_timeout=within,
                max_bytes=LARGEST,
                keep_bytes=0,
                headers=headers,
                secrets=(api_key,),
                timing=timing or Timing(),
                log=log or structlog.get_logger(),
            )

        self._upstream = upstream(timeout)
        self._waited_for = upstream(min(timeout, QUERY_TIMEOUT))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of length 1, a row for each text, by as many requests as that takes.

        Raises Unavailable and TimedOut.
        """
        starts = range(0, len(texts), MOST_TEXTS)
        parts = [self._asked(self._upstream, texts[at : at + MOST_TEXTS]) for at in starts]
        return np.concatenate(parts)

    def query(self, text: str) -> NDArray[np.float32]:
        """The vector of one text, within a second at the most. Raises Unavailable and TimedOut."""
        vector: NDArray[np.float32] = self._asked(self._waited_for, [text])[0]
        return vector

    def _asked(self, upstream: Upstream, texts: Sequence[str]) -> NDArray[np.float32]:
        # Empty text is refused by OpenAI, and one such text with it all the others.
        cut = [text[:LONGEST].strip() or "-" for text in texts]
        body = {"model": self.name, "input": cut, "encoding_format": "float"}

        def read(value: object) -> NDArray[np.float32]:
            return _vectors(value, len(cut))

        return upstream.request("POST", "/embeddings", body=body, read=read)


def _vectors(value: object, count: int) -> NDArray[np.float32]:
    """The vectors of an answer, in the order of their `index`. Raises Malformed."""
    items = Fields(value, "answer").items("data")
    if len(items) != count:
        raise Malformed(f"answer.data has {len(items)} vectors of {count}")
    found: dict[int, Any] = {}
    for place, item in enumerate(items):
        fields = Fields(item, f"answer.data[{place}]")
        found[fields.count("index")] = fields.items("embedding")
    if sorted(found) != list(range(count)):
        raise Malformed("answer.data has not each index once")
    try:
        rows = np.array([found[index] for index in range(count)], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise Malformed("answer.data has not numbers, or vectors of several lengths") from error
    if rows.ndim != 2 or not 1 <= rows.shape[1] <= MOST_DIMENSIONS:  # noqa: PLR2004
        raise Malformed(f"answer.data has not vectors of 1 to {MOST_DIMENSIONS} numbers")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise Malformed("answer.data has a vector without a direction")
    unit: NDArray[np.float32] = rows / lengths
    return unit
