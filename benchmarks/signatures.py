"""E-mails built, checked and signed per second on one core, beside dkimpy and the bare RSA operation of the same run.

    python -m benchmarks.signatures [--seconds 2] [--kilobytes 15]

Every copy is made out to a person of its own; dkimpy verifies a sample of both algorithms. CPU time is measured. It
ends with 1 where a goal is missed or a signature does not verify.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import itertools
import os
import sys
import time
from collections.abc import Callable

import dkim
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from troth.protect import MailAlgorithm, MailSigningKey
from troth.service.mail.message import Address, Message, PreparedMessage
from troth.service.mail.preflight import check_one
from troth.service.mail.rules import MessageText
from troth.service.mail.signatures.dkim import SIGNED, DkimKey, DkimSigner

GOAL_RSA, GOAL_CHECKS = 1_000, 5_000
"""Per second and core: building, checking and signing with RSA-2048; the checks alone."""
_NOW = dt.datetime.now(dt.UTC)
_SITE = "https://example.org/your-data/stop/"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--kilobytes", type=int, default=15)
    given = options.parse_args()
    prepared, numbers = _prepared(given.kilobytes), itertools.count()
    rates: dict[str, float] = {}

    def measure(name: str, work: Callable[[], object]) -> None:
        begun, count = time.process_time(), 0
        while (spent := time.process_time() - begun) < given.seconds:
            work()
            count += 1
        rates[name] = count / spent
        print(f"{name:44}{rates[name]:10,.0f}/s")

    documents = {one: MailSigningKey.generate(one) for one in _ALGORITHMS}
    keys = {one: MailSigningKey(one, documents[one]) for one in _ALGORITHMS}
    signers = {one: DkimSigner("example.org", [DkimKey("k", keys[one])]) for one in _ALGORITHMS}
    sample, _ = _copy(prepared, 0)
    print(f"a message of {len(sample.content):,} bytes")
    measure("built", lambda: _copy(prepared, next(numbers)))
    for one in _ALGORITHMS:
        measure(f"bare {one} of a digest", lambda one=one: keys[one].sign(os.urandom(32)))  # type: ignore[misc]
        measure(f"signed, {one}", lambda one=one: signers[one].sign(sample.content))  # type: ignore[misc]
        measure(f"built, signed, checked, {one}", lambda one=one: _whole(prepared, signers[one], next(numbers)))  # type: ignore[misc]
    signed, opt_outs = _whole(prepared, signers["rsa-sha256"], 1)
    measure("checked", lambda: check_one(signed, to=signed.to, opt_outs=opt_outs))
    pem = load_der_private_key(documents["rsa-sha256"], None).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    names = [name.lower().encode() for name in SIGNED]
    measure("signed by dkimpy", lambda: dkim.sign(sample.content, b"k", b"example.org", pem, include_headers=names))
    missed = [str(one) for one in _ALGORITHMS if not _verifies(prepared, signers[one], keys[one])]
    missed += ["built, signed, checked"] if rates["built, signed, checked, rsa-sha256"] < GOAL_RSA else []
    missed += ["checked"] if rates["checked"] < GOAL_CHECKS else []
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached, and dkimpy verified every sample")
    sys.exit(bool(missed))


_ALGORITHMS: tuple[MailAlgorithm, ...] = ("rsa-sha256", "ed25519-sha256")


def _prepared(kilobytes: int) -> PreparedMessage:
    """A newsletter of about this size."""
    line = "A sentence of news that is as long as sentences of news are, with “quotes” – and more.\n"
    count = kilobytes * 1024 // (2 * len(line) + 60)
    html = "".join(f"  <p>{line.strip()}</p>\n" for _ in range(count))
    stop = '<p>Example Ltd, 1 Example Street. <a href="{{stop}}">Unsubscribe</a></p>'
    text = MessageText(
        "News for {{name}}", f"Hello {{{{name}}}}\n{line * count}Stop: {{{{stop}}}}\n", f"{html}{stop}\n"
    )
    return PreparedMessage(
        text,
        name="Example Ltd",
        sender=Address.read("news@example.org"),
        language="en",
        placeholders=("name", "stop"),
        headers={"List-Id": "<news.example.org>"},
    )


def _copy(prepared: PreparedMessage, number: int) -> tuple[Message, tuple[str, str]]:
    token = base64.urlsafe_b64encode(number.to_bytes(40, "big")).decode().rstrip("=")
    opt_outs = (f"{_SITE}{token}", f"mailto:privacy@example.org?subject=stop%20{token}")
    message = prepared.message(
        to=Address.read(f"ann+{number}@example.org"),
        now=_NOW,
        envelope=Address.read(f"b+{number}@bounce.example.org"),
        headers={
            "List-Unsubscribe": ", ".join(f"<{uri}>" for uri in opt_outs),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        values={"name": "Ann", "stop": opt_outs[0]},
    )
    return message, opt_outs


def _whole(prepared: PreparedMessage, signer: DkimSigner, number: int) -> tuple[Message, tuple[str, str]]:
    message, opt_outs = _copy(prepared, number)
    message = message.signed(signer)
    faults = check_one(message, to=f"ann+{number}@example.org", opt_outs=opt_outs)
    assert not faults, faults
    return message, opt_outs


def _verifies(prepared: PreparedMessage, signer: DkimSigner, key: MailSigningKey) -> bool:
    """Whether dkimpy verifies 100 copies."""
    value = base64.b64encode(key.public_key).decode()
    record = f"v=DKIM1; k={key.algorithm.partition('-')[0]}; p={value}".encode()
    copies = (_whole(prepared, signer, number)[0] for number in range(100))
    return all(dkim.verify(one.content, dnsfunc=lambda name, timeout=5: record) for one in copies)


if __name__ == "__main__":
    main()
