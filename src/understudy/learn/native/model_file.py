"""A model as one safetensors file: the averaged weights, and a JSON header that says everything needed to use them.

The file also holds the perceptual hashes of the real photographs that the model has learned from and that chose its
checkpoint, so that a score on them can be refused wherever the file goes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from understudy.errors import DatasetError
from understudy.learn.duplicates import Photographs
from understudy.learn.native.network import Network, Spec, built
from understudy.whole import written_whole

FORM = 1
_TRAINED, _CHOSE = "photographs_trained_on", "photographs_chosen_by"


def save(path: Path, network: Network, card: dict[str, Any], seen: Photographs) -> None:
    """Write ``path``. card : what is to be known of the training, plain JSON; seen : the photographs behind it."""
    from safetensors.torch import save

    header = {"form": FORM, "spec": asdict(network.spec), "card": card}
    tensors = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    for name, hashes in ((_TRAINED, seen.trained), (_CHOSE, seen.chose)):
        tensors[name] = torch.from_numpy(np.ascontiguousarray(hashes, np.uint8).reshape(-1, 32))
    with written_whole(path, "model") as rough:
        rough.write_bytes(save(tensors, {"understudy": json.dumps(header)}))


def load(path: Path) -> tuple[Network, dict[str, Any], Photographs]:
    """The network, its card and the photographs behind it. DatasetError if it is no model of ours."""
    from safetensors import SafetensorError, safe_open

    path = located(path)
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get("understudy", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, ValueError, SafetensorError) as error:
        raise DatasetError(f"is no readable model: {error}", where=path, wanted="a .safetensors file of `understudy train`",
                           ) from error
    if not isinstance(header, dict) or header.get("form") != FORM:
        raise DatasetError("is no model of this version of Understudy", where=path, wanted=f"form {FORM}",
                           got=header.get("form") if isinstance(header, dict) else "no header")
    if not {_TRAINED, _CHOSE} <= set(tensors):
        raise DatasetError("does not say which photographs it has seen", where=path, remedy="Train it again")
    seen = Photographs(tensors.pop(_TRAINED).numpy(), tensors.pop(_CHOSE).numpy())
    plain = header["spec"]
    spec = Spec(plain["task"], tuple(plain["classes"]), plain["size"], int(plain["side"]), tuple(plain["points"]))
    network = built(spec, 0)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise DatasetError("its weights do not fit its header", where=path) from error
    return network.eval(), header["card"], seen


def located(path: Path) -> Path:
    """The model file: ``path`` itself, or ``model.safetensors`` in the folder that training wrote."""
    file = path / "model.safetensors" if path.is_dir() else path
    if not file.is_file():
        raise DatasetError("there is no model", where=path, wanted="a folder of `understudy train`, or a .safetensors file")
    return file
