"""Provenance."""

from __future__ import annotations

from buttress.config import Row, Secret
from tests.config.sections import GOOD, OTHER


def test_a_row_masks_what_it_shows():
    """Neither the display nor the representation of a row has the secret."""
    row = Row("SECRET_KEY", Secret(GOOD), "default")
    assert row.shown == "'********'"
    assert repr(row) == "<Row SECRET_KEY='********' from default>"


def test_every_setting_has_a_row(shop):
    """The report has declared keys, Flask's and the application's own."""
    rows = {row.key: row for row in shop.load({"GREETING": "hello"}).rows}
    assert rows["GREETING"].origin == "config="
    assert rows["CACHE_TTL"].origin == "default"
    assert rows["MODE"].value == "production"
    assert rows["DEBUG"].origin == "MODE=production"


def test_a_row_tells_what_it_overrode(shop):
    """Weaker sources are listed, the strongest of them first."""
    shop.write("shop/settings.py", "\nCACHE_TTL = 1\n")
    shop.name("etc/shop.ini", "[cache]\nttl = 2\n")
    shop.environ["SHOP_CACHE_TTL"] = "3"
    configuration = shop.load({"CACHE_TTL": 4}, command_line={"CACHE_TTL": 5})
    (row,) = [row for row in configuration.rows if row.key == "CACHE_TTL"]
    assert (row.value, row.origin) == (5, "command line --cache-ttl")
    assert row.overrode == (
        "config=",
        "environment SHOP_CACHE_TTL",
        "etc/shop.ini:2",
        "shop/settings.py:2",
    )


def test_no_display_shows_a_secret(shop):
    """Rows, settings and the configuration itself keep secrets from every source."""
    shop.environ |= {"SHOP_SECRET_KEY": GOOD, "SHOP_SECRET_KEY_FALLBACKS": OTHER}
    configuration = shop.load({"CACHE_PASSWORD": "tulip", "OWN_TOKEN": "tulip"})
    shown = [repr(configuration), str(configuration.settings.flask), *map(repr, configuration.rows)]
    shown += [str(configuration.settings.cache), *(row.shown for row in configuration.rows)]
    assert not [text for text in shown if GOOD in text or OTHER in text or "tulip" in text]
