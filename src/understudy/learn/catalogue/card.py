"""A model's card: everything that somebody must know before using it, as YAML, every field checked.

::

    name: people-semantic-tiny
    kind: own                       # own: `models train` makes it; public: `models add` fetches it; added: a user's file
    task: semantic
    classes: [person]
    about: one sentence
    weights: 756634                 # how many numbers are learned; null where unknown
    licence: {code: Apache-2.0, weights: Apache-2.0, commercial: true, note: ...}
    training: {recipe: ..., count: ..., seed: ..., ...}     # what a command needs to make it again
    data: [{name: ..., made: true, pictures: 3000, digest: ...}]
    scores: [{metric: mIoU, value: .73, low: .66, high: .79, n: 100, data: people/val, digest: ...}]
    files: [{name: model.safetensors, url: https://..., sha256: ..., bytes: ...}]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from understudy.errors import DatasetError

KINDS = ("own", "public", "added")
TASKS = ("semantic", "box", "mask", "keypoint", "panoptic")
WEIGHTS = "model.safetensors"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.(safetensors|json|txt)", re.ASCII)


@dataclass(frozen=True)
class Licence:
    """Of a model. commercial : whether it may be used commercially; None where its licence leaves that open"""

    code: str
    weights: str
    commercial: bool | None
    note: str = ""

    @property
    def commercial_use(self) -> str:
        """In a word."""
        return {True: "yes", False: "no", None: "unclear"}[self.commercial]


@dataclass(frozen=True)
class File:
    """A file of a model. url : where it is fetched from, "" for one that was made here; sha256 : "" while unknown"""

    name: str
    url: str = ""
    sha256: str = ""
    bytes: int | None = None


@dataclass(frozen=True)
class Card:
    """One model. Fields as in the module's text."""

    name: str
    kind: str
    task: str
    classes: tuple[str, ...]
    about: str
    licence: Licence
    weights: int | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    data: Sequence[Mapping[str, Any]] = ()
    scores: Sequence[Mapping[str, Any]] = ()
    files: tuple[File, ...] = ()

    @property
    def score(self) -> str:
        """The latest measured score with its interval, in words."""
        if not self.scores:
            return "not measured"
        s = self.scores[-1]
        return f"{s['metric']} {s['value']:.3f} ({s['low']:.3f} to {s['high']:.3f}) on {s['n']} of {s['data']}"

    def to_yaml(self) -> str:
        import yaml

        plain = asdict(self)
        plain["classes"] = list(self.classes)
        plain["files"] = [asdict(f) for f in self.files]
        for name in ("data", "scores"):
            plain[name] = [dict(entry) for entry in getattr(self, name)]
        plain["training"] = dict(self.training)
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)


def read_card(path: Path) -> Card:
    """The card in a YAML file. DatasetError, naming the field, for anything that is not as it should be."""
    import yaml

    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DatasetError(f"is no readable card: {error}", where=path) from error
    if not isinstance(plain, dict):
        raise DatasetError("is no card", where=path, wanted="a mapping with name, kind, task ...", got=type(plain).__name__)

    def must(good: bool, name: str, wanted: str) -> None:
        if not good:
            raise DatasetError(f"the card's {name} is wrong", where=path, wanted=wanted, got=repr(plain.get(name))[:80])

    odd = sorted(set(plain) - set(Card.__dataclass_fields__))
    if odd:
        raise DatasetError(f"the card has no field {odd[0]!r}", where=path, wanted=", ".join(Card.__dataclass_fields__))
    must(isinstance(plain.get("name"), str) and bool(_NAME.fullmatch(plain["name"])), "name", "small letters, digits, . _ -")
    must(plain.get("kind") in KINDS, "kind", ", ".join(KINDS))
    must(plain.get("task") in TASKS, "task", ", ".join(TASKS))
    must(isinstance(plain.get("classes"), list) and all(isinstance(c, str) for c in plain["classes"]), "classes",
         "a list of names")
    must(isinstance(plain.get("about"), str), "about", "a sentence")
    told = plain.get("licence")
    must(isinstance(told, dict) and set(told) - {"note"} == {"code", "weights", "commercial"}
         and isinstance(told["code"], str) and isinstance(told["weights"], str)
         and (told["commercial"] is None or isinstance(told["commercial"], bool)), "licence",
         "code, weights, commercial (true, false, or null where the licence leaves it open), note")
    must(plain.get("weights") is None or (isinstance(plain["weights"], int) and plain["weights"] > 0), "weights",
         "how many numbers are learned")
    must(isinstance(plain.get("training", {}), dict), "training", "a mapping")
    for name in ("data", "scores"):
        must(isinstance(plain.get(name, []), list) and all(isinstance(e, dict) for e in plain.get(name, [])), name,
             "a list of mappings")
    for score in plain.get("scores", []):
        must(all(isinstance(score.get(k), int | float) for k in ("value", "low", "high", "n"))
             and all(isinstance(score.get(k), str) for k in ("metric", "data", "digest")), "scores",
             "metric, value, low, high, n, data, digest")
    listed = plain.get("files", [])
    must(isinstance(listed, list) and all(isinstance(f, dict) and _is_file(f) for f in listed), "files",
         "name (.safetensors, .json or .txt), url (https, http or file), sha256 (64 hexadecimal digits, or empty), bytes")
    return Card(plain["name"], plain["kind"], plain["task"], tuple(plain["classes"]), plain["about"], Licence(**told),
                plain.get("weights"), plain.get("training", {}), plain.get("data", []), plain.get("scores", []),
                tuple(File(**f) for f in listed))


def _is_file(told: Mapping[str, Any]) -> bool:
    name, url, digest, size = (told.get(k, d) for k, d in (("name", ""), ("url", ""), ("sha256", ""), ("bytes", None)))
    return (set(told) <= {"name", "url", "sha256", "bytes"} and isinstance(name, str) and bool(_FILE.fullmatch(name))
            and isinstance(url, str) and (not url or url.partition("://")[0] in ("https", "http", "file"))
            and isinstance(digest, str) and (not digest or bool(_SHA256.fullmatch(digest)))
            and (size is None or (isinstance(size, int) and size > 0)))
