"""Troth is on no package index: it is installed from a checkout or a wheel, as the guides and the messages say."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from troth import __version__
from troth.errors import install_hint

ROOT = Path(__file__).parents[2]
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
_FROM_AN_INDEX = re.compile(r"""pip install (?:-\S+ )*['"]?troth(?:\[|['"`\s]|$)""", re.MULTILINE)
_EXTRAS = re.compile(r"""pip install (?:-\S+ )*['"]?\S*\[([a-z0-9,]+)\]""")


def texts() -> Iterator[tuple[Path, str]]:
    """Whatever tells somebody to install something."""
    places = ("src", "docs", "deploy", "examples", "tools", "README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile")
    for place in (ROOT / name for name in places):
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file() and (path.suffix in {".py", ".md", ".txt", ".html", ".toml", ".yaml", ""}):
                yield path.relative_to(ROOT), path.read_text("utf-8", "replace")


def test_nothing_tells_to_install_it_from_an_index() -> None:
    assert [str(path) for path, text in texts() if _FROM_AN_INDEX.search(text)] == []
    for told in ("pip install troth", "pip install 'troth[age]'", "pip install --upgrade troth\n"):
        assert _FROM_AN_INDEX.search(told)
    assert not _FROM_AN_INDEX.search("pip install './troth-0.1.0-py3-none-any.whl[age]'")


def test_every_extra_that_is_named_is_there() -> None:
    known = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
    named = {extra for _, text in texts() for found in _EXTRAS.findall(text) for extra in found.split(",")}
    named |= {extra for _, text in texts() for extra in re.findall(r"install_hint\(['\"](\w+)", text)}
    assert {"service", "postgresql", "age"} <= named <= known


def test_a_hint_names_the_extra_and_the_checkout() -> None:
    assert install_hint("age") == "pip install '.[age]' in the checkout of Troth"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout without a network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], check=True
    )
    [made] = folder.iterdir()
    return made


def test_the_wheel_is_installed_with_its_extras_as_the_guide_says(wheel: Path, tmp_path: Path) -> None:
    guide = (ROOT / "docs/howto/run-in-production.md").read_text("utf-8")
    [(name, extras)] = re.findall(r"pip install '\./(troth-\S+\.whl)\[([a-z,]+)\]'", guide)
    assert name == wheel.name == f"troth-{__version__}-py3-none-any.whl"
    command = [
        *_PIP,
        "install",
        "--no-index",
        "--no-deps",
        "--no-compile",
        "--target",
        str(tmp_path),
        f"./{name}[{extras}]",
    ]
    told = subprocess.run(command, cwd=wheel.parent, capture_output=True, text=True, check=True)
    assert "does not provide the extra" not in told.stderr
    [found] = Distribution.discover(name="troth", path=[str(tmp_path)])
    assert set(extras.split(",")) <= set(found.metadata.get_all("Provides-Extra") or ())
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import troth; print(troth.__file__, troth.__version__)"
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(tmp_path / "troth/__init__.py"), __version__]
