"""From path to route: Werkzeug's own tree of rules, made cheap to walk.

Werkzeug matches a path segment by segment along a tree: a literal branch first, then the variable
ones by weight, going back where a branch ends. The same tree is built here, in the same order,
with everything decided that does not depend on the request. Whatever is more than "this rule,
these values" ends the walk with `IRREGULAR`: Werkzeug then matches the path itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from werkzeug.routing import IntegerConverter, Map, UnicodeConverter

from buttress.engine.flaskcompat import Rule, RulePart, State, converters_of, decoded, paths_of

_GROUP = "__werkzeug_"
#: What a variable part may be tested by instead of its regular expression, with the same outcome.
_TESTS: dict[str, Callable[[str], object]] = {
    r"(?P<__werkzeug_0>[^/]{1,})\Z": bool,
    r"(?P<__werkzeug_0>\d+)\Z": str.isdecimal,
}

Convert = Callable[[str], Any]
T = TypeVar("T")


class Target(NamedTuple):
    """A route, and how the texts of its variables become values."""

    route: Any
    converters: tuple[tuple[str, Convert | None], ...]


class Branch(NamedTuple):
    """A variable part of a path: what it accepts, and what may follow."""

    #: A test of the whole part, which is then the only text; ``None`` where there is no such test.
    test: Callable[[str], object] | None
    #: Gives the texts of a part, or ``None`` where it does not fit.
    texts: Callable[[str], list[str] | None]
    #: Whether it takes all that remains of the path.
    final: bool
    node: Node


class Node:
    """A place in the tree of paths."""

    __slots__ = ("branches", "forks", "literal", "only", "targets", "undecided")

    def __init__(self) -> None:
        self.literal: dict[str, Node] = {}
        self.branches: list[Branch] = []
        #: By method; ``None`` for one whose rule is irregular.
        self.targets: dict[str, Target | None] = {}
        #: Whether Werkzeug is to say what a path that ends here, or with one more slash, is.
        self.undecided: bool = False
        #: Whether anything is left to try where a literal part leads nowhere.
        self.forks: bool = False
        #: The branch that is all there is to try where no literal part fits.
        self.only: Branch | None = None


#: Found, but not by a rule that is simple: to be matched by Werkzeug.
IRREGULAR: tuple[None, list[str]] = (None, [])
Found = tuple[Target | None, list[str]]
#: There is no rule for the path, whatever the method.
NOWHERE: tuple[Any, dict[str, Any]] = (None, {})
#: In the place of a method: is there a rule at all?
ANY = None


class Tail(NamedTuple):
    """What may stand at the end of a path: one variable, or else something literal."""

    literal: dict[str, Node]
    test: Callable[[str], object]
    targets: dict[str, Target | None]


class Router(Generic[T]):
    """The rules of one `werkzeug.routing.Map`, at the moment of its making.

    ``routes`` gives what is to be found for a rule, by its `id`, since a rule equals others and has
    no hash. A rule that is not there is left to Werkzeug, and so is everything where the whole is
    empty.
    """

    def __init__(self, url_map: Map, routes: Mapping[int, T]) -> None:
        odd = _odd_rules(url_map)
        plain = {rule: route for rule, route in routes.items() if rule not in odd}
        state = paths_of(url_map) if routes else None
        #: Without it, nothing is known.
        self._root = None if state is None else _node(state, plain)
        #: Path → method → target, for paths without variables.
        self._literal: dict[str, dict[str, Target | None]] = {}
        #: Where a path may end with its one variable, by what stands before that.
        self._tails: dict[str, Tail] = {}
        for parts, node, straight in _literal_nodes(self._root) if self._root else ():
            path = "/".join(parts)
            if path[:2] != "//":  # Werkzeug drops all slashes but one
                self._literal[path] = node.targets
                if straight and node.only is not None and node.only.test and path != "/":
                    self._tails[path] = Tail(node.literal, node.only.test, node.only.node.targets)

    def find(self, method: str, path: str) -> tuple[T, dict[str, Any]] | None:
        """Find the rule of a path, as WSGI has it, and the values of its variables.

        `NOWHERE` where there is no rule for the path, whatever the method; ``None`` where Werkzeug
        has to match, since something is out of the ordinary.
        """
        if not path.isascii():
            path = decoded(path)
        targets = self._literal.get(path)
        if targets is not None and (target := targets.get(method)) is not None:
            return target.route, {}
        before, _, last = path.rpartition("/")
        tail = self._tails.get(before)
        try:
            if tail is None or last in tail.literal:
                return self._find_by_parts(method, path.split("/"))
            if not tail.test(last):
                return None if "//" in path else NOWHERE
            if (target := tail.targets.get(method)) is None:
                return None
            name, convert = target.converters[0]
            return target.route, {name: last if convert is None else convert(last)}
        except ValueError:  # Werkzeug tells a ValidationError from a failure
            return None

    def _find_by_parts(self, method: str, parts: list[str]) -> tuple[T, dict[str, Any]] | None:
        if self._root is None or parts[0] or (len(parts) > 2 and not parts[1]):
            return None
        found = _walk(self._root, parts, 0, [], method)
        if found is None:
            merged = "" in parts[1:-1]  # Werkzeug may redirect to the path with fewer slashes
            known = merged or _walk(self._root, parts, 0, [], ANY) is not None
            return None if known else NOWHERE
        target, texts = found
        if target is None:
            return None
        values = {}
        for (name, convert), text in zip(target.converters, texts):  # noqa: B905 -- as Werkzeug
            values[name] = text if convert is None else convert(text)
        return target.route, values


def _walk(
    node: Node, parts: list[str], at: int, texts: list[str], method: str | None
) -> Found | None:
    """Go along the parts of a path; ``None`` where they lead nowhere and others are to be tried.

    ``texts`` is the caller's to give away: those of the variables met on the way are added to it.
    """
    for part in parts[at:]:
        below = node.literal.get(part)
        if below is not None:
            if node.forks:
                return _fork(node, parts, at, texts, method)
            node = below
        elif (only := node.only) is not None:
            if not only.test(part):  # type: ignore[misc]  # it has one
                return None
            texts.append(part)
            node = only.node
        elif node.forks:
            return _fork(node, parts, at, texts, method)
        else:
            return None
        at += 1
    if method in node.targets:
        return node.targets[method], texts
    return IRREGULAR if node.undecided or (method is ANY and node.targets) else None


def _fork(
    node: Node, parts: list[str], at: int, texts: list[str], method: str | None
) -> Found | None:
    """Try what may follow in Werkzeug's order: the literal part, then the variable ones."""
    part = parts[at]
    below = node.literal.get(part)
    if below is not None:
        found = _walk(below, parts, at + 1, texts.copy(), method)
        if found is not None:
            return found
    for branch in node.branches:
        taken = _taken(branch, part, parts, at)
        if taken is not None:
            rest = len(parts) if branch.final else at + 1
            found = _walk(branch.node, parts, rest, texts + taken, method)
            if found is not None:
                return found
    return IRREGULAR if node.undecided and parts[at:] == [""] else None


def _taken(branch: Branch, part: str, parts: list[str], at: int) -> list[str] | None:
    if branch.test is not None:
        return [part] if branch.test(part) else None
    return branch.texts("/".join(parts[at:]) if branch.final else part)


def _node(state: State, routes: Mapping[int, Any]) -> Node:
    node = Node()
    node.literal = {part: _node(below, routes) for part, below in state.static.items()}
    node.branches = [_branch(part, below, routes) for part, below in state.dynamic]
    for rule in state.rules:
        if rule.methods is None:  # it takes all: none of those that follow is met
            node.undecided = True
            break
        target = _target(rule, routes)
        for method in rule.methods:
            node.targets.setdefault(method, None if method == "OPTIONS" else target)
    below_slash = state.static.get("")
    with_slash = below_slash is not None and bool(below_slash.rules)
    node.undecided |= with_slash or any(not rule.strict_slashes for rule in state.rules)
    node.forks = bool(node.branches) or node.undecided
    if len(node.branches) == 1 and not node.undecided and node.branches[0].test is not None:
        node.only = node.branches[0]
    return node


def _branch(part: RulePart, below: State, routes: Mapping[int, Any]) -> Branch:
    if part.suffixed:  # it may or may not have a slash at its end: irregular, wherever it fits
        node = Node()
        node.undecided = True
    else:
        node = _node(below, routes)
    test = None if part.final else _TESTS.get(part.content)
    return Branch(test, _texts_by(part.content), part.final, node)


def _texts_by(pattern: str) -> Callable[[str], list[str] | None]:
    compiled = re.compile(pattern)
    numbers = {
        int(name.removeprefix(_GROUP)): place
        for name, place in compiled.groupindex.items()
        if name.startswith(_GROUP)
    }
    places = [numbers[number] for number in sorted(numbers)]

    def texts(part: str) -> list[str] | None:
        found = compiled.match(part)
        return None if found is None else [found[place] for place in places]

    return texts


def _target(rule: Rule, routes: Mapping[int, Any]) -> Target | None:
    route = routes.get(id(rule))
    if route is None:
        return None
    return Target(route, tuple((name, _convert(it)) for name, it in converters_of(rule).items()))


def _convert(converter: Any) -> Convert | None:
    """Give a function that does what ``to_python`` does; ``None`` where that is nothing."""
    if type(converter) is UnicodeConverter:
        return None
    plain = {"fixed_digits": 0, "min": None, "max": None}
    if type(converter) is IntegerConverter and plain.items() <= vars(converter).items():
        return int
    convert: Convert = converter.to_python
    return convert


def _odd_rules(url_map: Map) -> frozenset[int]:
    """Name the rules by which a request may be redirected, or that are not for requests."""
    rules = list(url_map.iter_rules())
    defaulting = {rule.endpoint for rule in rules if rule.defaults}
    return frozenset(
        id(rule)
        for rule in rules
        if rule.websocket or rule.redirect_to or rule.alias or rule.endpoint in defaulting
    )


def _literal_nodes(
    node: Node, parts: tuple[str, ...] = (), straight: bool = True
) -> Iterator[tuple[tuple[str, ...], Node, bool]]:
    """Give the nodes of literal paths, and whether nothing else could take such a path."""
    yield parts, node, straight
    for part, below in node.literal.items():
        yield from _literal_nodes(below, (*parts, part), straight and not node.forks)
