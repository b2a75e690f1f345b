"""What each reader gets to see, and what every answer tells the browser."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings
from tests.rig.second_person import approve_all

from troth.controls import Check, CheckOutcome, ControlFinding, Evidence, catalogue
from troth.ledger import receipt_extra, verify_receipt
from troth.protect import Keyring
from troth.service import pages
from troth.service.assurance import jobs
from troth.service.configuration import Settings
from troth.service.core import checks
from troth.service.core.deployment import load_deployment
from troth.service.core.jobs.queue import enqueue
from troth.service.core.keys import make_keys

pytestmark = pytest.mark.sampled

POLICY = """\
# Privacy policy

We keep our word. [Write to us](mailto:privacy@example.org) or [not](javascript:alert(1)).

## What happens to your data

- We finish every deletion that we begin.
- The ledger is never altered.

| What | How long |
|---|---|
| Your account | three years |

## Who else sees it

Nobody sells it. Our databases speak TLS. We mean it <script>alert(1)</script>.
"""
DECLARED = """
troth: 1
organisation:
  {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org, site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-11-01, publish: {status: PUBLISH}}
promises:
  - {quote: We finish every deletion that we begin., owner: dpo@example.org, controls: [core.runs_finished]}
  - {quote: The ledger is never altered., owner: dpo@example.org, controls: [ledger.intact]}
  - {quote: Our databases speak TLS., owner: dpo@example.org, controls: [stores.transport_encrypted]}
  - quote: Nobody sells it.
    owner: dpo@example.org
    attest: {by: ann@example.org, says: I sign every contract, on: 2026-11-01, until: 2027-11-01}
"""
REMOTE = "203.0.113.7"


@pytest.fixture
def site(database: str, tmp_path: Path, settings: DjangoSettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A company whose status is for staff; `publish` opens it. Its checks are in the database."""
    keys = Keyring(b"\x01" * 32)
    make_keys(tmp_path)
    (tmp_path / "policy.md").write_text(POLICY)
    told = Settings.read({"TROTH_HOME": str(tmp_path), "TROTH_DECLARATION": str(tmp_path / "troth.yaml")})
    settings.TROTH = told
    monkeypatch.setattr(pages, "keyring", lambda home: keys)
    publish(tmp_path, "staff")
    here = load_deployment(told)
    approve_all(here.declaration)
    for id_, outcome in (("core.runs_finished", CheckOutcome.FAIL), ("ledger.intact", CheckOutcome.PASS)):
        checks.keep(_check(id_, outcome, here.looked_at_hash))
    jobs.run_due(timezone.now(), checks=False, deployment=here.but(keyring=keys))
    return tmp_path


def publish(home: Path, audience: str) -> None:
    (home / "troth.yaml").write_text(DECLARED.replace("PUBLISH", audience))


def _check(id_: str, outcome: CheckOutcome, declaration: str) -> Check:
    now = timezone.now()
    control, scope = catalogue()[id_], frozenset({"journal"})
    findings = (ControlFinding("run r-1", "is not finished", "resume it"),) if outcome is CheckOutcome.FAIL else ()
    evidence = Evidence(scope, scope, population=1234, tested=1234)
    summary = "1,234 runs, 1 half done." if findings else "1,234 entries."
    at, until = now - dt.timedelta(minutes=3), now + dt.timedelta(days=1)
    return Check(id_, control.version, outcome, summary, at, until, declaration, evidence, {"runs": 1234}, findings)


@pytest.fixture
def visitor() -> Client:
    """Someone elsewhere on the internet."""
    return Client(REMOTE_ADDR=REMOTE, headers={"host": "localhost"})


@pytest.fixture
def staff(site: Path) -> Client:
    client = Client(REMOTE_ADDR=REMOTE, headers={"host": "localhost"})
    client.force_login(User.objects.create_user("ann", is_staff=True))
    return client


def text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def test_the_notice_is_plain_and_needs_no_script(site: Path, visitor: Client) -> None:
    page = text(visitor, "/policy/")
    assert "We finish every deletion that we begin." in page
    assert '<h2 id="what-happens-to-your-data">' in page
    assert "<td>" in page
    assert "mark" not in page
    assert "<script" not in page
    assert 'href="javascript:' not in page
    assert "/policy/status/" not in page


def test_the_notice_links_to_the_status_once_it_is_published(site: Path, visitor: Client) -> None:
    publish(site, "public")
    assert "/policy/status/" in text(visitor, "/policy/")


def test_the_status_is_private_by_default(site: Path, visitor: Client) -> None:
    response = visitor.get("/policy/status/")
    assert response.status_code == 302
    assert response["Location"].startswith("/staff/sign-in")
    assert visitor.get("/policy/status.json").status_code == 403
    assert visitor.get("/ledger/receipt/0").status_code == 404


def test_someone_who_is_not_staff_sees_no_more(site: Path, visitor: Client) -> None:
    visitor.force_login(User.objects.create_user("ben"))
    assert visitor.get("/policy/status/").status_code == 302


def test_staff_see_figures_findings_and_owners(staff: Client) -> None:
    page = text(staff, "/policy/status/")
    assert "1,234 runs, 1 half done" in page
    assert "run r-1" in page
    assert "dpo@example.org" in page
    assert "Work that was never begun, work that a store refused" in page


def test_the_public_sees_statuses_without_findings_owners_or_exact_figures(site: Path, visitor: Client) -> None:
    publish(site, "public")
    page = text(visitor, "/policy/status/")
    assert "1,000–9,999" in page
    for secret in ("1,234", "run r-1", "dpo@example.org", "ann@example.org"):
        assert secret not in page
    assert "4 promises: 2 checked here, 1 checked but not shown, 1 on somebody’s word alone, 0 with nothing" in page


def test_a_network_control_is_never_public(site: Path, visitor: Client) -> None:
    publish(site, "public")
    [hidden] = [p for p in visitor.get("/policy/status.json").json()["promises"] if "TLS" in p["quote"]]
    assert (hidden["status"], hidden["since"], hidden["receipt"], hidden["checks"]) == (None, None, None, [])


def test_staff_can_look_as_the_public_does_and_the_public_not_as_staff(
    site: Path, staff: Client, visitor: Client
) -> None:
    publish(site, "public")
    assert "dpo@example.org" not in text(staff, "/policy/status/?as=public")
    assert "dpo@example.org" not in text(visitor, "/policy/status/?as=staff")
    assert "dpo@example.org" not in text(visitor, "/policy/status/?as=nonsense")


def test_development_shows_everything_to_this_machine_and_says_so(site: Path) -> None:
    page = text(Client(headers={"host": "localhost"}), "/policy/status/")
    assert "Development: everything is shown" in page
    assert "Nobody outside sees this page" in page


def test_the_json_has_the_same_facts(site: Path, staff: Client) -> None:
    facts = staff.get("/policy/status.json").json()
    assert facts["tally"]["by_status"] == {"kept": 1, "stated": 1, "waived": 0, "unproven": 1, "broken": 1}
    assert facts["promises"][0]["checks"][0]["figures"] == {"runs": 1234}


def test_a_receipt_proves_its_entry_offline(site: Path, visitor: Client) -> None:
    publish(site, "public")
    facts = visitor.get("/policy/status.json").json()
    proof = text(visitor, f"/ledger/receipt/{facts['promises'][0]['receipt']}.tlog-proof")
    key = str(Keyring(b"\x01" * 32).signer("localhost/troth").verifier)
    entry = verify_receipt(proof, key=key, entry_bytes=receipt_extra(proof))
    assert (entry.kind, entry.fields["after"]) == ("promise.changed", "broken")
    assert key.replace("+", "+") in text(visitor, "/ledger/").replace("&#x2B;", "+")


def test_the_public_gets_receipts_of_what_it_is_shown_only(site: Path, visitor: Client, staff: Client) -> None:
    publish(site, "public")
    shown = {p["receipt"] for p in visitor.get("/policy/status.json").json()["promises"]}
    every = {p["receipt"] for p in staff.get("/policy/status.json").json()["promises"]}
    [hidden] = every - shown
    assert visitor.get(f"/ledger/receipt/{hidden}").status_code == 404
    assert staff.get(f"/ledger/receipt/{hidden}").status_code == 200
    assert staff.get("/ledger/receipt/99999999999999999999").status_code == 404


def test_checkpoint_and_tiles_are_for_everyone(site: Path, visitor: Client) -> None:
    assert text(visitor, "/ledger/checkpoint").startswith("localhost/troth\n")
    size = int(text(visitor, "/ledger/checkpoint").splitlines()[1])
    tile = visitor.get(f"/ledger/tile/0/000.p/{size}")
    assert len(tile.content) == 32 * size
    for path in ("0/000", "entries/000", "0/000.p/x", "../../etc/passwd"):
        assert visitor.get(f"/ledger/tile/{path}").status_code == 404
    assert visitor.get("/ledger/tile/0/%00").status_code == 400


def test_every_page_keeps_browsers_strict(site: Path, staff: Client) -> None:
    for path in ("/policy/", "/policy/status/", "/ledger/", "/ledger/receipt/0", "/staff/sign-in", "/nothing-here"):
        response = staff.get(path)
        assert "default-src 'none'" in response["Content-Security-Policy"]
        has_form = "csrfmiddlewaretoken" in response.content.decode()
        assert response["Referrer-Policy"] == ("same-origin" if has_form else "no-referrer")
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in response["Permissions-Policy"]
        assert "no-store" in response["Cache-Control"]
        assert "style=" not in response.content.decode()


def test_signing_in_opens_the_status(site: Path, visitor: Client) -> None:
    User.objects.create_user("ann", password="correct horse battery", is_staff=True)
    wrong = visitor.post("/staff/sign-in", {"login": "ann", "password": "wrong"})
    assert "is wrong" in wrong.content.decode()
    signed_in = visitor.post(
        "/staff/sign-in", {"login": "ann", "password": "correct horse battery", "next": "/policy/status/"}
    )
    assert signed_in["Location"] == "/policy/status/"
    text(visitor, "/policy/status/")
    assert visitor.post("/staff/sign-out").status_code == 302
    assert visitor.get("/policy/status/").status_code == 302


def test_signing_in_leads_nowhere_else(site: Path, visitor: Client) -> None:
    User.objects.create_user("ann", password="correct horse battery", is_staff=True)
    answer = visitor.post(
        "/staff/sign-in", {"login": "ann", "password": "correct horse battery", "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/console/"


def test_a_form_without_its_token_is_refused_politely(site: Path) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    answer = client.post("/staff/sign-in", {"login": "ann", "password": "x"})
    assert answer.status_code == 403
    assert "We could not accept that form" in answer.content.decode()


def test_security_txt_says_whom_to_write_to(site: Path, visitor: Client) -> None:
    lines = dict(line.split(": ", 1) for line in text(visitor, "/.well-known/security.txt").splitlines())
    assert lines["Contact"] == "mailto:privacy@example.org"
    expires = dt.datetime.fromisoformat(lines["Expires"])
    assert dt.timedelta(days=30) < expires - timezone.now() < dt.timedelta(days=365)


def test_gpc_json_says_that_signals_are_honoured(site: Path, visitor: Client) -> None:
    assert visitor.get("/.well-known/gpc.json").json() == {"gpc": True, "lastUpdate": "2026-11-01"}


def test_every_page_leads_to_the_choice_about_cookies_where_there_is_one(site: Path, visitor: Client) -> None:
    link = '<a href="http://localhost:8000/cookies/">Cookies</a>'
    assert [link in text(visitor, path) for path in ("/policy/", "/your-data/")] == [False, False]
    with (site / "troth.yaml").open("a") as declared:
        declared.write("cookies: {visit: {purpose: statistics, lifetime: 30 days}}\n")
    assert [link in text(visitor, path) for path in ("/policy/", "/your-data/")] == [True, True]


def test_a_broken_declaration_leaves_the_last_reading_in_force(site: Path, visitor: Client) -> None:
    text(visitor, "/policy/")
    (site / "troth.yaml").write_text("troth: [")
    assert "We finish every deletion" in text(visitor, "/policy/")


def test_without_a_declaration_the_reason_is_shown_in_development(
    site: Path, visitor: Client, tmp_path: Path, settings: DjangoSettings
) -> None:
    elsewhere = str(tmp_path / "elsewhere.yaml")
    settings.TROTH = Settings.read({"TROTH_DECLARATION": elsewhere})
    assert "elsewhere.yaml" in text(visitor, "/policy/", 503)
    assert visitor.get("/policy/status.json").status_code == 503
    assert visitor.get("/.well-known/security.txt").status_code == 404


def test_an_unknown_host_is_refused(site: Path) -> None:
    assert Client(headers={"host": "evil.example"}).get("/policy/").status_code == 400


def test_only_reading_is_allowed(site: Path, visitor: Client) -> None:
    for path in ("/policy/", "/policy/status/", "/ledger/checkpoint", "/ledger/receipt/0"):
        assert visitor.post(path).status_code == 405


# --- how the service is ----------------------------------------------------------------------------------------------


def test_who_watches_us_is_told_how_we_are_and_nothing_else(site: Path, visitor: Client) -> None:
    assert visitor.get("/health/live").json() == {"live": True}
    answer = visitor.get("/health/ready")
    assert answer.json() == {
        "ready": True,
        "causes": [],
        "database": True,
        "declaration": True,
        "work": "nobody",
    }
    assert "no-store" in answer.headers["Cache-Control"]
    assert not answer.cookies


def test_work_that_nobody_takes_up_is_told(site: Path, visitor: Client) -> None:
    enqueue("demo", "R-1", not_before=timezone.now() - dt.timedelta(hours=1))
    assert visitor.get("/health/ready").json()["work"] == "behind"


def test_every_promise_that_is_checked_can_be_asked_about(site: Path, staff: Client) -> None:
    asked = re.findall(r'href="(/your-data/ask/\?clause=[^"]+)"', text(staff, "/policy/status/"))
    assert len(asked) >= 2
    assert "<blockquote>We finish every deletion that we begin.</blockquote>" in text(staff, asked[0])


def test_the_logo_is_a_picture_from_the_companys_folder(site: Path, visitor: Client) -> None:
    assert "<img" not in text(visitor, "/policy/")
    assert visitor.get("/policy/logo").status_code == 404
    (site / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (site.parent / "logo.svg").write_text("<svg/>")
    (site / "large.png").write_bytes(b"x" * 100_001)
    declared = DECLARED.replace("PUBLISH", "public")
    for name, status in (
        ("logo.svg", 200),
        ("../logo.svg", 404),
        ("/etc/passwd", 404),
        ("troth.yaml", 404),
        ("large.png", 404),
        ("gone.png", 404),
    ):
        (site / "troth.yaml").write_text(declared.replace("name: Example Ltd", f"name: Example Ltd, logo: {name}"))
        response = visitor.get("/policy/logo")
        assert response.status_code == status, name
    (site / "troth.yaml").write_text(declared.replace("name: Example Ltd", "name: Example Ltd, logo: logo.svg"))
    assert "sandbox" in visitor.get("/policy/logo")["Content-Security-Policy"]
    assert '<img src="/policy/logo" alt=""' in text(visitor, "/policy/")
