"""What the company sells, in pence without VAT."""

from __future__ import annotations

from dataclasses import dataclass

VAT_PERCENT = 20


@dataclass(frozen=True, slots=True)
class Product:
    """One line of the price list."""

    title: str
    summary: str
    pence: int


CATALOGUE = {
    "hours-10": Product("Ten hours", "Ten hours of calls, transcribed and checked", 9_000),
    "hours-50": Product("Fifty hours", "Fifty hours of calls, for a team that talks every day", 40_000),
    "redaction": Product("Redaction", "Names and numbers taken out of ten hours of transcripts", 6_500),
    "review": Product("Human review", "A person listens to one hour again, line by line", 3_900),
}
