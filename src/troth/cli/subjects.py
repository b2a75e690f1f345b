"""``troth view``, ``amend``, ``erase``, ``scan``: for one person, or a file of people, in all declared systems."""

from __future__ import annotations

import csv
import itertools
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from troth.cli import deployment as cli
from troth.cli import formatting
from troth.text import counted

if TYPE_CHECKING:
    from troth.subjects import AmendmentPlan, ErasurePlan, Identity, Located, Review

SUBJECTS_MAX = 100_000
"""Maximum number of people in one file; more would be a disposal, not a request."""


def _people_options(*, by_row: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    row = click.option("--id", "ids", multiple=True, metavar="SYSTEM.TABLE=KEY", help="A row of the person.")
    return cli.options(
        cli.declaration_option,
        click.option("--email", help="The person's e-mail address."),
        click.option("--phone", help="The person's phone number."),
        *([row] if by_row else []),
        click.option(
            "--subjects",
            "file",
            type=cli.EXISTING_FILE,
            help=f"Several people: a CSV file with the columns email, phone{', id' if by_row else ''}.",
        ),
        cli.json_option,
    )


apply_option = cli.apply_option("Carry out the plan that you have seen.")


@click.command()
@_people_options()
@click.option(
    "--purpose",
    default="subject_request",
    show_default=True,
    metavar="WORD",
    callback=cli.ledger_word("a purpose is one word, such as support or legal_claim"),
    help="Why you need the data, in one word; the ledger records it.",
)
def view(purpose: str, as_json: bool, declaration: Path, **subjects: Any) -> None:
    """Show all data about a person (GDPR Art. 15).

    The access is recorded in the ledger before anything is shown. Other people's data in shared rows is withheld.

    \b
    Example:  troth view --email ann@example.org
              troth view --id shop.customer=5 --json > ann.json
    """
    from troth.subjects import plan_view

    who = _identities(**subjects)
    with cli.opened(declaration, read_only=True) as company:
        _tell_who_else(company)
        located = _located(company, who, "view")
        views = plan_view(company.declaration, located)
        reviews = [review for one in views for review in one.reviews]
        if reviews:
            _stop(reviews)
        company.record_views(located, views, purpose=purpose)
        erased = [None if one.tables else company.erased_at(each) for one, each in zip(views, who, strict=True)]
    if as_json:
        cli.print_json([formatting.view_json(one) for one in views])
    else:
        for one, day in zip(views, erased, strict=True):
            formatting.show_view(one, erased=day)


@click.command()
@_people_options()
@apply_option
def erase(approved: str | None, as_json: bool, declaration: Path, **subjects: Any) -> None:
    """Erase a person (GDPR Art. 17).

    Without --apply it shows the plan: all tables, what happens in them, and why data stays. With the hash of that plan
    it executes it, rescans for anything left, and prints the receipt.

    \b
    Example:  troth erase --email ann@example.org
              troth erase --email ann@example.org --apply dg1:4f0c…
    """
    from troth.subjects import check, plan_erasure, refuse_untrue

    who = _identities(**subjects)
    with cli.opened(declaration, read_only=approved is None) as company:
        _tell_who_else(company)
        refuse_untrue(company.declaration, check(company.declaration, company.schemas))
        located = _located(company, who, "erase")
        plan = plan_erasure(company.declaration, located, now=cli.now(), holds=company.holds(located))
        _show_or_apply(company, plan, approved, as_json=as_json)


@click.command()
@_people_options()
@click.option(
    "--set", "changes", multiple=True, required=True, metavar="WHAT=VALUE", help="Category or column, and value."
)
@apply_option
def amend(changes: tuple[str, ...], approved: str | None, as_json: bool, declaration: Path, **subjects: Any) -> None:
    """Correct data about a person wherever it is stored (GDPR Art. 16).

    WHAT is a data category, which covers all systems, or one column as SYSTEM.TABLE.COLUMN. An empty VALUE clears it.

    \b
    Example:  troth amend --email ann@example.org --set user.contact.phone_number="07700 900123"
              troth amend --id shop.customer=5 --set shop.customer.name=Ann --apply dg1:4f0c…
    """
    from troth.rows import PlanRefused
    from troth.subjects import becoming, plan_amendment, refuse_untrue

    who = _identities(**subjects)
    wanted = dict(_change(text) for text in changes)
    with cli.opened(declaration, read_only=approved is None) as company:
        _tell_who_else(company)
        refuse_untrue(company.declaration)
        located = _located(company, who, "amend")
        with cli.usage_errors(PlanRefused):  # an unknown field, or a value that does not fit
            holders = _located(company, becoming(company.map, wanted), "amend")
            plan = plan_amendment(company.declaration, located, wanted, holders=holders)
        _show_or_apply(company, plan, approved, as_json=as_json)


@click.command()
@_people_options(by_row=False)
def scan(as_json: bool, declaration: Path, **subjects: Any) -> None:
    """Find where free text mentions a person: in anyone's notes, tickets and transcripts.

    The other commands follow keys and identifiers to a person's rows. A note such as "call ann@example.org back" is in
    a row that is not hers, and only reading every note can find it. So all columns declared as free_text are read
    completely, which takes time proportional to the size of the tables. E-mail addresses and phone numbers of seven
    digits or more are searched, but not names. Prints places and numbers of rows, never text; the person's own rows
    count, too.

    Read-only. Exits with 1 if something was found.

    \b
    Example:  troth scan --email ann@example.org --phone "07700 900123"
              troth scan --subjects people.csv --json
    """
    from troth.subjects import IdentityRefused, deep_scan

    who = _identities(**subjects)
    with cli.opened(declaration, read_only=True) as company, formatting.progress("reading") as tell:
        read: dict[str, int] = {}

        def progress(place: str, rows: int) -> None:
            read[place] = rows
            tell(f"{place}, {counted(rows, 'row')}")

        country = company.declaration.organisation.country
        with cli.usage_errors(IdentityRefused):
            found = deep_scan(company.map, company.stores, who, progress=progress, region=country)
        columns = [f"{node.place}.{name}" for node in company.map for name in node.free_text]
    if as_json:
        cli.print_json(formatting.scan_json(found, columns, sum(read.values())))
    else:
        formatting.show_scan(found, columns, sum(read.values()))
    cli.fail_if(found)


def _tell_who_else(company: cli.OpenDeclaration) -> None:
    """Name the systems that these commands do not cover, so that nobody takes the answer for complete."""
    others = [name for name, system in company.declaration.systems.items() if not system.is_looked_into]
    if others:
        said = f"troth: not included: {', '.join(others)}; external systems are only asked in a case of the service"
        click.echo(cli.printable(said), err=True)


def _located(
    company: cli.OpenDeclaration, who: Sequence[Identity], purpose: Literal["view", "amend", "erase"]
) -> Located:
    from troth.subjects import IdentityRefused, locate

    country = company.declaration.organisation.country
    with cli.usage_errors(IdentityRefused):  # it names an undeclared table, or an invalid key
        return locate(company.map, company.stores, who, purpose=purpose, region=country)


def _show_or_apply(
    company: cli.OpenDeclaration, plan: ErasurePlan | AmendmentPlan, approved: str | None, *, as_json: bool
) -> None:
    """Show the plan and its hash; or, given the hash, execute the plan and show the receipts."""
    from troth.subjects import plan_hash

    known = plan_hash(plan, company.keyring)
    if approved is None:
        if as_json:
            cli.print_json(formatting.plan_json(plan, known))
        else:
            formatting.show_plan(plan, known)
        if plan.reviews:
            _stop(plan.reviews)
        return
    steps = itertools.count(1)
    with formatting.progress("carrying out") as tell:
        receipts = company.carry_out(
            plan,
            approved,
            progress=lambda step: tell(f"{counted(next(steps), 'step')} done, last {step.partition('/')[2]}"),
        )
    if as_json:
        cli.print_json([formatting.receipt_json(one) for one in receipts])
    else:
        formatting.show_receipts(receipts)
    cli.fail_if(not all(receipt.is_clean for receipt in receipts))


# --- user input ----------------------------------------------------------------------------------------------------


def _identities(email: str | None, phone: str | None, file: Path | None, ids: tuple[str, ...] = ()) -> list[Identity]:
    from troth.subjects import Identity, IdentityRefused

    if file is not None:
        if email or phone or ids:
            raise click.UsageError("--subjects cannot be combined with --email, --phone or --id")
        return _read(file)
    if not (email or phone or ids):
        raise click.UsageError("give a person: --email, --phone, --id SYSTEM.TABLE=KEY or --subjects FILE")
    with cli.usage_errors(IdentityRefused):
        return [Identity.of(email=email, phone=phone, ids=ids)]


def _read(file: Path) -> list[Identity]:
    """Read the people in *file*. Error messages never quote its lines."""
    try:
        with cli.file_errors(file, "read"), file.open(encoding="utf-8-sig", newline="") as lines:
            identities = list(_people(file, csv.DictReader(lines, strict=True)))
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error:
        raise click.UsageError(f"{file} is not valid CSV: a quote is not closed, or a value is too long") from None
    if not identities:
        raise click.UsageError(f"{file} contains no people")
    return identities


def _people(file: Path, rows: csv.DictReader[str]) -> Iterator[Identity]:
    from troth.subjects import Identity, IdentityRefused

    header = list(rows.fieldnames or ())
    if not header or len(set(header)) != len(header) or not {"email", "phone", "id"}.issuperset(header):
        raise click.UsageError(
            f"{file}: the first line must name the columns: email, phone or id, at least one of them"
        )
    for count, row in enumerate(rows, 1):
        if count > SUBJECTS_MAX:
            raise click.UsageError(f"{file} contains more than {SUBJECTS_MAX} people; split it")
        if None in row:
            raise click.UsageError(f"{file}, line {rows.line_num}: this line has more values than there are columns")
        try:
            ids = (row["id"],) if row.get("id") else ()
            yield Identity.of(email=row.get("email") or None, phone=row.get("phone") or None, ids=ids)
        except IdentityRefused as refused:
            raise click.UsageError(f"{file}, line {rows.line_num}: {refused}") from None


def _change(text: str) -> tuple[str, str | None]:
    target, equals, value = text.partition("=")
    if not equals or not target.strip():
        raise click.UsageError("--set must be WHAT=VALUE, such as user.contact.phone_number='07700 900123'")
    return target.strip(), value or None


def _stop(reviews: Sequence[Review]) -> None:
    for review in dict.fromkeys(reviews):
        where = f"{review.place}: " if review.place else ""
        click.echo(cli.printable(f"troth: review needed: {where}{review.message}; {review.fix}"), err=True)
        for row in review.rows:
            click.echo(cli.printable(f"troth:   --id {shlex.quote(row)}"), err=True)
    raise click.exceptions.Exit(1)
