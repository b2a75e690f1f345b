"""Finds what a notice must say and the declaration does not: nothing is invented, so the build fails and says where
each fact goes."""

from __future__ import annotations

from collections.abc import Iterator

from troth.declaration import Basis, Declaration, Problem, covers, is_special
from troth.errors import TrothError
from troth.law import regime
from troth.law.places import EEA, FREE_FLOW
from troth.policy.render.content import NoticeContent, PeriodFact
from troth.policy.render.facts import stored

_GDPR = ("gdpr", "uk")
_CALIFORNIA = ("caloppa", "ccpa")


class NoticeIncomplete(TrothError):
    """A truthful notice cannot be rendered. *problems* lists everything that is missing, and where it goes."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


def missing_from(declaration: Declaration, content: NoticeContent) -> list[Problem]:
    """Everything that the applicable laws require in a notice and that the declaration does not state."""
    return [
        declaration.problem("notice-missing", path, f"{what} ({why})", fix)
        for rule in _RULES
        for path, what, why, fix in rule(declaration, content)
    ]


_Gap = tuple[str, str, str, str]
"""Path in the declaration, what is missing, the law that requires it, and the fix."""


def _controller(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    organisation = declaration.organisation
    if content.has(*_GDPR) and not organisation.regulator:
        fix = "add 'regulator', such as ICO or the name of the authority"
        yield "organisation", "no authority to complain to is declared", "GDPR Art. 13(2)(d)", fix
    places = {"gdpr": EEA, "uk": {"GB"}}
    for law, established in places.items():
        if content.has(law) and organisation.country not in established and content.representative is None:
            fix = "add 'representative: {name: …, address: …, email: …}'"
            yield "organisation", f"no representative is declared for the {regime(law).name}", "GDPR Art. 27", fix


def _purposes(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    if not declaration.purposes:
        yield "purposes", "no purpose is declared", "GDPR Art. 13(1)(c)", "declare what data is used for"
    for name, purpose in declaration.purposes.items():
        if purpose.basis is Basis.LEGITIMATE_INTERESTS and not purpose.interests:
            yield f"purposes.{name}", "the interests are not declared", "GDPR Art. 13(1)(d)", "add 'interests'"
        special = any(is_special(key) and covers(broad, key) for broad in purpose.data for key in stored(declaration))
        if content.has(*_GDPR) and special and purpose.role == "controller" and not purpose.condition:
            fix = "add 'condition', such as explicit_consent or health_care"
            yield f"purposes.{name}", "no condition for using special categories is declared", "GDPR Art. 9(2)", fix
    for key in stored(declaration):
        if not any(covers(broad, key) for purpose in declaration.purposes.values() for broad in purpose.data):
            yield "purposes", f"nothing says what {key} is used for", "GDPR Art. 13(1)(c)", "add it to a purpose"


def _points(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    for name, point in declaration.collection_points.items():
        path = f"collection_points.{name}"
        for column, field in point.fields.items():
            if field.category is None:
                what = f"nothing says what kind of data '{column}' is"
                yield f"{path}.fields.{column}", what, "GDPR Art. 13(1)(c)", "add 'category'"
        if content.has(*_GDPR) and not point.without and any(each.need == "required" for each in point.fields.values()):
            fix = "add 'without: we cannot …'"
            yield path, "what happens without the required fields is not declared", "GDPR Art. 13(2)(e)", fix


def _sources(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    asked = [each.category for point in declaration.collection_points.values() for each in point.fields.values()]
    known = [key for key in asked if key] + [k for it in declaration.notice.sources.values() for k in it.data]
    for key in stored(declaration):
        if not any(covers(one, key) or covers(key, one) for one in known):
            fix = "declare the collection point that asks for it, or add it to one of 'notice.sources'"
            yield "notice.sources", f"nothing says where {key} comes from", "GDPR Art. 14(2)(f)", fix


def _recipients(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    free = FREE_FLOW | {declaration.organisation.country}
    for name, one in declaration.recipients.items():
        if content.has(*_GDPR) and one.country not in free and not one.safeguard:
            fix = "add 'safeguard', such as adequacy, scc, idta, dpf or uk_bridge"
            yield f"recipients.{name}", f"no safeguard for data in {one.country}", "GDPR Art. 13(1)(f)", fix


def _periods(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    told = [row.data for row in content.rows["periods"] if isinstance(row, PeriodFact)]
    for key in stored(declaration):
        if not any(covers(broad, key) for several in told for broad in several):
            fix = "add a rule under 'retention', or 'keep' to the table"
            yield "retention", f"nothing says how long {key} stays", "GDPR Art. 13(2)(a)", fix
    for (name, rule), row in zip(declaration.retention.items(), content.rows["periods"], strict=False):
        if isinstance(row, PeriodFact) and not row.starts:
            what = f"'{rule.from_}' does not say in words when the period starts"
            yield f"retention.{name}", what, "GDPR Art. 13(2)(a)", "add 'starts', such as 'you signed in'"


def _cookies(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    for name, cookie in declaration.cookies.items():
        if not cookie.why:
            yield f"cookies.{name}", "nothing says what it is for", "PECR 6(2)(a)", "add 'why'"


def _answers(declaration: Declaration, content: NoticeContent) -> Iterator[_Gap]:
    """Statements that only a person can make."""
    notice = declaration.notice
    if content.has(*_GDPR) and notice.decisions is None:
        fix = "add 'decisions: none', or the decisions that a machine makes alone"
        yield "notice", "automated decisions are not declared", "GDPR Art. 13(2)(f)", fix
    if notice.children is None:
        fix = "add 'children: none', or the age from which one needs no parent"
        yield "notice", "whether you serve children is not declared", "GDPR Art. 8; COPPA", fix
    if content.has(*_CALIFORNIA) and notice.signals is None:
        fix = "add 'signals: {gpc: honoured, dnt: ignored}'"
        yield "notice", "how browser signals are treated is not declared", "Cal. B&P 22575(b)(5)", fix
    if content.has("caloppa") and notice.elsewhere is None:
        fix = "add 'elsewhere: none', or the recipients that track them"
        yield "notice", "whether others track people across sites is not declared", "Cal. B&P 22575(b)(6)", fix
    if content.has("ccpa") and not content.sells and notice.sold_before is None:
        fix = "add 'sold_before: none', if nothing was sold or shared in the past twelve months"
        yield "notice", "whether data was sold before is not declared", "Cal. Civ. Code 1798.130(a)(5)(C)", fix
    if notice.changes is None:
        fix = "add 'changes: {how: [email, site], days_before: 30}'"
        yield (
            "notice",
            "how people are informed of changes is not declared",
            "Cal. B&P 22575(b)(3); GDPR Art. 13(3)",
            fix,
        )


_RULES = (_controller, _purposes, _points, _sources, _recipients, _periods, _cookies, _answers)
