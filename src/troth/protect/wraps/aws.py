"""``aws-kms``: wrapped by a key in AWS KMS that never leaves it.

The root key's id is the encryption context ``{"troth": id}``: KMS authenticates it, and CloudTrail shows it. boto3
finds the credentials; the region is the key's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from troth.data_files import read_toml
from troth.errors import needs
from troth.ledger import KeyId
from troth.protect.errors import WayRefused, WrapRefused
from troth.protect.wraps.text import decoded, encoded

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+")
_DELETION = "it is pending deletion; cancel that before its date: aws kms cancel-key-deletion, then enable-key"


@dataclass(frozen=True, slots=True)
class AwsKms:
    name: ClassVar[str] = "aws-kms"
    key: str
    """The ARN of a symmetric key. An alias is refused, because it may come to mean another key."""

    def __post_init__(self) -> None:
        if _KEY_ARN.fullmatch(self.key) is None:
            raise WayRefused(
                "the key of aws-kms must be the ARN of the key, such as arn:aws:kms:eu-west-1:111122223333:key/…; "
                "see: aws kms describe-key"
            )

    def wrap(self, secret: bytes, key: KeyId) -> str:
        with self._kms() as kms:
            answer = kms.encrypt(KeyId=self.key, Plaintext=secret, EncryptionContext=_context(key))
        return encoded(answer["CiphertextBlob"])

    def unwrap(self, text: str, key: KeyId) -> bytes:
        sealed = decoded(text)
        with self._kms() as kms:
            answer = kms.decrypt(KeyId=self.key, CiphertextBlob=sealed, EncryptionContext=_context(key))
        secret: bytes = answer["Plaintext"]
        return secret

    @contextmanager
    def _kms(self) -> Iterator[Any]:
        """A client for the key's region; its errors are replaced by ours, as AWS's may name people."""
        with needs("aws", WrapRefused, "the root key is wrapped by AWS KMS, whose client is not installed"):
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
        region = self.key.split(":")[3]
        limits = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard"})
        try:
            yield boto3.session.Session().client("kms", region_name=region, config=limits)
        except ClientError as fault:
            raise WrapRefused(f"AWS KMS refuses the key {self.key}: {_fix(fault.response)}") from None
        except NoCredentialsError:
            raise WrapRefused(
                f"there are no AWS credentials for the key {self.key}; give this machine a role, or set AWS_PROFILE"
            ) from None
        except (BotoCoreError, ValueError) as fault:  # ValueError for an invalid endpoint address
            raise WrapRefused(
                f"AWS KMS in {region} cannot be used ({type(fault).__name__}); check the network and the AWS settings"
            ) from None


def _context(key: KeyId) -> dict[str, str]:
    return {"troth": key.text}


def _fix(answer: Mapping[str, Any]) -> str:
    code, message = str(answer["Error"].get("Code")), str(answer["Error"].get("Message"))
    if "pending deletion" in message:  # KMS uses either of two codes then
        return _DELETION
    fixes: dict[str, str] = read_toml(__package__, "aws.toml")
    return fixes.get(code, f"{code[:60]}; see the errors of KMS in AWS's documentation")
