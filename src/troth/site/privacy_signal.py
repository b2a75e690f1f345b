"""Whether the site honours the Global Privacy Control signal (https://w3c.github.io/gpc/)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from selectolax.lexbor import LexborHTMLParser

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration
from troth.site.page import cookie_named
from troth.site.snapshot import HOME, SiteSnapshot, SiteView, unseen_work
from troth.text import counted

_SIGNAL = {"sec-gpc": "1"}
_SAID = re.compile(r"global privacy control|\bGPC\b|opt-?out (?:preference )?signal|opt-?out request honou?red", re.I)


@answers("site.signal_honoured")
def signal_honoured(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """11 CCR 7025(c), clause C33: the signal counts as a refusal, even after the visitor had allowed everything, and
    the home page says so. The pages are fetched with and without the signal."""
    signals = declaration.notice.signals
    if signals is None or signals.gpc != "honoured":
        nowhere, why = frozenset({"declaration"}), "The declaration does not say that signals are honoured."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, why, Evidence(nowhere, nowhere))
    allows = _allowed(declaration)
    before = site.visit(declaration.policy.url, sends=allows)
    look = site.visit(declaration.policy.url, sends={**allows, **_SIGNAL})
    kept, hosts = dict(_optional(declaration, look)), dict(_strangers(declaration, site, look))
    fix = "treat the signal as a refusal, regardless of earlier choices"
    findings = [
        ControlFinding(path, f"sets {cookie_named(name)} despite the signal", fix) for name, path in kept.items()
    ]
    findings += [
        ControlFinding(path, f"uses {host}, which is not a processor, despite the signal", fix)
        for host, path in hosts.items()
    ]
    both = _both(before, look)
    is_said = HOME in both.pages and _says(look) > _says(before)
    if HOME in both.pages and not is_said:
        findings.append(
            ControlFinding(
                HOME, "does not confirm that the signal was honoured", "confirm it where the choice is offered"
            )
        )
    without = len(dict(_optional(declaration, before)))
    both = both.but(unseen_work(both.pages))
    return both.answer(
        f"{counted(len(look.pages), 'page')} with the signal: {counted(len(kept), 'cookie')} that are not necessary "
        f"({without} without it), {counted(len(hosts), 'host')} of others, {'said' if is_said else 'not said'} on the "
        "home page.",
        findings,
        {"pages": len(look.pages), "cookies": len(kept), "without the signal": without, "hosts": len(hosts)},
    )


def _allowed(declaration: Declaration) -> Mapping[str, str]:
    """The cookies of a visitor who has allowed everything, if the declaration defines them."""
    held = "; ".join(f"{name}={cookie.allows}" for name, cookie in declaration.cookies.items() if cookie.allows)
    return {"cookie": held} if held else {}


def _both(before: SiteView, look: SiteView) -> SiteView:
    """Pages that answered both with and without the signal: the others prove nothing."""
    pages = {path: page for path, page in look.pages.items() if path in before.pages}
    unlike = {path: f"{why}, without the signal" for path, why in before.why_not.items()}
    return SiteView(pages, {**unlike, **look.why_not}, (*before.asked, *look.asked))


def _optional(declaration: Declaration, look: SiteView) -> Iterator[tuple[str, str]]:
    """Cookies that require consent, each with a page that sets it."""
    for name, (path, _) in look.cookies().items():
        if name not in declaration.cookies or declaration.cookies[name].purpose != "necessary":
            yield name, path


def _strangers(declaration: Declaration, site: SiteSnapshot, look: SiteView) -> Iterator[tuple[str, str]]:
    """Hosts that pages load from or send to and that are neither ours nor a processor's, each with a page that names
    it."""
    ours = {site.declared.host} | {
        host.lower()
        for recipient in declaration.recipients.values()
        if recipient.role == "processor"
        for host in recipient.hosts
    }
    yield from ((host, path) for path, page in look.pages.items() for host in sorted(page.hosts) if host not in ours)


def _says(look: SiteView) -> int:
    """How often the home page mentions the signal, including outside its main part, where banners are."""
    page = LexborHTMLParser(look.pages[HOME].source)
    page.strip_tags(["script", "style", "template"])
    return len(_SAID.findall(page.body.text(separator=" "))) if page.body else 0
