"""What a root key is wrapped by, for each test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.rig.keyservices import FakeKms, FakeTransit, SoftHsm, soft_hsm


@pytest.fixture
def kms() -> Iterator[FakeKms]:
    """AWS KMS, as far as it encrypts and decrypts."""
    with FakeKms() as fake:
        yield fake


@pytest.fixture
def transit() -> Iterator[FakeTransit]:
    """Vault with a Transit engine."""
    with FakeTransit() as fake:
        yield fake


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """A token in SoftHSM. Its library looks for tokens once in the life of a process, so there is one for the run."""
    hsm = soft_hsm(tmp_path_factory.mktemp("softhsm"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", hsm.environment["SOFTHSM2_CONF"])
        yield hsm
