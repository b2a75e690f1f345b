"""The words that people, places and talk are made of. Streets, towns and companies are invented; telephone numbers
come from the ranges that Ofcom and the North American numbering plan set aside for drama; postcodes are well formed in
areas that were never assigned."""

from __future__ import annotations

from itertools import product

_GIVEN_WORDS = """
Aisha Alan Alice Amara Andrew Anita Arjun Beatrice Bilal Bridget Callum Carmen Catherine Chidi Claire Colin
Daniel Daphne David Deepa Dylan Edith Elena Elliot Emeka Emma Esther Ewan Farah Felix Fiona Frank Gareth Gemma
George Grace Hannah Harriet Harvey Helen Hugo Ian Imogen Ines Isaac Ivy Jack Jamal Jane Jasmine Joel Joyce Kate
Keiko Kenneth Kofi Laila Laura Leo Lewis Linda Lucas Lydia Magnus Malika Marcus Maria Martin Meera Miriam Mohan
Molly Nadia Naomi Neil Nina Noah Olive Omar Oscar Patrick Paula Peter Petra Priya Quentin Rachel Rafael Ravi Rhys
Robert Rosa Ruth Samira Samuel Sarah Sean Shirin Simon Sofia Stella Tariq Theo Thomas Tomasz Una Vera Victor
Wanda William Yara Yusuf Zara Zoe
"""
GIVEN = tuple(_GIVEN_WORDS.split())

_FAMILY_WORDS = """
Abbot Adeyemi Ahmed Archer Ashby Bailey Baker Banerjee Barlow Bennett Bishop Blake Bose Bowman Brook Brown Burton
Carter Chandra Chapman Chen Clarke Cole Cooper Costa Cox Dale Das Davies Dawson Dean Dixon Doyle Edwards Ellis
Evans Farrow Fernandez Fisher Fletcher Ford Foster Fox Fraser Gallagher Garcia Gibson Gill Graham Grant Green
Gupta Hall Hansen Harper Hart Hayes Hill Holt Hughes Hunt Hussain Ibrahim Iqbal Irwin Jackson James Jensen Jones
Joshi Kaur Kaya Kelly Khan King Knight Kowalski Lambert Lane Lee Lewis Lim Lowe Marsh Mason Mehta Miller Mills
Moore Morgan Morris Murphy Murray Nair Nash Nguyen Novak Nowak Oakley Okafor Oliver Osman Owen Palmer Park Parker
Patel Perry Phillips Pike Pope Porter Powell Price Quinn Rahman Reed Reid Reyes Rhodes Roberts Robinson Rose
Rossi Ryan Sato Saunders Schmidt Scott Shah Sharma Shaw Silva Singh Smith Stone Suzuki Tanaka Taylor Thomas
Thorne Turner Usman Vaughan Virk Walker Walsh Ward Watson Webb West White Wilson Wood Wright Yang Yates Young
"""
FAMILY = tuple(_FAMILY_WORDS.split())

STREETS = (
    "Larkmere Lane",
    "Tallowgate",
    "Quillon Street",
    "Old Ropery Walk",
    "Sparrowfield Road",
    "Lanternmaker Row",
    "Ninepenny Hill",
    "Weaverbrook Close",
    "Copperkettle Yard",
    "Hollowmoor Avenue",
    "Threlmere Crescent",
    "Inkpot Passage",
    "Marlpit Terrace",
    "Saltmarren Way",
    "Thimblecroft",
    "Underbeck Drive",
)

TOWNS = (
    ("Dunmarrow", "FB"),
    ("Eastmere Quay", "HH"),
    ("Fallowmarch", "NC"),
    ("Hartlesby Green", "RR"),
    ("Kestrelholme", "WW"),
    ("Northwick Ferry", "YY"),
    ("Oxmarsh Cross", "TT"),
    ("Thistlewater", "PP"),
)

CALIFORNIAN_TOWNS = ("Port Marlowe", "Santa Brisa", "Lorena Springs")

TRADES = ("Dental", "Housing", "Couriers", "Insurance", "Clinics", "Travel", "Energy", "Repairs")


def uk_mobiles() -> list[str]:
    """07700 900000 to 900999."""
    return [f"+447700900{n:03d}" for n in range(1000)]


def uk_landlines() -> list[str]:
    """The blocks set aside in fourteen cities, and 01632, which is the code of no town at all."""
    blocks = "2079460 1134960 1144960 1154960 1164960 1174960 1184960 1214960 1314960 1414960 1514960 1614960 1914980"
    return [f"+44{block}{n:03d}" for block, n in product((*blocks.split(), "2920180", "1632960"), range(1000))]


def californian_phones() -> list[str]:
    """555-0100 to 555-0199 in six area codes."""
    return [f"+1{area}55501{n:02d}" for area, n in product((213, 415, 510, 619, 707, 916), range(100))]
