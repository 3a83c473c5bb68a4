from __future__ import annotations

import pytest

from buttress.errors import ButtressError
from buttress.peers.address import Addresses, UnknownPeer, base_url


def found(environ: dict[str, str], name: str = "piste", prefix: str = "") -> str:
    addresses = Addresses({}, prefix, environ)
    return addresses.url(name, addresses.known(name))


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("127.0.0.1:9401", "http://127.0.0.1:9401"),
        (" piste:9401 ", "http://piste:9401"),
        ("http://10.0.0.1:80/", "http://10.0.0.1:80"),
        ("https://piste.example:8443/api/v1/", "https://piste.example:8443/api/v1"),
        ("HTTPS://piste.example", "https://piste.example"),
        ("tcp://10.0.0.1:9401", "http://10.0.0.1:9401"),
        ("[::1]:9401", "http://[::1]:9401"),
    ],
)
def test_forms(value: str, url: str) -> None:
    """An address may have every documented form; https stays, a link of Kubernetes is http."""
    assert base_url(value) == url


@pytest.mark.parametrize(
    ("host", "url"), [("10.0.0.1", "http://10.0.0.1:9401"), ("fd00::1", "http://[fd00::1]:9401")]
)
def test_host_and_port(host: str, url: str) -> None:
    """Kubernetes' own variables have the host and the port apart."""
    environ = {"PISTE_SERVICE_HOST": host, "PISTE_SERVICE_PORT": "9401"}
    assert found(environ) == url


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("piste", "PISTE_SERVICE_PORT"),
        ("snow-gun", "SNOW_GUN_SERVICE_PORT"),
        ("snow.gun 2", "SNOW_GUN_2_SERVICE_PORT"),
    ],
)
def test_names(name: str, variable: str) -> None:
    """A name is written in capitals, with an underscore for all that is no letter or digit."""
    assert found({variable: "127.0.0.1:1"}, name) == "http://127.0.0.1:1"


def test_development_has_a_prefix() -> None:
    """With a prefix only the variables that begin with it count."""
    environ = {"PISTE_SERVICE_PORT": "1.1.1.1:1", "GNAR_PISTE_SERVICE_PORT": "127.0.0.1:9401"}
    assert found(environ, prefix="GNAR_") == "http://127.0.0.1:9401"


def test_settings_win() -> None:
    """An address in the settings wins over the environment, whatever way the name is written."""
    addresses = Addresses({"snow-gun": "a:1"}, "", {"SNOW_GUN_SERVICE_PORT": "b:2"})
    assert addresses.url("snow_gun", addresses.known("snow_gun")) == "http://a:1"


@pytest.mark.parametrize("environ", [{}, {"GNAR_PISTE_SERVICE_PORT": ""}])
def test_missing(environ: dict[str, str]) -> None:
    """A missing or empty address is a ValueError of ours that names the variables."""
    with pytest.raises(UnknownPeer, match="GNAR_PISTE_SERVICE_PORT.*GNAR_PISTE_SERVICE_HOST") as it:
        found(environ, prefix="GNAR_")
    assert isinstance(it.value, ValueError)
    assert isinstance(it.value, ButtressError)
    assert it.value.peer == "piste"


@pytest.mark.parametrize("name", ["", " ", "--"])
def test_no_name(name: str) -> None:
    """A name without a letter or digit is refused."""
    with pytest.raises(UnknownPeer, match="no name of a peer"):
        found({"_SERVICE_PORT": "a:1"}, name)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("9401", "port only"),
        ("ftp://a:1", "cannot be called"),
        ("udp://10.0.0.1:53", "cannot be called"),
        ("http://", "no address"),
        ("http://a:99999", "no address"),
        ("http://a:0", "no address"),
        ("a:", "no address"),
        ("a b:1", "no address"),
        ("a:1\r\nX-Evil: 1", "no address"),
        ("a:1?x=1", "no address"),
        ("a:1#x", "no address"),
        ("http://[::1:9401", "no address"),
        ("http://me:secret@a:1", "user name or password"),
    ],
)
def test_no_address(value: str, why: str) -> None:
    """What is no address is refused with the variable and the reason, and without a password."""
    with pytest.raises(UnknownPeer, match=f"PISTE_SERVICE_PORT.*{why}") as it:
        found({"PISTE_SERVICE_PORT": value})
    assert "secret" not in str(it.value)
