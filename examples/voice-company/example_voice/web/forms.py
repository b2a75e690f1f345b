"""The five forms: which fields each takes, what is wrong with an answer, said kindly.

A form takes its own fields and no others, as the policy says. An answer with a field that was not asked for is refused
as a whole: somebody's program, or somebody's browser, is telling us more than we want to know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

import phonenumbers

from example_voice.web.http import Refused

COUNTRIES = {"GB": "United Kingdom", "IE": "Ireland", "FR": "France", "DE": "Germany", "US": "United States"}


@dataclass(frozen=True, slots=True)
class Field:
    """One question. *fill* is the browser's word for it (HTML ``autocomplete``)."""

    name: str
    label: str
    kind: Literal["text", "email", "phone", "area", "country", "number"] = "text"
    required: bool = False
    length_max: int = 120
    fill: str = "off"
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One collection point: *name* is its name in ``troth.yaml``; *notice* is what is said at the time (GDPR Art. 13):
    what for, on what basis, how long."""

    name: str
    path: str
    button: str
    notice: str
    fields: tuple[Field, ...]
    action: str = ""
    """The path that takes what was filled in, by default its own; Troth takes the newsletter's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was filled in, tidied, and what is wrong with it, by field."""

    values: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


_EMAIL = Field("email", "E-mail address", "email", required=True, length_max=254, fill="email")
_NAME = Field("name", "Name", fill="name")
_PHONE = Field("phone", "Telephone", "phone", length_max=30, fill="tel", hint="Such as 01632 960 123")
_MESSAGE = Field("message", "Message", "area", required=True, length_max=5_000)

REGISTER = Form(
    "register",
    "/register/",
    "Open an account",
    "We use this to run your account, because you ask us to (contract), and keep it until you close the account or "
    "have not used it for three years.",
    (
        Field("name", "Name", required=True, fill="name"),
        _EMAIL,
        _PHONE,
        Field("company", "Company", fill="organization"),
    ),
)
ORDER = Form(
    "order",
    "/order/",
    "Order with obligation to pay",
    "We use this to deliver your order (contract) and to write the invoice, which tax law has us keep for six years. "
    "Example Pay Ltd asks for the card on its own page, and we never see it.",
    (
        Field("name", "Name", required=True, fill="name"),
        _EMAIL,
        Field("street", "House and street", required=True, fill="street-address"),
        Field("town", "Town", required=True, length_max=80, fill="address-level2"),
        Field("postcode", "Postcode", required=True, length_max=12, fill="postal-code"),
        Field("country", "Country", "country", required=True, length_max=2, fill="country"),
        _PHONE,
        Field("note", "Note about the order", "area", length_max=500),
    ),
)
NEWSLETTER = Form(
    "newsletter",
    "/newsletter/",
    "Subscribe",
    "We use this to send the newsletter, with your consent, which you can take back at any time. We keep the address "
    "for two years after you last confirm it. Example Post Inc delivers the newsletter, from the United States.",
    (_EMAIL, _NAME),
    action="/your-data/newsletters/monthly",
)
CONTACT = Form(
    "contact",
    "/contact/",
    "Send",
    "We use this to answer you (our legitimate interest in answering people who write to us) and delete it after two "
    "years. Please leave out other people and card numbers.",
    (_EMAIL, _MESSAGE, _NAME),
)
SUPPORT = Form(
    "ticket",
    "/support/",
    "Open a ticket",
    "We use this to answer you (our legitimate interest in answering people who write to us) and delete it after two "
    "years. Please leave out other people and card numbers.",
    (
        _EMAIL,
        Field("subject", "Subject", required=True),
        _MESSAGE,
        _NAME,
        Field("order", "Order number", "number", length_max=12, hint="It is in the letter that confirmed the order"),
    ),
)
FORMS = (REGISTER, ORDER, NEWSLETTER, CONTACT, SUPPORT)

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def judge(form: Form, pairs: Sequence[tuple[str, str]]) -> Answer:
    """Tidy and check an answer. Raises `Refused` for a field that the form does not ask for, or one twice."""
    asked = {question.name: question for question in form.fields}
    given = dict(pairs)
    if not given.keys() <= asked.keys():
        raise Refused(HTTPStatus.BAD_REQUEST, "That holds something this form does not ask for. Nothing was saved.")
    if len(given) < len(pairs):
        raise Refused(HTTPStatus.BAD_REQUEST, "That answers a question twice. Nothing was saved.")
    answer = Answer()
    for name, question in asked.items():
        answer.values[name] = value = given.get(name, "").replace("\r\n", "\n").strip()
        problem = _problem(question, value)
        if problem is not None:
            answer.problems[name] = problem
        elif question.kind == "phone" and value:
            answer.values[name] = _dialled(value) or value
    return answer


def _problem(question: Field, value: str) -> str | None:
    if not value:
        return "Please fill this in." if question.required else None
    if len(value) > question.length_max:
        return f"Please use at most {question.length_max:,} characters."
    if _UNPRINTABLE.search(value.replace("\n", "") if question.kind == "area" else value):
        return "There is a character in this that cannot be printed. Please type it again."
    wrong = {
        "email": (_ADDRESS.fullmatch(value) is None, "That does not look like an e-mail address. Is there an @ in it?"),
        "phone": (_dialled(value) is None, "That does not look like a telephone number. With 0 or + at the front?"),
        "country": (value not in COUNTRIES, "Please choose a country from the list."),
        "number": (not (value.isascii() and value.isdigit()), "An order number is digits only."),
    }
    is_wrong, message = wrong.get(question.kind, (False, ""))
    return message if is_wrong else None


def _dialled(value: str) -> str | None:
    """The number in its international form, or None where it is none; without a country it is a British one."""
    try:
        number = phonenumbers.parse(value, "GB")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
