"""The keyring: all operations with keys, without access to the keys themselves.

The keys of pseudonyms, digests, masks and signatures are derived from the root key and never change, because their
output must be recognised later. Values are sealed under the active field key of the keychain, and opened under the one
that their header names; before the first rotation that is a key derived from the root, number 0.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn, Self

from troth.ledger import Hash, KeyId, Pseudonym
from troth.protect.errors import KeyRefused, OpenError
from troth.protect.hazmat import KEY_BYTES, Aead, Mac, SigningKey, derive
from troth.protect.home import key_id, read_root
from troth.protect.keychain import Keychain, KeyInfo, Purpose
from troth.protect.pack import Part, packed, packed_one, texts
from troth.protect.seal import FieldKey, SealingContext, Suite, key_of, open_sealed, seal
from troth.protect.signing import Ed25519Signer, MailAlgorithm, MailSigningKey
from troth.protect.states import KeyState
from troth.protect.wrapped import epoch_of, unwrap, wrap

_KEYS_READY = 256  # cached keys; setting one up again is cheap


class Keyring:
    """One root key, and the keys derived from it: one for each tenant, domain, purpose and field.

    `open` reads it from TROTH_HOME. It cannot be printed, pickled or copied into a dump, and it exposes no key. Safe to
    use from several threads.
    """

    __slots__ = ("__epoch_key", "__field_key", "__mac", "__root", "_id", "_tenant", "chain")

    chain: Keychain | None
    """The keys below the root; None for a keyring without a TROTH_HOME, such as a subject's."""

    def __init__(self, root: bytes, *, tenant: str = "", home: Path | None = None) -> None:
        self.__root = root
        self._tenant = tenant
        self._id = key_id(root)
        self.chain = Keychain(home, self.__seal_secret, self.__open_secret) if home is not None else None
        self.__epoch_key = lru_cache(_KEYS_READY)(self._open_epoch_key)
        self.__mac = lru_cache(_KEYS_READY)(self._derive_mac)
        self.__field_key = lru_cache(_KEYS_READY)(self._derive_field_key)

    @classmethod
    def open(cls, home: Path, *, tenant: str = "") -> Self:
        """Read the root key in *home*. Raises `KeysMissing` if there is none, and `HomeRefused` if others could read
        it, if it is in a git tree, a link, or damaged, or if the keys below it are missing or damaged; the message says
        how to fix it."""
        opened = cls(read_root(home), tenant=tenant, home=home)
        opened._keychain().infos()
        return opened

    @property
    def id(self) -> KeyId:
        """The id of the root key; it reveals nothing about the key."""
        return self._id

    def seal(self, plaintext: bytes, context: SealingContext) -> bytes:
        """Seal bytes for one place and subject; see `troth.protect.seal` for the layout. Adds 61 bytes."""
        return seal(plaintext, context, self._active_key(context, Suite.RANDOM))

    def seal_deterministic(self, plaintext: bytes, context: SealingContext) -> bytes:
        """Seal so that equal bytes for the same *context* look equal, for fields declared ``sealed: deterministic``:
        sealing a value again finds its rows, as long as the context names no subject.

        An observer of the store sees which values are equal, and can guess frequent ones by counting. After a rotation
        of the field keys the same value looks different; values sealed earlier must be resealed to be found.
        """
        return seal(plaintext, context, self._active_key(context, Suite.DETERMINISTIC))

    def unseal(self, sealed: bytes, context: SealingContext) -> bytes:
        """The plaintext sealed for exactly this *context*. Raises `OpenError`, which does not say why."""
        return open_sealed(sealed, context, self._key_of(context, *key_of(sealed)))

    def reseal(self, sealed: bytes, context: SealingContext) -> bytes:
        """The same value, sealed in the same way under the active key. Raises `OpenError`."""
        number, suite = key_of(sealed)
        plaintext = open_sealed(sealed, context, self._key_of(context, number, suite))
        return seal(plaintext, context, self._active_key(context, suite))

    def pseudonym(self, domain: str, value: Part) -> Pseudonym:
        """A pseudonym of *value*: the same within *domain*, unrelated across domains, and reversible only by trying
        every value with this key (GDPR Art. 4(5)). The caller normalises the value."""
        return self.pseudonyms(domain, [value])[0]

    def pseudonyms(self, domain: str, values: Iterable[Part]) -> list[Pseudonym]:
        """`pseudonym` for many values of one domain."""
        return [Pseudonym.keyed(keyed) for keyed in self._mac("pseudonym", domain).each(map(packed_one, values))]

    def fingerprints(self, domain: str, values: Iterable[Part]) -> list[bytes]:
        """A 32-byte keyed hash of each whole value, by which the same value is found again within *domain*, under a key
        that opens nothing (PCI DSS 4.0.1, 3.5.1.1)."""
        return self._mac("fingerprint", domain).each(map(packed_one, values))

    def digest(self, purpose: str, *parts: Part) -> Hash:
        """A keyed hash of *parts*, for things to be recognised but not guessed: a plan, a query."""
        return Hash("dg1:" + self._mac("digest", purpose)(packed(parts)).hex())

    def signer(self, name: str | None = None) -> Ed25519Signer:
        """The ledger's signing key called *name*, such as ``example.org/troth``; by default ``troth/`` and this root
        key's id, which no other ledger has.

        It is derived from the root key and the name: it needs no file of its own, and restoring the root key restores
        it. Raises `troth.ledger.NoteRefused` for a name with spaces or a plus.
        """
        name = name or "troth/" + self._id.text.partition(":")[2]
        return Ed25519Signer(name, SigningKey(self.__derive("", "sign", name, KEY_BYTES)))

    def mail_key(self, info: KeyInfo) -> MailSigningKey:
        """The key for e-mails that *info* describes. Raises `OpenError` if it is destroyed."""
        algorithm: MailAlgorithm = "rsa-sha256" if info.label.endswith(" rsa-sha256") else "ed25519-sha256"
        return MailSigningKey(algorithm, self._keychain().secret(info.purpose, info.number))

    # --- keys of subjects -------------------------------------------------------------------------------------------

    def make_key(self, owner: str) -> bytes:
        """A new random key for *owner* (a pseudonym), wrapped under the active epoch key; see `wrapped`. The caller
        stores it, uses it with `open_key`, and erases the data under it by deleting it."""
        return self.__wrap(secrets.token_bytes(KEY_BYTES), owner)

    def open_key(self, wrapped: bytes, owner: str) -> Keyring:
        """The keyring of *owner*: values it seals open only with it. Raises `OpenError` for another owner's key, and
        for any key once its epoch key is destroyed."""
        return Keyring(self.__unwrap(wrapped, owner), tenant=self._tenant)

    def rewrap(self, keys: Iterable[tuple[bytes, str]]) -> list[bytes]:
        """Rewrap keys, each given with its owner, under the active epoch key. About 4 µs per key. Raises `OpenError` if
        one of them does not open."""
        to = self._epoch()
        key, opened = self.__epoch_key(to), dict[int, Aead]()
        fresh = []
        for wrapped, owner in keys:
            number = epoch_of(wrapped)
            if number not in opened:
                self._require_opens("epoch", number)
                opened[number] = self.__epoch_key(number)
            fresh.append(wrap(unwrap(wrapped, owner, opened[number]), owner, to, key))
        return fresh

    def try_every_key(self, keys: Iterable[tuple[bytes, str]]) -> list[KeyId | None]:
        """The id of each wrapped key, given with its owner, if any available key opens it: in whatever state, for
        whatever purpose, and whichever key the header names. None if no key does."""
        chain = self._keychain()
        kept = [info for info in chain.infos() if info.state is not KeyState.DESTROYED]
        ciphers = [Aead(self.__root), *(Aead(chain.secret(info.purpose, info.number)) for info in kept)]
        return [_opened(wrapped, owner, ciphers) for wrapped, owner in keys]

    def __wrap(self, secret: bytes, owner: str) -> bytes:
        number = self._epoch()
        return wrap(secret, owner, number, self.__epoch_key(number))

    def __unwrap(self, wrapped: bytes, owner: str) -> bytes:
        number = epoch_of(wrapped)
        self._require_opens("epoch", number)
        return unwrap(wrapped, owner, self.__epoch_key(number))

    def _epoch(self) -> int:
        """The number of the active epoch key; creates the first one."""
        chain = self._keychain()
        return (chain.sealing("epoch") or chain.rotate("epoch", now=dt.datetime.now(dt.UTC))).number

    def _open_epoch_key(self, number: int) -> Aead:
        return Aead(self._keychain().secret("epoch", number))

    def _keychain(self) -> Keychain:
        if self.chain is None:
            raise KeyRefused("this keyring has no keychain: keys of subjects need the keychain of a TROTH_HOME")
        return self.chain

    def _require_opens(self, purpose: Purpose, number: int) -> None:
        """Cached keys may have been suspended or destroyed meanwhile, by any process. Raises `OpenError`."""
        if self.chain is None or not self.chain.opens(purpose, number):
            raise OpenError

    # --- inside -----------------------------------------------------------------------------------------------------

    def _mac(self, purpose: str, field: str) -> Mac:
        """A keyed hash, for use in this package only."""
        return self.__mac(purpose, field)

    # --- keys of tokens, for this package only ----------------------------------------------------------------------

    def _require_token_key(self, version: int, *, makes: bool) -> None:
        """Raises `KeyRefused` if the token key does not exist, or its state does not allow the use."""
        if self.chain is None:
            return
        state = self.chain.state("token", version)
        if state is None:
            raise KeyRefused(f"there is no token-{version} in keys.toml; create it with: troth keys rotate token")
        if not (state.seals if makes else state.opens):
            raise KeyRefused(f"token-{version} is {state}, and {'makes' if makes else 'opens'} nothing")

    def _token_mac(self, purpose: str, domain: str, version: int) -> Mac:
        """A keyed hash for one domain under one token key, from which the keys of its tokens are derived."""
        base = self.chain.secret("token", version) if self.chain is not None else None
        return Mac(self.__derive("", purpose, domain, KEY_BYTES, base))

    def _active_key(self, context: SealingContext, suite: Suite) -> FieldKey:
        active = self.chain.sealing("field") if self.chain is not None else None
        return self._key_of(context, active.number if active is not None else 0, suite)

    def _key_of(self, context: SealingContext, number: int, suite: Suite) -> FieldKey:
        if number:
            self._require_opens("field", number)
        # the subject is authenticated but has no key of its own: a million subjects would need a million derivations
        return self.__field_key(context.tenant, context.domain, context.table, context.field, number, suite)

    def _derive_mac(self, purpose: str, field: str) -> Mac:
        return Mac(self.__derive("", purpose, field, KEY_BYTES))

    def _derive_field_key(
        self, tenant: str, domain: str, table: str, field: str, number: int, suite: Suite
    ) -> FieldKey:
        base = self._keychain().secret("field", number) if number else self.__root
        purpose = "seal" if suite is Suite.RANDOM else "seal deterministic"
        secret = self.__derive(domain, purpose, texts(tenant, table, field), suite.secret_bytes, base)
        return FieldKey(secret, bytes.fromhex(self._id.text.partition(":")[2]), number, suite)

    def __derive(self, domain: str, purpose: str, field: str | bytes, length: int, base: bytes | None = None) -> bytes:
        """Derives every key of Troth: HKDF over its purpose, each part after its length, the scheme version last."""
        separated = texts("troth/v1", self._tenant, domain, purpose, field, "1")
        return derive(base or self.__root, separated, length)

    def __seal_secret(self, secret: bytes, name: str) -> bytes:
        context = SealingContext(domain="keys", field=name)
        return seal(secret, context, self._key_of(context, 0, Suite.RANDOM))

    def __open_secret(self, sealed: bytes, name: str) -> bytes:
        context = SealingContext(domain="keys", field=name)
        return open_sealed(sealed, context, self._key_of(context, 0, Suite.RANDOM))

    def __repr__(self) -> str:
        return f"Keyring({self._id})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a keyring cannot be pickled; open it where it is needed")


def _opened(wrapped: bytes, owner: str, ciphers: Iterable[Aead]) -> KeyId | None:
    for cipher in ciphers:
        with contextlib.suppress(OpenError):
            return key_id(unwrap(wrapped, owner, cipher))
    return None
