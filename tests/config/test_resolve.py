"""From layers to typed sections."""

from __future__ import annotations

import pytest

from buttress.config import Secret, Section, SectionSpec
from tests.config.sections import GOOD, OTHER


@pytest.mark.parametrize("key", ["CACHE", "LOG"])
def test_a_section_may_be_given_as_a_mapping(shop, key):
    """A mapping under the name of a section says what the section's keys would."""
    values = {"CACHE": {"url": "x", "CACHE_TTL": 7, "redis_url": "x"}, "LOG": {"Level": "DEBUG"}}
    configuration = shop.load({key: values[key]})
    expected = {"CACHE": {"CACHE_URL": "x", "CACHE_TTL": 7}, "LOG": {"LOG_LEVEL": "DEBUG"}}
    assert expected[key].items() <= configuration.values.items()
    assert key not in configuration.values


def test_a_mapping_of_a_section_without_prefix_works_too(shop):
    """Its keys are the bare ones."""
    assert shop.load({"SERVING": {"port": 9}}).settings.serving.port == 9


def test_an_unknown_key_in_the_mapping_of_a_section_is_refused(shop):
    """A mapping under the name of a section has only its keys."""
    assert shop.problems({"CACHE": {"ulr": "x", "qqqq": 1}}) == (
        "config=: there is no setting CACHE_ULR; did you mean CACHE_URL?",
        "config=: there is no setting CACHE_QQQQ",
    )
    assert shop.problems({"CACHE": {"CACHE_ULR": "x"}}) == (
        "config=: there is no setting CACHE_ULR; did you mean CACHE_URL?",
    )


def test_what_is_no_mapping_under_the_name_of_a_section_is_the_applications(shop):
    """A plain value has no keys to expand."""
    assert shop.load({"CACHE": "yes"}).values["CACHE"] == "yes"


def test_two_spellings_in_one_source_must_agree(shop):
    """A key and its alias with different values are refused with both names."""
    assert shop.problems({"CACHE_URL": "a", "REDIS_URL": "b"}) == (
        "CACHE_URL in config= and REDIS_URL in config= are both CACHE_URL but differ; "
        "keep one of them",
    )
    assert shop.load({"CACHE_URL": "a", "REDIS_URL": "a"}).settings.cache.url == "a"


def test_two_spellings_in_two_sources_follow_the_order(shop):
    """The later source wins whatever it calls the setting."""
    shop.environ["SHOP_CACHE_URL"] = "a"
    assert shop.load({"REDIS_URL": "b"}).settings.cache.url == "b"


def test_a_disagreement_about_a_secret_does_not_show_it(shop):
    """Two ways to write one key in an ini file are told by their lines."""
    shop.name("shop.ini", f"[flask]\nsecret_key = {GOOD}\nsecret-key = {OTHER}\n")
    assert shop.problems() == (
        "SECRET_KEY in shop.ini:2 and SECRET_KEY in shop.ini:3 are both SECRET_KEY but differ; "
        "keep one of them",
    )


@pytest.mark.parametrize("source", ["py", "toml", "config"])
def test_a_slip_for_a_declared_key_is_refused(shop, source):
    """A key with the prefix of a section that nearly is a setting is a mistake."""
    arguments = {"CACHE_TTLS": 7} if source == "config" else {}
    if source != "config":
        shop.name(f"shop.{source}", "CACHE_TTLS = 7\n")
    (problem,) = shop.problems(arguments)
    assert problem.endswith(": there is no setting CACHE_TTLS; did you mean CACHE_TTL?")


def test_other_keys_are_the_applications_own(shop):
    """A key without such a prefix, or unlike any setting, is kept as it is."""
    own = {"GREETING": "hi", "PORTS": (1, 2), "CACHE_WARMED_AT_DAWN": object(), "RATELIMIT_X": 1}
    assert own.items() <= shop.load(own).values.items()


def test_a_reserved_key_may_resemble_a_setting(shop):
    """What belongs to a third-party library is not taken for a slip."""
    shop.reserves = ("CACHE_TTLS",)
    assert shop.load({"CACHE_TTLS": 7}).values["CACHE_TTLS"] == 7


def test_a_required_setting_that_is_missing_is_told_with_its_variable(shop):
    """A field without default must come from somewhere."""

    class Mail(Section):
        sender: str
        retries: int

    shop.sections = (SectionSpec("mail", Mail),)
    assert shop.problems({"MAIL_RETRIES": "x"}) == (
        "config=: MAIL_RETRIES is 'x', but must be a whole number",
        "MAIL_SENDER is not set: give it in a file, or as SHOP_MAIL_SENDER in the environment",
    )
    assert shop.load({"MAIL_SENDER": "a", "MAIL_RETRIES": 1}).settings.mail.sender == "a"


def test_problems_between_fields_are_told(shop):
    """A section's own sentences are reported with its name, beside all others."""
    assert shop.problems({"CACHE_EVICTION": "lfu", "CACHE_TTL": 3600, "PORT": -1}) == (
        "config=: PORT is -1, but must be a whole number, at least 0, at most 65535",
        "cache: CACHE_EVICTION=lfu needs a CACHE_TTL of at most 600",
    )


@pytest.mark.parametrize("mode", ["production", "testing"])
@pytest.mark.parametrize("secret", ["changeme", "", "0123456789abcdefghijklmnopqrstu", b"dev"])
def test_a_weak_secret_is_refused_outside_development(shop, mode, secret):
    """Placeholders and short secrets do not boot, and are not shown."""
    (problem,) = shop.problems({"MODE": mode, "SECRET_KEY": secret})
    assert problem.startswith("config=: SECRET_KEY is ")
    assert problem.endswith("; generate one with: buttress secret new")
    assert not secret or str(secret) not in problem


def test_a_weak_secret_is_accepted_in_development(shop):
    """A developer may use any secret."""
    assert shop.load({"MODE": "development", "SECRET_KEY": "dev"}).values["SECRET_KEY"] == "dev"


def test_a_secret_that_is_required_may_not_be_missing(shop):
    """A missing secret is told as missing, and not as weak."""

    class Tokens(Section):
        secret: Secret

    shop.sections = (SectionSpec("tokens", Tokens),)
    (problem,) = shop.problems()
    assert problem.startswith("TOKENS_SECRET is not set")


def test_the_length_rule_has_exceptions(shop):
    """A password that others choose may be short but is no placeholder."""
    assert shop.load({"CACHE_PASSWORD": "tulip"}).values["CACHE_PASSWORD"] == "tulip"
    assert shop.problems({"CACHE_PASSWORD": "changeme"}) == (
        "config=: CACHE_PASSWORD is a placeholder; generate one with: buttress secret new",
    )


def test_every_secret_of_a_list_is_checked(shop):
    """One weak fallback is enough to refuse."""
    (problem,) = shop.problems({"SECRET_KEY_FALLBACKS": [GOOD, "dev"]})
    assert problem.startswith("config=: SECRET_KEY_FALLBACKS is a placeholder")


def test_a_weak_default_is_refused(shop):
    """A secret that an extension ships cannot be used outside development."""

    class Tokens(Section):
        secret: Secret = Secret("changeme")

    shop.sections = (SectionSpec("tokens", Tokens),)
    assert shop.problems() == (
        "default: TOKENS_SECRET is a placeholder; generate one with: buttress secret new",
    )


def test_secrets_may_be_in_any_container(shop):
    """They are checked, plain in the projection and masked in every display."""

    class Tokens(Section):
        peers: dict[str, Secret]
        old: frozenset[Secret] = frozenset()

    shop.sections = (SectionSpec("tokens", Tokens),)
    shop.environ["SHOP_TOKENS_PEERS"] = f'{{"lift": "{GOOD}"}}'
    configuration = shop.load({"TOKENS_OLD": [OTHER]})
    assert configuration.values["TOKENS_PEERS"] == {"lift": GOOD}
    assert configuration.values["TOKENS_OLD"] == {OTHER}
    shown = repr((configuration.values, configuration.rows, configuration.settings.tokens))
    assert GOOD not in shown
    assert OTHER not in shown
    assert len(shop.problems({"TOKENS_OLD": ["dev"], "TOKENS_PEERS": {"a": "dev"}})) == 2


def test_a_secret_of_the_applications_own_stays_one(shop):
    """A variable that overrides it is masked as well."""
    shop.write("shop/settings.py", "from buttress import Secret\nLAKE = Secret('tulip')\n")
    shop.environ["SHOP_LAKE"] = "rose"
    configuration = shop.load()
    assert configuration.values["LAKE"] == "rose"
    assert "rose" not in repr(configuration.rows)


def test_a_value_from_code_is_not_read_as_text(shop):
    """What overrides a key of the application's own and is no text is kept as it is."""
    shop.write("shop/settings.py", "LAKE = 'tulip'\nDEPTHS = [1]\n")
    given = {"LAKE": Secret("rose"), "DEPTHS": (2, 3)}
    values = shop.load(command_line=given).values
    assert (values["LAKE"], values["DEPTHS"]) == ("rose", (2, 3))
