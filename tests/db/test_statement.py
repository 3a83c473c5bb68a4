"""Named parameters in the form of every driver."""

from __future__ import annotations

import pytest

from buttress.db.statement import translator


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("pyformat", "a = %(x)s AND b = %(y)s AND c = %(x)s"),
        ("named", "a = :x AND b = :y AND c = :x"),
        ("qmark", "a = ? AND b = ? AND c = ?"),
        ("format", "a = %s AND b = %s AND c = %s"),
        ("numeric", "a = :1 AND b = :2 AND c = :3"),
    ],
)
def test_each_style(style: str, expected: str) -> None:
    """Each style of PEP 249 is written, with the values in the order that it needs."""
    found = translator(style)("a = :x AND b = %(y)s AND c = :x")
    assert found.sql == expected
    values = found.bound({"x": 1, "y": 2, "z": 3})
    assert values == ((1, 2, 1) if found.positional else {"x": 1, "y": 2, "z": 3})


@pytest.mark.parametrize(
    "sql",
    [
        "x::int",
        "a[1:n]",
        "':x'",
        "'it''s :x'",
        '":x"',
        "`:x`",
        "-- :x\n1",
        "/* :x\n:y */ 1",
        "/* a /* b */ :x */ 1",
        r"E'it\'s :x'",
        "$$ :x $$",
        "$q$ :x $$ :y $q$",
        "a := 1",
        "'%(x)s'",
    ],
)
def test_what_holds_no_parameter(sql: str) -> None:
    """Casts, slices, literals, names and comments hold none."""
    assert translator("named")(sql) == (sql, (), False)


def test_a_cast_of_a_parameter() -> None:
    """A cast right behind a parameter is none of its name."""
    found = translator("pyformat")("SELECT :ident::int, (:b), /* :no */ :\u00e9=:b::text")
    assert found.sql == "SELECT %(ident)s::int, (%(b)s), /* :no */ %(\u00e9)s=%(b)s::text"


def test_comments_of_mariadb() -> None:
    """A number sign begins a comment there, and is an operator elsewhere."""
    assert translator("pyformat", backslash=True)("1 # :x\n+ :y").names == ("y",)
    assert translator("pyformat")("a #> :x").names == ("x",)


def test_without_parameters() -> None:
    """Where there are none, the driver gets none, and reads no percent signs."""
    found = translator("pyformat")(r"a LIKE 'x%' AND b = [1\:2]")
    assert found.sql == "a LIKE 'x%' AND b = [1:2]"
    assert (found.bound(None), found.bound({"unused": 1})) == (None, None)


def test_percent_signs() -> None:
    """A percent sign is doubled for drivers that read it, and written twice where they would."""
    pyformat, qmark = translator("pyformat"), translator("qmark")
    assert pyformat("a LIKE 'x%' AND b = :b").sql == "a LIKE 'x%%' AND b = %(b)s"
    assert pyformat("a LIKE 'x%%' AND b = %(b)s").sql == "a LIKE 'x%%' AND b = %(b)s"
    assert pyformat("a % 2 = %(b)s").sql == "a %% 2 = %(b)s"
    assert qmark("a LIKE 'x%%' AND b = %(b)s").sql == "a LIKE 'x%%' AND b = ?".replace("%%", "%")
    assert qmark("a LIKE 'x%%' AND b = :b").sql == "a LIKE 'x%%' AND b = ?"


def test_backslash_in_literals() -> None:
    """A backslash ends no literal of MariaDB's, and is nothing special elsewhere."""
    sql = r"a = 'it\'s :x' AND b = :b"
    assert translator("pyformat", backslash=True)(sql).names == ("b",)
    assert translator("pyformat")(r"a = 'c:\' AND b = :b").names == ("b",)


def test_an_escaped_colon() -> None:
    """A backslash before a colon writes a colon, as in SQLAlchemy's texts."""
    assert translator("qmark")(r"a \:b").sql == "a :b"


def test_what_is_missing() -> None:
    """A parameter that is missing is named; one too many does no harm."""
    found = translator("qmark")("a = :x")
    assert found.bound({"x": 1, "other": 2}) == (1,)
    with pytest.raises(ValueError, match=":x, which params does not have: a = "):
        found.bound({"y": 1})
