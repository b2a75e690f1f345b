"""Which purposes need an impact assessment: each criterion can be met or not, and silence is never a no."""

from __future__ import annotations

import datetime as dt

from tests.reports.companies import example, small
from tests.tables import each_row

from troth.declaration import Declaration
from troth.reports import RiskVerdict, Screening, lists, screen, screening_data, screening_markdown

TODAY = dt.date(2026, 11, 27)
NO = (
    "people: 10, evaluates: false, decides: false, monitors: false, public_area: false, matches: false, "
    "vulnerable: [], new_technology: false, prevents: false, unseen: false, physical_harm: false"
)


def singing(risk: str = "", *, data: str = "user.contact", use: str = "essential.service", **more: str) -> Declaration:
    """The choir; *risk* replaces the statements of the same keys, which all say no."""
    return small(
        **{"data: [user]}": f"data: [{data}], risk: {{{_with(NO, risk)}}}}}", "essential.service": use, **more}
    )


def _with(stated: str, changed: str) -> str:
    words = {each.partition(":")[0].strip(): each.strip() for each in stated.split(", ")}
    for each in filter(None, changed.split("; ")):
        words[each.partition(":")[0].strip()] = each
    return ", ".join(words.values())


def one(declaration: Declaration, on: dt.date = TODAY) -> Screening:
    (screened,) = screen(declaration, on=on)
    return screened


def test_nothing_is_asked_for_where_everything_is_stated_and_harmless() -> None:
    screened = one(singing())
    assert (screened.verdict, screened.met, screened.questions) == (RiskVerdict.NOT_INDICATED, (), ())


HEALTH = "user.health_and_medical"
CASES = {
    "decisions": {"risk": "evaluates: true; decides: true"},
    "special_large": {"risk": "people: 10000", "data": HEALTH},
    "public_area": {"risk": "monitors: true; public_area: true; large_scale: true"},
    "evaluation": {"risk": "evaluates: true"},
    "decision": {"risk": "decides: true"},
    "monitoring": {"risk": "monitors: true"},
    "sensitive": {"data": HEALTH},
    "scale": {"risk": "large_scale: true"},
    "matching": {"risk": "matches: true"},
    "vulnerable": {"risk": "vulnerable: [children]"},
    "innovation": {"risk": "new_technology: true"},
    "prevention": {"risk": "prevents: true"},
    "innovative": {"risk": "new_technology: true; matches: true"},
    "denial": {"risk": "prevents: true", "data": HEALTH},
    "profiling": {"risk": "evaluates: true; people: 20000"},
    "biometric": {
        "risk": "monitors: true",
        "data": "user.biometric",
        "user.health_and_medical": "user.biometric.retinal",
    },
    "genetic": {"risk": "matches: true", "data": HEALTH, "user.health_and_medical": "user.health_and_medical.genetic"},
    "data_matching": {"risk": "matches: true"},
    "invisible": {"risk": "unseen: true; matches: true"},
    "tracking": {"risk": "matches: true", "data": "user.location", "user.health_and_medical": "user.location.precise"},
    "targeting": {"risk": "vulnerable: [children]", "use": "marketing.advertising"},
    "harm": {"risk": "physical_harm: true"},
}


@each_row("criterion", [each.id for listed in lists() for each in listed.criteria])
def test_every_criterion_is_met_by_what_it_says_and_by_nothing_less(criterion: str) -> None:
    met = {each.criterion.id: each.why for each in one(singing(**CASES[criterion])).met}
    assert met[criterion]
    assert criterion not in {each.criterion.id for each in one(singing()).met}


def test_one_criterion_of_wp_248_is_not_enough_and_two_are() -> None:
    german = {"country: GB": "country: DE"}  # where the ICO has no say
    assert one(singing("matches: true", **german)).verdict is RiskVerdict.NOT_INDICATED
    assert one(singing("matches: true; prevents: true", **german)).verdict is RiskVerdict.LIKELY


def test_a_criterion_that_needs_another_does_not_count_itself() -> None:
    alone = one(singing("new_technology: true"))
    assert [each.criterion.id for each in alone.met] == ["innovation"]
    assert alone.verdict is RiskVerdict.NOT_INDICATED


def test_what_is_not_stated_is_asked_for_and_is_no_answer() -> None:
    silent = one(small())
    assert silent.verdict is RiskVerdict.OPEN
    assert "purposes.singing.risk.people" in [each.path for each in silent.questions]
    assert len({each.path for each in silent.questions}) == len(silent.questions)


def test_what_could_change_nothing_is_not_asked_for() -> None:
    required = one(singing("physical_harm: true; evaluates: null"))
    assert (required.verdict, required.questions) == (RiskVerdict.REQUIRED, ())


def test_an_assessment_is_due_until_one_is_declared() -> None:
    made = "risk: {physical_harm: true, assessment: {file: dpia.pdf, on: 2026-01-01}}"
    assert one(singing("physical_harm: true")).is_due
    assert not one(small(**{"data: [user]": f"data: [user], {made}"})).is_due


def test_before_the_lists_applied_nothing_asked() -> None:
    assert one(singing("physical_harm: true"), dt.date(2018, 5, 24)).verdict is RiskVerdict.NO_LIST


def test_a_company_that_no_list_reaches_is_not_screened_and_not_cleared() -> None:
    abroad = one(singing("physical_harm: true", **{"country: GB": "country: JP"}))
    assert (abroad.verdict, abroad.met, abroad.is_due) == (RiskVerdict.NO_LIST, (), False)
    text = screening_markdown([abroad, abroad])
    assert text.count("the GDPR, which is not declared to apply") == 1
    assert "No list asks for an assessment" not in text


def test_a_company_abroad_that_serves_people_in_the_union_is_screened() -> None:
    assert one(small("requests: {serves: [DE]}\n", **{"country: GB": "country: US"})).verdict is RiskVerdict.OPEN


def test_the_example_companys_calls_need_one_and_have_one() -> None:
    calls = {each.purpose: each for each in screen(example(), on=TODAY)}["transcription"]
    assert calls.verdict is RiskVerdict.REQUIRED
    assert calls.assessment is not None
    assert not any(each.is_due for each in screen(example(), on=TODAY))


def test_the_text_and_the_data_name_each_criterion_with_its_source() -> None:
    screened = screen(example(), on=TODAY)
    text, data = screening_markdown(screened), screening_data(screened)
    for each in screened:
        for met in each.met:
            assert met.criterion.cite in text
            assert met.criterion.cite in str(data)
