"""Handlers of openapi/catalogue/people.yaml."""

from marquee.catalogue.people.credits import credits_by
from marquee.catalogue.people.models import Person
from marquee.db import find
from marquee.viewer import Viewer
from marquee.web.paging import NumberedPage, numbered


def get_person(user: Viewer, person_id: int) -> Person:
    return find(Person.visible_to(user), person_id)


def list_person_credits(user: Viewer, person_id: int, page: int, page_size: int) -> NumberedPage:
    person = find(Person.visible_to(user), person_id)
    return numbered(**credits_by(person.id), page=page, page_size=page_size)
