"""Of all recognisers, that of the right country claims a number, in the words of people who live there."""

from __future__ import annotations

import re
from typing import Final

from tests.tables import each_row

from troth.detect.detector import Detector

_DETECTOR: Final = Detector(names=False)
_SAID: Final = [
    ("UK_NINO", "My National Insurance number is ⟦AB 12 34 56 C⟧, and I start on Monday."),
    ("UK_NHS", "Patient: Ann. NHS No ⟦943 476 5919⟧. Seen in clinic."),
    ("UK_UTR", "I need my UTR (⟦2234567890⟧) for the return."),
    ("UK_DRIVING_LICENCE", "driving licence ⟦MORGA657054SM9IJ⟧ attached"),
    ("UK_VEHICLE_REGISTRATION", "I drive a blue Golf, ⟦TE57 VRN⟧."),
    ("UK_PASSPORT", "my uk passport number is ⟦523908817⟧"),
    ("SORT_CODE", "Sort code ⟦20-00-00⟧, please."),
    ("BANK_ACCOUNT", "The account number is ⟦55779911⟧."),
    ("IE_PPS", "PPS number: ⟦1234567FA⟧"),
    ("US_SSN", "Ben's social security number is ⟦219-45-0001⟧."),
    ("US_ITIN", "ITIN ⟦912-70-1234⟧ on the W-7"),
    ("US_DRIVER_LICENSE", "driver's license number is ⟦425700624⟧"),
    ("US_PASSPORT", "American passport ⟦A12345678⟧"),
    ("ABA_ROUTING_NUMBER", "routing number ⟦111000025⟧"),
    ("US_MBI", "Medicare ⟦1EG4-TE5-MK73⟧"),
    ("CA_SIN", "social insurance number ⟦130 692 544⟧"),
    ("DE_TAX_ID", "Meine Steuer-Identifikationsnummer lautet ⟦86 095 742 719⟧."),
    ("DE_ID_CARD", "Personalausweis Nr. ⟦L01X00T471⟧"),
    ("DE_SOCIAL_SECURITY", "Rentenversicherungsnummer: ⟦15 070649 C 103⟧"),
    ("DE_HEALTH_INSURANCE", "Versichertennummer ⟦A123456780⟧"),
    ("FR_NIR", "Mon numéro de sécu c'est le ⟦2 55 08 14 168 025 38⟧ merci"),
    ("FR_SPI", "numéro fiscal ⟦30 23 217 600 053⟧"),
    ("ES_NIF", "Mi DNI es ⟦12345678Z⟧ y vivo en Sevilla."),
    ("ES_NIE", "NIE ⟦X1234567L⟧"),
    ("ES_NUSS", "Número de la Seguridad Social: ⟦28/12345678/40⟧"),
    ("IT_FISCAL_CODE", "Il mio codice fiscale è ⟦RSSMRA85T10A562S⟧."),
    ("IT_VAT_CODE", "P. IVA ⟦00743110157⟧"),
    ("NL_BSN", "Mijn BSN is ⟦111222333⟧."),
    ("BE_NATIONAL_NUMBER", "Rijksregisternummer: ⟦85.07.30-033.28⟧"),
    ("PT_NIF", "Contribuinte n.º ⟦123456789⟧"),
    ("AT_SOCIAL_SECURITY", "SVNR: ⟦1237 010180⟧"),
    ("CH_AHV", "AHV-Nummer ⟦756.9217.0769.85⟧"),
    ("PL_PESEL", "Mój PESEL to ⟦44051401359⟧."),
    ("PL_NIP", "NIP: ⟦123-456-32-18⟧"),
    ("CZ_BIRTH_NUMBER", "rodné číslo ⟦736028/5163⟧"),
    ("HU_TAJ", "TAJ szám: ⟦123 456 788⟧"),
    ("RO_CNP", "CNP ⟦1800101221144⟧"),
    ("BG_EGN", "ЕГН: ⟦7523169263⟧"),
    ("GR_AFM", "Ο ΑΦΜ μου είναι ⟦094259216⟧."),
    ("HR_OIB", "OIB: ⟦94577403194⟧"),
    ("SE_PERSONNUMMER", "Mitt personnummer är ⟦811228-9874⟧."),
    ("NO_FODSELSNUMMER", "Fødselsnummer: ⟦010107 50160⟧"),
    ("DK_CPR", "CPR-nr. ⟦211062-5629⟧"),
    ("FI_PERSONAL_IDENTITY_CODE", "Henkilötunnus: ⟦131052-308T⟧"),
    ("TR_NATIONAL_ID", "TC Kimlik No ⟦10000000146⟧"),
    ("RU_SNILS", "СНИЛС ⟦112-233-445 95⟧"),
    ("BR_CPF", "Meu CPF é ⟦529.982.247-25⟧."),
    ("MX_CURP", "CURP: ⟦HEGG560427MVZRRL04⟧"),
    ("AR_CUIT", "CUIL ⟦20-05536168-2⟧"),
    ("CL_RUT", "mi RUT es ⟦30.686.957-4⟧"),
    ("AU_TFN", "My tax file number is ⟦123 456 782⟧."),
    ("AU_MEDICARE", "Medicare card ⟦2123 45670 1⟧"),
    ("NZ_IRD", "IRD number ⟦49-091-850⟧"),
    ("ZA_ID_NUMBER", "My ID number is ⟦8001015009087⟧."),
    ("IN_AADHAAR", "Aadhaar no. ⟦2341 2341 2346⟧"),
    ("IN_PAN", "PAN card ⟦AAAPL1234C⟧"),
    ("SG_NRIC_FIN", "NRIC: ⟦S1234567D⟧"),
    ("HK_HKID", "HKID ⟦A123456(3)⟧"),
    ("TW_NATIONAL_ID", "身分證字號：⟦A123456789⟧"),
    ("KR_RRN", "주민등록번호는 ⟦800101-1234567⟧입니다."),
    ("JP_MY_NUMBER", "マイナンバーは ⟦1234 5678 9018⟧ です"),
    ("CN_RESIDENT_ID", "身份证号码是⟦11010519491231002X⟧。"),
    ("TH_TNIN", "Thai ID ⟦1-1017-00230-70-8⟧"),
    ("IL_ID", "תעודת זהות ⟦123456782⟧"),
    ("VAT_NUMBER", "USt-IdNr. ⟦DE136695976⟧"),
    ("PASSPORT", "Reisepass ⟦C01X00T47⟧, gültig bis 2031"),
    ("NATIONAL_ID", "Her identity card number is ⟦XB7Y2Q9K1⟧."),
    ("RESIDENCE_PERMIT", "titre de séjour ⟦9912345678⟧"),
    ("VEHICLE_REGISTRATION", "Kennzeichen ⟦B-AB 1234⟧"),
]


@each_row(("entity", "text"), _SAID)
def test_a_number_is_claimed_by_its_own_country(entity: str, text: str) -> None:
    plain = re.sub("[⟦⟧]", "", text)
    found = [(it.type, plain[it.start : it.end]) for it in _DETECTOR.find(plain)]
    assert (entity, text[text.index("⟦") + 1 : text.index("⟧")]) in found
