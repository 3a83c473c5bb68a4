"""The tables, and changes from many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from buttress import Service
from piste.test.constants import CLOSED_LIFT, UNREACHABLE_PISTE

BROKEN = (
    "SELECT piste.id FROM piste JOIN lift ON lift.id = piste.lift "
    "WHERE piste.open AND NOT lift.open"
)


def test_refuses_lost_pistes(service: Service) -> None:
    """A piste without a lift is refused by the database."""
    with pytest.raises(IntegrityError):
        service.db.run("UPDATE piste SET lift = 'nowhere' WHERE id = 'glacier'")


def test_rule_holds_under_threads(service: Service, patrol: dict[str, str]) -> None:
    """However lift and piste are switched at once, no piste is open on a closed lift."""

    def switch(number: int) -> tuple[int, list[str]]:
        place = f"/pistes/{UNREACHABLE_PISTE}" if number % 2 else f"/lifts/{CLOSED_LIFT}"
        change = {"open": number % 3 != 0}
        answer = service.test_client().patch(place, json=change, headers=patrol)
        return answer.status_code, service.db.all(BROKEN)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(switch, range(200)))
    assert {status for status, _ in answers} == {200, 409}
    assert [broken for _, broken in answers if broken] == []
