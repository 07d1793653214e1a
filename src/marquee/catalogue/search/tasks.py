"""Jobs of the search index."""

from sqlalchemy.exc import OperationalError

from marquee.catalogue.search import reindexing
from marquee.named_jobs import NamedJob

NAME = "reindex-search"
JOBS = (
    NamedJob(
        NAME,
        "Builds the search index of every machine anew. They are searched as they are meanwhile.",
        reindexing.reindex,
        patient_with=(OperationalError,),
    ),
)
