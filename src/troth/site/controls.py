"""Controls of the running site: compares what an anonymous visitor sees with the declaration.

All read one snapshot. A page that does not answer, or answers with anything but 200, or is not text, counts as not
observed, so the control cannot pass.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import CollectionPoint, Declaration, Period
from troth.site import custom_controls, privacy_signal  # noqa: F401 - registers their controls
from troth.site.appearance import Appearance, appearances
from troth.site.exposure import Exposure, ProbeReport, SeenFrom, gaps, open_stores
from troth.site.fetch import OtherHost
from troth.site.mailboxes import MailboxCheck
from troth.site.page import Form, ProbeError, SetCookie, SitePage
from troth.site.prober import OPEN
from troth.site.snapshot import HOME, LimitReached, SiteSnapshot, SiteView, cut_links
from troth.site.tls import OBSOLETE
from troth.text import counted, same_words

CERTIFICATE_DAYS = 7
"""Fewer days left are reported as a finding, so that the certificate is renewed in time."""
LINKS_MAX = 300
"""Links that one check follows; the rest are counted as excluded."""
SHEETS_MAX = 10
TITLE_MAX = 200
CONTRAST_MIN = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of normal size."""
SIZE_MIN_PX = 9.0


# --- the policy -------------------------------------------------------------------------------------------------------


@answers("site.policy_published")
def policy_published(declaration: Declaration, site: SiteSnapshot, policy_text: str) -> ControlResult:
    """GDPR Art. 12(1), clause C01: the page has the same words as the file and is one click from each declared page."""
    where = declaration.policy.url
    policy = site.page(where)
    look = site.view_all()
    look = replace(look, asked=(*look.asked, (site.declared.address(where), policy.fetched_at)))
    findings = []
    if policy.status != 200:
        findings.append(
            ControlFinding(
                where, f"the page of the policy answers with status {policy.status}", "publish the policy there"
            )
        )
    elif not _says(policy, policy_text):
        message = f"its {len(policy.text.split())} words are not the {len(policy_text.split())} words of the file"
        findings.append(ControlFinding(where, message, "publish the declared file, or declare what is published"))
    targets = {urldefrag(site.declared.address(where)).url, policy.url, *policy.redirects}
    without = {
        path: page for path, page in look.pages.items() if not targets & {page.url, *(it.url for it in page.links)}
    }
    far = [path for path, page in without.items() if not page.is_cut]
    look = replace(look, why_not={**look.why_not, **cut_links(without)})
    findings += [ControlFinding(path, "does not link to the policy", f"add a link to {where}") for path in far]
    return look.answer(
        f"The live page has {len(policy.text.split())} words; {len(look.pages) - len(without)} of "
        f"{counted(len(look.pages), 'page')} {'links' if len(look.pages) == 1 else 'link'} to it.",
        findings,
        {"words": len(policy.text.split()), "pages": len(look.pages), "pages without link": len(far)},
    )


def _says(page: SitePage, wanted: str) -> bool:
    """True if the page's main part has exactly the wanted words; the title may be elsewhere on the page."""
    live, file = _letters(page.text), _letters(wanted)
    if live == file:
        return True
    title = file.removesuffix(live) if live else file
    body = LexborHTMLParser(page.source).body
    return len(title) <= TITLE_MAX and title + live == file and body is not None and title in _letters(body.text())


def _letters(text: str) -> str:
    """Letters and digits only: block boundaries are layout, and pages add symbols to headings and links."""
    return re.sub(r"[\W_]+", "", same_words(text))


@answers("site.policy_conspicuous")
def policy_conspicuous(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """Cal. Bus. & Prof. Code 22577(b): a text link with the word "privacy" that is as visible as the text around it.
    One good link is enough."""
    home = site.page(HOME)
    if home.why_not:
        raise ProbeError(f"the home page {home.why_not}")
    links = appearances(
        home.source, _own_styles(site, home), _hrefs(home, site.declared.address(declaration.policy.url))
    )
    named = [link for link in links if re.search(r"\bprivacy\b", link.text, re.I)]
    good = [link for link in named if not list(_faults(link))]
    messages: list[str] = []
    if not links:
        messages = ["no link leads to the policy"]
    elif not named:
        messages = ["no link to the policy has the word 'privacy' in its text"]
    elif not good:
        messages = list(dict.fromkeys(fault for link in named for fault in _faults(link)))
    fix = "link to it as 'Privacy policy', as easy to see as the text around it"
    return site.view(HOME).answer(
        f"{counted(len(links), 'link')} to the policy, {len(named)} with the word 'privacy', {len(good)} easy to see.",
        [ControlFinding(HOME, message, fix) for message in messages],
        {"links": len(links), "named": len(named), "easy to see": len(good)},
    )


def _hrefs(page: SitePage, target: str) -> frozenset[str]:
    """The `href` values that lead to *target*, as the page writes them."""
    written = [(node.attributes.get("href") or "").strip() for node in LexborHTMLParser(page.source).css("a[href]")]
    return frozenset(href for href in written if urldefrag(urljoin(page.url, href)).url == urldefrag(target).url)


def _faults(link: Appearance) -> Iterator[str]:
    if not link.is_shown:
        yield "the link is hidden"
    if link.size_px < SIZE_MIN_PX or link.size_px < link.around_px * 0.8:
        yield f"the link has {link.size_px:.0f} px beside text of {link.around_px:.0f} px"
    if link.contrast is not None and link.contrast < CONTRAST_MIN:
        yield f"the link has a contrast of {link.contrast:.1f}; {CONTRAST_MIN} can be read"


def _own_styles(site: SiteSnapshot, page: SitePage) -> str:
    """The page's style sheets from its own host; other hosts' style sheets are ignored."""
    sheets = []
    for node in LexborHTMLParser(page.source).css("link[rel~=stylesheet][href]")[:SHEETS_MAX]:
        try:
            sheets.append(site.page(urljoin(page.url, (node.attributes.get("href") or "").strip())))
        except OtherHost:
            continue
    return "\n".join(sheet.source for sheet in sheets if sheet.status == 200)


@answers("site.links_alive")
def links_alive(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """GDPR Art. 12(2), clause C33: every link within the site on the home page, the policy and the pages that ask for
    data works."""
    look = site.view_all(declaration.policy.url)
    links = {
        link.url: path
        for path, page in look.pages.items()
        for link in page.links
        if urlsplit(link.url).hostname == site.declared.host
    }
    asked, findings = dict[str, dt.datetime | None](), list[ControlFinding]()
    unseen = {**look.why_not, **cut_links(look.pages)}
    for url, path in list(links.items())[:LINKS_MAX]:
        asked[url], fault = None, ""
        try:
            page = site.page(url, whole=False)
            asked[url] = page.fetched_at
            fault = f"answers with status {page.status}" if page.status >= 400 else ""
        except OtherHost:
            continue  # links to other sites are out of scope
        except LimitReached as limit:
            del asked[url]
            unseen["links"] = str(limit)
            break
        except ProbeError:
            fault = "has no answer"
        if fault:  # the query may contain personal data
            findings.append(ControlFinding(path, f"the link to {urlsplit(url).path or '/'} {fault}", "fix it"))
    excluded = len(links) - len(asked)
    look = replace(look, why_not=unseen, asked=(*look.asked, *asked.items()))
    return look.answer(
        f"{counted(len(asked), 'link')} followed, {len(findings)} of them broken, {excluded} not followed.",
        findings,
        {"links": len(asked), "dead": len(findings), "not followed": excluded},
        population=len(links),
        excluded=excluded,
    )


# --- transport --------------------------------------------------------------------------------------------------------


@answers("site.transport_encrypted")
def transport_encrypted(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """GDPR Art. 32(1)(a), clause C13: only https, only TLS 1.2 or later, a trusted certificate, and HSTS."""
    look, findings = site.view_all(declaration.policy.url), list[ControlFinding]()
    is_declared = urlsplit(site.declared.home).scheme == "https"
    if not is_declared:
        fix = "serve the site over https, and declare its https address"
        findings.append(ControlFinding("organisation.site", "the declared address is not https", fix))
    for path, page in look.pages.items():
        if urlsplit(page.url).scheme != "https":
            findings.append(ControlFinding(path, "travels unencrypted", "serve it over https"))
        elif is_declared and any(urlsplit(url).scheme != "https" for url in page.redirects):
            findings.append(ControlFinding(path, "is reached over an unencrypted page", "serve that over https"))
        if urlsplit(page.url).scheme == "https" and not _is_strict(page):
            findings.append(ControlFinding(path, "does not send Strict-Transport-Security", "send it with a max-age"))
    figures = {"pages": len(look.pages), "pages in clear": sum("unencrypted" in each.message for each in findings)}
    if is_declared:
        findings += _tls_faults(site, figures)
    summary = f"{counted(len(look.pages), 'page')}, {figures['pages in clear']} in clear"
    days = (
        f"; the certificate has {counted(figures['certificate days'], 'day')} left"
        if "certificate days" in figures
        else ""
    )
    return look.answer(f"{summary}{days}.", findings, figures)


def _is_strict(page: SitePage) -> bool:
    found = re.search(r"max-age\s*=\s*\"?(\d{1,12})", page.headers.get("strict-transport-security", ""), re.I)
    return found is not None and int(found[1]) > 0


def _tls_faults(site: SiteSnapshot, figures: dict[str, int]) -> list[ControlFinding]:
    found, place = site.tls(), f"port {urlsplit(site.declared.home).port or 443}"
    figures["certificate days"] = found.days_left
    faults = [
        ControlFinding(place, f"offers {version}", "disable it (RFC 8996)")
        for version in sorted(found.accepts & OBSOLETE.keys())
    ]
    if not found.trusted:
        faults.append(ControlFinding(place, f"the certificate is not trusted: {found.why_not}", "install a valid one"))
    elif found.days_left < CERTIFICATE_DAYS:
        faults.append(
            ControlFinding(place, f"the certificate has {counted(found.days_left, 'day')} left", "renew it now")
        )
    return faults


# --- cookies ----------------------------------------------------------------------------------------------------------


@answers("site.cookies_declared")
def cookies_declared(declaration: Declaration, site: SiteSnapshot, now: dt.datetime) -> ControlResult:
    """PECR reg. 6, clauses C29 and C32: every cookie is declared and lives no longer than declared."""
    look = _look_at_all(declaration, site)
    seen = look.cookies()
    findings = []
    for name, (path, cookie) in seen.items():
        declared = declaration.cookies.get(name)
        if declared is None:
            findings.append(
                ControlFinding(path, f"sets the cookie '{name}', which is not declared", "declare or drop it")
            )
        elif _outlives(cookie, declared.period, now):
            message = f"the cookie '{name}' has a longer lifetime than declared ({declared.lifetime})"
            findings.append(ControlFinding(path, message, "shorten its lifetime, or declare the real one"))
    undeclared = sum(name not in declaration.cookies for name in seen)
    figures = {"cookies": len(seen), "undeclared": undeclared, "too long": len(findings) - undeclared}
    return look.answer(
        f"{counted(len(seen), 'cookie')} on {counted(len(look.pages), 'page')}: {undeclared} undeclared, "
        f"{figures['too long']} with too long a lifetime.",
        findings,
        figures,
    )


def _look_at_all(declaration: Declaration, site: SiteSnapshot) -> SiteView:
    """The site's pages, the policy, and pages of other programs on the site, if they exist (404 is not an error for
    these)."""
    also = site.declared.also
    look = site.view_all(declaration.policy.url, *also)
    absent = {path for path in also if look.why_not.get(path) == "answered 404"}
    return replace(look, why_not={path: why for path, why in look.why_not.items() if path not in absent})


@answers("site.nothing_stored_before_choice")
def nothing_stored_before_choice(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """PECR reg. 6 and Sch. A1, clause C28: before the visitor makes a choice, only necessary cookies are set."""
    look = _look_at_all(declaration, site)
    seen = look.cookies()
    early = [
        ControlFinding(path, f"sets the cookie '{name}' before the visitor has chosen", "wait for the choice")
        for name, (path, _) in seen.items()
        if name not in declaration.cookies or declaration.cookies[name].purpose != "necessary"
    ]
    return look.answer(
        f"{counted(len(look.pages), 'page')} visited anew: "
        f"{counted(len(seen), 'cookie')}, {len(early)} of them not necessary.",
        early,
        {"pages": len(look.pages), "cookies": len(seen), "not necessary": len(early)},
    )


def _outlives(cookie: SetCookie, period: Period | None, now: dt.datetime) -> bool:
    if cookie.lifetime is None:
        return False
    if period is None:
        return True  # declared as a session cookie, but persistent
    today = now.astimezone(dt.UTC).date()
    # One day of tolerance: months differ in length, and the response took some time to arrive.
    return cookie.lifetime > (period.after(today) - today) + dt.timedelta(days=1)


# --- forms and recipients ---------------------------------------------------------------------------------------------


@answers("collection.only_declared_fields")
def only_declared_fields(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """GDPR Art. 5(1)(c), clauses C03 and C42: each form asks only for the fields of one collection point."""
    points = {name: point for name, point in declaration.collection_points.items() if point.page}
    if not points:
        return ControlResult(
            CheckOutcome.NOT_APPLICABLE,
            "No collection point has a page.",
            Evidence(frozenset({"site /"}), frozenset({"site /"})),
        )
    look = site.view_all()
    findings = [
        finding
        for path, page in look.pages.items()
        for number, form in enumerate(page.forms, 1)
        for finding in _asked_beyond(f"{path} form {number}", form, path, declaration.collection_points)
    ]
    # A form that is not shown to a new visitor (an empty cart, a form built by a script) counts as not observed.
    hidden = {
        f"{point.page} form '{name}'": "not shown to a new visitor"
        for name, point in points.items()
        if (page := look.pages.get(str(point.page))) and not any(_serves(form, point) for form in page.forms)
    }
    look = replace(look, why_not={**look.why_not, **hidden})
    forms = [form for page in look.pages.values() for form in page.forms]
    fields = sum(len(form.fields) for form in forms)
    return look.answer(
        f"{counted(len(forms), 'form')} with {counted(fields, 'field')} on "
        f"{counted(len(look.pages), 'page')}: {counted(len(findings), 'difference')}.",
        findings,
        {"forms": len(forms), "fields": fields, "differences": len(findings)},
    )


def _serves(form: Form, point: CollectionPoint) -> bool:
    needed = {name for name, use in point.fields.items() if use.need == "required"}
    return needed <= {item.name for item in form.fields}


def _asked_beyond(place: str, form: Form, path: str, points: Mapping[str, CollectionPoint]) -> Iterator[ControlFinding]:
    """Fields of the form beyond the best-fitting collection point; on a tie, that of the same page is used."""
    if not form.fields:
        return
    names = {item.name for item in form.fields}
    best = min(points.values(), key=lambda point: (len(names - point.fields.keys()), point.page != path))
    for item in form.fields:
        declared = best.fields.get(item.name)
        if declared is None:
            yield ControlFinding(
                place, f"asks for '{item.name}', which is not declared", "remove the field, or declare it"
            )
        elif item.required and declared.need == "optional":
            yield ControlFinding(place, f"requires '{item.name}', which is declared optional", "make it optional")


@answers("disclosures.only_to_recipients")
def only_to_recipients(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """GDPR Art. 13(1)(e), clause C15: pages load from, and send to, only the hosts of declared recipients."""
    look = _look_at_all(declaration, site)
    declared = {host.lower() for recipient in declaration.recipients.values() for host in recipient.hosts}
    found = {host: path for path, page in look.pages.items() for host in page.hosts if host != site.declared.host}
    findings = [
        ControlFinding(
            path,
            f"loads from or sends to {host}, which is not a declared recipient",
            "remove it, or declare its recipient",
        )
        for host, path in sorted(found.items())
        if host not in declared
    ]
    return look.answer(
        f"{counted(len(found), 'other host')} named on "
        f"{counted(len(look.pages), 'page')}, {len(findings)} of them undeclared.",
        findings,
        {"pages": len(look.pages), "hosts": len(found), "undeclared": len(findings)},
    )


# --- contact details --------------------------------------------------------------------------------------------------

_ADDRESS = re.compile(r"[^@\s<>,;]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.I)
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")


@answers("site.contact_reachable")
def contact_reachable(
    declaration: Declaration, now: dt.datetime, contacts: Sequence[MailboxCheck] = ()
) -> ControlResult:
    """GDPR Art. 13(1)(a)-(b), 37(7), clause C54: the contact details are complete and well-formed, and somebody pressed
    the button in an e-mail to each address lately."""
    asked = {check.place: check for check in contacts}
    checks = [asked.get(place, MailboxCheck(place)) for place in _mailboxes(declaration)]
    silent = [check for check in checks if check.is_silent(now)]
    findings = [
        *_contact_faults(declaration),
        *(
            ControlFinding(
                check.place,
                f"nobody answered the e-mail of {check.waiting_since:%Y-%m-%d} that asks whether a person reads it",
                "read this mailbox and press the button in that e-mail, or declare an address that somebody reads",
            )
            for check in silent
        ),
    ]
    unshown = [f"{check.place}: {why}." for check in checks if (why := check.why_not(now))]
    answered = [check for check in checks if not check.why_not(now)]
    places = frozenset(check.place for check in checks)
    seen = frozenset({"declaration", *(check.place for check in (*answered, *silent))})
    evidence = Evidence(places | {"declaration"}, seen, len(places) + 1, len(answered) + len(silent) + 1)
    faults = len(findings) - len(silent)
    mailboxes = counted(len(places), "mailbox", "mailboxes")
    summary = f"The contact block has {counted(faults, 'fault')}; a person answered for {len(answered)} of {mailboxes}."
    figures = {"faults": faults, "mailboxes": len(places), "answered": len(answered), "silent": len(silent)}
    if unshown and not findings:
        return ControlResult(CheckOutcome.ERROR, f"{summary} {' '.join(unshown)}", evidence, figures)
    result = ControlResult.of(summary, evidence=evidence, figures=figures, findings=findings)
    return replace(
        result, until=min((check.good_until for check in answered if check.good_until is not None), default=None)
    )


def _mailboxes(declaration: Declaration) -> dict[str, str]:
    """The declared addresses, by their places in the declaration."""
    us = declaration.organisation
    declared = {"organisation.email": us.email}
    if us.officer is not None:
        declared["organisation.officer.email"] = us.officer.email
        if us.officer.deputy:
            declared["organisation.officer.deputy"] = us.officer.deputy
    return declared


def _contact_faults(declaration: Declaration) -> Iterator[ControlFinding]:
    us = declaration.organisation
    if us.officer is None:
        yield ControlFinding(
            "organisation.officer", "no data-protection officer is named", "name the person in charge (GDPR 13(1)(b))"
        )
    for place, mailbox in _mailboxes(declaration).items():
        if not _ADDRESS.fullmatch(mailbox):
            yield ControlFinding(place, "is not a valid e-mail address", "write it as name@host")
    if us.country == "GB" and not _POSTCODE.search(us.address.upper()):
        yield ControlFinding("organisation.address", "has no postcode", "give the whole postal address")
    elif len(us.address.split()) < 3:
        yield ControlFinding(
            "organisation.address", "is too short for a postal address", "give the whole postal address"
        )
    if us.phone is not None and not 7 <= len(re.sub(r"\D", "", us.phone)) <= 15:
        yield ControlFinding("organisation.phone", "is not a valid phone number", "write it as +44 1632 960000")


# --- what is reachable ------------------------------------------------------------------------------------------------

REPORT_AGE_MAX = dt.timedelta(days=2)
"""How old the report of a prober may be."""


@answers("site.not_exposed")
def not_exposed(declaration: Declaration, exposure: Exposure, now: dt.datetime) -> ControlResult:
    """GDPR Art. 32(1)(b), clause C10: no port of a declared store answers a prober in another network. A failure is an
    open port alone; whatever the prober did not see, or saw from inside, is an error."""
    site = declaration.organisation.site or ""
    fresh = [report for report in exposure.reports if dt.timedelta(0) <= now - report.at <= REPORT_AGE_MAX]
    outside = [report for report in fresh if report.seen_from is SeenFrom.OUTSIDE]
    findings = {
        (store.system, host, store.port): ControlFinding(
            store.system,
            f"its port {store.port} answers at {host} from outside",
            "let the store listen on the inner network only, or close the port in the firewall",
        )
        for report in outside
        for store, host in open_stores(exposure.stores, report)
    }
    why = _why_unseen(exposure, site, fresh, outside)
    whole = [report for report in outside if not why and not any(gaps(exposure, site, report))]
    best = max(whole or outside or fresh, key=lambda report: report.at, default=None)
    figures = {
        "stores": len({store.system for store in exposure.stores}),
        "reports": len(fresh),
        "from outside": len(outside),
        "ports": len(best.endpoints) if best is not None else 0,
        "open ports": sum(state == OPEN for state in best.endpoints.values()) if best is not None else 0,
    }
    systems = frozenset({"site", *exposure.unknown, *(store.system for store in exposure.stores)})
    seen = systems if whole else frozenset(system for system, _, _ in findings)
    tested = figures["ports"] if whole else len(findings)
    evidence = Evidence(systems, seen, max(figures["ports"], 1), tested, exposure.excluded)
    if findings:
        summary = f"{counted(len(findings), 'port')} of our stores answered from outside."
        return ControlResult.of(summary, evidence=evidence, findings=list(findings.values()), figures=figures)
    if best is None or not whole:
        reasons = why or [f"{best.prober}: {gap}" for best in outside for gap in gaps(exposure, site, best)]
        summary = f"Nothing shows what answers from outside: {'; '.join(reasons)}."
        return ControlResult(CheckOutcome.ERROR, summary, evidence, figures)
    summary = f"No store answered from outside, at {counted(figures['ports'], 'port')} of our hosts and stores."
    passed = ControlResult.of(summary, evidence=replace(evidence, period=(best.at, best.at)), figures=figures)
    return replace(passed, until=best.at + REPORT_AGE_MAX)


def _why_unseen(
    exposure: Exposure, site: str, fresh: Sequence[ProbeReport], outside: Sequence[ProbeReport]
) -> list[str]:
    if not site:
        return ["no site is declared; name it under organisation.site"]
    if not exposure.reports:
        return ["no prober has reported; run one on a host in another network (troth api prober make)"]
    if not fresh:
        return [f"the last report of a prober is older than {REPORT_AGE_MAX.days} days"]
    if not outside:
        where = ", ".join(sorted({report.seen_from.value.replace("_", " ") for report in fresh}))
        return [f"every prober reported from inside ({where}); run one on a host in another network"]
    if exposure.unknown:
        return [f"the address of {', '.join(exposure.unknown)} is not known"]
    return []
