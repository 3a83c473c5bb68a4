"""Where a nonce belongs in a Content Security Policy (CSP Level 3)."""

from __future__ import annotations

#: The directives that decide over what stands inline in a page.
INLINE = ("script-src", "style-src")
#: Those that take their place for elements, where a policy has them.
ELEMENTS = tuple(f"{name}-elem" for name in INLINE)
_PLACE = "\0"


def with_place_for_nonce(policy: str) -> list[str]:
    """Give the pieces of a policy between which a nonce belongs, for scripts and for styles.

    A directive that is missing is made of ``default-src``; where neither is there, all is allowed.
    One that has ``'unsafe-inline'`` stays, since a nonce would take that away.
    """
    return ",".join(map(_with_place, policy.split(","))).split(_PLACE)


def _with_place(policy: str) -> str:
    directives: dict[str, list[str]] = {}
    for text in policy.split(";"):
        words = text.split()
        if words:
            directives.setdefault(words[0].lower(), words[1:])  # the first of a name holds
    for name in INLINE:
        if "default-src" in directives:
            directives.setdefault(name, directives["default-src"])
    for name in (*INLINE, *ELEMENTS):
        if name in directives:
            directives[name] = _allowing_nonce(directives[name])
    return "; ".join(" ".join((name, *sources)) for name, sources in directives.items())


def _allowing_nonce(sources: list[str]) -> list[str]:
    lower = [source.lower() for source in sources]
    if "'unsafe-inline'" in lower:
        return sources
    return [
        *(each for each, low in zip(sources, lower, strict=True) if low != "'none'"),
        f"'nonce-{_PLACE}'",
    ]
