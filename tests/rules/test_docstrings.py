"""Rule 10: every public name has a docstring, short and imperative."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from statistics import median

import pytest

from tests.rules.source import Defined, Source, decorators, definitions, library
from tests.rules.verdict import expect_none

DOCSTRING_MEDIAN = 5
# The verbs of the extension protocol have one meaning each, given in docs/extensions.md.
HOOKS = frozenset({"requires", "build", "start", "check", "drain", "close"})
# Words that end in s without being a third person.
IMPERATIVE = frozenset({"focus"})


def documented(found: Iterable[Source]) -> list[Defined]:
    """List what needs a docstring: every public name that does not repeat a documented one."""
    everything = [it for source in found for it in definitions(source)]
    inherited = _inherited(everything)
    return [it for it in everything if _needs_docstring(it) and (it.name not in inherited)]


def missing(found: Iterable[Source]) -> list[str]:
    """Name the public modules, classes and functions without a docstring."""
    found = list(found)
    modules = [f"{it.path}:1: the module" for it in found if not ast.get_docstring(it.tree)]
    names = [it.place for it in documented(found) if not ast.get_docstring(it.node)]
    return [
        f"{place} has no docstring: say in one sentence what it does"
        for place in [*modules, *names]
    ]


def not_imperative(found: Iterable[Source]) -> list[str]:
    """Name the functions whose docstring does not begin with a command, or has no full stop."""
    return [
        f"{it.place}: begin with an imperative sentence and end it with a full stop, not {first!r}"
        for it in documented(found)
        if not isinstance(it.node, ast.ClassDef) and (first := _first_sentence(it.node))
        if _is_third_person(first) or not first.endswith((".", "?", "::"))
    ]


def lengths(found: Iterable[Source]) -> list[int]:
    """Count the lines of every docstring of a public name."""
    texts = (ast.get_docstring(it.node) for it in documented(found))
    return [text.count("\n") + 1 for text in texts if text]


def _needs_docstring(it: Defined) -> bool:
    return (
        it.is_public
        and "<locals>" not in it.name
        and not decorators(it.node) & {"overload", "override", "setter", "deleter"}
        and not (it.owner and it.node.name in HOOKS)
        and not _is_stub(it.node)
    )


def _is_stub(node: ast.AST) -> bool:
    """Tell whether a body is only ``...``; the protocol around it says what it is for."""
    body = getattr(node, "body", [])
    return len(body) == 1 and ast.unparse(body[0]) == "..."


def _inherited(everything: Iterable[Defined]) -> set[str]:
    """Give the methods that override one of our own classes, which documents them."""
    methods: dict[str, set[str]] = {}
    owners: dict[str, ast.ClassDef] = {}
    for it in everything:
        if it.owner is not None:
            owners[it.owner.name] = it.owner
            methods.setdefault(it.owner.name, set()).add(it.node.name)
    return {
        f"{owner.name}.{name}"
        for owner in owners.values()
        for name in methods[owner.name]
        if any(name in methods.get(base, ()) for base in _bases(owner))
    }


def _bases(node: ast.ClassDef) -> list[str]:
    plain = (it.value if isinstance(it, ast.Subscript) else it for it in node.bases)
    return [ast.unparse(it).rpartition(".")[2] for it in plain]


def _first_sentence(node: ast.AST) -> str:
    text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
    return " ".join((text or "").partition("\n\n")[0].split())


def _is_third_person(sentence: str) -> bool:
    word = sentence.split()[0].lower()
    return word.endswith("s") and not word.endswith("ss") and word not in IMPERATIVE


def python(text: str, name: str = "buttress.x") -> Source:
    """Make a file of the library."""
    return Source("x.py", text, name)


def test_every_public_name_has_a_docstring() -> None:
    """Every public module, class and function says what it does."""
    expect_none(missing(library()))


def test_docstrings_are_imperative() -> None:
    """The docstring of a function begins with an imperative sentence."""
    expect_none(not_imperative(library()))


def test_docstrings_are_short() -> None:
    """Half of the docstrings have at most five lines."""
    assert median(lengths(library())) <= DOCSTRING_MEDIAN


@pytest.mark.parametrize(
    "text",
    [
        '"""M."""\ndef f(): pass',
        '"""M."""\nclass A:\n    """A."""\n    def f(self): pass',
        '"""M."""\nif True:\n    class A: pass',
        "x = 1",
    ],
)
def test_rule_sees_a_missing_docstring(text: str) -> None:
    """The rule looks at modules, classes, methods, and inside conditions."""
    assert len(missing([python(text)])) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"""M."""\ndef _f(): pass',
        '"""M."""\nclass _A:\n    def f(self): pass',
        '"""M."""\nclass A:\n    """A."""\n    def start(self, it): pass',
        '"""M."""\nclass A:\n    """A."""\n    def f(self): ...',
        '"""M."""\nclass A:\n    """A."""\n    def f(self):\n        """Do."""\n'
        'class B(A):\n    """B."""\n    def f(self): pass',
    ],
)
def test_rule_lets_be(text: str) -> None:
    """Private names, hooks, protocol stubs and overrides of ours need none."""
    assert missing([python(text)]) == []


@pytest.mark.parametrize("sentence", ["Returns the name.", "Give the name"])
def test_rule_sees_a_sentence_that_is_no_command(sentence: str) -> None:
    """The rule refuses a third person, and a sentence without an end."""
    assert len(not_imperative([python(f'def f():\n    """{sentence}"""')])) == 1
