"""The data file, and changes from many threads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from piste.app.main import app
from piste.test.constants import CLOSED_LIFT, UNREACHABLE_PISTE

DATA = Path(__file__).parents[1] / "data" / "area.json"


@pytest.mark.usefixtures("client")
def test_refuses_lost_pistes(tmp_path: Path) -> None:
    """A data file in which a piste has no lift is refused, with the names of both."""
    from piste.app.area import load

    content = json.loads(DATA.read_text(encoding="utf-8"))
    content["pistes"][0]["lift"] = "nowhere"
    path = tmp_path / "area.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="'marmottes' has no lift: there is no 'nowhere'"):
        load(path)


@pytest.mark.usefixtures("client")
def test_refuses_wrong_data(tmp_path: Path) -> None:
    """A data file that lacks something is refused."""
    from piste.app.area import load

    path = tmp_path / "area.json"
    path.write_text('{"name": "Nowhere", "lifts": []}', encoding="utf-8")
    with pytest.raises(msgspec.ValidationError, match="missing required field `pistes`"):
        load(path)


@pytest.mark.usefixtures("client")
def test_rule_holds_under_threads() -> None:
    """However lift and piste are switched at once, no piste is open on a closed lift."""
    from piste.app.area import area

    def switch(number: int) -> bool:
        place = f"/pistes/{UNREACHABLE_PISTE}" if number % 2 else f"/lifts/{CLOSED_LIFT}"
        app.test_client().patch(place, json={"open": number % 3 != 0})
        with area.lock:
            return area.lifts[CLOSED_LIFT].open or not area.pistes[UNREACHABLE_PISTE].open

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(switch, range(200)))
