"""What data is used for: purposes, where it is asked for, who else gets it, how long it stays."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from troth.declaration.base import Country, Date, Period, StrictModel, Title, bare
from troth.declaration.notice import SpecialCondition
from troth.declaration.processing import Risk, Role


class Basis(enum.StrEnum):
    """The legal bases of GDPR Art. 6(1)(a)-(f), and UK GDPR Art. 6(1)(ea) from 2026-02-05."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"
    RECOGNISED_LEGITIMATE_INTERESTS = "recognised_legitimate_interests"


OBJECTABLE = frozenset({Basis.PUBLIC_TASK, Basis.LEGITIMATE_INTERESTS, Basis.RECOGNISED_LEGITIMATE_INTERESTS})
"""The bases that a person may object to (GDPR Art. 21(1); UK GDPR Art. 21(1) names 6(1)(ea) as well)."""


class Purpose(StrictModel):
    """Why data is used, on which basis (GDPR Art. 5(1)(b), 6, 13(1)(c))."""

    basis: Basis
    use: str
    """The data use, a fideslang key such as ``essential.service``."""
    data: tuple[str, ...]
    """Data categories; a key stands for all below it."""
    interests: Title | None = None
    """The legitimate interests, named (GDPR Art. 13(1)(d))."""
    objection: Literal["weighed", "automatic"] = "weighed"
    """What an objection does where the basis is an interest or a public task: a person weighs it (GDPR Art. 21(1)), or
    it is granted ``automatic``ally. An objection to direct marketing is always granted (Art. 21(3))."""
    condition: SpecialCondition | None = None
    """What lets special categories be used for it (GDPR Art. 9(2))."""
    title: Title | None = None
    role: Role = "controller"
    """``processor`` for what is done on behalf of others (GDPR Art. 28); see ``controllers``."""
    subjects: tuple[str, ...] = ()
    """Whose data it is; that of the systems that serve the purpose, where left out."""
    risk: Risk | None = None
    """What decides whether an impact assessment is due (GDPR Art. 35)."""


class Sharing(enum.StrEnum):
    """What we are to each other (GDPR Art. 4, CCPA)."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    JOINT = "joint"
    SALE = "sale"
    SHARE = "share"


def _as_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


class Feed(StrictModel):
    """Where the company's own rows show that a person's data goes to a recipient: each row of theirs in *table*."""

    table: str
    """``system.table``."""
    where: dict[str, Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int | float | bool)]] = {}
    """Columns and the value that each has in the rows that go there; every row goes where it is left out."""


class Recipient(StrictModel):
    """Someone the data goes to (GDPR Art. 13(1)(e)-(f), 28, 44-49)."""

    role: Sharing
    country: Country
    receives: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    """What it receives them for; any purpose that has such data, where left out."""
    title: Title | None = None
    safeguard: str | None = None
    """Where the country is outside the UK and the EU: ``adequacy``, ``scc``, ``idta``, ``dpf``, ``uk_bridge`` …"""
    contract: str | None = None
    """Where the processing contract is kept (GDPR Art. 28(3))."""
    contract_until: Date | None = None
    notice: str | None = None
    """The address of their own privacy notice."""
    assessed: str | None = None
    """Where the assessment of a transfer that rests on compelling interests alone is kept (GDPR Art. 49(1))."""
    contact: str | None = None
    """The address that is told of corrections, erasures and restrictions (GDPR Art. 19)."""
    hosts: tuple[str, ...] = ()
    """Hosts that the site may load from or send to on their behalf."""
    feed: Feed | None = None
    """Which rows show that a person's data goes there; without it only the register of disclosures shows it."""


class CollectedField(StrictModel):
    """One field of a form."""

    need: Literal["required", "optional"]
    category: str | None = None


class CollectionPoint(StrictModel):
    """Where data is asked for: exactly these fields, for these purposes (clauses C03, C05)."""

    title: Title | None = None
    page: str | None = None
    """The page with the form, below the organisation's site."""
    without: str | None = None
    """What does not happen without the required fields, in words: ``we cannot open an account``
    (GDPR Art. 13(2)(e))."""
    fields: dict[str, Annotated[CollectedField, bare("need", CollectedField)]]
    purposes: tuple[str, ...]


class Cookie(StrictModel):
    """A cookie, or anything else kept on a visitor's device (PECR 6, clause C32)."""

    host: str = "self"
    purpose: Literal["necessary", "preferences", "statistics", "marketing"]
    lifetime: str
    """``session`` or a period."""
    why: Title | None = None
    allows: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.~-]{1,100}$")] | None = None
    """What stands in it once a visitor has allowed everything: sent where it is looked at what a later refusal does."""

    @property
    def period(self) -> Period | None:
        """The lifetime as a period; None for ``session``. Raises `ValueError` for anything else."""
        return None if self.lifetime == "session" else Period.model_validate(self.lifetime)


class Retention(StrictModel):
    """How long the rows of a table stay (GDPR Art. 5(1)(e), 13(2)(a))."""

    table: str
    """``system.table``."""
    for_: Period = Field(alias="for")
    from_: str = Field(alias="from")
    title: Title | None = None
    """What the rows are, in words: ``Sign-in history``."""
    starts: Title | None = None
    """What the period runs from, in words: ``you last signed in``."""
    empty: Literal["not_begun"] | None = None
    """What a row says that has nothing there: that its period has not begun, as of an account that nobody has closed.
    Where left out, nobody knows how old such a row is, and that is a fault."""
    because: Title | None = None


class Contract(StrictModel):
    """A processing contract under which customers transfer data (GDPR Art. 28)."""

    retain: Period
    at_end: Literal["delete", "return"]
