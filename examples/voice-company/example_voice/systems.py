"""Where the company keeps what it knows: four databases and a folder, each grown by another team.

The shop was built with care: foreign keys everywhere, a composite one among them. The desk was bought: it has no
foreign keys at all, and a message may be written by someone who did not open the ticket. The newsletter knows people
by their e-mail address only. The logins belong to the customer portal. Transcripts are files that customers send.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
)
from sqlalchemy.pool import NullPool

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only INTEGER keys
_Moment = DateTime(timezone=True)  # SQLite and MariaDB keep no zone: every moment here is UTC
_Email = String(254)

# --- shop: orders and what belongs to them ---------------------------------------------------------------------------

shop = MetaData()

customer = Table(
    "customer",
    shop,
    Column("id", _Id, primary_key=True),
    Column("email", _Email, nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("phone", String(20), index=True),
    Column("company", String(120)),
    Column("referred_by", _Id, ForeignKey("customer.id", ondelete="SET NULL"), index=True),
    Column("notice", String(10), nullable=False),
    Column("created_at", _Moment, nullable=False),
    Column("active_at", _Moment, nullable=False),
    Column("paused_at", _Moment),  # set where the customer's data must only be stored
)
address = Table(
    "address",
    shop,
    Column("customer_id", _Id, ForeignKey("customer.id"), primary_key=True, autoincrement=False),
    Column("kind", String(10), primary_key=True),
    Column("street", String(120), nullable=False),
    Column("town", String(80), nullable=False),
    Column("postcode", String(12), nullable=False),
    Column("country", String(2), nullable=False),
)
payment_method = Table(
    "payment_method",
    shop,
    Column("id", _Id, primary_key=True),
    Column("customer_id", _Id, ForeignKey("customer.id"), nullable=False, index=True),
    Column("holder", String(120), nullable=False),
    Column("token", String(40), nullable=False, unique=True),
    Column("last4", String(4), nullable=False),
    Column("expires", String(7), nullable=False),
    Column("used_at", _Moment, nullable=False),
)
orders = Table(
    "orders",
    shop,
    Column("id", _Id, primary_key=True),
    Column("customer_id", _Id, ForeignKey("customer.id"), nullable=False),
    Column("bill_to", String(10), nullable=False),
    Column("payment_method_id", _Id, ForeignKey("payment_method.id"), index=True),
    Column("note", Text),
    Column("total_pence", Integer, nullable=False),
    Column("placed_at", _Moment, nullable=False),
    ForeignKeyConstraint(["customer_id", "bill_to"], ["address.customer_id", "address.kind"]),
)
order_item = Table(
    "order_item",
    shop,
    Column("order_id", _Id, ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("product", String(40), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_pence", Integer, nullable=False),
)
invoice = Table(
    "invoice",
    shop,
    Column("id", _Id, primary_key=True),
    Column("number", String(16), nullable=False, unique=True),
    Column("customer_id", _Id, ForeignKey("customer.id"), index=True),
    Column("order_id", _Id, ForeignKey("orders.id"), index=True),
    Column("billed_name", String(120), nullable=False),
    Column("billed_email", _Email),
    Column("billed_address", String(240), nullable=False),
    Column("net_pence", Integer, nullable=False),
    Column("vat_pence", Integer, nullable=False),
    Column("issued_at", _Moment, nullable=False),
)

# --- desk: support, without a single foreign key ---------------------------------------------------------------------

desk = MetaData()

ticket = Table(
    "ticket",
    desk,
    Column("id", _Id, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("opened_by_email", _Email, nullable=False, index=True),
    Column("opened_by_name", String(120)),
    Column("customer_ref", _Id, index=True),
    Column("subject", String(160), nullable=False),
    Column("status", String(10), nullable=False),
    Column("notice", String(10), nullable=False),
    Column("opened_at", _Moment, nullable=False),
    Column("closed_at", _Moment),
)
message = Table(
    "message",
    desk,
    Column("id", _Id, primary_key=True),
    Column("ticket_id", _Id, nullable=False, index=True),
    Column("reply_to", _Id, index=True),
    Column("author_email", _Email, index=True),
    Column("author_name", String(120)),
    Column("from_staff", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("written_at", _Moment, nullable=False),
)
attachment = Table(
    "attachment",
    desk,
    Column("id", _Id, primary_key=True),
    Column("message_id", _Id, nullable=False, index=True),
    Column("filename", String(120), nullable=False),
    Column("media_type", String(60), nullable=False),
    Column("content", LargeBinary(1_000_000), nullable=False),
    Column("received_at", _Moment, nullable=False),
)

# --- newsletter: known by address only -------------------------------------------------------------------------------

newsletter = MetaData()

subscriber = Table(
    "subscriber",
    newsletter,
    Column("id", _Id, primary_key=True),
    Column("email", _Email, nullable=False, index=True),
    Column("name", String(120)),
    Column("notice", String(10), nullable=False),
    Column("confirmed_at", _Moment, nullable=False),
    Column("stopped_at", _Moment),
)

# --- logins: the customer portal -------------------------------------------------------------------------------------

logins = MetaData()

account = Table(
    "account",
    logins,
    Column("id", _Id, primary_key=True),
    Column("email", _Email, nullable=False, unique=True),
    Column("customer_ref", _Id, index=True),
    Column("state", String(10), nullable=False),
    Column("created_at", _Moment, nullable=False),
    Column("seen_at", _Moment, nullable=False),
)
session = Table(
    "session",
    logins,
    Column("id", String(32), primary_key=True),
    Column("account_id", _Id, ForeignKey("account.id"), nullable=False, index=True),
    Column("ip", String(45), nullable=False),
    Column("browser", String(120), nullable=False),
    Column("started_at", _Moment, nullable=False),
)
login = Table(
    "login",
    logins,
    Column("id", _Id, primary_key=True),
    Column("account_id", _Id, ForeignKey("account.id"), nullable=False, index=True),
    Column("ip", String(45), nullable=False),
    Column("browser", String(120), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("at", _Moment, nullable=False, index=True),
)

DATABASES: Mapping[str, MetaData] = {"shop": shop, "desk": desk, "newsletter": newsletter, "logins": logins}

ADDRESS_VARIABLES: Mapping[str, str] = {
    **{name: f"{name.upper()}_DATABASE_URL" for name in DATABASES},
    "transcripts": "TRANSCRIPTS",
}
"""System to the environment variable that says where it is, as ``troth.yaml`` refers to it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where each database is (SQLAlchemy URLs) and the folder of transcripts."""

    databases: Mapping[str, str]
    transcripts: Path

    @classmethod
    def in_folder(cls, folder: Path, **databases: str | None) -> Places:
        """SQLite files and a folder below *folder*; a URL by keyword puts that database elsewhere."""
        folder = folder.resolve()
        own = {name: databases.get(name) or f"sqlite:///{folder / name}.sqlite" for name in DATABASES}
        return cls(databases=own, transcripts=folder / "transcripts")

    def environment(self) -> dict[str, str]:
        """The variables that ``troth.yaml`` and the website read."""
        values = {**self.databases, "transcripts": f"files:{self.transcripts}"}
        return {ADDRESS_VARIABLES[name]: value for name, value in values.items()}


_DRIVERS = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql", "mysql": "mysql+pymysql"}


def connect(url: str) -> Engine:
    """An engine for *url*; a bare scheme gets the driver that Troth installs for it."""
    scheme, rest = url.split(":", 1)
    if scheme.startswith("sqlite"):
        return create_engine(url, poolclass=NullPool)  # opening a file is cheap, and nothing stays open behind us
    return create_engine(f"{_DRIVERS.get(scheme, scheme)}:{rest}", pool_pre_ping=True)
