"""Raw requests that a server must serve or refuse, and where granian and gunicorn differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.corpora import corpus
from tests.servers import require_server
from tests.serving.running import Running

#: Valid requests that are not answered with 200, by reason.
NOT_SERVED = {
    "granian": {
        "Transfer-Encoding that is not chunked, beside Content-Length": "009",
        "quotes in a target must be percent-encoded (RFC 3986)": "014",
        "a blank before a colon must be refused (RFC 9112, 5.1); valid in a lax mode only": "028",
        "folded headers must be refused (RFC 9112, 5.2); valid in a lax mode only": (
            "compat_obs_fold compat_obs_fold_huge"
        ),
        "Transfer_Encoding is refused, since WSGI cannot tell it from the real one": (
            "040 040_compat"
        ),
        "the body is shorter than its length, so the server waits": "099",
        "the PROXY protocol is a proxy's affair": "pp_01 pp_02 pp_04 pp_05",
        "CONNECT asks for a tunnel, which a service is not": (
            "rfc9112_target_authority_connect_01 rfc9112_target_authority_ipv6_01"
        ),
    },
    "gunicorn": {
        "Transfer-Encoding that is not chunked, beside Content-Length": "009",
        "bytes beyond ASCII in a target must be percent-encoded (RFC 3986)": "027",
        "a blank before a colon must be refused (RFC 9112, 5.1); valid in a lax mode only": "028",
        "a method in lower case is valid in a lax mode only": "031compat 031compat2",
        "folded headers must be refused (RFC 9112, 5.2); valid in a lax mode only": (
            "compat_obs_fold compat_obs_fold_huge"
        ),
        "the body is shorter than its length, so the server waits": "099",
        "the PROXY protocol is a proxy's affair": "pp_01 pp_02 pp_04 pp_05",
    },
}
#: Invalid requests that are answered with 200, by reason.
SERVED = {
    "granian": {
        "valid by the RFCs; refused by a policy of gunicorn's": "003c",
        "valid, and refused only under limits that the corpus sets": (
            "006 007 008 010 011 012 017 limit_header_default_01"
        ),
        "forwarded headers that contradict each other are ignored, not trusted": "019",
        "two Content-Types reach the application as one that fits nothing": "041",
        "a malformed chunk ends the body early, which the server does not report": (
            "chunked_01 chunked_02 chunked_09 chunked_10 chunked_11 chunked_12 chunked_13 "
            "chunked_14 rfc9112_chunked_size_minus_sign_01 rfc9112_chunked_size_plus_sign_01"
        ),
        "codings other than chunked are left to the application": "chunked_07",
        "trailers are dropped unread": (
            "rfc9110_trailer_forbidden_cl_01 rfc9110_trailer_forbidden_host_01 "
            "rfc9110_trailer_forbidden_te_01"
        ),
        "the length is dropped beside chunked, and the connection closed (RFC 9112, 6.3)": (
            "rfc9112_smuggle_cl_te_chunked_01"
        ),
    },
    "gunicorn": {
        "valid, and refused only under limits that the corpus sets": (
            "006 007 008 010 011 012 017 limit_header_default_01"
        ),
        "headers with an underscore are dropped": "040 chunked_07",
        "forwarded headers that contradict each other are ignored, not trusted": "019",
    },
}

#: The line of a request, and its headers.
REQUEST = re.compile(rb"^(\S+ \S+ HTTP/1\.1\r\n)((?:[^\r\n]+\r\n)*\r\n)", re.MULTILINE)


@pytest.mark.parametrize("server", ["granian", "gunicorn"])
@pytest.mark.parametrize(("kind", "exceptions"), [("valid", NOT_SERVED), ("invalid", SERVED)])
def test_corpus(
    start: Callable[..., Running],
    server: str,
    kind: str,
    exceptions: dict[str, dict[str, str]],
) -> None:
    """Valid requests are served and invalid ones refused, but for those that are explained."""
    require_server(server)
    files = sorted(corpus("http-requests").joinpath(kind).iterdir())
    running = start(SERVER=server, ANSWER_ALL=1, THREADS=32, KEEP_ALIVE=1, LOG_LEVEL="CRITICAL")
    with ThreadPoolExecutor(16) as pool:
        served = list(pool.map(lambda file: is_served(running, file), files))
    surprising = {
        file.stem for file, is_ok in zip(files, served, strict=True) if is_ok != (kind == "valid")
    }
    assert surprising == {it for names in exceptions[server].values() for it in names.split()}


def is_served(running: Running, file: Path) -> bool:
    """Tell whether every answer to the requests of a file is 200, and there is one."""
    statuses = re.findall(rb"^HTTP/1\.[01] (\d+)", running.send(raw(file), 1), re.MULTILINE)
    return set(statuses) == {b"200"}


def raw(file: Path) -> bytes:
    r"""Give the bytes that a file stands for: its line ends count only as ``\r`` and ``\n``."""
    text = file.read_bytes().replace(b"\n", b"")
    for written, meant in ((rb"\r", b"\r"), (rb"\n", b"\n"), (rb"\t", b"\t"), (rb"\0", b"\0")):
        text = text.replace(written, meant)
    text = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text)
    return REQUEST.sub(with_host, text)


def with_host(found: re.Match[bytes]) -> bytes:
    """Give the head of a request a host, without which it is refused before anything else."""
    line, headers = found.groups()
    return found[0] if b"host:" in headers.lower() else line + b"Host: corpus.test\r\n" + headers
