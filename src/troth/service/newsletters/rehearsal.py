"""Ordinary business and breaches of newsletters."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from troth.declaration import Basis, IdentityKind, NewsletterAudience
from troth.protect import Keyring
from troth.rehearsal import Inapplicable, World, register
from troth.rehearsal.invented import InventedPerson
from troth.service.core.deployment import Deployment, current
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.message import Address
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.signatures.keys import (
    SigningKeyRefused,
    activate,
    domain_keys,
    make_domain_key,
    record_of,
    signed,
)
from troth.service.mail.stops.actions import StopScope, stop
from troth.service.newsletters.actions import plan, sign_up
from troth.service.newsletters.editions.kind import EditionSample
from troth.service.newsletters.editions.preflight import records_of
from troth.service.newsletters.models import SignUp
from troth.service.newsletters.reachability import rehearsal as reachability
from troth.service.preferences.actions import record_named
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.preferences.rules import OWN_ACT, Scope, Source, fingerprints

_SIGNATURE = re.compile(rb"DKIM-Signature:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*")
_TICKET = InventedPerson(9_999).identifier("email")
"""An address that is known from a ticket."""
_TEXTS = ("# What is new\n\nThis is what is new.\n", "# What is newer\n\nThis is what is newer.\n")

conclude = reachability.conclude


def ordinary(world: World) -> None:
    """Two editions of each newsletter go out, signed, and one of its readers stops it afterwards. Somebody signs up,
    and has not confirmed it yet."""
    deployment = current().without_own
    senders = {it.sender or world.declaration.organisation.email for it in world.declaration.newsletters.values()}
    for domain in {Address.read(sender).domain.lower() for sender in senders}:
        with suppress(SigningKeyRefused):
            key = make_domain_key(domain, "rsa-sha256", deployment.keyring, now=world.now)
            activate(key.selector, deployment.keyring, None, now=world.now)
    for name, newsletter in deployment.declaration.newsletters.items():
        if newsletter.signup:
            sign_up(name, _TICKET, {}, deployment, shown="News", language="en", now=world.now)
        sent = [_send(world, name, text, deployment) for text in _TEXTS]
        reader = EditionDelivery.objects.filter(edition__in=filter(None, sent), state="sent").first()
        if reader is not None:
            world.now += dt.timedelta(minutes=5)
            stop(reader.fingerprint, name, StopScope.LIST, deployment, channel="link", now=world.now)


@dataclass(frozen=True, slots=True)
class InventedDns:
    """A name server with the records that the company needs for its keys, but for those that begin with *without*."""

    keyring: Keyring
    without: str = "-"

    def txt(self, name: str) -> list[str]:
        keys = {f"{key.selector}._domainkey.{key.domain}": key for key in domain_keys(self.keyring)}
        if name.startswith(self.without):
            return []
        if name in keys:
            return [record_of(keys[name], self.keyring).value]
        return ["v=DMARC1; p=none" if name.startswith("_dmarc.") else "v=spf1 mx -all"]


def inputs(world: World) -> Mapping[str, object]:
    """What controls look at in place of the network."""
    return {"mail_dns": InventedDns(world.keyring)}


def _send(world: World, name: str, text: str, deployment: Deployment) -> Edition | None:
    """An edition of *text*; None if the newsletter has no reader."""
    try:
        planned = plan(text, name, deployment, actor="ps1:" + "0" * 32, now=world.now)
    except bulk.EditionRefused:
        return None
    edition = bulk.start(planned.edition.plan_hash, deployment, now=world.now)
    world.now += dt.timedelta(minutes=1)  # so that no rate holds it up
    pace = Pace(look_s=0.02)
    run_jobs(threading.Event(), clock=lambda: world.now, pace=pace, only=["mail.deliver"], until_idle=True)
    return edition


def stays_too_long(world: World) -> None:
    """Sign-ups, and the record of who got what, are not deleted when their time is over."""
    for place, rows, field in (
        ("troth.newsletters_signup", SignUp.objects.filter(added_at=None), "asked_at"),
        ("troth.mail_delivery", EditionDelivery.objects.exclude(ended_at=None), "ended_at"),
    ):
        if world.is_about(place) and rows.update(**{field: world.now - dt.timedelta(days=800)}):
            return
    raise Inapplicable("it is not about sign-ups or editions, or there are none")


def _sent() -> QuerySet[EditionDelivery]:
    """A message to somebody who has stopped the newsletter since."""
    names = Choice.objects.filter(source="newsletters").values("fingerprint")
    found = EditionDelivery.objects.filter(state=EditionDelivery.State.SENT, fingerprint__in=names)
    if not found.exists():
        raise Inapplicable("no newsletter went out")
    return found


def sent_after_stop(world: World) -> None:
    """The edition leaves a day later, past the list of choices."""
    later = world.now + dt.timedelta(days=1)
    _sent().update(handed_at=later, ended_at=later)
    world.wait(2)


def doubtful_after_stop(world: World) -> None:
    sent_after_stop(world)
    _sent().update(state=EditionDelivery.State.IN_DOUBT)


def stop_ignored(world: World) -> None:
    """Somebody objected to all marketing before the edition, and it left all the same."""
    earlier = world.now - dt.timedelta(days=3)
    names = _sent().values_list("fingerprint", flat=True)
    Choice.objects.filter(fingerprint__in=list(names)).update(since=earlier)


def forgotten_stop(world: World) -> None:
    """Somebody deletes the stop, and sends on."""
    sent_after_stop(world)
    names = list(_sent().values_list("fingerprint", flat=True))
    Choice.objects.filter(fingerprint__in=names).delete()


def written(world: World, markdown: str) -> None:
    """Somebody changes the text of an edition past the checks."""
    for edition in _edition():
        edition.content |= {"markdown": f"{edition.content['markdown']}\n\n{markdown}\n"}
        edition.save(update_fields=["content"])


def counted_for_all(world: World) -> None:
    _sent().update(is_counted=True)


def counted_after_withdrawal(world: World) -> None:
    delivery, keyring = _sent().select_related("edition").latest("pk"), current().keyring
    purposes = current().declaration.purposes.items()
    purpose = next((name for name, it in purposes if it.basis is Basis.CONSENT), "counting")
    edition, before = delivery.edition, world.now - dt.timedelta(days=2)
    Edition.objects.filter(pk=edition.pk).update(content={**edition.content, "tracking": purpose})
    for state, since in ((ChoiceState.GIVEN, before), (ChoiceState.WITHDRAWN, before + dt.timedelta(days=1))):
        source = Source("newsletters", f"rehearsal:{state}", OWN_ACT)
        record_named([delivery.fingerprint], state, [Scope.of(purpose)], source, keyring, now=since)
    EditionDelivery.objects.filter(pk=delivery.pk).update(is_counted=True)


def other_program(world: World) -> None:
    """What happens to mail elsewhere leaves nothing here."""


def _edition() -> QuerySet[Edition]:
    found = Edition.objects.exclude(state=Edition.State.DRAFT)
    if not found.exists():
        raise Inapplicable("no newsletter went out")
    return found


def stuck(world: World, state: str) -> None:
    """An edition stays where it is."""
    _edition().update(state=state, ended_at=None, until=world.now + dt.timedelta(days=4))
    world.wait(8)


def unsent(world: World) -> None:
    """The process that sends dies, and nobody starts it again."""
    stuck(world, "sending")
    EditionDelivery.objects.update(state="queued", ended_at=None)


def deleted(world: World) -> None:
    latest = _edition().order_by("-pk")[:1]
    Edition.objects.filter(pk__in=[edition.pk for edition in latest]).delete()


# --- what preflight says --------------------------------------------------------------------------------------------


def _made_now(world: World, change: Callable[[Sequence[EditionSample]], Sequence[EditionSample]]) -> None:
    records = records_of(current().without_own, world.now)
    if not records.samples:
        raise Inapplicable("no newsletter is declared")
    samples = {name: change(several) for name, several in records.samples.items()}
    world.inputs["preflight_records"] = lambda: replace(records, samples=samples)


def remade(world: World, old: str, new: str, *, is_signed: bool = False) -> None:
    """Each message has *new* in place of *old*, from before it is signed or only after that."""
    old = old.format(postal=" ".join(world.declaration.organisation.address.split()))
    pattern = re.compile(rb"(?:=\r\n)?".join(re.escape(bytes([it])) for it in old.encode()))  # lines break anywhere

    def made(sample: EditionSample) -> EditionSample:
        content = sample.message.content if is_signed else _SIGNATURE.sub(b"", sample.message.content)
        message = replace(sample.message, content=pattern.sub(new.encode(), content))
        return replace(sample, message=message if is_signed else signed(message, world.keyring))

    _made_now(world, lambda samples: [made(sample) for sample in samples])


def with_one_token(world: World) -> None:
    """The opt-out of each message but one is another person's than its reader's."""

    def crossed(samples: Sequence[EditionSample]) -> list[EditionSample]:
        is_own = samples[-1].expected.is_own
        return [replace(it, expected=replace(it.expected, is_own=is_own)) for it in samples]

    _made_now(world, crossed)


def sent_from(world: World, domain: str) -> None:
    for name in world.declaration.newsletters:
        world.change("newsletters", name, sender=f"news@{domain}")
    if not world.declaration.newsletters:
        raise Inapplicable("no newsletter is declared")


def without_record(world: World, prefix: str) -> None:
    world.inputs["mail_dns"] = InventedDns(world.keyring, prefix)


def left(world: World, result: str) -> None:
    """What is on record of the checks of what left."""
    _sent().update(preflight=result)


def untrue(world: World) -> None:
    _edition().update(content={"subject": "What is new", "markdown": "What is new costs half as much."})


# --- whose addresses they are ---------------------------------------------------------------------------------------


def _consented() -> tuple[str, NewsletterAudience]:
    """A newsletter that rests on consent which the company recorded. Raises `Inapplicable`."""
    declaration = current().declaration
    for name, newsletter in declaration.newsletters.items():
        if declaration.purposes[newsletter.purpose].basis is Basis.CONSENT and newsletter.audience.consent:
            return name, newsletter.audience
    raise Inapplicable("no newsletter rests on consent that the company recorded")


def sent_to_ticket(world: World, basis: str) -> None:
    """It goes to an address that is known from a ticket, past the audience."""
    about = f"newsletter:{_consented()[0]}"
    delivery = EditionDelivery.objects.filter(edition__about=about, basis="company").first()
    if delivery is None:
        raise Inapplicable("no newsletter went out")
    [name] = fingerprints([(IdentityKind.EMAIL, _TICKET)], world.keyring)
    EditionDelivery.objects.filter(pk=delivery.pk).update(fingerprint=name, basis=basis)


def unlike(world: World, table: str) -> None:
    """An edition went to the people of another table."""
    edition = _edition()[0]
    Edition.objects.filter(pk=edition.pk).update(audience={**edition.audience, "table": table})


def agreed(world: World, at: str | None = None) -> None:
    """What the column of consent says."""
    system, _, table = _consented()[1].table.partition(".")
    world.stores.run(system, f"UPDATE `{table}` SET `{_consented()[1].consent}` = ?", at)  # noqa: S608


def imported(world: World) -> None:
    """The address of a ticket is in the audience, with a date of consent, and gets an edition."""
    audience = _consented()[1]
    sent_to_ticket(world, "company")
    world.stores.put(audience.table, audience.email, _TICKET, world.declaration)


register(__name__)
