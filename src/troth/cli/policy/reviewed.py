"""``troth policy reviewed``: records that somebody compared the policy and the rule sets with the law."""

from __future__ import annotations

from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.text import counted


@click.command()
@cli.declaration_option
@click.option("--as", "email", metavar="EMAIL", required=True, help="The staff account of who compared them.")
@click.option("--apply", "texts_hash", metavar="HASH", help="Record it for exactly the texts that you were shown.")
@cli.json_option
def reviewed(declaration: Path, email: str, texts_hash: str | None, as_json: bool) -> None:
    """Record that somebody compared the present policy, and the rules that deadlines follow, with the law.

    First it shows what there is to compare: the rule sets of this release with the day on which we last read each of
    them, and the obligations that start soon. Repeat it with --apply once it is done. The account needs the right
    law.review. The control law.reviewed passes for a year, or until the policy or a rule set changes.

    \b
    Example:  troth policy reviewed --as dpo@example.org
    """
    from troth.declaration import load

    load(declaration)  # reports all its mistakes before anything is opened
    cli.use_database()
    from troth.errors import TrothError
    from troth.law import regimes, starting_soon
    from troth.service.assurance.duty import LAW_REVIEW
    from troth.service.assurance.law_reviews import ReviewedTexts, record_review
    from troth.service.core.deployment import current
    from troth.service.staff.actions import acting

    now = cli.now()
    member, texts = acting(email, LAW_REVIEW, now=now), ReviewedTexts.of(current().policy.published)
    if texts_hash not in (None, texts.hash):
        raise TrothError("these are not the texts that you were shown: read them again without --apply")
    if texts_hash:
        record_review(texts, by=member, actor="owner", now=now)
    rules = {each.id: each.reviewed.isoformat() for each in regimes().values()}
    coming = [rule.id for rule in starting_soon(now.date())]
    if as_json:
        cli.print_json({"rule_sets": rules, "starting_soon": coming, "hash": texts.hash, "recorded": bool(texts_hash)})
        return
    for name, day in rules.items():
        click.echo(f"{name:12} as Troth read it on {day}")
    for name in coming:
        click.echo(f"{name} starts within 90 days")
    click.echo(
        f"recorded for the policy and {counted(len(rules), 'rule set')}"
        if texts_hash
        else f"nothing was recorded; once they are compared with the law: --apply {texts.hash}"
    )
