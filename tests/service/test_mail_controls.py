"""A letter that is owed and did not go out turns its control red, and fixing it turns it green again."""

from __future__ import annotations

import datetime as dt

from tests.service.mail_processes import KEYS, NOW
from tests.service.mailing import Sink, send_due
from tests.service.test_mail import letter, posted
from tests.service.test_mail import rows as rows
from tests.service.test_mail import sink as sink
from tests.service.test_mail import smtp as smtp

from troth.controls import Check, CheckOutcome, run
from troth.declaration import parse
from troth.service.mail.actions import again
from troth.service.mail.controls import letters
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter
from troth.service.mail.sending import forget_failed
from troth.service.mail.smtp import Smtp

COMPANY = parse(
    b"""
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
""",
    file="troth.yaml",
)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def asked(at: dt.datetime = NOW) -> Check:
    return run("mail.owed_sent", {"declaration": COMPANY, "letters": letters(None, at), "now": at})


def test_a_failed_letter_turns_the_control_red_until_it_is_sent(rows: None, sink: Sink, smtp: Smtp) -> None:
    posted()
    assert asked().outcome is CheckOutcome.PASS
    sink.to = lambda envelope: "550 5.1.1 No such mailbox"
    send_due(NOW, keyring=KEYS, transport=smtp)
    failing = asked()
    assert failing.outcome is CheckOutcome.FAIL
    assert [finding.message for finding in failing.findings] == ["1 e-mail could not be sent: 550 5.1.1"]
    sink.to = lambda envelope: None
    again("case:R-2026-0187/acknowledged", now=NOW)
    send_due(NOW, keyring=KEYS, transport=smtp)
    assert asked().outcome is CheckOutcome.PASS
    assert asked().summary.startswith("1 e-mail sent")


def test_letters_that_nobody_sends_turn_the_control_red(rows: None) -> None:
    posted()
    posted(letter("other"))
    assert asked(NOW + 4 * HOUR).outcome is CheckOutcome.PASS
    late = asked(NOW + 5 * HOUR)
    assert late.outcome is CheckOutcome.FAIL
    assert "2 e-mails waited for more than 4 hours: no process sends them" in [
        finding.message for finding in late.findings
    ]


def test_an_owed_letter_that_was_given_up_does_not_turn_green_again(rows: None, sink: Sink, smtp: Smtp) -> None:
    assert asked().outcome is CheckOutcome.NOT_APPLICABLE, "nothing is owed"
    posted()
    sink.to = lambda envelope: "550 5.1.1 No such mailbox"
    send_due(NOW, keyring=KEYS, transport=smtp)
    forget_failed(NOW + 31 * DAY)
    check = asked(NOW + 31 * DAY)
    assert (check.outcome, check.figures["given_up"]) == (CheckOutcome.ERROR, 1)
    assert asked(NOW + 91 * DAY).outcome is CheckOutcome.NOT_APPLICABLE


def test_it_does_not_see_a_letter_that_was_never_written(rows: None, sink: Sink, smtp: Smtp) -> None:
    posted()
    posted(letter("other"))
    LetterRow.objects.order_by("pk")[0].delete()
    assert asked().outcome is CheckOutcome.PASS


def test_a_mistyped_address_of_a_stranger_is_no_broken_promise(rows: None, sink: Sink, smtp: Smtp) -> None:
    sink.to = lambda envelope: "550 5.1.1 No such mailbox"
    link = {"link": "https://example.org/x", "until": NOW + 24 * HOUR}
    posted(Letter("link", "nobody@example.org", "en", "case:R-1", link, "k"))
    send_due(NOW, keyring=KEYS, transport=smtp)
    assert asked().outcome is CheckOutcome.NOT_APPLICABLE
