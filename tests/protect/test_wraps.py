"""Ways to keep the root key: each opens what it wrapped, and says what to fix where it does not."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.protect.agefile import age_file
from tests.rig.keyservices import FakeKms, FakeTransit, SoftHsm
from tests.tables import each_row

from troth.protect import (
    KEY_FILE,
    WAYS,
    HomeRefused,
    Keyring,
    WayRefused,
    Wrap,
    WrapRefused,
    create_home,
    options,
    read_key_file,
    way,
)

PASSPHRASE = "six words that nobody else has"


def set_all(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        patch.setenv(name, value)


@dataclass
class World:
    """Everything that wraps a root key, and a home for it."""

    home: Path
    kms: FakeKms
    transit: FakeTransit
    hsm: SoftHsm
    arn: str = field(init=False)

    def __post_init__(self) -> None:
        self.arn = self.kms.make_key()
        self.transit.make_key("troth")
        self.transit.make_key("troth-derived", derived=True)

    def way(self, name: str) -> Wrap:
        match name:
            case "aws-kms":
                return way(name, {"key": self.arn})
            case "transit":
                return way(name, {"key": "troth"})
            case "derived":
                return way("transit", {"key": "troth-derived"})
            case "pkcs11":
                return way(name, {"token": self.hsm.token, "key": self.hsm.key})
        return way(name, {})

    def make(self, name: str) -> None:
        create_home(self.home, wrap=self.way(name))

    def change(self, change: Callable[[str], str]) -> None:
        path = self.home / KEY_FILE
        before = path.read_text()
        after = change(before)
        assert after != before
        path.write_text(after)

    def refusal(self) -> str:
        """What opening the home is refused with. The secret is nowhere in it, nor in the traceback."""
        with pytest.raises(HomeRefused) as refused:
            Keyring.open(self.home)
        shown = "".join(traceback.format_exception(refused.value))
        assert read_key_file(self.home).text not in shown
        assert PASSPHRASE not in shown
        assert self.hsm.pin not in shown
        assert self.transit.token not in shown
        assert str(refused.value).startswith(str(self.home / KEY_FILE))
        return str(refused.value)


@pytest.fixture
def world(
    tmp_path: Path, kms: FakeKms, transit: FakeTransit, softhsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> World:
    set_all(monkeypatch, kms.environment | transit.environment | softhsm.environment)
    monkeypatch.setenv("TROTH_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("HOME", str(tmp_path))  # nobody's own credentials
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "VAULT_NAMESPACE", "TROTH_NEW_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    return World(tmp_path / "home", kms, transit, softhsm)


# --- what every way promises ------------------------------------------------------------------------------------------

EVERY = ["none", "age", "aws-kms", "transit", "derived", "pkcs11"]
REMOTE = ["aws-kms", "transit", "derived", "pkcs11"]


@pytest.fixture(params=EVERY)
def made(request: pytest.FixtureRequest, world: World) -> World:
    """A home that is wrapped in each way there is."""
    if request.param == "age":
        make_light(world)
    else:
        world.make(request.param)
    return world


def make_light(world: World) -> None:
    """A home that age opens at once."""
    world.make("none")
    rewrite(world, age_file(read_key_file(world.home).secret(), PASSPHRASE))


def rewrite(world: World, sealed: bytes) -> None:
    """Put *sealed* into the key file as what age wrote."""
    head = (world.home / KEY_FILE).read_text().partition("wrap =")[0]
    (world.home / KEY_FILE).write_text(f'{head}wrap = "age"\nsecret = "{base64.b64encode(sealed).decode()}"\n')


def test_what_a_way_wrapped_it_opens(made: World) -> None:
    assert Keyring.open(made.home).id == read_key_file(made.home).id
    assert (made.home / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_the_secret_stands_in_no_file_that_is_wrapped(made: World) -> None:
    found = read_key_file(made.home)
    secret, content = found.secret(), (made.home / KEY_FILE).read_bytes()
    held = base64.b64decode(found.text.rpartition(":")[2])
    assert (secret in held) == (found.way.name == "none")
    assert secret.hex() not in repr(found)
    assert found.text not in repr(found)
    assert found.content() == content or found.way.name == "age"


def test_a_key_under_the_name_of_another_is_refused(made: World) -> None:
    made.change(lambda text: text.replace('id = "k1:', 'id = "k1:0123456789abcdef"\n# "'))
    assert "restore your copy" in made.refusal()


def test_a_wrapped_key_that_was_changed_is_refused(made: World) -> None:
    wrapped = read_key_file(made.home).text
    swapped = wrapped[:-8] + wrapped[-8:-4].swapcase() + wrapped[-4:]
    made.change(lambda text: text.replace(wrapped, swapped if swapped != wrapped else wrapped[:-8] + "1234" + "===="))
    assert "restore your copy" in made.refusal()


@each_row("junk", ["", "§", "AAAA", "vault:v1:", "vault:v9:AAAA", "vault:v1:AAAA"])
def test_a_wrapped_key_that_is_no_such_thing_is_refused(made: World, junk: str) -> None:
    text, wrapped = (made.home / KEY_FILE).read_text(), read_key_file(made.home).text
    made.change(lambda text: text.replace(wrapped, junk))
    with pytest.raises(HomeRefused, match=str(made.home / KEY_FILE)):
        Keyring.open(made.home)
    (made.home / KEY_FILE).write_text(text)


@pytest.mark.parametrize(
    ("module", "extra"),
    [("pyrage", "age"), ("boto3", "aws"), ("hvac", "vault"), ("pkcs11", "pkcs11")],
)
def test_a_missing_package_is_told_with_its_extra(
    world: World, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    name = {"aws": "aws-kms", "vault": "transit"}.get(extra, extra)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(WrapRefused, match=rf"pip install '.\[{extra}\]'"):
        world.way(name).wrap(bytes(32), Keyring(bytes(32)).id)
    with pytest.raises(WrapRefused, match=rf"pip install '.\[{extra}\]'"):
        world.way(name).unwrap("AAAA" * 20, Keyring(bytes(32)).id)


def test_protect_imports_none_of_the_packages() -> None:
    script = "import sys, troth.protect; print(sorted(sys.modules.keys() & {'pyrage', 'boto3', 'hvac', 'pkcs11'}))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


@pytest.mark.parametrize("name", REMOTE)
def test_a_home_is_not_made_where_the_key_cannot_be_wrapped(world: World, name: str) -> None:
    one = world.way(name)
    made = {"aws-kms": {"key": world.arn[:-1] + "z"}, "pkcs11": {**options(one), "key": "nobody's"}}
    with pytest.raises(WrapRefused):
        create_home(world.home, wrap=way(one.name, made.get(name, {"key": "nobodys"})))
    assert list(world.home.iterdir()) == []


def test_a_key_that_may_wrap_and_not_unwrap_is_refused_before_it_is_needed(world: World) -> None:
    world.kms.keys[world.arn].denied.add("Decrypt")
    with pytest.raises(WrapRefused, match="may not use it"):
        world.make("aws-kms")
    world.transit.denied.add("decrypt/troth")
    with pytest.raises(WrapRefused, match="lacks update"):
        world.make("transit")
    assert list(world.home.iterdir()) == []


def test_a_way_that_gives_back_something_else_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.protect.wraps.plain.Plain.unwrap", lambda *_: bytes(32))
    with pytest.raises(WrapRefused, match="a different secret"):
        world.make("none")
    assert list(world.home.iterdir()) == []


def test_where_a_key_is_already_nobody_is_asked_to_wrap_another(world: World) -> None:
    world.make("none")
    world.transit.sealed = True
    with pytest.raises(HomeRefused, match="never overwritten"):
        world.make("transit")


@each_row(
    ("name", "given", "says"),
    [
        ("starlight", {}, "there are: none, age"),
        ("none", {"key": "x"}, "none has no option key"),
        ("age", {"passphrase": "x"}, "age has no option passphrase"),
        ("age", {"_passphrase": "x"}, "age has no option _passphrase"),
        ("aws-kms", {}, "aws-kms needs the option key"),
        ("aws-kms", {"key": "alias/troth"}, "ARN"),
        ("aws-kms", {"key": "arn:aws:kms:eu-west-1:111122223333:alias/troth"}, "ARN"),
        ("aws-kms", {"key": "arn:aws:kms:eu-west-1.example.org/:111122223333:key/1"}, "ARN"),
        ("transit", {"key": "../../sys/seal"}, "letters"),
        ("transit", {"key": "troth", "mount": "transit/../sys"}, "letters"),
        ("transit", {"key": "troth", "mount": ""}, "empty"),
        ("pkcs11", {"key": "root"}, "needs the option token"),
        ("pkcs11", {"token": "a\nb", "key": "root"}, "cannot be printed"),
        ("pkcs11", {"token": "a" * 3000, "key": "root"}, "too long"),
    ],
)
def test_ways_and_options_that_do_not_fit_are_refused(name: str, given: Mapping[str, str], says: str) -> None:
    with pytest.raises(WayRefused, match=says):
        way(name, given)


def test_options_of_any_kind_come_back_from_the_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.protect.wraps.pkcs11.Pkcs11.wrap", lambda *_: "AAAA")
    monkeypatch.setattr("troth.protect.home.wrapped", lambda *_: "AAAA")
    odd = {"token": 'Ann\'s "token" \\ ☃', "key": "# = ["}
    create_home(world.home, wrap=way("pkcs11", odd))
    assert options(read_key_file(world.home).way) == odd


def test_every_way_has_a_class() -> None:
    needed = {"aws-kms": {"key": "arn:aws:kms:eu-west-1:111122223333:key/1"}, "transit": {"key": "x"}}
    needed["pkcs11"] = {"key": "x", "token": "x"}
    assert [way(name, needed.get(name, {})).name for name in WAYS] == list(WAYS)


# --- what is given in the environment ---------------------------------------------------------------------------------


@pytest.fixture
def passphrase_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    monkeypatch.delenv("TROTH_PASSPHRASE")
    monkeypatch.setenv("TROTH_PASSPHRASE_FILE", str(path))
    return path


@pytest.fixture
def light(world: World) -> World:
    """A home that age opens at once."""
    make_light(world)
    return world


def test_a_passphrase_may_stand_in_a_file(light: World, passphrase_file: Path) -> None:
    Keyring.open(light.home)
    passphrase_file.write_text("another passphrase")
    assert "does not unwrap" in light.refusal()


def test_a_passphrase_twice_is_refused(light: World, passphrase_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_PASSPHRASE", PASSPHRASE)
    assert "both set" in light.refusal()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_passphrase_that_others_can_read_is_refused(light: World, passphrase_file: Path, mode: int) -> None:
    passphrase_file.chmod(mode)
    assert f"chmod 600 {passphrase_file}" in light.refusal()


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xff", b"two\nlines\n", b"x" * 70_000], ids=["empty", "line", "binary", "two", "long"]
)
def test_a_file_that_holds_no_passphrase_is_refused(light: World, passphrase_file: Path, content: bytes) -> None:
    passphrase_file.write_bytes(content)
    assert f"TROTH_PASSPHRASE_FILE names {passphrase_file}" in light.refusal()


def test_a_file_that_is_not_there_is_told(light: World, passphrase_file: Path) -> None:
    passphrase_file.unlink()
    assert "cannot be read (No such file or directory)" in light.refusal()


# --- age --------------------------------------------------------------------------------------------------------------


@pytest.mark.soak  # its work takes seconds; a command does the same in `tests.cli.test_keys_wrapped`
def test_what_age_itself_wrote_is_opened(world: World) -> None:
    world.make("age")
    assert base64.b64decode(read_key_file(world.home).text).startswith(b"age-encryption.org/v1\n-> scrypt ")
    assert Keyring.open(world.home).id == read_key_file(world.home).id


def test_a_file_that_another_age_wrote_is_opened(light: World) -> None:
    Keyring.open(light.home)


def test_a_wrong_passphrase_is_told_from_a_damaged_file(light: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_PASSPHRASE", "not the passphrase")
    assert "the passphrase does not unwrap" in light.refusal()
    monkeypatch.setenv("TROTH_PASSPHRASE", PASSPHRASE)
    rewrite(light, age_file(bytes(32), PASSPHRASE)[:-1])
    assert "not written by age" in light.refusal()
    rewrite(light, age_file(bytes(32), PASSPHRASE))
    assert "does not match its id" in light.refusal()
    rewrite(light, age_file(bytes(31), PASSPHRASE))
    assert "does not match its id" in light.refusal()


def test_a_file_that_would_take_minutes_is_not_opened(light: World) -> None:
    rewrite(light, age_file(bytes(32), PASSPHRASE, said=34))
    assert "faster machine" in light.refusal()


def test_without_a_passphrase_and_a_terminal_it_is_told_where_to_put_one(
    light: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TROTH_PASSPHRASE")
    assert "TROTH_PASSPHRASE_FILE" in light.refusal()


def test_a_short_passphrase_wraps_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_PASSPHRASE", "short")
    with pytest.raises(WrapRefused, match="shorter than 12"):
        world.make("age")
    assert list(world.home.iterdir()) == []


# --- AWS KMS ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_kms(world: World) -> World:
    world.make("aws-kms")
    return world


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Another fake of AWS, not ours."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_kms_is_spoken_to_as_another_fake_of_it_expects(
    world: World, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", moto)
    kms = boto3.client("kms", region_name="eu-central-1")
    arns = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    identity = create_home(world.home, wrap=way("aws-kms", {"key": arns[0]}))
    assert Keyring.open(world.home).id == identity
    sealed = base64.b64decode(read_key_file(world.home).text)
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=sealed)
    assert len(kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"troth": str(identity)})["Plaintext"]) == 32
    world.change(lambda text: text.replace(*arns))
    assert "may not use it" in world.refusal()  # what moto says where KMS says IncorrectKeyException


def test_a_key_of_kms_that_is_disabled_opens_nothing_until_it_is_enabled(in_kms: World) -> None:
    in_kms.kms.keys[in_kms.arn].state = "Disabled"
    assert f"{in_kms.arn}: it is disabled" in in_kms.refusal()
    in_kms.kms.keys[in_kms.arn].state = "Enabled"
    Keyring.open(in_kms.home)


@pytest.mark.parametrize("code", ["KMSInvalidStateException", "DisabledException"])
def test_a_key_of_kms_that_is_to_be_deleted_is_told_while_there_is_time(in_kms: World, code: str) -> None:
    in_kms.kms.keys[in_kms.arn].state = "PendingDeletion"
    in_kms.kms.deletion_code = code
    assert "cancel-key-deletion" in in_kms.refusal()


def test_a_key_of_kms_that_was_deleted_is_told(in_kms: World) -> None:
    del in_kms.kms.keys[in_kms.arn]
    assert "does not exist, or no longer" in in_kms.refusal()


def test_who_was_denied_by_kms_is_not_told(in_kms: World) -> None:
    in_kms.kms.keys[in_kms.arn].denied.add("Decrypt")
    refusal = in_kms.refusal()
    assert "allow kms:Encrypt and kms:Decrypt" in refusal
    assert "ann" not in refusal.removeprefix(str(in_kms.home))


def test_another_key_of_kms_is_told(in_kms: World) -> None:
    in_kms.change(lambda text: text.replace(in_kms.arn, in_kms.kms.make_key()))
    assert "another key wrapped this file" in in_kms.refusal()


def test_kms_opens_it_for_this_root_key_only(in_kms: World) -> None:
    in_kms.change(lambda text: text.replace('id = "k1:', 'id = "k1:0123456789abcdef"\n# "'))
    assert "belongs to another root key" in in_kms.refusal()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AWS_ACCESS_KEY_ID", "AKIANOBODY", "does not know these credentials"),
        ("AWS_ACCESS_KEY_ID", "", "no AWS credentials"),
        ("AWS_PROFILE", "nobody", "cannot be used"),
        ("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1", "cannot be used"),
        ("AWS_ENDPOINT_URL_KMS", "nonsense", "cannot be used"),
    ],
)
def test_kms_that_cannot_be_used_is_told(
    in_kms: World, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    if not value:
        monkeypatch.delenv(name)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(WrapRefused, match=says):
        Keyring.open(in_kms.home)


# --- Transit ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_vault(world: World) -> World:
    world.make("transit")
    return world


def test_a_rotated_key_of_vault_still_opens_until_its_old_version_is_disabled(in_vault: World) -> None:
    assert read_key_file(in_vault.home).text.startswith("vault:v1:")
    key = in_vault.transit.keys["troth"]
    key.versions.append(os.urandom(32))
    Keyring.open(in_vault.home)
    key.min_decryption_version = 2
    assert "lower min_decryption_version" in in_vault.refusal()


def test_a_vault_that_is_sealed_is_told(in_vault: World) -> None:
    in_vault.transit.sealed = True
    assert "is sealed" in in_vault.refusal()


def test_a_token_that_is_denied_is_told_what_it_lacks(in_vault: World, monkeypatch: pytest.MonkeyPatch) -> None:
    in_vault.transit.denied.add("decrypt/troth")
    assert "lacks update on transit/encrypt/troth and transit/decrypt/troth" in in_vault.refusal()
    monkeypatch.setenv("VAULT_TOKEN", "hvs.run-out")
    assert "not valid" in in_vault.refusal()


def test_a_key_of_vault_that_was_deleted_is_told(in_vault: World) -> None:
    del in_vault.transit.keys["troth"]
    assert f"there is no key transit/troth at {in_vault.transit.url}, or no longer" in in_vault.refusal()


def test_another_key_of_vault_is_told(in_vault: World) -> None:
    in_vault.transit.make_key("troth")
    assert "another key wrapped it" in in_vault.refusal()


def test_a_derived_key_of_vault_opens_it_for_this_root_key_only(world: World) -> None:
    world.make("derived")
    world.change(lambda text: text.replace('id = "k1:', 'id = "k1:0123456789abcdef"\n# "'))
    assert "another key wrapped it" in world.refusal()


def test_an_engine_that_is_not_mounted_there_is_told(in_vault: World) -> None:
    in_vault.change(lambda text: text.replace('mount = "transit"', 'mount = "teams/transit"'))
    assert "no Transit engine at teams/transit" in in_vault.refusal()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "VAULT_ADDR is not set"),
        ("vault.example.org:8200", "not a plain address"),
        ("ftp://vault.example.org", "not a plain address"),
        ("https://", "not a plain address"),
        ("http://[", "not a plain address"),
        ("http://vault.example.org:8200", "unencrypted"),
        ("http://127.0.0.1.example.org", "unencrypted"),
        ("http://127.0.0.1:1", "does not answer"),
        ("http://localhost:1", "does not answer"),
    ],
)
def test_an_address_that_will_not_do_is_told(
    in_vault: World, monkeypatch: pytest.MonkeyPatch, address: str, says: str
) -> None:
    monkeypatch.setenv("VAULT_ADDR", address)
    assert says in in_vault.refusal()


def test_a_password_in_the_address_is_refused_and_not_repeated(
    in_vault: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", "https://ann:hunter2@vault.example.org")
    assert "hunter2" not in in_vault.refusal()


def test_a_certificate_that_is_not_trusted_is_told(in_vault: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", in_vault.transit.url.replace("http:", "https:"))
    assert "VAULT_CACERT" in in_vault.refusal()


def test_without_a_token_nothing_is_asked(in_vault: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    assert "there is no token for" in in_vault.refusal()


def test_the_token_may_stand_in_a_file(in_vault: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text(in_vault.transit.token)
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(tmp_path / "token"))
    Keyring.open(in_vault.home)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b'{"data": 1}', b'{"data": {"plaintext": 1}}', b"{}"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_answer_that_is_not_vaults_is_told(
    in_vault: World, monkeypatch: pytest.MonkeyPatch, body: bytes, status: int
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{server.server_port}")
        refusal = in_vault.refusal()
        assert "VAULT_ADDR" in refusal or f"{server.server_port} refuses" in refusal
        answering.join()


# --- PKCS #11 ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_token(world: World) -> World:
    world.make("pkcs11")
    return world


def test_several_threads_open_it_at_once(in_token: World) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = {keyring.id for keyring in pool.map(Keyring.open, [in_token.home] * 12)}
    assert ids == {read_key_file(in_token.home).id}


def test_a_wrong_pin_is_told(in_token: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_PKCS11_PIN", "0000")
    refusal = in_token.refusal()
    assert "the PIN of the token 'Troth testing' is wrong" in refusal
    assert "0000" not in refusal
    monkeypatch.setenv("TROTH_PKCS11_PIN", in_token.hsm.pin)
    Keyring.open(in_token.home)


def test_without_a_pin_nobody_logs_in(in_token: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TROTH_PKCS11_PIN")
    assert "TROTH_PKCS11_PIN_FILE" in in_token.refusal()


def test_a_token_that_is_not_there_is_told(in_token: World) -> None:
    in_token.change(lambda text: text.replace(in_token.hsm.token, "Another"))
    assert "there is no token 'Another'" in in_token.refusal()


def test_a_key_that_the_token_lost_is_told(in_token: World) -> None:
    in_token.change(lambda text: text.replace('key = "root"', 'key = "lost"'))
    assert "has no AES key 'lost', or no longer" in in_token.refusal()


def test_another_key_of_the_token_is_told(in_token: World) -> None:
    in_token.hsm.run("session.generate_key(pkcs11.KeyType.AES, 256, label='another', store=True)")
    in_token.change(lambda text: text.replace('key = "root"', 'key = "another"'))
    assert "cannot unwrap it" in in_token.refusal()


def test_two_keys_of_a_name_are_refused(in_token: World) -> None:
    in_token.hsm.run("[session.generate_key(pkcs11.KeyType.AES, 256, label='twins', store=True) for _ in 'ab']")
    in_token.change(lambda text: text.replace('key = "root"', 'key = "twins"'))
    assert "several keys 'twins'" in in_token.refusal()


def test_a_key_that_is_not_for_encryption_is_refused(world: World) -> None:
    world.hsm.run(
        "session.generate_key(pkcs11.KeyType.AES, 256, label='signs', store=True, "
        "capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY)"
    )
    with pytest.raises(WrapRefused, match="may not encrypt and decrypt"):
        create_home(world.home, wrap=way("pkcs11", {"token": world.hsm.token, "key": "signs"}))


def test_a_library_that_is_none_is_told(in_token: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("/nowhere/lib.so", __file__, "/etc"):
        monkeypatch.setenv("TROTH_PKCS11_MODULE", wrong)
        assert f"TROTH_PKCS11_MODULE names {wrong}" in in_token.refusal()
    monkeypatch.delenv("TROTH_PKCS11_MODULE")
    assert "give its vendor's library" in in_token.refusal()


def test_a_file_cannot_choose_the_library(in_token: World) -> None:
    in_token.change(lambda text: text.replace('key = "root"', 'key = "root"\nmodule = "/tmp/evil.so"'))
    with pytest.raises(HomeRefused, match="has no option module"):
        Keyring.open(in_token.home)
