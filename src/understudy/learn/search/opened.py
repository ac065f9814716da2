"""The test that may be looked at once: a search's winner and the recipe as it is, on real pictures that chose nothing.

Whoever looks at a test, changes something and looks again has a validation. So each opening is written down before it
happens, what came of the first is kept and given back, and the count stands in the run's card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UsageError
from understudy.learn.evals.pairing import Difference, difference, draws, mean_figure
from understudy.learn.session import evaluate
from understudy.learn.sources import open_source
from understudy.learn.training_record import Tell

_OPENINGS, _RESULT = "test-openings.jsonl", "test.json"


@dataclass(frozen=True)
class Opened:
    """What the test said. scores : {group: figure as plain}; gain : the winner less the recipe as it is, None where the
    recipe as it is won; openings : how often the test was opened, this run's included"""

    scores: Mapping[str, Mapping]
    gain: Mapping | None
    openings: int
    again: bool = False


def open_once(folder: Path, test: Path, groups: Mapping[str, Sequence[Path]], base: str, tell: Tell) -> Opened:
    """Measure ``groups`` ({name: its seeds' models}, ``base`` among them) on ``test``, or give back what was measured.

    UsageError where another test has been opened for this search already.
    """
    from understudy.writers.files import append_bytes, replace_file

    digest = open_source(test).fingerprint
    opened = folder / _OPENINGS
    before = [json.loads(line) for line in opened.read_text(encoding="utf-8").splitlines()] if opened.is_file() else []
    if any(b["digest"] != digest for b in before):
        raise UsageError("another test was opened for this search already", where=folder, got=str(test),
                         wanted=before[0]["data"], remedy="One search has one test: start another search for another one")
    told = json.loads((folder / _RESULT).read_text(encoding="utf-8")) if (folder / _RESULT).is_file() else None
    if told is not None and set(told["scores"]) == set(groups):
        tell("the test was opened before; this is what it said then")
        return Opened(told["scores"], told["gain"], len(before), True)
    append_bytes(opened, (json.dumps({"data": str(test), "digest": digest, "groups": sorted(groups)}) + "\n").encode())
    drawn, n, task = {}, 0, ""
    for name, models in groups.items():
        got = [evaluate(model, test, None, tell) for model in models]
        n, task = got[0].main.n, got[0].task
        drawn[name] = draws(task, [g.table for g in got])
    scores = {name: mean_figure(d, n).plain() for name, d in drawn.items()}
    other = next((name for name in groups if name != base), None)
    apart: Difference | None = None if other is None else difference(drawn[other], drawn[base], n)
    gain = None if apart is None else apart.figure.plain() | {"sure": apart.sure, "p": apart.p}
    result = {"data": str(test), "digest": digest, "scores": scores, "gain": gain, "openings": len(before) + 1}
    replace_file(folder / _RESULT, [json.dumps(result, indent=1) + "\n"])
    return Opened(scores, gain, len(before) + 1)
