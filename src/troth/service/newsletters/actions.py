"""What staff and people do with newsletters: plan an edition, sign up, stop."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress

from django.db import transaction
from django.utils.translation import get_language

from troth.declaration import IdentityKind, in_language
from troth.declaration.newsletters import Newsletter
from troth.ledger import Entry, Hash, Pseudonym, Value
from troth.protect import Keyring
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import enqueue
from troth.service.core.ledger import record
from troth.service.mail.actions import post, post_made
from troth.service.mail.bounces import ReportKind
from troth.service.mail.bounces.actions import UNSURE, note
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.rules import Letter, language_of, write
from troth.service.mail.stops import actions as stops
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.mail.stops.inbox import list_of
from troth.service.newsletters.duty import CONFIRM_LINK
from troth.service.newsletters.editions.audience import AudienceUnreadable
from troth.service.newsletters.editions.kind import KIND, NewsletterTemplate, audience_table, newsletter_of
from troth.service.newsletters.editions.text import EditionText
from troth.service.newsletters.models import SignUp
from troth.service.newsletters.sealed_fields import signup_context
from troth.service.newsletters.statistics.counting import tracking_purpose
from troth.service.portal import links
from troth.service.preferences.actions import end_choices, may_named, record_named
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.preferences.rules import OWN_ACT, Reason, Scope, Source, fingerprints
from troth.service.staff import approvals
from troth.service.staff.approvals import ApprovalPurpose, ApprovalRequest
from troth.service.staff.models import StaffMember
from troth.stores import StoreError

_LINKS_MAX = 3
"""Most links that are mailed to an address within the week in which a sign-up waits."""
APPROVALS = ApprovalPurpose("newsletters.edition", is_for_one_use=False)  # an edition starts once anyway


def plan(
    source: str,
    list_name: str,
    deployment: Deployment,
    *,
    actor: str,
    now: dt.datetime,
    send_at: dt.datetime | None = None,
) -> bulk.EditionPlan:
    """Store a draft of the edition whose Markdown is *source*, and count whom it would go to. Raises `EditionRefused`,
    `LetterRefused` and the errors of the company's store."""
    newsletter = deployment.declaration.newsletters.get(list_name)
    if newsletter is None:
        known = ", ".join(deployment.declaration.newsletters) or "none"
        raise bulk.EditionRefused(f"no newsletter '{list_name}' is declared; there are: {known}")
    text = EditionText.read(source)
    counts = newsletter.statistics == "aggregate"
    tracking = {"tracking": newsletter.tracking_purpose} if counts else {}  # part of what is approved
    return bulk.plan(
        KIND,
        f"newsletter:{list_name}",
        newsletter.purpose,
        {"subject": text.subject, "markdown": text.markdown, **tracking},
        deployment,
        actor=actor,
        now=now,
        send_at=send_at,
    )


def plan_hash(source: str, list_name: str, deployment: Deployment, *, send_at: dt.datetime | None = None) -> str:
    """The hash of the plan that `plan` stores for this text, list and time. Raises `LetterRefused`."""
    text, newsletter = EditionText.read(source), deployment.declaration.newsletters.get(list_name)
    content = {"subject": text.subject, "markdown": text.markdown}
    purpose = newsletter.purpose if newsletter is not None else ""
    return bulk.plan_hash(KIND, f"newsletter:{list_name}", purpose, content, deployment, send_at=send_at)


def program_actor(program: str, keyring: Keyring) -> str:
    """Who planned an edition, where a *program* did."""
    return keyring.pseudonym("program", program).text


def needs_approval(edition: Edition, deployment: Deployment, *, now: dt.datetime) -> bool:
    """Whether a planned *edition* may not start before a second person has approved it."""
    newsletter = deployment.declaration.newsletters.get(edition.about.partition(":")[2])
    is_asked = newsletter is not None and newsletter.approve and edition.state == Edition.State.DRAFT
    return is_asked and not approvals.is_approved(_approval(edition), now=now)


def approve(plan_hash: str, deployment: Deployment, *, by: StaffMember, now: dt.datetime) -> bool:
    """Approve exactly the plan with this hash: its text, its list and its time. False if their approval already holds.
    Raises `OwnPlan` if *by* planned it, and `EditionRefused` if it is not planned any more."""
    with transaction.atomic():
        drafts = Edition.objects.select_for_update().filter(kind=KIND, state=Edition.State.DRAFT)
        edition = drafts.filter(plan_hash=plan_hash).first()
        if edition is None:
            raise bulk.EditionRefused("it does not wait any more; look at it again")
        if not approvals.approve(_approval(edition), by=by, asked_by=(edition.actor,), now=now):
            return False
        fields: dict[str, Value] = {
            "edition": deployment.keyring.pseudonym("edition", str(edition.pk)),
            "plan": Hash(edition.plan_hash),
            "by": Pseudonym(by.pseudonym),
            "actor": "staff",
        }
        record(Entry("edition.approved", now, fields))
    return True


def start(plan_hash: str, deployment: Deployment, *, now: dt.datetime) -> Edition:
    """`bulk.start`, for a newsletter that says ``approve: true`` only once a second person has approved exactly this
    plan. Raises `ApprovalMissing` too."""
    edition = Edition.objects.filter(kind=KIND, plan_hash=plan_hash, state=Edition.State.DRAFT).first()
    if edition is not None and newsletter_of(edition, deployment)[1].approve:
        approvals.use(_approval(edition), use=f"edition:{edition.pk}", now=now)
    return bulk.start(plan_hash, deployment, now=now)


def _approval(edition: Edition) -> ApprovalRequest:
    return ApprovalRequest(APPROVALS, f"edition:{edition.pk}", edition.plan_hash)


def send_test(edition: Edition, address: str, deployment: Deployment, *, now: dt.datetime) -> None:
    """Queue the edition to one *address*, of a member of staff: as it would leave, but marked as a test, with the names
    of placeholders for their values, and without a way to stop. Raises `LetterRefused`."""
    name, newsletter = newsletter_of(edition, deployment)
    about = f"edition:{edition.pk}"
    language = language_of(get_language() or "en")
    facts = {"subject": edition.content["subject"]}
    letter = Letter("newsletter_test", address, language, about, facts, once=f"{about}/test-{secrets.token_hex(8)}")
    note = write(letter, deployment.declaration.organisation)
    text = EditionText(note.subject, f"{note.plain}\n---\n\n{edition.content['markdown']}")
    made = NewsletterTemplate(name, newsletter, text, deployment).specimen(address)
    with transaction.atomic():
        post_made(letter, made, keyring=deployment.keyring, now=now)


def sign_up(
    list_name: str,
    address: str,
    values: Mapping[str, str],
    deployment: Deployment,
    *,
    shown: str,
    language: str,
    now: dt.datetime,
    tracking: str = "",
) -> bool:
    """Ask for a newsletter: a link goes to *address*, and nothing is sent before its owner has pressed the button
    behind it. *shown* is the text that asks for consent, and *tracking* the one that asks whether reading may be
    counted, if that was ticked. False, and no e-mail, if the address has it already, or got several links within a
    week. Raises `LetterRefused` and `IdentityRefused`."""
    newsletter = deployment.declaration.newsletters[list_name]
    [fingerprint] = fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
    [permission] = may_named([fingerprint], newsletter.purpose, deployment)
    added = SignUp.objects.filter(list=list_name, fingerprint=fingerprint, confirmed_at__isnull=False, added_at=None)
    if permission.reason == Reason.GIVEN and (added.exists() or _is_in_audience(address, newsletter, deployment)):
        return False
    given = json.dumps({"address": address, "values": dict(values), "language": language}).encode()
    sealed = deployment.keyring.seal(given, signup_context(fingerprint))
    asked = {"sealed": sealed, "shown": _hash(shown), "tracking": _hash(tracking)}
    title = in_language(newsletter.title, language) or str(newsletter.title)
    asking = SignUp(list=list_name, fingerprint=fingerprint, **asked)
    return _mail_link(asking, address, "newsletter_confirm", {"title": title}, deployment, language=language, now=now)


def _is_in_audience(address: str, newsletter: Newsletter, deployment: Deployment) -> bool:
    """Whether *address* would get the next edition as far as the company's table goes; False if that cannot be read."""
    with suppress(StoreError, AudienceUnreadable), audience_table(newsletter, deployment) as table:
        return table.holds(address)
    return False


def allow_tracking(address: str, deployment: Deployment, *, shown: str, language: str, now: dt.datetime) -> bool:
    """Ask to have one's reading counted: a link goes to *address*, and nothing is counted before its owner has pressed
    the button behind it. False, and no e-mail, if that is allowed already, or the address got several links within a
    week. Raises `LetterRefused` and `IdentityRefused`."""
    [fingerprint] = fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
    [permission] = may_named([fingerprint], tracking_purpose(deployment.declaration), deployment)
    if permission.reason == Reason.GIVEN:
        return False
    asking = SignUp(list=SignUp.TRACKING, fingerprint=fingerprint, tracking=_hash(shown))
    return _mail_link(asking, address, "newsletter_tracking", {}, deployment, language=language, now=now)


def _hash(shown: str) -> str:
    return str(Hash.of(shown.encode())) if shown else ""


def _mail_link(
    asking: SignUp,
    address: str,
    kind: str,
    facts: Mapping[str, str],
    deployment: Deployment,
    *,
    language: str,
    now: dt.datetime,
) -> bool:
    """Store *asking*, or what it asks by in the row that waits already, and mail the link that confirms it."""
    asked = {"sealed": asking.sealed, "shown": asking.shown, "tracking": asking.tracking}
    with transaction.atomic():
        row, _ = SignUp.objects.select_for_update().get_or_create(
            list=asking.list, fingerprint=asking.fingerprint, confirmed_at=None, defaults={"asked_at": now, **asked}
        )
        if row.mailed >= _LINKS_MAX:
            return False
        SignUp.objects.filter(pk=row.pk).update(mailed=row.mailed + 1, **asked)
        secret = links.make(CONFIRM_LINK, row.pk, language=language, now=now)
        facts = {**facts, "link": links.address_of(secret, deployment)}
        letter = Letter(kind, address, language, f"signup:{row.pk}", facts, once=f"signup:{row.pk}/{row.mailed + 1}")
        post(letter, keyring=deployment.keyring, organisation=deployment.declaration.organisation, now=now)
    return True


def confirm(pk: int, deployment: Deployment, *, now: dt.datetime, is_counted: bool = True) -> SignUp | None:
    """The button behind the link was pressed: record consent, and have the person added to the audience. What was
    ticked about counting counts if *is_counted*. Idempotent. None if the sign-up is gone."""
    with transaction.atomic():
        row = SignUp.objects.select_for_update().filter(pk=pk).first()
        newsletter = deployment.declaration.newsletters.get(row.list) if row is not None else None
        if row is None or row.confirmed_at is not None or (newsletter is None and row.list != SignUp.TRACKING):
            return row
        purposes = {newsletter.purpose: row.shown} if newsletter is not None else {}
        tracking = tracking_purpose(deployment.declaration) if row.tracking else ""
        if tracking and is_counted:
            purposes[tracking] = row.tracking
        elif tracking:  # an earlier consent to it ends, too
            stops.stop(row.fingerprint, f"purpose:{tracking}", StopScope.LIST, deployment, channel="link", now=now)
        for purpose, shown in purposes.items():
            record_named(
                [row.fingerprint],
                ChoiceState.GIVEN,
                [Scope.of(purpose)],
                Source("newsletters", f"signup:{row.pk}", OWN_ACT),
                deployment.keyring,
                now=now,
                shown=Hash(shown),
            )
        row.confirmed_at = now
        row.save(update_fields=["confirmed_at"])
        if newsletter is not None:
            enqueue("newsletters.add", str(row.pk), not_before=now)
    return row


def add_confirmed(pk: int, deployment: Deployment, *, now: dt.datetime) -> None:
    """Add the person of a confirmed sign-up to the audience, in the company's store. Idempotent. Raises the store's
    errors."""
    row = SignUp.objects.filter(pk=pk, added_at=None, confirmed_at__isnull=False).first()
    newsletter = deployment.declaration.newsletters.get(row.list) if row is not None else None
    if row is None or newsletter is None or row.sealed is None:
        return
    given = json.loads(deployment.keyring.unseal(bytes(row.sealed), signup_context(row.fingerprint)))
    notice = deployment.declaration.policy.effective.isoformat()
    with audience_table(newsletter, deployment, read_only=False) as table:
        assert row.confirmed_at is not None, "it is confirmed"
        table.add(given["address"], given["values"], now=row.confirmed_at, notice=notice)
    SignUp.objects.filter(pk=pk).update(sealed=None, added_at=max(now, row.confirmed_at))


def stop_by_token(
    token: str, scope: StopScope, deployment: Deployment, *, channel: str, now: dt.datetime
) -> tokens.StopToken | None:
    """Stop what *token* is of; None if it is none of ours. Idempotent."""
    read = tokens.read(token, deployment.keyring)
    if read is not None:
        stops.stop(read.fingerprint, list_of(read, deployment), scope, deployment, channel=channel, now=now)
    return read


def stop_by_address(
    address: str,
    list_name: str,
    scope: StopScope,
    deployment: Deployment,
    *,
    channel: str,
    now: dt.datetime,
    actor: str = OWN_ACT,
) -> bool:
    """Stop for *address*, whoever asks. Idempotent: False if it is stopped already. Raises `IdentityRefused`."""
    [fingerprint] = fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
    return stops.stop(fingerprint, list_name, scope, deployment, channel=channel, now=now, actor=actor)


def decide_report(delivery: int, deployment: Deployment, *, is_true: bool, now: dt.datetime) -> bool:
    """Decide about a report that was unsure: the address gets no more newsletters if staff find it true, and nothing
    follows if not. False if it does not wait for a decision any more."""
    with transaction.atomic():
        row = EditionDelivery.objects.select_for_update().filter(pk=delivery, report__endswith=UNSURE).first()
        if row is None:
            return False
        is_complaint = row.report.startswith(ReportKind.COMPLAINT)
        kind = (ReportKind.COMPLAINT if is_complaint else ReportKind.GONE) if is_true else ReportKind.NONE
        note(row, kind, deployment, actor="staff", now=now)
    return True


def lift_undeliverable(fingerprint: str, reason: str, deployment: Deployment, *, by: str, now: dt.datetime) -> int:
    """End what reports about undeliverable messages stopped for one address, for a *reason*, a code of
    `duty.LIFTING_REASONS`; *by* is a pseudonym of staff. What the person stopped, or complained about, stays. Returns
    how many choices ended."""
    with transaction.atomic():
        rows = Choice.objects.filter(fingerprint=fingerprint, state=ChoiceState.UNDELIVERABLE)
        ended = end_choices(rows, deployment.keyring, now=now)
        if ended:
            fields: dict[str, Value] = {"subject": Pseudonym(fingerprint), "rows": ended, "reason": reason}
            record(Entry("suppression.lifted", now, {**fields, "by": Pseudonym(by), "actor": "staff"}))
    return ended
