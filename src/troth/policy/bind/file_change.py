"""Turns a plan's proposals into lines of a declaration."""

from __future__ import annotations

import hashlib
import os
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troth.declaration import Declaration, parse
from troth.declaration.edit import CannotAdd, file_of_promises, is_only_added, with_promises
from troth.policy.bind.proposals import Proposal

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class FileChange:
    """The content of *file* before and after. *hash* identifies both, so that what is written is what was reviewed."""

    file: Path
    before: str
    after: str

    @property
    def hash(self) -> str:
        """A short identifier of exactly this change."""
        digest = hashlib.sha256(f"{self.before}\0{self.after}".encode()).hexdigest()
        return f"pb1:{digest[:16]}"

    def write(self) -> None:
        """Replaces the file atomically. Symbolic links and the file's permissions are preserved."""
        file = self.file.resolve()
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        try:
            draft.write_text(self.after, encoding="utf-8", newline="")
            shutil.copymode(file, draft)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)


def change_for(proposals: Sequence[Proposal], declaration: Declaration, main: Path) -> FileChange:
    """The change that adds the proposals to the declaration at *main*. Raises `CannotAdd` if anything else would
    change."""
    file = file_of_promises(declaration, main)
    with file.open(encoding="utf-8", newline="") as opened:
        before = opened.read()
    entries = [_entry(one) for one in proposals]
    comments = {f"{place}.{key}": text for place, one in enumerate(proposals) for key, text in _comment(one).items()}
    change = FileChange(file, before, with_promises(before, entries, comments))
    if file.resolve() == main.resolve() and not is_only_added(declaration, parse(change.after, file=main)):
        raise CannotAdd(f"{file}: adding here would change existing lines; add the promises by hand")
    return change


def _entry(proposal: Proposal) -> Mapping[str, Any]:
    """Controls are bound only if a pass would prove the promise; otherwise the comment names them."""
    entry: dict[str, Any] = {"quote": proposal.quote, "owner": "TODO"}
    if proposal.is_shown:
        entry["controls"] = [proof.control for proof in proposal.proofs]
        entry["about"] = list(proposal.about)
    if proposal.severity != "medium":
        entry["severity"] = proposal.severity
    return {key: value for key, value in entry.items() if value}


def _comment(proposal: Proposal) -> dict[str, str]:
    """Comments that a reader needs for the decision, by the key below them."""
    shown = dict.fromkeys(f"Green shows that {proof.shows}." for proof in proposal.proofs)
    green = [*shown, *dict.fromkeys(f"Not: {proof.cannot_see}" for proof in proposal.proofs)]
    if proposal.is_shown:
        return {"controls": _wrapped(green)}
    says = [f"Not bound: {warning}." for warning in proposal.warnings]
    if proposal.proofs:
        about = f", about: [{', '.join(proposal.about)}]" if proposal.about else ""
        says += [f"To bind by hand: controls: [{', '.join(proof.control for proof in proposal.proofs)}]{about}", *green]
    if proposal.attest:
        nothing = "These controls cover only a part." if proposal.proofs else "No control measures this."
        says.append(f"{nothing} Somebody who knows may attest it: “{proposal.attest}”")
    says += [f"Or measure it yourself, under controls: {proposal.own}."] if proposal.own else []
    return {"owner": _wrapped(says)}


def _wrapped(texts: Sequence[str]) -> str:
    return "\n".join(line for text in texts for line in textwrap.wrap(text, _WIDTH))
