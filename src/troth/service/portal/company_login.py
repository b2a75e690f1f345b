"""Sign-in by the company's own login for its customers, as an OpenID Connect client.

Authorization code with PKCE (RFC 7636), with one state and one nonce per attempt, both stored in the visitor's session
and valid once. Claims are accepted if they are signed with one of the provider's published keys, and issuer, audience,
nonce and times are right (OpenID Connect Core 3.1.3.7). An address counts only if the provider says that it verified
it. No account is created, and no token of the provider is stored.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import jwt

from troth.errors import TrothError
from troth.service.configuration import SubjectLogin, is_local
from troth.service.portal.handover import SignedInPerson, has_second_factor

if TYPE_CHECKING:  # loaded with the first login
    import httpx

Try = dict[str, str]
"""State of an attempt in the visitor's session, until they come back."""

TRY_LASTS = dt.timedelta(minutes=10)
_FRESH = dt.timedelta(minutes=15)
"""Maximum age of the password entry, because a borrowed computer may still be signed in."""
_SKEW = dt.timedelta(seconds=30)
_TIMEOUT_S = 10
_ANSWER_BYTES_MAX = 200_000
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures by a key that only the provider has: not ``none``, and not HS256, which we could sign ourselves."""


class LoginRefused(TrothError):
    """The login did not prove an identity; the message gives the reason without values, for the company's log."""


def begin(login: SubjectLogin, back: str, *, now: dt.datetime) -> tuple[str, Try]:
    """Start an attempt: the URL to redirect to, and the state to store. *back* is our URL for the return. Raises
    `LoginRefused` if the provider's answer is invalid."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    remembered = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": verifier,
        "until": (now + TRY_LASTS).isoformat(),
    }
    asked = {
        "response_type": "code",
        "client_id": login.client,
        "redirect_uri": back,
        "scope": " ".join(("openid", "email", *(["phone"] if "phone" in login.claims else []))),
        "state": remembered["state"],
        "nonce": remembered["nonce"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "max_age": str(int(_FRESH.total_seconds())),
    }
    with _client() as client:
        place = _place(_provider(client, login), "authorization_endpoint")
    return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(asked)}", remembered


def finish(
    login: SubjectLogin, back: str, remembered: Try | None, answer: Mapping[str, str], *, now: dt.datetime
) -> SignedInPerson:
    """Finish an attempt with *answer*, the query of our return URL. Raises `LoginRefused`. The caller has already
    deleted the stored state, so that it is valid once."""
    if remembered is None or dt.datetime.fromisoformat(remembered["until"]) < now:
        raise LoginRefused("no sign-in is in progress in this browser, or it took too long")
    if not hmac.compare_digest(answer.get("state", "").encode(), remembered["state"].encode()):
        raise LoginRefused("the state does not match the sign-in of this browser")
    if not answer.get("code"):
        raise LoginRefused("the provider returned no authorization code")
    with _client() as client:
        provider = _provider(client, login)
        if answer.get("iss", provider["issuer"]) != provider["issuer"]:  # RFC 9207: the answer of another provider
            raise LoginRefused("the answer comes from another issuer")
        told = _exchange(client, provider, login, back, answer["code"], remembered["verifier"])
        claims = _verified(client, provider, login, told.get("id_token"), remembered["nonce"], now)
        if "email" not in claims and "userinfo_endpoint" in provider and isinstance(told.get("access_token"), str):
            bearer = {"Authorization": f"Bearer {told['access_token']}"}
            more = _json(client, "GET", _place(provider, "userinfo_endpoint"), headers=bearer)
            if more.get("sub") != claims["sub"]:  # Core 5.3.2: must be the same person
                raise LoginRefused("the userinfo is about another person (sub)")
            claims = {**more, **claims}
    return _person(login, claims)


# --- provider --------------------------------------------------------------------------------------------------------


def _client() -> httpx.Client:
    import httpx

    return httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, headers={"Accept": "application/json"})


def _provider(client: httpx.Client, login: SubjectLogin) -> Mapping[str, Any]:
    """The provider's metadata (OpenID Connect Discovery)."""
    told = _json(client, "GET", f"{login.issuer.rstrip('/')}/.well-known/openid-configuration")
    if not isinstance(issuer := told.get("issuer"), str) or issuer.rstrip("/") != login.issuer.rstrip("/"):
        raise LoginRefused("the provider's issuer differs from TROTH_SUBJECT_OIDC_URL")
    return told


def _place(provider: Mapping[str, Any], name: str) -> str:
    place = provider.get(name)
    parts = urlsplit(place) if isinstance(place, str) else None
    if parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname or ""))):
        raise LoginRefused(f"the provider's {name} is not an https:// address")
    return str(place)


def _exchange(
    client: httpx.Client, provider: Mapping[str, Any], login: SubjectLogin, back: str, code: str, verifier: str
) -> Mapping[str, Any]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    means = provider.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    auth = None
    if "client_secret_basic" in means:
        import httpx

        auth = httpx.BasicAuth(*(urlencode({"": part})[1:] for part in (login.client, login.secret)))  # RFC 6749 2.3.1
    else:
        form |= {"client_id": login.client, "client_secret": login.secret}
    return _json(client, "POST", _place(provider, "token_endpoint"), data=form, auth=auth)


def _verified(
    client: httpx.Client, provider: Mapping[str, Any], login: SubjectLogin, token: object, nonce: str, now: dt.datetime
) -> Mapping[str, Any]:
    if not isinstance(token, str):
        raise LoginRefused("the provider sent no ID token")
    try:
        head = jwt.get_unverified_header(token)
        keys = jwt.PyJWKSet.from_dict(dict(_json(client, "GET", _place(provider, "jwks_uri")))).keys
        key = next(one for one in keys if head.get("kid") in (None, one.key_id) and one.public_key_use in (None, "sig"))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            audience=login.client,
            issuer=provider["issuer"],
            leeway=_SKEW,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except (jwt.PyJWTError, StopIteration, ValueError, TypeError) as fault:
        raise LoginRefused(f"the ID token is not valid ({type(fault).__name__})") from None
    if not isinstance(claims["nonce"], str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise LoginRefused("the nonce does not match the sign-in of this browser")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else login.client) != login.client:
        raise LoginRefused("the ID token is for another client")
    since = claims.get("auth_time")
    if not isinstance(since, int | float) or now.timestamp() - since > (_FRESH + _SKEW).total_seconds():
        raise LoginRefused("the provider does not show a recent sign-in (auth_time)")
    return claims


def _person(login: SubjectLogin, claims: Mapping[str, Any]) -> SignedInPerson:
    """The person, from the configured claims."""
    found = dict[str, str]()
    for kind, claim in login.claims.items():
        value = claims.get(claim)
        is_own = kind == "account" or claims.get(f"{claim}_verified") is True  # addresses count only if verified
        if isinstance(value, str) and value.strip() and is_own:
            found[kind] = value.strip()[:320]
    if "email" not in found:
        raise LoginRefused("the provider sent no verified e-mail address")
    return SignedInPerson(tuple(found.items()), found["email"], tier=3 if has_second_factor(claims) else 2)


def _json(client: httpx.Client, method: str, url: str, **more: Any) -> Mapping[str, Any]:
    """The JSON object of the response. Its values never appear in error messages."""
    import httpx

    try:
        with client.stream(method, url, **more) as answer:
            body = b""
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > _ANSWER_BYTES_MAX:
                    raise LoginRefused("the provider's answer is too long")
            if answer.status_code != 200:
                raise LoginRefused(f"the provider answered with {answer.status_code}")
        told = httpx.Response(200, content=body).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as fault:
        raise LoginRefused(f"the provider did not answer with JSON ({type(fault).__name__})") from None
    if not isinstance(told, dict):
        raise LoginRefused("the provider's answer is not a JSON object")
    return told
