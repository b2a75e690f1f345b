"""The API as its description says: whatever is sent, it answers as described, and never with a fault of ours."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.parameters import ParameterLocation
from tests.service.requests.conftest import Office

from troth.service.api import tokens
from troth.service.api.framework import api
from troth.service.api.scopes import scopes
from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import CaseKind, Channel
from troth.service.newsletters.actions import plan
from troth.service.preferences.actions import record_choices
from troth.service.preferences.models import ChoiceState
from troth.service.preferences.rules import OWN_ACT, Scope, Source

pytestmark = pytest.mark.sampled

load_all_checks()
import_module("troth.service.urls")  # every duty's operations
DESCRIPTION: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/")))
OPERATIONS = [(method.upper(), path) for path, methods in DESCRIPTION["paths"].items() for method in methods]
WANTED = (
    # What positive_data_acceptance would ask for is more than a schema can say: a request names a right, a person is
    # named, a recipient is declared. The other ones that are left out follow links between operations.
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "ignored_auth",
)
CHECKED = [CHECKS.get_one(name) for name in WANTED]


CONTROL = "ours.doors_locked"
WAITING = f"controls: {{{CONTROL}: {{question: Were the doors locked?, pushed: {{}}, cannot_see: Windows.}}}}\n"
"""A control that waits for evidence."""
NEWSLETTER = """
newsletters:
  monthly:
    title: News
    purpose: news
    audience: {table: shop.customer, email: email, values: [name]}
    signup: true
"""


@dataclass(frozen=True)
class Program:
    """One with a token, and with a case that was closed and one that is open."""

    secret: str
    references: tuple[str, ...]
    edition: int


@pytest.fixture
def program(office: Office) -> Program:
    with (office.folder / "troth.yaml").open("a", encoding="utf-8") as declared:
        declared.write(WAITING + NEWSLETTER)
    now = office.now()
    secret = tokens.make("shop", scopes(), until=now + dt.timedelta(days=30), now=now)
    asked = CaseContent(address="ann@example.org", identifiers=(("email", "ann@example.org"),))
    closed, begun = (
        receive.receive(
            receive.Intake(CaseKind.REQUEST, asked, Channel.API, right="view", tier=tier), office.deployment, now=now
        )
        for tier in (3, 0)
    )
    office.work()
    wanted = Source("newsletters", "signup:0", OWN_ACT)
    ann, news, keyring = [("email", "ann@example.org")], [Scope.of("news")], office.deployment.keyring
    record_choices(ann, ChoiceState.GIVEN, news, wanted, keyring, now=now)
    edition = plan("# News\n\ntext", "monthly", office.deployment.without_own, actor="ps1:" + "0" * 32, now=now).edition
    return Program(secret, (closed.reference, begun.reference), edition.pk)


def _try(
    method: str,
    path: str,
    *,
    examples: int,
    mode: GenerationMode = GenerationMode.POSITIVE,
    secret: str = "",
    references: Sequence[str] = (),
    edition: int = 0,
) -> Counter[int]:
    """Send *examples* different things to one operation, and hold each answer against the description."""
    described = schemathesis.openapi.from_dict(DESCRIPTION)
    described.app = get_wsgi_application()
    headers = {"Host": "localhost", **({"Authorization": f"Bearer {secret}"} if secret else {})}
    known, statuses = itertools.cycle(references), Counter[int]()

    @seed(20261124)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        if references and "{reference}" in path:
            case.path_parameters = {"reference": next(known)}
        if "{name}" in path:
            case.path_parameters = {"name": "monthly"}
        if edition and "{edition}" in path:
            case.path_parameters = {**case.path_parameters, "edition": edition}
        if "{control}" in path:
            case.path_parameters = {"control": CONTROL}
        assume(mode is GenerationMode.POSITIVE or _is_wrong_on_arrival(case, method, path))
        answer = case.call(headers=headers)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKED, headers=headers)

    send()
    return statuses


def _is_wrong_on_arrival(case: Any, method: str, path: str) -> bool:
    """Whether what was made wrong is still wrong when it is sent: an unknown parameter without a value goes missing on
    the way, and the token that was left out is ours to add."""
    wrong = {where for where, how in case.meta.components.items() if how.mode is GenerationMode.NEGATIVE}
    known = {
        it["name"] for it in DESCRIPTION["paths"][path][method.lower()].get("parameters", ()) if it["in"] == "query"
    }
    unknown = [name for name, value in (case.query or {}).items() if name not in known and value not in (None, [], {})]
    return bool(unknown) or not wrong <= {ParameterLocation.QUERY, ParameterLocation.HEADER}


def _right(method: str, path: str, program: Program, examples: int) -> None:
    found = _try(
        method, path, examples=examples, secret=program.secret, references=program.references, edition=program.edition
    )
    for body in _examples(method, path):
        sent = Client().generic(
            method,
            _of_known(path, program),
            json.dumps(body),
            "application/json",
            headers={"Authorization": f"Bearer {program.secret}"},
        )
        found[sent.status_code] += 1
    assert found.keys() <= {200, 201, 202, 403, 404, 409, 422}
    assert found.keys() & _done(path), "it was reached"


def _done(path: str) -> set[int]:
    """The statuses of what was done; nothing that is made up is the hash of a plan."""
    return {409} if path.endswith("/start") else {200, 201, 202}


def _of_known(path: str, program: Program) -> str:
    known = {"{control}": CONTROL, "{name}": "monthly", "{edition}": str(program.edition)}
    return functools.reduce(lambda path, name: path.replace(name, known[name]), known, path)


def _wrong(method: str, path: str, program: Program, examples: int) -> None:
    operation = DESCRIPTION["paths"][path][method.lower()]
    if not operation.get("parameters") and "requestBody" not in operation:
        return  # nothing can be wrong with it
    found = _try(method, path, examples=examples, mode=GenerationMode.NEGATIVE, secret=program.secret)
    assert found.keys() <= {200, 400, 401, 404, 422}


def test_every_reference_leads_to_a_schema() -> None:
    named = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(DESCRIPTION)))
    assert named - DESCRIPTION["components"]["schemas"].keys() == set()


@pytest.mark.few(4)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_the_description_allows_is_answered_as_described(
    office: Office,
    program: Program,
    method: str,
    path: str,
) -> None:
    _right(method, path, program, 10)


@pytest.mark.few(4)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_it_does_not_allow_is_refused_as_described(
    office: Office,
    program: Program,
    method: str,
    path: str,
) -> None:
    _wrong(method, path, program, 10)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_without_a_token_everything_is_refused(office: Office, method: str, path: str) -> None:
    assert _try(method, path, examples=3).keys() == {401}


@pytest.mark.soak
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_many_more_things_are_answered_as_described(
    office: Office,
    program: Program,
    method: str,
    path: str,
) -> None:
    _right(method, path, program, 300)
    _wrong(method, path, program, 300)


# --- what the description says ----------------------------------------------------------------------------------------


def _examples(method: str, path: str) -> list[Any]:
    content = DESCRIPTION["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    each = schema.get("items", schema)
    named = DESCRIPTION["components"]["schemas"].get(each.get("$ref", "").rpartition("/")[2], {})
    examples: list[Any] = named.get("examples", [])
    return [examples] if "items" in schema else examples


@pytest.mark.parametrize(("method", "path"), [each for each in OPERATIONS if _examples(*each)])
def test_every_example_is_good(office: Office, program: Program, method: str, path: str) -> None:
    for body in _examples(method, path):
        answer = Client().generic(
            method,
            _of_known(path, program),
            json.dumps(body),
            "application/json",
            headers={"Authorization": f"Bearer {program.secret}"},
        )
        assert answer.status_code in _done(path), answer.content


def test_every_operation_says_what_it_needs_and_what_may_go_wrong() -> None:
    for method, path in OPERATIONS:
        operation = DESCRIPTION["paths"][path][method.lower()]
        assert operation["description"], path
        assert operation["x-scope"] in set(scopes())
        assert operation["security"] == [{"token": []}]
        assert {"400", "401", "403", "422", "500"} <= operation["responses"].keys()
        for status, answer in operation["responses"].items():
            assert (status >= "400") == ("$ref" in answer), path


def test_every_body_has_an_example() -> None:
    with_body = [each for each in OPERATIONS if "requestBody" in DESCRIPTION["paths"][each[1]][each[0].lower()]]
    assert [each for each in with_body if not _examples(*each)] == []


def test_an_address_that_is_none_is_a_problem_too() -> None:
    answer = Client().get("/api/v1/people")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused_and_the_right_ones_named(method: str) -> None:
    answer = Client().generic(method, "/api/v1/requests")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST")
    assert answer["Content-Type"] == "application/problem+json"
