"""What an app of the service adds to it: `Duty`, in the app's ``duty.py``. **A new duty is a folder and a line of
`DUTIES`.**

A ``duty.py`` holds ``DUTY``. It is read without Django, by commands too, so what needs Django is named as
``"module:name"`` and imported when it is used. Texts are marked with `marked` and translated where they are shown.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from troth.ledger import EntryKind
    from troth.service.api.scopes import ApiScope
    from troth.service.mail.message_kinds import MessageKind
    from troth.service.staff.rights import StaffRight

DUTIES: tuple[str, ...] = (
    "troth.service.core",
    "troth.service.mail",
    "troth.service.staff",
    "troth.service.api",
    "troth.service.disclosures",
    "troth.service.assurance",
    "troth.service.policy_pages",
    "troth.service.vault",
    "troth.service.requests",
)
"""The apps of the service, base apps first. Each is a Django app of the same name."""


def marked(text: str) -> str:
    """*text*, marked for translation."""
    return text


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A console page: URL name, title, rights that open it (any of them; none: everyone), what it is *about*, and its
    *place* in the navigation."""

    name: str
    title: str
    rights: tuple[StaffRight, ...] = ()
    about: str = ""
    place: int = 500


@dataclass(frozen=True, slots=True)
class CentreLink:
    """A link of the privacy centre's first page, after those to requests: URL name, title, what it is *about*, and its
    *place*."""

    name: str
    title: str
    about: str
    place: int = 500


@dataclass(frozen=True, slots=True)
class ControlInput:
    """Something that controls look at: its *meaning*, unless `troth.controls` says it, and ``"module:function"``, which
    makes it from the deployment and the time."""

    meaning: str
    supply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What one app adds. Everything is optional."""

    entries: Mapping[str, EntryKind] = field(default_factory=dict)
    """Kinds of ledger entries that it records."""
    entry_titles: Mapping[str, str] = field(default_factory=dict)
    """Titles of those that people may see."""
    messages: Mapping[str, MessageKind] = field(default_factory=dict)
    """Kinds of e-mails; each has a template ``mail/<kind>.txt``."""
    controls: str = ""
    """Module with the functions that answer its controls; these are described in ``controls.toml`` beside it."""
    inputs: Mapping[str, ControlInput] = field(default_factory=dict)
    """What its controls look at, and others may."""
    after: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Events that it notes (`core.control_events`), each with the controls that run at once after it."""
    rights: Sequence[StaffRight] = ()
    """Rights of staff."""
    scopes: Sequence[ApiScope] = ()
    """Permissions of API tokens."""
    webhooks: Mapping[str, str] = field(default_factory=dict)
    """Events that programs may be told of, each with what happened."""
    jobs: Sequence[str] = ()
    """Modules that register kinds of jobs."""
    sealed: str = ""
    """``module:name`` of its columns that are sealed under field keys (`core.resealing.SealedPlace`)."""
    tables: str = ""
    """File in its folder that declares its tables, as part of Troth's own declaration."""
    urls: Sequence[tuple[str, str]] = ()
    """Prefix and module of its pages."""
    paths: Sequence[str] = ()
    """Paths that it serves, with everything below, on a site that is shared with the company."""
    api: str = ""
    """``module:name`` of its router of the API."""
    api_tag: str = ""
    """Heading of its operations in the reference; the name of its app if it is empty."""
    console: Sequence[ConsolePage] = ()
    centre: Sequence[CentreLink] = ()
    inbox: str = ""
    """``module:function`` that is shown each e-mail that arrived and says whether it has taken it, once, before it is
    taken for a request."""
    before_checks: str = ""
    """``module:function`` of what every pass over the promises does first, with the deployment and the time."""
    unbound: str = ""
    """``module:function`` of controls to run although no promise depends on them, each with whether its last check is
    out of date; it takes the deployment and the time."""
    evidence: Sequence[str] = ()
    """Beginnings of entry kinds that show how the policy was kept."""
    evidence_files: str = ""
    """``module:function`` that yields further files of an archive of evidence."""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Sections of ``troth.yaml``, each with ``module:class`` of its model (`troth.declaration.StrictModel`)."""
    metrics: str = ""
    """``module:function`` that takes the time and yields its figures for monitoring (`prometheus_client.Metric`).
    Labels are words of the code, such as states; never ids, names or values."""
    settings: Mapping[str, Callable[[str], object]] = field(default_factory=dict)
    """Environment variables that begin with ``TROTH_``, each with what reads its text (`configuration.setting`)."""
    commands: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Commands of ``troth``, each with its module and its help in one line."""
    at_start: Sequence[str] = ()
    """Modules that are imported when Django is ready, such as receivers of signals."""


@functools.cache
def duties() -> Mapping[str, Duty]:
    """Every duty, by the name of its app, in the order of `DUTIES`."""
    return {name: import_module(f"{name}.duty").DUTY for name in DUTIES}


@functools.cache
def gathered(what: str) -> Mapping[str, Any]:
    """The mapping *what* of all duties together. Raises ``ValueError`` if two have the same name in it."""
    found: dict[str, Any] = {}
    for app, duty in duties().items():
        added = getattr(duty, what)
        if twice := sorted(found.keys() & added.keys()):
            raise ValueError(f"{app} registers {what} that another duty has registered: {', '.join(twice)}")
        found |= added
    return found


@functools.cache
def listed(what: str) -> Sequence[Any]:
    """The sequence *what* of all duties together."""
    return tuple(item for duty in duties().values() for item in getattr(duty, what))


def named(what: str) -> Iterator[Any]:
    """The object that each duty names as *what*."""
    for duty in duties().values():
        if name := getattr(duty, what):
            yield resolve(name)


def resolve(name: str) -> Any:
    """The object ``module:name``."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def register_entries() -> None:
    """Add the kinds of entries of all duties to the library's."""
    from troth.ledger.kinds import add_kinds

    add_kinds(gathered("entries"))


def register_controls() -> None:
    """Add the controls of all duties, and what they look at, to the library's."""
    from troth.controls.catalogue import add_controls
    from troth.controls.result import add_inputs

    for app, duty in duties().items():
        if duty.controls:
            add_controls(resources.files(app).joinpath("controls.toml").read_text(encoding="utf-8"))
    add_inputs({name: given.meaning for name, given in gathered("inputs").items() if given.meaning})


def register_sections() -> None:
    """Add the sections of ``troth.yaml`` of all duties to the library's."""
    from troth.declaration.model import add_section

    for name, section in gathered("sections").items():
        add_section(name, resolve(section))


def import_all(what: str) -> None:
    """Import the modules that all duties list as *what*."""
    for module in listed(what):
        import_module(module)
