"""What the declaration alone shows to be wrong: each rule says no to one thing, at its place, with a fix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from troth.declaration import Declaration, ExternalAccess, Severity, System, check, load, parse

Declared = Callable[[str], Declaration]

SAMPLE = Path(__file__).parent / "sample.yaml"
NOW = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
SHOP = """\
purposes: {p: {basis: contract, use: essential.service, data: [user]}}
systems:
  hr: {store: task}
  shop:
    store: task
    tables:
"""
"""A purpose for everything, and a shop whose tables start at line 10."""
OPEN = "the value is still 'TODO'; replace it with the real value, or remove the key"


def test_a_sound_declaration_has_no_problems() -> None:
    assert check(load(SAMPLE), now=NOW) == []


TABLE_FAULTS = [
    (
        "category-unknown", "{t: {fields: {a: user.contact.emial}, erase: {a: mask}}}",
        "10:21: systems.shop.tables.t.fields.a: no data category 'user.contact.emial'; "
        "did you mean 'user.contact.email'?",
    ),
    (
        "reference-system", "{t: {belongs_to: {a: shopp.t.id}, erase: delete}}",
        "10:25: systems.shop.tables.t.belongs_to.a: no system 'shopp'; did you mean 'shop'?",
    ),
    (
        "reference-table", "{order: {}, t: {refers_to: {a: ordr.id}}}",
        "10:35: systems.shop.tables.t.refers_to.a: no table 'ordr'; did you mean 'order'?",
    ),
    (
        "reference-arity", "{order: {}, t: {belongs_to: {'a, b': order.id}, erase: delete}}",
        "10:36: systems.shop.tables.t.belongs_to.a, b: 2 columns refer to 1; give the same number of "
        "columns on both sides",
    ),
    (
        "reference-column", "{order: {key: number}, t: {belongs_to: {a: order.nmber}, erase: delete}}",
        "10:47: systems.shop.tables.t.belongs_to.a: 'nmber' is not among the declared columns of 'order'; "
        "did you mean 'number'?",
    ),
    (
        "reference-cycle", "{a: {belongs_to: {b: b.id}, erase: delete}, b: {belongs_to: {a: a.id}, erase: delete}}",
        "10:68: systems.shop.tables.b.belongs_to.a: the tables belong to each other in a circle: b → a → b; "
        "change the reference that does not make the row that person's to 'refers_to'",
    ),
    (
        "identity-field", "{t: {identity: {email: mail}, erase: {mail: mask}}}",
        "10:23: systems.shop.tables.t.identity.email: 'mail' names a person and has no data category; "
        "add it to the fields of 't'",
    ),
    (
        "of-unknown", "{t: {mentions: {email: mail}, fields: {mail: {category: user.name, of: mial}}, erase: delete}}",
        "10:74: systems.shop.tables.t.fields.mail.of: no link 'mial'; did you mean 'mail'?",
    ),
    (
        "ignore-field", "{t: {fields: {a: user.name}, ignore: [a], erase: delete}}",
        "10:36: systems.shop.tables.t.ignore: 'a' is ignored, and has a data category; remove it from one of them",
    ),
    (
        "title-column", "{t: {fields: {mail: user.name}, titles: {mial: Mail}, erase: delete}}",
        "10:48: systems.shop.tables.t.titles.mial: 'mial' is not among the declared columns of 't'; "
        "did you mean 'mail'?",
    ),
    (
        "mark-unknown", "{t: {fields: {a: user.name}, erase: delete, marks: {restrictd: {column: b, value: '1'}}}}",
        "10:59: systems.shop.tables.t.marks.restrictd: 'restrictd' is not a declared purpose; did you mean "
        "'restricted'?",
    ),
    (
        "mark-column",
        "{t: {identity: {email: a}, fields: {a: user.name}, erase: delete, marks: {p: {column: a, value: '1'}}}}",
        "10:81: systems.shop.tables.t.marks.p: 'a' identifies the person, and a mark would overwrite it; "
        "use a separate column for the mark",
    ),
    (
        "erase-missing", "{t: {fields: {a: user.name}}}",
        "10:8: systems.shop.tables.t: what erasure does to these rows is not declared; "
        "add 'erase: delete', or a strategy for each field",
    ),
    (
        "erase-missing", "{t: {mentions: {account: a}}}",
        "10:8: systems.shop.tables.t: what erasure does to these rows is not declared; "
        "add 'erase: delete', or a strategy for each field",
    ),
    (
        "erase-missing", "{o: {}, t: {belongs_to: {a: o.id}}}",
        "10:15: systems.shop.tables.t: what erasure does to these rows is not declared; "
        "add 'erase: delete', or a strategy for each field",
    ),
    (
        "erase-nothing", "{o: {}, t: {belongs_to: {a: o.id}, erase: {fields: {}}}}",
        "10:42: systems.shop.tables.t.erase: rows of a person are kept, and no reason is declared; "
        "write 'delete', give a field a strategy, or add 'keep' to the table, with 'because' and 'cite'",
    ),
    (
        "erase-field-missing", "{t: {fields: {a: user.name, b: user.name, c: user.name}, erase: {b: mask}}}",
        "10:64: systems.shop.tables.t.erase: what erasure does to these fields is not declared: 'a', 'c'; "
        "give each a strategy",
    ),
    (
        "erase-field-unknown", "{t: {fields: {name: user.name}, erase: {name: mask, nmae: mask}}}",
        "10:59: systems.shop.tables.t.erase.fields.nmae: no declared field 'nmae'; did you mean 'name'?",
    ),
    (
        "erase-delete-field", "{t: {fields: {a: user.name}, erase: {a: delete}}}",
        "10:44: systems.shop.tables.t.erase.fields.a: a field cannot be deleted from its row; "
        "write 'null', or 'erase: delete' for the whole row",
    ),
    (
        "erase-field-missing",
        "{t: {fields: {a: user.name, b: user.name}, erase: {rows: delete, fields: {a: mask}}}}",
        "10:50: systems.shop.tables.t.erase: what erasure does to these fields is not declared: 'b'; give "
        "each a strategy",
    ),
    (
        "keep-missing", "{t: {fields: {a: user.name}, erase: {a: keep}}}",
        "10:44: systems.shop.tables.t.erase.fields.a: the field is kept, and no reason is declared; "
        "add 'keep' to the table, with 'because' and 'cite'",
    ),
    (
        "keep-from-missing", "{t: {keep: {for: 6 years, because: tax, cite: TMA}}}",
        "10:12: systems.shop.tables.t.keep: the period has no start; "
        "add 'from: …', the column that the period starts from",
    ),
    (
        "keep-field-unknown",
        "{t: {fields: {name: user.name}, erase: delete, keep: {because: x, cite: y, meanwhile: {nmae: null}}}}",
        "10:94: systems.shop.tables.t.keep.meanwhile.nmae: no declared field 'nmae'; did you mean 'name'?",
    ),
    (
        "keep-meanwhile",
        "{t: {fields: {a: user.name}, erase: delete, keep: {because: x, cite: y, meanwhile: {a: keep}}}}",
        "10:91: systems.shop.tables.t.keep.meanwhile.a: 'keep' is not possible while the row is kept; remove the field",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "tables", "said"), TABLE_FAULTS)
def test_a_fault_of_a_table_is_told_at_its_place(declared: Declared, code: str, tables: str, said: str) -> None:
    (problem,) = check(declared(f"{SHOP}      {tables}"))
    assert (problem.code, str(problem)) == (code, f"troth.yaml:{said}")


OTHER_FAULTS = [
    (
        "asked-missing", "systems: {desk: {store: 'https://desk.example.org'}}",
        "4:11: systems.desk: how to ask this system is not declared; "
        "add 'asked: {answers: […], secret: ${NAME}, holds: {…}}'",
    ),
    (
        "asked-holds", "systems: {desk: {store: '${DESK}', asked: {answers: [view]}}}",
        "4:11: systems.desk: what this system holds is not declared; add 'holds: {NAME: category}' under 'asked'",
    ),
    (
        "asked-store", "systems: {desk: {store: 'files:desk', asked: {answers: [view], holds: {l: system}}}}",
        "4:18: systems.desk.store: a database or a folder is read directly, and cannot have 'asked'; "
        "give an https:// address or 'hook:MODULE'",
    ),
    (
        "asked-tables",
        "systems: {desk: {store: 'hook:desk', tables: {t: {}}, asked: {answers: [view], holds: {l: system}}}}",
        "4:38: systems.desk.tables: an external system cannot have tables, because Troth does not read it; "
        "declare what it holds under 'asked'",
    ),
    (
        "asked-secret",
        "systems: {desk: {store: 'hook+https://d.example.org', asked: {answers: [view], holds: {l: system}}}}",
        "4:55: systems.desk.asked: there is no secret to sign messages with; add 'secret: ${NAME}'",
    ),
    (
        "asked-secret",
        "systems: {desk: {store: 'mailchimp:a1b2c3d4e5', asked: {answers: [view], holds: {l: system}}}}",
        "4:49: systems.desk.asked: there is no API key; add 'secret: ${MAILCHIMP_API_KEY}'",
    ),
    (
        "asked-sync",
        "purposes: {p: {basis: contract, use: essential, data: []}}\n"
        "systems: {shop: {store: 'sqlite:///s', tables: {t: {fields: {email: system}}}}, desk: {store: 'https://d', "
        "asked: {answers: [view], secret: '${S}', holds: {l: system}, sync: {purpose: p, table: shop.t}}}}",
        "5:169: systems.desk.asked.sync: only a list of Mailchimp is kept in sync; remove 'sync'",
    ),
    *(
        (
            "asked-sync",
            "purposes: {p: {basis: contract, use: essential, data: []}}\n"
            "systems: {shop: {store: 'sqlite:///s', tables: {t: {fields: {email: system}}}}, desk: {store: '${L}', "
            f"asked: {{answers: [view], holds: {{l: system}}, sync: {{{sync}}}}}}}}}",
            said,
        )
        for sync, said in (
            (
                "purpose: q, table: shop.t",
                "5:155: systems.desk.asked.sync.purpose: no purpose 'q'; declare it under 'purposes'",
            ),
            (
                "purpose: p, table: shop.u",
                "5:167: systems.desk.asked.sync.table: no table 'shop.u'; name it as SYSTEM.TABLE; it is one whose "
                "rows Troth reads",
            ),
            (
                "purpose: p, table: shop.t, email: mail",
                "5:182: systems.desk.asked.sync.email: no declared column 'mail' in shop.t; name the column with the "
                "address",
            ),
        )
    ),
    (
        "asked-recipient",
        "recipients: {mailer: {role: joint, country: GB, receives: []}}\n"
        "systems: {desk: {store: 'hook:desk', asked: {answers: [view], holds: {l: system}, recipient: maler}}}",
        "5:83: systems.desk.asked.recipient: no recipient 'maler'; did you mean 'mailer'?",
    ),
    (
        "category-without-purpose",
        "systems: {desk: {store: 'hook:desk', asked: {answers: [view], holds: {who: user.name}}}}",
        "4:71: systems.desk.asked.holds.who: no purpose needs 'user.name'; "
        "add it, or a broader one, to the data of a purpose: none yet",
    ),
    (
        "category-unknown", "systems: {desk: {store: 'hook:desk', asked: {answers: [view], holds: {who: user.nme}}}}",
        "4:71: systems.desk.asked.holds.who: no data category 'user.nme'; did you mean 'user.name'?",
    ),
    (
        "use-unknown", "purposes: {p: {basis: consent, use: essential.servce, data: []}}",
        "4:32: purposes.p.use: no data use 'essential.servce'; did you mean 'essential.service'?",
    ),
    (
        "country-unknown", "recipients: {r: {role: joint, country: UK, receives: []}}",
        "4:31: recipients.r.country: 'UK' is not a country in ISO 3166-1; did you mean 'GB'?",
    ),
    (
        "retention-table",
        "systems: {shop: {store: task, tables: {login: {}}}}\nretention: {r: {table: shop.logn, for: 1 day, from: at}}",
        "5:17: retention.r.table: no table 'shop.logn'; did you mean 'shop.login'?",
    ),
    (
        "category-without-purpose",
        "systems: {shop: {store: task, tables: {t: {fields: {a: user.name}, erase: delete}}}}",
        "4:53: systems.shop.tables.t.fields.a: no purpose needs 'user.name'; "
        "add it, or a broader one, to the data of a purpose: none yet",
    ),
    (
        "interests-missing", "purposes: {p: {basis: legitimate_interests, use: sales, data: []}}",
        "4:12: purposes.p: the legitimate interests are not declared; add 'interests: …', in words that the "
        "person understands",
    ),
    (
        "category-unheld", "purposes: {p: {basis: consent, use: sales, data: [user.name]}}",
        "4:51: purposes.p.data.0: no table holds 'user.name'; declare the field that holds it, or remove it",
    ),
    (
        "category-unheld", "recipients: {r: {role: joint, country: GB, receives: [user.name]}}",
        "4:55: recipients.r.receives.0: no table holds 'user.name'; declare the field that holds it, or remove it",
    ),
    (
        "purpose-unknown",
        "purposes: {sell: {basis: consent, use: sales, data: []}}\nsystems: {a: {store: task, purposes: [sel]}}",
        "5:39: systems.a.purposes.0: no purpose 'sel'; did you mean 'sell'?",
    ),
    (
        "purpose-unknown", "collection_points: {c: {fields: {}, purposes: [sell]}}",
        "4:48: collection_points.c.purposes.0: no purpose 'sell'; declare it under 'purposes'",
    ),
    (
        "category-unknown", "collection_points: {c: {fields: {a: {need: optional, category: user.nam}}, purposes: []}}",
        "4:34: collection_points.c.fields.a: no data category 'user.nam'; did you mean 'user.name'?",
    ),
    (
        "collect-needless",
        "systems: {a: {store: task}}\npurposes: {p: {basis: consent, use: sales, data: [user.contact]}}\n"
        "collection_points: {c: {fields: {a: {need: optional, category: user.name}}, purposes: [p]}}",
        "6:34: collection_points.c.fields.a: no purpose needs 'user.name'; "
        "remove the field, or declare the purpose that needs it",
    ),
    (
        "safeguard-missing", "recipients: {r: {role: joint, country: US, receives: []}}",
        "4:14: recipients.r: data goes to US, and no safeguard is declared; "
        "add 'safeguard: …': adequacy, scc, idta, dpf, uk_bridge",
    ),
    (
        "contract-missing", "recipients: {r: {role: processor, country: IE, receives: []}}",
        "4:14: recipients.r: no processing contract is declared; add 'contract: …', the place where it is kept",
    ),
    (
        "cookie-lifetime", "cookies: {c: {purpose: necessary, lifetime: long}}",
        "4:35: cookies.c.lifetime: neither 'session' nor a period; such as 'session' or '30 days'",
    ),
    (
        "quote-twice",
        "promises:\n- {quote: We  keep it, owner: o, controls: [c]}\n- {quote: we keep it, owner: o, controls: [c]}",
        "6:4: promises.1.quote: this sentence is already declared as a promise; merge it with promise 0 at "
        "troth.yaml:5:3",
    ),
    (
        "attestation-dates",
        "promises: [{quote: q, owner: o, attest: {by: a, says: s, on: 2026-02-01, until: 2026-02-01}}]",
        "4:74: promises.0.attest.until: the attestation ends before it begins; give a later day",
    ),
    (
        "attestation-long",
        "promises: [{quote: q, owner: o, attest: {by: a, says: s, on: 2026-02-01, until: 2099-01-01}}]",
        "4:74: promises.0.attest.until: the attestation is for more than a year; give an earlier day: an "
        "attestation for more than a year does not count",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "said"), OTHER_FAULTS)
def test_a_fault_of_another_section_is_told_at_its_place(declared: Declared, code: str, text: str, said: str) -> None:
    (problem,) = check(declared(text))
    assert (problem.code, str(problem)) == (code, f"troth.yaml:{said}")


def test_a_basis_of_the_united_kingdom_serves_there_alone(declared: Declared) -> None:
    declaration = declared("purposes: {p: {basis: recognised_legitimate_interests, use: sales, data: []}}")
    raw = declaration.model_dump(by_alias=True)
    raw["organisation"]["country"] = "DE"

    assert check(declaration) == []
    assert [problem.code for problem in check(Declaration.model_validate(raw))] == ["basis-elsewhere"]


def test_rows_that_are_deleted_may_say_what_happens_where_they_have_to_stay(declared: Declared) -> None:
    table = "      {t: {fields: {a: user.name}, erase: {rows: delete, fields: {a: mask}}}}"
    assert check(declared(SHOP + table)) == []


def test_what_a_draft_left_open_is_told_wherever_it_stands() -> None:
    text = """\
# TODO: who you are
troth: 1
organisation: {name: TODO, country: GB, address: "TODO: street", email: privacy@example.org}
policy: {file: policy.md, effective: 1970-01-01}
systems:
  # REVIEW: a guess
  shop: {store: task, owner: TODO, title: A TODO list}  # TODO at the end of a line is anybody's
  # REVIEW: another
promises:
- {quote: TODO, owner: ann@example.org, controls: [c]}
"""
    assert [(problem.code, str(problem.severity), str(problem)) for problem in check(parse(text))] == [
        (code, severity, f"troth.yaml:{said}")
        for code, severity, said in (
            ("mark-left", "warning", "1:1: a comment says TODO; "
             "fill in what is missing, and remove the mark"),
            ("placeholder-left", "error", f"3:16: organisation.name: {OPEN}"),
            ("placeholder-left", "error", f"3:41: organisation.address: {OPEN}"),
            ("placeholder-left", "error", "4:27: policy.effective: the day is still the placeholder of a draft; "
             "give the day from which the policy is in force"),
            ("mark-left", "warning", "6:3: 2 comments say REVIEW, this one first; "
             "check each guess and correct it, and remove the mark"),
            ("placeholder-left", "error", f"7:23: systems.shop.owner: {OPEN}"),
            ("placeholder-left", "error", f"10:4: promises.0.quote: {OPEN}"),
        )
    ]  # fmt: skip


def test_marks_of_included_files_are_told_in_their_file(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("systems:\n  # TODO: whose?\n  shop: {store: task}\n")
    whole = "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
    (tmp_path / "troth.yaml").write_text(
        whole + "policy: {file: policy.md, effective: 2026-11-01}\ninclude: [shop.yaml]\n"
    )
    [problem] = check(load(tmp_path / "troth.yaml"))
    assert (problem.code, str(problem.where)) == ("mark-left", f"{tmp_path / 'shop.yaml'}:2:3")


def test_a_table_may_hold_its_own_children(declared: Declared) -> None:
    assert (
        check(declared(SHOP + "      {a: {belongs_to: {parent: a.id}, fields: {n: user.name}, erase: delete}}")) == []
    )


def test_every_circle_is_told_once_across_systems_and_however_long(declared: Declared) -> None:
    chain = ", ".join(f"t{n}: {{belongs_to: {{p: t{n + 1}.id}}, erase: delete}}" for n in range(3_000))
    text = f"{{store: task, tables: {{{chain}, t3000: {{belongs_to: {{p: crm.x.id, q: t0.id}}, erase: delete}}}}}}"
    crm = "{store: task, tables: {x: {belongs_to: {p: shop.t2999.id}, erase: delete}}}"
    found = check(declared(f"systems: {{shop: {text}, crm: {crm}}}"))

    assert [problem.code for problem in found] == ["reference-cycle"] * 2
    assert "t3000 → t0 → t1 → … → t2998 → t2999 → t3000" in found[0].message
    assert "x → t2999 → t3000 → x" in found[1].message


def test_an_identity_column_of_deleted_rows_is_only_a_warning(declared: Declared) -> None:
    (problem,) = check(declared(SHOP + "      {t: {identity: {email: mail}, erase: delete}}"))
    assert (problem.code, problem.severity) == ("identity-field", Severity.WARNING)


def test_an_account_number_and_a_key_need_no_strategy(declared: Declared) -> None:
    table = "{t: {key: mail, identity: {email: mail, account: number}, fields: {a: user.name}, erase: {a: mask}}}"
    assert check(declared(f"{SHOP}      {table}")) == []


@pytest.mark.parametrize(
    "rest",
    [
        "keep: {because: tax law, cite: TMA 1970}",
        "erase: {a: 'null'}",
        "unlinked: they end within a day",
        "erase: delete",
    ],
)
def test_rows_of_a_person_may_stay_for_a_reason_or_without_what_leads_there(declared: Declared, rest: str) -> None:
    assert check(declared(f"{SHOP}      {{o: {{}}, t: {{belongs_to: {{a: o.id}}, {rest}}}}}")) == []


def test_data_of_systems_is_nobodys(declared: Declared) -> None:
    assert check(declared("systems: {shop: {store: task, tables: {t: {fields: {a: system.operations}}}}}")) == []


def test_a_recipient_at_home_needs_no_safeguard(declared: Declared) -> None:
    assert check(declared("recipients: {r: {role: joint, country: IE, receives: []}}")) == []


def test_a_system_that_a_person_looks_into_may_hold_anything(declared: Declared) -> None:
    text = "systems: {files: {store: task}}\npurposes: {p: {basis: consent, use: sales, data: [user.name]}}"
    assert check(declared(text)) == []


def test_what_an_asked_system_holds_counts_like_a_field(declared: Declared) -> None:
    text = (
        "purposes: {p: {basis: consent, use: sales, data: [user.name, user.contact]}}\n"
        "systems: {desk: {store: 'hook:desk', asked: {answers: [view], holds: {who: user.name}}}}"
    )
    assert [problem.path for problem in check(declared(text))] == ["purposes.p.data.1"]


def test_a_person_may_say_what_they_answer_for(declared: Declared) -> None:
    text = (
        "purposes: {p: {basis: consent, use: sales, data: [user]}}\n"
        "systems: {files: {store: task, asked: {answers: [view, erase], holds: {letters: user.content}}}}"
    )
    assert check(declared(text)) == []


@pytest.mark.parametrize(
    ("store", "is_looked_into"),
    [
        ("task", False), ("hook:shop.privacy", False), ("https://x.example.org", False), ("sqlite:///x.db", True),
        ("files:calls", True), ("${X}", True),
    ],
)  # fmt: skip
def test_a_system_is_looked_into_unless_somebody_answers_for_it(store: str, is_looked_into: bool) -> None:
    assert System(store=store).is_looked_into is is_looked_into
    assert not System(store=store, asked=ExternalAccess(answers=("view",))).is_looked_into


@pytest.mark.parametrize(
    ("code", "text", "today"),
    [
        ("waiver-lapsed", "controls: [c], waive: {reason: r, approver: a, until: 2026-11-30}", NOW),
        ("waiver-long", "controls: [c], waive: {reason: r, approver: a, until: 2027-12-03}", NOW),
        ("attestation-lapsed", "attest: {by: a, says: s, on: 2026-01-01, until: 2026-11-30}", NOW),
        ("attestation-early", "attest: {by: a, says: s, on: 2026-12-02, until: 2027-11-30}", NOW),
    ],
)
def test_what_the_calendar_overtakes_is_told_when_the_time_is_known(
    declared: Declared, code: str, text: str, today: dt.datetime
) -> None:
    declaration = declared(f"promises: [{{quote: q, owner: o, {text}}}]")
    assert [code] == [problem.code for problem in check(declaration, now=today)]
    assert check(declaration) == []


def test_the_last_day_still_counts(declared: Declared) -> None:
    declaration = declared(
        "promises: [{quote: q, owner: o, controls: [c], waive: {reason: r, approver: a, until: 2026-12-01}},\n"
        "  {quote: s, owner: o, attest: {by: a, says: s, on: 2026-01-01, until: 2026-12-01}}]\n"
        "recipients: {r: {role: joint, country: GB, receives: [], contract_until: 2026-12-01}}"
    )
    late = dt.datetime(2026, 12, 2, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))  # 23:30 UTC on the 1st
    assert check(declaration, now=late) == []
    codes = [problem.code for problem in check(declaration, now=late + dt.timedelta(hours=1))]
    assert codes == ["waiver-lapsed", "attestation-lapsed", "contract-lapsed"]


def test_all_problems_come_at_once_in_the_order_of_the_text(declared: Declared) -> None:
    problems = check(
        declared("cookies: {c: {purpose: necessary, lifetime: x}}\nsystems: {a: {store: task, purposes: [b]}}")
    )
    assert [problem.code for problem in problems] == ["cookie-lifetime", "purpose-unknown"]


def test_a_name_that_could_be_a_person_is_not_repeated(declared: Declared) -> None:
    (problem,) = check(declared("systems: {s: {store: task, purposes: ['ann@example.org']}}"))
    assert "ann" not in str(problem)


def test_a_declaration_from_no_file_is_checked_without_places() -> None:
    raw = load(SAMPLE).model_dump(by_alias=True)
    raw["cookies"]["cart"]["lifetime"] = "long"
    (problem,) = check(Declaration.model_validate(raw))
    assert problem.where is None
    assert str(problem).startswith("cookies.cart.lifetime: ")


FED = """\
purposes: {p: {basis: contract, use: essential.service, data: [user]}}
recipients:
  post: {role: controller, country: GB, receives: [user.contact.email], feed: FEED}
systems:
  hr: {store: task, tables: {staff: {}}}
  shop:
    store: ${SHOP}
    tables:
      person: {identity: {email: email}, fields: {email: user.contact.email}, ignore: [mailing], erase: delete}
      street: {belongs_to: {p: person.id}, fields: {street: user.contact.address.street}, erase: delete}
      issue: {key: id, ignore: [title]}
"""


@pytest.mark.parametrize(
    ("feed", "code", "said"),
    [
        (
            "{table: shop.persn}", "feed-table",
            "recipients.post.feed.table: no table 'shop.persn'; did you mean 'shop.person'?",
        ),
        (
            "{table: person}", "feed-table",
            "recipients.post.feed.table: no table 'person'; did you mean 'shop.person'?",
        ),
        (
            "{table: hr.staff}", "feed-table",
            "recipients.post.feed.table: no table 'hr.staff'; "
            "write 'system.table', a declared table that Troth reads",
        ),
        (
            '{table: shop.person, where: {mailin: "yes"}}', "feed-column",
            "recipients.post.feed.where.mailin: no declared column 'mailin' in 'shop.person'; did you mean 'mailing'?",
        ),
        (
            "{table: shop.person, where: {x: 1}}", "feed-column",
            "recipients.post.feed.where.x: no declared column 'x' in 'shop.person'; "
            "declare it in 'shop.person': fields or ignore",
        ),
        (
            "{table: shop.street}", "feed-nothing",
            "recipients.post.feed.table: 'shop.street' holds nothing that 'post' receives; "
            "give the table that holds it, or add what is sent to recipients.post.receives",
        ),
        (
            "{table: shop.issue}", "feed-nobody",
            "recipients.post.feed.table: no link leads from a person to the rows of 'shop.issue'; "
            "declare whose they are: belongs_to, identity or mentions",
        ),
    ],
)  # fmt: skip
def test_a_feed_names_what_there_is(declared: Declared, feed: str, code: str, said: str) -> None:
    declaration = declared(FED.replace("FEED", feed))
    found = [problem for problem in check(declaration) if problem.code.startswith("feed")]
    first = found[0]
    assert (first.code, first.severity) == (code, Severity.ERROR)
    assert str(first).endswith(said)
    assert first.where is not None
    assert first.where.line == declaration.where("recipients.post.feed").line  # type: ignore[union-attr]


@pytest.mark.parametrize("feed", ["{table: shop.person}", "{table: shop.person, where: {mailing: yes, email: 1}}"])
def test_a_feed_that_is_there_is_fine(declared: Declared, feed: str) -> None:
    assert [problem for problem in check(declared(FED.replace("FEED", feed))) if problem.code.startswith("feed")] == []
