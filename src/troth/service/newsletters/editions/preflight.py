"""Control of preflight: what its checks said of each newsletter that left, and what they say of one made now."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db.models import Count

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, IdentityKind
from troth.detect.addresses import AddressFinder
from troth.detect.text import FoldedText
from troth.service.core.deployment import Deployment
from troth.service.mail.bulk.actions import SAMPLES
from troth.service.mail.bulk.kinds import PASSED, EditionRecipient
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.preflight import RECORDS, check_one, check_samples
from troth.service.mail.preflight.faults import fault
from troth.service.mail.rules import LetterRefused
from troth.service.mail.signatures.dkim import SigningRefused
from troth.service.mail.signatures.records import Dns, Lookup
from troth.service.newsletters.editions.kind import EDITIONS, KIND, EditionSample, NewsletterTemplate
from troth.service.newsletters.editions.text import EditionText
from troth.service.preferences.rules import fingerprints
from troth.subjects import CANARY_HOST
from troth.text import counted

PERIOD = dt.timedelta(days=90)
_READERS = tuple(f"canary-preflight-{number}@{CANARY_HOST}" for number in (1, 2))
"""Two, since some faults are seen only where two people's copies differ. No mail can reach them."""
_FAILING = frozenset({"advertisement_unlabelled", "optout_no_mail", "spf_missing", "dmarc_missing"})
"""Faults that keep no message of a stranger's, and are faults of ours."""
_TEXT = EditionText("What is new", "This is what is new at our place, and there is nothing more to say.")


@dataclass(frozen=True, slots=True)
class PreflightRecords:
    """The newsletters of the last 90 days: how many *messages* were handed over, how many of these without a check
    (*unchecked*, by list) or with a fault (by list and fault); how many *editions* they are of, and of these those
    whose samples were not checked in full (*unsampled*). *samples* are copies made now, by list; *unmade* says why
    there are none."""

    messages: int = 0
    unchecked: Counter[str] = field(default_factory=Counter)
    faulty: Counter[tuple[str, str]] = field(default_factory=Counter)
    editions: int = 0
    unsampled: Counter[str] = field(default_factory=Counter)
    samples: Mapping[str, Sequence[EditionSample]] = field(default_factory=dict)
    unmade: Mapping[str, str] = field(default_factory=dict)


def preflight_records(context: object, now: dt.datetime) -> Callable[[], PreflightRecords]:
    """What is recorded at *now*, and samples made now, looked at when asked."""
    assert isinstance(context, Deployment), "inputs are made from a deployment"
    return partial(records_of, context, now)


def records_of(deployment: Deployment, now: dt.datetime) -> PreflightRecords:
    """What is recorded at *now*, and samples made now."""
    handed = EditionDelivery.objects.filter(handed_at__gt=now - PERIOD).exclude(edition__purpose="")
    unchecked, faulty, messages = Counter[str](), Counter[tuple[str, str]](), 0
    for about, result, count in handed.values_list("edition__about", "preflight").annotate(Count("pk")):
        name, messages = _list_of(about), messages + count
        unchecked.update({name: count} if not result else {})
        faulty.update({(name, id_): count for id_ in result.split(",") if id_ not in ("", PASSED)})
    editions = Edition.objects.filter(pk__in=handed.values("edition")).values_list("about", "checked", "planned")
    unsampled = Counter(_list_of(about) for about, checked, planned in editions if checked < min(SAMPLES, planned))
    samples, unmade = dict[str, Sequence[EditionSample]](), dict[str, str]()
    for name in deployment.declaration.newsletters:
        try:
            samples[name] = list(_made_now(name, deployment.without_own))
        except (LetterRefused, SigningRefused) as refused:
            unmade[name] = str(refused)
    return PreflightRecords(messages, unchecked, faulty, len(editions), unsampled, samples, unmade)


def _list_of(about: str) -> str:
    return about.partition(":")[2]


def _made_now(name: str, deployment: Deployment) -> Iterator[EditionSample]:
    """Copies of the newest edition of the newsletter *name*, or of a plain text if there was none."""
    newsletter, keyring = deployment.declaration.newsletters[name], deployment.keyring
    about = {"kind": KIND, "about": f"newsletter:{name}", "purpose": newsletter.purpose}
    begun = Edition.objects.filter(**about).exclude(state=Edition.State.DRAFT)
    newest = begun.order_by("-made_at", "-pk").first()
    own = EDITIONS.template(newest, deployment) if newest is not None else None
    named = fingerprints([(IdentityKind.EMAIL, address) for address in _READERS], keyring)
    values = dict.fromkeys(newsletter.audience.values, "Canary")
    readers = [EditionRecipient(*it, values=values) for it in zip(_READERS, named, strict=True)]
    return (own or NewsletterTemplate(name, newsletter, _TEXT, deployment)).samples(readers)


def dns(context: object, now: dt.datetime) -> Lookup:
    """DNS as this machine sees it."""
    return Dns()


@answers("mail.preflight")
def preflight(
    preflight_records: Callable[[], PreflightRecords], mail_dns: Lookup, declaration: Declaration, now: dt.datetime
) -> ControlResult:
    """CAN-SPAM (a)(1), (2), (5); RFC 8058: every newsletter passed its checks, and one that is made now passes them."""
    records = preflight_records()
    if not declaration.newsletters and not records.editions:
        seen = frozenset({"declaration"})
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No newsletter is declared.", Evidence(seen, seen))
    findings, warnings = list(_past(records)), 0
    looked = {"editions", "dns"} if records.samples else {"editions"}
    if records.samples and not _is_postal(declaration.organisation.address):
        fix = "write street or box, town and country into organisation.address"
        findings.append(ControlFinding("organisation.address", "this is not recognised as a postal address", fix))
    for name, samples in records.samples.items():
        full = check_samples([(it.message.content, it.expected) for it in samples], mail_dns, None)
        cheap = (it for made in samples for it in check_one(made.message, to=made.expected.to, opt_outs=made.opt_outs))
        faults = dict.fromkeys([*full.faults, *cheap])
        failing = [it for it in faults if it.blocks or it.id in _FAILING]
        findings += (_finding(name, f"{it.id} ({it.place}): {it.wrong} ({it.cite})", it.fix) for it in failing)
        warnings += len(faults) - len(failing)
        if any(it.startswith(RECORDS) for it in full.not_looked_at):
            looked.discard("dns")
    evidence = Evidence(
        frozenset({"editions", "dns"}),
        frozenset(looked),
        population=records.messages,
        tested=records.messages - records.unchecked.total(),
        period=(now - PERIOD, now),
    )
    summary = f"{counted(records.messages, 'message')} of {counted(records.editions, 'edition')} within {PERIOD.days} "
    summary += f"days and {counted(len(records.samples), 'newsletter')} made now: {counted(len(findings), 'fault')}, "
    summary += f"{counted(warnings, 'warning')}."
    figures = {"messages": records.messages, "newsletters": len(records.samples), "failures": len(findings)}
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


def _past(records: PreflightRecords) -> Iterator[ControlFinding]:
    """Faults of what is on record, and newsletters of which nothing can be made now."""
    fix = "find out which program sent them past Troth's checks"
    for name, count in sorted(records.unchecked.items()):
        yield _finding(name, f"{counted(count, 'message')} left without a check on record", fix)
    for name, count in sorted(records.unsampled.items()):
        yield _finding(name, f"{counted(count, 'edition')} began without the full checks of its samples on record", fix)
    for (name, id_), count in sorted(records.faulty.items()):
        known = fault(id_, "")
        yield _finding(name, f"{counted(count, 'message')} left with {id_}: {known.wrong}", known.fix)
    for name, why in records.unmade.items():
        yield _finding(name, f"no message can be made: {why}", "change its text or its declaration")


def _finding(name: str, message: str, fix: str) -> ControlFinding:
    return ControlFinding(f"newsletter {name}", message, fix)


def _is_postal(address: str) -> bool:
    """Whether this may be a postal address. Preflight compares the text with what is declared, which may be a dash."""
    is_known = any(found.type == "ADDRESS" for found in AddressFinder().find(FoldedText(address)))
    return is_known or (len(address.split()) > 2 and any(sign.isdigit() for sign in address))
