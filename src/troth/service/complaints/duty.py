"""Complaints, questions about the policy, and appeals."""

from __future__ import annotations

from collections.abc import Mapping

from troth.service.duty import CaseType, CentreLink, Duty
from troth.service.duty import marked as _
from troth.service.mail.facts import REDRESS, date, line, link, one_of, prose
from troth.service.mail.message_kinds import MessageKind

_MESSAGES: Mapping[str, MessageKind] = {
    "complaint_acknowledged": MessageKind(
        {"received": date},
        {"due": date, "status": link, **{name: shape for name, shape in REDRESS.items() if name != "complaint_link"}},
    ),
    "complaint_outcome": MessageKind(
        {"received": date, "outcome": prose}, {"remedy": prose, "status": link, **REDRESS}
    ),
    "appeal_answered": MessageKind(
        {"received": date, "answer": prose, "granted": one_of("yes", "no")}, {"cite": line, "status": link, **REDRESS}
    ),
    "question_acknowledged": MessageKind({"received": date, "due": date}, {"status": link}),
    "question_answered": MessageKind(
        {"received": date, "answer": prose}, {"asked": prose, "clause": prose, "link": link}
    ),
}

_CASES = (
    CaseType(
        name="appeal",
        kind="request",
        letter="R",
        title=_("Look at an answer again"),
        label=_("Look again"),
        handling="troth.service.complaints.handling:AppealHandling",
        answer_by={"standards": "answer_appeal", "*": "answer", "ccpa": ""},
        confirm_by={"*": "confirm", "ccpa": ""},
        is_followup=True,
    ),
    CaseType(
        name="complaint",
        kind="complaint",
        letter="C",
        title=_("Your complaint"),
        label=_("Complaint"),
        handling="troth.service.complaints.handling:ComplaintHandling",
        answer_by={"*": "answer", "ccpa": ""},
        confirm_by={"*": "acknowledge_complaint", "ccpa": ""},
        acknowledged="complaint_acknowledged",
    ),
    CaseType(
        name="question",
        kind="question",
        letter="Q",
        title=_("Your question"),
        label=_("Question"),
        handling="troth.service.complaints.handling:QuestionHandling",
        answer_by={"standards": "answer_question"},
        acknowledged="question_acknowledged",
    ),
)

DUTY = Duty(
    cases=_CASES,
    messages=_MESSAGES,
    controls="troth.service.complaints.controls",
    rehearsal="troth.service.complaints.rehearsal",
    after={"case.closed": ("complaints.acknowledged", "complaints.questions_answered")},
    urls=(("your-data/", "troth.service.complaints.urls"),),
    centre=(
        CentreLink(
            "centre-complain",
            _("Complain"),
            _("To us first if you like, or to the %(regulator)s"),
            place=100,
            alone=_("To us first if you like, or to the regulator"),
        ),
        CentreLink("centre-question", _("Ask"), _("About a sentence of our privacy policy"), place=900),
    ),
)
