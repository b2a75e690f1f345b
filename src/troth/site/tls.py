"""Which TLS versions a server speaks, and how long its certificate is valid."""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit

from troth.site.fetch import Site, SiteUnreachable
from troth.site.public_addresses import addresses_of

OBSOLETE = {"TLSv1.0": 0x0301, "TLSv1.1": 0x0302}
"""RFC 8996: servers must refuse these versions."""
_CURRENT = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
# ECDHE, DHE and RSA key exchange with AES or 3DES, to match any server of that age.
_CIPHERS = (0xC014, 0xC013, 0xC00A, 0xC009, 0x0039, 0x0033, 0x0035, 0x002F, 0x000A)


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server offers. *days_left* are whole days until the certificate expires, negative afterwards; *trusted* is
    whether a browser would accept it, *why_not* the TLS library's reason."""

    accepts: frozenset[str]
    days_left: int
    trusted: bool
    why_not: str = ""


def tls(site: Site, *, now: dt.datetime) -> Tls:
    """Tries each protocol version separately and reads the certificate. Raises `SiteUnreachable` if nothing listens on
    the port or the server speaks no TLS version, and `NotPublic` as the site's pages are refused."""
    server = _Server.of(site)
    accepts = {name for name, version in OBSOLETE.items() if _greets(server, version)}
    certificate = b""
    for name, current in _CURRENT.items():
        context = _unverified()
        context.minimum_version = context.maximum_version = current
        found = _handshake(server, context)
        if found is not None:
            accepts.add(name)
            certificate = found or certificate
    if not accepts:
        raise SiteUnreachable(f"port {server.port} does not speak TLS")
    why_not = _distrust(server, site.ca_file) if certificate else "it offers obsolete protocols only"
    return Tls(frozenset(accepts), _days_left(certificate, now), not why_not, why_not)


@dataclass(frozen=True, slots=True)
class _Server:
    """Whom to connect to. The *address* is resolved once, so that the one that was checked is connected to."""

    host: str
    port: int
    address: str
    seconds: float

    @classmethod
    def of(cls, site: Site) -> _Server:
        port = urlsplit(site.home).port or 443
        try:
            address = str(addresses_of(site.host, port)[0]) if site.public_only else site.host
        except (OSError, UnicodeError) as error:
            raise SiteUnreachable(f"port {port} does not answer ({type(error).__name__})") from None
        return cls(site.host, port, address, site.limits.seconds)

    def connect(self) -> socket.socket:
        try:
            return socket.create_connection((self.address, self.port), timeout=self.seconds)
        except OSError as error:
            raise SiteUnreachable(f"port {self.port} does not answer ({type(error).__name__})") from None


def _unverified() -> ssl.SSLContext:
    """A context that accepts any certificate, to see what a server offers; no data is sent or trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _handshake(server: _Server, context: ssl.SSLContext) -> bytes | None:
    """The certificate (DER) if the handshake succeeds, or None if it fails."""
    with server.connect() as plain:
        try:
            with context.wrap_socket(plain, server_hostname=server.host) as wrapped:
                return wrapped.getpeercert(binary_form=True) or b""
        except (ssl.SSLError, OSError):
            return None


def _distrust(server: _Server, ca_file: str | None) -> str:
    """Why a browser would reject the certificate; empty if it would accept it."""
    context = ssl.create_default_context(cafile=ca_file) if ca_file else ssl.create_default_context()
    with server.connect() as plain:
        try:
            with context.wrap_socket(plain, server_hostname=server.host):
                return ""
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except (ssl.SSLError, OSError) as error:
            return type(error).__name__


def _days_left(certificate: bytes, now: dt.datetime) -> int:
    from cryptography import x509

    if not certificate:
        return 0
    return (x509.load_der_x509_certificate(certificate).not_valid_after_utc - now).days


def _greets(server: _Server, version: int) -> bool:
    """True if the server answers a ClientHello of an obsolete version with a ServerHello of the same version.

    The message is built by hand, because the local TLS library may refuse to speak such an old version.
    """
    with server.connect() as plain:
        try:
            plain.sendall(_client_hello(server.host, version))
            answer = b""
            while len(answer) < 11 and (piece := plain.recv(11 - len(answer))):
                answer += piece
        except OSError:
            return False
    # record: handshake (22), version, length; message: server hello (2), length, version
    return len(answer) == 11 and answer[0] == 22 and answer[5] == 2 and struct.unpack("!H", answer[9:11])[0] == version


def _client_hello(host: str, version: int) -> bytes:
    name = host.encode("idna")
    ciphers = b"".join(struct.pack("!H", cipher) for cipher in _CIPHERS)
    extensions = [
        (0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name),  # server name
        (10, struct.pack("!HHHH", 6, 29, 23, 24)),  # groups: x25519, P-256, P-384
        (11, b"\x01\x00"),  # points: uncompressed
    ]
    packed = b"".join(struct.pack("!HH", kind, len(content)) + content for kind, content in extensions)
    body = struct.pack("!H", version) + os.urandom(32) + b"\x00" + struct.pack("!H", len(ciphers)) + ciphers
    body += b"\x01\x00" + struct.pack("!H", len(packed)) + packed
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message
