"""Make the model of names that `troth.detect.ner` ships: ``python -m tools.name_model --help``.

    teach      --encoder FOLDER --marked 'DIR/*.txt' --columns FILE --lines FILE --teacher teacher.pt
    ask        --encoder FOLDER --marked … --texts 'DIR/*.txt' --teacher teacher.pt --out opinions.npz
    learn      --encoder FOLDER --marked … --opinions opinions.npz --foreign 'DIR/*.txt' --out names.npz
    calibrate  --weights OTHER.npz --marked 'UNSEEN/*.txt' --out names.npz
    measure    --weights names.npz --marked 'UNSEEN/*.txt'

``ask`` keeps what the teacher thinks of texts, and of the marked ones with rare words put in place of names. Beside
each of the ``--foreign`` texts, ``de.txt``, stands a dictionary of its language, ``de.words``, a word a line.
``calibrate`` measures what scores are worth on texts whose writers the *other* weights have not met, and writes it into
``--out``. It takes the packages of tools/name_model/requirements.txt, in an environment of their own, and about an hour
of one core. What the shipped weights were made from is in docs/reference/names-model.md.
"""

from __future__ import annotations

import argparse
import glob
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tools.name_model import calibrating, corpora, measuring, opinions
from tools.name_model.corpora import Document
from tools.name_model.opinions import Opinion

READERS = {"marked": corpora.marked, "columns": corpora.in_columns, "lines": corpora.in_lines}


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("teach", "ask", "learn", "calibrate", "measure"))
    for name, reader in READERS.items():
        parser.add_argument(f"--{name}", action="append", default=[], metavar="FILES", help=reader.__doc__)
    parser.add_argument("--texts", action="append", default=[], metavar="FILES", help="Texts without marks.")
    parser.add_argument("--foreign", action="append", default=[], metavar="FILES", help="Texts in other languages.")
    parser.add_argument("--opinions", action="append", default=[], metavar="FILES", help="What ``ask`` wrote.")
    parser.add_argument("--rounds", type=int, default=14, help="How often everything is learnt from.")
    parser.add_argument("--encoder", type=Path, help="Folder of the pretrained encoder.")
    parser.add_argument("--teacher", type=Path, help="The teacher's weights, written or read.")
    parser.add_argument("--weights", type=Path, help="The small network's weights, to be measured.")
    parser.add_argument("--out", type=Path, help="Where the opinions go, or the small network's weights.")
    asked = parser.parse_args(arguments)
    documents = [it for name, reader in READERS.items() for path in _files(getattr(asked, name)) for it in reader(path)]
    match asked.what:
        case "teach":
            _teach(documents, asked.encoder, asked.teacher)
        case "ask":
            _ask(documents, [*_documents(asked.texts)], asked.encoder, asked.teacher, asked.out)
        case "learn":
            _learn(documents, asked)
        case "calibrate":
            calibrating.put(calibrating.fitted(measuring.judged(documents, asked.weights)), asked.out)
        case _:
            print(*measuring.figures(documents, asked.weights), sep="\n")


def _teach(documents: Sequence[Document], encoder: Path, path: Path) -> None:
    import torch
    from tools.name_model.teacher import Teacher

    teacher = Teacher(encoder)
    teacher.learn(documents, print)
    torch.save(teacher.state_dict(), path)


def _ask(documents: Sequence[Document], texts: Sequence[str], encoder: Path, path: Path, out: Path) -> None:
    import torch
    from tools.name_model.changing import Changes
    from tools.name_model.teacher import Teacher, given

    changes = Changes(documents, random.Random(3))
    words = (it for it in given(encoder, 64).rows if it.isalpha() and len(it) > 2)
    teacher = Teacher(encoder)
    teacher.load_state_dict(torch.load(path))
    thought = (teacher.opinion(it) for it in (*texts, *(changes.around(words, documents) if documents else ())))
    opinions.write([it for it in thought if len(it.words)], out)


def _learn(documents: Sequence[Document], asked: argparse.Namespace) -> None:
    from tools.name_model.learning import learnt
    from tools.name_model.network import write
    from tools.name_model.teacher import given

    thought = [it for path in _files(asked.opinions) for it in opinions.read(path)]
    both = thought, [*_of_dictionaries(asked.foreign)]
    student, words = learnt(documents, both, given(asked.encoder, 64), rounds=asked.rounds, told=print)
    write(student, words.known, asked.out)


def _of_dictionaries(patterns: Iterable[str]) -> Iterator[Opinion]:
    from tools.name_model.lists import of_words

    names = frozenset[str]().union(*of_words())
    for path in _files(patterns):
        with path.with_suffix(".words").open(encoding="utf-8") as dictionary:
            yield from opinions.by_dictionary(_parts(path), dictionary, names)


def _documents(patterns: Iterable[str]) -> Iterator[str]:
    for path in _files(patterns):
        yield from _parts(path)


def _parts(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n=====\n")


def _files(patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from map(Path, sorted(glob.glob(pattern)))


if __name__ == "__main__":
    main(sys.argv[1:])
