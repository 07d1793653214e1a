"""The files of a film or of an episode."""

from sqlalchemy import null
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.files.models import MediaFile
from marquee.db import Rows, rows
from marquee.viewer import Viewer

Owner = InstrumentedAttribute[int | None]
"""`MediaFile.movie_id` or `MediaFile.episode_id`."""
MOST = 1_000
TOLD = [each for each in MediaFile.__table__.columns if each.key != "file_path"]


def files_of(viewer: Viewer, owner: Owner, owner_id: int) -> Rows:
    """The files of one film or of one episode; where they lie is told to administrators only."""
    path = MediaFile.file_path if viewer.administers() else null().label("file_path")
    visible = MediaFile.visible_to(viewer).with_only_columns(*TOLD, path)
    return rows(visible.where(owner == owner_id).order_by(MediaFile.id).limit(MOST))
