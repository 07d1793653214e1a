"""All named jobs of the server."""

from marquee.catalogue.embeddings import tasks as embeddings
from marquee.catalogue.images import tasks as images
from marquee.catalogue.metadata import tasks as metadata
from marquee.catalogue.search import tasks as search
from marquee.errors import NotFound
from marquee.named_jobs import NamedJob
from marquee.operations.system import tasks as system
from marquee.taste.channels import tasks as channels
from marquee.taste.recommendations import tasks as recommendations
from marquee.taste.recommendations.quiz import tasks as quiz
from marquee.taste.recommending import tasks as recommending
from marquee.taste.top_picks import tasks as top_picks
from marquee.taste.trakt import tasks as trakt
from marquee.watching.watch_history import tasks as watch_history

JOBS: dict[str, NamedJob] = {
    job.name: job
    for job in (
        *system.JOBS,
        *images.JOBS,
        *metadata.JOBS,
        *search.JOBS,
        *embeddings.JOBS,
        *trakt.JOBS,
        *watch_history.JOBS,
        *top_picks.JOBS,
        *recommending.JOBS,
        *channels.JOBS,
        *recommendations.JOBS,
        *quiz.JOBS,
    )
}
"""Every domain's, by name, in the order in which they are shown."""


def named(name: str) -> NamedJob:
    """The job of this name. Raises NotFound (JOB_NOT_FOUND)."""
    job = JOBS.get(name)
    if job is None:
        raise NotFound(f"There is no job {name}.", "JOB_NOT_FOUND")
    return job
