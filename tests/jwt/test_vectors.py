"""The signatures and keys of Wycheproof and of RFC 7520."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from buttress.jwt import Keys, TokenRefused, Verifier, from_jwk
from buttress.jwt.key import ALGORITHMS
from tests.corpora import corpus

WYCHEPROOF = ("json_web_signature_test", "json_web_key_test", "json_web_crypto_test")
COOKBOOK = ("4_1.rsa_v15_signature", "4_4.hmac-sha2_integrity_protection")
#: Called valid there, though a character that is no Base64 was put in after it was signed, so that
#: the signature is of another text (RFC 7515, 2 and 5.2).
NOT_VALID = {("json_web_signature_test", 372), ("json_web_signature_test", 373)}
#: Called invalid there for their padding, which they do not have: they are number 357, which is
#: called valid (https://github.com/C2SP/wycheproof/issues/236).
NOT_INVALID = {("json_web_signature_test", 367), ("json_web_signature_test", 370)}


class Vector(NamedTuple):
    """A token, the keys of who gets it, and whether it is good."""

    file: str
    number: int
    about: str
    keys: dict[str, Any]
    token: Any
    valid: bool


def read(name: str) -> Any:
    """Read a file of the corpus."""
    return json.loads((corpus("jose") / f"{name}.json").read_text(encoding="utf-8"))


def vectors(name: str) -> Iterator[Vector]:
    """List the signatures of a file."""
    for group in read(name)["testGroups"]:
        keys = group.get("public") or group["private"]
        for test in group["tests"]:
            if "jws" in test:
                valid = test["result"] == "valid"
                yield Vector(name, test["tcId"], test["comment"], keys, test["jws"], valid)


def accepted(vector: Vector) -> bool:
    """Tell whether the keys are good ones and one of them made the signature."""
    try:
        keys = Keys(from_jwk(jwk) for jwk in vector.keys.get("keys", [vector.keys]))
        Verifier(keys).signed(vector.token)
    except (TokenRefused, ValueError):
        return False
    return True


def is_allowed(vector: Vector) -> bool:
    """Tell whether the token and its key name an algorithm that we have."""
    first = vector.token.partition(".")[0]
    named = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))["alg"]
    return named in ALGORITHMS


@pytest.mark.parametrize("name", WYCHEPROOF)
def test_nothing_invalid_is_accepted(name: str) -> None:
    """No token that is forged, malformed or signed by a bad key is taken."""
    listed = [it for it in vectors(name) if not it.valid]
    wrong = [it for it in listed if (name, it.number) not in NOT_INVALID]
    assert len(wrong) > 10
    assert [it for it in wrong if accepted(it)] == []


@pytest.mark.parametrize("name", WYCHEPROOF)
def test_everything_valid_is_accepted(name: str) -> None:
    """Every good token of an algorithm that we have is taken."""
    good = [it for it in vectors(name) if it.valid and (name, it.number) not in NOT_VALID]
    ours = [it for it in good if is_allowed(it)]
    assert len(ours) >= 3
    assert [it for it in ours if not accepted(it)] == []
    assert [it for it in good if not is_allowed(it) and accepted(it)] == []


@pytest.mark.parametrize("name", COOKBOOK)
def test_the_examples_of_the_rfc(name: str) -> None:
    """The examples of RFC 7520 whose algorithms we have are taken, in their compact form alone."""
    example = read(name)
    key = {it: value for it, value in example["input"]["key"].items() if it != "d"}
    vector = Vector(name, 0, "", key, example["output"]["compact"], True)
    assert accepted(vector)
    for other in (example["output"]["json"], json.dumps(example["output"]["json_flat"])):
        assert not accepted(vector._replace(token=other))


def test_what_is_left_out_is_explained() -> None:
    """Those called invalid by mistake are one that is called valid; those called valid are none."""
    known = {it.number: it for it in vectors("json_web_signature_test")}
    assert {known[number].token for _, number in NOT_INVALID} == {known[357].token}
    for _, number in NOT_VALID:
        assert known[number].token.replace("?", "") == known[357].token


def test_an_example_with_its_payload_elsewhere() -> None:
    """What is signed must be in the token."""
    example = read("4_5.signature_with_detached_content")
    key, token = example["input"]["key"], example["output"]["compact"]
    payload = urlsafe_b64encode(example["input"]["payload"].encode()).decode().rstrip("=")
    assert not accepted(Vector("", 0, "", key, token, False))
    assert accepted(Vector("", 0, "", key, token.replace("..", f".{payload}."), True))
