"""All named jobs of the server."""

from marquee.errors import NotFound
from marquee.named_jobs import NamedJob
from marquee.operations.system import tasks as system

JOBS: dict[str, NamedJob] = {job.name: job for job in (*system.JOBS,)}
"""Every domain's, by name, in the order in which they are shown."""


def named(name: str) -> NamedJob:
    """The job of this name. Raises NotFound (JOB_NOT_FOUND)."""
    job = JOBS.get(name)
    if job is None:
        raise NotFound(f"There is no job {name}.", "JOB_NOT_FOUND")
    return job
