"""What a policy says about itself: defined terms, contact details and dates, each with its position."""

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
