"""The production profile refuses to start unsafe, and says every reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from troth.protect import create_home
from troth.service.configuration import Database, Settings, UnsafeStart
from troth.service.safety_checks import filesystem_of, refuse_unsafe

SITE = "https://www.example.org"
KEY = "k3y-" * 4 + "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def safe(tmp_path: Path) -> Settings:
    create_home(tmp_path)
    tmp_path.chmod(0o700)
    return Settings.read(
        {
            "TROTH_HOME": str(tmp_path),
            "TROTH_PROFILE": "production",
            "TROTH_HOSTS": "privacy.example.org",
            "TROTH_SECRET_KEY": KEY,
            "TROTH_MAIL_URL": "smtp://mail.example.org",
        }
    )


def refused(
    settings: Settings, *, site: str | None = SITE, debug: bool = False, unapplied: int | None = 0, mounts: str = ""
) -> str:
    with pytest.raises(UnsafeStart) as refusal:
        refuse_unsafe(settings, site=site, debug=debug, unapplied=unapplied, mounts=mounts)
    assert len(refusal.value.problems) == 1
    return refusal.value.problems[0]


def test_a_safe_deployment_starts(safe: Settings) -> None:
    refuse_unsafe(safe, site=SITE, debug=False, unapplied=0)


def test_debug_pages_are_refused(safe: Settings) -> None:
    assert "DEBUG" in refused(safe, debug=True)


def test_missing_hosts_are_refused(safe: Settings) -> None:
    assert "TROTH_HOSTS" in refused(replace(safe, hosts=()))


@pytest.mark.parametrize("site", [None, "http://www.example.org", "www.example.org"])
def test_a_site_in_clear_is_refused(safe: Settings, site: str | None) -> None:
    assert "site" in refused(safe, site=site)


def test_a_missing_secret_key_is_refused(safe: Settings) -> None:
    assert "TROTH_SECRET_KEY" in refused(replace(safe, secret_key_given=False))


def test_missing_mail_is_refused(safe: Settings) -> None:
    assert "TROTH_MAIL_URL" in refused(replace(safe, mail=None))


def test_a_home_inside_a_git_tree_is_refused(safe: Settings, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep" / "home").mkdir(parents=True)
    assert "git tree" in refused(replace(safe, home=tmp_path / "deep" / "home"))


def test_a_home_that_is_missing_or_open_to_others_is_refused(safe: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "does not exist" in refused(replace(safe, home=home))
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    assert "chmod 700" in refused(replace(safe, home=home))


def test_a_key_that_others_can_read_is_refused(safe: Settings, tmp_path: Path) -> None:
    key = tmp_path / "root.key"
    key.chmod(0o640)
    assert "root.key" in refused(safe)
    key.chmod(0o600)
    refuse_unsafe(safe, site=SITE, debug=False, unapplied=0)


def test_a_root_key_that_is_missing_or_damaged_is_refused(safe: Settings, tmp_path: Path) -> None:
    key = tmp_path / "root.key"
    text = key.read_text()
    key.write_text(text.replace("secret", "secrets"))
    assert "damaged" in refused(safe)
    key.unlink()
    assert "troth keys init" in refused(safe)


def test_sqlite_on_a_network_file_system_is_refused(safe: Settings, tmp_path: Path) -> None:
    mounts = f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 0:40 / {tmp_path} rw - nfs4 nas:/troth rw\n"
    assert "nfs4" in refused(safe, mounts=mounts)
    elsewhere = replace(safe, database=Database(engine="postgresql", name="troth"))
    refuse_unsafe(elsewhere, site=SITE, debug=False, unapplied=0, mounts=mounts)


def test_a_database_file_that_others_can_read_is_refused(safe: Settings) -> None:
    file = Path(safe.database.name)
    file.touch(mode=0o644)
    file.chmod(0o644)
    assert "chmod 600" in refused(safe)


def test_missing_migrations_are_refused(safe: Settings) -> None:
    assert "troth migrate" in refused(safe, unapplied=3)
    assert "cannot be opened" in refused(safe, unapplied=None)


def test_every_reason_is_told_at_once(safe: Settings) -> None:
    with pytest.raises(UnsafeStart) as refusal:
        refuse_unsafe(replace(safe, hosts=()), site=None, debug=True, unapplied=1)
    assert len(refusal.value.problems) == 4


def test_development_is_not_asked() -> None:
    refuse_unsafe(Settings.read({}), site=None, debug=True, unapplied=9)


def test_the_innermost_mount_counts() -> None:
    mounts = "1 0 8:1 / / rw - ext4 a rw\n2 1 0:4 / /srv rw - nfs b rw\n3 2 0:5 / /srv/local rw - xfs c rw\ngarbage\n"
    assert filesystem_of(Path("/srv/x/db"), mounts) == "nfs"
    assert filesystem_of(Path("/srv/local/db"), mounts) == "xfs"
    assert filesystem_of(Path("/home/db"), mounts) == "ext4"
