"""What the website has to be told, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from example_voice.systems import ADDRESS_VARIABLES, DATABASES


class SettingMissing(Exception):
    """A variable that the website cannot start without is not set, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """*databases* are SQLAlchemy URLs by system; *mail* is the folder that letters go into; *home* is the address that
    letters link to, such as ``https://voice.example.org``."""

    databases: Mapping[str, str]
    mail: Path
    home: str = "http://localhost:8000"

    def __post_init__(self) -> None:
        address = urlsplit(self.home)
        if address.scheme not in ("http", "https") or not address.netloc or address.path.strip("/"):
            raise SettingMissing("EXAMPLE_VOICE_HOME must be an address such as http://localhost:8000, without a path")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the four database URLs, ``TROTH_DEMO_MAIL`` and, where set, ``EXAMPLE_VOICE_HOME``."""
        variables = {name: ADDRESS_VARIABLES[name] for name in DATABASES}
        missing = [name for name in (*variables.values(), "TROTH_DEMO_MAIL") if not environ.get(name)]
        if missing:
            raise SettingMissing(f"not set: {', '.join(missing)}; generate.py prints the database addresses")
        home = environ.get("EXAMPLE_VOICE_HOME") or "http://localhost:8000"
        databases = {name: environ[variable] for name, variable in variables.items()}
        return cls(databases, Path(environ["TROTH_DEMO_MAIL"]), home.rstrip("/"))
