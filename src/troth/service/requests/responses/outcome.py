"""Answers a case with a package, or with its receipt in words; notifies recipients, and closes the case."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db import Error, transaction
from django.db.models import Q, prefetch_related_objects
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.declaration import IdentityKind
from troth.ledger import receipt as proof
from troth.protect import SealingContext
from troth.service.cases import case_links, lifecycle
from troth.service.cases.aliases import about, names_of_cases
from troth.service.cases.content import CaseContent, ContentGone, SealedContent
from troth.service.cases.duty import PACKAGE_LINK, STATUS_LINK
from troth.service.cases.intake import mail_allowance
from troth.service.cases.labels import place_words, purpose_words, system_words, target_words
from troth.service.cases.messages import CaseEmail, day, redress, write, write_all
from troth.service.cases.models import Case, CaseEvent, CaseOutcome, CaseState, Right
from troth.service.core.actions import view_entries
from troth.service.core.deployment import Deployment
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, record, sequence_if_sound
from troth.service.core.subject_keys import SubjectKeys
from troth.service.disclosures.actions import names_of, received
from troth.service.disclosures.notifications import Changed, tell
from troth.service.disclosures.rules import DisclosureEvidence
from troth.service.labels import thousands
from troth.service.mail.facts import RetainedItem, shortened
from troth.service.portal import links
from troth.service.preferences.actions import end_choices, stopped_uses, stopped_uses_many
from troth.service.preferences.models import Choice, ChoiceState, ScopeKind
from troth.service.preferences.rules import StoppedUses, fingerprints
from troth.service.requests import rules
from troth.service.requests.fulfilment import external_systems
from troth.service.requests.fulfilment.preview import shown_lines
from troth.service.requests.fulfilment.recipient_evidence import evidence_of
from troth.service.requests.fulfilment.restriction import choices_in_force, restrictions_in_force
from troth.service.requests.fulfilment.stopped_uses import NOTHING_HELD
from troth.service.requests.models import CHOICES, STOPS, CaseReceipt, CaseStep, Package
from troth.service.requests.package import Contents, Shared, TableContents, build, is_searchable, portable, unsearched
from troth.service.requests.responses.receipt_sentences import done, joined, kept, whole
from troth.service.staff.access_log import accesses_of
from troth.stores import meant
from troth.subjects import Located, View

RULE = lifecycle.Actor("rule")


def hand_out(
    cases: Sequence[Case],
    contents: Mapping[int, CaseContent],
    deployment: Deployment,
    located_views: tuple[Located, Sequence[View]],
    *,
    now: dt.datetime,
) -> int:
    """Record the access in the ledger; then for each case build and seal a package with the proof of that, e-mail its
    link and close the case, atomically and once. Returns the number of cases."""
    located, views = located_views
    proofs = _put_on_record(cases, located, views, deployment, now)
    return _each_by_itself(
        lambda case, view: _hand_out(case, contents[case.pk], view, proofs.get(case.pk), deployment, now),
        zip(cases, views, strict=True),
    )


def _hand_out(
    case: Case,
    content: CaseContent,
    view: View,
    access_proof: Mapping[str, object] | None,
    deployment: Deployment,
    now: dt.datetime,
) -> bool:
    parts = [*map(_part, view.tables), *external_systems.parts(case, deployment)]
    uploads, missing = external_systems.uploads(case, deployment), _missing(case)
    unanswered = {step.system: step.why or step.state for step in missing}
    taken = portable(deployment.declaration, parts)[0] if case.right == Right.PORT else parts
    answer = CaseAnswer(parts, uploads, unanswered, access_proof)
    packed = build(_contents(case, content, answer, deployment, now)) if parts or uploads or unanswered else None
    with transaction.atomic():
        fresh = lifecycle.locked(case.pk)
        if fresh.outcome:
            return False
        if packed is not None:
            _put(fresh, packed, deployment, now)
            empty = "" if taken or uploads else "left_out" if parts else "yes"
            _mail_link(fresh, content, missing, deployment, now, empty=empty)
        else:
            facts = {
                "right": case.right,
                "received": day(case.received_at, deployment),
                **_where(case, content, deployment),
                **_choices(case, stopped_uses(content.identifiers, deployment), deployment),
                **redress(case, deployment),
            }
            write(fresh, "nothing_held", deployment, facts, content=content, now=now)
        outcome = CaseOutcome.PARTLY_FULFILLED if missing else CaseOutcome.FULFILLED
        sums = {"tables": len(parts), "taken": len(taken) + len(uploads), "package": packed is not None}
        lifecycle.close(fresh, outcome, deployment, who=RULE, now=now, facts=sums)
    return True


def _each_by_itself(do: Callable[..., int], calls: Iterable[tuple[Any, ...]]) -> int:
    """The sum of *do* over all *calls*. A call that fails holds up no other: its exception is raised at the end, but an
    error of our own database at once."""
    done, failures = 0, list[Exception]()
    for call in calls:
        try:
            done += do(*call)
        except Error:
            raise
        except Exception as failure:  # noqa: BLE001 - raised at the end
            failures.append(failure)
    if failures:
        raise failures[0]
    return done


def _put_on_record(
    cases: Sequence[Case], located: Located, views: Sequence[View], deployment: Deployment, now: dt.datetime
) -> dict[int, dict[str, object]]:
    """Record the access in the ledger before anything is released, once per case. Returns the proofs by case."""
    entries = view_entries(located, views, deployment.keyring, purpose="subject_request", at=now, actor="subject")
    run_id = "view"
    with transaction.atomic():
        known = set(CaseReceipt.objects.filter(case__in=cases, run=run_id).values_list("case_id", flat=True))
        fresh = [
            (case, view, entry) for case, view, entry in zip(cases, views, entries, strict=True) if case.pk not in known
        ]
        rows = record(*(entry for _, _, entry in fresh))
        CaseReceipt.objects.bulk_create(
            CaseReceipt(case=case, run=run_id, entry=row, at=now, lines=_lines(case, view, deployment))
            for (case, view, _), row in zip(fresh, rows, strict=True)
        )
    signer = ledger_signer(deployment.keyring, deployment.declaration.organisation)
    sequence_if_sound(signer, now=now)
    log = DatabaseLog(signer)
    leaves = CaseReceipt.objects.filter(case__in=cases, run=run_id, entry__leaf__isnull=False)
    return {
        case_id: {"leaf": leaf, "proof": proof(log, leaf, extra=log.entry_bytes(leaf)), "verifier": str(log.verifier)}
        for case_id, leaf in leaves.values_list("case_id", "entry__leaf")
        if leaf is not None
    }


def _lines(case: Case, view: View, deployment: Deployment) -> list[dict[str, Any]]:
    """Places and counts of the data in the package."""
    lines = shown_lines(view)
    if case.right != Right.PORT:
        return lines
    taken = {part.place for part in portable(deployment.declaration, [*map(_part, view.tables)])[0]}
    return [line for line in lines if line["place"] in taken]


@dataclass(frozen=True, slots=True, repr=False)
class CaseAnswer:
    """Data for the answer of one case, and systems without an answer."""

    parts: Sequence[TableContents]
    uploads: Mapping[str, bytes]
    unanswered: Mapping[str, str]
    proof: Mapping[str, object] | None


def _part(table: Any) -> TableContents:
    return TableContents(table.place, table.columns, table.categories, table.rows, table.withheld)


def _missing(case: Case) -> list[CaseStep]:
    """Steps of systems that may hold data and are not done; for a package these include tasks without their file."""
    steps = sorted(case.steps.all(), key=attrgetter("pk"))
    return [step for step in steps if step.state != CaseStep.State.DONE and step.why != "right_not_answered"]


def _receipts(case: Case) -> list[CaseReceipt]:
    return sorted(case.receipts.all(), key=attrgetter("at", "pk"))


def _where(case: Case, content: CaseContent, deployment: Deployment) -> dict[str, Any]:
    """Facts about systems that were searched for a case, and those that were not: never asked for this right, or not
    searchable by the given identifiers."""
    steps = {step.system: step for step in case.steps.all()}
    done = {name for name, step in steps.items() if step.state == CaseStep.State.DONE}
    systems = deployment.declaration.systems
    silent = {name for name, step in steps.items() if step.why == "right_not_answered"}
    kinds = kinds_of(content)
    here = [name for name, one in systems.items() if name not in silent and (name in done or bool(one.tables))]
    where = [name for name in here if name in done or is_searchable(deployment.declaration, name, kinds)]
    with translation.override(case.language):
        lines = {
            "where": tuple(shortened(system_words(deployment.declaration, name)) for name in where),
            "unsearchable": tuple(
                shortened(f"{one.title}: {one.why}")
                for one in unsearched(deployment.declaration, [name for name in here if name not in done], kinds)
            ),
            "elsewhere": tuple(shortened(system_words(deployment.declaration, name)) for name in sorted(silent)),
        }
    return {name: some for name, some in lines.items() if some}


def _contents(
    case: Case, content: CaseContent, answer: CaseAnswer, deployment: Deployment, now: dt.datetime
) -> Contents:
    identity = content.identity
    names = names_of(identity, deployment.keyring) if identity is not None else ()
    shared = [Shared(one.recipient, tuple(one.categories), one.purpose, one.at) for one in received(names)]
    looks = [(look.at, look.role, look.purpose) for name in names for look in accesses_of(name)]
    return Contents(
        right=case.right,
        reference=case.reference,
        language=case.language,
        declaration=deployment.declaration,
        parts=answer.parts,
        received_at=case.received_at,
        made_at=now,
        until=_until(deployment, now),
        shared=shared,
        looks=sorted(looks),
        stopped=_stopped(content, deployment),
        kinds=kinds_of(content),
        unanswered=answer.unanswered,
        uploads=answer.uploads,
        site=f"{deployment.site}/your-data/",
        receipt=answer.proof,
    )


def kinds_of(content: CaseContent) -> tuple[str, ...]:
    """Kinds of identifiers used in the search; all kinds if staff chose rows instead."""
    return tuple(kind for kind, _ in content.identifiers) or tuple(IdentityKind)


def _stopped(content: CaseContent, deployment: Deployment) -> tuple[str, ...]:
    """Purposes stopped for the given identifiers; contains the empty name if the data may only be stored."""
    stopped = stopped_uses(content.identifiers, deployment)
    return ("",) * stopped.is_restricted + stopped.purposes


def _until(deployment: Deployment, now: dt.datetime) -> dt.datetime:
    return dt.datetime.combine(deployment.declaration.requests.package.after(now.date()), now.timetz())


def _put(case: Case, packed: bytes, deployment: Deployment, now: dt.datetime) -> None:
    """Seal the package under its own key, in the caller's transaction."""
    name = str(deployment.keyring.pseudonym("package", case.reference))
    row, key = SubjectKeys(deployment.keyring).each([name], now=now)[name]
    sealed = key.seal(packed, _context(case))
    Package.objects.create(
        case=case, key=row, sealed=sealed, size=len(packed), made_at=now, until=_until(deployment, now)
    )


def _context(case: Case) -> SealingContext:
    return SealingContext(domain="requests", table="package", field="sealed", subject=case.reference)


def _mail_link(
    case: Case,
    content: CaseContent,
    missing: Sequence[CaseStep],
    deployment: Deployment,
    now: dt.datetime,
    *,
    empty: str,
) -> None:
    until = _until(deployment, now)
    secret = case_links.make(case, PACKAGE_LINK, now=now, lasts=until - now)
    facts: dict[str, Any] = {"right": case.right, "link": links.address_of(secret, deployment), "until": until}
    if empty:
        facts["empty"] = empty
    if missing:
        facts |= {"missing": tuple(shortened(f"{_title(step, deployment)}: {_undone_words(step)}") for step in missing)}
        facts |= redress(case, deployment, is_less=True)
    write(case, "package_ready", deployment, facts, content=content, now=now)


def unsealed(case: Case, deployment: Deployment, *, now: dt.datetime) -> bytes | None:
    """The decrypted package of a case; None if there is none or it has expired. The caller must authorise the
    access."""
    package = Package.objects.select_related("key", "case").filter(case=case.pk, until__gt=now).first()
    if package is None or package.key is None or package.key.wrapped_key is None:
        return None
    key = deployment.keyring.open_key(bytes(package.key.wrapped_key), package.key.pseudonym)
    packed = key.unseal(bytes(package.sealed), _context(package.case))
    Package.objects.filter(pk=package.pk, fetched_at=None).update(fetched_at=now)
    return packed


def sweep(deployment: Deployment, *, now: dt.datetime) -> int:
    """Delete expired packages with their keys. Returns how many; at most 100 per call."""
    with transaction.atomic():
        over = list(Package.objects.select_related("key").filter(until__lte=now)[:100])
        SubjectKeys(deployment.keyring).erase([one.key.pseudonym for one in over if one.key is not None], now=now)
        Package.objects.filter(pk__in=[one.pk for one in over]).delete()
    return len(over)


# --- closing ----------------------------------------------------------------------------------------------------------


def close_done(
    cases: Sequence[Case], contents: Mapping[int, CaseContent], deployment: Deployment, *, now: dt.datetime
) -> int:
    """Inform the people and the recipients, and close the cases: each atomically and once, several in one transaction.
    Returns how many this call closed. A case that fails holds up no other; its exception is raised at the end."""
    size = 1 if cases and cases[0].right in STOPS else _TOGETHER
    case_ids = [case.pk for case in cases]
    return _each_by_itself(
        lambda together: _close(together, contents, deployment, now),
        [(case_ids[start : start + size],) for start in range(0, len(case_ids), size)],
    )


_TOGETHER = 50
"""Cases closed in one transaction. Their rows are locked meanwhile."""


def _close(
    case_ids: Sequence[int], contents: Mapping[int, CaseContent], deployment: Deployment, now: dt.datetime
) -> int:
    """Close the cases together; if that fails, each by itself."""
    try:
        return _close_together(case_ids, contents, deployment, now)
    except Exception as failure:
        if isinstance(failure, Error) or len(case_ids) == 1:
            raise
    return _each_by_itself(lambda pk: _close_together([pk], contents, deployment, now), [(pk,) for pk in case_ids])


def _close_together(
    case_ids: Sequence[int], contents: Mapping[int, CaseContent], deployment: Deployment, now: dt.datetime
) -> int:
    with transaction.atomic():
        cases = [case for case in lifecycle.locked_all(case_ids) if not case.outcome]
        unproved = [contents[case.pk].address for case in cases if case.tier == 0 and contents[case.pk].address]
        mail_allowance.hold(unproved, deployment, now=now)
        prefetch_related_objects(cases, "steps", "receipts")
        evidence = evidence_of(cases, deployment)
        if cases and cases[0].right in STOPS:
            for case in cases:
                _close_stopped(case, contents[case.pk], evidence[case.pk], deployment, now)
            return len(cases)
        closings, answers = list[lifecycle.Closing](), list[CaseEmail]()
        pages = case_links.make_all(cases, STATUS_LINK, now=now)
        stopped = stopped_uses_many([contents[case.pk].identifiers for case in cases], deployment)
        for case, page, uses in zip(cases, pages, stopped, strict=True):
            status = links.address_of(page, deployment)
            closing, answer = _done(case, contents[case.pk], evidence[case.pk], uses, status, deployment, now)
            closings.append(closing)
            answers.append(answer)
        write_all(answers, deployment, now=now)
        erased = [case for case in cases if case.right == Right.ERASE]
        _unguard([(case, contents[case.pk]) for case in erased], deployment, now)
        lifecycle.close_all(closings, deployment, who=RULE, now=now)
        _end_stops(erased, deployment, now)
        return len(cases)


def _done(
    case: Case,
    content: CaseContent,
    evidence: DisclosureEvidence,
    stopped: StoppedUses,
    status: str,
    deployment: Deployment,
    now: dt.datetime,
) -> tuple[lifecycle.Closing, CaseEmail]:
    """Notify the recipients, and determine the outcome of a case whose systems have all answered, and its e-mail."""
    lines = [line for receipt in _receipts(case) for line in receipt.lines]
    steps = list(case.steps.all())
    with translation.override(case.language):
        stayed = [*_kept(lines, case, deployment), *(one for step in steps for one in _kept_there(step, deployment))]
        did = _did(lines, case, steps, deployment)
        stayed += _left(case, deployment)
    undone = _missing(case)
    outcome = rules.outcome(kept=bool(stayed), refused=False, failed=bool(undone), anything_done=True)
    notified = _tell_recipients(case, content, evidence, deployment, now, is_done=did != _NOTHING)
    facts = {"status": status, **redress(case, deployment), **({"told": notified} if notified else {})}
    facts |= {"received": day(case.received_at, deployment), "done": day(now, deployment)}
    facts |= _unasked(case, deployment)
    if case.right == Right.ERASE:
        facts |= _unsearched(case, deployment) | _choices(case, stopped, deployment)
    if stayed or undone:
        stayed += [
            RetainedItem(shortened(_title(step, deployment)), _undone_words(step), "GDPR Art. 12(4)") for step in undone
        ]
        facts |= redress(case, deployment, is_less=True)
        kind, facts = "partly_fulfilled", facts | {"right": case.right, "did": did, "kept": tuple(stayed)}
    else:
        facts |= _erased(case, did) if case.right == Right.ERASE else _said(case, content, deployment)
        kind = f"fulfilled_{case.right}"
    summed = {"kept": len(stayed), "told": len(notified), "did": did != _NOTHING}
    return lifecycle.Closing(case, outcome, summed), CaseEmail(case, kind, facts, content)


def _close_stopped(
    case: Case, content: CaseContent, evidence: DisclosureEvidence, deployment: Deployment, now: dt.datetime
) -> None:
    """Inform the person where the use has stopped and where it could not be stopped, and close the case."""
    erasure = _erased_since(case, content, deployment)
    if erasure is not None and not _missing(erasure):
        _end_erased(case, content, erasure, deployment, now)
        return
    undone = _missing(case)
    outcome = rules.outcome(kept=False, refused=False, failed=bool(undone), anything_done=True)
    # Recipients that were meanwhile told to delete the data are not told to keep it.
    notified = () if erasure is not None else _tell_recipients(case, content, evidence, deployment, now, is_done=True)
    facts = {**_stops(case, content, deployment), **_status(case, deployment, now), **redress(case, deployment)}
    facts |= {"done": day(now, deployment), **({"told": notified} if notified else {})}
    if undone:
        facts |= redress(case, deployment, is_less=True)
        facts["undone"] = tuple(shortened(f"{_title(step, deployment)}: {_undone_words(step)}") for step in undone)
    write(case, "stopped", deployment, facts, content=content, now=now)
    lifecycle.close(case, outcome, deployment, who=RULE, now=now, facts={"kept": len(undone), "told": len(notified)})


def _end_stops(erasures: Sequence[Case], deployment: Deployment, now: dt.datetime) -> None:
    """Close waiting cases that would stop a use of data that *erasures* have deleted, because they are obsolete."""
    names = set[str]().union(*names_of_cases((case.pk, case.subject) for case in erasures).values())
    waiting = Case.objects.filter(about(names), right__in=STOPS, state__in=[CaseState.IN_PROGRESS, CaseState.PAUSED])
    for case in lifecycle.locked_all(waiting.values_list("pk", flat=True) if names else ()):
        if case.outcome or case.batch_id is not None:  # a case in execution checks this when it is answered
            continue
        with contextlib.suppress(ContentGone):
            content = SealedContent(deployment.keyring).content(case)
            found = _erased_since(case, content, deployment)
            if found is not None and not _missing(found):
                _end_erased(case, content, found, deployment, now)


def _erased_since(case: Case, content: CaseContent, deployment: Deployment) -> Case | None:
    """The latest erasure closed after *case* arrived that covers all its identifiers, or None. Erasures of rows chosen
    by staff do not count, because they may not cover everything under an identifier."""
    names = names_of_cases([(case.pk, case.subject)])[case.pk]
    closed = Case.objects.filter(about(names), right=Right.ERASE, closed_at__gte=case.received_at)
    done = closed.filter(outcome__in=[CaseOutcome.FULFILLED, CaseOutcome.PARTLY_FULFILLED])
    marks = {*fingerprints(content.identifiers, deployment.keyring)}
    for erasure in done.select_related("key").order_by("-closed_at"):
        with contextlib.suppress(ContentGone):
            asked = SealedContent(deployment.keyring).content(erasure)
            is_of_rows = content.rows or asked.rows
            if marks and not is_of_rows and marks <= {*fingerprints(asked.identifiers, deployment.keyring)}:
                return erasure
    return None


def _end_erased(case: Case, content: CaseContent, erasure: Case, deployment: Deployment, now: dt.datetime) -> None:
    """Close *case* and inform the person, because their data was meanwhile erased. Recipients are not told to restrict
    data that they were told to delete. A choice about a purpose stays recorded."""
    ended = {"state": CaseStep.State.FAILED, "why": "erased", "ended_at": now}
    case.steps.filter(state=CaseStep.State.WAITING).update(**ended)
    end_choices(restrictions_in_force(case), deployment.keyring, now=now)
    facts = {"right": case.right, "closed": day(now, deployment), "erasure": erasure.reference}
    facts |= {"remembered": "yes"} if choices_in_force(case).exists() else {}
    write(case, "withdrawn", deployment, {**facts, **_status(case, deployment, now)}, content=content, now=now)
    lifecycle.close(case, CaseOutcome.WITHDRAWN, deployment, who=RULE, now=now, facts={"why": "erased"})


def stop_recorded(case: Case, deployment: Deployment, *, now: dt.datetime, is_weighed: bool = False) -> None:
    """Inform the person that their choice is recorded, where the use has stopped, and where staff must still act: sent
    only while tasks are open or, with *is_weighed*, an objection is being weighed."""
    waiting = list(case.steps.filter(way="task", state=CaseStep.State.WAITING).order_by("id"))
    if not waiting and not is_weighed:
        return
    content = SealedContent(deployment.keyring).content(case)
    facts = {**_stops(case, content, deployment), **_status(case, deployment, now)}
    facts |= {"weighed": "yes"} if is_weighed else {}
    if waiting:
        facts["waiting"] = tuple(dict.fromkeys(shortened(_title(step, deployment)) for step in waiting))
    write(case, "stop_recorded", deployment, facts, content=content, now=now)


def _stops(case: Case, content: CaseContent, deployment: Deployment) -> dict[str, Any]:
    """Facts about a stop, taken from the case's steps: the uses, the systems where it was verified, and those without
    data."""
    facts: dict[str, Any] = {"right": case.right, "received": day(case.received_at, deployment)}
    if case.right in CHOICES:
        names = rules.stopped_by(deployment.declaration, case.right, content.purposes)
        with translation.override(case.language):
            titles = [purpose_words(deployment.declaration, name) for name in names]
        facts["purposes"] = tuple(map(shortened, titles)) or ("–",)
    done = list(case.steps.filter(state=CaseStep.State.DONE).order_by("id"))
    with translation.override(case.language):
        places = tuple(
            shortened(f"{_title(step, deployment)}: {_STOPPED[step.way]}") for step in done if step.why != NOTHING_HELD
        )
    kinds, systems = kinds_of(content), deployment.declaration.systems
    searched = tuple(
        shortened(_title(step, deployment))
        for step in done
        if step.why == NOTHING_HELD
        and (
            step.way != "store"
            or step.system not in systems
            or is_searchable(deployment.declaration, step.system, kinds)
        )
    )
    facts |= {"places": places} if places else {}
    facts |= {"searched": searched} if searched else {}
    if choices_in_force(case).exists():
        facts["remembered"] = "yes"
    return facts


_STOPPED = {
    "store": _("the mark is set there, and we read it back"),
    "task": _("a person has seen to it there"),
    "http": _("it has confirmed it to us"),
    "hook": _("it has confirmed it to us"),
}


def _unguard(erasures: Sequence[tuple[Case, CaseContent]], deployment: Deployment, now: dt.datetime) -> None:
    """Lift restrictions after erasures: the restricted data is gone, so a person who returns must not be refused. If
    staff chose rows, only the case's own restrictions are lifted, because several people may share an address."""
    identifiers = [
        pair for case, content in erasures if not content.rows and not _missing(case) for pair in content.identifiers
    ]
    ended = Q(act__in=[case.about for case, _ in erasures])
    ended |= Q(fingerprint__in=fingerprints(identifiers, deployment.keyring))
    restrictions = Choice.objects.filter(ended, state=ChoiceState.RESTRICTED, scope=ScopeKind.ALL_USES)
    end_choices(restrictions, deployment.keyring, now=now)


def _kept(lines: Iterable[Mapping[str, Any]], case: Case, deployment: Deployment) -> list[RetainedItem]:
    stayed = joined(done(line, case.right, deployment.declaration) for line in kept(lines))
    return [
        RetainedItem(
            shortened(f"{one.place} ({thousands(one.rows)})"),
            shortened(one.why_it_stays),
            shortened(one.cite or "GDPR Art. 17(3)"),
            one.until,
        )
        for one in stayed
    ]


def _left(case: Case, deployment: Deployment) -> list[RetainedItem]:
    """Residue found by rescans, in the active language."""
    because = gettext("it was still there when we looked again")
    return [
        RetainedItem(
            shortened(f"{place_words(deployment.declaration, place)} ({thousands(rows)})"), because, "GDPR Art. 12(4)"
        )
        for receipt in _receipts(case)
        for place, rows in receipt.residue.items()
    ]


def _kept_there(step: CaseStep, deployment: Deployment) -> list[RetainedItem]:
    return [
        RetainedItem(
            what=shortened(
                f"{system_words(deployment.declaration, step.system)}: {kept['what']} ({thousands(kept['rows'])})"
            ),
            because=shortened(kept["words"]),
            cite=shortened(kept["cite"]),
            until=dt.date.fromisoformat(kept["until"]) if kept["until"] else None,
        )
        for kept in step.facts.get("kept", ())
    ]


def _title(step: CaseStep, deployment: Deployment) -> str:
    with translation.override(step.case.language):
        return system_words(deployment.declaration, step.system)


_UNDONE = {
    "no_answer": _("it did not answer"),
    "not_declared": _("it is no longer among the systems that we know, so we could not ask there"),
    "cannot_find": _("nobody could be found there by what you told us"),
    "must_keep": _("the law wants it kept there"),
    "not_possible": _("it cannot be done there"),
    CaseStep.State.REFUSED: _("it was refused there"),
    CaseStep.State.FAILED: _("it could not be done there"),
    CaseStep.State.WAITING: _("it has not answered"),
}


def _undone_words(step: CaseStep) -> str:
    """Reason why a system did not do it, in the language of the case."""
    with translation.override(step.case.language):
        return str(_UNDONE.get(step.why) or _UNDONE[step.state])


_NOTHING = "–"


def _did(lines: Sequence[Mapping[str, Any]], case: Case, steps: Sequence[CaseStep], deployment: Deployment) -> str:
    """Actions by place, in the active language. Rows of which something stays are counted with the reason instead, so
    that each row is counted once."""
    changed = joined(done(line, case.right, deployment.declaration) for line in whole(lines))
    words = [f"- {one.place} ({thousands(one.rows)}): {one.text}" for one in changed]
    stayed = (done(line, case.right, deployment.declaration) for line in kept(lines))
    words += dict.fromkeys(f"- {one.place}: {one.text}" for one in stayed if one.is_in_part)
    words += [f"- {_title(step, deployment)}: {gettext('Done')}" for step in steps if _has_acted(step)]
    return "\n".join(words) or _NOTHING


def _has_acted(step: CaseStep) -> bool:
    return step.state == CaseStep.State.DONE and step.why != NOTHING_HELD


def _erased(case: Case, did: str) -> dict[str, Any]:
    receipts = list(case.receipts.all())
    days = [receipt.final_after for receipt in receipts if receipt.final_after is not None]
    facts: dict[str, Any] = {"did": did} if did != _NOTHING else {}
    if any(receipt.entry_id and whole(receipt.lines) for receipt in receipts):
        # A run ends with a rescan; if it finds residue, the case is only partly fulfilled.
        facts |= {"remembered": "evidence", "rescan": "clean"}
    return facts | ({"final_after": max(days)} if days else {})


def _unsearched(case: Case, deployment: Deployment) -> dict[str, Any]:
    """Systems with free-text columns, which requests do not search: rows of others may mention the person."""
    declaration = deployment.declaration
    with translation.override(case.language):
        names = tuple(
            shortened(system_words(declaration, name))
            for name, system in declaration.systems.items()
            if system.is_looked_into
            and any(use.free_text for table in system.tables.values() for use in table.fields.values())
        )
    return {"unsearched": names} if names else {}


def _choices(case: Case, stopped: StoppedUses, deployment: Deployment) -> dict[str, Any]:
    """Purposes that stay stopped although no data is held, because the person's choice is kept."""
    with translation.override(case.language):
        names = tuple(shortened(purpose_words(deployment.declaration, name)) for name in stopped.purposes)
    return {"choices": names} if names else {}


def _unasked(case: Case, deployment: Deployment) -> dict[str, Any]:
    """Systems that do not support this right, and so were not searched."""
    steps = sorted(case.steps.all(), key=attrgetter("pk"))
    silent = [step for step in steps if step.why == "right_not_answered" and step.state != CaseStep.State.DONE]
    names = tuple(shortened(_title(step, deployment)) for step in silent)
    return {"elsewhere": names} if names else {}


def _said(case: Case, content: CaseContent, deployment: Deployment) -> dict[str, Any]:
    """Facts about a correction: what was changed, and what was found nowhere."""
    if case.right != Right.AMEND:
        return {}
    written = _written(case, content, deployment)
    with translation.override(case.language):
        words = {one: shortened(target_words(deployment.declaration, one)) for one in content.changes}
        named = [f"{_title(step, deployment)}: {gettext('Done')}" for step in written.by]
    facts = {
        "changed": (*(words[one] for one in words if one in written.surely), *map(shortened, named)),
        "unchanged": tuple(words[one] for one in words if one not in written.surely | written.maybe),
    }
    return {name: lines for name, lines in facts.items() if lines}


@dataclass(frozen=True, slots=True)
class _Written:
    """Targets of a correction that were *surely* written, and those *maybe* written *by* systems that cannot be
    verified and do not say which of several values they changed."""

    surely: frozenset[str]
    maybe: frozenset[str]
    by: tuple[CaseStep, ...]


def _written(case: Case, content: CaseContent, deployment: Deployment) -> _Written:
    """Determine which requested targets were written, in the company's stores or by external systems."""
    systems, found = deployment.declaration.systems, set[str]()
    for line in (line for receipt in case.receipts.all() for line in receipt.lines):
        system, _, place = str(line["place"]).partition(".")
        columns = str(line["words"]).partition("; keep ")[0].removeprefix("amend ")
        table = systems[system].tables.get(place) if system in systems and "amend" in line["what"].split(",") else None
        for column, use in table.fields.items() if table is not None else ():
            if f", {column}, " in f", {columns}, ":
                found |= {f"{line['place']}.{column}", use.category}
    maybe, by = set[str](), list[CaseStep]()
    for step in filter(_has_acted, case.steps.order_by("id")):
        asked = systems[step.system].asked if step.system in systems else None
        its = {one for one in content.changes if meant(step.system, asked.holds if asked is not None else {}, one)}
        if step.why == "not_verified" and len(its) > 1:
            maybe |= its
            by.append(step)
        else:
            found |= its
    return _Written(frozenset(found), frozenset(maybe - found), tuple(by))


def _status(case: Case, deployment: Deployment, now: dt.datetime) -> dict[str, Any]:
    return {"status": case_links.status_address(case, deployment, now=now)}


def _tell_recipients(
    case: Case,
    content: CaseContent,
    evidence: DisclosureEvidence,
    deployment: Deployment,
    now: dt.datetime,
    *,
    is_done: bool,
) -> tuple[str, ...]:
    """Notify recipients that provably received the person's data of its correction, erasure or restriction (GDPR Art.
    19), if anything changed. Returns their titles. The event also lists recipients that staff must notify or check, and
    those not notified because a law keeps all their data."""
    changed = Changed(
        case=case.reference,
        right=case.right,
        identity=content.identity,
        named=content.identifiers,
        on=day(now, deployment),
        changes=_by_category(case, content, deployment) if case.right == Right.AMEND else None,
        evidence=evidence,
        is_done=is_done or any(went.changed for went in evidence.fed.values()),  # changed by a run that left no receipt
    )
    notices = tell(changed, deployment.declaration, deployment.keyring, now=now)
    if notices.told or notices.untold or notices.kept:
        facts = {"told": list(notices.told), "untold": list(notices.untold), "not_told_as_kept": list(notices.kept)}
        CaseEvent.objects.create(case=case, at=now, what="recipients_told", actor="rule", facts=facts)
    return tuple(deployment.declaration.recipients[name].title or name for name in notices.told)


def _by_category(case: Case, content: CaseContent, deployment: Deployment) -> dict[str, tuple[str, ...]]:
    """New values by category, also for targets named by column: two columns of one category may have different values.
    No values if it is uncertain whether they were written."""
    named = {
        f"{system}.{place}.{column}": use.category
        for system, declared in deployment.declaration.systems.items()
        for place, table in declared.tables.items()
        for column, use in table.fields.items()
    }
    written, values = _written(case, content, deployment), dict[str, tuple[str, ...]]()
    for target, value in content.changes.items():
        category = named.get(target, target)
        if target in written.surely and value not in (had := values.get(category, ())):
            values[category] = (*had, value)
        elif target in written.maybe:
            values.setdefault(category, ())
    return values


def window_opened(case: Case, deployment: Deployment, *, now: dt.datetime) -> None:
    """Record the event, shown to the person, that the data is restricted now and when it will be erased."""
    assert case.window_until is not None, "a window has an end"
    facts = {"until": case.window_until.date().isoformat()}
    CaseEvent.objects.create(case=case, at=now, what="restricted", actor="rule", facts=facts)
