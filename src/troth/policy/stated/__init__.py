"""What a policy says of itself: the terms it defines, how the company is reached, its dates. Each with its place."""

from troth.policy.stated.contacts import Contact, ContactKind, Reached, contacts
from troth.policy.stated.definitions import Definition, definitions
from troth.policy.stated.stated_dates import DateKind, StatedDate, dates, days_meant

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
