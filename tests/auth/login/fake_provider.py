"""An OpenID provider that can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

import requests
from joserfc import jws
from joserfc.jwk import ECKey, Key
from urllib3.exceptions import ProtocolError

BASIC = "client_secret_basic"
ISSUER = "https://login.example"
CLIENT, SECRET = "piste", "a:b%c d+e/é"
SETTINGS = {
    "AUTH_OIDC_ISSUER": ISSUER,
    "AUTH_OIDC_CLIENT_ID": CLIENT,
    "AUTH_OIDC_CLIENT_SECRET": SECRET,
}


class FakeProvider:
    """Answer what `requests` asks, in place of its adapter, as this provider would."""

    def __init__(self) -> None:
        #: What its document says beside or instead of the usual.
        self.document: dict[str, Any] = {}
        self.keys: list[Key] = [ECKey.generate_key("P-256", {"kid": "one"})]
        #: What signs, where that is none of its keys.
        self.signer: Key | None = None
        #: An ID token that is given whatever it should say.
        self.token: str | None = None
        #: What its ID tokens say beside or instead of the usual; ``None`` leaves a claim out.
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {"sub": "ada"}
        #: Answers that are given whatever was asked, by path.
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.down = self.breaks_off = False
        #: The paths that were asked for.
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, url: str) -> dict[str, str]:
        """Let somebody log in who was sent here; give the parameters they are sent back with."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": ISSUER}

    def id_token(self, asked: Mapping[str, str]) -> str:
        """Sign what is said of who logged in."""
        if self.token is not None:
            return self.token
        signer, claims = self.signer or self.keys[0], self._said(asked)
        said = {"alg": "ES256", "kid": signer.kid, **self.header}
        header = {name: value for name, value in said.items() if value is not None}
        return jws.serialize_compact(header, json.dumps(claims), signer, [header["alg"]])

    def signed_with(self, secret: bytes, asked: Mapping[str, str]) -> str:
        """Sign it with a secret (HS256)."""
        header = {"alg": "HS256", "kid": self.keys[0].kid}
        text = ".".join(_encoded(json.dumps(it).encode()) for it in (header, self._said(asked)))
        return f"{text}.{_encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"

    def _said(self, asked: Mapping[str, str]) -> dict[str, Any]:
        now = int(time.time())
        usual = {"iss": ISSUER, "sub": "ada", "aud": CLIENT, "iat": now, "exp": now + 60}
        said = {**usual, "nonce": asked["nonce"], **self.claims}
        return {name: value for name, value in said.items() if value is not None}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Answer a request."""
        assert options["timeout"] <= 5
        assert options["verify"] is True
        if self.down:
            raise requests.ConnectionError("nobody is there")
        url = str(request.url)
        assert url.startswith(f"{ISSUER}/")
        path = urlsplit(url).path
        self.asked.append(path)
        status, content = self.answers.get(path) or self._answer(path, request)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = status, url, request
        answer.headers["Content-Type"] = "application/json"
        if status == 302:
            answer.headers["Location"] = f"{ISSUER}/elsewhere"
        answer.raw = Broken() if self.breaks_off else BytesIO(content)
        return answer

    def _answer(self, path: str, request: requests.PreparedRequest) -> tuple[int, bytes]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, json.dumps(self._document()).encode()
            case "/jwks":
                keys = [key.as_dict(private=False) for key in self.keys]
                odd = {"kty": "AKP", "kid": "of another age", "pub": "x"}
                broken = {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"}
                return 200, json.dumps({"keys": [odd, broken, *keys]}).encode()
            case "/token":
                return self._token(request)
            case "/me":
                assert request.headers["Authorization"] == "Bearer at"
                return 200, json.dumps(self.userinfo).encode()
            case _:
                return 404, b"{}"

    def _document(self) -> dict[str, Any]:
        names = {"authorization": "auth", "token": "token", "userinfo": "me"}
        return {
            "issuer": ISSUER,
            **{f"{name}_endpoint": f"{ISSUER}/{path}" for name, path in names.items()},
            "jwks_uri": f"{ISSUER}/jwks",
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }

    def _token(self, request: requests.PreparedRequest) -> tuple[int, bytes]:
        body = request.body
        given = parse_qs(body.decode() if isinstance(body, bytes) else str(body))
        assert self._is_our_client(request, given)
        asked = self._codes.pop(given["code"][0], None)
        digest = hashlib.sha256(given["code_verifier"][0].encode()).digest()
        challenge = _encoded(digest)
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or given["redirect_uri"] != [asked["redirect_uri"]]
        ):
            return 400, b'{"error": "invalid_grant"}'
        tokens = {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token(asked)}
        return 200, json.dumps(tokens).encode()

    def _is_our_client(
        self, request: requests.PreparedRequest, given: Mapping[str, list[str]]
    ) -> bool:
        header = request.headers.get("Authorization")
        if header is None:
            return (given["client_id"], given.get("client_secret", [SECRET])) == (
                [CLIENT],
                [SECRET],
            )
        methods = self.document.get("token_endpoint_auth_methods_supported", [BASIC])
        text = base64.b64decode(header.removeprefix("Basic ")).decode()
        known = [unquote_plus(part) for part in text.split(":")]
        return BASIC in methods and known == [CLIENT, SECRET]


class Broken(BytesIO):
    """A body that breaks off."""

    def read1(self, size: int | None = -1, /) -> bytes:
        """End too early."""
        raise ProtocolError("it broke off")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
