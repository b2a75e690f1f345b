"""``troth policy lint``: reports errors in a policy."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth.cli import deployment as cli
from troth.json_values import json_fields
from troth.text import counted

if TYPE_CHECKING:
    from troth.policy import PolicyText
    from troth.policy.lint import LintFinding, LintReport

_WORDS = {"E": ("error", "errors"), "W": ("warning", "warnings"), "I": ("piece of advice", "pieces of advice")}
_MEANING = {
    "E": "a legal requirement is missing, or a statement is not true",
    "W": "misleading, vague or risky",
    "I": "worth checking",
}
_QUOTE_CHARACTERS = 160
_LEFT_OUT = {
    ("ca", "us"): "Nothing in it suggests customers in the United States",
    ("gdpr", "uk"): "The declaration says that nobody in Europe is served",
}


@click.command()
@click.argument("file", required=False, type=cli.EXISTING_FILE)
@click.option("--as-of", type=cli.DAY, help="Use the law in force on that day.  [default: today]")
@click.option(
    "--regime", "regimes", metavar="LIST", help="Only these laws: gdpr,uk,ca,us,pci.  [default: those that may apply]"
)
@click.option(
    "--facts",
    type=cli.EXISTING_FILE,
    metavar="DECLARATION",
    help="A declaration to compare the policy with.",
)
@cli.json_option
@click.option("--sarif", is_flag=True, help="Print SARIF 2.1.0, for code scanners and editors.")
@click.option("--html", "as_html", is_flag=True, help="Print one HTML page: the policy with the findings beside it.")
@click.option("--fix", is_flag=True, help="Print a diff of automatic fixes. Changes no file.")
@click.option("--out", type=cli.FILE, help="With --fix: write the fixed policy here.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and exit.")
def lint(
    file: Path | None,
    as_of: dt.datetime | None,
    regimes: str | None,
    facts: Path | None,
    as_json: bool,
    sarif: bool,
    as_html: bool,
    fix: bool,
    out: Path | None,
    list_rules: bool,
) -> None:
    """Report conflicts of a policy with the law, with itself, and with the declaration.

    Checks the text with all rules in force on the day, of each law that may apply according to the text. Reports errors
    (a legal requirement is missing, or a statement is not true), warnings and advice, each with line, quote and
    citation. Some findings depend on a condition that the text does not settle; a declaration settles it.

    Exits with 1 if there is an error that depends on no such condition, else with 0.

    \b
    Example:  troth policy lint policy.md
              troth policy lint policy.html --regime gdpr,uk --as-of 2026-06-19 --json
              troth policy lint policy.md --facts troth.yaml --html > findings.html
              troth policy lint policy.md --fix --out fixed.md
    """
    if (as_json + sarif + as_html + fix) > 1:
        raise click.UsageError("give one of --json, --sarif, --html and --fix")
    if out is not None and not fix:
        raise click.UsageError("--out is the file that --fix writes to; give both")
    if list_rules:
        _show_rules(as_json=as_json)
        return
    if file is None:
        raise click.UsageError("give the policy's file")
    look = _looking((as_of or cli.now()).date(), regimes, facts)
    policy = _read(file)
    report = look(policy)
    if fix:
        report = _fix(file, policy, look, out)
    elif as_json:
        from troth.policy.lint import as_data

        cli.print_json(as_data(report))
    elif sarif:
        from troth.policy.lint import as_sarif

        cli.print_json(as_sarif(report, file=file.as_posix()))
    elif as_html:
        from troth.policy.lint import as_html as page

        click.echo(page(report, policy, name=file.name), nl=False)
    else:
        for line in _shown(file, report):
            click.echo(cli.printable(line))
    raise SystemExit(1 if report.certain else 0)


def _looking(as_of: dt.date, regimes: str | None, facts: Path | None) -> Callable[[PolicyText], LintReport]:
    """Return a function that lints a policy with these laws, as of that day, using that declaration."""
    from troth.policy.lint import REGIMES, LintFacts
    from troth.policy.lint import lint as look

    wanted = tuple(name.strip() for name in regimes.split(",")) if regimes is not None else None
    if unknown := set(wanted or ()) - set(REGIMES):
        raise click.UsageError(f"there is no regime {', '.join(sorted(unknown))}; there are {', '.join(REGIMES)}")
    known = None
    if facts is not None:
        from troth.declaration import load

        known = LintFacts.of(load(facts))
    return functools.partial(look, as_of=as_of, regimes=wanted, facts=known)


def _read(file: Path) -> PolicyText:
    """Read the policy. Raises `PolicyError` if it is not in English, and warns if only part of it is not."""
    from troth.policy import PolicyError, TextLanguage, read_file

    policy = read_file(file)
    if policy.language is TextLanguage.OTHER:
        raise PolicyError(f"{file.name} is not in English. The rules only support English, so nothing was checked")
    if policy.language is TextLanguage.MIXED:
        click.echo("Part of the policy is not in English; the rules do not check that part.", err=True)
    return policy


def _fix(file: Path, policy: PolicyText, look: Callable[[PolicyText], LintReport], out: Path | None) -> LintReport:
    """Print the diff of fixes; with *out*, write the fixed policy and report on it, else on the original."""
    from troth.policy import file_kind, read
    from troth.policy.lint import apply_fixes

    data = file.read_bytes()
    kind = file_kind(data, name=file.name)
    if kind == "docx" or kind == "pdf" or data.decode("utf-8", "replace") != policy.source:
        raise click.ClickException(
            f"{file.name}: --fix supports only text, Markdown and HTML in UTF-8; convert it, or fix it by hand"
        )
    fixed = apply_fixes(policy.source, kind=kind, look=lambda text: look(read(text, kind=kind)))
    click.echo(fixed.diff(file.name), nl=False)
    if out is None:
        return look(policy)
    with cli.file_errors(out, "written"):
        out.write_bytes(fixed.text.encode())
    click.echo(f"{counted(len(fixed.fixes), 'fault')} fixed, written to {out}", err=True)
    return look(read(fixed.text, kind=kind))


def _shown(file: Path, report: LintReport) -> Iterator[str]:
    """The findings as lines for a terminal, most severe first."""
    yield f"{file}: {_tally(report)}, with the rules of {report.as_of:%-d %B %Y}."
    if report.is_lawless:
        yield "No rule of a law was in force on that day: only the rules that belong to no law were checked."
    for names, why in _LEFT_OUT.items():
        if left := ",".join(name for name in names if name in report.left_out):
            yield f"{why}, so these laws were not checked; --regime {left} checks them."
    for severity, meaning in _MEANING.items():
        found = [finding for finding in report.findings if finding.severity == severity]
        if found:
            yield f"\n{_plural(severity, len(found)).upper()}: {meaning}"
        for finding in found:
            yield from _finding(finding)


def _finding(finding: LintFinding) -> Iterator[str]:
    place = f"line {finding.line}" if finding.line is not None else "whole document"
    condition = " (only under a condition that the text does not settle)" if finding.conditional else ""
    condition += "" if finding.evaluable else " (the text alone cannot show it)"
    yield f"\n  {place}  {finding.rule}{condition}"
    yield f"    {finding.message}"
    quote = finding.quote if len(finding.quote) <= _QUOTE_CHARACTERS else f"{finding.quote[:_QUOTE_CHARACTERS]} …"
    yield f"    {'looked for: ' if finding.line is None else '> '}{quote}"
    if finding.fix:
        yield f"    {finding.fix}" + (f" Write: {finding.replacement}" if finding.replacement else "")
    yield f"    {finding.citation}"


def _tally(report: LintReport) -> str:
    tally = ", ".join(_plural(severity, count) for severity, count in report.counts.items())
    open_errors = sum(finding.severity == "E" for finding in report.findings) - len(report.certain)
    return f"{tally} ({counted(open_errors, 'error')} under a condition that is not settled)" if open_errors else tally


def _plural(severity: str, count: int) -> str:
    return f"{count} {_WORDS[severity][count != 1]}"


def _show_rules(*, as_json: bool) -> None:
    from troth.policy.lint import rules

    facts = [
        {
            "rule": rule.id,
            **json_fields(rule, "severity", "regimes", "citation", "applies_from"),
            "conditional": bool(rule.fact),
            **json_fields(rule, "evaluable", "title"),
        }
        for rule in rules().values()
    ]
    lines = (f"{rule.severity}  {rule.id:<26} {rule.title}" for rule in rules().values())
    cli.answer(facts, *lines, as_json=as_json)
