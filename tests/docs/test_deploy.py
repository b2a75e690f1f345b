"""What is in ``deploy/`` is held against what there is: commands, options, settings, files, how units are shut in."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from troth.cli import main

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SETTINGS = (ROOT / "docs/reference/settings.md").read_text("utf-8")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
EXPOSURE_MAX = 1.5
"""Of ten, as ``systemd-analyze security`` counts: OK ends at 3."""


def lines(unit: Path) -> Mapping[str, list[str]]:
    """What a unit sets, name to values."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        name, is_set, value = line.partition("=")
        if is_set and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def steps() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments."""
    whole = re.sub(r"\\\n\s*", "", DOCKERFILE)
    found = [line.partition(" ") for line in whole.splitlines() if line.strip() and not line.startswith("#")]
    return [(name.strip(), rest) for name, _, rest in found]


def called() -> Iterator[list[str]]:
    """Every call of troth in here."""
    for unit in UNITS:
        yield from (shlex.split(start)[1:] for start in lines(unit)["ExecStart"])
    said = dict(steps())
    assert json.loads(said["ENTRYPOINT"]) == ["troth"]
    yield json.loads(said["CMD"])
    texts = [DOCKERFILE, (DEPLOY / "as-troth").read_text("utf-8")]
    yield from ([name] for text in texts for name in re.findall(r"(?:… troth|as-troth) ([a-z]+)", text))
    yield from ([name] for name in re.findall(r"as-troth ([a-z]+)", _guides()))


def parse(name: str, *options: str) -> None:
    """Read a call as click would, without making it. Raises `click.NoSuchOption`."""
    above = click.Context(main, info_name="troth", help_option_names=["-h", "--help"])  # click remembers these
    command = main.get_command(above, name)
    assert command is not None, name
    command.make_parser(click.Context(command, above)).parse_args(list(options))


def _guides() -> str:
    return "".join((ROOT / f"docs/howto/{page}.md").read_text("utf-8") for page in ("run-in-production", "upgrade"))


def test_what_is_called_exists_with_its_options() -> None:
    calls = list(called())
    assert len(calls) > len(UNITS)
    for name, *options in calls:
        parse(name, *options)


def test_an_option_that_does_not_exist_is_found() -> None:
    with pytest.raises(click.NoSuchOption):
        parse("serve", "--no-such-option")


def test_every_setting_is_one_that_the_reference_knows() -> None:
    known = set(re.findall(r"`(TROTH_[A-Z0-9_]+)`", SETTINGS))
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    named = {name for path in files for name in re.findall(r"\bTROTH_[A-Z0-9_]+", path.read_text("utf-8"))}
    assert named >= {"TROTH_PROFILE", "TROTH_HOME", "TROTH_SECRET_KEY_FILE"}
    assert {name.removesuffix("_FILE") for name in named} - known == set()


def test_no_secret_stands_in_the_environment() -> None:
    names = re.findall(r"^([A-Z_]+)=", (DEPLOY / "environment").read_text("utf-8"), re.MULTILINE)
    secrets = [name for name in names if re.search(r"URL|KEY|SECRET|PASS|TOKEN", name)]
    assert secrets
    assert all(name.endswith("_FILE") for name in secrets)


def test_all_units_are_shut_in_alike() -> None:
    own = {"Description", "ExecStart", "LimitNOFILE"}
    first, *others = [{name: value for name, value in lines(unit).items() if name not in own} for unit in UNITS]
    assert all(other == first for other in others)
    assert first["LimitCORE"] == ["0"]
    assert first["User"] == ["troth"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd's own tools")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_the_unit_and_finds_little_exposed(unit: Path, tmp_path: Path) -> None:
    command = tmp_path / "troth"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o700)
    here = tmp_path / unit.name.replace("@", "@1")
    here.write_text(unit.read_text("utf-8").replace("/opt/troth/bin/troth", str(command)))
    environment = {"PATH": os.environ["PATH"], "SYSTEMD_LOG_COLOR": "0", "SYSTEMD_EMOJI": "0"}
    analyze = ["systemd-analyze", "--no-pager"]
    verified = subprocess.run([*analyze, "verify", str(here)], env=environment, capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    security = [*analyze, "security", "--offline=true", "--threshold=100", str(here)]
    looked = subprocess.run(security, env=environment, capture_output=True, text=True)
    exposed = re.search(r"Overall exposure level for \S+: ([\d.]+)", looked.stdout)
    assert exposed is not None, looked.stdout + looked.stderr
    assert float(exposed[1]) <= EXPOSURE_MAX


# --- the image --------------------------------------------------------------------------------------------------------


def test_the_image_says_first_that_it_was_not_built() -> None:
    assert DOCKERFILE.startswith("# It was not built where it was written")


def test_the_last_stage_is_nobody_special_and_builds_nothing() -> None:
    last = [index for index, (name, _) in enumerate(steps()) if name == "FROM"][-1]
    stage = steps()[last:]
    assert ("USER", "10001:10001") in stage
    said = " ".join(rest for _, rest in stage)
    assert not re.search(r"apt-get|pip install|gcc|build-essential", said)
    assert "pip uninstall --yes pip" in said
    assert [rest for name, rest in stage if name == "COPY"] == ["--from=build /opt/troth /opt/troth"]


def test_what_is_copied_into_the_image_is_there_and_is_let_through() -> None:
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [
        source
        for name, rest in steps()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert set(copied) == set(let_through)
    assert all((ROOT / source).exists() for source in copied)


def test_the_image_has_what_other_databases_are_read_by() -> None:
    locked = (ROOT / "requirements/production.txt").read_text("utf-8")
    assert {"psycopg", "pymysql", "granian"} <= set(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", locked, re.MULTILINE))
