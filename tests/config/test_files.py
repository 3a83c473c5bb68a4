"""Configuration files."""

from __future__ import annotations


def test_a_toml_file_gives_flat_keys(shop):
    """Keys are upper-case, lines are known, and an upper-case table is a mapping."""
    shop.name("shop.toml", "CACHE_TTL = 5\nHOURS = [9, 17]\n\n[OWN]\nA = 1\n")
    configuration = shop.load()
    assert configuration.settings.cache.ttl == 5
    assert configuration.values["OWN"] == {"A": 1}
    assert shop.origin("HOURS", configuration) == "shop.toml:2"
    assert shop.origin("OWN", configuration) == "shop.toml:4"


def test_a_toml_file_that_is_not_flat_is_told_how_to_write_it(shop):
    """Sections and lower-case keys are refused with what to write instead."""
    shop.name("shop.toml", "port = 1\n[cache]\nttl = 5\n[own]\na = 1\n[flask]\nsecret_key = 'x'\n")
    assert shop.problems() == (
        "shop.toml:1: write PORT instead of port",
        "shop.toml:2: write CACHE_TTL = … at the top instead of the table [cache]",
        "shop.toml:4: write OWN instead of own",
        "shop.toml:6: write SECRET_KEY = … at the top instead of the table [flask]",
    )


def test_a_toml_file_that_is_not_valid_is_told_with_its_line(shop):
    """The parser's sentence is kept."""
    shop.name("shop.toml", "A = 1\nB = \n")
    (problem,) = shop.problems()
    assert problem.startswith("shop.toml is not valid TOML: ")
    assert "line 2" in problem


def test_an_ini_file_gives_sections_as_prefixes(shop):
    """[cache] url is CACHE_URL, [flask] x is X, an own section is a prefix of its own."""
    shop.name(
        "shop.conf",
        """\
        [cache]
        url = redis://h
        style = fancy
        [serving]
        port = 9000
        [flask]
        secret_key = "8f14e45fceea167a5a36dedd4bea2543"
        greeting = 007
        [my-shop]
        opening.hours =
            9
            17
        [host:node0]
        cache.url = no
        """,
    )
    values = shop.load().values
    assert (values["CACHE_URL"], values["EVICTION_STYLE"]) == ("redis://h", "fancy")
    assert (values["PORT"], values["GREETING"]) == (9000, 7)
    assert values["SECRET_KEY"] == "8f14e45fceea167a5a36dedd4bea2543"
    assert values["MY_SHOP_OPENING_HOURS"] == [9, 17]
    assert not [key for key in values if "HOST:" in key]


def test_what_an_ini_file_writes_counts_where_the_field_is_text(shop):
    """A number in a file is the text that was written where its field is text."""
    shop.name("shop.ini", "[cache]\nurl = 007\nservers =\n  01\n  b\n")
    cache = shop.load().settings.cache
    assert (cache.url, cache.servers) == ("007", ("01", "b"))


def test_an_unknown_option_of_an_owned_section_is_refused(shop):
    """The sentence has file, line and the nearest key, or none."""
    shop.name("shop.ini", "[cache]\nulr = x\nqqqq = 1\n[serving]\nprot = 1\n[mine]\nany = 1\n")
    assert shop.problems() == (
        "shop.ini:2: there is no setting CACHE_ULR; did you mean CACHE_URL?",
        "shop.ini:3: there is no setting CACHE_QQQQ",
        "shop.ini:5: there is no setting PROT; did you mean PORT?",
    )


def test_a_slip_in_the_flask_section_is_refused(shop):
    """[flask] takes the application's own keys, but not one that resembles a setting."""
    shop.name("shop.ini", "[flask]\nsecret_kye = x\nmy_own = 1\n")
    assert shop.problems() == (
        "shop.ini:2: there is no setting SECRET_KYE; did you mean SECRET_KEY?",
    )


def test_an_ini_file_that_is_not_utf_8_is_refused(shop):
    """The sentence names the file and the byte."""
    shop.name("shop.ini", "").write_bytes(b"[cache]\nurl = caf\xe9\n")
    assert shop.problems() == (
        "shop.ini is not UTF-8: the byte at offset 17 does not belong there",
    )


def test_a_file_of_another_kind_is_refused(shop):
    """Only the documented suffixes are configuration."""
    shop.name("shop.yaml", "")
    assert shop.problems() == ("shop.yaml: the name must end in .py, .ini, .conf or .toml",)
