"""A promise that claims the whole of something is kept only by controls that look at the whole."""

import datetime as dt
from dataclasses import replace

import pytest

from troth.controls import (
    Check,
    CheckOutcome,
    Control,
    Evidence,
    Status,
    absolute_words,
    catalogue,
    looking_at_less,
    status_of,
)
from troth.declaration import Attestation, Promise

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
SEEN = frozenset({"shop"})
WHOLE = replace(catalogue()["stores.schema_declared"], whole=True)
PART = replace(WHOLE, whole=False)
OF_PAGES = replace(WHOLE, whole=("pages", "website"))


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("We never sell your data, and no one else receives it.", ("never", "no one else")),
        ("Only our staff can see it.", ("only",)),
        ("All tables are declared; the list is complete.", ("all", "complete")),
        ("Each of them is declared, and so is the entire database.", ("each", "entire")),
        ("You can object at any time, and we stop at once.", ()),
        ("The systems do not know each other.", ()),
        ("We do not ask for this at all.", ()),
        ("Not every browser shows it.", ()),
        ("We delete sign-ups that nobody confirmed.", ()),
        ("We keep orders for overall six years.", ()),
    ],
)
def test_absolute_words_are_found_and_phrases_that_claim_nothing_are_not(sentence: str, words: tuple[str, ...]) -> None:
    assert absolute_words(sentence) == words


ABSOLUTE = """
We do not pass your data to anyone.
We don't share your data with anyone.
No third party receives your data.
No third parties see it.
We do not sell any of your data.
We do not give it to any other company.
We do not use it for anything else.
It is used exclusively for your order.
We delete your data completely.
Your data is fully encrypted.
It is kept entirely in the EU.
Under no circumstances do we sell it.
At no time is it shown to others.
We delete your data everywhere.
Your data is sent nowhere.
We cannot see it anywhere.
Your data is 100% encrypted.
No-one else receives it.
No\N{NON-BREAKING HYPHEN}one reads it.
We share data only if you agree.
We delete everything else.
We won\N{RIGHT SINGLE QUOTATION MARK}t ever sell it.
Your whole record is deleted.
We use it for the sole purpose of delivery.
No advertiser receives your data.
It is used for your order alone.
Die Löschung aller Daten ist sicher.
Wir geben Ihre Daten an niemanden weiter.
Kein anderes Unternehmen erhält Ihre Daten.
Wir verkaufen nie Daten.
Ihre Daten liegen nirgends sonst.
Wir nutzen sie ausschließlich für die Bestellung.
Wir löschen Ihre Daten vollständig.
Sämtliche Daten sind verschlüsselt.
Nous ne vendons jamais vos données.
Personne d'autre ne reçoit vos données.
Nous ne les donnons à personne.
Aucun tiers ne les reçoit.
Elles ne sont conservées nulle part ailleurs.
Nous n'utilisons que les données de la commande.
Nous effaçons toutes vos données.
Nous ne partageons rien.
No compartimos sus datos con nadie.
Ningún tercero recibe sus datos.
Nunca vendemos datos.
No vendemos nada.
Sus datos no están en ninguna parte.
Los usamos exclusivamente para el pedido.
Borramos todos sus datos.
"""
PLAIN = """
You can object at any time, and we stop at once.
If you have any questions, write to us.
Not only do we encrypt it.
The course is fully booked.
Any of our staff can help you.
We do not ask for this at all.
Not every browser shows it.
We delete sign-ups that nobody confirmed.
We keep orders for overall six years.
If you do not want any of this, tell us.
We do not keep it any longer than a year.
We do not make decisions based solely on automated processing.
We do not use it anymore.
You can stop without giving any reason.
Anyone can read this policy.
No more than twenty people can open it.
There is no charge.
This is a stand-alone page.
Vous pouvez aller à la page en un seul clic.
Tell us when you complete the form.
The systems do not know each other.
Invoices stay, even when you ask us to delete everything else, because the law says so.
We do not sell data. Any question is welcome.
Sie können jederzeit widersprechen.
Nicht nur Kunden können fragen.
Wir prüfen das alle zwei Jahre.
Vor allem löschen wir Protokolle.
Das ist mit keinen Kosten verbunden.
Geben Sie Ihren vollständigen Namen an.
Wir sind Auftragsverarbeiter.
Vous pouvez vous opposer à tout moment.
Indiquez votre nom complet.
Une personne lit votre demande.
Nous vérifions tous les deux ans.
La personne concernée peut écrire.
Ce n'est pas seulement une page.
Nous effaçons vos données après un an.
Puede oponerse en cualquier momento.
Indique su nombre completo.
No solo ciframos los datos.
Lo revisamos cada dos años.
Sobre todo borramos registros.
Basta un solo clic.
Borramos sus datos después de un año.
"""


@pytest.mark.parametrize("sentence", ABSOLUTE.strip().splitlines())
def test_a_sentence_that_claims_the_whole_has_an_absolute_word(sentence: str) -> None:
    assert absolute_words(sentence) != ()


@pytest.mark.parametrize("sentence", PLAIN.strip().splitlines())
def test_a_sentence_that_claims_no_whole_has_none(sentence: str) -> None:
    assert absolute_words(sentence) == ()


def status(quote: str, control: Control, evidence: Evidence, attest: Attestation | None = None) -> Status:
    promise = Promise(quote=quote, owner="ann@example.org", controls=(control.id,), attest=attest)
    check = Check(
        control.id, control.version, CheckOutcome.PASS, "3 rows.", NOW, NOW + dt.timedelta(hours=1), "h", evidence
    )
    judged = status_of(
        promise,
        {control.id: [check]},
        now=NOW,
        declaration_hash="h",
        controls={control.id: control},
        approved={promise.attestation_hash} if promise.attestation_hash else set(),
    )
    assert (judged.status is Status.UNPROVEN) == ("The promise says" in judged.reason)
    return judged.status


ALL_OF_IT = Evidence(SEEN, SEEN, population=3, tested=3)
SAMPLE = Evidence(SEEN, SEEN, population=300, tested=3)


@pytest.mark.parametrize(
    ("quote", "control", "evidence", "kept"),
    [
        ("Every row is declared.", WHOLE, ALL_OF_IT, True),
        ("Every row is declared.", WHOLE, SAMPLE, False),
        ("Every row is declared.", WHOLE, Evidence(SEEN, SEEN, population=3, tested=2, excluded=1), True),
        ("Every row is declared.", PART, ALL_OF_IT, False),
        ("Rows are declared.", PART, SAMPLE, True),
        ("Our pages load nothing of others.", OF_PAGES, ALL_OF_IT, True),
        ("No one else receives your data.", OF_PAGES, ALL_OF_IT, False),
    ],
)
def test_a_partial_view_proves_no_promise_over_the_whole(
    quote: str, control: Control, evidence: Evidence, kept: bool
) -> None:
    assert status(quote, control, evidence) is (Status.KEPT if kept else Status.UNPROVEN)


def test_a_person_may_state_what_the_controls_do_not_see() -> None:
    day = NOW.date()
    word = Attestation(by="ben@example.org", says="I looked.", on=day, until=day + dt.timedelta(days=30))
    assert status("No one else receives your data.", PART, ALL_OF_IT, word) is Status.STATED


@pytest.mark.parametrize(
    ("control", "quote", "is_whole"),
    [
        (
            "collection.only_declared_fields",
            "On our pages we ask for data in five places, and this list is complete:",
            True,
        ),
        ("collection.only_declared_fields", "We do not pass your data to anyone in any form.", False),
        ("collection.only_declared_fields", "We never ask for your password by telephone.", False),
        ("complaints.acknowledged", "We acknowledge every complaint within thirty days.", True),
        ("complaints.acknowledged", "Wir bestätigen jede Beschwerde binnen dreißig Tagen.", True),
        ("complaints.acknowledged", "We answer everybody at once.", False),
        ("complaints.acknowledged", "We never pass a complaint on to anyone.", False),
        ("complaints.questions_answered", "We answer every question within five days.", True),
        ("complaints.questions_answered", "We answer every complaint within five days.", False),
        ("core.runs_finished", "Every deletion that we have begun is carried through.", True),
        ("core.runs_finished", "We delete all your data.", False),
        ("core.runs_finished", "We finish every deletion that we begin.", True),
        ("core.restores", "Every backup is restored and tested.", False),
        ("declaration.complete", "Each kind of personal data has a purpose, a legal basis and a period.", True),
        ("declaration.complete", "We use your data only for the purposes that we name.", False),
        ("declaration.complete", "We only share it where we have a legal basis.", False),
        ("disclosures.none_sold", "We do not pass your data to anyone.", False),
        ("disclosures.only_to_recipients", "Our pages load nothing from other companies.", True),
        ("disclosures.only_to_recipients", "What you enter on our website goes to no one else.", False),
        ("disclosures.recipients_documented", "We have a written contract with each of them.", True),
        ("disclosures.recipients_documented", "Nous avons un contrat avec chaque destinataire.", True),
        ("disclosures.recipients_documented", "No one else ever receives your data.", False),
        ("disclosures.recipients_documented", "We have a contract with each, and nobody gets more.", False),
        ("disclosures.recipients_documented", "We use it only for our contract with you.", False),
        ("disclosures.recipients_documented", "No one receives it without your agreement.", False),
        ("ledger.intact", "Our record is never altered.", True),
        ("ledger.intact", "We record every access.", False),
        ("ledger.witnessed", "Every entry is seen by a witness.", True),
        ("ledger.witnessed", "Every entry is true.", False),
        ("law.reviewed", "We review the entire policy once a year.", True),
        ("law.reviewed", "We review every request by hand.", False),
        ("law.reviewed", "We always obey the law.", False),
        ("mail.owed_sent", "Every e-mail that we owe you is sent.", True),
        ("mail.owed_sent", "We never read your e-mail.", False),
        ("mail.preflight", "Every issue has our postal address.", True),
        ("mail.preflight", "Every issue has an honest subject and our postal address.", False),
        ("mail.preflight", "We never write to your postal address.", False),
        ("mail.purpose", "We send the newsletter only to people who asked for it.", False),
        ("policy.changes_published", "We publish every change of this policy.", True),
        ("policy.changes_published", "We never change your data.", False),
        ("policy.lint_clean", "This policy says everything that the law requires.", False),
        ("protect.keys_current", "Every key of our key store is younger than two years.", True),
        ("protect.keys_current", "All keys of our disks are younger than two years.", False),
        ("requests.answered_in_time", "We answer every request within one month.", True),
        ("requests.answered_in_time", "We never sell your data, even on request.", False),
        ("requests.every_channel", "You can use every way to send a request.", True),
        ("requests.every_channel", "We answer everything.", False),
        ("requests.every_right_offered", "You can use all your rights here.", True),
        ("requests.every_right_offered", "We delete everything right away.", False),
        ("requests.recipients_told", "We tell every recipient about it.", True),
        ("requests.recipients_told", "We tell nobody about it.", False),
        ("retention.nothing_overdue", "All sign-in history is deleted after ninety days.", True),
        ("retention.nothing_overdue", "We delete all your data after two years.", False),
        ("retention.nothing_overdue", "We never share your data, not after ten years.", False),
        ("retention.nothing_overdue", "We delete your data everywhere.", False),
        ("site.links_alive", "Every link from this page to another works.", True),
        ("site.links_alive", "Every link on our website works.", False),
        ("site.nothing_stored_before_choice", "We share nothing unless you agree.", False),
        ("site.policy_conspicuous", "Our home page always has an obvious link.", True),
        ("site.policy_conspicuous", "Every page has an obvious link.", False),
        ("site.transport_encrypted", "Every connection to our website is encrypted.", True),
        ("site.transport_encrypted", "Every connection between our website and our databases is encrypted.", False),
        ("site.transport_encrypted", "All your data that our website stores is encrypted.", False),
        ("staff.mfa", "Nobody can open your data without a second factor.", False),
        ("stores.principals_counted", "We know each of the accounts that can read our databases.", True),
        ("stores.principals_counted", "Only we can read your account.", False),
        ("stores.schema_declared", "Every table and column of our systems is declared.", True),
        ("stores.schema_declared", "No one opens your files.", False),
        ("subjects.canaries_erased", "We delete your data everywhere.", False),
    ],
)
def test_a_control_is_whole_only_for_sentences_about_what_it_looks_at(control: str, quote: str, is_whole: bool) -> None:
    assert absolute_words(quote)
    assert (not looking_at_less(quote, [catalogue()[control]])) is is_whole


def test_a_clear_view_of_another_matter_proves_no_promise() -> None:
    documented = catalogue()["disclosures.recipients_documented"]
    assert status("We have a contract with each recipient.", documented, ALL_OF_IT) is Status.KEPT
    assert status("No one else ever receives your data.", documented, ALL_OF_IT) is Status.UNPROVEN


def test_each_part_of_a_sentence_is_looked_at_by_a_control_of_its_own() -> None:
    complaints, questions, second_factor = (
        catalogue()[id_] for id_ in ("complaints.acknowledged", "complaints.questions_answered", "staff.mfa")
    )
    both = "We acknowledge every complaint within a month, and we answer every question within a week."
    assert not looking_at_less(both, [complaints, questions])
    assert looking_at_less(both, [complaints]) == {complaints.id}
    assert looking_at_less(both, [complaints, questions, second_factor]) == {second_factor.id}


def test_every_control_that_is_whole_names_what_for() -> None:
    assert not [control.id for control in catalogue().values() if control.whole is True]
