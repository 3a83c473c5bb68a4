"""The sources and their order."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest

from buttress.config import instance_folder
from tests.config.conftest import Shop

SOURCES = [
    "presets", "PORT", "defaults", "settings", "instance", "named", "dotenv", "environment",
    "config", "command line",
]  # fmt: skip


def give(shop: Shop, source: str, value: int) -> dict[str, object]:
    """Set the port in one source; what `load` needs for it is returned."""
    match source:
        case "PORT":
            shop.environ["PORT"] = str(value)
        case "defaults" | "settings":
            shop.write(f"shop/{source}.py", f"PORT = {value}\n")
        case "instance":
            shop.write("instance/config.py", f"PORT = {value}\n")
        case "named":
            shop.name("shop.ini", f"[serving]\nport = {value}\n")
        case "dotenv":
            shop.write(".env", f"SHOP_PORT={value}\n")
        case "environment":
            shop.environ["SHOP_PORT"] = str(value)
    options = {"presets": "presets", "config": "arguments", "command line": "command_line"}
    return {options[source]: {"PORT": value}} if source in options else {}


@pytest.mark.parametrize(("weaker", "stronger"), [*pairwise(SOURCES)])
def test_a_later_source_wins_over_its_neighbour(shop, weaker, stronger):
    """Of two neighbouring sources the later one counts."""
    options = {**give(shop, weaker, 1), **give(shop, stronger, 2)}
    shop.environ["SHOP_MODE"] = "development"
    assert shop.load(**options).settings.serving.port == 2


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_wins_over_the_typed_default(shop, source):
    """Each source alone sets the value."""
    options = give(shop, source, 2)
    shop.environ["SHOP_MODE"] = "development"
    assert shop.load(**options).settings.serving.port == 2


@pytest.mark.parametrize("source", SOURCES[2:])
def test_the_bare_port_counts_only_where_nothing_names_a_port(shop, source):
    """A platform's PORT gives way to every source, even when it is wrong."""
    options = give(shop, source, 2)
    shop.environ |= {"SHOP_MODE": "development", "PORT": "nonsense"}
    assert shop.load(**options).settings.serving.port == 2


def test_the_bare_port_is_checked_where_it_counts(shop):
    """A PORT that is no number is told; one of Kubernetes is ignored."""
    shop.environ["PORT"] = "nonsense"
    assert shop.problems()[0].startswith("environment PORT: PORT is 'nonsense'")
    shop.environ["PORT"] = "tcp://10.0.0.1:80"
    assert shop.load().settings.serving.port == 8000


def test_the_bare_port_may_stand_in_a_dotenv_file(shop):
    """A developer's file can play the platform; the real variable is stronger."""
    shop.write(".env", "PORT=9000\n")
    assert shop.load({"MODE": "development"}).settings.serving.port == 9000
    shop.environ["PORT"] = "9001"
    assert shop.load({"MODE": "development"}).settings.serving.port == 9001


def test_the_bare_port_needs_a_server(shop):
    """A service without a section for serving has no port."""
    shop.sections = ()
    shop.environ["PORT"] = "9000"
    assert "PORT" not in shop.load().values


def test_facade_and_config_are_one_source(shop):
    """A parameter of a façade counts like config=, and the two may not disagree."""
    assert shop.load(facade={"PORT": 5}).settings.serving.port == 5
    assert shop.load({"PORT": 5}, facade={"PORT": 5}).settings.serving.port == 5
    assert shop.problems({"PORT": 5}, facade={"PORT": 6}) == (
        "PORT in config= and PORT in the argument for PORT are both PORT but differ; "
        "keep one of them",
    )


@pytest.mark.parametrize("suffix", ["py", "toml", "ini", "conf"])
def test_the_named_file_may_be_of_every_kind(shop, suffix):
    """The suffix decides how the file is read."""
    ini = suffix in ("ini", "conf")
    shop.name(f"shop.{suffix}", "[cache]\nttl = 7\n" if ini else "CACHE_TTL = 7\n")
    assert shop.load().settings.cache.ttl == 7


def test_app_settings_names_a_file_too(shop):
    """The variable of backend_common works as well."""
    shop.environ["APP_SETTINGS"] = str(shop.write("prod.py", "CACHE_TTL = 7\n"))
    assert shop.load().settings.cache.ttl == 7


def test_two_named_files_are_refused(shop):
    """Only one of the two variables may be set."""
    shop.name("shop.ini", "")
    shop.environ["APP_SETTINGS"] = "prod.py"
    assert shop.problems() == (
        "SHOP_CONFIG and APP_SETTINGS are both set; keep one of them",
        "APP_SETTINGS names prod.py, but there is no such file",
    )


def test_a_named_file_that_is_missing_is_refused(shop):
    """The variable and the path are named; an empty variable names nothing."""
    shop.environ["SHOP_CONFIG"] = "none.ini"
    assert shop.problems() == ("SHOP_CONFIG names none.ini, but there is no such file",)
    shop.environ["SHOP_CONFIG"] = ""
    assert shop.load().settings.serving.port == 8000


def test_the_instance_folder_can_be_moved(tmp_path):
    """The caller's folder wins over the variable's, and both become absolute."""
    environ = {"MY_SHOP_INSTANCE_PATH": str(tmp_path)}
    assert instance_folder("my.shop", environ=environ) == str(tmp_path)
    assert instance_folder("my.shop", "/srv", environ=environ) == "/srv"
    assert instance_folder("my.shop", environ={}) is None


def test_a_moved_instance_folder_must_exist(shop):
    """The sentence names the variable."""
    shop.environ["SHOP_INSTANCE_PATH"] = str(shop.folder / "instance")
    assert shop.problems() == ("SHOP_INSTANCE_PATH names instance, which is no folder",)
    shop.write("instance/config.py", "CACHE_TTL = 7\n")
    assert shop.load().settings.cache.ttl == 7


def test_a_package_within_a_package_has_its_own_variables(shop):
    """Dots of the name are underscores in variables, and files are in its own folder."""
    (shop.folder / "my" / "shop").mkdir(parents=True)
    shop.package, shop.prefix = "my.shop", "my.shop"
    shop.write("my/shop/settings.py", "CACHE_URL = 'own'\nNAME = __name__\n")
    shop.environ["MY_SHOP_CONFIG"] = str(shop.write("a.toml", "CACHE_TTL = 7\n"))
    shop.environ["MY_SHOP_PORT"] = "9"
    configuration = shop.load()
    cache = configuration.settings.cache
    assert (cache.url, cache.ttl) == ("own", 7)
    assert configuration.values["NAME"] == "my.shop.settings"
    assert configuration.settings.serving.port == 9


def test_every_source_is_read_before_anything_is_refused(shop):
    """The mistakes of all sources come together."""
    shop.write("shop/settings.py", "CACHE_TTL = 'x'\n")
    shop.write("instance/config.py", "(\n")
    shop.name("shop.ini", "[cache]\nurl = ${NOPE}\nulr = 1\n")
    shop.environ["SHOP_PORT"] = "x"
    found = shop.problems({"CACHE_RATIO": "x"}, command_line={"LOG_LEVEL": 5})
    assert [problem.split(": ")[0] for problem in found] == [
        "instance/config.py:1 is not valid Python",
        "shop.ini:2",
        "shop/settings.py:1",
        "shop.ini:3",
        "environment SHOP_PORT",
        "config=",
        "command line --log-level",
    ]


def test_an_instance_folder_that_is_a_file_is_told(shop):
    """What stands in the way of the file is a mistake, not a file that is missing."""
    (shop.folder / "instance").write_text("")
    assert shop.problems() == ("instance/config.py cannot be read: Not a directory",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_an_instance_folder_that_is_closed_is_told(shop):
    """A folder that may not be looked into is a mistake, not a file that is missing."""
    shop.write("instance/config.py", "CACHE_TTL = 7\n").parent.chmod(0)
    try:
        assert shop.problems() == ("instance/config.py cannot be read: Permission denied",)
    finally:
        (shop.folder / "instance").chmod(0o700)
