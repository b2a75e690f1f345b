"""The pages, as functions from values to markup. None of them knows the request or the databases."""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from example_voice.catalogue import CATALOGUE, VAT_PERCENT
from example_voice.web.forms import COUNTRIES, ORDER, Answer, Field, Form
from example_voice.web.letters import Letter
from example_voice.web.markup import Markup, join, tag


class Choice(enum.Enum):
    """What the visitor said about statistics. SIGNAL: their browser said it for them (Global Privacy Control)."""

    OPEN = "open"
    ALLOW = "allow"
    REFUSE = "refuse"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every page shows around its content: *path* is where we are, *cart* counts what is in the cart."""

    path: str
    choice: Choice
    cart: int = 0


_MENU = (
    ("/order/", "Order"),
    ("/newsletter/", "Newsletter"),
    ("/support/", "Support"),
    ("/contact/", "Contact"),
    ("/register/", "Register"),
)
_FOOT = (
    ("/policy/", "Privacy policy"),
    ("/your-data/", "Your data"),
    ("/policy/status/", "How we keep it"),
    ("/cookies/", "Cookies"),
    ("/mailbox/", "Mailbox of this demonstration"),
)


def page(around: Surroundings, title: str, *content: str) -> str:
    """A whole page: its content in the company's frame."""
    is_home = around.path == "/"
    name = "Example Voice Ltd"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{name}: calls in writing" if is_home else f"{title} · {name}"),
        tag("link", rel="stylesheet", href="/style.css"),
        tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
    )
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        _top(around),
        _choice(around),
        tag("main", *content, id="content", tabindex="-1"),
        _bottom(),
    )
    return f"<!doctype html>{tag('html', head, body, lang='en-GB')}"


def _top(around: Surroundings) -> Markup:
    home = tag("a", _wave(), "Example Voice", href="/", class_="brand", aria_current=_current(around.path, "/"))
    links = [_entry(around.path, path, _with_count(label, path, around.cart)) for path, label in _MENU]
    return tag("header", tag("div", home, tag("nav", tag("ul", *links), aria_label="Main")), class_="top")


def _with_count(label: str, path: str, cart: int) -> str:
    return f"{label} ({cart} in the cart)" if path == "/order/" and cart else label


def _bottom() -> Markup:
    links = tag("ul", *(_entry(None, path, label) for path, label in _FOOT))
    notes = tag("p", "Example Voice Ltd is invented, and so is everybody in it. It exists to show Troth at work.")
    return tag("footer", tag("div", tag("nav", links, aria_label="About this site"), notes))


def _entry(here: str | None, path: str, label: str) -> Markup:
    return tag("li", tag("a", label, href=path, aria_current=_current(here, path)))


def _current(here: str | None, path: str) -> str | None:
    return "page" if here == path else None


def _wave() -> Markup:
    bars = ((2, 9, 6), (7, 5, 14), (12, 1, 22), (17, 6, 12), (22, 9, 6))
    rects = (f'<rect x="{x}" y="{y}" width="3" height="{height}" rx="1.5"/>' for x, y, height in bars)
    return Markup(f'<svg viewBox="0 0 27 24" aria-hidden="true">{"".join(rects)}</svg>')


# --- the cookie choice -----------------------------------------------------------------------------------------------


def _choice(around: Surroundings) -> Markup:
    """The question about statistics, above the content and in its flow, so that it never covers anything."""
    if around.choice is Choice.SIGNAL:
        said = "Your browser asks us not to share or sell your data (Global Privacy Control). We honour it: nothing is "
        return tag("div", tag("p", said, "counted and nothing is stored for statistics."), class_="choice", role="note")
    if around.choice is not Choice.OPEN or around.path == "/cookies/":
        return Markup()
    text = "May we count pages? It takes one small cookie that is the same for everybody. Until you choose, nothing is "
    question = tag("p", text, "stored for it. ", tag("a", "More about cookies", href="/cookies/"), id="choice-question")
    return tag("section", question, choice_buttons(around.path), class_="choice", aria_labelledby="choice-question")


def choice_buttons(path: str) -> Markup:
    """Two buttons of one kind: refusing is as easy as allowing."""
    buttons = (
        tag("button", label, name="statistics", value=value, class_="equal")
        for value, label in ((Choice.REFUSE.value, "Refuse"), (Choice.ALLOW.value, "Allow"))
    )
    back = tag("input", type="hidden", name="page", value=path)
    return tag("form", back, *buttons, method="post", action="/cookies/", class_="buttons")


_STANDS = {
    Choice.OPEN: "You have not chosen yet, so nothing is counted.",
    Choice.ALLOW: "You allowed statistics.",
    Choice.REFUSE: "You refused statistics.",
    Choice.SIGNAL: "Your browser sends the Global Privacy Control signal, so statistics are off.",
}


def cookies(around: Surroundings, counted: Mapping[str, int]) -> str:
    """What is stored, what was chosen, and the same two buttons."""
    rows = (
        ("cart", "Remembers what you put in the cart. It appears when you do.", "Until you close the browser"),
        ("choice", "Remembers your answer about statistics.", "Six months"),
        (
            "visit",
            "Only if you allow it: tells your first page here from further ones. The same for everybody.",
            "30 days",
        ),
        (
            "troth-session",
            "Lets you into a request of yours. It appears when you press the button behind a link that we mailed you.",
            "Until you close the browser",
        ),
        (
            "troth-csrf",
            "For our staff: keeps other sites from sending their forms. It appears on the page where they sign in.",
            "Until you close the browser",
        ),
    )
    total = counted["first"] + counted["further"]
    figures = f"Since this server started we counted {total} pages; {counted['first']} of them were somebody's first."
    return page(
        around,
        "Cookies",
        tag("h1", "Cookies"),
        tag("p", _STANDS[around.choice], class_="lead"),
        Markup() if around.choice is Choice.SIGNAL else choice_buttons("/cookies/"),
        tag("h2", "All that this site can store"),
        _table(("Name", "What for", "How long"), [(tag("code", name), why, long) for name, why, long in rows]),
        tag("h2", "All that we learn from it"),
        tag("p", figures),
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    top = tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads)))
    lines = (
        tag("tr", *(tag("td", cell, data_head=head) for head, cell in zip(heads, row, strict=True))) for row in rows
    )
    return tag("table", top, tag("tbody", *lines))


# --- pages without forms ---------------------------------------------------------------------------------------------


def home(around: Surroundings) -> str:
    """The first page."""
    promises = (
        ("Thirty days, then gone", "Transcripts are deleted thirty days after the call, or sooner if you say so."),
        ("Nothing is learned", "No model is trained on your calls, and no voice is recognised."),
        (
            "Taken out, not covered up",
            "Names, numbers and cards leave the text where you ask us to.",
        ),
    )
    cards = (tag("li", tag("h3", title), tag("p", text)) for title, text in promises)
    return page(
        around,
        "Home",
        tag(
            "section",
            tag("div", tag("h1", "Your calls, in writing"),
            tag("p", "Send us the recording. You get it back as text, checked by a person where you ",
                "want one, with the names and numbers taken out where you do not.", class_="lead"),
            tag("p", tag("a", "See prices and order", href="/order/", class_="button"),
                tag("a", "Open an account", href="/register/", class_="button quiet"), class_="buttons")),
            _sample(),
            class_="hero",
        ),
        tag("ul", *cards, class_="cards"),
        tag("h2", "We say what we do with data, and show it"),
        tag("p", "Our ", tag("a", "privacy policy", href="/policy/"), " promises a good deal. ",
            tag("a", "See what our checks found of that", href="/policy/status/"), ", also where we fall short."),
    )  # fmt: skip


_SAMPLE = (
    ("Agent", "Who is calling, please?"),
    ("Caller", "It is [name]. You can ring me on [telephone], any evening."),
    ("Agent", "Thank you. And the long number on the card?"),
    ("Caller", "It is [card number], to the end of May."),
)
_TAKEN_OUT = re.compile(r"(\[[a-z ]+\])")


def _sample() -> Markup:
    """Four turns of a call with what was taken out of them, as the customer gets it back."""
    lines = []
    for speaker, said in _SAMPLE:
        parts = (tag("mark", part[1:-1]) if part.startswith("[") else part for part in _TAKEN_OUT.split(said))
        lines += [tag("dt", speaker), tag("dd", *parts)]
    return tag("figure", tag("figcaption", "A call as you get it back"), tag("dl", *lines))


TOPICS = {
    "registered": ("Look into your mail", "We have sent you a letter that says how to go on."),
    "ordered": ("Thank you for your order", "We have sent you a letter with its number and what happens next."),
    "sent": (
        "We have your message",
        "We have sent you a letter with its number, and answer within two working days.",
    ),
}
"""What is said after a form was taken, by the last part of the address."""


def message_page(around: Surroundings, title: str, text: str) -> str:
    """A page that says one thing."""
    return page(around, title, tag("h1", title), tag("p", text, class_="lead"), tag("p", tag("a", "Home", href="/")))


# --- forms -----------------------------------------------------------------------------------------------------------


_INTROS = {
    "register": ("Open an account", "No password: you sign in with a link that we send to your address."),
    "order": ("Order", "Choose what you need, then tell us where the invoice goes."),
    "newsletter": (
        "Newsletter",
        "Once a month: what we learned about how people speak. We do not track who opens it.",
    ),
    "contact": ("Contact", "Ask us anything, also about your data. No account is needed."),
    "ticket": ("Support", "Something wrong with a file? Open a ticket and we look at it."),
}


def form_page(around: Surroundings, form: Form, answer: Answer, cart: Mapping[str, int] | None = None) -> str:
    """A form with its notice, filled in as far as *answer* goes; the order form stands below the price list."""
    title, intro = _INTROS[form.name]
    head = join(tag("h1", title), tag("p", intro, class_="lead"))
    if form.name != ORDER.name:
        return page(around, title, head, _problems(form, answer), _form(form, answer))
    shop = join(_prices(), _cart(cart or {}))
    rest = join(tag("h2", "Where the invoice goes"), _form(form, answer))
    return page(around, title, head, _problems(form, answer), shop, rest)


def _problems(form: Form, answer: Answer) -> Markup:
    if not answer.problems:
        return Markup()
    labels = {question.name: question.label for question in form.fields}
    links = (
        tag("li", tag("a", f"{labels[name]}: {problem}", href=f"#{form.name}-{name}"))
        for name, problem in answer.problems.items()
    )
    summary = tag("h2", "Nothing was saved yet. Please look at:")
    return tag("div", summary, tag("ul", *links), class_="problems", role="alert")


def _form(form: Form, answer: Answer) -> Markup:
    """Every form says what the answers are for where it asks (GDPR Art. 13), and which are optional."""
    rows = (_row(form, question, answer) for question in form.fields)
    more = tag("a", "Privacy policy", href="/policy/")
    notice = tag("p", form.notice, " ", more, class_="notice")
    button = tag("button", form.button)
    return tag("form", *rows, notice, button, method="post", action=form.action or form.path, class_="form")


def _row(form: Form, question: Field, answer: Answer) -> Markup:
    name = f"{form.name}-{question.name}"
    problem = answer.problems.get(question.name)
    notes = ((f"{name}-hint", question.hint, "hint"), (f"{name}-problem", problem, "problem"))
    said = [tag("p", text, id=mark, class_=kind) for mark, text, kind in notes if text]
    label = tag("label", question.label, *(() if question.required else (tag("span", " optional"),)), for_=name)
    described = " ".join(mark for mark, text, _ in notes if text) or None
    control = _control(question, answer.values.get(question.name, ""), name, described, is_wrong=problem is not None)
    return tag("div", label, *said, control, class_="row")


def _control(question: Field, value: str, name: str, described: str | None, *, is_wrong: bool) -> Markup:
    shared: dict[str, str | int | bool | None] = {
        "id": name,
        "name": question.name,
        "required": question.required,
        "autocomplete": question.fill,
        "aria_describedby": described,
        "aria_invalid": "true" if is_wrong else None,
    }
    if question.kind == "country":
        chosen = value or "GB"
        options = (tag("option", label, value=code, selected=code == chosen) for code, label in COUNTRIES.items())
        return tag("select", *options, **shared)
    shared["maxlength"] = question.length_max
    if question.kind == "area":
        return tag("textarea", Markup("\n"), value, rows=5, **shared)  # a parser drops the first line break
    kind = {"email": "email", "phone": "tel"}.get(question.kind, "text")
    mode = "numeric" if question.kind == "number" else None
    return tag("input", type=kind, value=value or None, inputmode=mode, **shared)


def _prices() -> Markup:
    rows = []
    for key, product in CATALOGUE.items():
        what = join(tag("b", product.title), tag("br"), product.summary)
        hidden = tag("input", type="hidden", name="add", value=key)
        button = tag("button", "Add", tag("span", f" {product.title} to the cart", class_="aside"), class_="quiet")
        rows.append((what, _pounds(product.pence), tag("form", hidden, button, method="post", action="/cart/")))
    return tag("div", _table(("What", "Price without VAT", "Cart"), rows), class_="bill")


def _cart(cart: Mapping[str, int]) -> Markup:
    if not cart:
        return tag("p", "Your cart is empty. Adding something stores a cookie that goes when you close the browser.")
    rows = []
    for key, quantity in cart.items():
        product = CATALOGUE[key]
        hidden = tag("input", type="hidden", name="remove", value=key)
        button = tag("button", "Remove", tag("span", f" one {product.title}", class_="aside"), class_="quiet")
        line = tag("form", hidden, button, method="post", action="/cart/")
        rows.append((f"{quantity} × {product.title}", _pounds(quantity * product.pence), line))
    net = sum(CATALOGUE[key].pence * quantity for key, quantity in cart.items())
    vat = net * VAT_PERCENT // 100
    total = tag("p", f"With {VAT_PERCENT} % VAT: ", tag("b", _pounds(net + vat)))
    bill = tag("div", _table(("What", "Price without VAT", "Change"), rows), class_="bill")
    return join(tag("h2", "Your cart"), bill, total)


def _pounds(pence: int) -> str:
    return f"£{pence // 100:,}.{pence % 100:02d}"


# --- the demonstration's mailbox -------------------------------------------------------------------------------------


def mailbox(around: Surroundings, letters: Sequence[tuple[Letter, int]], *, now: dt.datetime) -> str:
    """Every letter that would have gone out."""
    lead = tag("p", "Every letter that this demonstration would have sent. The newest are first.", class_="lead")
    rows = [
        (
            tag("a", letter.subject or "(no subject)", href=f"/mailbox/{letter.name}"),
            f"{letter.to} and {copies:,} more" if copies else letter.to,
            _when(letter.at, now),
        )
        for letter, copies in letters
    ]
    content = (
        _table(("Subject", "To", "When"), rows) if rows else tag("p", "No letters yet. Register, or order something.")
    )
    return page(around, "Mailbox", tag("h1", "Mailbox"), lead, content)


_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


def letter_page(around: Surroundings, letter: Letter, *, home: str, now: dt.datetime) -> str:
    """One letter: its words only, with its web addresses as links; those of this site lead here on any port."""
    heads = (("From", letter.sender), ("To", letter.to), ("When", _when(letter.at, now)))
    facts = (join(tag("dt", name), tag("dd", value)) for name, value in heads)
    return page(
        around,
        letter.subject or "(no subject)",
        tag("p", tag("a", "All letters", href="/mailbox/")),
        tag("h1", letter.subject or "(no subject)"),
        tag("dl", *facts),
        tag("div", _linked(letter.text, home), class_="letter"),
    )


def _linked(text: str, home: str) -> Markup:
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        address = found[0]
        inside = address.startswith(f"{home}/")
        target = address.removeprefix(home) if inside else address
        parts += [text[end : found.start()], tag("a", address, href=target, rel=None if inside else "noreferrer")]
        end = found.end()
    return join(*parts, text[end:])


def _when(at: dt.datetime, now: dt.datetime) -> Markup:
    minutes = max(0, int((now - at).total_seconds() // 60))
    ago = "just now" if minutes < 1 else f"{minutes} min ago" if minutes < 60 else f"{minutes // 60} h ago"
    day = f"{at.day} {at:%B %Y, %H:%M} UTC"
    return tag("time", day if minutes >= 1440 else f"{day}, {ago}", datetime=at.isoformat(timespec="seconds"))
