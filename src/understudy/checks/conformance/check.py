"""One named check, and what several kinds of entry share: digests of plain data, and a ban on global randomness."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Check:
    """A demand on one entry. Calling it raises AssertionError where the demand is not met."""

    entry: str
    name: str
    run: Callable[[], None]

    def __call__(self) -> None:
        self.run()

    def __str__(self) -> str:
        return f"{self.entry}-{self.name.replace(' ', '_')}"


def wanted(condition: object, message: str) -> None:
    """Raise AssertionError with ``message`` unless ``condition`` (which holds under ``python -O`` too)."""
    if not condition:
        raise AssertionError(message)


def digest(thing: Any) -> str:
    """A digest of plain data: dataclasses, mappings, sequences, arrays, scalars, each with its type."""
    state = blake2b(digest_size=16)
    _feed(state, thing)
    return state.hexdigest()


@contextmanager
def no_global_randomness() -> Iterator[None]:
    """Within this block, drawing from ``random`` or from NumPy's global state or an unnamed generator is an error."""
    from importlib import import_module

    random = import_module("random")  # to ban it, not to draw from it

    def banned(name: str) -> Callable:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError(f"{name} was called: draw from the Draws or Key that is given instead")
        return refuse

    names = {random: ("random", "randint", "randrange", "uniform", "choice", "choices", "shuffle", "sample", "gauss", "seed",
                      "normalvariate", "betavariate", "getrandbits"),
             np.random: ("rand", "randn", "randint", "random", "random_sample", "choice", "uniform", "normal", "shuffle",
                         "permutation", "seed", "default_rng", "standard_normal", "RandomState")}
    kept = [(module, name, getattr(module, name)) for module, some in names.items() for name in some]
    try:
        for module, name, _ in kept:
            setattr(module, name, banned(f"{module.__name__}.{name}"))
        yield
    finally:
        for module, name, original in kept:
            setattr(module, name, original)


def _feed(state: Any, thing: Any) -> None:
    if isinstance(thing, np.ndarray):
        state.update(f"a{thing.dtype.str}{thing.shape}".encode())
        state.update(np.ascontiguousarray(thing).tobytes())
    elif dataclasses.is_dataclass(thing):
        state.update(f"d{type(thing).__name__}".encode())
        for field in dataclasses.fields(thing):
            state.update(field.name.encode())
            _feed(state, getattr(thing, field.name))
    elif isinstance(thing, Mapping):
        state.update(f"m{len(thing)}".encode())
        for key, value in thing.items():
            _feed(state, key)
            _feed(state, value)
    elif isinstance(thing, list | tuple):
        state.update(f"s{len(thing)}".encode())
        for value in thing:
            _feed(state, value)
    elif isinstance(thing, bytes):
        state.update(b"b" + len(thing).to_bytes(8, "little") + thing)
    elif thing is None or isinstance(thing, str | bool | int | float):
        state.update(f"{type(thing).__name__}{thing!r};".encode())
    elif hasattr(thing, "item"):
        _feed(state, thing.item())
    else:
        raise AssertionError(f"plain facts hold no {type(thing).__name__}: {thing!r}")
