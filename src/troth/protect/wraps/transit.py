"""``transit``: wrapped by a key in the Transit engine of HashiCorp Vault or OpenBao.

VAULT_ADDR is its address; the token comes from VAULT_TOKEN_FILE or VAULT_TOKEN, or from the file that ``vault login``
writes. The root key's id is passed as the context, from which a derived key is derived; a plain key ignores it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from troth.errors import needs
from troth.ledger import KeyId
from troth.protect.errors import WayRefused, WrapRefused
from troth.protect.wraps.given import given
from troth.protect.wraps.text import decoded, encoded

_SECONDS_MAX = 10
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transit:
    name: ClassVar[str] = "transit"
    key: str
    """The key's name in the engine."""
    mount: str = "transit"
    """Where the engine is mounted."""

    def __post_init__(self) -> None:
        if not all(_NAME.fullmatch(part) for part in (self.key, *self.mount.split("/"))):
            raise WayRefused(
                "the key of transit must be its name, and the mount its path, of letters, digits, - _ and ."
            )

    def wrap(self, secret: bytes, key: KeyId) -> str:
        with self._engine() as engine:
            answer = engine.encrypt_data(
                self.key, plaintext=encoded(secret), context=_context(key), mount_point=self.mount
            )
            return _said(answer, "ciphertext")

    def unwrap(self, text: str, key: KeyId) -> bytes:
        with self._engine() as engine:
            answer = engine.decrypt_data(self.key, ciphertext=text, context=_context(key), mount_point=self.mount)
            return decoded(_said(answer, "plaintext"))

    @contextmanager
    def _engine(self) -> Iterator[Any]:
        with needs("vault", WrapRefused, "the root key is wrapped by Vault, whose client is not installed"):
            import hvac
            import requests
        address = _address()
        token, namespace = given("VAULT_TOKEN"), os.environ.get("VAULT_NAMESPACE") or None
        client = hvac.Client(url=address, token=token, namespace=namespace, timeout=_SECONDS_MAX)
        try:
            if not client.token:
                raise WrapRefused(f"there is no token for {address}; name a file that holds one in VAULT_TOKEN_FILE")
            yield client.secrets.transit
        except requests.exceptions.SSLError:
            raise WrapRefused(
                f"the certificate of {address} is not trusted; name its authority's in VAULT_CACERT"
            ) from None
        except requests.exceptions.RequestException as fault:
            raise WrapRefused(
                f"{address} does not answer ({type(fault).__name__}); check VAULT_ADDR, and that Vault is running"
            ) from None
        except hvac.exceptions.VaultError as fault:
            raise WrapRefused(self._refusal(address, type(fault).__name__, str(fault.text or ""))) from None
        except (AttributeError, TypeError):  # what hvac raises for errors that are not Vault's
            raise WrapRefused(f"what answers at {address} is not Vault; check VAULT_ADDR") from None
        finally:
            client.adapter.close()

    def _refusal(self, address: str, kind: str, text: str) -> str:
        here = f"{self.mount}/{self.key} at {address}"
        match kind:
            case "Forbidden" | "Unauthorized":
                return (
                    f"{address} denies it: the token is not valid, or its policy lacks update on "
                    f"{self.mount}/encrypt/{self.key} and {self.mount}/decrypt/{self.key}"
                )
            case "VaultDown":
                return f"{address} is sealed, or a standby; unseal it, or set VAULT_ADDR to the one in use"
            case "VaultNotInitialized":
                return f"{address} was never initialised; check VAULT_ADDR"
            case "InvalidPath":
                return f"{address} has no Transit engine at {self.mount}; check the mount"
            case "InvalidRequest" if "key not found" in text:
                return (
                    f"there is no key {here}, or no longer; without it this file cannot be opened: restore a copy that "
                    "was wrapped another way"
                )
            case "InvalidRequest" if "too old" in text:
                return (
                    f"the version of {here} that wrapped the root key is disabled; lower min_decryption_version, and "
                    "then wrap it anew with: troth keys wrap --to transit"
                )
            case "InvalidRequest" if re.search("ciphertext|message authentication", text):
                return f"{here} cannot unwrap it: another key wrapped it, or it was changed; restore your copy"
        return f"{here} refuses ({kind}); its audit log says why"


def _context(key: KeyId) -> str:
    return encoded(f"troth {key}".encode())


def _said(answer: object, what: str) -> str:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    value = data.get(what) if isinstance(data, Mapping) else None
    if not isinstance(value, str):
        raise WrapRefused("the server that answers has no Transit engine; check VAULT_ADDR")
    return value


def _address() -> str:
    """The address of Vault. One that could contain a secret is refused without quoting it."""
    address = os.environ.get("VAULT_ADDR", "")
    try:
        url = urlsplit(address)
    except ValueError:
        url = urlsplit("")
    if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or url.query:
        raise WrapRefused(
            "the root key needs Vault, but VAULT_ADDR is not set or not a plain address; set it, for example to "
            "https://vault.example.org:8200"
        )
    if url.scheme == "http" and not _is_here(url.hostname):
        raise WrapRefused(
            f"{address} would receive the root key unencrypted; VAULT_ADDR must be https://, or on localhost"
        )
    return address


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
