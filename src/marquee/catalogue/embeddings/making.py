"""Making the vectors of titles, a batch after the other.

What has not changed since its vector was made is passed over. Each batch is written by itself, so
that a run that ends early has done something, and the next one goes on.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee.catalogue.embeddings import indexes, vectors
from marquee.catalogue.embeddings.kinds import MOVIES, TVSHOWS, Kind
from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.embeddings.texts import Content, content_of
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.db import rows, session, transaction
from marquee.progress import Progress
from marquee.services import embeddings

BATCH = 100
JOBS_TOLD = (Job.DIRECTOR, Job.CREATOR, Job.ACTOR)
LONGEST_WRITING = timedelta(hours=1)
"""A title's `updated_at` is when the transaction began that is seen when it has ended: what changed
so long before it was read is looked at once more, which costs a hash.
"""
MOST_BILLED = 5
"""Of actors, those up to this position are read."""


def make(kind: Kind, progress: Progress) -> dict[str, int]:
    """Embed the titles of a kind that have no vector of the present model, or have changed.

    Raises Unavailable and TimedOut where the embedder does not serve.
    """
    embedder = embeddings.current()
    model = embeddings.model_of(embedder, embedder.encode(["film"]))
    progress.plan(2)
    with transaction():
        waiting = session.scalar(_waiting(kind), {"model": model})
    progress.step(f"Vectors by {model}", waiting)
    made = passed = 0
    for titles, people in _batches(kind, model):
        contents = {each.id: content_of(each, people[each.id]) for each in titles}
        changed = [each for each in titles if contents[each.id].digest != each.content_hash]
        found = _embedded(embedder, [contents[each.id] for each in changed])
        read_at: datetime = titles[0].read_at
        with transaction():
            written = _write(kind, model, read_at, contents, dict(_paired(changed, found)))
            _confirm(kind, model, read_at, [each.id for each in titles])
        made, passed = made + written, passed + len(titles) - len(changed)
        progress.advance(len(titles), titles[-1].title)
    progress.step("Index")
    indexes.ensure(kind, model, progress.log)
    return {"embedded": made, "unchanged": passed}


def remove_others(progress: Progress) -> dict[str, int]:
    """Remove the vectors of all models but the present one."""
    embedder = embeddings.current()
    model = embeddings.model_of(embedder, embedder.encode(["film"]))
    with transaction():
        query = select(Embedding.model).where(Embedding.model != model).distinct()
        others = session.scalars(query).all()
    progress.plan(1)
    progress.step("Vectors of other models", len(others))
    removed = 0
    for other in others:
        for kind in (MOVIES, TVSHOWS):
            indexes.drop(kind, other)
        removed += _remove(other, progress)
        progress.advance(1, other)
    return {"models": len(others), "removed": removed}


def _remove(model: str, progress: Progress) -> int:
    removed = 0
    some = select(Embedding.id).where(Embedding.model == model).limit(BATCH * 100)
    while True:
        progress.check()
        with transaction():
            gone = session.scalars(
                delete(Embedding).where(Embedding.id.in_(some)).returning(Embedding.id)
            ).all()
        if not gone:
            return removed
        removed += len(gone)


def _batches(
    kind: Kind, model: str
) -> Iterator[tuple[Sequence[Row[Any]], dict[int, list[Row[Any]]]]]:
    """The titles to look at, in the order of their ids, with their people."""
    after = 0
    while True:
        people: dict[int, list[Row[Any]]] = defaultdict(list)
        with transaction():
            titles = rows(_next(kind), {"after": after, "model": model})
            for each in rows(_people(kind), {"ids": [title.id for title in titles]}):
                people[each.title_id].append(each)
        if not titles:
            return
        yield titles, people
        after = titles[-1].id


def _embedded(
    embedder: embeddings.Embedder, contents: Sequence[Content]
) -> list[tuple[embeddings.Floats, bytes]]:
    """Whole vectors and passages of contents, all of whose texts are embedded together."""
    if not contents:
        return []
    texts = [text for each in contents for text in (each.text, *each.passages)]
    made = embedder.encode(texts)
    ends = accumulate((1 + len(each.passages) for each in contents), initial=0)
    parts = [made[start:end] for start, end in pairwise(ends)]
    return [
        (vectors.whole(part[0], each.genres), vectors.packed(part[1:]))
        for part, each in zip(parts, contents, strict=True)
    ]


def _paired(
    titles: Sequence[Row[Any]], found: Sequence[tuple[embeddings.Floats, bytes]]
) -> Iterator[tuple[int, tuple[embeddings.Floats, bytes]]]:
    return zip((each.id for each in titles), found, strict=True)


def _write(
    kind: Kind,
    model: str,
    read_at: datetime,
    contents: dict[int, Content],
    made: dict[int, tuple[embeddings.Floats, bytes]],
) -> int:
    """Store what was made of the titles that are still there; of how many."""
    here = select(kind.model.id).where(kind.model.id.in_(made)).order_by(kind.model.id)
    alive = session.scalars(here.with_for_update(read=True, key_share=True)).all()
    values = [
        {
            kind.column: id_,
            "model": model,
            "content_hash": contents[id_].digest,
            "vector": np.asarray(made[id_][0]),
            "passages": made[id_][1],
            "embedded_at": read_at,
        }
        for id_ in alive
    ]
    if values:
        new = insert(Embedding).values(values)
        changed = ("content_hash", "vector", "passages", "embedded_at")
        session.execute(
            new.on_conflict_do_update(
                index_elements=[kind.column, "model"],
                index_where=kind.embedded.is_not(None),
                set_={name: new.excluded[name] for name in changed},
            )
        )
    return len(values)


def _confirm(kind: Kind, model: str, read_at: datetime, ids: Sequence[int]) -> None:
    """Their vectors are those of what was read then."""
    these = and_(kind.embedded.in_(ids), Embedding.model == model)
    session.execute(
        update(Embedding).where(these, Embedding.embedded_at < read_at).values(embedded_at=read_at)
    )


@cache
def _pending(kind: Kind) -> Select[Any]:
    """Titles without a vector, or that were changed since it was made."""
    title = kind.model
    ours = and_(kind.embedded == title.id, Embedding.model == bindparam("model"))
    told: tuple[Any, ...] = (
        *(title.id, title.title, title.year, title.tagline, title.genres, title.age_rating),
        *(title.studios, title.overview, title.keywords, title.countries, title.awards_summary),
        *(Embedding.content_hash, func.now().label("read_at")),
    )
    changed = title.updated_at > Embedding.embedded_at - LONGEST_WRITING
    return select(*told).outerjoin(Embedding, ours).where(or_(Embedding.id.is_(None), changed))


@cache
def _waiting(kind: Kind) -> Select[Any]:
    return select(func.count()).select_from(_pending(kind).subquery())


@cache
def _next(kind: Kind) -> Select[Any]:
    after = kind.model.id > bindparam("after")
    return _pending(kind).where(after).order_by(kind.model.id).limit(BATCH)


@cache
def _people(kind: Kind) -> Select[Any]:
    """The people of titles that are told, in the order of billing."""
    billed = or_(Credit.job != Job.ACTOR, Credit.position < MOST_BILLED)
    return (
        select(kind.credited.label("title_id"), Credit.job, Person.name)
        .join(Person, Person.id == Credit.person_id)
        .where(kind.credited.in_(bindparam("ids", expanding=True)))
        .where(Credit.job.in_(JOBS_TOLD), billed)
        .order_by(Credit.position, Credit.id)
    )
