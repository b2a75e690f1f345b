"""Rehearsals: an invented company, made from a declaration, in which promises are broken to see whether their controls
notice.

A breach is a function that a package registers with `breach`; it changes a `World`: scratch databases with invented
rows, a scripted website, a policy, papers, keys, Troth's own records, and the time. The
service plants them one after the other, and puts everything back in between.
"""

from troth.rehearsal.breaches import RehearsedBreach, breach, breaches, register
from troth.rehearsal.invented import CanaryPerson, InventedPerson, InventedRow, Inventor
from troth.rehearsal.score import NotPlanted, Planted, Rehearsal, RehearsalVerdict, RehearsedPromise, Unplanted
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World

__all__ = [
    "CanaryPerson",
    "Inapplicable",
    "InventedPerson",
    "InventedRow",
    "Inventor",
    "NotPlanted",
    "Planted",
    "Rehearsal",
    "RehearsalVerdict",
    "RehearsedBreach",
    "RehearsedPromise",
    "Unplanted",
    "World",
    "breach",
    "breaches",
    "register",
]
