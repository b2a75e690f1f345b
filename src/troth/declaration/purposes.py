"""Uses of data: purposes, collection points, recipients, retention."""

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
"""The bases to which a person may object (GDPR Art. 21(1); UK GDPR Art. 21(1) names 6(1)(ea) as well)."""


class Purpose(StrictModel):
    """A purpose of using data, and its legal basis (GDPR Art. 5(1)(b), 6, 13(1)(c))."""

    basis: Basis
    use: str
    """The data use, a fideslang key such as ``essential.service``."""
    data: tuple[str, ...]
    """Data categories; a key includes all below it."""
    interests: Title | None = None
    """The legitimate interests, named (GDPR Art. 13(1)(d))."""
    objection: Literal["weighed", "automatic"] = "weighed"
    """The effect of an objection if the basis is an interest or a public task: a person weighs it (GDPR Art. 21(1)), or
    it is granted ``automatic``ally. An objection to direct marketing is always granted (Art. 21(3))."""
    condition: SpecialCondition | None = None
    """The condition for using special categories (GDPR Art. 9(2))."""
    title: Title | None = None
    role: Role = "controller"
    """``processor`` for processing on behalf of others (GDPR Art. 28); see ``controllers``."""
    subjects: tuple[str, ...] = ()
    """The people concerned; by default those of the systems that serve the purpose."""
    risk: Risk | None = None
    """Facts that decide whether an impact assessment is due (GDPR Art. 35)."""


class Sharing(enum.StrEnum):
    """The roles of a recipient (GDPR Art. 4, CCPA)."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    JOINT = "joint"
    SALE = "sale"
    SHARE = "share"


def as_text(value: Any) -> Any:
    """A boolean as the text that stands for it."""
    return str(value).lower() if isinstance(value, bool) else value


class Feed(StrictModel):
    """Rows of the company that show that a person's data goes to a recipient: each row of that person in *table*."""

    table: str
    """``system.table``."""
    where: dict[str, Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int | float | bool)]] = {}
    """Columns and the value that each has in the rows that go to the recipient; by default every row."""


class Recipient(StrictModel):
    """A recipient of data (GDPR Art. 13(1)(e)-(f), 28, 44-49)."""

    role: Sharing
    country: Country
    receives: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    """The purposes for which it receives data; by default any purpose with such data."""
    title: Title | None = None
    safeguard: str | None = None
    """Safeguard for a country outside the UK and the EU: ``adequacy``, ``scc``, ``idta``, ``dpf``, ``uk_bridge`` …"""
    contract: str | None = None
    """Where the processing contract is stored (GDPR Art. 28(3))."""
    contract_until: Date | None = None
    notice: str | None = None
    """The URL of their own privacy notice."""
    assessed: str | None = None
    """Where the assessment of a transfer that is based only on compelling interests is stored (GDPR Art. 49(1))."""
    contact: str | None = None
    """The e-mail address for notifications of corrections, erasures and restrictions (GDPR Art. 19)."""
    hosts: tuple[str, ...] = ()
    """Hosts from which the site may load, or to which it may send, on their behalf."""
    feed: Feed | None = None
    """The rows that show that a person's data goes there; without it only the register of disclosures shows it."""


class CollectedField(StrictModel):
    """One field of a form."""

    need: Literal["required", "optional"]
    category: str | None = None


class CollectionPoint(StrictModel):
    """A place where data is collected: exactly these fields, for these purposes (clauses C03, C05)."""

    title: Title | None = None
    page: str | None = None
    """The page with the form, below the organisation's site."""
    without: str | None = None
    """The consequence of not giving the required fields: ``we cannot open an account`` (GDPR Art. 13(2)(e))."""
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
    """Its value once a visitor has allowed everything: sent when checking the effect of a later refusal."""

    @property
    def period(self) -> Period | None:
        """The lifetime as a period; None for ``session``. Raises `ValueError` for anything else."""
        return None if self.lifetime == "session" else Period.model_validate(self.lifetime)


class Retention(StrictModel):
    """The retention period of a table's rows (GDPR Art. 5(1)(e), 13(2)(a))."""

    table: str
    """``system.table``."""
    for_: Period = Field(alias="for")
    from_: str = Field(alias="from")
    title: Title | None = None
    """A name for the rows: ``Sign-in history``."""
    starts: Title | None = None
    """The event that starts the period: ``you last signed in``."""
    empty: Literal["not_begun"] | None = None
    """The meaning of an empty start column: the period has not begun, as for an account that is not closed. By default
    the age of such a row is unknown, and that is a fault."""
    ahead: Literal["not_begun"] | None = None
    """The meaning of a start after tomorrow: the period has not begun, as for a contract that still runs. By default
    such a date is a fault, because a row with a start in the future is never past its period."""
    because: Title | None = None


class Contract(StrictModel):
    """A processing contract under which customers transfer data (GDPR Art. 28)."""

    retain: Period
    at_end: Literal["delete", "return"]
