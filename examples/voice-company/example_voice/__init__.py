"""Example Voice Ltd, an invented company: its four databases, its folder of call transcripts, its website.

`lay_down` fills the systems with seeded people; `plant` adds two honest faults and `fix` takes them out again;
`website` is the company's site as a WSGI application. Everything about the company that Troth is told stands in
``troth.yaml``; nothing here imports Troth, as nothing in a real company would.
"""

from example_voice.faults import fix, plant
from example_voice.laying import Laid, NotEmpty, lay_down
from example_voice.systems import ADDRESS_VARIABLES, DATABASES, Places
from example_voice.web import SettingMissing, Settings, website

__all__ = [
    "ADDRESS_VARIABLES",
    "DATABASES",
    "Laid",
    "NotEmpty",
    "Places",
    "SettingMissing",
    "Settings",
    "fix",
    "lay_down",
    "plant",
    "website",
]
