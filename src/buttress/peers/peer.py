"""What makes calls: a peer by its paths, the world outside by URLs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar

from buttress.peers.failure import TRANSLATED, BrokenAnswer, PeerError, PeerUnavailable, translated
from buttress.peers.guarded import AddressRefused
from buttress.web import REQUEST_ID_HEADER, current_deadline, current_request_id

logger = logging.getLogger("buttress.peers")

Timeouts = tuple[float, float]


class ForgetfulJar(RequestsCookieJar):
    """A jar that keeps no cookie: one user's must not go along with another's call."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep nothing of an answer; its own ``cookies`` have it."""


class _Session(Session):
    """A session whose redirects give nothing away, and fail as everything else does."""

    def resolve_redirects(
        self, resp: Response, req: PreparedRequest, *args: Any, **kwargs: Any
    ) -> Iterator[Response]:
        """Follow redirects; one that leads to no URL is the other side's mistake."""
        try:
            yield from super().resolve_redirects(resp, req, *args, **kwargs)
        except (AddressRefused, requests.exceptions.InvalidSchema):
            raise
        except ValueError as error:
            raise BrokenAnswer(error, request=req) from error

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Take the cookies of the call away as well where a redirect leads to another host."""
        # The stubs of requests say nothing of these methods.
        untyped: Any = super()
        untyped.rebuild_auth(prepared_request, response)
        if untyped.should_strip_auth(response.request.url, prepared_request.url):
            jar = prepared_request._cookies
            for cookie in [it for it in jar if not it.domain]:
                jar.clear(cookie.domain, cookie.path, cookie.name)
            prepared_request.headers.pop("Cookie", None)
            prepared_request.prepare_cookies(jar)


class Calls:
    """Send requests with what each of them needs: timeouts, an id, and errors that are answers."""

    def __init__(
        self, adapters: Mapping[str, BaseAdapter], timeouts: Timeouts, verify: str | bool
    ) -> None:
        self._timeouts = timeouts
        self._session = session = _Session()
        session.adapters.clear()
        for prefix, adapter in adapters.items():
            session.mount(prefix, adapter)
        session.trust_env = False
        session.verify = verify
        session.cookies = ForgetfulJar()

    def send(self, peer: str | None, method: str, url: str, options: dict[str, Any]) -> Response:
        """Send one request. Raises `PeerError` where the other side gives no answer."""
        options.setdefault("timeout", self._timeouts)
        request_id = current_request_id()
        if request_id is not None:
            options["headers"] = {REQUEST_ID_HEADER: request_id, **(options.get("headers") or {})}
        try:
            return self._session.request(method, url, **options)
        except PeerError as error:
            if not isinstance(error, PeerUnavailable):
                logger.warning("%s %s", method.upper(), error)
            raise
        except TRANSLATED as error:
            failure = translated(peer or _host(error.request), error)
            logger.warning("%s %s", method.upper(), failure)
            raise failure from error


class Peer:
    """One other service, called by paths; every keyword of requests is accepted.

    Raises `PeerError` where it gives no answer: `PeerUnavailable`, `PeerTimeout`, and beneath each
    the error of requests that it stands for.
    """

    def __init__(
        self,
        name: str,
        address: str,
        calls: Calls,
        authorize: Callable[[], str | None],
        deadline_header: str,
    ) -> None:
        self.name = name
        #: The URL before every path, without a last slash.
        self.address = address
        self._calls = calls
        self._authorize = authorize
        self._deadline_header = deadline_header

    def request(
        self, method: str, path: str, *, auto_auth: bool = False, **kwargs: Any
    ) -> Response:
        """Send a request to a path; a leading slash changes nothing.

        With ``auto_auth`` the caller's identity goes along where the current route is protected,
        unless the call has an Authorization of its own.
        """
        added = self._added_headers(auto_auth and kwargs.get("auth") is None)
        if added:
            kwargs["headers"] = {**added, **(kwargs.get("headers") or {})}
        return self._calls.send(self.name, method, f"{self.address}/{path.lstrip('/')}", kwargs)

    def head(self, path: str, **kwargs: Any) -> Response:
        """Send a HEAD request; redirects are followed only where asked."""
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", path, **kwargs)

    def get(self, path: str, params: Any = None, **kwargs: Any) -> Response:
        """Send a GET request."""
        return self.request("GET", path, params=params, **kwargs)

    def options(self, path: str, **kwargs: Any) -> Response:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", path, **kwargs)

    def post(self, path: str, data: Any = None, json: Any = None, **kwargs: Any) -> Response:
        """Send a POST request."""
        return self.request("POST", path, data=data, json=json, **kwargs)

    def put(self, path: str, data: Any = None, **kwargs: Any) -> Response:
        """Send a PUT request."""
        return self.request("PUT", path, data=data, **kwargs)

    def patch(self, path: str, data: Any = None, **kwargs: Any) -> Response:
        """Send a PATCH request."""
        return self.request("PATCH", path, data=data, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Response:
        """Send a DELETE request."""
        return self.request("DELETE", path, **kwargs)

    def _added_headers(self, with_identity: bool) -> dict[str, str]:
        added: dict[str, str] = {}
        deadline = current_deadline() if self._deadline_header else None
        if deadline is not None:
            added[self._deadline_header] = f"{deadline.left():.3f}"
        authorization = self._authorize() if with_identity else None
        if authorization is not None:
            added["Authorization"] = authorization
        return added


class External:
    """The world outside, called by URLs; every keyword of requests is accepted.

    Raises `PeerError` where the other side gives no answer, and `AddressRefused` for an address
    that may not be called.
    """

    #: As in requests, whose place this takes.
    exceptions = requests.exceptions

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def request(self, method: str, url: str, **kwargs: Any) -> Response:
        """Send a request to a URL."""
        return self._calls.send(None, method, url, kwargs)

    def head(self, url: str, **kwargs: Any) -> Response:
        """Send a HEAD request; redirects are followed only where asked."""
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **kwargs)

    def get(self, url: str, params: Any = None, **kwargs: Any) -> Response:
        """Send a GET request."""
        return self.request("GET", url, params=params, **kwargs)

    def options(self, url: str, **kwargs: Any) -> Response:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", url, **kwargs)

    def post(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Response:
        """Send a POST request."""
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(self, url: str, data: Any = None, **kwargs: Any) -> Response:
        """Send a PUT request."""
        return self.request("PUT", url, data=data, **kwargs)

    def patch(self, url: str, data: Any = None, **kwargs: Any) -> Response:
        """Send a PATCH request."""
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url: str, **kwargs: Any) -> Response:
        """Send a DELETE request."""
        return self.request("DELETE", url, **kwargs)


def _host(request: Any) -> str:
    url = request.url if isinstance(request, PreparedRequest) else None
    return (url or "?").partition("://")[2].partition("/")[0].rpartition("@")[2] or "?"
