"""Derives findings from facts. Pure; each function covers one group of questions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from troth.audit import claims
from troth.audit.facts import AuditFacts, PolicyFacts, SiteFacts, SystemFacts, TableFacts, is_inside_text
from troth.audit.rules import AuditFinding, AuditSeverity, FindingPlace, found
from troth.declaration import covers, is_category, is_special, title
from troth.detect import ColumnFinding, InferredReference, TableRole
from troth.policy import Sentence
from troth.policy.categories import breadth, names_category
from troth.stores import Principal, TableKind
from troth.text import counted, first_few

Findings = Iterator[AuditFinding]
_ORDER: Final = {AuditSeverity.ERROR: 0, AuditSeverity.WARNING: 1, AuditSeverity.NOTE: 2}
_SURE: Final = 0.7
"""Minimum score for a column to be compared with the policy."""
_SECRET: Final = (
    "user.government_id.national_identification_number",
    "user.government_id.passport_number",
    "user.government_id.drivers_license_number",
    "user.financial.bank_account",
    "user.financial.credit_card",
    "user.authorization",
)


def decide(facts: AuditFacts) -> tuple[AuditFinding, ...]:
    """All findings, most severe first, otherwise in the order of the questions and facts."""
    return by_gravity(itertools.chain.from_iterable(question(facts) for question in _QUESTIONS))


def by_gravity(findings: Iterable[AuditFinding]) -> tuple[AuditFinding, ...]:
    """Sort *findings* by severity, most severe first; the sort is stable."""
    return tuple(sorted(findings, key=lambda it: _ORDER[it.severity]))


def in_words(categories: Iterable[str]) -> str:
    """Titles of the categories, without duplicates: "email address, name"."""
    return ", ".join(dict.fromkeys(title(it).lower() if is_category(it) else it for it in categories))


def _places(places: Iterable[str], at_most: int = 6) -> str:
    return first_few(dict.fromkeys(places), at_most)


# --- reachability ---------------------------------------------------------------------------------------------------


def _unseen(facts: AuditFacts) -> Findings:
    for system in facts.systems:
        here = FindingPlace(system.name)
        if system.unreached:
            yield found("store.unreachable", here, system.unreached)
        for unknown in system.unknown:
            yield found("store.part-unread", here, f"unknown: {unknown}", "audit with an account that may see it")
        for file, why in system.left_out.unread.items():
            yield found("store.part-unread", FindingPlace(system.name, file), why, _AGAIN)
        if system.left_out.passed_over:
            fix = "export them as CSV, JSON Lines or Parquet, or check them by hand"
            yield found("store.part-unread", here, passed_over(system), fix)
        for table in system.tables:
            if table.unread:
                select = "give the account SELECT on it, or audit when it is not locked"
                fix = _AGAIN if system.dialect == "files" else select
                yield found("store.part-unread", FindingPlace(system.name, table.name), table.unread, fix)
    if facts.site is not None and facts.site.unreached:
        yield found("site.unreachable", FindingPlace(url=facts.site.home), facts.site.unreached)


_AGAIN: Final = "audit again when it can be read"


def passed_over(system: SystemFacts) -> str:
    """Counts of the files in unsupported formats."""
    kinds = system.left_out.passed_over
    listed = ", ".join(f"{number:,} {ending}" for ending, number in kinds.items())
    return f"{counted(sum(kinds.values()), 'file')} of unsupported formats skipped: {listed}"


# --- data stored ----------------------------------------------------------------------------------------------------


def _held(facts: AuditFacts) -> Findings:
    for system in facts.systems:
        for table in system.tables:
            here = FindingPlace(system.name, table.name)
            if table.holds:
                yield from _table_held(here, table)
            if table.schema.kind is not TableKind.VIEW:
                for finding in table.personal:
                    if finding.entity == "FREE_TEXT" and finding.column in table.best:
                        continue  # data found in the sample takes precedence over data that may be there
                    yield from _column_held(FindingPlace(system.name, table.name, finding.column), finding)


def _table_held(here: FindingPlace, table: TableFacts) -> Findings:
    rows = "" if table.rows is None else f", {counted(table.rows, 'row')}"
    kinds = in_words(it.category for it in table.best.values())
    message = f"{len(table.best)} of {counted(len(table.columns), 'column')}{rows}: {kinds}"
    yield found("personal-data.held", here, message)
    if table.schema.kind is TableKind.MATERIALISED:
        message = "until it is refreshed, the view keeps data that was erased from its tables"
        yield found("personal-data.copy", here, message)
    if not table.schema.key and table.schema.kind is TableKind.TABLE:
        message = "no column identifies a row, so no row can be corrected or erased"
        yield found("keys.none", here, message)


def _column_held(here: FindingPlace, finding: ColumnFinding) -> Findings:
    why = "; ".join(finding.reasons)
    kind = in_words([finding.category])
    by_value = any("values" in reason for reason in finding.reasons)
    if finding.entity == "FREE_TEXT":
        yield found("personal-data.may-be-in-text", here, f"free text ({why})")
    elif finding.category == "user.financial.credit_card" and by_value and finding.score >= _SURE:
        yield found("personal-data.card-number", here, f"values pass the test of card numbers ({why})")
    elif is_inside_text(finding):
        yield found("personal-data.in-text", here, f"{kind} in its text ({why})")
    elif is_category(finding.category) and is_special(finding.category):
        yield found("personal-data.special", here, f"{kind} ({why})")
    elif any(covers(secret, finding.category) for secret in _SECRET):
        yield found("personal-data.secret", here, f"{kind} ({why})")


# --- keys and references --------------------------------------------------------------------------------------------


def _keys(facts: AuditFacts) -> Findings:
    for system in facts.systems:
        holding = {table.name for table in system.holding}
        for it in system.inferred:
            personal = bool({it.table, it.to_table} & holding)
            yield _undeclared(system, it, personal=personal)
        for table in system.holding:
            if table.role is TableRole.PERSON and not table.suggestion.identity:
                message = "rows seem to be people, but have neither an e-mail address nor a phone number"
                yield found("keys.name-only", FindingPlace(system.name, table.name), message)
            if table.role is TableRole.REFERENCE:
                kinds = in_words(finding.category for finding in table.best.values())
                message = f"no key and no identifier leads from a person to these rows ({kinds})"
                yield found("keys.unreachable", FindingPlace(system.name, table.name), message)


def _undeclared(system: SystemFacts, it: InferredReference, *, personal: bool) -> AuditFinding:
    rule = "keys.undeclared-personal" if personal else "keys.undeclared"
    to = f"{it.to_table}.{', '.join(it.to_columns)}"
    message = f"seems to name {to} (score {it.score:.2f}: {'; '.join(it.why)})"
    return found(rule, FindingPlace(system.name, it.table, ", ".join(it.columns)), message)


# --- access control -------------------------------------------------------------------------------------------------


def _access(facts: AuditFacts) -> Findings:
    for system in facts.systems:
        here, readers = FindingPlace(system.name), system.readers
        if readers:
            names = _places(one.name for one in readers)
            message = f"{counted(len(readers), 'account')} can read personal data: {names}"
            yield found("access.readers", here, message)
        if open_to := [one for one in readers if _is_everybody(one, system.dialect)]:
            yield _open_to_everybody(system, open_to)
        if system.transport is not None and not system.transport.encrypted:
            yield found("transport.clear", here, f"the connection is not encrypted: {system.transport.detail}")


def _open_to_everybody(system: SystemFacts, open_to: list[Principal]) -> AuditFinding:
    if system.dialect in _BY_MODE:
        what, how = _BY_MODE[system.dialect]
        message = f"every account of this machine can read {what}"
        fix = f"{how} {what}, and put the accounts that need it into its group"
    else:
        message = f"no grant to a named role is needed: {_places(f'{one.name} ({one.why})' for one in open_to)}"
        fix = "revoke it from PUBLIC, and grant it to named roles"
    return found("access.everyone", FindingPlace(system.name), message, fix)


_BY_MODE: Final = {"sqlite": ("the file", "chmod o-rwx"), "files": ("the folder's files", "chmod -R o-rwx")}


def _is_everybody(principal: Principal, dialect: str) -> bool:
    return principal.name == "others" if dialect in _BY_MODE else principal.why == "PUBLIC"


# --- the policy -----------------------------------------------------------------------------------------------------


def _at(policy: PolicyFacts, sentence: Sentence) -> FindingPlace:
    return FindingPlace(file=policy.file, line=sentence.span.line, column_number=sentence.span.column)


def _quoted(sentence: Sentence) -> str:
    text = sentence.text if len(sentence.text) <= 160 else f"{sentence.text[:157]}…"
    return f"“{text}”"


def _collected(facts: AuditFacts) -> Findings:
    """Compare the categories in the schemas with those that the policy names or denies."""
    policy = facts.policy
    if policy is None:
        return
    named = claims.names_what_is_collected(policy.text)
    if not named:
        yield found("policy.names-nothing", FindingPlace(file=policy.file), "no sentence says which data is collected")
    best = max(named, key=lambda it: breadth(claims.plain(it)), default=None)
    texts = [claims.plain(sentence) for sentence in policy.text.sentences]
    for category, places in _by_category(facts).items():
        denials = claims.denials(policy.text, category)
        said = [text for sentence, text in zip(policy.text.sentences, texts, strict=True) if sentence not in denials]
        is_named = any(names_category(text, category) for text in said)
        what = f"{in_words([category])} in {_places(places)}"
        for sentence in denials:
            if claims.is_of_all(sentence) and all(claims.is_part(place.rpartition(".")[2]) for place in places):
                continue
            rule = "policy.denied-and-named" if is_named else "policy.denied"
            yield found(rule, _at(policy, sentence), f"{_quoted(sentence)}, and there seems to be {what}")
        if best is not None and not denials and not is_named:
            message = f"the policy does not mention {what}"
            yield found("policy.unnamed", _at(policy, best), message, about=category)


def _by_category(facts: AuditFacts) -> dict[str, list[str]]:
    """Columns per category, with a score of at least `_SURE`. Parts of an address or name count as the whole."""
    places: dict[str, list[str]] = {}
    for system, table, finding in facts.personal():
        category = finding.category
        if finding.score < _SURE:
            continue
        for whole in ("user.contact.address", "user.name"):
            category = whole if covers(whole, category) else category
        places.setdefault(category, []).append(f"{system.name}.{table.name}.{finding.column}")
    return places


def _periods(facts: AuditFacts) -> Findings:
    if facts.policy is None:
        return
    conditional = {it.clause.sentence.id for it in claims.retention_claims(facts.policy.promises) if it.conditional}
    for it in facts.overdue:
        rows = "rows that could not be counted in time" if it.rows is None else counted(it.rows, "row")
        place = f"{it.system}.{it.table}"
        message = f"{_quoted(it.clause.sentence)}; {place} has {rows} with {it.column} before {it.before:%Y-%m-%d}"
        perhaps = it.rows is None or it.clause.sentence.id in conditional
        fix = f"delete what is older than {it.period}, or state in the policy what is kept and why"
        rule = "policy.perhaps-overdue" if perhaps else "policy.overdue"
        yield found(rule, _at(facts.policy, it.clause.sentence), message, fix)


def _promised(facts: AuditFacts) -> Findings:
    """Promises about encrypted connections and about the number of people with access."""
    policy = facts.policy
    if policy is None:
        return
    clear = [it.name for it in facts.systems if it.transport is not None and not it.transport.encrypted]
    for clause in policy.promises if clear else ():
        if claims.promises_encryption(clause):
            message = f"{_quoted(clause.sentence)}; the connection to {_places(clear)} is not encrypted"
            yield found("policy.unencrypted", _at(policy, clause.sentence), message)
    readers = {one.name for system in facts.systems for one in system.readers}
    for clause, most in claims.ceilings(policy.promises):
        if len(readers) > most:
            message = f"{_quoted(clause.sentence)}; {counted(len(readers), 'account')} can read personal data"
            yield found("policy.readers", _at(policy, clause.sentence), message)


# --- the site -------------------------------------------------------------------------------------------------------


def _site(facts: AuditFacts) -> Findings:
    site = facts.site
    if site is None or site.unreached:
        return
    if not site.home.startswith("https:"):
        yield found("site.clear", FindingPlace(url=site.home), "the home page is not served over https")
    if not site.policy_page:
        message = "no link on the home page has 'privacy' in its text or address"
        yield found("site.policy-unlinked", FindingPlace(url=site.home), message)
    for fault in site.policy_faults:
        yield found("site.policy-faint", FindingPlace(url=site.home), fault)
    if facts.policy is not None and site.policy_published is not None and _differs(facts.policy, site):
        message = f"the text of the page differs from {facts.policy.file}"
        yield found("policy.unlike-site", FindingPlace(url=site.policy_page), message)


def _differs(policy: PolicyFacts, site: SiteFacts) -> bool:
    """True if the texts differ, ignoring all white space, because block boundaries are only layout."""
    return "".join(policy.text.published.split()) != "".join((site.policy_published or "").split())


def _cookies(facts: AuditFacts) -> Findings:
    site, policy = facts.site, facts.policy
    if site is None:
        return
    for name, days in site.cookies.items():
        life = "until the browser closes" if days is None else f"for {counted(days, 'day')}"
        rule = "site.tracking-first" if claims.is_tracking(name) else "site.cookie-first"
        message = f"the cookie '{name}' is set on the first visit, {life}"
        yield found(rule, FindingPlace(url=site.home), message)
    promised = claims.promises_no_early_cookies(policy.promises) if policy is not None and site.cookies else None
    if policy is not None and promised is not None:
        message = f"{_quoted(promised.sentence)}; a first visit sets {_places(site.cookies)}"
        yield found("policy.stores-first", _at(policy, promised.sentence), message)


def _others(facts: AuditFacts) -> Findings:
    """Third-party hosts, and fields of forms."""
    site, policy = facts.site, facts.policy
    if site is None:
        return
    text = policy.text.text if policy is not None else ""
    for host, path in site.hosts.items():
        message, here = f"{path} loads from or sends to {host}", FindingPlace(url=site.home)
        if policy is not None and not claims.names_host(text, host):
            yield found("policy.recipient-unnamed", here, f"{message}, and the policy does not mention it")
        else:
            yield found("site.third-party", here, message)
    for form in site.forms if policy is not None else ():
        for field, category in form.asks.items():
            if not names_category(text, category):
                message = f"a form on {form.page} asks for '{field}' ({in_words([category])})"
                yield found("site.field-unnamed", FindingPlace(url=site.home), message)


_QUESTIONS: Final[tuple[Callable[[AuditFacts], Findings], ...]] = (
    _unseen,
    _collected,
    _periods,
    _promised,
    _cookies,
    _others,
    _site,
    _keys,
    _held,
    _access,
)
