"""Whether a public form takes what a visitor sends: it is sent empty, so that it comes back with what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.site.fetch import SiteUnreachable, Submission
from troth.site.page import ProbeError
from troth.site.snapshot import SiteSnapshot

_ANSWERS: Final = frozenset({200, 400, 422})
"""Statuses of a form that comes back because something is missing."""
_NOT_SENT: Final = frozenset({"checkbox", "radio", "file", "submit", "image", "button", "reset"})


class _Unusable(ProbeError):
    """The page has no form that a visitor could send."""


def form_fault(site: SiteSnapshot, path: str, *, marked: str) -> str:
    """What keeps a visitor from sending the form at *path*, empty if nothing does. The form has an e-mail address and
    a hidden field named *marked*, by which it is known to refuse an empty address and to store nothing then; no other
    form is sent. It is sent once, without a value except its hidden ones.

    Raises `ProbeError` if that could not be observed.
    """
    try:
        answer, text = site.submit(path, lambda response, html: _filled(response, html, marked))
    except _Unusable as fault:
        return str(fault)
    if answer.status_code == 429:
        raise SiteUnreachable(f"{path} takes no more forms for now (429)")
    if answer.status_code not in _ANSWERS:
        return f"its form answers with status {answer.status_code}"
    return "" if _form(text, marked) is not None else "its form does not come back with what is missing"


def _filled(response: httpx.Response, html: str, marked: str) -> Submission:
    if response.status_code == 429:
        raise SiteUnreachable("the page is not shown for now (429)")
    if response.status_code != 200:
        raise _Unusable(f"its page answers with status {response.status_code}")
    form = _form(html, marked)
    if form is None:
        raise _Unusable("it shows no form with an e-mail address")
    if not any(_sends(button) for button in form.css("button, input[type=submit i], input[type=image i]")):
        raise _Unusable("its form has no button that sends it")
    url = str(response.url)
    action = urljoin(url, (form.attributes.get("action") or "").strip())
    if urlsplit(action)[:2] != urlsplit(url)[:2]:
        raise _Unusable("its form is sent to another address than the site's")
    return action, _fields(form)


def _form(html: str, marked: str) -> LexborNode | None:
    """The form on the page that takes an e-mail address."""
    for form in LexborHTMLParser(html).css("form"):
        is_posted = (form.attributes.get("method") or "").strip().lower() == "post"
        names = {node.attributes.get("name") for node in form.css("input[type=hidden i]")}
        emails = form.css("input[type=email i]:not([disabled]):not([readonly])")
        if is_posted and marked in names and any(not _is_disabled(node) for node in emails):
            return form
    return None


def _fields(form: LexborNode) -> Mapping[str, str]:
    fields = dict[str, str]()
    for node in form.css("input[name], textarea[name], select[name]"):
        kind = (node.attributes.get("type") or "").lower()
        if kind not in _NOT_SENT and not _is_disabled(node):
            fields[node.attributes["name"] or ""] = (node.attributes.get("value") or "") if kind == "hidden" else ""
    return fields


def _sends(button: LexborNode) -> bool:
    return (button.attributes.get("type") or "").lower() not in {"button", "reset"} and not _is_disabled(button)


def _is_disabled(node: LexborNode | None) -> bool:
    while node is not None and node.tag != "form":
        if "disabled" in node.attributes:
            return True
        node = node.parent
    return False
