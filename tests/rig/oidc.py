"""A company's login as Troth meets it: an OpenID provider over real HTTP, which holds clients to what they registered.

It keeps to the code flow: addresses that are not registered are refused, a code is good once and for its client, and
with the verifier of its challenge alone (RFC 7636); tokens are signed by a key that it publishes. Whoever comes is
signed in as *claims* says. What a test wants to be wrong, it sets: *claims*, or *signs*, which makes the token.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

Claims = dict[str, Any]


@dataclass
class FakeProvider:
    """Use it in a ``with`` block; *url* is its issuer then."""

    client: str = "troth"
    secret: str = "a secret: with signs"
    redirects: tuple[str, ...] = ()
    claims: Claims = field(default_factory=lambda: {"sub": "u-1"})
    userinfo: Claims = field(default_factory=dict)
    signs: Callable[[Claims], str] | None = None
    """Makes the identity token of its claims; by default by the published key."""
    url: str = ""
    tokens_given: int = 0

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._codes: dict[str, dict[str, str]] = {}

    def sign(self, claims: Claims, *, key: Any = None, algorithm: str = "ES256", kid: str = "k1") -> str:
        """An identity token, by the published key unless another is given."""
        return jwt.encode(claims, self.key if key is None else key, algorithm=algorithm, headers={"kid": kid})

    def __enter__(self) -> FakeProvider:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())

            def _answer(self, body: str) -> None:
                parts = urlsplit(self.path)
                form = dict(parse_qsl(body if self.command == "POST" else parts.query))
                status, told, place = fake._answer(parts.path, form, self.headers.get("Authorization", ""))
                data = json.dumps(told).encode()
                self.send_response(status)
                if place:
                    self.send_header("Location", place)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing: what is asked holds secrets."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    # --- what it answers -------------------------------------------------------------------------------------------

    def _answer(self, path: str, given: dict[str, str], authorization: str) -> tuple[int, Claims, str]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._about(), ""
            case "/keys":
                public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
                return 200, {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "ES256"}]}, ""
            case "/authorize":
                return self._authorize(given)
            case "/token":
                return self._token(given, authorization)
            case "/userinfo" if authorization.startswith("Bearer access-"):
                return 200, {"sub": self.claims.get("sub"), **self.userinfo}, ""
        return 404, {"error": "not_found"}, ""

    def _about(self) -> Claims:
        places = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **{f"{name}_endpoint": f"{self.url}/{path}" for name, path in places.items()},
        }

    def _authorize(self, given: dict[str, str]) -> tuple[int, Claims, str]:
        back = given.get("redirect_uri", "")
        if given.get("client_id") != self.client or back not in self.redirects:
            return 400, {"error": "invalid_request"}, ""  # never redirected: the address may be anybody's
        answer = {"state": given.get("state", ""), "iss": self.url}
        if given.get("response_type") != "code" or "openid" not in given.get("scope", "").split():
            return 302, {}, f"{back}?{urlencode({**answer, 'error': 'invalid_request'})}"
        if given.get("code_challenge_method") != "S256" or not given.get("code_challenge"):
            return 302, {}, f"{back}?{urlencode({**answer, 'error': 'invalid_request'})}"
        code = secrets.token_urlsafe(16)
        self._codes[code] = {**given, "at": str(int(time.time()))}
        return 302, {}, f"{back}?{urlencode({**answer, 'code': code})}"

    def _token(self, given: dict[str, str], authorization: str) -> tuple[int, Claims, str]:
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote_plus(user), unquote_plus(password)) != (self.client, self.secret):
            return 401, {"error": "invalid_client"}, ""
        asked = self._codes.pop(given.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or given.get("grant_type") != "authorization_code"
            or given.get("redirect_uri") != asked["redirect_uri"]
            or challenge.rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}, ""
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client, "iat": now, "exp": now + 60, "nonce": asked.get("nonce", "")}
        if "max_age" in asked:
            claims["auth_time"] = int(asked["at"])
        claims = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        self.tokens_given += 1
        token = (self.signs or self.sign)(claims)
        return 200, {"access_token": f"access-{secrets.token_hex(4)}", "token_type": "Bearer", "id_token": token}, ""
