"""``troth demo``: runs the complete example company on this machine."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import quote

import click

from troth.cli import deployment as cli
from troth.cli import formatting
from troth.cli.serve import refuse_taken
from troth.errors import TrothError

_MARK = ".troth-demo"
_SITE = re.compile(r"^(\s*(?:site|url):\s*)http://localhost:\d+", re.MULTILINE)
_FAULTS = (
    ("old_logins", "retention.nothing_overdue", "logins"),
    ("undeclared_column", "stores.schema_declared", "desk"),
)


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the demo.  [default: ~/.troth-demo]",
)
@click.option(
    "--people", default=200, show_default=True, type=click.IntRange(50, 1_000_000), help="Number of customers."
)
@click.option("--seed", default=51, show_default=True, help="The same seed gives the same data.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1024, 65535), help="Which port.")
@click.option("--reset", is_flag=True, help="Delete the example company and create it again.")
@click.option("--no-serve", is_flag=True, help="Create the company and exit.")
@cli.json_option
def demo(folder: Path | None, people: int, seed: int, port: int, reset: bool, no_serve: bool, as_json: bool) -> None:
    """Start the example company: its systems, website, mailbox, and its policy with live status.

    Two promises are broken on purpose, so that kept, broken and unproven ones can be seen from the start.

    \b
    Example:  troth demo
              troth demo --reset --people 1000
    """
    folder = (folder or _usual_folder()).expanduser().absolute()
    example = _example()
    if not no_serve:
        refuse_taken("127.0.0.1", port)
    if reset:
        _forget(folder)
    from troth.service.server import apart, serve

    stores = apart(partial(_lay, folder, people, seed))
    _environment(folder, stores, example, port)
    apart(_records)
    apart(_approvals)
    apart(_contacts)
    apart(partial(_newsletter, example))
    sign_in, rest_s = apart(partial(_console, folder, port))
    urls = {name: f"http://localhost:{port}{path}" for name, path in _PAGES.items()}

    def tell() -> None:
        if as_json:
            cli.print_json({"folder": str(folder), "environment": _variables(stores), **urls, "sign_in": str(sign_in)})
        else:
            _tell(folder, stores, example, {} if no_serve else urls, sign_in, rest_s)

    if no_serve:
        tell()
        return
    with _rehearsed():
        serve(port=port, application="troth.cli.demo_site:application", ready=tell)


_REHEARSED_AFTER_S = 60
"""The first checks are done by then."""


@contextlib.contextmanager
def _rehearsed() -> Iterator[None]:
    """Context manager: the policy is rehearsed meanwhile, so that the status page shows what came of it."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin() -> None:
        command = [sys.executable, "-c", "from troth.cli import main; main()", "rehearse", "--record"]
        nothing = subprocess.DEVNULL
        begun.append(subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing))  # noqa: S603 - our own

    timer = threading.Timer(_REHEARSED_AFTER_S, begin)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for process in begun:
            process.terminate()
            process.wait()


_PAGES = {
    "site": "/",
    "policy": "/policy/",
    "status": "/policy/status/",
    "centre": "/your-data/",
    "mailbox": "/mailbox/",
    "console": "/console/",
}


def _usual_folder() -> Path:
    return Path("~/.troth-demo").expanduser()


def _example() -> Path:
    """The example company's folder, in the checkout or in this package; it is added to the import path."""
    here = Path(__file__).resolve()
    for candidate in (here.parents[3] / "examples" / "voice-company", here.parents[1] / "example"):
        if (candidate / "troth.yaml").is_file():
            sys.path.insert(0, str(candidate))
            return candidate
    raise TrothError("the example company is not part of this installation; clone the repository and run `make demo`")


def _forget(folder: Path) -> None:
    """Delete the demo folder; refuse any folder that is not a demo."""
    if not folder.exists():
        return
    if folder.is_symlink() or not (folder / _MARK).is_file():
        raise TrothError(f"{folder} was not made by `troth demo`; nothing was deleted")
    shutil.rmtree(folder)


def _lay(folder: Path, people: int, seed: int) -> Mapping[str, str]:
    """Create the company's systems with two planted faults, if not yet there. Returns their environment variables."""
    from example_voice import Places, lay_down, plant

    places = Places.in_folder(folder / "company")
    if (folder / _MARK).is_file():
        return places.environment()
    if folder.exists() and any(folder.iterdir()):
        raise TrothError(f"{folder} is not empty; name another folder, or remove it if an earlier demo was interrupted")
    os.umask(0o077)  # invented, but personal data: only for this account
    (folder / "company").mkdir(parents=True)
    now = dt.datetime.now(dt.UTC)
    with formatting.progress(f"creating a company of {people:,} people"):
        lay_down(places, people=people, seed=seed, now=now)
        plant(places, seed=seed, now=now)
    (folder / _MARK).write_text("made by `troth demo`; `troth demo --reset` deletes this folder\n", encoding="utf-8")
    return places.environment()


def _variables(stores: Mapping[str, str]) -> dict[str, str]:
    return {
        **stores,
        "TROTH_DEMO_MAIL": os.environ["TROTH_DEMO_MAIL"],
        "TROTH_MAIL_URL": os.environ["TROTH_MAIL_URL"],
        "TROTH_MAILBOX_URL": os.environ["TROTH_MAILBOX_URL"],
        "TROTH_HOME": os.environ["TROTH_HOME"],
        "TROTH_DECLARATION": os.environ["TROTH_DECLARATION"],
    }


def _environment(folder: Path, stores: Mapping[str, str], example: Path, port: int) -> None:
    """Set the environment that the service, the site and the checks read, in this process and its children."""
    for place in ("mail", "inbox", "inbox/cur", "inbox/new", "inbox/tmp"):
        (folder / place).mkdir(mode=0o700, exist_ok=True)
    os.environ.update(stores)
    os.environ["TROTH_DEMO_MAIL"] = str(folder / "mail")
    os.environ["TROTH_MAIL_URL"] = f"folder://{quote(str(folder / 'mail'))}"  # so that the mailbox page shows all mail
    os.environ["TROTH_MAILBOX_URL"] = f"maildir://{quote(str(folder / 'inbox'))}"
    os.environ["TROTH_HOME"] = str(folder / "home")
    os.environ["TROTH_PROFILE"] = "development"
    os.environ["TROTH_DECLARATION"] = str(_declaration(folder, example, port))
    os.environ["EXAMPLE_VOICE_HOME"] = f"http://localhost:{port}"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(example), os.environ.get("PYTHONPATH", "")]))


def _declaration(folder: Path, example: Path, port: int) -> Path:
    """Copy the example's declaration, its papers and the policy, so that you can change them. The site's URLs are
    updated to the port at each start; the accounts that may read the files are root and yours."""
    kept = folder / "troth.yaml"
    if not kept.exists():
        text = (example / "troth.yaml").read_text(encoding="utf-8")
        kept.write_text(
            text.replace("accounts: [root]", f"accounts: [{', '.join(dict.fromkeys(['root', getpass.getuser()]))}]"),
            encoding="utf-8",
        )
        shutil.copyfile(example / "policy.md", folder / "policy.md")
        for papers in ("contracts", "assessments"):
            (folder / papers).mkdir(mode=0o700, exist_ok=True)
            for paper in (example / papers).iterdir():
                shutil.copyfile(paper, folder / papers / paper.name)
    before = kept.read_text(encoding="utf-8")
    after = _SITE.sub(rf"\g<1>http://localhost:{port}", before)
    if after != before:
        kept.write_text(after, encoding="utf-8")
    return kept


def _records() -> None:
    """Set up Troth's own database, and record each planted fault in the ledger, so that the demo hides nothing."""
    from troth.service.server import migrate, set_up

    set_up()
    migrate()
    from troth.declaration import load
    from troth.ledger import DeclaredName, Entry
    from troth.service.core.keys import keyring, ledger_signer
    from troth.service.core.ledger import record, sequence
    from troth.service.core.models import EntryRow
    from troth.service.settings import TROTH

    if not EntryRow.objects.exists():
        now = dt.datetime.now(dt.UTC)
        for fault, control, system in _FAULTS:
            fields = {"fault": DeclaredName(fault), "control": DeclaredName(control), "system": DeclaredName(system)}
            record(Entry("demo.fault_planted", now, fields))
        sequence(ledger_signer(keyring(TROTH.home), load(TROTH.declaration).organisation), now=now)


_OFFICER = "dpo@example.org"
_SECOND = "deputy.dpo@example.org"


def _approvals() -> None:
    """Create the account of a second person, who approves the waivers and attestations that the example declares. What
    you add to the copy waits for you."""
    from troth.service.server import set_up

    set_up()
    from django.db import transaction

    from troth.service.assurance import statements
    from troth.service.assurance.duty import PROMISES_APPROVE
    from troth.service.core.deployment import current
    from troth.service.staff import actions
    from troth.service.staff.models import StaffMember
    from troth.service.staff.undertaking import document_hash

    now = dt.datetime.now(dt.UTC)
    if StaffMember.objects.filter(user__username=_SECOND).exists():
        return
    with transaction.atomic():
        member, token = actions.invite(_SECOND, [], reason="the example company's deputy", now=now)
        actions.give(member, [PROMISES_APPROVE], reason="approves what others declare", now=now)
        actions.accept(token, secrets.token_urlsafe(12), now=now)
        actions.sign(member, document_hash(), now=now)
        statements.approve(statements.waiting(current().declaration, now), by=member, actor="staff", now=now)


def _contacts() -> None:
    """Ask the declared mailboxes whether a person reads them, and answer as the company's invented staff would: at each
    start. The e-mails are in the mailbox, too."""
    from troth.service.server import set_up

    set_up()
    from troth.service.assurance import contact_checks
    from troth.service.core.deployment import current
    from troth.service.portal import links

    now = dt.datetime.now(dt.UTC)
    for link in contact_checks.ask_due(current(), now=now):
        contact_checks.answer(links.use(link.rpartition("/")[2], now=now).matter, now=now)


def _newsletter(example: Path) -> None:
    """Send an edition of the newsletter, once: what its rate does not let leave now leaves when the service runs. Sign
    Ben up at work, who has not confirmed it yet: the e-mail with the link is in the mailbox."""
    from troth.service.server import set_up

    set_up()
    from troth.service.core.deployment import current
    from troth.service.core.jobs.worker import Pace, run_jobs
    from troth.service.mail.models import Edition
    from troth.service.newsletters.actions import plan, program_actor, sign_up, start

    deployment, now = current().without_own, dt.datetime.now(dt.UTC)
    name = next(iter(deployment.declaration.newsletters), None)  # yours may declare none
    if name is None or Edition.objects.exists():
        return
    asks = "Do you want this newsletter? Heard this month Yes, send it to me"
    text = (example / "newsletter" / "accents.md").read_text(encoding="utf-8")
    planned = plan(text, name, deployment, actor=program_actor("demo", deployment.keyring), now=now)
    start(planned.edition.plan_hash, deployment, now=now)
    run_jobs(threading.Event(), pace=Pace(look_s=0.02), only=["mail.deliver"], until_idle=True)
    sign_up(name, "ben.at.work@example.org", {"name": "Ben Archer"}, deployment, shown=asks, language="en", now=now)


def _console(folder: Path, port: int) -> tuple[Path, float]:
    """Create the account of the company's officer for the console, with a random password and, at each start, fresh
    codes for the second factor. Returns the file with the sign-in data, readable only by its owner, and the pause of
    the passes in seconds."""
    from troth.service.server import set_up

    set_up()
    from troth.service.assurance.actions import PASS_EVERY
    from troth.service.assurance.law_reviews import ReviewedTexts, record_review
    from troth.service.core.deployment import current
    from troth.service.newsletters.duty import NEWSLETTERS_SEND
    from troth.service.staff import actions
    from troth.service.staff.factors import fresh_codes
    from troth.service.staff.models import StaffMember
    from troth.service.staff.rights import StaffRole
    from troth.service.staff.undertaking import document_hash

    now, kept = dt.datetime.now(dt.UTC), folder / "sign-in"
    member = StaffMember.objects.select_related("user").filter(user__username=_OFFICER).first()
    if member is None:
        member, token = actions.invite(_OFFICER, [StaffRole.OFFICER], reason="the example company's officer", now=now)
        actions.give(member, [NEWSLETTERS_SEND], reason="so that the demo shows newsletters, too", now=now)
        actions.accept(token, password := secrets.token_urlsafe(12), now=now)
        actions.sign(member, document_hash(), now=now)
        texts = ReviewedTexts.of(current().policy.published)
        record_review(texts, by=member, actor="staff", now=now)  # as the officer does with `troth policy reviewed`
    else:
        found = re.search(r"^password: (\S+)", kept.read_text("utf-8"), re.MULTILINE) if kept.is_file() else None
        password = found[1] if found is not None else "the one that you chose"
    codes = fresh_codes(member.user)
    text = f"""http://localhost:{port}/console/
user: {_OFFICER}
password: {password}
Codes for the second factor; each works once, and `troth demo` creates new ones:
{chr(10).join(codes)}
"""
    kept.touch(mode=0o600)
    kept.write_text(text, encoding="utf-8")
    return kept, PASS_EVERY.total_seconds()


def _tell(
    folder: Path, stores: Mapping[str, str], example: Path, urls: dict[str, str], sign_in: Path, rest_s: float
) -> None:
    click.echo(f"Example Voice Ltd is in {folder}, created from {example}.")
    for name, url in urls.items():
        click.echo(f"  {name:8}{url}")
    if urls:
        click.echo(
            f"Make a request as ann@example.org at {urls['centre']}, read the e-mail in the mailbox, and follow\n"
            "its link; then see the receipt and the status of the promise. The checks that it affects run within\n"
            f"about {rest_s:g} seconds, each at most once a minute."
        )
        click.echo(
            f"To open the console, sign in as {_OFFICER}. The password, and codes for the second factor:\n"
            f"  cat {shlex.quote(str(sign_in))}"
        )
    wait = "The first checks take a few seconds. " if urls else ""
    click.echo(f"{wait}To work on its data{' from another terminal' if urls else ''}:")
    for name, value in _variables(stores).items():
        click.echo(f"  export {name}={shlex.quote(value)}")
    click.echo("  troth view --email ann@example.org")
    elsewhere = "" if folder == _usual_folder() else f" --folder {shlex.quote(str(folder))}"
    click.echo(f"{'Ctrl-C stops it; ' if urls else ''}`troth demo --reset{elsewhere}` starts over.")
