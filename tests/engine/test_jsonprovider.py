"""JSON: what Flask's default provider writes and reads, by compiled coders."""

from __future__ import annotations

import enum
import json
import math
import uuid
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field, make_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial

import flask
import orjson
import pytest
from flask.json.provider import DefaultJSONProvider
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from buttress.engine.jsonprovider import JSONProvider

app = flask.Flask(__name__)

Point = namedtuple("Point", "x y")
Number = enum.IntEnum("Number", "ONE TWO")
Word = enum.StrEnum("Word", "one two")
Flag = enum.IntFlag("Flag", "A B")


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not this"


class Mixed(str, enum.Enum):  # noqa: UP042 -- the older way is still written
    A = "a"


class OwnMeta(enum.EnumMeta):
    pass


class Labelled(str, enum.Enum, metaclass=OwnMeta):  # noqa: UP042 -- as above
    A = "é"


class Whole(int):
    pass


class Real(float):
    pass


class Identity(uuid.UUID):
    pass


class Day(date):
    pass


@dataclass(frozen=True, slots=True)
class Leaf:
    value: object
    _hidden: float = 1.5


@dataclass
class Branch:
    leaf: object
    items: list[object] = field(default_factory=list)


class Computing:
    """An attribute that gives another value than the instance holds."""

    def __get__(self, instance: object, owner: type) -> float:
        return math.nan

    def __set__(self, instance: object, value: float) -> None:
        vars(instance)["size"] = 1.0


@dataclass
class Computed:
    size: Computing = Computing()


class Html:
    def __html__(self) -> Markup:
        return Markup("<b>é</b>")


class HtmlList(list):
    __html__ = Html.__html__


class HtmlDict(dict):
    __html__ = Html.__html__


def provider(kind: type[DefaultJSONProvider], **attributes: object) -> DefaultJSONProvider:
    made = kind(app)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def outcome(function, *args):
    """Give a result, or the type of an exception and what it says."""
    try:
        return function(*args)
    except (TypeError, ValueError, RecursionError) as error:
        return type(error), str(error)


def body_by_flask(flask_provider: DefaultJSONProvider, obj: object) -> bytes:
    data: bytes = flask_provider.response(obj).data
    return data


def assert_same(obj: object, **attributes: object) -> None:
    ours, theirs = (provider(kind, **attributes) for kind in (JSONProvider, DefaultJSONProvider))
    expected = outcome(body_by_flask, theirs, obj)
    assert expected == outcome(ours.body, obj)
    assert expected == outcome(body_by_flask, ours, obj)
    assert outcome(theirs.dumps, obj) == outcome(ours.dumps, obj)
    compact = partial(theirs.dumps, separators=(",", ":"))
    assert outcome(compact, obj) == outcome(partial(ours.dumps, separators=(",", ":")), obj)


texts = st.text() | st.text("\x7f\x00\\\"/é€😀\u2028\ud800'\x1f\tune-,]}0.", max_size=12)
zones = st.none() | st.builds(timezone, st.builds(timedelta, minutes=st.integers(-1400, 1400)))
moments = st.datetimes(datetime(1600, 1, 1), timezones=zones)  # noqa: DTZ001 -- bounds are naive
tiny = st.floats(1e-12, 1e-3) | st.floats(1e14, 1e25) | st.sampled_from([-0.0, 1e-5, 1e-7, 1e22])
common = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | tiny
    | texts
    | st.uuids()
    | moments
    | st.dates()
    | st.decimals()
    | texts.map(Text)
    | texts.map(Markup)
    | st.sampled_from([Html(), Number.TWO, Word.one, Mixed.A, Flag.A | Flag.B, Labelled.A])
)
rare = (
    st.floats()
    | st.integers().map(Whole)
    | st.floats().map(Real)
    | st.uuids().map(lambda it: Identity(int=it.int))
    | st.dates(date(1600, 1, 1)).map(lambda it: Day.fromordinal(it.toordinal()))
    | st.sampled_from([b"bytes", {1}, time(1), orjson.Fragment(b"1"), object(), Leaf, 1 << 64])
)
keys = texts | texts.map(Text) | st.integers() | st.none() | st.booleans() | st.floats()


def containers(inner):
    objects = st.dictionaries(texts, inner, max_size=4)
    return (
        st.lists(inner, max_size=4)
        | objects
        | st.lists(inner, max_size=3).map(tuple)
        | objects.map(OrderedDict)
        | objects.map(lambda it: defaultdict(list, it))
        | objects.map(MultiDict)
        | st.builds(Point, inner, inner)
        | st.builds(Leaf, inner)
        | st.builds(Branch, inner, st.lists(inner, max_size=2))
        | st.dictionaries(keys, inner, max_size=3)
    )


attributes = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "sort_keys": st.booleans(),
        "compact": st.sampled_from([True, True, None, False]),
    }
)


@settings(max_examples=2000, deadline=None)
@given(st.recursive(common, containers, max_leaves=8), attributes)
def test_the_bytes_are_flasks(obj, attributes):
    """Whatever is written is what Flask's provider writes, under every combination of flags."""
    assert_same(obj, **attributes)


@settings(max_examples=1000, deadline=None)
@given(st.recursive(common | rare, containers, max_leaves=4), attributes)
def test_the_errors_are_flasks(obj, attributes):
    """What cannot be written raises what Flask's provider raises."""
    assert_same(obj, **attributes)


@pytest.mark.parametrize("digits", ["1", "1.5", "-9.99999", "1.2345678901234567"])
def test_floats_of_every_size(digits):
    """A number of any size is written as Python writes it, alone and among others."""
    for exponent in range(-330, 310):
        number = float(f"{digits}e{exponent}")
        assert f"{json.dumps(number)}\n".encode() == provider(JSONProvider).body(number)
        assert_same({"a": [1, number], "b": number, "c": None})


@pytest.mark.parametrize(
    "obj",
    [
        "\u02ff?aaaaaa",
        0xCB40000000,
        [None, math.nan],
        {"a": (None, -math.inf)},
        Leaf(1e-7),
        Leaf(1, _hidden=math.nan),
        Computed(1.0),
        Branch(Leaf(Decimal("NaN")), [date(2020, 1, 1)]),
        make_dataclass("Made", ["b", "a"])(1, 2),
        {"b": 1, 2: 2},
        {None: 1, True: 2, 1.5: 3},
        {Text("b"): 1, "a": 2},
        {Mixed.A: 1},
        MultiDict([("a", 1), ("a", 2)]),
        ["a,1e-7,b", "10.00001", 10.00001, "0.00001", "null"],
        '\\"\\\\é\\',
        HtmlList([1]),
        HtmlDict(a=1),
        orjson.Fragment(b"1"),
        [orjson.Fragment(b"1"), Html()],
        (1 << 64) - 1,
        -(1 << 63),
        b"bytes",
    ],
)
@pytest.mark.parametrize("sort_keys", [True, False])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_traps(obj, sort_keys, ensure_ascii):
    """What orjson would write in another way is written, or refused, as Flask does it."""
    assert_same(obj, sort_keys=sort_keys, ensure_ascii=ensure_ascii)


def test_circular_references():
    """A value that holds itself is refused as the standard library refuses it."""
    obj: list[object] = []
    obj.append({"a": obj})
    with pytest.raises(ValueError, match="Circular reference detected"):
        provider(JSONProvider).body(obj)


def test_deep_nesting_is_written():
    """Nesting beyond what orjson can do is written all the same."""
    text = "[" * 400 + "]" * 400
    assert f"{text}\n".encode() == provider(JSONProvider).body(json.loads(text))


@pytest.mark.parametrize(("compact", "indented"), [(None, True), (True, False), (False, True)])
def test_debug_indents(monkeypatch, compact, indented):
    """In debug mode an answer is indented, unless ``compact`` says otherwise."""
    monkeypatch.setitem(app.config, "DEBUG", True)
    expected = b'{\n  "a": 1\n}\n' if indented else b'{"a":1}\n'
    assert expected == provider(JSONProvider, compact=compact).body({"a": 1})
    assert_same({"a": [1, {"b": 2}]}, compact=compact)


def test_an_enumeration_is_its_value():
    """A plain enumeration, which Flask refuses, is written as its value."""
    plain = enum.Enum("Plain", {"A": "value"})
    assert provider(JSONProvider).body([plain.A]) == b'["value"]\n'


def test_plain_values_take_the_quick_way(monkeypatch):
    """An object of plain values never reaches the standard library."""
    monkeypatch.setattr(json, "dumps", None)
    obj = {"id": 7, "name": "\x7fé", "at": date(2020, 1, 1), "price": 12.5, "none": None}
    assert provider(JSONProvider).body(obj) == (
        b'{"at":"Wed, 01 Jan 2020 00:00:00 GMT","id":7,"name":"\\u007f\\u00e9",'
        b'"none":null,"price":12.5}\n'
    )


def shout(obj: object, **kwargs: object) -> str:
    return f"{obj}! {sorted(kwargs)}"


def test_dumps_of_a_subclass_is_used():
    """A subclass that writes in its own way is asked."""
    kind = type("Loud", (JSONProvider,), {"dumps": staticmethod(shout)})
    assert b"1! ['separators']\n" == kind(app).body(1) == kind(app).response(1).data


def test_dumps_of_an_instance_is_used(monkeypatch):
    """An instance that was given its own way to write is asked, until it is taken away."""
    ours = provider(JSONProvider, dumps=shout)
    assert ours.body(1) == b"1! ['separators']\n"
    del ours.dumps
    assert ours.body(1) == b"1\n"


@pytest.mark.parametrize("kind", [DefaultJSONProvider, JSONProvider])
def test_changed_settings_count_at_once(kind):
    """A setting that is changed, or taken back, between two answers holds for the next one."""
    app = flask.Flask("app")
    app.json = kind(app)

    def write():
        return app.json.response({"b": 1, "a": "é"}).get_data()

    with app.app_context(), app.test_request_context():
        answers = [write()]
        for name, value in (("sort_keys", False), ("ensure_ascii", False), ("default", repr)):
            setattr(app.json, name, value)
            answers.append(write())
        app.json.dumps = shout
        answers.append(write())
        del app.json.dumps, app.json.sort_keys
        answers.append(write())
    plain = '{"b":1,"a":"é"}\n'
    assert [it.decode() for it in answers] == [
        '{"a":"\\u00e9","b":1}\n',
        '{"b":1,"a":"\\u00e9"}\n',
        plain,
        plain,
        shout({"b": 1, "a": "é"}, separators=True) + "\n",
        '{"a":"é","b":1}\n',
    ]


def test_dumps_of_the_class_is_used(monkeypatch):
    """A way to write that is put on the class later is asked."""
    monkeypatch.setattr(DefaultJSONProvider, "dumps", staticmethod(shout))
    assert provider(JSONProvider).body(1) == b"1! ['separators']\n"


def test_own_default_is_used():
    """A ``default`` of its own is asked for what JSON has no word for, also for dates."""
    ours = provider(JSONProvider, default=lambda it: f"my {type(it).__name__}")
    assert ours.body(date(2020, 1, 1)) == b'"my date"\n'
    assert ours.body([date(2020, 1, 1), object()]) == b'["my date","my object"]\n'


class Raising:
    def __init__(self, *errors: BaseException) -> None:
        self.errors = iter(errors)

    def __html__(self) -> str:
        raise next(self.errors)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interruption_is_not_lost(kind):
    """What interrupts a conversion ends it; it is not made a second time."""
    with pytest.raises(kind, match="now"):
        provider(JSONProvider).body([Raising(kind("now"), LookupError("again"))])


def test_the_error_of_a_conversion_is_seen():
    """What a value raises while it is converted is raised, as it is by Flask's provider."""
    with pytest.raises(LookupError, match="mine"):
        provider(JSONProvider).body([Raising(LookupError("mine"), LookupError("mine"))])


def test_html_is_asked_once():
    """A value is converted once."""
    asked = []
    kind = type("Counted", (), {"__html__": lambda self: asked.append(1) or "x"})
    assert provider(JSONProvider).body(kind()) == b'"x"\n'
    assert asked == [1]


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [((), {}, "null"), ((1,), {}, "1"), ((1, 2), {}, "[1,2]"), ((), {"a": 1}, '{"a":1}')],
)
def test_response(args, kwargs, expected):
    """One argument is the value, several are a list, keywords are an object."""
    response = provider(JSONProvider).response(*args, **kwargs)
    assert f"{expected}\n".encode() == response.data


@pytest.mark.parametrize(
    "mimetype", ["application/json", "application/problem+json", "text/json", "image/svg+xml"]
)
def test_a_response_is_flasks(mimetype):
    """A response has the class, the parts and the headers of the one that Flask makes."""
    kinds = (JSONProvider, DefaultJSONProvider)
    ours, theirs = (provider(kind, mimetype=mimetype).response({"a": "é"}) for kind in kinds)
    assert type(theirs) is type(ours)
    assert vars(theirs) == vars(ours)
    assert list(theirs.headers) == list(ours.headers)


def test_response_refuses_both_kinds_of_arguments():
    """Arguments and keywords together are refused."""
    with pytest.raises(TypeError, match="either args or kwargs"):
        provider(JSONProvider).response(1, a=1)


def test_own_response_class_gets_text(monkeypatch):
    """A response class of the application's own gets text, as Flask gives it."""
    given = []

    class Mine(flask.Response):
        def __init__(self, response=None, **kwargs):
            given.append(response)
            super().__init__(response, **kwargs)

    monkeypatch.setattr(app, "response_class", Mine)
    response = provider(JSONProvider, ensure_ascii=False).response("é")
    assert isinstance(response, Mine)
    assert given == ['"é"\n']


NUMBERS = "-0 -0.0 1e5 0.1e1 1e-400 0e999999 18446744073709551616 -9223372036854775809 " + "1" * 400


@pytest.mark.parametrize(
    "text",
    [
        *NUMBERS.split(),
        "123456789012345678901234567890.5",
        '{"a": 1, "b": 2, "a": 3}',
        '"\\ud800"',
        '"\ud800"',
        '"\\ud83d\\ude00 \\u0000 \x7f"',
        " \t\r\n[] ",
    ],
)
def test_unusual_json_is_read(text):
    """What the standard library reads is read, and means the same, type and order included."""
    assert repr(json.loads(text)) == repr(provider(JSONProvider).loads(text))


@pytest.mark.parametrize("coding", "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32".split())
def test_codings(coding):
    """Bytes in UTF-8, UTF-16 and UTF-32 are read, with a byte order mark or without."""
    assert provider(JSONProvider).loads('{"é": "😀"}'.encode(coding)) == {"é": "😀"}


REFUSED = "NaN Infinity -Infinity 1e400 -1e400 01 +1 1. .5 [1,] tru \xa01 '1'"


@pytest.mark.parametrize("text", [*REFUSED.split(" "), "", '"a\nb"', "1" * 400 + ".0", "1" * 5000])
def test_bad_json_is_refused(text):
    """What is not JSON, or a number without end, is a ValueError, as bytes too."""
    for document in (text, text.encode(), text.encode("utf-16"), bytearray(text.encode())):
        with pytest.raises(ValueError, match="."):
            provider(JSONProvider).loads(document)


def test_deep_nesting_is_refused():
    """Nesting beyond what can be read is a ValueError."""
    with pytest.raises(ValueError, match="nested too deeply"):
        provider(JSONProvider).loads("[" * 100_000)


def test_a_text_has_no_byte_order_mark():
    """A byte order mark belongs before bytes; in front of a text it is refused."""
    with pytest.raises(ValueError, match="Unexpected UTF-8 BOM"):
        provider(JSONProvider).loads("\ufeff1")


@pytest.mark.parametrize("data", [b'"\xff"', b'{"\xc0\x80": 1}', b"\xfe\xff\xd8", b"\xff"])
def test_bytes_of_no_coding_are_refused(data):
    """Bytes that are in none of the codings are a ValueError."""
    with pytest.raises(ValueError, match="codec|Expecting"):
        provider(JSONProvider).loads(data)


def test_keyword_arguments_are_the_standard_librarys():
    """Keyword arguments are obeyed, those that admit what is refused otherwise too."""
    ours = provider(JSONProvider)
    assert Decimal("1.10") == ours.loads("1.10", parse_float=Decimal)
    assert [math.inf] == ours.loads("[Infinity]", parse_constant=float)
    with pytest.raises(ValueError, match="NaN is not JSON"):
        ours.loads('{"a": NaN}', object_hook=dict)


def test_other_types_are_refused():
    """What is neither text nor bytes is a TypeError, as it is to the standard library."""
    with pytest.raises(TypeError, match="must be str, bytes or bytearray"):
        provider(JSONProvider).loads(memoryview(b"1"))


def parsed(loads, document):
    try:
        return repr(loads(document))
    except (ValueError, RecursionError):
        return ValueError


def strictly(document):
    """Read with the standard library alone, and refuse what has no end."""
    value = json.loads(document, parse_constant=lambda name: json.loads("no"))
    return json.loads(json.dumps(value, allow_nan=False))


fragments = (
    '{ } [ ] , : " \\ \\ud800 \\udc00 \\u00e9 é \ud800 \ufeff 1 0 - . e E + 9999 1e 1.5 null '
)
fragments += "true false NaN Infinity a \x00 \x7f \x85 'x' 123456789 /**/ \\n \\x"


@settings(max_examples=2000, deadline=None)
@given(
    st.lists(st.sampled_from(fragments.split(" ")) | st.sampled_from(" \t\n\x0b"), max_size=9).map(
        "".join
    )
)
def test_what_is_read_is_what_python_reads(text):
    """Broken and odd documents are read as the standard library does, or refused as it does."""
    ours = provider(JSONProvider)
    assert parsed(strictly, text) == parsed(ours.loads, text)
    data = text.encode("utf-8", "surrogatepass")
    assert parsed(strictly, data) == parsed(ours.loads, data)


@settings(max_examples=1000, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=8,
    ),
    st.binary(max_size=2),
    st.integers(0, 200),
    st.booleans(),
)
def test_damaged_bytes_are_read_as_python_reads_them(obj, damage, at, ensure_ascii):
    """A document with other bytes put in means what it means to the standard library."""
    data = json.dumps(obj, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")
    damaged = data[:at] + damage + data[at + len(damage) :]
    assert parsed(strictly, damaged) == parsed(provider(JSONProvider).loads, damaged)
