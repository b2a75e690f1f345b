"""Bounces and complaints: reads what comes back to e-mails that were sent. Values in, values out; needs no Django.

`read_report` reads an incoming e-mail; `judge` the answer of a server that refused a message at once;
`envelope_sender` and `token_in` make and read the address that reports go to.
"""

from troth.service.mail.bounces.replies import Judgement, ReportKind, judge
from troth.service.mail.bounces.reports import Outcome, Report, read_report
from troth.service.mail.bounces.verp import envelope_sender, token_in

__all__ = ["Judgement", "Outcome", "Report", "ReportKind", "envelope_sender", "judge", "read_report", "token_in"]
