"""The environment as a source."""

from __future__ import annotations

import pytest

from buttress.config.environment import find_dotenv, variable_name
from tests.config.sections import GOOD, OTHER


@pytest.mark.parametrize(("name", "upper"), [("shop", "SHOP"), ("my.shop-x", "MY_SHOP_X")])
def test_variables_begin_with_a_name_in_upper_case(name, upper):
    """Dots and dashes become underscores."""
    assert variable_name(name) == upper


def test_a_declared_key_is_read_by_its_type(shop):
    """Typing follows the field and not the look of the text."""
    shop.environ |= {"SHOP_CACHE_TTL": "7", "SHOP_CACHE_URL": "007", "SHOP_CACHE_ENABLED": "no"}
    cache = shop.load().settings.cache
    assert (cache.ttl, cache.url, cache.enabled) == (7, "007", False)


def test_only_variables_with_the_prefix_are_read(shop):
    """The prefix may differ from the name and be given in lower case."""
    shop.prefix = "gnar"
    shop.environ |= {"GNAR_CACHE_TTL": "7", "SHOP_CACHE_TTL": "8", "GNARLY_X": "1"}
    configuration = shop.load()
    assert configuration.settings.cache.ttl == 7
    assert configuration.warnings == ()


def test_an_alias_is_read(shop):
    """A variable may use another spelling of the key."""
    shop.environ["SHOP_REDIS_URL"] = "redis://h"
    assert shop.load().settings.cache.url == "redis://h"


def test_an_undeclared_variable_is_kept_and_warned_of(shop):
    """The value is a string, and the nearest key is suggested."""
    shop.environ |= {"SHOP_CACHE_TLL": "7", "SHOP_GREETING": "hello"}
    configuration = shop.load()
    assert configuration.values["CACHE_TLL"] == "7"
    assert configuration.warnings == (
        "environment SHOP_CACHE_TLL: no extension of this application declares CACHE_TLL; "
        "did you mean CACHE_TTL?",
        "environment SHOP_GREETING: no extension of this application declares GREETING",
    )


def test_an_own_key_keeps_the_type_of_a_weaker_source(shop):
    """A variable that overrides a key of the application is converted and not warned of."""
    shop.write("shop/settings.py", "TABLES = 4\nOPEN = True\nNAMES = ['a']\n")
    shop.environ |= {"SHOP_TABLES": "6", "SHOP_OPEN": "no", "SHOP_NAMES": "b,c"}
    configuration = shop.load()
    values = configuration.values
    assert (values["TABLES"], values["OPEN"], values["NAMES"]) == (6, False, ["b", "c"])
    assert configuration.warnings == ()


def test_an_own_key_that_does_not_fit_its_type_is_refused(shop):
    """The sentence names the variable."""
    shop.write("shop/settings.py", "TABLES = 4\n")
    shop.environ["SHOP_TABLES"] = "many"
    assert shop.problems() == ("environment SHOP_TABLES: TABLES must be a whole number",)


def test_a_key_of_a_third_party_library_passes_through(shop):
    """Reserved keys are read as Flask reads prefixed variables, without a warning."""
    shop.environ |= {"SHOP_RATELIMIT_ENABLED": "false", "SHOP_RATELIMIT_DEFAULT": "9 per hour"}
    configuration = shop.load()
    assert configuration.values["RATELIMIT_ENABLED"] is False
    assert configuration.values["RATELIMIT_DEFAULT"] == "9 per hour"
    assert configuration.warnings == ()


KUBERNETES = {
    "SHOP_SERVICE_HOST": "10.0.0.1",
    "SHOP_SERVICE_PORT": "80",
    "SHOP_SERVICE_PORT_HTTP": "80",
    "SHOP_PORT": "tcp://10.0.0.1:80",
    "SHOP_PORT_80_TCP": "tcp://10.0.0.1:80",
    "SHOP_PORT_80_TCP_PROTO": "tcp",
    "SHOP_PORT_80_TCP_PORT": "80",
    "SHOP_PORT_80_TCP_ADDR": "10.0.0.1",
    "SHOP_DB_SERVICE_HOST": "fd00::1",
    "SHOP_DB_SERVICE_PORT": "127.0.0.1:9401",
    "SHOP_DB_PORT": "udp://[fd00::1]:53",
    "SHOP_DB_PORT_53_UDP": "udp://[fd00::1]:53",
}


def test_the_variables_of_kubernetes_are_ignored(shop):
    """Service links never become settings and give no warning."""
    before = shop.load().values
    shop.environ |= KUBERNETES
    configuration = shop.load()
    assert configuration.values == before
    assert configuration.warnings == ()


def test_a_port_that_is_no_service_link_is_a_setting(shop):
    """The same variable with a number is the port, and with nonsense an error."""
    shop.environ["SHOP_PORT"] = "9000"
    assert shop.load().settings.serving.port == 9000
    shop.environ["SHOP_PORT"] = "tcp://nowhere"
    assert shop.problems() == (
        "environment SHOP_PORT: PORT is 'tcp://nowhere', "
        "but must be a whole number, at least 0, at most 65535",
    )


def test_the_log_level_of_this_application_is_stronger(shop):
    """A level by the name of the application wins over the general one."""
    shop.package, shop.prefix = "my.shop", "GNAR"
    (shop.folder / "my" / "shop").mkdir(parents=True)
    shop.environ |= {"GNAR_LOG_LEVEL": "INFO", "GNAR_MY_SHOP_LOG_LEVEL": "DEBUG"}
    configuration = shop.load()
    assert configuration.settings.log.level == "DEBUG"
    assert shop.origin("LOG_LEVEL", configuration) == "environment GNAR_MY_SHOP_LOG_LEVEL"


def test_the_log_levels_of_others_are_ignored(shop):
    """A level by the name of another application is no setting and gives no warning."""
    shop.environ |= {"SHOP_LOG_LEVEL": "INFO", "SHOP_BAKERY_LOG_LEVEL": "DEBUG"}
    configuration = shop.load()
    assert configuration.settings.log.level == "INFO"
    assert "BAKERY_LOG_LEVEL" not in configuration.values
    assert configuration.warnings == ()


def test_the_variables_that_name_files_are_no_settings(shop):
    """The file and the instance folder are named, not set."""
    shop.name("shop.ini", "")
    shop.environ["SHOP_INSTANCE_PATH"] = str(shop.folder)
    configuration = shop.load()
    assert not {"CONFIG", "INSTANCE_PATH"} & configuration.values.keys()
    assert configuration.warnings == ()


def test_another_prefix_does_not_make_settings_of_them(shop):
    """A name that begins with the prefix still names its file by the whole name."""
    shop.package, shop.prefix = "gnar.shop", "GNAR"
    shop.environ["GNAR_SHOP_CONFIG"] = str(shop.write("a.toml", "CACHE_TTL = 7\n"))
    configuration = shop.load()
    assert configuration.settings.cache.ttl == 7
    assert "SHOP_CONFIG" not in configuration.values
    assert configuration.warnings == ()


def test_a_file_named_with_the_prefix_is_warned_of(shop):
    """The variable that names the file begins with the name of the application."""
    shop.prefix = "GNAR"
    shop.environ["GNAR_CONFIG"] = "x.ini"
    assert shop.load().warnings == ("GNAR_CONFIG is not read; the variable is SHOP_CONFIG",)


def test_a_secret_may_stand_in_a_file(shop):
    """The file's text is the secret, without the line end, and the variable stays."""
    shop.environ["SHOP_SECRET_KEY_FILE"] = str(shop.write("key", f"{GOOD}\n"))
    configuration = shop.load()
    assert configuration.values["SECRET_KEY"] == GOOD
    assert shop.origin("SECRET_KEY", configuration) == "environment SHOP_SECRET_KEY_FILE"
    assert "SHOP_SECRET_KEY_FILE" in shop.environ


def test_a_secret_and_its_file_cannot_both_be_given(shop):
    """Two ways to give one secret are refused without showing it."""
    shop.environ |= {"SHOP_SECRET_KEY": GOOD, "SHOP_SECRET_KEY_FILE": "key"}
    assert shop.problems() == (
        "environment SHOP_SECRET_KEY_FILE: SHOP_SECRET_KEY is set as well; keep one of the two",
    )


def test_a_secret_file_that_cannot_be_read_is_refused(shop):
    """Missing files and other encodings are told."""
    shop.environ["SHOP_SECRET_KEY_FILE"] = "none"
    shop.environ["SHOP_CACHE_PASSWORD_FILE"] = "latin"
    (shop.folder / "latin").write_bytes(b"\xff")
    assert shop.problems() == (
        "environment SHOP_CACHE_PASSWORD_FILE: latin is not UTF-8 text",
        "environment SHOP_SECRET_KEY_FILE: none cannot be read: No such file or directory",
    )


def test_only_secrets_are_read_from_files(shop):
    """A file for another key is an undeclared variable."""
    shop.environ["SHOP_PORT_FILE"] = "x"
    configuration = shop.load()
    assert configuration.values["PORT_FILE"] == "x"
    assert len(configuration.warnings) == 1


def test_secrets_leave_the_environment(shop):
    """Declared secrets go to the vault, whatever became of them; the rest stays."""
    shop.environ |= {"SHOP_SECRET_KEY": GOOD, "SHOP_CACHE_TTL": "7", "MINE": OTHER}
    shop.name("shop.ini", "[cache]\npassword = ${MINE}\n")
    configuration = shop.load({"SECRET_KEY": OTHER})
    assert configuration.values["CACHE_PASSWORD"] == OTHER
    assert set(shop.environ) == {"SHOP_CACHE_TTL", "SHOP_CONFIG"}
    assert shop.vault.environ() == {"SHOP_SECRET_KEY": GOOD, "MINE": OTHER}


def test_a_configuration_that_is_refused_gives_its_secrets_back(shop):
    """Once the mistake is mended, they are where they were."""
    shop.environ["SHOP_SECRET_KEY"] = "changeme"
    shop.problems()
    assert shop.environ["SHOP_SECRET_KEY"] == "changeme"
    assert shop.vault.environ() == {}


def test_a_second_application_still_gets_the_secret(shop):
    """What was taken is found in the vault."""
    shop.environ["SHOP_SECRET_KEY"] = GOOD
    shop.load()
    assert shop.load().values["SECRET_KEY"] == GOOD


def test_a_file_wins_over_a_secret_that_was_taken(shop):
    """The variable is not set any more, so the two are not both given."""
    shop.environ["SHOP_SECRET_KEY"] = GOOD
    first = shop.load()
    shop.environ["SHOP_SECRET_KEY_FILE"] = str(shop.write("key", OTHER))
    second = shop.load()
    assert second.values["SECRET_KEY"] == OTHER
    assert (first.taken, second.taken) == (("SHOP_SECRET_KEY",), ())
    assert second.warnings == ()


def test_a_file_beside_it_does_not_hide_a_variable_from_ini_files(shop):
    """Only settings have files; what an ini file names is found as long as it is kept."""
    shop.name("shop.ini", "[cache]\npassword = ${MINE}\n")
    shop.environ |= {"MINE": OTHER, "MINE_FILE": "x"}
    assert [shop.load().values["CACHE_PASSWORD"] for _ in range(2)] == [OTHER, OTHER]


def test_a_secret_goes_back_with_the_last_configuration_made_of_it(shop):
    """Releasing twice is as good as once."""
    shop.environ["SHOP_SECRET_KEY"] = GOOD
    first, second = shop.load(), shop.load()
    first.release()
    first.release()
    assert (shop.vault.environ(), shop.environ) == ({"SHOP_SECRET_KEY": GOOD}, {})
    second.release()
    assert (shop.vault.environ(), shop.environ) == ({}, {"SHOP_SECRET_KEY": GOOD})


def test_a_dotenv_file_is_read_in_development(shop):
    """The real environment is stronger than the file, which is stronger than other files."""
    shop.write("shop/settings.py", "CACHE_TTL = 1\nCACHE_URL = 'x'\n")
    shop.write(".env", f"SHOP_CACHE_TTL=2\nSHOP_CACHE_URL=y\nSHOP_SECRET_KEY={GOOD}\nEMPTY\n")
    shop.environ |= {"SHOP_MODE": "development", "SHOP_CACHE_TTL": "3"}
    configuration = shop.load()
    cache = configuration.settings.cache
    assert (cache.ttl, cache.url) == (3, "y")
    assert configuration.values["SECRET_KEY"] == GOOD
    assert shop.origin("CACHE_URL", configuration) == ".env SHOP_CACHE_URL"


@pytest.mark.parametrize("mode", ["production", "testing"])
def test_a_dotenv_file_is_not_read_elsewhere(shop, mode):
    """A file of a developer does not reach production."""
    shop.write(".env", "SHOP_CACHE_TTL=2\n")
    assert shop.load({"MODE": mode}).settings.cache.ttl == 300


def test_lines_of_a_dotenv_file_without_a_value_are_warned_of(shop):
    """The line is told by its number, never shown, and the others count."""
    shop.write(".env", "# x\n\nSHOP_CACHE_URL\ntu lip\nSHOP_CACHE_TTL=2\n\n\nexport A\nB=\n")
    configuration = shop.load({"MODE": "development"})
    assert configuration.settings.cache.ttl == 2
    assert configuration.warnings == tuple(
        f".env:{line}: ignored, for it is not written NAME=value" for line in (3, 4, 8)
    )


def test_flask_debug_does_not_open_a_production_service(shop):
    """A variable that was left over is warned of."""
    shop.environ["FLASK_DEBUG"] = "1"
    configuration = shop.load()
    assert (configuration.settings.service.mode, configuration.values["DEBUG"]) == (
        "production",
        False,
    )
    assert ["set MODE" in warning for warning in configuration.warnings] == [True]


def test_a_dotenv_file_does_not_decide_the_mode(shop):
    """What is decided before the file is read is warned of."""
    shop.write(".env", "SHOP_MODE=production\n")
    configuration = shop.load({"MODE": "development"})
    assert configuration.values["DEBUG"] is True
    assert configuration.warnings == (
        ".env SHOP_MODE has no effect: the mode is decided before this file is read",
    )


def test_a_dotenv_file_that_is_not_utf_8_is_refused(shop):
    """The sentence names the file."""
    (shop.folder / ".env").write_bytes(b"A=\xff\n")
    assert shop.problems({"DEBUG": True}) == (
        ".env is not UTF-8: the byte at offset 2 does not belong there",
    )


def test_the_project_may_have_the_dotenv_file(tmp_path, monkeypatch):
    """Without one in the current folder, that of the project is read."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".env").touch()
    assert find_dotenv(tmp_path / "src" / "my" / "shop", "my.shop") == tmp_path / ".env"
    (tmp_path / "elsewhere" / ".env").touch()
    assert find_dotenv(tmp_path / "shop", "shop") == tmp_path / "elsewhere" / ".env"
