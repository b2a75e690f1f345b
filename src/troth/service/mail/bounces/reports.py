"""Reads what comes back to e-mails that were sent: delivery reports, complaints and automatic replies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from troth.service.mail.bounces.incoming import (
    MENTIONS_MAX,
    IncomingMail,
    Mention,
    addresses_in,
    folded,
    matches,
    shapes,
    starts,
    unique,
)
from troth.service.mail.bounces.mime import RETURNED, Part, fields_in, take_apart
from troth.service.mail.bounces.replies import (
    POLICY_STATUS,
    Judgement,
    ReportKind,
    is_doubtful,
    judge,
)

_NESTED_MAX, _ADDRESS_MAX = 3, 400
_CUT_ADDRESS = re.compile(rb"[^\s<>]{0,128}@[^\s<>@]{0,255}\Z")
_DERIVED = re.compile(r"^[ \t]*5\d\d 5\.1\.\d .{0,300}\.\.\. user unknown$", re.IGNORECASE | re.MULTILINE)
"""What Sendmail adds when a server gave a code of SMTP and no enhanced one, whatever the reason was."""
_BODY_FIELD = re.compile(r"^[ \t]*final-recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_FEEDBACK_TYPES = ("message/feedback-report", "message/x-feedback-report")
_AUTO_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply-from",
    "x-mail-autoreply",
    "x-vacation",
)
_MOST_FIRST = (
    ReportKind.COMPLAINT,
    ReportKind.GONE,
    ReportKind.OURS,
    ReportKind.LATER,
    ReportKind.AUTO_REPLY,
    ReportKind.NONE,
)


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What a report says about one recipient. *address* is the one that was written to, as far as the report says;
    *final_address* the one that it was passed on to; *header_address* the only recipient in the header of the returned
    message, if the report does not name it. Each is empty if unknown. After a *delay* the message may still arrive."""

    kind: ReportKind
    address: str = ""
    final_address: str = ""
    is_unsure: bool = False
    status: str = ""
    smtp_code: str = ""
    header_address: str = ""
    is_delay: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What an incoming e-mail reports. *message_id* is that of the message that it is about; *sent_to* are the
    addresses that received the report, among them the one of `verp`."""

    outcomes: tuple[Outcome, ...] = ()
    message_id: str = ""
    sent_to: tuple[str, ...] = ()
    feedback_type: str = ""

    @property
    def kind(self) -> ReportKind:
        """That of its outcome with the most consequences."""
        kinds = {outcome.kind for outcome in self.outcomes}
        return next((kind for kind in _MOST_FIRST if kind in kinds), ReportKind.NONE)

    @property
    def is_unsure(self) -> bool:
        """True if a person should look at it."""
        return any(outcome.is_unsure for outcome in self.outcomes)


def read_report(raw: bytes) -> Report:
    """What the e-mail *raw* reports; it may be any e-mail, and malformed. Raises nothing."""
    # The address at which a report is cut short may be another person's.
    end = _CUT_ADDRESS.search(raw, max(0, len(raw) - _ADDRESS_MAX))
    return _read(take_apart(raw[: end.start()] if end else raw), nested=0)


def _read(parts: list[Part], nested: int) -> Report:
    mail = IncomingMail(parts)
    report = _feedback(mail) or _notice_of_ses(mail) or _challenge(mail) or _delivery_status(mail)
    if report is None and nested < _NESTED_MAX and (wrapped := mail.wrapped_report()):
        inner = _read(wrapped, nested + 1)
        report = inner if inner.outcomes else None
    report = report or _in_words(mail) or _automatic_reply(mail) or Report()
    message_id = report.message_id or (mail.message_id if report.outcomes else "")
    return replace(report, message_id=message_id, sent_to=mail.sent_to)


def _feedback(mail: IncomingMail) -> Report | None:
    """Complaints: RFC 5965, and the header that Outlook.com adds to what it returns."""
    about = mail.returned_to("x-hmxmroriginalrecipient")
    fields = [field for part in mail.own if part.type in _FEEDBACK_TYPES for field in fields_in(part.text.lstrip())]
    type_ = next((value.strip().lower() for name, value in fields if name == "feedback-type"), "")
    if not type_ and not any(part.type in _FEEDBACK_TYPES for part in mail.own):
        if not about:
            return None
        type_ = "abuse"
    named = [value for name, value in fields if name in ("original-rcpt-to", "removal-recipient")]
    about = unique(address for value in named for address in addresses_in(value)) or about or [mail.written_to()]
    known = shapes()["feedback"]
    kind, is_unsure = ReportKind(known.get(type_, "none")), type_ not in known or known[type_] == ReportKind.OURS
    return Report(tuple(Outcome(kind, address, is_unsure=is_unsure) for address in about), feedback_type=type_)


def _notice_of_ses(mail: IncomingMail) -> Report | None:
    """Bounces and complaints that Amazon SES reports through SNS: an e-mail that holds JSON, which holds JSON."""
    if not mail.top.first("x-amz-sns-message-id"):
        return None
    notice = _mapping(_mapping(mail.top.text).get("Message"))
    bounce, complaint = _mapping(notice.get("bounce")), _mapping(notice.get("complaint"))
    outcomes = []
    for recipient in map(_mapping, _list(bounce.get("bouncedRecipients"))):
        judgement = judge(str(recipient.get("diagnosticCode", "")), str(recipient.get("status", "")))
        if bounce.get("bounceType") != "Permanent":
            judgement = replace(judgement, kind=ReportKind.LATER, is_unsure=False)
        final = _recipient(str(recipient.get("emailAddress", "")))
        outcomes.append(_outcome(judgement, "", final, ""))
    for recipient in map(_mapping, _list(complaint.get("complainedRecipients"))):
        outcomes.append(Outcome(ReportKind.COMPLAINT, _recipient(str(recipient.get("emailAddress", "")))))
    return Report(tuple(outcomes[:MENTIONS_MAX])) if outcomes else None


def _challenge(mail: IncomingMail) -> Report | None:
    """Services that want the sender to prove something, some of them in the form of a delivery report."""
    is_answer = mail.is_automatic or mail.top.type == "multipart/report" or mail.top.first("in-reply-to")
    if is_answer and not matches("daemon", mail.author) and matches("challenge", folded(mail.text[:4_000])):
        return Report((Outcome(ReportKind.AUTO_REPLY, mail.written_to() or mail.sender),))
    return None


def _delivery_status(mail: IncomingMail) -> Report | None:
    """RFC 3464 and 6533."""
    texts = [part.text for part in mail.own if part.type in _STATUS_TYPES]
    if not texts and mail.top.type == "multipart/report" and len(mail.own) < 3:  # its boundary was lost
        texts = [part.text for part in mail.own]
    if not texts and mail.is_from_daemon and _BODY_FIELD.search(mail.text):  # in a report in words
        texts = [mail.text]
    blocks = [block for text in texts for block in _blocks(text)]
    blocks = [block for block in blocks if "final-recipient" in block or "original-recipient" in block]
    blocks = list({tuple(block.items()): block for block in blocks}.values())
    is_single = len(blocks) == 1
    outcomes = []
    for block in blocks[:MENTIONS_MAX]:
        final = _recipient(block.get("final-recipient", ""))
        original = _recipient(block.get("original-recipient", "") or block.get("x-original-recipient", ""))
        names = [name for name in (final, original) if name]
        mention = next((s for s in mail.mentions if any(s.is_about(name) for name in names)), None)
        judgement = _judged(block, mail.text if is_single else mention.text if mention else "")
        passed_on = mention.original if mention else ""
        outcomes.append(_outcome(judgement, original or passed_on, final, mail.written_to(final) if is_single else ""))
    return Report(tuple(dict.fromkeys(outcomes))) if outcomes else None


def _judged(block: Mapping[str, str], text: str) -> Judgement:
    """The class of the fields of a recipient; the words of the report, *text*, count where the fields say too little,
    and where they say that the fault is ours."""
    action, status = block.get("action", "").strip().lower(), block.get("status", "")
    diagnostic = re.sub(r"^\s*[\w-]+\s*;", "", block.get("diagnostic-code", ""))
    said = f"{status.partition('(')[2]} {diagnostic}"
    judgement = judge(said, status)
    own = judge(said)
    if judgement.kind is ReportKind.GONE and own.is_unsure and own.smtp_code and not own.status:
        more = judge(f"{said} . {_DERIVED.sub('', text)}")  # the status is derived from the code of SMTP alone
        judgement = judgement if more.is_unsure else more
    if judgement.kind is ReportKind.GONE and is_doubtful(f"{status} {said}", text):
        judgement = replace(judgement, kind=ReportKind.LATER, is_unsure=True)
    if judgement.is_unsure or POLICY_STATUS.search(text):
        more = judge(f"{said} . {text}", status)
        judgement = judgement if more.is_unsure and judgement.is_unsure else more
    if action.startswith(("delivered", "relayed", "expanded")):
        return replace(judgement, kind=ReportKind.NONE, is_unsure=False)
    if action.startswith("delayed"):
        return replace(judgement, kind=ReportKind.LATER, is_unsure=False, is_delay=True)
    return judgement


def _in_words(mail: IncomingMail) -> Report | None:
    """Reports of no standard form. Its author, its title and its text must show that it is one: people write about
    reports too."""
    failed = unique(address for value in mail.top.all("x-failed-recipients") for address in addresses_in(value))
    text = folded(mail.text[:6_000])
    is_titled = starts("subject", mail.subject)
    says = matches("failure", " ".join(text.split())) or judge(mail.text).kind is ReportKind.GONE
    if any(part.type == "message/disposition-notification" for part in mail.own) and not (is_titled and says):
        return Report()  # it was read
    is_program = bool(failed) or matches("program", mail.author)
    is_report = is_program and (is_titled or says)
    is_report = is_report or (mail.is_from_daemon and (is_titled or (says and matches("transcript", text))))
    is_programs = mail.is_automatic or (mail.is_from_daemon and any(part.type in RETURNED for part in mail.own))
    is_report = is_report or (is_programs and says and (is_titled or mail.is_from_daemon))
    if not is_report:
        return None
    wanted = {address.casefold() for address in failed}
    mentions = [mention for mention in mail.mentions if not wanted or mention.address.casefold() in wanted]
    mentions = mentions or [Mention(address, mail.text) for address in failed or [mail.written_to()]]
    is_single = len(mentions) == 1
    outcomes = []
    for mention in mentions[:MENTIONS_MAX]:
        judgement = judge(mention.text)
        if judgement.is_unsure:
            judgement = judge(mail.text if is_single else f"{mention.text}\n.\n{mention.before}")
        if judgement.kind is ReportKind.LATER and matches("delayed", f"{mail.subject} {text}"):
            judgement = replace(judgement, is_unsure=False)
        written_to = mail.written_to(mention.address) if is_single else ""
        outcomes.append(_outcome(judgement, mention.original, mention.address, written_to))
    return Report(tuple(dict.fromkeys(outcomes)))


def _automatic_reply(mail: IncomingMail) -> Report | None:
    """RFC 3834, and the headers and subjects that are older than it."""
    precedence = mail.top.first("precedence").strip().lower()
    is_list = bool(mail.top.first("list-id") or mail.top.first("list-unsubscribe"))
    is_marked = mail.top.first("auto-submitted").strip().lower().startswith("auto-replied")
    is_marked = is_marked or precedence in ("auto_reply", "auto-reply")
    is_marked = is_marked or any(mail.top.first(name).lower() not in ("", "no") for name in _AUTO_HEADERS)
    is_quiet = mail.top.first("return-path").strip() == "<>" and not mail.is_from_daemon
    is_programs = mail.is_automatic or (precedence in ("bulk", "junk") and not is_list)
    is_titled = starts("auto_title", mail.subject) or (is_programs and starts("auto_subject", mail.subject))
    return Report((Outcome(ReportKind.AUTO_REPLY, mail.sender),)) if is_marked or is_quiet or is_titled else None


def _mapping(value: object) -> Mapping[str, object]:
    """A JSON object, or the one that a string holds; empty if it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _recipient(value: str) -> str:
    """The address in a field of RFC 3464: ``rfc822; ann@example.org``."""
    found = addresses_in(value)
    plain = value.rpartition(";")[2].strip(" <>")  # such as ann@mailhost, which no other server knows
    return found[0] if found else plain if re.fullmatch(r"[^\s@]{1,64}@[\w.-]{1,255}", plain) else ""


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The groups of fields of a delivery report; a field that comes twice begins another group."""
    for group in re.split(r"\n[ \t]*\n", text):
        block: dict[str, str] = {}
        for name, value in fields_in(group):
            if name in block and name in ("final-recipient", "original-recipient", "action", "status"):
                yield block
                block = {}
            block.setdefault(name, value)
        yield block


def _outcome(judgement: Judgement, original: str, final: str, written_to: str) -> Outcome:
    """An address that only the header of the returned message names, *written_to*, may be that of a list, or of
    somebody whose mail is passed on: it counts where the report names none that others can write to."""
    is_same = written_to.casefold() == final.casefold()
    if not original and (is_same or "." not in final.rpartition("@")[2]):
        original = written_to
    address = original or final
    header_address = "" if is_same or address == written_to else written_to
    codes = (judgement.status, judgement.smtp_code)
    return Outcome(judgement.kind, address, final, judgement.is_unsure, *codes, header_address, judgement.is_delay)
