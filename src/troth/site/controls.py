"""Controls of the running site: compares what an anonymous visitor sees with the declaration.

All read one snapshot. A page that does not answer, or answers with anything but 200, or is not text, counts as not
observed, so the control cannot pass.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, Period
from troth.site import custom_controls, privacy_signal  # noqa: F401 - registers their controls
from troth.site.appearance import Appearance, appearances
from troth.site.crawl import name_of
from troth.site.exposure import Exposure, ProbeReport, SeenFrom, gaps, open_stores
from troth.site.fetch import LeadsNowhere, OtherHost
from troth.site.form_rules import addresses_of, asked_in_text, beyond_declared, common_forms, serves
from troth.site.mailboxes import MailboxCheck
from troth.site.page import ProbeError, SetCookie, SitePage, cookie_named, imports, named_in_file
from troth.site.policy_page import letters_of, words_beside
from troth.site.prober import OPEN
from troth.site.snapshot import HOME, LimitReached, SiteSnapshot, SiteView, cut_links, unseen_work
from troth.site.tls import OBSOLETE
from troth.text import counted

CERTIFICATE_DAYS = 7
"""Fewer days left are reported as a finding, so that the certificate is renewed in time."""
LINKS_MAX = 300
"""Links that one check follows; the rest are counted as excluded."""
SHEETS_MAX = 10
TITLE_MAX = 200
NO_PAGE = "/troth-asks-for-a-page-that-does-not-exist/"
_NOT_FOUND = re.compile(
    r"(?:(?:error |fehler |erreur )?404\W*)?(?:page |seite )?not found(?:$|\W)|(?:error )?404$", re.I
)
_BROKEN = re.compile(
    r"something went wrong|(?:error|status) 50\d|internal server error|an? (?:unexpected )?error (?:has )?occurred|"
    r"(?:page|site|website) is (?:being rebuilt|under (?:construction|maintenance))|"
    r"^under (?:construction|maintenance)|"
    r"etwas ist schief ?gelaufen|fehler (?:ist )?aufgetreten|interner (?:server)?fehler|fehler 50\d|"
    r"(?:seite|website) (?:ist|befindet sich|wird) (?:gerade )?(?:im (?:auf|um)bau|in wartung|überarbeitet|neu gebaut)|"
    r"^im (?:auf|um)bau|une erreur (?:est survenue|s.est produite)|quelque chose s.est mal passé|"
    r"erreur (?:interne|50\d)|"
    r"(?:page|site) est en (?:construction|travaux|maintenance)|^en (?:construction|travaux|maintenance|construcción)|"
    r"algo (?:ha salido|salió) mal|(?:producido|ocurrido|produjo|ocurrió) un error|error interno|"
    r"(?:página|sitio) (?:web )?está en (?:construcción|mantenimiento)",
    re.I,
)
_SHORT_MAX = 40
"""Words of a page that says one thing."""
_TITLE_WORDS_MAX = 8
NAMED_MIN = 2
"""Cookies that a policy names if it lists them by name."""
BESIDE_MAX = 60
"""Words beside the policy, apart from those that other pages share: a date, a title, who publishes it."""
STRICT_MIN = dt.timedelta(days=1)
"""The shortest time for which Strict-Transport-Security has to bind a browser."""
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
    findings, why_not = list[ControlFinding](), dict[str, str]()
    if policy.status != 200:
        findings.append(
            ControlFinding(
                where, f"the page of the policy answers with status {policy.status}", "publish the policy there"
            )
        )
    elif not _says(policy, policy_text):
        message = f"its {len(policy.text.split())} words are not the {len(policy_text.split())} words of the file"
        findings.append(ControlFinding(where, message, "publish the declared file, or declare what is published"))
    else:
        beside = words_beside(policy, policy_text, _others(site, look, policy), _own_styles(site, policy))
        if beside.about_data:
            message = (
                f"it says {counted(beside.about_data, 'word')} about data that are not in the file, beside the policy"
            )
            findings.append(ControlFinding(where, message, "move them into the declared file, or take them away"))
        if beside.words > BESIDE_MAX:
            why_not[where] = f"has {beside.words} words beside the policy that were not compared with anything"
        if policy.leads or policy.unseen:
            why_not[where] = policy.unseen or "shows another page in a frame, whose words are not seen"
    targets = {urldefrag(site.declared.address(where)).url, policy.url, *policy.redirects}
    without = {
        path: page for path, page in look.pages.items() if not targets & {page.url, *(it.url for it in page.links)}
    }
    far = [path for path, page in without.items() if not page.is_cut]
    look = look.but({**cut_links(without), **why_not})
    findings += [ControlFinding(path, "does not link to the policy", f"add a link to {where}") for path in far]
    return look.answer(
        f"The live page has {len(policy.text.split())} words; {len(look.pages) - len(without)} of "
        f"{counted(len(look.pages), 'page')} {'links' if len(look.pages) == 1 else 'link'} to it.",
        findings,
        {"words": len(policy.text.split()), "pages": len(look.pages), "pages without link": len(far)},
    )


def _others(site: SiteSnapshot, look: SiteView, policy: SitePage) -> list[SitePage]:
    """Pages whose frame the policy's page shares: what all of them say is not about the policy."""
    also = site.view(*site.declared.also).pages
    return [page for page in {**look.pages, **also}.values() if not page.url.startswith(policy.url)]


def _says(page: SitePage, wanted: str) -> bool:
    """True if the page's main part has exactly the wanted words; the title may be elsewhere on the page."""
    live, file = letters_of(page.text), letters_of(wanted)
    if live == file:
        return True
    title = file.removesuffix(live) if live else file
    body = LexborHTMLParser(page.source).body
    return len(title) <= TITLE_MAX and title + live == file and body is not None and title in letters_of(body.text())


@answers("site.policy_conspicuous")
def policy_conspicuous(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """Cal. Bus. & Prof. Code 22577(b): a text link with the word "privacy" that is as visible as the text around it.
    One good link is enough."""
    home = site.page(HOME)
    if home.why_not:
        raise ProbeError(f"the home page {home.why_not}")
    sheets, has_more = _sheets(site, home)
    links = appearances(home.source, "\n".join(sheets), _hrefs(home, site.declared.address(declaration.policy.url)))
    named = [looks for looks in links if re.search(r"\bprivacy\b", looks[0].text, re.I)]
    # Conditions that exclude one another show nothing against a link, but together they may excuse a fault.
    good = [looks for looks in named if not any(look.unknown or list(_faults(look)) for look in looks[:-1])]
    bad = [looks for looks in named if all(list(_faults(look)) for look in looks)]
    messages: list[str] = []
    if not links:
        messages = ["no link leads to the policy"]
    elif not named:
        messages = ["no link to the policy has the word 'privacy' in its text"]
    elif len(bad) == len(named):
        messages = list(dict.fromkeys(fault for looks in named for fault in _faults(looks[0])))
    fix = "link to it as 'Privacy policy', as easy to see as the text around it"
    why_not = unseen_work({HOME: home})
    if has_more:
        why_not.setdefault(HOME, "has style sheets of another host, or too many, which are not read")
    if not good and not messages:
        unknown = dict.fromkeys(name for looks in named for look in looks for name in look.unknown)
        what = ", ".join(unknown) or "what its style sheets say under a condition"
        why_not.setdefault(HOME, f"does not show how the link looks: {what}")
    look = site.view(HOME).but(why_not)
    return look.answer(
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
    return "\n".join(_sheets(site, page)[0])


def _sheets(site: SiteSnapshot, page: SitePage) -> tuple[list[str], bool]:
    """The text of the page's style sheets from its own host, each after those that it imports; and whether there are
    more, from another host or beyond `SHEETS_MAX`."""
    tree = LexborHTMLParser(page.source)
    hrefs = [(node.attributes.get("href") or "").strip() for node in tree.css("link[rel~=stylesheet][href]")]
    inline = [address for node in tree.css("style") for address in imports(node.text(deep=True), page.url)]
    seen, sheets, others = set[str](), list[str](), list[str]()

    def read(address: str) -> None:
        if address in seen:
            return
        if len(seen) >= SHEETS_MAX:
            others.append(address)
            return
        seen.add(address)
        try:
            sheet = site.page(address)
        except OtherHost:
            others.append(address)
            return
        if sheet.status == 200:
            for imported in imports(sheet.source, sheet.url):
                read(imported)
            sheets.append(sheet.source)

    for address in [*inline, *(urljoin(page.url, href) for href in hrefs)]:
        read(address)
    return sheets, bool(others)


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
        and not urlsplit(link.url).path.startswith(site.declared.staff)
    }
    asked, findings = dict[str, dt.datetime | None](), list[ControlFinding]()
    missing, is_alike = _missing_page(site)
    unseen = {**look.why_not, **cut_links(look.pages)}
    if is_alike:
        unseen["links"] = "are not told apart, because every address answers with the same page"
    for url, path in list(links.items())[:LINKS_MAX]:
        asked[url], fault = None, ""
        try:
            page = site.page(url, whole=False)
            asked[url] = page.fetched_at
            if page.status == 429:  # too many requests: it says nothing about the page
                unseen[name_of(url, unseen)] = "answered 429"
                continue
            fault = f"answers with status {page.status}" if page.status >= 400 else ""
            if not fault and page.url != site.declared.home:
                fault = _says_that_it_is_none(page, missing)
                if not fault and len(page.text.split()) <= _SHORT_MAX and _BROKEN.search(page.text):
                    unseen[name_of(url, unseen)] = "may say that it does not work"
        except OtherHost:
            continue  # links to other sites are out of scope
        except LimitReached as limit:
            del asked[url]
            unseen["links"] = str(limit)
            break
        except LeadsNowhere:
            fault = "redirects to nowhere"
        except ProbeError as error:  # no answer, as while the server starts anew, is no answer about the link
            unseen[name_of(url, unseen)] = str(error)
        if fault:  # the query may contain personal data
            findings.append(ControlFinding(path, f"the link to {urlsplit(url).path or '/'} {fault}", "fix it"))
    excluded = len(links) - len(asked)
    if len(links) > LINKS_MAX:
        unseen[f"links after the first {LINKS_MAX}"] = "are not followed"
    look = replace(look, why_not=unseen, asked=(*look.asked, *asked.items()))
    return look.answer(
        f"{counted(len(asked), 'link')} followed, {len(findings)} of them broken, {excluded} not followed.",
        findings,
        {"links": len(asked), "dead": len(findings), "not followed": excluded},
        population=len(links),
        excluded=excluded,
    )


def _missing_page(site: SiteSnapshot) -> tuple[str, bool]:
    """What the site says with status 200 at an address that does not exist, if it does; and whether that is its home
    page, as of a site that a script builds."""
    try:
        page, home = site.page(NO_PAGE, whole=False), site.page(HOME)
    except ProbeError:
        return "", False
    text = page.text if page.status == 200 else ""
    is_alike = page.status == 200 and page.is_html and text == home.text and page.url != home.url
    return ("", True) if is_alike else (text, False)


def _says_that_it_is_none(page: SitePage, missing: str) -> str:
    tree = LexborHTMLParser(page.source) if page.is_html and page.status == 200 else None
    titles = [node.text(deep=True) for node in tree.css("title, h1")[:2]] if tree else []
    titles = [words for title in titles if (words := " ".join(title.split()))]
    if (missing and page.text == missing) or any(map(_NOT_FOUND.match, titles)):
        return "leads to a page that says that there is none"
    is_broken = any(_BROKEN.search(title) and len(title.split()) <= _TITLE_WORDS_MAX for title in titles)
    return "leads to a page that says that it does not work" if is_broken else ""


# --- transport --------------------------------------------------------------------------------------------------------


@answers("site.transport_encrypted")
def transport_encrypted(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """GDPR Art. 32(1)(a), clause C13: only https, only TLS 1.2 or later, a trusted certificate, and HSTS."""
    look, findings = site.visit(declaration.policy.url), list[ControlFinding]()
    is_declared = urlsplit(site.declared.home).scheme == "https"
    if not is_declared:
        fix = "serve the site over https, and declare its https address"
        findings.append(ControlFinding("organisation.site", "the declared address is not https", fix))
    for path, page in look.pages.items():
        if urlsplit(page.url).scheme != "https":
            findings.append(ControlFinding(path, "travels unencrypted", "serve it over https"))
        elif is_declared and any(urlsplit(url).scheme != "https" for url in page.redirects):
            findings.append(ControlFinding(path, "is reached over an unencrypted page", "serve that over https"))
        if urlsplit(page.url).scheme == "https" and page.status == 200:
            findings += _strict_faults(path, page)
            findings += _mixed_faults(path, page)
    clear = sum(finding.message.startswith(("travels", "is reached")) for finding in findings)
    figures = {"pages": len(look.pages), "pages in clear": clear}
    if is_declared:
        findings += _tls_faults(site, figures)
    if site.declared.in_clear:
        findings += _clear_faults(site)
    summary = f"{counted(len(look.pages), 'page')}, {figures['pages in clear']} in clear"
    days = (
        f"; the certificate has {counted(figures['certificate days'], 'day')} left"
        if "certificate days" in figures
        else ""
    )
    return look.answer(f"{summary}{days}.", findings, figures)


def _strict_faults(path: str, page: SitePage) -> Iterator[ControlFinding]:
    """Strict-Transport-Security is missing, or ends too soon to protect the next visit."""
    age = re.search(r"max-age\s*=\s*\"?(\d{1,12})", page.headers.get("strict-transport-security", ""), re.I)
    if age is None or int(age[1]) == 0:
        yield ControlFinding(path, "does not send Strict-Transport-Security", "send it with a max-age")
    elif int(age[1]) < STRICT_MIN.total_seconds():
        message = f"sends Strict-Transport-Security for {counted(int(age[1]), 'second')} only"
        yield ControlFinding(path, message, "send it with a max-age of a year")


def _mixed_faults(path: str, page: SitePage) -> Iterator[ControlFinding]:
    """What the page loads from or sends to an address that begins with http://."""
    if "upgrade-insecure-requests" in page.headers.get("content-security-policy", "").lower():
        return
    for host in sorted(page.in_clear):
        yield ControlFinding(path, f"loads from or sends to {host} unencrypted", "use its https address")


def _clear_faults(site: SiteSnapshot) -> Iterator[ControlFinding]:
    """The address without encryption: it may do no more than redirect to the encrypted one."""
    place, fix = "the address without encryption", "answer it with a redirect to https, and with nothing else"
    try:
        page = site.response(site.declared.in_clear, whole=False)
    except ProbeError:
        return  # it does not answer, so nothing travels
    if 200 <= page.status < 300:
        yield ControlFinding(place, "shows a page", fix)
    elif 300 <= page.status < 400 and not urljoin(page.url, page.headers.get("location", "")).startswith("https://"):
        yield ControlFinding(place, "does not lead to https", fix)
    for cookie in page.cookies:
        if not cookie.is_deleted:
            yield ControlFinding(place, f"sets the cookie '{cookie.name}'", fix)


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
def cookies_declared(
    declaration: Declaration, site: SiteSnapshot, now: dt.datetime, policy_text: str = ""
) -> ControlResult:
    """PECR reg. 6, clauses C29 and C32: every cookie is declared and lives no longer than declared. A declared cookie
    that is missing in a policy that names others is not one of those that visitors were promised."""
    look, seen = _stored_by(declaration, site)
    findings = []
    for name, (path, cookie) in seen.items():
        declared = declaration.cookies.get(name)
        if declared is None:
            findings.append(
                ControlFinding(path, f"sets {cookie_named(name)}, which is not declared", "declare or drop it")
            )
        elif _outlives(cookie, declared.period, now):
            message = f"the cookie '{name}' has a longer lifetime than declared ({declared.lifetime})"
            findings.append(ControlFinding(path, message, "shorten its lifetime, or declare the real one"))
    listed = {name for name in declaration.cookies if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", policy_text)}
    if len(listed) >= NAMED_MIN:
        missing = (name for name in seen if name in declaration.cookies and name not in listed)
        look = look.but({f"the policy, of '{name}'": "it names other cookies, and not this one" for name in missing})
    undeclared = sum(name not in declaration.cookies for name in seen)
    figures = {"cookies": len(seen), "undeclared": undeclared, "too long": len(findings) - undeclared}
    return look.answer(
        f"{counted(len(seen), 'cookie')} on {counted(len(look.pages), 'page')}: {undeclared} undeclared, "
        f"{figures['too long']} with too long a lifetime.",
        findings,
        figures,
    )


def _stored_by(declaration: Declaration, site: SiteSnapshot) -> tuple[SiteView, dict[str, tuple[str, SetCookie]]]:
    """The pages that a visitor reaches, and the cookies that these and the files in them set. A page that runs a script
    or loads from another host may store more, so it was not seen whole."""
    look = site.visit(declaration.policy.url)
    files = site.resources(look)
    cookies = replace(look, pages={**files.pages, **look.pages}).cookies()
    loads = {path: _hosts(page) - {site.declared.host} for path, page in files.pages.items()}
    loads |= {path: page.loads for path, page in look.pages.items() if page.loads}
    foreign = {path: f"loads from {min(hosts)}, whose cookies are not seen" for path, hosts in loads.items() if hosts}
    return look.but({**foreign, **unseen_work(look.pages), **files.why_not}), cookies


def _hosts(file: SitePage) -> frozenset[str]:
    """The hosts from which a file in a page loads."""
    return frozenset(urlsplit(address).hostname or "" for address in named_in_file(file))


@answers("site.nothing_stored_before_choice")
def nothing_stored_before_choice(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """PECR reg. 6 and Sch. A1, clause C28: before the visitor makes a choice, only necessary cookies are set."""
    look, seen = _stored_by(declaration, site)
    early = [
        ControlFinding(path, f"sets {cookie_named(name)} before the visitor has chosen", "wait for the choice")
        for name, (path, cookie) in seen.items()
        if cookie.allows or name not in declaration.cookies or declaration.cookies[name].purpose != "necessary"
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
    """GDPR Art. 5(1)(c), clauses C03 and C42: each form that a visitor reaches asks only for the fields of one
    collection point."""
    points = declaration.collection_points
    look = site.visit(declaration.policy.url)
    pages = {page.url: (path, page) for path, page in reversed([*look.pages.items()]) if page.forms}
    findings, undecided = list[ControlFinding](), dict[str, str]()
    theirs = {*site.declared.also, declaration.policy.url}
    ours = {path: page for path, page in look.pages.items() if path not in theirs and page.status == 200}
    undecided |= {f"{path} text": "it may ask for a date of birth, a gender or papers" for path in asked_in_text(ours)}
    sent_to, common = addresses_of(points, look.pages, site.declared.home), common_forms([*ours.values()])
    for path, page in pages.values():
        own = site.declared.also_asks if path in site.declared.also else None
        for beyond in beyond_declared(path, page, points, own, sent_to=sent_to, common=common):
            place, name = f"{path} form {beyond.form}", beyond.field.name
            if beyond.is_declared and not beyond.is_certain:
                undecided[place] = f"'{name}' is declared, and its words or its kind ask for something else"
            elif beyond.is_declared:
                message = f"requires '{name}', which is declared optional"
                findings.append(ControlFinding(place, message, "make it optional"))
            elif beyond.is_certain and beyond.is_elsewhere:
                message = f"asks for '{name}' on a page that no collection point names"
                fix = "remove the form, or declare its page as a collection point"
                findings.append(ControlFinding(place, message, fix))
            elif beyond.is_certain:
                message = f"asks for '{name}', which is not declared"
                findings.append(ControlFinding(place, message, "remove the field, or declare it"))
            elif beyond.is_elsewhere:
                message = (
                    f"asks for '{name}' as the form of another page does, and whether it is that one is not decided"
                )
                undecided[place] = f"{message}; declare this page, too"
            else:
                undecided[place] = f"whether '{name}' is about a person is not decided; declare it if it is"
    # A form that is not shown to a new visitor (an empty cart, a form built by a script) counts as not observed.
    hidden = {
        f"{point.page} form '{name}'": "not shown to a new visitor"
        for name, point in points.items()
        if (shown := look.pages.get(str(point.page))) and not any(serves(form, point) for form in shown.forms)
    }
    look = look.but({**undecided, **hidden, **unseen_work(look.pages)})
    forms = [form for _, page in pages.values() for form in page.forms]
    fields = sum(len(form.fields) for form in forms)
    answer = look.answer(
        f"{counted(len(forms), 'form')} with {counted(fields, 'field')} on "
        f"{counted(len(look.pages), 'page')}: {counted(len(findings), 'difference')}.",
        findings,
        {"forms": len(forms), "fields": fields, "differences": len(findings)},
    )
    is_bare = not any(point.page for point in points.values()) and not fields
    return replace(answer, outcome=CheckOutcome.NOT_APPLICABLE) if is_bare and not findings else answer


@answers("disclosures.only_to_recipients")
def only_to_recipients(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """GDPR Art. 13(1)(e), clause C15: pages and their style sheets load from, and send to, only the hosts of declared
    recipients, as their HTML and headers show."""
    look = site.visit(declaration.policy.url)
    files = site.resources(look)
    declared = {host.lower() for recipient in declaration.recipients.values() for host in recipient.hosts}
    found = {host: path for path, page in look.pages.items() for host in page.hosts}
    for path, page in files.pages.items():
        found |= dict.fromkeys(_hosts(page), path)
    found.pop(site.declared.host, None)
    findings = [
        ControlFinding(
            path,
            f"loads from or sends to {host}, which is not a declared recipient",
            "remove it, or declare its recipient",
        )
        for host, path in sorted(found.items())
        if host not in declared
    ]
    look = look.but({**unseen_work(look.pages), **files.why_not})
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
