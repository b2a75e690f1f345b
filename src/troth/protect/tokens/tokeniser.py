"""The tokeniser: computes the tokens of one domain, and reverses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from troth.protect.errors import TokenRefused
from troth.protect.hazmat import Mac
from troth.protect.keyring import Keyring
from troth.protect.sealed import Sealed
from troth.protect.tokens import stateless
from troth.protect.tokens.formats import TokenFormat, suggestion
from troth.protect.tokens.pan import Pan
from troth.protect.tokens.stateless import TokenKey, digit_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from troth.protect.tokens.batch import Act

T = TypeVar("T")

_LIVE_MAX: Final = 9
_IN_BULK: Final = (TokenFormat.PAN_LAST4, *stateless.ALPHABETS)
_BULK_MIN: Final = 32  # below this, numpy costs more than it saves
_ONE_WAY_BYTES: Final = 16  # PCI DSS 4.0.1, 3.5.1.1: a keyed hash of at least 128 bits


class Tokeniser:
    """Computes the tokens of one domain: a merchant, or a part of the company that no token may leave.

    *domain* comes from the caller's credential, once, when the tokeniser is created; no call takes one. This is
    necessary because format-preserving encryption is unauthenticated: under another domain's key every token decrypts
    to something, and nothing in the token alone shows that it is wrong. *domains* are all domains of this keyring's
    tenant, as ``token_domains`` in the declaration lists them: each with its live key versions, of which the first
    makes new tokens. A version is the number of a token key of the keychain (``troth keys rotate token`` creates the
    next), so that it can be suspended and destroyed; in a keyring without a keychain they are derived. A token
    distinguishes the last nine versions by one digit.

    Protection against reading a token in the wrong domain as somebody else's card:

    - ``pan.last4``: no two domains may share a key version or its digit, and a token contains that digit. So a token of
      any other domain in *domains* is always refused. What remains: a token of another tenant or another root key, or
      made under a version that is no longer live, is read as a wrong card with a valid check digit if its digit is live
      here. For payments, use ``pan.bin6.last4``, which is stored.
    - ``numeric`` and ``alphanumeric``: they neither accept nor return anything that looks like a card. Apart from that,
      a token in the wrong domain is read as another value; if that matters, use ``opaque``.
    - ``email`` and ``email.domain``: tokens are authenticated (48 bits); those of any other domain are refused.

    Safe to use from several threads.
    """

    __slots__ = ("_by_digit", "_domain", "_key", "_keyring", "_one_way", "_others", "_versions")

    def __init__(self, keyring: Keyring, domains: Mapping[str, Sequence[int]], *, domain: str) -> None:
        if domain not in domains:
            raise TokenRefused(f"there is no domain {domain[:40]!r}{suggestion(domain, domains)}")
        for name, versions in domains.items():
            if min(versions, default=1) < 1 or len(set(map(digit_of, versions))) < len(versions):
                raise TokenRefused(
                    f"domain {name[:40]!r} needs different key versions, from 1 on and fewer than nine apart: tokens "
                    "could not tell them apart"
                )
        if not domains[domain]:
            raise TokenRefused(f"domain {domain[:40]!r} has no key version: its tokens are drawn, not computed")
        self._keyring = keyring
        self._domain = domain
        self._versions = tuple(domains[domain])
        self._by_digit = {digit_of(version): version for version in self._versions}
        self._others = {digit_of(version): name for name in domains if name != domain for version in domains[name]}
        self._key = lru_cache(len(TokenFormat) * _LIVE_MAX)(self._make_key)
        self._one_way = lru_cache(_LIVE_MAX)(self._make_one_way)

    @property
    def domain(self) -> str:
        """The domain of its tokens."""
        return self._domain

    def tokenise(self, format_: TokenFormat, value: str | Pan, *, version: int | None = None) -> str:
        """The token of *value*: the same for the same value, domain and version. The caller normalises the value.

        *version* selects a live version other than the newest, to find tokens from before a rotation. Raises
        `TokenRefused` for a value that the format does not accept, `DomainTooSmall` if so few values would fit that all
        of them can be tried.
        """
        version = self._making(format_, version)
        text = _plain(value)
        match format_:
            case TokenFormat.PAN_LAST4:
                return stateless.pan_token(self._key(format_, version), text)
            case TokenFormat.NUMERIC | TokenFormat.ALPHANUMERIC:
                return stateless.text_token(self._key(format_, version), format_, text)
            case TokenFormat.EMAIL | TokenFormat.EMAIL_DOMAIN:
                return stateless.email_token(self._key(format_, version), format_, text)
        mac = self._one_way(version)
        return f"trow{version}_" + mac(text.encode("utf-8", "surrogatepass"))[:_ONE_WAY_BYTES].hex()

    def detokenise(self, format_: TokenFormat, token: str, *, version: int | None = None) -> Sealed[str]:
        """The value behind the token; a `Pan` for cards.

        Tokens of ``numeric`` and ``alphanumeric`` do not contain their key version: if several are live, the caller
        must pass *version*. Raises `TokenRefused` for a token that this domain did not make, as far as that can be
        detected; see the class.
        """
        text = _plain(token)
        if format_ is TokenFormat.PAN_LAST4:
            key = self._reading(format_, stateless.pan_digit(text), version)
            return Pan._known(stateless.pan_of(key, text))
        if format_ in stateless.ALPHABETS:
            return Sealed(stateless.text_of(self._reading(format_, None, version), format_, text))
        if format_.is_stored:
            raise TokenRefused(f"what a token of the format {str(format_)!r} stands for is known only to its store")
        if not format_.is_reversible:
            raise TokenRefused(
                f"a token of the format {str(format_)!r} cannot be reversed; compare it with another token"
            )
        key = self._reading(format_, stateless.email_digit(format_, text), version)
        return Sealed(stateless.address_of(key, format_, text))

    def tokenise_batch(
        self, format_: TokenFormat, values: Sequence[str | Pan], *, version: int | None = None
    ) -> list[str]:
        """`tokenise` for each of *values*, all or none: an error names its row. Far faster with numpy, of
        ``troth[tokens]``, for ``pan.last4``, ``numeric`` and ``alphanumeric``."""
        texts = _plain_each(values)
        if _is_bulk(format_, len(texts)):
            from troth.protect.tokens.batch import with_list

            return with_list(texts, self._making_many(format_, version))
        return _each(texts, lambda text: self.tokenise(format_, text, version=version))

    def detokenise_batch(
        self, format_: TokenFormat, tokens: Sequence[str], *, version: int | None = None
    ) -> list[Sealed[str]]:
        """`detokenise` for each of *tokens*; otherwise as `tokenise_batch`."""
        texts = _plain_each(tokens)
        if _is_bulk(format_, len(texts)):
            from troth.protect.tokens.batch import with_list

            wrap: Callable[[str], Sealed[str]] = Pan._known if format_ is TokenFormat.PAN_LAST4 else Sealed
            return [wrap(text) for text in with_list(texts, self._reading_many(format_, version))]
        return _each(texts, lambda text: self.detokenise(format_, text, version=version))

    def tokenise_array(
        self, format_: TokenFormat, values: npt.NDArray[Any], *, version: int | None = None
    ) -> npt.NDArray[Any]:
        """`tokenise_batch` for a numpy array of dtype ``S`` or, if all values are digits and of one length, of dtype
        ``uint8`` with a row of digits for each value. Returns the same type. Only for the three formats that are fast
        in bulk."""
        from troth.protect.tokens.batch import with_array

        return with_array(values, self._making_many(format_, version))

    def detokenise_array(
        self, format_: TokenFormat, tokens: npt.NDArray[Any], *, version: int | None = None
    ) -> npt.NDArray[Any]:
        """`detokenise_batch` for a numpy array, as `tokenise_array`. Unlike `Sealed`, an array shows its values."""
        from troth.protect.tokens.batch import with_array

        return with_array(tokens, self._reading_many(format_, version))

    # --- keys -------------------------------------------------------------------------------------------------------

    def _making(self, format_: TokenFormat, version: int | None) -> int:
        if format_.is_stored:
            raise TokenRefused(f"tokens of the format {str(format_)!r} are drawn, not computed; see draw_token")
        version = self._versions[0] if version is None else version
        self._require_live(format_, version, makes=True)
        return version

    def _reading(self, format_: TokenFormat, length: int | None, first_digit: int | None) -> TokenKey:
        """The key that a token was made under, from the digit in the token and the version that the caller names.
        Raises `TokenRefused`."""
        if length is not None and first_digit is not None and length != digit_of(first_digit):
            raise TokenRefused(f"this token was not made under key version {first_digit}: its digit is {length}")
        version = first_digit if length is None else self._by_digit.get(length)
        if version is None and length is not None:
            raise TokenRefused(
                f"no key version with the digit {length} is live in domain {self._domain[:40]!r}: another domain's, or "
                "retired"
            )
        if version is None:
            if len(self._versions) > 1:
                raise TokenRefused(
                    f"tokens of the format {str(format_)!r} do not contain a key version, and {len(self._versions)} "
                    "are live; give the one that created it"
                )
            version = self._versions[0]
        self._require_live(format_, version, makes=False)
        return self._key(format_, version)

    def _require_live(self, format_: TokenFormat, version: int, *, makes: bool) -> None:
        if version not in self._versions:
            raise TokenRefused(
                f"key version {version} is not live in domain {self._domain[:40]!r}: another domain's, or retired"
            )
        digit = digit_of(version)
        if format_ is TokenFormat.PAN_LAST4 and digit in self._others:
            raise TokenRefused(
                f"domains {self._domain[:40]!r} and {self._others[digit][:40]!r} share the digit of key version "
                f"{version}, so a token of one would be read as a wrong card in the other; give each its own, or use "
                "'pan.bin6.last4'"
            )
        self._keyring._require_token_key(version, makes=makes)

    def _make_key(self, format_: TokenFormat, version: int) -> TokenKey:
        return TokenKey(self._keyring._token_mac("token", self._domain, version), format_, version)

    def _make_one_way(self, version: int) -> Mac:
        return self._keyring._token_mac(f"token one_way {version}", self._domain, version)

    # --- in bulk ----------------------------------------------------------------------------------------------------

    def _making_many(self, format_: TokenFormat, version: int | None) -> Act:
        from troth.protect.tokens.batch import pan_tokens, text_tokens

        _require_bulk(format_)
        key = self._key(format_, self._making(format_, version))
        return partial(pan_tokens, key) if format_ is TokenFormat.PAN_LAST4 else partial(text_tokens, key, format_)

    def _reading_many(self, format_: TokenFormat, version: int | None) -> Act:
        from troth.protect.tokens.batch import pans, texts_of

        _require_bulk(format_)
        if format_ is TokenFormat.PAN_LAST4:
            return partial(pans, lambda told: self._reading(format_, told, version))
        return partial(texts_of, self._reading(format_, None, version), format_)

    def __repr__(self) -> str:
        return f"Tokeniser({self._domain!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a tokeniser cannot be pickled; create it where it is needed")


def _plain(value: str | Pan, row: int | None = None) -> str:
    text = value.reveal() if isinstance(value, Pan) else value
    if not isinstance(text, str):
        raise TokenRefused(f"tokens and their values must be text; this is of type {type(text).__name__}", row=row)
    return text


def _plain_each(values: Sequence[str | Pan]) -> list[str]:
    if set(map(type, values)) <= {str}:  # nearly every batch; checking one at a time takes a third longer
        return list(values)  # type: ignore[arg-type]
    return [_plain(value, row) for row, value in enumerate(values)]


def _each(texts: Sequence[str], act: Callable[[str], T]) -> list[T]:
    results = []
    for row, text in enumerate(texts):
        try:
            results.append(act(text))
        except TokenRefused as refused:
            refused.row = row
            raise
    return results


def _is_bulk(format_: TokenFormat, rows: int) -> bool:
    return format_ in _IN_BULK and rows >= _BULK_MIN and find_spec("numpy") is not None


def _require_bulk(format_: TokenFormat) -> None:
    if format_ not in _IN_BULK:
        raise TokenRefused(f"arrays are for {', '.join(_IN_BULK)}; use tokenise_batch for {str(format_)!r}")
