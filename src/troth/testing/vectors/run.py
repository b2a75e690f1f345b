"""Runs and evaluates the tests of one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm

from troth.ledger import NoteRefused, ProofRefused
from troth.ledger import verify_troth_ledger as offline
from troth.protect import ProtectError
from troth.protect.hazmat import AeadFailed, UnwrapFailed
from troth.testing.vectors.algorithms import ALGORITHMS
from troth.testing.vectors.merkle import try_proof
from troth.testing.vectors.reading import JsonFields, VectorsUnreadable, read_json, shown
from troth.testing.vectors.trials import Attempt, NotTried, Trial

_REFUSALS = (
    AeadFailed,
    UnwrapFailed,
    NoteRefused,
    ProofRefused,
    offline.Refused,
    ProtectError,
    ValueError,
    OverflowError,  # a length beyond the machine's integers
    AssertionError,  # raw primitives assert the preconditions of their callers
)
_RESULTS = ("valid", "invalid", "acceptable")


@dataclass(frozen=True, slots=True)
class Failure:
    """A wrong result of ours: the test in the file, and what was wrong."""

    test: str
    reason: str


@dataclass(slots=True)
class VectorReport:
    """Results of one file. *skipped* counts tests by the reason for skipping them."""

    algorithm: str
    passed: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def run_file(path: Path) -> VectorReport:
    """Run every test in the file at *path*. Raises `VectorsUnreadable` for a format that is not supported."""
    values = read_json(path)
    if isinstance(values, dict) and "testGroups" in values:
        report, tests = _wycheproof(JsonFields(values, "the file"))
    else:
        report, tests = _merkle(values)
    for name, result, trial in tests:
        try:
            reason = _wrong(trial(), result)
        except NotTried as why:
            report.skipped[str(why)] += 1
        except UnsupportedAlgorithm:
            report.skipped["this build of OpenSSL does not have it"] += 1
        else:
            if reason is None:
                report.passed += 1
            else:
                report.failures.append(Failure(name, reason))
    return report


_Tests = Iterator[tuple[str, str, Callable[[], Trial]]]
"""For each test: its name, its expected result, and its trial, which may raise `NotTried` and `VectorsUnreadable`."""


def _wycheproof(file: JsonFields) -> tuple[VectorReport, _Tests]:
    algorithm = file.text("algorithm")
    attempt = ALGORITHMS.get(algorithm.upper())
    if attempt is None:
        report = VectorReport(shown(algorithm))
        report.skipped["the algorithm is not used here"] = _count(file.values["testGroups"])
        return report, iter(())

    def tests() -> _Tests:
        for group in file.each("testGroups", "group"):
            for test in group.each("tests", "test"):
                result = test.text("result")
                if result not in _RESULTS:
                    raise VectorsUnreadable(f"{test.where}: 'result' is not one of {', '.join(_RESULTS)}")
                yield f"tcId {test.number('tcId')}", result, partial(attempt, group, test)

    return VectorReport(shown(algorithm)), tests()


def _count(groups: Any) -> int:
    """Number of tests of an unsupported algorithm, whose format is unknown."""
    listed = [group.get("tests") for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []
    return sum(len(tests) for tests in listed if isinstance(tests, list))


def _merkle(values: Any) -> tuple[VectorReport, _Tests]:
    """One case, or a list of them."""
    listed = values if isinstance(values, list) else [values]
    cases = [
        JsonFields(case, f"case {at}" if values is listed else "the file") for at, case in enumerate(listed, start=1)
    ]
    if not cases or not all("wantErr" in case for case in cases):
        raise VectorsUnreadable("neither Wycheproof's format ('testGroups') nor Merkle test data ('wantErr')")

    def tests() -> _Tests:
        for case in cases:
            wrong = case.get("wantErr", bool, "true or false")
            name = shown(case.text("desc")) if "desc" in case else case.where
            yield name, "invalid" if wrong else "valid", partial(try_proof, case)

    return VectorReport("Merkle proof"), tests()


# --- evaluation -----------------------------------------------------------------------------------------------------


def _wrong(trial: Trial, result: str) -> str | None:
    """What is wrong with our results, or None. Raises `NotTried` for a documented refusal."""
    for attempt in trial.attempts:
        try:
            given = attempt.run()
        except (NotTried, UnsupportedAlgorithm):
            raise
        except _REFUSALS:
            if result == "valid" and trial.limit is None:
                return f"{attempt.name}: refused, and it is valid"
            if result == "valid":
                raise NotTried(str(trial.limit)) from None
        except Exception as fault:  # noqa: BLE001 - whatever a primitive ends with, it is no answer
            return f"{attempt.name}: ended with {type(fault).__name__}"
        else:
            reason = _wrong_answer(attempt, given, result)
            if reason is not None:
                return reason
    return None


def _wrong_answer(attempt: Attempt, given: object, result: str) -> str | None:
    if result == "valid":
        return None if given == attempt.expected else f"{attempt.name}: other bytes than expected"
    accepted = attempt.refused or given == attempt.expected
    return f"{attempt.name}: accepted, and it is invalid" if result == "invalid" and accepted else None
