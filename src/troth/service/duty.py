"""What an app of the service registers: a `Duty`, in the app's ``duty.py``. **A new duty is a folder and a line of
`DUTIES`.**

A ``duty.py`` assigns ``DUTY``. It is imported without Django, also by commands; so what needs Django is named as
``"module:name"`` and imported when it is used. Texts are marked with `marked` and translated where they are shown.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
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
    "troth.service.preferences",
    "troth.service.mail",
    "troth.service.staff",
    "troth.service.api",
    "troth.service.portal",
    "troth.service.disclosures",
    "troth.service.assurance",
    "troth.service.policy_pages",
    "troth.service.cases",
    "troth.service.processors",
    "troth.service.vault",
    "troth.service.requests",
    "troth.service.complaints",
    "troth.service.newsletters",
)
"""The apps of the service, base apps first. Each is a Django app of the same name."""


def marked(text: str) -> str:
    """*text*, marked for translation."""
    return text


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A link of the console's navigation: URL name, title, rights, what the page is *about*, its *place*, and the title
    of its *group*; without one it stands alone. It is shown to those who have any of the *rights*, or to all staff if
    there are none; the view checks rights itself."""

    name: str
    title: str
    rights: tuple[StaffRight, ...] = ()
    about: str = ""
    place: int = 500
    group: str = ""


@dataclass(frozen=True, slots=True)
class CentreLink:
    """A link on the privacy centre's first page, after those to requests: URL name, title, what the page is *about*,
    and its *place* among these links. Where the text names the ``%(regulator)s``, *alone* is the one without."""

    name: str
    title: str
    about: str
    place: int = 500
    alone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseType:
    """A type of case: its *name*, which is the right that the person exercises, or else the *kind* of the case."""

    name: str
    kind: str
    letter: str
    """With which its references begin."""
    title: str
    """Title on the person's pages."""
    label: str
    """Title on those of staff."""
    handling: str
    """``module:class`` of what differs from other cases, a `cases.handling.CaseHandling`."""
    answer_by: Mapping[str, str]
    """The obligation of each regime that sets the period for the answer, by the id of the regime; ``*`` is that of all
    others."""
    confirm_by: Mapping[str, str] = field(default_factory=dict)
    """Likewise, to acknowledge receipt."""
    acknowledged: str = "acknowledged"
    """Kind of the e-mail that acknowledges receipt. It states those facts that its kind has."""
    grounds: Sequence[str] = ()
    """Obligations whose exceptions may be the ground of a refusal."""
    is_answered: bool = True
    """Whether a handler answers it in writing."""
    is_followup: bool = False
    """Whether it is against the answer to another case: who had a part in that one has none in this."""
    is_harmless: bool = False
    """Whether to grant it harms nobody, also if somebody else asked."""
    stops_use: bool = False
    """Whether all that it can do is to stop a use."""


@dataclass(frozen=True, slots=True)
class LinkKind:
    """A kind of mailed link: its *name*, which begins with that of its app, and the view that it *opens*, as
    ``"module:name"``, decorated with `portal.confirmation.confirmed`. A link *lasts* for a day by default, and after
    its first use for some hours; one that *is_standing* may be used as long as it lasts, and must give no access
    to personal data. *resend*, a ``"module:function"``, takes the keyed reference of a person and the time (``now``),
    and mails new links for what the person asked for before; it is safe to call it again."""

    name: str
    opens: str
    lasts: dt.timedelta = dt.timedelta(days=1)  # NIST SP 800-63A: a code sent by e-mail is valid for a day
    is_standing: bool = False
    resend: str = ""

    @property
    def app(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class InboxTaker:
    """Gets incoming e-mails: its *name*, and *take*, a ``"module:function"`` of the message
    (`mail.inbox.mailboxes.MailboxMessage`), the deployment and the time. It returns True if it has handled the message,
    which no later taker gets then; *place* orders them. It may get the same message again after a crash."""

    name: str
    take: str
    place: int


@dataclass(frozen=True, slots=True)
class ControlInput:
    """An input of controls: its *meaning*, empty if `troth.controls` describes it already, and its *supply*, the
    ``"module:function"`` that returns it, given the deployment and the time."""

    meaning: str
    supply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What one app registers. Every field is optional."""

    entries: Mapping[str, EntryKind] = field(default_factory=dict)
    """Kinds of ledger entries that it records."""
    entry_titles: Mapping[str, str] = field(default_factory=dict)
    """Titles of its entries, for the ledger's pages."""
    messages: Mapping[str, MessageKind] = field(default_factory=dict)
    """Kinds of e-mails that it sends; each has a template ``mail/<kind>.txt``."""
    controls: str = ""
    """Module of the functions that answer its controls; ``controls.toml`` in the app's folder describes these."""
    rehearsal: str = ""
    """Module with what is ordinary business here (``ordinary(world)``), and the breaches of its promises
    (`troth.rehearsal.breach`)."""
    inputs: Mapping[str, ControlInput] = field(default_factory=dict)
    """Inputs that it supplies to controls, its own and those of others, by the name of the parameter."""
    after: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Events (`core.control_events`), each with the controls that are brought forward after it."""
    rights: Sequence[StaffRight] = ()
    """Rights of staff."""
    scopes: Sequence[ApiScope] = ()
    """Permissions of API tokens."""
    webhooks: Mapping[str, str] = field(default_factory=dict)
    """Events of webhooks, each with a title that says what happened."""
    jobs: Sequence[str] = ()
    """Modules that register kinds of jobs."""
    sealed: str = ""
    """``module:name`` of its columns that are sealed under field keys: a sequence of `core.resealing.SealedPlace`."""
    tables: str = ""
    """File in its folder that declares its tables, as part of Troth's own declaration."""
    urls: Sequence[tuple[str, str]] = ()
    """URLconfs of its pages, each as prefix and module."""
    paths: Sequence[str] = ()
    """Paths that Troth serves, with everything below them, on a site that it shares with the company's own."""
    api: str = ""
    """``module:name`` of the router of its API operations, a `ninja.Router`."""
    api_tag: str = ""
    """Heading of these operations in the API's description; if it is empty, the app's name."""
    console: Sequence[ConsolePage] = ()
    """Links in the console's navigation."""
    console_figures: str = ""
    """``module:function`` that takes a request and yields figures for the console's first page
    (`staff.base.ConsoleFigure`): only those that the person behind it may see."""
    links: Sequence[LinkKind] = ()
    """Kinds of links that it mails."""
    cases: Sequence[CaseType] = ()
    """Types of cases that it answers."""
    centre: Sequence[CentreLink] = ()
    """Links on the privacy centre's first page."""
    editions: Mapping[str, str] = field(default_factory=dict)
    """Kinds of editions, which go to many people: each ``module:name`` of a `mail.bulk.kinds.EditionKind`."""
    inbox: Sequence[InboxTaker] = ()
    """What it takes of the incoming e-mails."""
    before_checks: str = ""
    """``module:function`` that a pass over the promises calls before it schedules controls, with the deployment and the
    time. A pass that finds nothing new skips it, for half a minute at most."""
    unbound: str = ""
    """``module:function`` that takes the deployment and the time, and returns controls that run although no promise
    names them, each with True if its last check is out of date."""
    evidence: Sequence[str] = ()
    """Prefixes of the kinds of entries that an archive of evidence contains."""
    evidence_files: str = ""
    """``module:function`` that takes what was gathered for an archive of evidence
    (`assurance.evidence.gather.Gathered`), and yields further files: name and content in pieces."""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Sections of ``troth.yaml``, each with the ``module:class`` of its model (`declaration.base.StrictModel`)."""
    choices_changed: str = ""
    """``module:function`` that is called in the transaction in which choices are recorded or end, with the keyed
    references of the people and the time."""
    letter_returned: str = ""
    """``module:function`` that is called in the transaction that notes that an e-mail failed, or may have come back,
    with its row (`mail.models.LetterRow`), the deployment and the time."""
    people_erased: str = ""
    """``module:function`` that is called in the transaction that records an erasure, with the keyed references of the
    erased identifiers and the time."""
    metrics: str = ""
    """``module:function`` that takes the time and yields figures for ``/metrics`` (`prometheus_client.Metric`). Labels
    are words of the code, such as states; never ids, names or values."""
    settings: Mapping[str, Callable[[str], object]] = field(default_factory=dict)
    """Environment variables, each with the function that reads its text; `configuration.setting` returns the value. An
    unset variable is an empty text."""
    commands: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Commands of ``troth``, each with its module, where it is the function of the same name, and its help in one
    line."""
    at_start: Sequence[str] = ()
    """Modules that are imported when Django is ready, such as receivers of signals."""


@functools.cache
def duties() -> Mapping[str, Duty]:
    """Every duty, by the name of its app, in the order of `DUTIES`."""
    return {name: import_module(f"{name}.duty").DUTY for name in DUTIES}


@functools.cache
def gathered(what: str) -> Mapping[str, Any]:
    """The mappings of all duties in the field *what*, as one. Raises ``ValueError`` if two duties register the same
    name."""
    found: dict[str, Any] = {}
    for app, duty in duties().items():
        added = getattr(duty, what)
        if twice := sorted(found.keys() & added.keys()):
            raise ValueError(f"{app} registers {what} that another duty has registered: {', '.join(twice)}")
        found |= added
    return found


@functools.cache
def listed(what: str) -> Sequence[Any]:
    """The sequences of all duties in the field *what*, as one. Raises ``ValueError`` for a name that is in it twice."""
    items = tuple(item for duty in duties().values() for item in getattr(duty, what))
    names = Counter(getattr(item, "name", item) for item in items)
    if twice := sorted(str(name) for name, count in names.items() if count > 1):
        raise ValueError(f"the same {what} are registered twice: {', '.join(twice)}")
    return items


def named(what: str) -> Iterator[Any]:
    """The objects that duties name in the field *what*, imported."""
    for duty in duties().values():
        if name := getattr(duty, what):
            yield resolve(name)


def resolve(name: str) -> Any:
    """The object that *name*, a ``module:name``, refers to."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def register_entries() -> None:
    """Add the kinds of entries of all duties to `troth.ledger`."""
    from troth.ledger.kinds import add_kinds

    add_kinds(gathered("entries"))


def register_controls() -> None:
    """Add the controls of all duties, and their inputs, to `troth.controls`."""
    from troth.controls.catalogue import add_controls
    from troth.controls.result import add_inputs

    for app, duty in duties().items():
        if duty.controls:
            add_controls(resources.files(app).joinpath("controls.toml").read_text(encoding="utf-8"))
    add_inputs({name: given.meaning for name, given in gathered("inputs").items() if given.meaning})


def register_sections() -> None:
    """Add the sections of ``troth.yaml`` of all duties to `troth.declaration`."""
    from troth.declaration.model import add_section

    for name, section in gathered("sections").items():
        add_section(name, resolve(section))


def import_all(what: str) -> None:
    """Import the modules that duties list in the field *what*."""
    for module in listed(what):
        import_module(module)
