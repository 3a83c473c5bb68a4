"""`Config`, an ini file on its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.config import VAULT, Config, NoSuchOption
from buttress.errors import ConfigError

KEYEXCHANGE = """\
[DEFAULT]
extends = common.conf

[keyexchange]
max_gets = 10
root_redirect = "https://services.mozilla.com"
use_memory = False
ttl = 300 ; seconds
cache_servers =
    127.0.0.1:11211
cid_len: 4

[filtering]
use = true

[host:node0]
keyexchange.ttl = 60
storage.sqluri = sqlite:///node0.db
filtering = ignored

[host:node1]
keyexchange.ttl = 90
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Give the example of the Services document."""
    (tmp_path / "common.conf").write_text("[cef]\nuse = true\n")
    (tmp_path / "keyexchange.conf").write_text(KEYEXCHANGE)
    return Config(tmp_path / "keyexchange.conf")


def test_sections_are_listed_in_order(config):
    """Defaults and overrides are no sections."""
    assert config.sections() == ["keyexchange", "filtering", "cef"]


def test_items_have_the_types_of_the_document(config):
    """The example of the Services document reads as it shows."""
    expected = [
        ("max_gets", 10),
        ("root_redirect", "https://services.mozilla.com"),
        ("use_memory", False),
        ("ttl", 300),
        ("cache_servers", ["127.0.0.1:11211"]),
        ("cid_len", 4),
    ]
    assert config.items("keyexchange") == expected
    assert [type(v) for _, v in config.items("keyexchange")] == [type(v) for _, v in expected]


def test_get_gives_a_typed_value(config):
    """An option is found by section and key, in any case."""
    assert config.get("keyexchange", "cid_len") == 4
    assert config.get("keyexchange", "CID_LEN") == 4


def test_get_gives_the_default_for_what_is_missing(config):
    """A default stands in for an option or a section, also when it is None."""
    assert config.get("keyexchange", "nope", None) is None
    assert config.get("nope", "nope", 7) == 7


def test_a_missing_option_is_told_with_its_neighbour(config):
    """The error is a KeyError that reads as a sentence."""
    with pytest.raises(KeyError) as caught:
        config.get("keyexchange", "cid_length")
    assert isinstance(caught.value, NoSuchOption)
    assert str(caught.value).endswith(
        "keyexchange.conf has no option 'cid_length'; did you mean cid_len?"
    )


def test_a_missing_section_is_told_with_its_neighbour(config):
    """Items of an unknown section are refused with the nearest name."""
    with pytest.raises(NoSuchOption, match=r"no section \[keyexchang\]; did you mean keyexchange"):
        config.items("keyexchang")


def test_a_section_is_a_mapping_that_cannot_be_changed(config):
    """Options can be looked up in their section."""
    assert config["keyexchange"]["cid_len"] == 4
    assert "keyexchange" in config
    assert "host:node0" not in config
    with pytest.raises(TypeError):
        config["keyexchange"]["cid_len"] = 5


def test_merge_gives_a_view_with_the_overrides_of_a_host(config):
    """Dotted options override, add sections, and those without a dot are ignored."""
    merged = config.merge("host:node0")
    assert merged.get("keyexchange", "ttl") == 60
    assert merged.get("storage", "sqluri") == "sqlite:///node0.db"
    assert merged.items("filtering") == [("use", True)]


def test_merge_leaves_the_original_alone(config):
    """A view is another object, and making many of them keeps nothing."""
    config.merge("host:node0")
    assert config.get("keyexchange", "ttl") == 300
    assert "storage" not in config
    assert set(Config.__slots__) == {"_overrides", "_sections", "path"}


def test_the_last_of_several_overrides_wins(config):
    """Overrides apply in order, and a view can be merged again."""
    assert config.merge("host:node0", "host:node1").get("keyexchange", "ttl") == 90
    assert config.merge("host:node1").merge("host:node0").get("keyexchange", "ttl") == 60


def test_an_unknown_override_changes_nothing(config):
    """A host that the file does not name has no overrides."""
    assert config.merge("host:evil").items("keyexchange") == config.items("keyexchange")
    assert config.overrides() == ["host:node0", "host:node1"]


def test_a_missing_file_is_refused(tmp_path):
    """The error names the file."""
    with pytest.raises(ConfigError, match=r"there is no configuration file .*none\.conf"):
        Config(tmp_path / "none.conf")


def test_variables_come_from_the_environment_and_the_vault(tmp_path, monkeypatch):
    """A secret that was taken out of the environment can still be read."""
    (tmp_path / "a.ini").write_text("[s]\na = ${READER_A}${READER_B}\n")
    monkeypatch.setenv("READER_A", "x")
    VAULT.take("READER_B", {"READER_B": "y"})
    try:
        assert Config(tmp_path / "a.ini").get("s", "a") == "xy"
    finally:
        VAULT.clear()


def test_the_environment_may_be_given(tmp_path):
    """A caller may choose where variables come from."""
    (tmp_path / "a.ini").write_text("[s]\na = ${READER_A}\n")
    assert Config(tmp_path / "a.ini", environ={"READER_A": "3"}).get("s", "a") == 3
