"""Reports in the shapes of many mail servers, and e-mails that are none, made by code: for tests of `mail.bounces`."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.header import Header

GONE, LATER, OURS, AUTO, COMPLAINT, NONE = "gone", "later", "ours", "auto_reply", "complaint", "none"
SENDER = "news@shop.example.org"
PEOPLE = (
    "ann@example.org",
    "ben+news@example.org",
    "Chloe.Ann@Example.ORG",
    '"ann ben"@example.org',
    "chloé@example.org",
    "ben@bücher.example.org",
    "chloe_o'ann@mail.example.org",
)


@dataclass(frozen=True)
class Reply:
    """What a server answered, and what that means."""

    kind: str
    smtp: str
    status: str
    text: str
    is_unsure: bool = False

    def line(self, to: str) -> str:
        parts = (self.smtp, self.status, self.text.replace("{to}", to).replace("{user}", to.rpartition("@")[0]))
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Sample:
    """An incoming e-mail, and what should be read in it."""

    shape: str
    raw: bytes
    kind: str
    address: str = ""
    token: str = ""
    message_id: str = ""
    is_unsure: bool = False


REPLIES = (
    Reply(GONE, "550", "5.1.1", "<{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
    Reply(
        GONE,
        "550",
        "5.1.1",
        ("The account that you tried to reach does not exist. Check the address for typing errors"),
    ),
    Reply(GONE, "550", "", "No such user here"),
    Reply(GONE, "550", "5.1.10", "RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup"),
    Reply(GONE, "550", "5.5.0", "Requested action not taken: mailbox unavailable (S2017)"),
    Reply(GONE, "550", "5.2.1", "The account that you tried to reach is disabled. - gsmtp"),
    Reply(GONE, "550", "5.1.6", "recipient no longer on server: {to}"),
    Reply(GONE, "554", "", "delivery error: dd This user doesn't have an account here ({to}) [-5]"),
    Reply(GONE, "550", "5.1.1", "Adresse d'au moins un destinataire invalide. Invalid recipient. OFR_416"),
    Reply(GONE, "550", "", "Empfänger unbekannt"),
    Reply(GONE, "553", "", "sorry, no mailbox here by that name (#5.1.1)"),
    Reply(GONE, "550", "5.1.2", "Host unknown, domain not found"),
    Reply(GONE, "550", "", "Usuario desconocido en este servidor"),
    Reply(GONE, "550", "5.4.1", "Recipient address rejected: Access denied. AS(201806281)"),
    Reply(GONE, "511", "5.1.1", "sorry, no mailbox by that name exists"),
    Reply(GONE, "550", "5.0.0", "<{to}>... User account is closed"),
    Reply(GONE, "550", "", "Cette boîte aux lettres n'existe pas"),
    Reply(LATER, "452", "4.2.2", "The account that you tried to reach is over quota"),
    Reply(LATER, "552", "5.2.2", "<{to}>: Mailbox full"),
    Reply(LATER, "450", "4.7.1", "<{to}>: Recipient address rejected: Greylisted, see you in five minutes"),
    Reply(LATER, "451", "4.3.0", "Temporary lookup failure"),
    Reply(LATER, "421", "4.4.2", "Connection timed out"),
    Reply(LATER, "550", "", "Benutzer hat zuviele Mails auf dem Server"),
    Reply(LATER, "552", "", "La boîte du destinataire est pleine, quota dépassé"),
    Reply(LATER, "552", "", "El buzón del destinatario está lleno"),
    Reply(LATER, "450", "4.1.1", "<{to}>: unverified address: user unknown"),
    Reply(OURS, "550", "5.7.1", "This message was classified as likely unsolicited and has been refused"),
    Reply(OURS, "554", "5.7.1", "Service unavailable; client host [192.0.2.7] blocked using a list of senders"),
    Reply(OURS, "550", "5.7.26", "This message is unauthenticated: neither SPF nor DKIM passed"),
    Reply(OURS, "421", "4.7.28", "Unusual rate of messages from your address block: rate limited"),
    Reply(OURS, "552", "5.3.4", "Message size exceeds the fixed limit"),
    Reply(OURS, "550", "", "Spam detected by content filter"),
    Reply(OURS, "554", "", "Reject due to policy restrictions"),
    Reply(
        OURS, "550", "5.7.515", ("Access denied, the sending domain does not meet the required authentication level")
    ),
    Reply(OURS, "550", "5.7.133", "RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"),
    Reply(OURS, "550", "5.7.1", "User unknown", is_unsure=True),
    Reply(OURS, "550", "5.1.1", "Recipient rejected: blocked by our spam policy", is_unsure=True),
    Reply(OURS, "553", "", "sender address rejected: domain not found"),
)


def _encoded(text: str, charset: str) -> str:
    return text if text.isascii() else str(Header(text, charset, maxlinelen=300).encode())


def _returned(to: str, token: str) -> str:
    return (
        f"Return-Path: <bounces+{token}@shop.example.org>\n"
        "Received: from shop.example.org (shop.example.org [192.0.2.7]) by mx.example.org "
        "with ESMTP; Tue, 1 Dec 2026\n"
        f"From: Shop <{SENDER}>\nTo: {to}\nSubject: What is new in December\nMessage-ID: <{token}@shop.example.org>\n"
        f"List-Id: <news.shop.example.org>\nList-Unsubscribe: <https://shop.example.org/stop/{token}>\n"
        "Content-Type: text/plain; charset=utf-8\n"
        "\nWe have new things for you.\nUser unknown, mailbox full, spam: our jokes.\n"
    )


def _headers(token: str, sender: str, subject: str, more: str = "") -> str:
    to = f"bounces+{token.upper() if token[-1] in '02468' else token}@shop.example.org"
    return (
        f"Return-Path: <>\nDelivered-To: {to}\nReceived: from mx.example.org by shop.example.org; "
        "Tue, 1 Dec 2026 10:00:00 +0000\n"
        f"From: {sender}\nTo: {to}\nSubject: {subject}\n"
        "Date: Tue, 1 Dec 2026 10:00:00 +0000\nMIME-Version: 1.0\n"
        f"{more}"
    )


def _dsn(
    text: str,
    fields: str,
    returned: str,
    *,
    head: Callable[[str], str],
    charset: str = "utf-8",
    returned_type: str = "message/rfc822",
    status_type: str = "message/delivery-status",
) -> bytes:
    start = head(f'Content-Type: multipart/report; report-type={status_type.partition("/")[2]};\n boundary="=_b/1"\n')
    pieces = (
        start.encode(),
        b"\nThis is a MIME-encapsulated message.\n\n--=_b/1\n",
        f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n".encode(),
        text.encode(charset, "replace"),
        f"\n--=_b/1\nContent-Type: {status_type}\n\n{fields}\n--=_b/1\nContent-Type: {returned_type}\n\n".encode(),
        returned.encode(),
        b"\n--=_b/1--\n",
    )
    return b"".join(pieces)


def _plain(text: str, head: Callable[[str], str], *, charset: str = "utf-8", more: str = "") -> bytes:
    encoding = "base64" if charset == "iso-2022-jp" else "8bit"
    start = head(f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n{more}")
    body = text.encode(charset, "replace")
    return start.encode() + b"\n" + (base64.encodebytes(body) if encoding == "base64" else body)


def _failed(reply: Reply, to: str, *, original: str = "", status: str | None = None, agent: str = "smtp") -> str:
    status = status if status is not None else reply.status or f"{reply.smtp[0]}.0.0"
    lines = [f"Original-Recipient: rfc822;{original}"] if original else []
    lines += [f"Final-Recipient: rfc822; {to}", f"Action: failed\nStatus: {status}\nRemote-MTA: dns; mx.example.org"]
    return "\n".join([*lines, f"Diagnostic-Code: {agent}; {reply.line(to)}"])


_REPORTING = "Reporting-MTA: dns; mx1.example.org\nArrival-Date: Tue, 1 Dec 2026 09:59:00 +0000\n\n"
Shape = Callable[[Reply, str, str], bytes]


def _of(token: str, sender: str, subject: str, more: str = "") -> Callable[[str], str]:
    return lambda extra: _headers(token, sender, subject, more + extra)


def postfix(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "This is the mail system at host mx1.example.org.\n\nWe are sorry to inform you that your message could not\n"
        "be delivered to one or more recipients. It is attached below.\n\n                   The mail system\n\n"
        f"<{to}>: host mx.example.org[192.0.2.25] said: {reply.line(to)} (in reply to RCPT TO command)\n"
    )
    head = _of(
        token,
        "MAILER-DAEMON@mx1.example.org (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied\n",
    )
    return _dsn(text, _REPORTING + _failed(reply, to, original=to), _returned(to, token), head=head)


def postfix_utf8(reply: Reply, to: str, token: str) -> bytes:
    final = to.replace("é", "\\x{E9}")
    fields = _failed(reply, to).replace(f"rfc822; {to}", f"utf-8; {final}", 1)
    head = _of(token, "MAILER-DAEMON@mx1.example.org", "Undelivered Mail Returned to Sender")
    return _dsn(
        f"<{to}>: {reply.line(to)}",
        _REPORTING + fields,
        _returned(to, token),
        head=head,
        returned_type="message/global",
        status_type="message/global-delivery-status",
    )


def postfix_headers_only(reply: Reply, to: str, token: str) -> bytes:
    head = _of(token, "MAILER-DAEMON@mx2.example.org (Mail Delivery System)", "Undelivered Mail Returned to Sender")
    returned = _returned(to, token).partition("\n\n")[0]
    return _dsn(
        f"<{to}>: {reply.line(to)}",
        _REPORTING + _failed(reply, to),
        returned,
        head=head,
        returned_type="text/rfc822-headers",
    )


def postfix_expanded(reply: Reply, to: str, token: str) -> bytes:
    text = (
        f"The Postfix program\n\n<inner@host.example.org> (expanded from <{to}>): host "
        f"mx[192.0.2.1] said:\n    {reply.line('inner@host.example.org')}\n"
    )
    head = _of(token, "MAILER-DAEMON@mx2.example.org (Mail Delivery System)", "Undelivered Mail Returned to Sender")
    return _dsn(
        text, _REPORTING + _failed(reply, "inner@host.example.org", status="5.0.0"), _returned(to, token), head=head
    )


def zimbra(reply: Reply, to: str, token: str) -> bytes:
    head = _of(token, "MAILER-DAEMON@zimbra.example.org (Mail Delivery System)", "Undelivered Mail Returned to Sender")
    text = (
        "This is the mail system at host zimbra.example.org.\n"
        f"\n<{to}>: host zimbra.example.org[192.0.2.3] said: {reply.line(to)}"
    )
    return _dsn(text, _REPORTING + _failed(reply, to, agent="X-Postfix"), _returned(to, token), head=head)


def exim(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "This message was created automatically by mail delivery software.\n"
        "\nA message that you sent could not be delivered"
        " to one or more of its\nrecipients. This is a permanent error. The following "
        f"address(es) failed:\n\n  {to}\n"
        "    host mx.example.org [192.0.2.25]\n    SMTP error from remote mail server "
        f"after RCPT TO:<{to}>:\n    {reply.line(to)}\n"
    )
    head = _of(
        token,
        "Mail Delivery System <Mailer-Daemon@exim.example.org>",
        "Mail delivery failed: returning message to sender",
        f"X-Failed-Recipients: {to}\nAuto-Submitted: auto-replied\n",
    )
    fields = (
        f"Action: failed\nFinal-Recipient: rfc822;{to}\n"
        "Status: 5.0.0\nRemote-MTA: dns; mx.example.org\n"
        f"Diagnostic-Code: smtp; {reply.line(to)}\n"
    )
    return _dsn(text, _REPORTING + fields, _returned(to, token), head=head, returned_type="text/rfc822-headers")


def exim_words(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "This message was created automatically by mail delivery software.\n"
        "\nA message that you sent could not be delivered.\n"
        f"The following address failed:\n\n  {to}\n"
        f"    {reply.line(to)}\n\n------ This is a copy of the message, including all "
        f"the headers. ------\n\n{_returned(to, token)}"
    )
    return _plain(
        text,
        _of(
            token,
            "Mail Delivery System <Mailer-Daemon@exim.example.org>",
            "Mail delivery failed: returning message to sender",
            "X-Failed-Recipients: " + to + "\n",
        ),
    )


def sendmail(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "The original message was received at Tue, 1 Dec 2026 09:59:00 GMT\nfrom shop.example.org [192.0.2.7]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n"
        f"<{to}>\n    (reason: {reply.line(to)})\n\n"
        "   ----- Transcript of session follows -----\n"
        f"... while talking to mx.example.org.:\n>>> RCPT To:<{to}>\n"
        f"<<< {reply.line(to)}\n"
    )
    head = _of(
        token,
        "Mail Delivery Subsystem <MAILER-DAEMON@sm.example.org>",
        "Returned mail: see transcript for details",
        "Auto-Submitted: auto-generated (failure)\n",
    )
    return _dsn(text, _REPORTING + _failed(reply, to, agent="SMTP"), _returned(to, token), head=head)


def sendmail_old(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "   ----- The following addresses had permanent fatal errors -----\n"
        f"<{to}>\n\n   ----- Transcript of session follows -----\n"
        f"<<< {reply.line(to)}\n   ----- Original message follows -----\n\n{_returned(to, token)}"
    )
    return _plain(
        text,
        _of(token, "Mail Delivery Subsystem <MAILER-DAEMON@old.example.org>", "Returned mail: User problem"),
        charset="iso-8859-1",
    )


def qmail(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Hi. This is the qmail-send program at q.example.org.\n"
        "Your message could not be delivered to the following addresses.\n"
        "This is a permanent error; there will be no other try.\n"
        f"\n<{to}>:\n192.0.2.25 does not accept this recipient.\n"
        f"Remote host said: {reply.line(to)}\nGiving up on 192.0.2.25.\n"
        "\n"
        f"--- Below this line is a copy of the message.\n\n{_returned(to, token)}"
    )
    return _plain(text, _of(token, "MAILER-DAEMON@q.example.org", "failure notice"))


def courier(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "This is a delivery status notification from courier.example.org.\n"
        "\n                      UNDELIVERABLE MAIL\n"
        "\nYour message to the following recipients cannot be delivered:\n"
        f"\n<{to}>:\n    mx.example.org [192.0.2.25]:\n"
        f"<<< {reply.line(to)}\n"
    )
    head = _of(token, '"Courier mail server at courier.example.org" <@>', "NOTICE: mail delivery status.")
    return _dsn(
        text, _REPORTING + _failed(reply, to), _returned(to, token), head=head, returned_type="text/rfc822-headers"
    )


def exchange_2003(reply: Reply, to: str, token: str) -> bytes:
    text = (
        f"Your message\n\n  To:      {to}\n  Subject: What is new in December\n"
        "  Sent:    Tue, 1 Dec 2026\n\ndid not reach the following recipient(s):\n"
        f"\n{to} on Tue, 1 Dec 2026 10:00:00\n    {reply.line(to)}\n"
        "    MSEXCH:IMS:Example:MAIN:EX1 0 (000C05A6)\n"
    )
    head = _of(token, "System Administrator <postmaster@ex.example.org>", "Undeliverable: What is new in December")
    start = head('Content-Type: multipart/mixed; boundary="=_x"\n')
    return (
        f"{start}\n--=_x\nContent-Type: text/plain; charset=utf-8\n"
        f"\n{text}\n--=_x\nContent-Type: message/rfc822\n"
        f"\n{_returned(to, token)}\n--=_x--\n"
    ).encode()


def _exchange(version: str, explained: dict[str, str]) -> Shape:
    def shape(reply: Reply, to: str, token: str) -> bytes:
        text = (
            f"{explained[reply.kind]}\n\n{to}\n\nDiagnostic information for administrators:\n"
            f"\nGenerating server: ex.example.org\n\n{to}\n"
            f"#{reply.line(to)} ##\n\nOriginal message headers:\n"
            f"\n{_returned(to, token)}"
        )
        head = _of(
            token,
            f"Microsoft Exchange {version} <postmaster@ex.example.org>",
            "Undeliverable: What is new in December",
            f"X-MS-Exchange-Message-Is-Ndr:\nIn-Reply-To: <{token}@shop.example.org>\n",
        )
        return _dsn(text, _REPORTING + _failed(reply, to), _returned(to, token), head=head)

    return shape


exchange_2007 = _exchange(
    "2007",
    {
        GONE: "Delivery has failed to these recipients or distribution lists:",
        LATER: "Delivery has failed to these recipients:",
        OURS: "Delivery has failed to these recipients:",
    },
)
exchange_german = _exchange(
    "2016",
    {
        GONE: "Fehler bei der Nachrichtenzustellung an folgende Empfänger:",
        LATER: "Fehler bei der Zustellung an folgende Empfänger:",
        OURS: "Fehler bei der Zustellung an folgende Empfänger:",
    },
)
exchange_french = _exchange(
    "2010",
    {
        GONE: "Échec de la remise à ces destinataires :",
        LATER: "Échec de la remise à ces destinataires :",
        OURS: "Échec de la remise à ces destinataires :",
    },
)


def microsoft_365(reply: Reply, to: str, token: str) -> bytes:
    page = (
        f"<html><head><style>p {{ color: red }}</style></head><body><p>Your message to "
        f"{to} couldn't be delivered.</p><h1>{reply.text.replace('{to}', to)}</h1><p>How "
        "to Fix It</p></body></html>"
    )
    head = _of(
        token,
        "Microsoft Outlook <postmaster@example.org>",
        "Undeliverable: What is new in December",
        "Auto-Submitted: auto-replied\n",
    )
    raw = _dsn("@", _REPORTING + _failed(reply, to, original=to), _returned(to, token), head=head)
    return raw.replace(
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n@",
        b"Content-Type: text/html; charset=utf-8\n\n" + page.encode(),
        1,
    )


def gmail(reply: Reply, to: str, token: str) -> bytes:
    text = (
        (
            f"** Address not found **\n\nYour message wasn't delivered to {to}. See below "
            "what the other server said.\n\nThe response was:\n"
            f"\n{reply.line(to)}\n"
        )
        if reply.kind == GONE
        else f"** Message blocked or delayed **\n\nThe response from the remote server was:\n\n{reply.line(to)}\n"
    )
    head = _of(
        token,
        "Mail Delivery Subsystem <mailer-daemon@mail.example.org>",
        "Delivery Status Notification (Failure)",
        f"X-Failed-Recipients: {to}\nAuto-Submitted: auto-replied\nReferences: <{token}@shop.example.org>\n",
    )
    return _dsn(text, _REPORTING + _failed(reply, to), _returned(to, token), head=head)


def yahoo(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Sorry, we were unable to deliver your message to the following address.\n"
        f"\n<{to}>:\n{reply.line(to)}\n\n--- Below this line is a copy of the message.\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(text, _of(token, "MAILER-DAEMON@yahoo.example.org", "Failure Notice"))


def aol(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "The original message was received at Tue, 1 Dec 2026\n"
        "\n   ----- The following addresses had permanent fatal errors -----\n"
        f"<{to}>\n\n   ----- Transcript of session follows -----\n"
        f"... while talking to air.example.org.:\n>>> RCPT To:<{to}>\n"
        f"<<< {reply.line(to)}\n"
    )
    head = _of(token, "Mail Delivery Subsystem <MAILER-DAEMON@aol.example.org>", "Returned mail: delivery problem")
    return _dsn(text, _REPORTING + _failed(reply, to, status="5.0.0"), _returned(to, token), head=head)


def outlook_com(reply: Reply, to: str, token: str) -> bytes:
    head = _of(token, "postmaster@hotmail.example.org", "Delivery Status Notification (Failure)")
    text = (
        "This is an automatically generated Delivery Status Notification.\n"
        "\nDelivery to the following recipients failed.\n"
        f"\n       {to}\n"
    )
    return _dsn(text, _REPORTING + _failed(reply, to), _returned(to, token), head=head)


def ses(reply: Reply, to: str, token: str) -> bytes:
    head = _of(token, "MAILER-DAEMON@ses.example.org", "Delivery Status Notification (Failure)")
    text = f"An error occurred while trying to deliver the mail to the following recipients:\n{to}\n"
    return _dsn(
        text, "Reporting-MTA: dns; a8.ses.example.org\n\n" + _failed(reply, to), _returned(to, token), head=head
    )


def power_mta(reply: Reply, to: str, token: str) -> bytes:
    head = _of(token, "postmaster@pmta.example.org", "Delivery report")
    text = (
        "Hello, this is the mail server on pmta.example.org.\n"
        "\nI am sending you this message to inform you on the delivery status of a\n"
        f"message you previously sent.\n\n  {to}, {reply.line(to)}\n"
    )
    fields = f"Original-Envelope-Id: {token}\n{_REPORTING}{_failed(reply, to)}\nX-PowerMTA-VirtualMTA: mta1\n"
    return _dsn(text, fields, _returned(to, token), head=head, returned_type="text/rfc822-headers")


def sendgrid_like(reply: Reply, to: str, token: str) -> bytes:
    head = _of(token, "MAILER-DAEMON@relay.example.org", "Undelivered Mail Returned to Sender")
    text = (
        "This is an automatically generated message from relay.\n"
        "\nI'm sorry to have to tell you that your message was not able to be delivered.\n"
        f"\nError details:\n{reply.line(to)}\n\nRecipient: {to}\n"
    )
    return _dsn(text, _REPORTING + _failed(reply, to, status=""), _returned(to, token), head=head)


def gateway(name: str) -> Shape:
    def shape(reply: Reply, to: str, token: str) -> bytes:
        head = _of(
            token,
            f"{name} Mail Delivery System <postmaster@{name.lower()}.example.org>",
            f"Undeliverable message ({name})",
        )
        text = (
            f"Your message could not be delivered to the following recipients:\n\n  {to}\n  Reason: {reply.line(to)}\n"
        )
        return _dsn(text, _REPORTING + _failed(reply, to), _returned(to, token), head=head)

    return shape


mimecast, barracuda, proofpoint, cloudmark = map(gateway, ("Mimecast", "Barracuda", "Proofpoint", "Cloudmark"))


def mail_enable(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "MailEnable: Message Delivery Failure.\n\n"
        "The following recipient(s) could not be reached:\n"
        f"\nRecipient: [SMTP:{to}]\nReason: Remote SMTP Server Returned: {reply.line(to)}\n"
        f"\nMessage headers follow:\n\n{_returned(to, token)}"
    )
    return _plain(text, _of(token, "Postmaster <postmaster@me.example.org>", "Message Delivery Failure"))


def smarter_mail(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Could not deliver message to the following recipient(s):\n"
        f"\nFailed Recipient: {to}\nReason: Remote host said: {reply.line(to)}\n"
        "\n   -- The header and top 20 lines of the message follows --\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(text, _of(token, '"System Administrator" <System.Administrator@sm.example.org>', "Delivery Failure"))


def h_mail_server(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Your message did not reach some or all of the intended recipients.\n"
        "\n   Sent: Tue, 1 Dec 2026\n   Subject: What is new in December\n"
        "\nThe following recipient(s) could not be reached:\n"
        f"\n{to}\n   Error Type: SMTP\n   Remote server (192.0.2.25) issued an error.\n"
        f"   hMailServer sent: RCPT TO:<{to}>\n   Remote server replied: {reply.line(to)}\n"
        "\nhMailServer\n"
    )
    return _plain(text, _of(token, "mailer-daemon@h.example.org", "Message undeliverable: What is new in December"))


def communigate(reply: Reply, to: str, token: str) -> bytes:
    text = (
        f"Failed to deliver to '{to}'\nSMTP module(domain example.org) reports:\n"
        f" host mx.example.org says:\n {reply.line(to)}\n"
    )
    head = _of(token, "MAILER-DAEMON@cgp.example.org", "Undeliverable mail: What is new in December")
    return _dsn(
        text,
        _REPORTING + _failed(reply, to, status=""),
        _returned(to, token),
        head=head,
        returned_type="text/rfc822-headers",
    )


def imail(reply: Reply, to: str, token: str) -> bytes:
    text = (
        f"undeliverable to {to}\n\nRCPT TO generated following response:\n"
        f"{reply.line(to)}\n\nOriginal message follows.\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(text, _of(token, '"Postmaster" <postmaster@imail.example.org>', "Undeliverable Mail"))


def merak(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Message from mail server icewarp.example.org\n"
        "\nThe message cannot be delivered to the following address:\n"
        f"\n<{to}>\n{reply.line(to)}\n\n---- Original message ----\n"
        f"{_returned(to, token)}"
    )
    return _plain(text, _of(token, "Mail Delivery System <postmaster@icewarp.example.org>", "Mail delivery failed"))


def haraka(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Hi. This is the Haraka Mailer program at h.example.org.\n"
        "Your message could not be delivered to the following addresses.\n"
        f"\nIntended Recipients: <{to}>\nFailure Reason: {reply.line(to)}\n"
    )
    return _dsn(
        text,
        _REPORTING + _failed(reply, to),
        _returned(to, token),
        head=_of(token, "MAILER-DAEMON@h.example.org", "failure notice"),
    )


def open_smtpd(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n"
        "\n    An error has occurred while attempting to deliver a message for\n"
        "    the following list of recipients:\n\n"
        f"{to}: {reply.line(to)}\n\n    Below is a copy of the original message:\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(
        text, _of(token, "Mailer Daemon <MAILER-DAEMON@os.example.org>", "Delivery status notification: error")
    )


def domino(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Your message\n\n  Subject: What is new in December\n"
        f"\nwas not delivered to:\n\n  {to}\n\nbecause:\n"
        f"\n  {reply.line(to)}\n"
    )
    head = _of(token, "Postmaster@notes.example.org", "DELIVERY FAILURE: What is new in December")
    return _dsn(
        text,
        _REPORTING + _failed(reply, to, status=reply.status or "5.0.0", agent="X-Notes"),
        _returned(to, token),
        head=head,
    )


def groupwise(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "The message that you sent was undeliverable to the following:\n"
        f"\n\t{to} ({reply.line(to)})\n\nPossibly truncated original message follows:\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(
        text,
        _of(token, "Mail Delivery System <postmaster@gw.example.org>", "Message status - undeliverable"),
        charset="windows-1252",
    )


def mdaemon(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "The attached message had PERMANENT fatal delivery errors!\n"
        f"\nFailed address: {to}\n\n--- Session Transcript ---\n"
        f"--> RCPT To:<{to}>\n<-- {reply.line(to)}\n"
        "--- End Transcript ---\n\n: Message contains [1] file attachments\n"
    )
    head = _of(token, "MDaemon at md.example.org <MDaemon@md.example.org>", "Permanent Delivery Failure")
    start = head('Content-Type: multipart/mixed; boundary="md"\n')
    return (
        f"{start}\n--md\nContent-Type: text/plain; charset=utf-8\n"
        f"\n{text}\n--md\nContent-Type: message/rfc822\n"
        f"\n{_returned(to, token)}\n--md--\n"
    ).encode()


def german_provider(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Diese Nachricht wurde automatisch erstellt.\n"
        "\nIhre E-Mail konnte nicht zugestellt werden an:\n"
        f"\n{to}:\n{reply.line(to)}\n\n--- Ursprüngliche Nachricht ---\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(
        text,
        _of(
            token, "Mailer-Daemon <mailer-daemon@web.example.org>", _encoded("Unzustellbar: Neues im Dezember", "utf-8")
        ),
        charset="iso-8859-15",
    )


def french_provider(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Votre message n'a pas pu être remis au destinataire suivant :\n"
        f"\n<{to}> :\n{reply.line(to)}\n\n--- Message original ---\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(
        text, _of(token, "Postmaster <postmaster@fr.example.org>", _encoded("Échec de la remise", "iso-8859-1"))
    )


def spanish_provider(reply: Reply, to: str, token: str) -> bytes:
    text = (
        f"No se pudo entregar su mensaje a:\n\n<{to}>:\n"
        f"{reply.line(to)}\n\n--- Mensaje original ---\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(
        text,
        _of(token, "Postmaster <postmaster@es.example.org>", _encoded("No se pudo entregar el mensaje", "utf-8")),
        charset="iso-8859-1",
    )


def russian_provider(reply: Reply, to: str, token: str) -> bytes:
    text = (
        "Это письмо создано автоматически.\n\nВаше сообщение не может быть доставлено:\n"
        f"\n  {to}\n    {reply.line(to)}\n\n------ This is a copy of the message ------\n"
        f"\n{_returned(to, token)}"
    )
    return _plain(
        text,
        _of(token, "mailer-daemon@ru.example.org", "Mail failure.", f"X-Failed-Recipients: {to}\n"),
        charset="koi8-r" if to.isascii() and reply.text.isascii() else "utf-8",
    )


def chinese_provider(reply: Reply, to: str, token: str) -> bytes:
    text = f"抱歉，您的邮件被退回来了。\n\n收件人邮件地址：\n{to}\n退信原因：\n{reply.line(to)}\n"
    head = _of(token, "PostMaster <postmaster@qq.example.org>", _encoded("系统退信", "gb18030"))
    return _dsn(text, _REPORTING + _failed(reply, to), _returned(to, token), head=head, charset="gb18030")


def japanese_provider(reply: Reply, to: str, token: str) -> bytes:
    text = (
        f"メールを配信できませんでした。\n\n<{to}>:\n{reply.line(to)}\n\n"
        "--- Below this line is a copy of the message.\n"
    )
    latin = to.isascii() and reply.text.isascii()
    return _plain(
        text, _of(token, "MAILER-DAEMON@jp.example.org", "failure notice"), charset="iso-2022-jp" if latin else "utf-8"
    )


SHAPES: tuple[Shape, ...] = (
    postfix, postfix_utf8, postfix_headers_only, postfix_expanded, zimbra, exim, exim_words, sendmail,
    sendmail_old, qmail, courier, exchange_2003, exchange_2007, exchange_french, exchange_german,
    microsoft_365, gmail, yahoo, aol, outlook_com, ses, power_mta, sendgrid_like, mimecast, barracuda,
    proofpoint, cloudmark, mail_enable, smarter_mail, h_mail_server, communigate, imail, merak, haraka,
    open_smtpd, domino, groupwise, mdaemon, german_provider, french_provider, spanish_provider,
    russian_provider, chinese_provider, japanese_provider,
)  # fmt: skip


def bounces() -> Iterator[Sample]:
    """Each shape with each reply, the people in turn."""
    people = itertools.cycle(PEOPLE)
    for number, (shape, reply) in enumerate(itertools.product(SHAPES, REPLIES)):
        to, token = next(people), f"t{number:05}x{number % 7}"
        name = getattr(shape, "__qualname__", "gateway").partition(".")[0]
        raw = shape(reply, to, token)
        message_id = f"<{token}@shop.example.org>" if f"<{token}@".encode() in raw else ""
        yield Sample(f"{name}/{SHAPES.index(shape)}", raw, reply.kind, to, token, message_id, reply.is_unsure)


def ten_recipients(token: str = "ten0") -> Sample:
    """A report about ten recipients with different outcomes, in the order of `REPLIES`."""
    people = [f"ann{number}@example.org" for number in range(10)]
    replies = (*REPLIES[:3], *REPLIES[17:20], *REPLIES[26:29])
    fields = "\n\n".join(_failed(reply, to) for reply, to in zip(replies, people, strict=False))
    fields += f"\n\nFinal-Recipient: rfc822; {people[9]}\nAction: delivered\nStatus: 2.0.0"
    text = "\n".join(f"<{to}>: {reply.line(to)}" for reply, to in zip(replies, people, strict=False))
    head = _of(token, "MAILER-DAEMON@mx1.example.org", "Undelivered Mail Returned to Sender")
    return Sample(
        "ten", _dsn(text, _REPORTING + fields, _returned(", ".join(people), token), head=head), GONE, token=token
    )


def delayed(token: str = "late0") -> Sample:
    text = (
        "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n"
        "\n<ann@example.org>: connect to mx: User unknown\n"
    )
    fields = _failed(Reply(LATER, "450", "4.1.1", "User unknown"), "ann@example.org").replace("failed", "delayed")
    head = _of(token, "MAILER-DAEMON@mx1.example.org", "Delayed Mail (still being retried)")
    return Sample(
        "delayed", _dsn(text, fields, _returned("ann@example.org", token), head=head), LATER, "ann@example.org", token
    )


def wrapped(sample: Sample) -> bytes:
    """The report of *sample* in a message that a server forwards, returned by another one with a report of its own."""
    inner = b"Content-Type: message/rfc822\n\n" + sample.raw
    head = (
        "From: postmaster@gate.example.org\nTo: bounces@shop.example.org\n"
        "Subject: Delivery Status Notification (Failure)\n"
    )
    return head.encode() + b'Content-Type: multipart/mixed; boundary="=_w"\n\n--=_w\n' + inner + b"\n--=_w--\n"


def complaint(feedback_type: str, kind: str, *, fields: str = "", token: str = "c0") -> Sample:
    head = _headers(token, "Feedback <feedback@fbl.example.org>", "FW: What is new in December")
    report = f"Feedback-Type: {feedback_type}\nUser-Agent: FBL/1.0\nVersion: 1\n{fields}"
    returned = _returned("ann@example.org", token)
    raw = (
        f'{head}Content-Type: multipart/report; report-type=feedback-report; boundary="=_f"\n'
        "\n--=_f\nContent-Type: text/plain\n\n"
        "This is an email abuse report.\n\n--=_f\n"
        "Content-Type: message/feedback-report\n\n"
        f"{report}\n--=_f\nContent-Type: message/rfc822\n"
        f"\n{returned}\n--=_f--\n"
    )
    return Sample(
        f"feedback/{feedback_type}", raw.encode(), kind, "ann@example.org", token, f"<{token}@shop.example.org>"
    )


_NOTES = (
    (
        "Automatic reply: What is new in December",
        "I am away until Monday. My mailbox is no longer in use; the address ann2@example.org does not exist.",
    ),
    ("Out of Office AutoReply: What is new", "I no longer work here. This account is closed."),
    (
        "Abwesenheitsnotiz: Neues im Dezember",
        "Ich bin bis Montag nicht im Büro. Ihre Nachricht konnte nicht zugestellt werden.",
    ),
    ("Automatische Antwort: Neues", "Diese Adresse ist nicht mehr gültig."),
    ("Réponse automatique : Nouveautés", "Je suis absent. Cette adresse n'existe plus."),
    ("Respuesta automática: Novedades", "Estoy fuera de la oficina. La cuenta está desactivada."),
    ("Risposta automatica: novità", "Sono fuori ufficio."),
    ("AUTO: Ann is out of the office (returning 05/01)", "Note: This is an automated response to your message."),
    ("Autoreply: news", "The mailbox is full of holiday pictures."),
    ("Re: What is new in December", "Thanks, I am on holiday. Undelivered mail waits."),
    ("We have received your request [#1234]", "Your ticket is open. User unknown problems are answered first."),
)
_NOTE_HEADERS = (
    "Auto-Submitted: auto-replied\n",
    "Auto-Submitted: auto-replied (vacation)\nPrecedence: bulk\n",
    "X-Autoreply: yes\n",
    "Precedence: auto_reply\n",
    "X-Autorespond: What is new\nAuto-Submitted: auto-replied\n",
)


def automatic_replies() -> Iterator[Sample]:
    """Holiday notes, in their own words and languages, and services that want the sender to prove something."""
    for number, ((subject, text), more) in enumerate(itertools.product(_NOTES, _NOTE_HEADERS)):
        person, token = PEOPLE[number % 3], f"a{number:03}"
        head = _of(
            token, f"Ann <{person}>", _encoded(subject, "utf-8"), f"{more}In-Reply-To: <{token}@shop.example.org>\n"
        )
        yield Sample("note", _plain(text, head), AUTO, person, token, f"<{token}@shop.example.org>")
    challenge = (
        "Your message is waitlisted. Please click the link to confirm that you are a "
        "person so that your message is delivered."
    )
    head = _of(
        "ch0", "Ann <ann@example.org>", "Re: What is new (action required)", "In-Reply-To: <ch0@shop.example.org>\n"
    )
    yield Sample("challenge", _plain(challenge, head), AUTO, "ann@example.org", "ch0", "<ch0@shop.example.org>")


_WRITERS = (
    "Ann <ann@example.org>",
    "Ben <ben@example.org>",
    "Newsletter <news@letters.example.org>",
    "Postmaster <postmaster@example.org>",
    "Support <support@example.org>",
    "privacy@example.org",
)
_SUBJECTS = (
    "Question about your bounces",
    "Re: Undelivered Mail Returned to Sender",
    "Fwd: failure notice",
    "AW: Unzustellbar: Rechnung",
    "Invoice 1234",
    "Please delete my data",
    "How to avoid a full mailbox",
    "Out of office next week?",
    "Bounce rates explained",
    "Unsubscribe",
    "Re: Automatic reply: What is new",
    "Notes of the meeting",
    "TR: Echec de la remise",
    "Planned maintenance",
)
_TEXTS = (
    "Hello, my old address ann.old@example.org does not exist any more, please change it. Ann",
    "Our customers read: 550 5.1.1 <ben@example.org>: User unknown. What does that mean? Ben",
    (
        "I forward what I got.\n\n> This is the mail system at host mx.example.org.\n"
        ">\n> <ben@example.org>: User unknown in table\n"
    ),
    "Your last e-mail could not be delivered at first, because my mailbox is full. Now it is empty again. Chloe",
    "We close accounts that are inactive. Mailboxes over quota are disabled. No such user will be asked.",
    "See you on Monday.",
)


def others() -> Iterator[Sample]:
    """E-mails that report nothing, although they sound like it."""
    for number, (subject, text) in enumerate(itertools.product(_SUBJECTS, _TEXTS)):
        for writer in _WRITERS[number % 2 :: 2]:
            answers = "In-Reply-To: <x@shop.example.org>\n" if subject.startswith(("Re", "AW")) else ""
            head = (
                f"Return-Path: <ann@example.org>\nFrom: {writer}\n"
                f"To: privacy@shop.example.org\nSubject: {subject}\n"
                f"{answers}"
            )
            yield Sample("mail", _plain(text, lambda more, head=head: head + more), NONE)  # type: ignore[misc]
    first = next(bounces())
    for writer in _WRITERS[:3]:
        head = (
            f"From: {writer}\nTo: privacy@shop.example.org\n"
            'Subject: Undelivered mail\nContent-Type: multipart/mixed; boundary="=_o"\n'
            "\n--=_o\n"
        )
        text = (
            "Content-Type: text/plain\n\nMy mail could not be delivered, the report is attached. "
            "Why?\n--=_o\nContent-Type: message/rfc822\n"
            "\n"
        )
        yield Sample("attached", (head + text).encode() + first.raw + b"\n--=_o--\n", NONE)
    for action, status in (("delivered", "2.0.0"), ("relayed", "2.0.0"), ("expanded", "2.1.5")):
        fields = f"Final-Recipient: rfc822; ann@example.org\nAction: {action}\nStatus: {status}\n"
        head_of = _of("ok0", "MAILER-DAEMON@mx1.example.org", "Successful Mail Delivery Report")
        yield Sample(
            "receipt",
            _dsn(
                "Your message was delivered to <ann@example.org>",
                fields,
                _returned("ann@example.org", "ok0"),
                head=head_of,
            ),
            NONE,
            "ann@example.org",
        )
    for disposition in ("displayed", "deleted", "dispatched"):
        fields = (
            "Final-Recipient: rfc822; ann@example.org\n"
            "Original-Message-ID: <ok1@shop.example.org>\n"
            f"Disposition: manual-action/MDN-sent-manually; {disposition}\n"
        )
        head_of = _of("ok1", "Ann <ann@example.org>", "Read: What is new in December")
        yield Sample(
            "read",
            _dsn(
                "Your message was read.",
                fields,
                "",
                head=head_of,
                status_type="message/disposition-notification",
                returned_type="text/plain",
            ),
            NONE,
        )
    for type_ in ("auth-failure", "not-spam", "dkim"):
        yield complaint(type_, NONE)
    dmarc = (
        "From: noreply-dmarc-support@example.org\n"
        "To: dmarc@shop.example.org\nSubject: Report domain: shop.example.org Submitter: "
        "example.org\nContent-Type: application/zip\n"
        "Content-Transfer-Encoding: base64\n\nUEsDBBQ=\n"
    )
    yield Sample("dmarc", dmarc.encode(), NONE)
    tls = (
        "From: smtp-tls-reporting@example.org\nTo: tls@shop.example.org\n"
        "Subject: Report Domain: shop.example.org\n"
        'Content-Type: multipart/report; report-type=tlsrpt; boundary="=_t"\n'
        "\n--=_t\nContent-Type: text/plain\n\nAn aggregate TLS report.\n"
        "--=_t\nContent-Type: application/tlsrpt+gzip\n"
        "Content-Transfer-Encoding: base64\n\nH4sI\n"
        "--=_t--\n"
    )
    yield Sample("tls", tls.encode(), NONE)
