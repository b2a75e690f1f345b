"""How to run one test of each algorithm with our own primitives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from troth.ledger import Verifier
from troth.ledger import verify_troth_ledger as offline
from troth.protect.hazmat import TAG_BYTES, Aead, GcmSiv, KeyWrap, Mac, SigningKey, Siv, derive
from troth.testing.vectors.ff1 import try_ff1
from troth.testing.vectors.reading import JsonFields
from troth.testing.vectors.trials import AES_KEYS, AES_KEYS_TOLD, Attempt, NotTried, Trial, first_of

Try = Callable[[JsonFields, JsonFields], Trial]
"""Makes the trial from a group and a test. Raises `NotTried`, `VectorsUnreadable`."""


def _aead(kind: Callable[[bytes], Aead | GcmSiv], nonces: range, group: JsonFields, test: JsonFields) -> Trial:
    key, nonce, associated, message, sealed, tag = map(test.hexadecimal, ("key", "iv", "aad", "msg", "ct", "tag"))
    if len(tag) != TAG_BYTES and test.text("result") == "valid":
        raise NotTried("only whole tags are taken, of 16 bytes")
    return Trial(
        [
            Attempt("encrypt", lambda: kind(key).encrypt(nonce, message, associated), sealed + tag, refused=False),
            Attempt("decrypt", lambda: kind(key).decrypt(nonce, sealed + tag, associated), message),
        ],
        first_of(
            (len(key) not in AES_KEYS, AES_KEYS_TOLD),
            (len(nonce) not in nonces, f"only nonces of {_span(nonces)} bytes are taken"),
        ),
    )


def _span(lengths: range) -> str:
    return str(lengths.start) if len(lengths) == 1 else f"{lengths.start} to {lengths.stop - 1}"


def _siv(group: JsonFields, test: JsonFields) -> Trial:
    """AES-SIV, deterministic or with a nonce: the nonce is the last of the associated texts (RFC 5297 §3)."""
    key, associated, message, sealed = map(test.hexadecimal, ("key", "aad", "msg", "ct"))
    texts = [associated]
    if "iv" in test:
        texts.append(test.hexadecimal("iv"))
        sealed = test.hexadecimal("tag") + sealed
    return Trial(
        [
            Attempt("encrypt", lambda: Siv(key).encrypt(message, texts), sealed, refused=False),
            Attempt("decrypt", lambda: Siv(key).decrypt(sealed, texts), message),
        ],
        first_of((len(key) not in {32, 48, 64}, "only SIV keys of 32, 48 or 64 bytes are taken")),
    )


def _key_wrap(
    wrap: Callable[[KeyWrap, bytes], bytes],
    unwrap: Callable[[KeyWrap, bytes], bytes],
    group: JsonFields,
    test: JsonFields,
) -> Trial:
    key, secret, wrapped = map(test.hexadecimal, ("key", "msg", "ct"))
    return Trial(
        [
            Attempt("wrap", lambda: wrap(KeyWrap(key), secret), wrapped, refused=not wrapped),
            Attempt("unwrap", lambda: unwrap(KeyWrap(key), wrapped), secret),
        ],
        first_of((len(key) not in AES_KEYS, AES_KEYS_TOLD)),
    )


def _hkdf(name: str, group: JsonFields, test: JsonFields) -> Trial:
    secret, salt, info, derived = map(test.hexadecimal, ("ikm", "salt", "info", "okm"))
    length = test.number("size")
    return Trial([Attempt("derive", lambda: derive(secret, info, length, salt=salt, hash_name=name), derived)])


def _hmac(name: str, group: JsonFields, test: JsonFields) -> Trial:
    key, message, tag = map(test.hexadecimal, ("key", "msg", "tag"))
    length = group.number("tagSize") // 8
    return Trial([Attempt("compute", lambda: Mac(key, name)(message)[:length], tag, refused=False)])


def _eddsa(group: JsonFields, test: JsonFields) -> Trial:
    """Verifies with the ledger and with the offline verifier for outsiders. Also tests signing if the group contains
    the secret key, as older groups do."""
    key = group.inner("publicKey" if "publicKey" in group else "key")
    if key.text("curve") != "edwards25519":
        raise NotTried("the only signatures are Ed25519")
    public, message, signature = key.hexadecimal("pk"), test.hexadecimal("msg"), test.hexadecimal("sig")
    attempts = [
        Attempt("verify", lambda: Verifier("vectors", public).verify(message, signature)),
        Attempt("verify offline", lambda: _require_signature(public, message, signature)),
    ]
    if "sk" in key:
        secret = key.hexadecimal("sk")
        attempts.append(Attempt("sign", lambda: SigningKey(secret).sign(message), signature, refused=False))
    return Trial(attempts)


def _require_signature(public: bytes, message: bytes, signature: bytes) -> None:
    if not offline.is_signature(public, message, signature):
        raise offline.Refused


_HASHES = {
    "SHA1": "sha1",
    "SHA224": "sha224",
    "SHA256": "sha256",
    "SHA384": "sha384",
    "SHA512": "sha512",
    "SHA512/224": "sha512_224",
    "SHA512/256": "sha512_256",
    "SHA3-224": "sha3_224",
    "SHA3-256": "sha3_256",
    "SHA3-384": "sha3_384",
    "SHA3-512": "sha3_512",
}

_gcm: Try = partial(_aead, Aead, range(8, 129))
_gcm_siv: Try = partial(_aead, GcmSiv, range(12, 13))
_kw: Try = partial(_key_wrap, KeyWrap.wrap, KeyWrap.unwrap)
_kwp: Try = partial(_key_wrap, KeyWrap.wrap_padded, KeyWrap.unwrap_padded)

ALGORITHMS: Mapping[str, Try] = {
    "AES-GCM": _gcm,
    "AES-GCM-SIV": _gcm_siv,
    "AES-SIV-CMAC": _siv,
    "AEAD-AES-SIV-CMAC": _siv,
    "AES-FF1": try_ff1,
    "AES-WRAP": _kw,
    "KW": _kw,
    "AES-KWP": _kwp,
    "KWP": _kwp,
    "EDDSA": _eddsa,
    **{f"HKDF-SHA-{bits}": partial(_hkdf, f"sha{bits}") for bits in (1, 224, 256, 384, 512)},
    **{f"HMAC{name}": partial(_hmac, ours) for name, ours in _HASHES.items()},
}
"""Test runners by the value of ``algorithm``, in capitals."""
