"""Health report for operators: what serves, what waits, who works, and what a visitor sees from outside.

Each part yields findings: state (``ok``, ``note`` or ``wrong``), subject, and result with its fix. They hold no
personal data, and checking changes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import stat
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
from django.db import DatabaseError, connection
from django.utils import timezone

from troth.ledger import Entry
from troth.service.configuration import MailServer, ServiceError, Settings, UnsafeStart, is_local
from troth.service.core.clock import doubt
from troth.service.core.controls import restores
from troth.service.core.jobs.queue import health
from troth.service.core.ledger import DatabaseLog
from troth.service.core.models import EntryRow
from troth.service.mail.inbox.mailboxes import MailboxAway, open_mailbox
from troth.service.mail.models import REACHED, LetterRow
from troth.service.mail.oauth import FIXES
from troth.service.mail.provider import LAPSES
from troth.service.mail.smtp import Smtp
from troth.service.pages import the_log
from troth.service.requests.models import ProcessingHalt
from troth.service.staff.controls import officer_appointed, undertakings
from troth.service.staff.roster import Roster, roster
from troth.service.staff.rules import rights_of
from troth.service.start import refuse_unsafe_start, unapplied_migrations
from troth.text import counted

Found = tuple[str, str, str]
"""State, subject, result."""

_FREE_BYTES_MIN = 1_000_000_000
_CLOCK_MAX = dt.timedelta(seconds=30)
_LATE = dt.timedelta(hours=1)
_EXPIRES_MIN = dt.timedelta(days=30)
_TIMEOUT_S = 10.0
_MAILBOX_S_MAX = 5.0
_STAFF_MIN = 2


def _result(subject: str, problem: str, fine: str) -> Found:
    """``wrong`` with the *problem*, ``ok`` where there is none."""
    return ("wrong", subject, problem) if problem else ("ok", subject, fine)


def examined(settings: Settings) -> Iterator[Found]:
    """All checks from inside. Raises `TrothError` if there is no deployment or no key."""
    now = timezone.now()
    yield from _safe(settings)
    yield from _modes(settings.home)
    yield from _disk(settings.home)
    yield from _mail(settings)
    yield from _mailboxes(settings)
    unapplied = unapplied_migrations()
    if unapplied is None:
        yield (
            "wrong",
            "database",
            "it cannot be opened; check TROTH_DATABASE_URL, and that the database exists and accepts the login",
        )
        return
    if unapplied:
        state = "wrong" if settings.is_production else "note"
        yield state, "database", f"{counted(unapplied, 'migration')} to be applied; run: troth migrate"
        return
    yield "ok", "database", f"{settings.database.engine}, up to date"
    try:
        yield from _clock(now)
        yield from _work(settings, now)
        yield from _letters(now)
        yield from _staff(settings, roster(now), now)
        yield from _drilled(the_log(), now)
    except DatabaseError as broken:  # its text may quote a row
        yield "wrong", "database", f"a query failed ({type(broken).__name__}); see the database's own log"


def _safe(settings: Settings) -> Iterator[Found]:
    if not settings.is_production:
        yield "note", "profile", "development, for this machine only; set TROTH_PROFILE=production to serve people"
        return
    try:
        refuse_unsafe_start()
    except UnsafeStart as refused:
        yield from (("wrong", "profile", problem) for problem in refused.problems)
    except ServiceError as refused:
        yield "wrong", "profile", str(refused)
    else:
        yield "ok", "profile", "production, and safe to start"


def _modes(home: Path) -> Iterator[Found]:
    if not home.is_dir():
        yield "note", "file modes", f"there is no {home} yet"
        return
    within = [home, *home.iterdir()]
    exposed = ", ".join(sorted(path.name for path in within if stat.S_IMODE(path.lstat().st_mode) & 0o077))
    problem = f"others can read {exposed} in {home}; run: chmod -R go= {home}" if exposed else ""
    yield _result("file modes", problem, f"{home} and its contents are readable by us only")


def _disk(home: Path) -> Iterator[Found]:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    room = f"{free / 1e9:.1f} GB free at {there}"
    yield _result("disk", f"{room}; free some space" if free <= _FREE_BYTES_MIN else "", room)


def _mail(settings: Settings) -> Iterator[Found]:
    server = settings.mail
    if server is None:
        yield "wrong", "mail", "TROTH_MAIL_URL is not set; name the mail server"
        return
    if server.folder is not None:
        yield "note", "mail", f"e-mails are written to the folder {server.folder} and not sent"
        return
    if server.provider:
        yield "note", "mail", f"the provider {server.provider} was not asked; {LAPSES}"
        return
    yield _reached(server)
    yield (
        "note",
        "mail domain",
        "SPF, DKIM and DMARC are not checked, because that needs DNS; ask the operator of your mail server",
    )


def _reached(server: MailServer) -> Found:
    transport = Smtp(server)
    try:
        transport.greet()
    except ServiceError as away:
        reason = getattr(away, "reason", type(away).__name__)
        fix = FIXES.get(reason, "check TROTH_MAIL_URL")
        return "wrong", "mail", f"{server.host}:{server.port} cannot be used ({reason}); {fix}"
    finally:
        transport.close()
    signed = ", signed in" if server.user else ""
    return "ok", "mail", f"{server.host}:{server.port} answers, TLS: {server.tls}{signed}"


def _mailboxes(settings: Settings) -> Iterator[Found]:
    if not settings.mailboxes:
        yield ("note", "mailbox", "incoming e-mails are not read; set TROTH_MAILBOX_URL to read them")
    for number, where in enumerate(settings.mailboxes, 1):
        subject = "mailbox" if len(settings.mailboxes) == 1 else f"mailbox {number}"
        begun = time.monotonic()
        try:
            with open_mailbox(where) as box:
                unread, problem = len(box.unread()), box.examine()
        except MailboxAway as away:
            yield "wrong", subject, f"it cannot be read ({away.reason}); {away.fix}"
            continue
        took_s = time.monotonic() - begun
        if not problem and took_s > _MAILBOX_S_MAX:
            problem = f"it took {took_s:.0f} s to answer; see what slows it down"
        yield _result(subject, problem, f"opened, {counted(unread, 'message')} unread")
    if any(place is not None and place.oauth is not None for place in (settings.mail, *settings.mailboxes)):
        yield (
            "note",
            "mail sign-in",
            "OAuth 2 was tested with a fake only, and never run against the real services",
        )


def _clock(now: dt.datetime) -> Iterator[Found]:
    yield _result("clock", _clock_problem(now), "it agrees with the database and with the ledger")


def _clock_problem(now: dt.datetime) -> str:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            apart = abs(cursor.fetchone()[0] - timezone.now())
        if apart > _CLOCK_MAX:
            return f"{apart.total_seconds():.0f} s off the database's clock; run NTP on both machines"
    if (doubted := doubt(now)) is not None:
        return str(doubted)
    last = EntryRow.objects.order_by("-pk").first()
    if last is not None and Entry.decode(bytes(last.content)).at > now + _CLOCK_MAX:
        return "the ledger's latest entry is dated in the future; run NTP, then `troth ledger verify`"
    return ""


def _work(settings: Settings, now: dt.datetime) -> Iterator[Found]:
    found = health(now)
    if not found.workers:
        state = "wrong" if settings.is_production else "note"
        yield state, "workers", "none, so requests are not carried out; run `troth serve` or `troth work`"
    else:
        yield "ok", "workers", f"{found.workers} alive"
    if found.is_behind(now):
        yield "wrong", "queue", f"behind since {found.oldest:%Y-%m-%d %H:%M} UTC; run more `troth work` processes"
    elif found.stopped or found.failed:
        stuck = counted(found.stopped + found.failed, "job")
        yield "wrong", "queue", f"{stuck} stopped or failed; the console's work queue says why"
    else:
        yield "ok", "queue", f"{counted(found.queued + found.running + found.waiting, 'job')} under way, none late"
    stop = ProcessingHalt.objects.filter(cleared_at=None).first()
    if stop is not None:
        yield (
            "wrong",
            "line",
            f"halted since {stop.since:%Y-%m-%d} ({stop.why}); fix it, and resume processing in the console",
        )


def _letters(now: dt.datetime) -> Iterator[Found]:
    failed = LetterRow.objects.filter(state=LetterRow.State.FAILED).exclude(reason=REACHED).count()
    late = LetterRow.objects.filter(state=LetterRow.State.QUEUED, queued_at__lt=now - _LATE).count()
    problem = f"{failed} failed, {late} waiting for over an hour; see the console's work queue"
    yield _result("letters", problem if failed or late else "", "none failed, none late")


def _staff(settings: Settings, roster: Roster, now: dt.datetime) -> Iterator[Found]:
    state = "wrong" if settings.is_production else "note"
    ready = sum(who.has_factor and bool(rights_of(who.grants, who.person, now=now)) for who in roster.people)
    if ready < _STAFF_MIN:
        yield (
            state,
            "staff",
            f"{ready} with a second factor and a grant in force; have at least two, in case one is away",
        )
    else:
        yield "ok", "staff", f"{ready} with a second factor and a grant in force"
    appointed = officer_appointed(roster, now)
    for finding in appointed.findings:
        yield state, "officer", f"{finding.message}; {finding.fix}"
    if not appointed.findings:
        yield "ok", "officer", "an officer and a deputy can do their work today"
    for finding in undertakings(roster, now).findings:
        yield "wrong", "undertakings", f"{finding.message}; {finding.fix}"


def _drilled(log: DatabaseLog, now: dt.datetime) -> Iterator[Found]:
    answer = restores(log, now)
    for finding in answer.findings:
        yield "note", "backups", f"{finding.message}; {finding.fix}"
    if not answer.findings:
        yield "ok", "backups", answer.summary


# --- from outside -----------------------------------------------------------------------------------------------------


def seen_from_outside(url: str, *, now: dt.datetime) -> Iterator[Found]:
    """What a visitor of *url* sees: TLS, headers, well-known files."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_local(parts.hostname or ""):
        yield "wrong", "site", "it is not an https:// address"
        return
    with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as visitor:
        try:
            home = visitor.get(urljoin(url, "/policy/"))
            if home.is_redirect and home.headers["location"] == str(home.url):
                yield (
                    "wrong",
                    "site",
                    "the address redirects to itself; the proxy must set X-Forwarded-Proto to https",
                )
                return
            yield from _headers(home, is_tls=parts.scheme == "https")
            if parts.scheme == "https":
                yield _led_to_tls(visitor, url)
            yield _strangers(visitor, url)
            yield _expiry(visitor.get(urljoin(url, "/.well-known/security.txt")), now)
            yield _signals(visitor.get(urljoin(url, "/.well-known/gpc.json")))
            yield _ready(visitor.get(urljoin(url, "/health/ready")))
            yield _dated(home, now)
        except httpx.HTTPError as away:
            yield "wrong", "site", f"{url} does not answer as it should ({type(away).__name__})"


def _headers(home: httpx.Response, *, is_tls: bool) -> Iterator[Found]:
    if home.status_code != httpx.codes.OK:
        yield "wrong", "site", f"/policy/ is answered with {home.status_code}"
    wanted = {
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "",
    }
    missing = [name for name, part in wanted.items() if name not in home.headers or part not in home.headers[name]]
    problem = f"the proxy removes or changes {', '.join(missing)}; let it pass them through" if missing else ""
    yield _result("headers", problem, "they arrive unchanged")
    if is_tls:
        found = re.search(r"max-age=(\d+)", home.headers.get("strict-transport-security", ""))
        age_s = int(found[1]) if found is not None else 0
        problem = "it is missing or shorter than half a year; the proxy must pass Strict-Transport-Security through"
        yield _result("HSTS", problem if age_s < 15_768_000 else "", f"{age_s // 86_400} days")


def _led_to_tls(visitor: httpx.Client, url: str) -> Found:
    host = urlsplit(url).hostname or ""
    try:
        plain = visitor.get(f"http://{host}/policy/")
    except httpx.HTTPError:
        return "ok", "TLS", "nothing is served without TLS"
    if plain.is_redirect and plain.headers["location"].startswith(f"https://{host}"):
        return "ok", "TLS", "http:// redirects to https://"
    return "wrong", "TLS", "http:// does not redirect to https://; the proxy must set X-Forwarded-Proto and redirect"


def _strangers(visitor: httpx.Client, url: str) -> Found:
    try:
        answer = visitor.get(urljoin(url, "/policy/"), headers={"host": "stranger.invalid"})
    except httpx.HTTPError:
        return "ok", "hosts", "requests for another host name are not answered"
    is_ours = "default-src 'none'" in answer.headers.get("content-security-policy", "")
    if answer.status_code == httpx.codes.OK and is_ours:
        return "wrong", "hosts", "requests for any host name are answered; the proxy must pass Host through unchanged"
    return "ok", "hosts", "requests for another host name do not get Troth's pages"


def _expiry(answer: httpx.Response, now: dt.datetime) -> Found:
    found = re.search(r"(?m)^Expires: (\S+)$", answer.text)
    try:
        until = dt.datetime.fromisoformat(found[1]) if found is not None else None
    except ValueError:
        until = None
    is_late = answer.status_code != httpx.codes.OK or until is None or until < now + _EXPIRES_MIN
    problem = "it is missing, or expires within 30 days; let the proxy pass /.well-known/security.txt to Troth"
    return _result("security.txt", problem if is_late else "", f"valid until {until:%Y-%m-%d}" if until else "")


def _signals(answer: httpx.Response) -> Found:
    try:
        is_honoured = answer.status_code == httpx.codes.OK and answer.json()["gpc"] is True
    except (ValueError, KeyError, TypeError):
        is_honoured = False
    if is_honoured:
        return "ok", "gpc.json", "it says that signals are honoured"
    problem = "it is missing, or does not say that signals are honoured"
    return "wrong", "gpc.json", f"{problem}; let the proxy pass /.well-known/gpc.json to Troth"


def _ready(answer: httpx.Response) -> Found:
    try:
        told = answer.json()
        state = "ok" if told["ready"] and told["work"] == "ok" else "wrong"
        return state, "health", f"ready: {told['ready']}, work: {told['work']}"
    except (ValueError, KeyError, TypeError):
        return "note", "health", "/health/ready cannot be reached from outside; request it on the server itself"


def _dated(home: httpx.Response, now: dt.datetime) -> Found:
    try:
        apart = abs(parsedate_to_datetime(home.headers["date"]) - now)
    except (KeyError, TypeError, ValueError):
        return "note", "date", "the answer has no valid Date header"
    problem = f"{apart.total_seconds():.0f} s off this machine's clock; run NTP" if apart > _CLOCK_MAX else ""
    return _result("date", problem, "it agrees with this machine's clock")
