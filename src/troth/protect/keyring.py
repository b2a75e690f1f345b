"""The keyring: everything that is done with keys, and no way to a key itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn, Self

from troth.ledger import Hash, KeyId, Pseudonym
from troth.protect.hazmat import KEY_BYTES, Mac, SigningKey, derive
from troth.protect.home import key_id, read_root
from troth.protect.pack import Part, packed, texts
from troth.protect.seal import COMMITMENT_BYTES, Context, FieldKey, open_sealed, seal
from troth.protect.signing import Ed25519Signer

__all__ = ["Keyring"]

_KEYS_READY = 256  # field keys that are kept ready; setting one up again is cheap


class Keyring:
    """One root key, and the keys derived from it: one for each tenant, domain, purpose and field.

    `open` reads it from TROTH_HOME. It cannot be printed, pickled or copied into a dump, and it hands out no key.
    Safe to use from several threads.
    """

    __slots__ = ("__field_key", "__mac", "__root", "_id", "_tenant")

    def __init__(self, root: bytes, *, tenant: str = "") -> None:
        self.__root = root
        self._tenant = tenant
        self._id = key_id(root)
        self.__mac = lru_cache(_KEYS_READY)(self._derive_mac)
        self.__field_key = lru_cache(_KEYS_READY)(self._derive_field_key)

    @classmethod
    def open(cls, home: Path, *, tenant: str = "") -> Self:
        """Read the root key in *home*. Raises `KeysMissing` where there is none, `HomeRefused` where others could read
        it, where it stands in a git tree, is a link, or is damaged; the message says how to mend it."""
        return cls(read_root(home), tenant=tenant)

    @property
    def id(self) -> KeyId:
        """Which root key it is; it says nothing about the key."""
        return self._id

    def seal(self, plaintext: bytes, context: Context) -> bytes:
        """Seal bytes for one place and subject; see `troth.protect.seal` for the layout. 61 bytes longer."""
        return seal(plaintext, context, self._key_of(context))

    def unseal(self, sealed: bytes, context: Context) -> bytes:
        """What `seal` sealed for exactly this *context*. Raises `OpenError`, which does not say why."""
        return open_sealed(sealed, context, self._key_of(context))

    def pseudonym(self, domain: str, value: Part) -> Pseudonym:
        """A stand-in for *value*: the same within *domain*, unrelated across domains, and a way back only by trying
        every value with this key (GDPR Art. 4(5)). Whoever calls normalises the value."""
        return self.pseudonyms(domain, [value])[0]

    def pseudonyms(self, domain: str, values: Iterable[Part]) -> list[Pseudonym]:
        """`pseudonym` for many values of one domain."""
        mac = self._mac("pseudonym", domain)
        return [Pseudonym("ps1:" + mac(packed([value]))[:16].hex()) for value in values]

    def digest(self, purpose: str, *parts: Part) -> Hash:
        """A keyed hash of *parts*, for what may be recognised and must not be guessed: a plan, a query."""
        return Hash("dg1:" + self._mac("digest", purpose)(packed(parts)).hex())

    def signer(self, name: str | None = None) -> Ed25519Signer:
        """The ledger's signing key called *name*, such as ``example.org/troth``; where left out, ``troth/`` and this
        root key's id, which no other ledger has.

        It is derived from the root key and the name: it needs no file of its own, and whoever restores the root key
        signs as before. Raises `troth.ledger.NoteRefused` for a name with spaces or a plus.
        """
        name = name or "troth/" + self._id.text.partition(":")[2]
        return Ed25519Signer(name, SigningKey(self.__derive("", "sign", name, KEY_BYTES)))

    def _mac(self, purpose: str, field: str) -> Mac:
        """A keyed hash, for this room only."""
        return self.__mac(purpose, field)

    def _key_of(self, context: Context) -> FieldKey:
        # the subject is authenticated and has no key of its own: a million subjects would need a million derivations
        return self.__field_key(context.domain, texts(context.tenant, context.table, context.field))

    def _derive_mac(self, purpose: str, field: str) -> Mac:
        return Mac(self.__derive("", purpose, field, KEY_BYTES))

    def _derive_field_key(self, domain: str, field: bytes) -> FieldKey:
        secret = self.__derive(domain, "seal", field, KEY_BYTES + COMMITMENT_BYTES)
        return FieldKey(secret, bytes.fromhex(self._id.text.partition(":")[2]))

    def __derive(self, domain: str, purpose: str, field: str | bytes, length: int) -> bytes:
        """Every key of Troth: HKDF over what it is for, each part after its length, the version of the key last."""
        separated = texts("troth/v1", self._tenant, domain, purpose, field, "1")
        return derive(self.__root, separated, length)

    def __repr__(self) -> str:
        return f"Keyring({self._id})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a keyring is not pickled; open it where it is needed")
