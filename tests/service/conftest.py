"""Each test that asks for `database` runs twice: on a fresh SQLite file, and on a fresh PostgreSQL database."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
import ssl
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from tests import forks
from tests.rig.databases import as_default
from tests.service import team

from troth.service.staff.rights import StaffRight, StaffRole
from troth.testing.servers import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Django's own hash of a password, with one round instead of a million."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """The URL of a migrated database, which Django's ``default`` means while the test runs."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        copied = server.database(f"t{uuid.uuid4().hex[:12]}", like=request.getfixturevalue("migrated_postgresql"))
        with copied as url, django_db_blocker.unblock(), as_default(url):
            yield url
        return
    shutil.copytree(request.getfixturevalue("migrated"), tmp_path, dirs_exist_ok=True)
    url = f"sqlite:///{tmp_path}/troth.sqlite3"
    with django_db_blocker.unblock(), as_default(url):
        yield url


Live = Callable[[str, Callable[[], object]], None]


@pytest.fixture
def live(database: str, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """``live(name, do)``: have *do* done to the fresh database. On SQLite it is done once for each *name*, and what it
    left is copied from then on; so it uses nothing but the database, and the same keys each time."""

    def lived(name: str, do: Callable[[], object]) -> None:
        file = Path(database.removeprefix("sqlite:///"))
        left = tmp_path_factory.getbasetemp() / f"{name}.sqlite3"
        if not database.startswith("sqlite"):
            do()
        elif left.exists():
            connections["default"].close()
            for beside in file.parent.glob(f"{file.name}-*"):
                beside.unlink()
            shutil.copy(left, file)
        else:
            do()
            with connections["default"].cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connections["default"].close()
            shutil.copy(file, left)

    return lived


class TestSigner:
    """An Ed25519 key for one test."""

    __test__ = False
    name = "example.org/troth"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


@pytest.fixture
def signer() -> TestSigner:
    return TestSigner()


class Begun:
    """One of `processes`, and what it prints; see `subprocess.Popen`, which it stands in for."""

    def __init__(self, process: forks.Process, stdout: IO[str]) -> None:
        self.process, self.stdout = process, stdout
        self.poll, self.wait, self.kill = process.poll, process.wait, process.kill

    def communicate(self, timeout: float) -> str:
        """All that it prints until it ends."""
        printed = self.stdout.read()
        self.wait(timeout)
        return printed


Start = Callable[..., Begun]


@pytest.fixture
def start(database: str) -> Iterator[Start]:
    """Starts one of `processes` on the test's database; whatever is left at the end is killed."""
    begun: list[Begun] = []

    def begin(*arguments: str) -> Begun:
        command = ["python", "-m", "tests.service.processes", *arguments]
        readable, writable = os.pipe()
        with open(writable, "wb") as printed:
            process = forks.start(command, env={**os.environ, "TROTH_DATABASE_URL": database}, cwd=ROOT, stdout=printed)
        begun.append(Begun(process, open(readable, encoding="utf-8")))  # noqa: SIM115 - closed below
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.wait(60)
        one.stdout.close()


@pytest.fixture
def office(database: str, tmp_path: Path, settings: Any) -> Path:
    """A small company with keys, in a folder of its own, which the service serves while the test runs. A fixture that
    sets ``settings.TROTH`` itself takes its place."""
    settings.TROTH = team.lay(tmp_path)
    return tmp_path


@pytest.fixture
def staff_member(database: str) -> Callable[..., team.StaffClient]:
    """``staff_member(Right.CASES_HANDLE, …)``: a browser in which somebody with these rights has signed in, second
    factor and all; ``.member`` is who. The company of ``settings.TROTH`` needs keys: see `office`."""
    count = iter(range(1, 1_000))

    def member(
        *rights: StaffRight, roles: Sequence[StaffRole] = (), signed: bool = True, factor: bool = True
    ) -> team.StaffClient:
        who = team.new_member(f"ann{next(count)}@example.org", *rights, roles=roles, signed=signed)
        return team.signed_in_client(who, factor=factor)

    return member


@pytest.fixture(scope="module")
def served_company(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """The folder of the company that is served."""
    from tests.service.test_server import laid_out

    return laid_out(tmp_path_factory.mktemp("company"), migrated)


@pytest.fixture(scope="module")
def served(served_company: Path) -> Iterator[str]:
    """The address of a server whose keep loop has made its first pass. The tests of a file share it."""
    from tests.service.test_server import serving

    with serving(served_company) as address:
        yield address


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody but a test trusts, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(pem))
    return file


@pytest.fixture
def secured(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
