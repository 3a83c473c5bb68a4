"""A provider as a server: what it is asked, and how much and for how long it may answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from buttress.breaker import Breaker, LeftAlone
from buttress.web import current_deadline

logger = logging.getLogger("buttress.oidc")

#: Seconds that a provider may be silent; its whole answer may take twice as long.
TIMEOUT = 5.0
#: Bytes that an answer may have.
LONGEST = 256 * 1024
#: Seconds from which on a failure is one that somebody has waited for.
WAITED = 1.0
#: What is raised where a provider does not answer, or not as it should.
FAILURES = (requests.RequestException, HTTPError, LeftAlone, ValueError, RecursionError)

S = TypeVar("S", bound=requests.Session)


class ProviderDown(Exception):
    """Raised when a provider does not answer as it should, for a reason for the log alone."""


class ProviderRefuses(ProviderDown):
    """Raised when a provider refuses; ``error`` is the code of RFC 6749, 5.2."""

    def __init__(self, error: str) -> None:
        super().__init__(f"it refuses: {error!a}")
        self.error = error


class SlowFailure(requests.RequestException):
    """Raised when an answer failed after somebody had waited for it."""


class Server:
    """Ask a provider. Any thread may; what fails raises `ProviderDown`.

    One that lets somebody wait in vain is left alone for a while, so that others need not. What
    fails at once is no reason for that, since a hostile question may make it so.
    """

    def __init__(self, name: str, ca_file: Path | None = None, timeout: float = TIMEOUT) -> None:
        self._ca_file = True if ca_file is None else str(ca_file)
        self._timeout = timeout
        what = f"the provider {name}"
        self._breaker = Breaker(what, "nobody can log in there", (SlowFailure,), logger)

    def ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """Give the JSON object of an answer. Raises `ProviderRefuses` where it has an error."""
        with self.asked(url), self.settled(requests.Session()) as session:
            return _read(session.request(method, url, allow_redirects=False, **options))

    @contextmanager
    def asked(self, url: str) -> Iterator[None]:
        """Raise `ProviderDown` for what fails inside."""
        try:
            yield
        except FAILURES as error:
            raise ProviderDown(f"{url}: {error}") from error

    def settled(self, session: S) -> S:
        """Give a session bounds. Each question has one, for there are few and then long none."""
        # Neither .netrc nor a proxy of the environment has a say in who somebody is.
        session.trust_env = False
        session.verify = self._ca_file
        session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Bounded(self._breaker, self._timeout))
        return session


class _Bounded(HTTPAdapter):
    """Read each answer whole, and of none too much or for too long."""

    def __init__(self, breaker: Breaker, timeout: float) -> None:
        super().__init__()
        self._breaker = breaker
        self._timeout = timeout

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request, and give its answer. Raises `LeftAlone`."""
        return self._breaker.call(self._exchange, request, verify=verify, cert=cert)

    def _exchange(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        began, seconds = time.monotonic(), self._seconds()
        try:
            response = super().send(request, stream=True, timeout=seconds, **options)
            with response:
                content = _content(response, began + 2 * seconds)
        except (requests.RequestException, HTTPError, ValueError) as error:
            if time.monotonic() - began < WAITED:
                raise
            raise SlowFailure(f"{error}") from error
        response.raw = BytesIO(content)
        return response

    def _seconds(self) -> float:
        """Give the time that it may be silent: less where somebody waits no longer."""
        deadline = current_deadline()
        return self._timeout if deadline is None else min(self._timeout, deadline.left())


def _content(response: requests.Response, end: float) -> bytes:
    if response.status_code >= 500:
        raise ValueError(f"it answers {response.status_code}")
    content = b""  # as it was sent: nothing is unpacked
    while part := response.raw.read1(16_384):  # what is there; more would wait for all of it
        content += part
        if len(content) > LONGEST:
            raise ValueError(f"its answer has more than {LONGEST} bytes")
        if time.monotonic() > end:
            raise requests.Timeout("its answer does not end")
    return content


def _read(response: requests.Response) -> dict[str, Any]:
    """Read an answer. Raises `ProviderRefuses`, and `ValueError` for one that is none."""
    status = response.status_code
    if status != 200 and not 400 <= status < 500:
        raise ValueError(f"it answers {status}")
    found = msgspec.json.decode(response.content, type=dict[str, Any])
    if status == 200:
        return found
    error = found.get("error")
    if status == 429 or not isinstance(error, str):
        raise ValueError(f"it answers {status}")
    raise ProviderRefuses(error[:80])
