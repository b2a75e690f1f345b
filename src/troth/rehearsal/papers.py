"""The papers of an invented company: copies of the files that its declaration names, which faults may change."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from troth.controls.papers import names_file
from troth.declaration import Declaration
from troth.policy import read_file
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World


def with_copied_papers(declaration: Declaration, folder: Path) -> Declaration:
    """*declaration* with *folder* as its base, where its policies, contracts, safeguards and assessments are copies. A
    file that is missing stays missing. What is no file inside the real folder becomes a folder, which is no paper
    either; a policy is copied from wherever it is."""
    folder.mkdir(parents=True)
    for name in _papers(declaration):
        source, target = declaration.folder / name, folder / name
        if source.exists() and _is_below(target, folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_file() and _is_below(source, declaration.folder):
                shutil.copyfile(source, target)
            else:
                target.mkdir(exist_ok=True)
    files = [declaration.policy.file, *(version.file for version in declaration.policy.versions)]
    copies = [_copied_policy(declaration.folder / file, folder / f"policies/{at}") for at, file in enumerate(files)]
    policy, *others = [copy.relative_to(folder) for copy in copies]
    versions = [
        version.model_copy(update={"file": file})
        for version, file in zip(declaration.policy.versions, others, strict=True)
    ]
    moved = declaration.policy.model_copy(update={"file": policy, "versions": tuple(versions)})
    return declaration.model_copy(update={"policy": moved}).in_folder(folder)


def paper(world: World, name: str | None) -> Path:
    """The copy of a paper. Raises `Inapplicable` if the company has none."""
    path = world.declaration.folder / (name or "")
    if name and _is_below(path, world.declaration.folder) and path.is_file():
        return path
    raise Inapplicable("no such paper")


def rewrite_policy(world: World, text: str) -> None:
    """Put *text* into the policy's file. Raises `Inapplicable` if it cannot be written as text."""
    path = world.declaration.folder / world.declaration.policy.file
    if path.suffix.lower() in {".pdf", ".docx"}:
        raise Inapplicable("the policy is no text file")
    path.write_text(text, encoding="utf-8")
    world.policy = read_file(path)


def _papers(declaration: Declaration) -> Iterator[str]:
    for it in declaration.recipients.values():
        named = [it.contract, it.assessed, it.safeguard if it.safeguard and names_file(it.safeguard) else None]
        yield from (name.strip() for name in named if name and "://" not in name)
    risks = [it.risk for it in declaration.purposes.values() if it.risk is not None]
    assessments = [risk.assessment.file for risk in risks if risk.assessment is not None]
    yield from (name.strip() for name in assessments if "://" not in name)


def _copied_policy(source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    return Path(shutil.copyfile(source, folder / source.name))


def _is_below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
