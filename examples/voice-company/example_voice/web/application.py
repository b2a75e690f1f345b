"""The website's addresses, and what happens at each."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from example_voice.catalogue import CATALOGUE
from example_voice.web import pages
from example_voice.web.forms import CONTACT, FORMS, ORDER, REGISTER, SUPPORT, Answer, Form, judge
from example_voice.web.http import Cookie, Refused, Request, Response, StartResponse, read, redirect, send
from example_voice.web.letters import letter, letters, post
from example_voice.web.pages import Choice, Surroundings
from example_voice.web.records import NOTICE, Records
from example_voice.web.settings import Settings

_log = logging.getLogger(__name__)

_CHOICE_SECONDS = 180 * 86_400  # never more than the six months that the policy says
_VISIT_SECONDS = 30 * 86_400
_QUANTITY, _QUANTITY_MAX = re.compile("[1-9][0-9]?"), 99
_PAGES = {"/", "/cookies/", *(form.path for form in FORMS)}

Handler = Callable[[Request], Response]
WSGI = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def website(settings: Settings, *, clock: Callable[[], dt.datetime] | None = None) -> WSGI:
    """The company's site. *clock* gives the time, aware and in UTC; the databases have to be there already."""
    site = _Site(settings, clock or (lambda: dt.datetime.now(dt.UTC)))

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = None
        try:
            request = read(environ)
            response = site.answer(request)
        except Refused as refused:
            response = site.refusal(refused, request)
        except SQLAlchemyError as error:
            _log.error("a database did not answer: %s", type(error).__name__)  # its text may quote a row
            why = Refused(HTTPStatus.SERVICE_UNAVAILABLE, "We cannot save anything right now. Please try again later.")
            response = site.refusal(why, request)
        return send(response, request, start_response)

    return application


class _Site:
    """The handlers, by address, over the databases and the mail folder."""

    def __init__(self, settings: Settings, clock: Callable[[], dt.datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._records = Records(settings.databases)
        self._visits: Counter[str] = Counter()
        takers: dict[Form, Callable[..., Response]] = {
            REGISTER: self._register,
            ORDER: self._order,
            CONTACT: partial(self._write_in, "question"),
            SUPPORT: partial(self._write_in, "ticket"),
        }
        self._get: dict[str, Handler] = {
            "/": lambda request: Response(pages.home(_around(request))),
            "/cookies/": lambda request: Response(pages.cookies(_around(request), self._visits)),
            "/mailbox/": self._mailbox,
            "/style.css": lambda _: _file("style.css", "text/css; charset=utf-8"),
            "/icon.svg": lambda _: _file("icon.svg", "image/svg+xml"),
            "/.well-known/gpc.json": lambda _: _well_known(
                f'{{"gpc": true, "lastUpdate": "{NOTICE}"}}', "application/json"
            ),
            "/.well-known/security.txt": self._security_txt,
            **{form.path: partial(_show, form) for form in FORMS},
            **{f"/thanks/{topic}/": partial(_thank, topic) for topic in pages.TOPICS},
        }
        self._post: dict[str, Handler] = {
            "/cart/": _change_cart,
            "/cookies/": _choose,
            **{form.path: partial(_take, form, taker) for form, taker in takers.items()},
        }

    def answer(self, request: Request) -> Response:
        """What the request asked for. Raises `Refused`."""
        handler = self._handler(request)
        response = handler(request)
        if request.method == "POST" or response.media_type[:9] != "text/html":
            return response
        return replace(response, cookies=(*response.cookies, *self._count(request)))

    def refusal(self, refused: Refused, request: Request | None) -> Response:
        """A page that says what was wrong with the request."""
        around = Surroundings("", Choice.REFUSE) if request is None else replace(_around(request), path="")
        body = pages.message_page(around, _TITLES.get(refused.status, "That did not work"), refused.message)
        return Response(body, refused.status, allow=refused.allow)

    def _handler(self, request: Request) -> Handler:
        table, path = (self._post if request.method == "POST" else self._get), request.path
        if path in table:
            return table[path]
        if path.startswith("/mailbox/") and request.method != "POST":
            return partial(self._letter, path.removeprefix("/mailbox/"))
        if path in self._get or path in self._post:
            allow = "POST" if path in self._post else "GET, HEAD"
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "That address is not asked in this way.", allow=allow)
        if f"{path}/" in self._get:
            return lambda _: redirect(f"{path}/", permanent=True)
        raise Refused(HTTPStatus.NOT_FOUND, "There is no page at this address.")

    # --- forms ---

    def _register(self, values: Mapping[str, str]) -> Response:
        is_new = self._records.register(values, now=self._clock())
        # The page says the same either way: whether an address has an account is its owner's business.
        text = _WELCOME if is_new else "There is an account under this address already. Nothing was changed."
        self._send(values["email"], "Your account", text)
        return redirect("/thanks/registered/")

    def _order(self, values: Mapping[str, str], cart: Mapping[str, int]) -> Response:
        number = self._records.order(values, cart, now=self._clock())
        self._send(values["email"], f"Your order {number}", _ORDERED.format(number=number))
        return redirect("/thanks/ordered/", Cookie("cart", "", seconds=0))

    def _write_in(self, kind: str, values: Mapping[str, str]) -> Response:
        number = self._records.write_in(values, kind=kind, now=self._clock())
        self._send(values["email"], f"We have your message ({number})", _RECEIVED.format(number=number))
        return redirect("/thanks/sent/")

    def _send(self, to: str, subject: str, text: str) -> None:
        post(self._settings.mail, to, subject, text, now=self._clock())

    # --- pages ---

    def _mailbox(self, request: Request) -> Response:
        return Response(pages.mailbox(_around(request), letters(self._settings.mail), now=self._clock()))

    def _letter(self, name: str, request: Request) -> Response:
        found = letter(self._settings.mail, name)
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such letter.")
        page = pages.letter_page(_around(request), found, home=self._settings.home, now=self._clock())
        return Response(page)

    def _security_txt(self, _: Request) -> Response:
        expires = (self._clock() + dt.timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
        return _well_known(f"Contact: mailto:security@example.org\nExpires: {expires}\n", "text/plain; charset=utf-8")

    def _count(self, request: Request) -> tuple[Cookie, ...]:
        """Count the visit where that was allowed. Where it is not (any more), what we stored for it goes."""
        has_visited = "visit" in request.cookies
        if _choice_of(request) is not Choice.ALLOW:
            return (Cookie("visit", "", seconds=0),) if has_visited else ()
        self._visits["further" if has_visited else "first"] += 1
        return (Cookie("visit", "1", _VISIT_SECONDS),)


_GPC = f'{{"gpc": true, "lastUpdate": "{NOTICE}"}}'
_TITLES = {HTTPStatus.NOT_FOUND: "Not here", HTTPStatus.SERVICE_UNAVAILABLE: "Please try again later"}

_WELCOME = "Welcome. Your account is open. To sign in, ask the portal for a link; it comes to this address."
_ORDERED = (
    "Thank you. Your order has the number {number}. Example Pay Ltd will send you its own letter with the page on\n"
    "which you pay; your card details never reach us."
)
_RECEIVED = "We have your message. Its number is {number}. You hear from us within two working days."


def _show(form: Form, request: Request) -> Response:
    cart = _cart_of(request)
    return Response(pages.form_page(_around(request), form, Answer(), cart))


def _take(form: Form, taker: Callable[..., Response], request: Request) -> Response:
    """Take a filled-in form: into the databases, or back with what is wrong."""
    answer, cart = judge(form, request.fields), _cart_of(request)
    if form is ORDER and not cart:
        raise Refused(HTTPStatus.BAD_REQUEST, "The cart is empty, so there is nothing to order. Nothing was saved.")
    if answer.problems:
        page = pages.form_page(_around(request), form, answer, cart)
        return Response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return taker(answer.values, cart) if form is ORDER else taker(answer.values)


def _thank(topic: str, request: Request) -> Response:
    return Response(pages.message_page(_around(request), *pages.TOPICS[topic]))


def _file(name: str, media_type: str) -> Response:
    return Response((Path(__file__).parent / name).read_bytes(), media_type=media_type, keep_seconds=3_600)


def _well_known(text: str, media_type: str) -> Response:
    return Response(text, media_type=media_type, keep_seconds=3_600)


# --- cookies ---


def _around(request: Request) -> Surroundings:
    return Surroundings(request.path, _choice_of(request), sum(_cart_of(request).values()))


def _choice_of(request: Request) -> Choice:
    if request.has_signal:  # 11 CCR 7025(c): the signal first, whatever was chosen before
        return Choice.SIGNAL
    said = request.cookies.get("choice")
    return Choice(said) if said in (Choice.ALLOW.value, Choice.REFUSE.value) else Choice.OPEN


def _choose(request: Request) -> Response:
    answer = dict(request.fields)
    said = answer.get("statistics")
    is_answer = answer.keys() <= {"statistics", "page"} and len(answer) == len(request.fields)
    if not is_answer or said not in (Choice.ALLOW.value, Choice.REFUSE.value):
        raise Refused(HTTPStatus.BAD_REQUEST, "Please choose with one of the two buttons.")
    back = answer.get("page", "/")
    gone = () if said == Choice.ALLOW.value else (Cookie("visit", "", seconds=0),)
    return redirect(back if back in _PAGES else "/", Cookie("choice", said, _CHOICE_SECONDS), *gone)


def _cart_of(request: Request) -> dict[str, int]:
    """The cart cookie is ``hours-10.2_review.1``; whatever does not name something that we sell is left out."""
    cart = {}
    for part in request.cookies.get("cart", "").split("_")[: len(CATALOGUE)]:
        product, _, quantity = part.partition(".")
        if product in CATALOGUE and _QUANTITY.fullmatch(quantity):
            cart[product] = int(quantity)
    return cart


def _change_cart(request: Request) -> Response:
    """One more or one less of something. The cookie is there only as long as something is in the cart."""
    if len(request.fields) != 1 or request.fields[0][0] not in ("add", "remove"):
        raise Refused(HTTPStatus.BAD_REQUEST, "Please use the buttons of the price list.")
    ((verb, product),) = request.fields
    if product not in CATALOGUE:
        raise Refused(HTTPStatus.BAD_REQUEST, "We do not sell that.")
    cart = _cart_of(request)
    cart[product] = min(cart.get(product, 0) + (1 if verb == "add" else -1), _QUANTITY_MAX)
    text = "_".join(f"{name}.{quantity}" for name, quantity in cart.items() if quantity > 0)
    return redirect("/order/", Cookie("cart", text, seconds=None if text else 0))
