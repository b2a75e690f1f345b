"""What a policy says of itself: the terms it defines, how the company is reached, its dates. Each with its place."""

from troth.policy.extraction.contacts import Contact, ContactKind, Reached, contacts
from troth.policy.extraction.dates import DateKind, StatedDate, dates, days_meant
from troth.policy.extraction.definitions import Definition, definitions

__all__ = [
    "Contact",
    "ContactKind",
    "DateKind",
    "Definition",
    "Reached",
    "StatedDate",
    "contacts",
    "dates",
    "days_meant",
    "definitions",
]
