"""The job that writes channels to the media server."""

from sqlalchemy.exc import OperationalError

from marquee.db import transaction
from marquee.errors import NotConfigured, Unavailable
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Progress
from marquee.services import media_server
from marquee.services.http import UpstreamNotFound
from marquee.taste.channels import syncing


def sync(progress: Progress, channel_id: int | None = None) -> dict[str, int]:
    """Write one channel, or all whose list has changed since they were written."""
    counted = {"channels": 0, "films": 0, "lacking": 0}
    try:
        server = media_server.library()
    except NotConfigured as refusal:
        progress.log(refusal.message, "warn")
        return counted
    with transaction():
        channels = syncing.due() if channel_id is None else [channel_id]
    progress.plan(1)
    progress.step("Channels", len(channels))
    for each in channels:
        try:
            written = syncing.sync(server, each, progress.check)
        except UpstreamNotFound:
            written = None
        if written is None:
            progress.log("Nothing was written: the account is gone.", "warn", channel=str(each))
        else:
            films, lacking = written
            counted["channels"] += 1
            counted["films"] += films
            counted["lacking"] += len(lacking)
            for title in lacking:
                progress.log("The media server lacks it.", channel=str(each), film=title)
        progress.advance()
    return counted


JOBS = (
    NamedJob(
        syncing.JOB,
        "Writes a channel's list to its owner's playlist on the media server; without a channel, "
        "the lists of all that have such a playlist and were generated since.",
        sync,
        Schedule.hourly(minute=50),
        patient_with=(Unavailable, OperationalError),
    ),
)
