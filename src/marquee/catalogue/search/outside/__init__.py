"""Searching by a Meilisearch of one's own, where `SEARCH_URL` names one, in place of the index that
each machine keeps. It is followed and searched in the same words: titles are folded and plots
stemmed here, on both sides alike.
"""

from marquee import settings


def serves() -> bool:
    """Whether it is to be searched."""
    return bool(settings.current().search_url)
