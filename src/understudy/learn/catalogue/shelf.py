"""Where cards and weights lie: those that come with the package, and the user's shelf.

The shelf is ``$UNDERSTUDY_MODELS``, else ``understudy/models`` in the platform's folder for a user's data: weights are not
always to be had again, so they are no cache. A model there is a folder with ``card.yaml`` beside its files; its card comes
before one of the same name in the package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from understudy.errors import AssetError, UsageError
from understudy.learn.catalogue.card import WEIGHTS, Card, File, Licence, read_card
from understudy.learn.catalogue.fetch import digest_of, fetched, only_safe

CARD = "card.yaml"


@dataclass(frozen=True)
class Entry:
    """A model that is known. folder : on the shelf, or None while only its card is known; ready : whether its weights lie
    there"""

    card: Card
    folder: Path | None

    @property
    def ready(self) -> bool:
        return self.folder is not None and (self.folder / WEIGHTS).is_file()

    @property
    def state(self) -> str:
        """For people: where its weights are, or how to come by them."""
        if self.ready:
            return "on the shelf"
        return {"own": "models train", "public": "models add"}.get(self.card.kind, "files missing")


def shelf() -> Path:
    """The user's shelf (not made by asking)."""
    chosen = os.environ.get("UNDERSTUDY_MODELS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        named = os.environ.get("XDG_DATA_HOME", "")
        base = Path(named) if named.startswith("/") else Path.home() / ".local" / "share"
    return base / "understudy" / "models"


def entries() -> dict[str, Entry]:
    """Every model that is known, by name. DatasetError for a card that is wrong."""
    found: dict[str, Entry] = {}
    for path in sorted((Path(__file__).parent / "cards").glob("*.yaml")):
        card = read_card(path)
        found[card.name] = Entry(card, None)
    if shelf().is_dir():
        for path in sorted(shelf().glob(f"*/{CARD}")):
            card = read_card(path)
            found[card.name] = Entry(card, path.parent)
    return dict(sorted(found.items()))


def entry(name: str) -> Entry:
    """The model of that name. UsageError if there is none."""
    known = entries()
    if name not in known:
        raise UsageError(f"there is no model {name!r}", wanted=", ".join(known),
                         remedy="`understudy models list` shows all")
    return known[name]


def put(card: Card) -> Path:
    """Write the card to its folder on the shelf; the folder."""
    from understudy.writers.files import replace_file

    folder = shelf() / card.name
    replace_file(folder / CARD, [card.to_yaml()])
    return folder


def add_public(card: Card, tell: Callable[[str], None], pin: bool = False) -> Path:
    """Fetch every file of a card to the shelf, digests checked, and put the card there; the folder."""
    if not any(f.name == WEIGHTS for f in card.files) or not all(f.url for f in card.files):
        raise UsageError(f"the card names nothing to fetch for {card.name}",
                         wanted=f"files with a url, {WEIGHTS} among them")
    folder = shelf() / card.name
    got = tuple(fetched(file, folder, tell, pin) for file in card.files)
    return put(replace(card, files=got))


def add_model(model: Path, name: str, licence: Licence, about: str, scores: tuple[Mapping, ...] = ()) -> Card:
    """Put a model of ``understudy train`` on the shelf with a card made from its header."""
    import shutil

    from understudy.learn.native import model_file
    from understudy.learn.native.network import weights

    source = model_file.located(model)
    network, told, _ = model_file.load(source)
    folder = shelf() / name
    if (folder / CARD).is_file():
        raise UsageError(f"there is a model {name!r} on the shelf already", where=folder, remedy="Choose another --name")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / WEIGHTS
    if source.resolve() != target.resolve():
        shutil.copyfile(source, target)
    card = described(name, "added", about, licence, network, weights(network), told, scores)
    put(card)
    return card


def described(name: str, kind: str, about: str, licence: Licence, network, count: int, told: Mapping,
              scores: tuple[Mapping, ...] = ()) -> Card:
    """A card from what a trained model's file says; its weights lie in its folder on the shelf."""
    file = shelf() / name / WEIGHTS
    data = [{"name": Path(p["data"]).name, "made": p["made"], "pictures": p["pictures"], "share": p["share"],
             "digest": p["digest"]} for p in told["trained_on"]]
    kept = ("size", "side", "budget", "seed", "images", "cpu_s", "batch", "rate", "precision", "versions", "adapted")
    return Card(name, kind, network.spec.task, network.spec.classes, about, licence, count,
                {k: told[k] for k in kept if k in told}, data, scores,
                (File(WEIGHTS, "", digest_of(file), file.stat().st_size),))


def verify(found: Entry) -> list[str]:
    """What is wrong with a model on the shelf: files that are missing or others than the card says, weights that are no
    safetensors, a network that is not what the card says. Nothing where all is well."""
    card, wrong = found.card, []
    if found.folder is None:
        return ["is not on the shelf"]
    for file in card.files:
        path = found.folder / file.name
        if not path.is_file():
            wrong.append(f"{file.name} is missing")
            continue
        if not file.sha256:
            wrong.append(f"{file.name}: the card knows no digest")
        elif (got := digest_of(path)) != file.sha256:
            wrong.append(f"{file.name}: sha256 is {got}, the card says {file.sha256}")
        try:
            only_safe(path, file.name)
        except AssetError as error:
            wrong.append(str(error))
    unknown = sorted(p.name for p in found.folder.glob("*.safetensors") if p.name not in {f.name for f in card.files})
    wrong += [f"{name} is in no card" for name in unknown]
    if not wrong and card.kind != "public":
        from understudy.learn.native import model_file
        from understudy.learn.native.network import weights

        network, _, _ = model_file.load(found.folder)
        if (network.spec.task, network.spec.classes, weights(network)) != (card.task, card.classes, card.weights):
            wrong.append(f"the card says {card.task} of {', '.join(card.classes)} with {card.weights} weights, the file "
                         f"holds {network.spec.task} of {', '.join(network.spec.classes)} with {weights(network)}")
    return wrong
