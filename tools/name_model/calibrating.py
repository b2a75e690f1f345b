"""What a score is worth: how many findings with it were right, on texts whose writers the model had not met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

STEPS: Final = 51
"""For so many scores, evenly from 0 to 1, the table says what they are worth."""

_DOUBT: Final = 8
"""So many findings, half of them right, are thought to have a score of 1: a few of a kind prove nothing."""

Floats = npt.NDArray[np.float32]


def fitted(judged: Sequence[Iterable[tuple[float, bool]]]) -> Floats:
    """For each kind, a line that never falls through the shares of findings that were right."""
    return np.stack([_rising(sorted(it)) for it in judged])


def put(table: Floats, path: Path) -> None:
    """Write the table into a file of weights."""
    with np.load(path, allow_pickle=False) as read:
        held = {name: read[name] for name in read.files}
    np.savez(path, allow_pickle=False, **{**held, "sure": table.astype(np.float16)})


def _rising(judged: Sequence[tuple[float, bool]]) -> Floats:
    """Neighbours that would make the line fall are taken together (pool adjacent violators)."""
    pools = [(0.0, 0.0, 1.0)]
    for score, right, weight in (*((it, float(is_right), 1.0) for it, is_right in judged), (1.0, _DOUBT / 2, _DOUBT)):
        pools.append((score, right, weight))
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            (at, some, some_weight), (before, others, others_weight) = pools.pop(), pools.pop()
            together = some_weight + others_weight
            pools.append(((at * some_weight + before * others_weight) / together, some + others, together))
    places = np.array([at for at, _, _ in pools])
    shares = np.array([right / weight for _, right, weight in pools])
    line: Floats = np.interp(np.linspace(0, 1, STEPS), places, shares).astype(np.float32)
    return line
