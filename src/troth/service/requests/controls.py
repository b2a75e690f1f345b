"""Controls on cases: people are answered in time, can exercise every right, and lose no data while they ask; recipients
are notified of corrections, erasures and restrictions. Results name nobody."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from django.conf import settings
from django.db.models import Q

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration
from troth.service.api.models import ApiToken
from troth.service.cases.aliases import names_of_cases
from troth.service.cases.models import Case, CaseEvent, CaseKind, CaseState, Right
from troth.service.cases.models import CaseOutcome as Ended
from troth.service.cases.timeliness import PERIOD, in_time
from troth.service.core import timestamps
from troth.service.core.models import LegalHold
from troth.service.disclosures.notifications import NotificationState as NoticeState
from troth.service.disclosures.notifications import NotificationStatus, all_since
from troth.service.disclosures.rules import TELLING
from troth.service.mail.inbox.reading import UNREAD_MAX, read_at
from troth.service.portal.form_token import FIELD
from troth.service.requests.duty import CASES_WRITE
from troth.service.requests.models import CHOICES, RIGHTS, CaseReceipt
from troth.service.requests.rules import stoppable
from troth.site import HOME, ProbeError, SiteSnapshot, asked_hash, form_fault
from troth.text import counted

_CASES = frozenset({"cases"})
_CLICKS_MAX = 3
_CENTRE = "/your-data/"


@answers("requests.answered_in_time")
def answered_in_time(declaration: Declaration, now: dt.datetime) -> ControlResult:
    """GDPR Art. 12(3): requests that are open past their earliest deadline, or were closed after it in the last 90
    days."""
    return in_time(CaseKind.REQUEST, declaration, now)


@answers("requests.every_right_offered")
def every_right_offered(declaration: Declaration, site: SiteSnapshot) -> ControlResult:
    """GDPR Art. 12(2): the form of each right is few clicks from the home page, and takes what a visitor sends. Each is
    sent empty; it comes back, and nothing is stored."""
    look = site.visit()
    if why_not := {path: look.why_not[path] for path in (HOME, _CENTRE) if path in look.why_not}:
        return _not_checked(why_not)
    findings, unseen = list[ControlFinding](), dict[str, str]()
    asked = [*(right.value for right in RIGHTS), "complain", "ask"]
    farthest = unstoppable = 0
    for word in asked:
        path = f"{_CENTRE}{word}/"
        clicks = look.clicks.get(path)
        if clicks is None or clicks > _CLICKS_MAX:
            far = "no link leads to it" if clicks is None else f"it is {clicks} clicks from the home page"
            findings.append(ControlFinding(f"the way to {word}", far, f"link to {path} from {_CENTRE}"))
            continue
        farthest = max(farthest, clicks)
        if word in CHOICES and not stoppable(declaration, word):
            unstoppable += 1  # its page says that there is nothing to stop
            continue
        try:
            fault = form_fault(site, path, marked=FIELD)
        except ProbeError as error:
            unseen[path] = str(error)
            continue
        if fault:
            findings.append(ControlFinding(f"the way to {word}", fault, f"find out why {path} takes no form"))
    missing = {finding.place for finding in findings}
    if findings and (cut := {path: why for path, why in look.why_not.items() if path.endswith(" links")}):
        return _not_checked(cut)
    offered = len(asked) - len(missing) - len(unseen)
    notes = "".join(f" {path}: {why}." for path, why in unseen.items())
    places = frozenset(f"site {_CENTRE}{word}/" for word in asked)
    observed = places - {f"site {path}" for path in unseen}
    times = [page.fetched_at for page in look.pages.values()]
    query = asked_hash(site.declared.home, *(site.declared.address(f"{_CENTRE}{word}/") for word in asked))
    evidence = Evidence(
        places, observed, population=len(asked), tested=len(observed), period=(min(times), max(times)), query=query
    )
    summary = (
        f"{offered} of {len(asked)} ways to use a right, complain or ask are there, each {farthest} clicks from home "
    )
    summary += "or fewer."
    if unstoppable:
        summary += f" {counted(unstoppable, 'page says', 'pages say')} that there is nothing to stop."
    summary += notes
    figures = {"offered": offered, "clicks": farthest}
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


def _not_checked(why_not: Mapping[str, str]) -> ControlResult:
    reasons = "; ".join(f"{path}: {why}" for path, why in why_not.items())
    evidence = Evidence(in_scope=frozenset({"site"}), observed=frozenset())
    return ControlResult(CheckOutcome.ERROR, f"The site could not be checked: {reasons}.", evidence)


@answers("requests.every_channel")
def every_channel(declaration: Declaration, site: SiteSnapshot, now: dt.datetime) -> ControlResult:
    """GDPR Art. 12(2): each declared channel works. A form of the privacy centre takes what is sent, the mailbox was
    read recently, and if applications are to open cases, a token for that is valid."""
    declared, findings, seen, why_not = {"centre"}, list[ControlFinding](), set[str](), ""
    try:
        fault = form_fault(site, f"{_CENTRE}{Right.VIEW}/", marked=FIELD)
        seen.add("centre")
        if fault:
            fix = "make sure that Troth serves it on this site"
            findings.append(ControlFinding("the privacy centre", fault, fix))
    except ProbeError as error:  # not observed, which does not count as a pass
        why_not = f" The privacy centre: {error}."
    if declaration.requests.by_mail:
        declared.add("mail")
        seen.add("mail")
        findings += _unread(now)
    if declaration.requests.by_api:
        declared.add("api")
        seen.add("api")
        in_force = ApiToken.objects.filter(ended_at=None, until__gt=now).values_list("scopes", flat=True)
        if not any(CASES_WRITE in scopes for scopes in in_force):
            findings.append(
                ControlFinding("the API", "there is no valid token to open cases", "make one: troth api token make")
            )
    evidence = Evidence(frozenset(declared), frozenset(seen), population=len(declared), tested=len(seen))
    summary = f"{len(seen) - len(findings)} of {counted(len(declared), 'declared channel')} work.{why_not}"
    figures = {"declared": len(declared), "open": len(seen) - len(findings)}
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


def _unread(now: dt.datetime) -> Iterable[ControlFinding]:
    boxes = len(settings.TROTH.mailboxes)
    if not boxes:
        fix = "set TROTH_MAILBOX_URL, or declare requests.by_mail: false"
        yield ControlFinding("the mailbox", "nobody reads it", fix)
    for number in range(boxes):
        place = "the mailbox" if boxes == 1 else f"mailbox {number + 1}"
        if (noted := timestamps.noted(read_at(number))) is None:
            yield ControlFinding(place, "it was never read", "check it with troth doctor")
        elif now - noted > UNREAD_MAX:
            minutes = int((now - noted).total_seconds() // 60)
            yield ControlFinding(place, f"it was not read for {minutes:,} minutes", "check it with troth doctor")


@answers("core.held_cases_freeze_deletion")
def held_cases_freeze_deletion(now: dt.datetime) -> ControlResult:
    """DPA 2018 s.173: every open access request has a hold on its person, and nothing of the same person was erased
    since, under any of their identifiers. Unverified requests are not counted (see `fulfilment.holds`)."""
    looks = Q(right=Right.VIEW) | Q(right=Right.PORT)
    ended = [CaseState.VERIFYING, CaseState.CLOSED]
    cases = list(Case.objects.filter(looks).exclude(state__in=ended).exclude(subject=""))
    names = names_of_cases([(case.pk, case.subject) for case in cases])
    held = set(LegalHold.objects.filter(released_at=None).values_list("matter", "subject"))
    bare = [case for case in cases if held.isdisjoint((case.reference, name) for name in names[case.pk])]
    erased = _erased(set[str]().union(*names.values()))
    lost = [
        case
        for case in cases
        if any(name in names[case.pk] and at > (case.verified_at or case.received_at) for name, at in erased)
    ]
    begun = min((case.received_at for case in cases), default=now)
    evidence = Evidence(_CASES, _CASES, population=len(cases), tested=len(cases), period=(begun, now))
    if not cases:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No request to see is open.", evidence)
    findings = [ControlFinding(_named(case), "no hold keeps its data", "place one, in the console") for case in bare]
    findings += [
        ControlFinding(_named(case), "some of its data was erased since it arrived", "restore it") for case in lost
    ]
    summary = (
        f"{counted(len(cases), 'request')} to see open; {len(bare)} without a hold, {len(lost)} with an erasure since."
    )
    figures = {"open": len(cases), "without_hold": len(bare), "erased": len(lost)}
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


def _erased(names: Collection[str]) -> set[tuple[str, dt.datetime]]:
    """Who of *names* had data erased by a request, and when."""
    receipts = CaseReceipt.objects.filter(case__right=Right.ERASE)
    whole = receipts.filter(case__subject__in=names).values_list("case__subject", "at")
    single = receipts.filter(case__named__name__in=names).values_list("case__named__name", "at")
    return {*whole, *single}


def _named(case: Case) -> str:
    return "a confidential case" if case.is_confidential else case.reference


_LETTER = dt.timedelta(days=3)
"""Maximum delay of an e-mail."""
_BY_STAFF = dt.timedelta(days=14)
"""Maximum time for staff to notify a recipient without an address."""


@answers("requests.recipients_told")
def recipients_told(now: dt.datetime) -> ControlResult:
    """GDPR Art. 19: every recipient that had to be notified of a closed case was notified, or there is a reason. While
    notices are still within their time, the result is neither pass nor fail."""
    notices = {(one.case, one.recipient): one for one in all_since(now - PERIOD)}
    owed = {*_announced(now - PERIOD), *notices}
    lost = [(case, recipient) for case, recipient in owed if (case, recipient) not in notices]
    late = [one for one in notices.values() if _is_late(one, now)]
    looked, period = frozenset({"cases"}), (now - PERIOD, now)
    evidence = Evidence(looked, looked, population=len(owed), tested=len(owed), period=period)
    if not owed:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No recipient was owed a notice within 90 days.", evidence)
    done = sum(one.state in _SETTLED for one in notices.values())
    waiting = len(owed) - done - len(late) - len(lost)
    summary = f"{done:,} of {counted(len(owed), 'notice')} to recipients given, {len(late) + len(lost):,} late or lost"
    summary += f", {waiting:,} still within their time." if waiting else "."
    answer = ControlResult.of(
        summary,
        evidence=evidence,
        findings=[*_findings(late), *_lost(recipient for _, recipient in lost)],
        figures={"owed": len(owed), "given": done, "late": len(late), "lost": len(lost), "waiting": waiting},
    )
    return replace(answer, outcome=CheckOutcome.NOT_APPLICABLE) if waiting and not answer.findings else answer


_SETTLED = (NoticeState.SENT, NoticeState.TOLD, NoticeState.EXCUSED, NoticeState.NOTHING_SENT)


def _announced(since: dt.datetime) -> set[tuple[str, str]]:
    """Recipients to be notified, according to the cases' own events: (case, recipient)."""
    closed = (Ended.FULFILLED, Ended.PARTLY_FULFILLED)
    events = CaseEvent.objects.filter(
        what="recipients_told", at__gte=since, case__right__in=sorted(TELLING), case__outcome__in=closed
    )
    said = events.values_list("case__reference", "facts").iterator(chunk_size=1_000)
    return {(case, name) for case, facts in said for name in (*facts["told"], *facts["untold"])}


def _is_late(notification: NotificationStatus, now: dt.datetime) -> bool:
    by_staff = {NoticeState.UNTOLD: _BY_STAFF, NoticeState.UNSHOWN: _BY_STAFF}
    allowed = {NoticeState.OWED: _LETTER, **by_staff}.get(notification.state)
    return allowed is not None and now - notification.since > allowed


def _findings(late: Iterable[NotificationStatus]) -> list[ControlFinding]:
    waiting = Counter((one.recipient, one.state) for one in late)
    fixes = {
        NoticeState.OWED: ("on their way for more than three days", "find out why the e-mails are not sent"),
        NoticeState.UNTOLD: (
            "not given",
            "tell them, and record it in the console; give them a contact in the declaration",
        ),
        NoticeState.UNSHOWN: (
            "for which nobody has found out whether data went there",
            "find out, tell them only if it did, and record it in the console; declare a feed if there is one",
        ),
    }
    return [
        ControlFinding(f"recipients.{name}", f"{counted(count, 'notice')} {fixes[state][0]}", fixes[state][1])
        for (name, state), count in sorted(waiting.items())
    ]


def _lost(recipients: Iterable[str]) -> list[ControlFinding]:
    return [
        ControlFinding(
            f"recipients.{name}",
            f"{counted(count, 'notice')} missing from the records",
            "restore disclosures_recipient_notification",
        )
        for name, count in sorted(Counter(recipients).items())
    ]
