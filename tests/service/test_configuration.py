"""The environment is read once, strictly, and wrong values say how to fix them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from troth.service.configuration import Profile, Settings, SettingsError, prepare

KEY = "k3y-" * 4 + "0123456789abcdefghijklmnopqrstuvwxyz"


def read(home: Path, **variables: str) -> Settings:
    return Settings.read({"TROTH_HOME": str(home), **variables})


def test_no_environment_is_development_on_sqlite() -> None:
    settings = Settings.read({})
    assert settings.profile is Profile.DEVELOPMENT
    assert settings.database.name == str(Path("~/.troth/troth.sqlite3").expanduser())
    assert "localhost" in settings.hosts


def test_reading_makes_no_file(tmp_path: Path) -> None:
    read(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


def test_preparing_makes_a_private_home_and_a_lasting_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = prepare(read(home))
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "secret-key").stat().st_mode) == 0o600
    assert prepare(read(home)).secret_key == read(home).secret_key == first.secret_key
    assert sorted(path.name for path in home.iterdir()) == ["secret-key", "troth.sqlite3"]
    assert stat.S_IMODE((home / "troth.sqlite3").stat().st_mode) == 0o600


def test_secrets_stay_out_of_the_repr(tmp_path: Path) -> None:
    settings = read(
        tmp_path, TROTH_SECRET_KEY=KEY, TROTH_DATABASE_URL="postgresql://troth:hunter2@db.example.org/troth"
    )
    assert KEY not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_a_variable_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://troth:p%40ss@db.example.org:6543/records?sslmode=verify-full\n")
    database = read(tmp_path, TROTH_DATABASE_URL_FILE=str(secret)).database
    assert (database.user, database.password, database.port) == ("troth", "p@ss", "6543")
    assert database.options == {"sslmode": "verify-full"}


def test_a_socket_folder_is_a_host(tmp_path: Path) -> None:
    database = read(tmp_path, TROTH_DATABASE_URL="postgresql:///troth?host=/run/postgresql").database
    assert (database.name, database.host, database.options) == ("troth", "/run/postgresql", {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TROTH_PROFILE", "staging"),
        ("TROTH_HOME", "relative/path"),
        ("TROTH_DATABASE_URL", "mysql://db/troth"),
        ("TROTH_DATABASE_URL", "sqlite://"),
        ("TROTH_DATABASE_URL", "sqlite:///relative.db"),
        ("TROTH_DATABASE_URL", "postgresql://db:port/troth"),
        ("TROTH_DATABASE_URL", "postgresql://db.example.org/"),
        ("TROTH_HOSTS", "*"),
        ("TROTH_HOSTS", "https://privacy.example.org/"),
        ("TROTH_WEBHOOKS_PRIVATE", "0.0.0.0/0"),
        ("TROTH_WEBHOOKS_PRIVATE", "0.0.0.0/1, 128.0.0.0/1"),
        ("TROTH_WEBHOOKS_PRIVATE", "::/0"),
        ("TROTH_WEBHOOKS_PRIVATE", "10.1.2.3/16"),
        ("TROTH_WEBHOOKS_PRIVATE", "*.internal"),
        ("TROTH_WEBHOOKS_PRIVATE", "https://hooks.internal/"),
        ("TROTH_SECRET_KEY", "short"),
        ("TROTH_SECRET_KEY", "a" * 100),
        ("TROTH_SECRET_KEY_FILE", "/nonexistent/key"),
    ],
)
def test_a_wrong_value_stops_with_its_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.read({"TROTH_HOME": str(tmp_path), name: value})


def test_private_receivers_are_hosts_and_networks(tmp_path: Path) -> None:
    told = read(tmp_path, TROTH_WEBHOOKS_PRIVATE="Hooks.internal, localhost, 10.1.0.0/16, 192.168.1.9, fc00::/7")
    assert told.webhook_hosts == {"hooks.internal", "localhost"}
    assert list(map(str, told.webhook_networks)) == ["10.1.0.0/16", "192.168.1.9/32", "fc00::/7"]


def test_a_wrong_database_url_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, TROTH_DATABASE_URL="mysql://troth:hunter2@db/troth")
    assert "hunter2" not in str(refused.value)


def test_a_variable_and_its_file_exclude_each_other(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(KEY)
    with pytest.raises(SettingsError, match="both set"):
        read(tmp_path, TROTH_SECRET_KEY=KEY, TROTH_SECRET_KEY_FILE=str(secret))


def test_development_answers_localhost_only(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TROTH_PROFILE=production"):
        read(tmp_path, TROTH_HOSTS="privacy.example.org")
    assert "shop.localhost" in read(tmp_path, TROTH_HOSTS="shop.localhost").hosts


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(KEY)
    secret.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read(tmp_path, TROTH_SECRET_KEY_FILE=str(secret))
    secret.chmod(0o600)
    assert read(tmp_path, TROTH_SECRET_KEY_FILE=str(secret)).secret_key == KEY


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"k" * 100_000])
def test_a_file_that_holds_no_value_is_refused(tmp_path: Path, content: bytes) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(content)
    secret.chmod(0o600)
    with pytest.raises(SettingsError, match="TROTH_SECRET_KEY_FILE"):
        read(tmp_path, TROTH_SECRET_KEY_FILE=str(secret))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/troth/my%20rows.sqlite3",
        "postgresql://troth:p%40ss@db.example.org:6543/records?sslmode=verify-full",
        "postgresql://troth@/records?host=%2Frun%2Fpostgresql&port=5433",
    ],
)
def test_a_database_can_be_told_as_a_url_again(tmp_path: Path, url: str) -> None:
    database = read(tmp_path, TROTH_DATABASE_URL=url).database
    assert read(tmp_path, TROTH_DATABASE_URL=database.url()).database == database
