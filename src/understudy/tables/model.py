"""A model of one or several tables: learnt, saved, sampled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import MissingDependency, TableError, UsageError
from understudy.key import Key
from understudy.tables import conditions, modelfile, public, relations, settings, single
from understudy.tables.detect import detect
from understudy.tables.references import Link
from understudy.tables.schema import Schema, from_plain, from_yaml
from understudy.tables.settings import Settings
from understudy.tables.single import TableModel
from understudy.tables.source import Tables, read

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.private.ledger import Budget

REMEDY = "pip install 'understudy[tables]'"


@dataclass(frozen=True)
class Model:
    """tables : name -> its model, parents before children; notes : what was mended or left out while learning
    links : table -> its links to others; public : tables that are given out as they are
    """

    tables: Mapping[str, TableModel]
    notes: tuple[str, ...] = ()
    links: Mapping[str, list[Link]] = field(default_factory=dict)
    public: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def only(self) -> TableModel:
        """The model of the only table (UsageError when there are several)."""
        if len(self.tables) != 1:
            raise UsageError("conditions are for models of one table", wanted="one table", got=", ".join(self.tables))
        return next(iter(self.tables.values()))

    def sample(self, n: int | None = None, seed: int = 0, **wishes: Any) -> dict[str, pa.Table]:
        """Made tables. n : rows (as many as were learnt if None); wishes : see :func:`understudy.tables.conditions.wish`."""
        import pyarrow as pa

        return {name: pa.concat_tables(chunks) for name, chunks in self.stream(n, seed, **wishes)}

    def stream(self, n: int | None = None, seed: int = 0, **wishes: Any) -> Iterator[tuple[str, Iterator[pa.Table]]]:
        """The same, in chunks: memory does not grow with n. A row depends on the model, the seed and its own number."""
        scale = wishes.pop("scale", None)
        for name, table in self.public.items():
            yield name, iter([table])
        if len(self.tables) > 1:
            if wishes or n is not None:
                raise UsageError(
                    "linked tables are made as a whole", wanted="scale alone", got=", ".join(["n", *wishes][n is None :])
                )
            if not 0 < (scale or 1) <= 10_000:
                raise UsageError("a scale is how many times as many rows", wanted="above 0, at most 10,000", got=scale)
            for name, table in relations.make(self.tables, self.links, scale or 1.0, Key(seed) / "tables").items():
                yield name, iter([table])
            return
        if scale is not None:
            raise UsageError("a scale is for linked tables", wanted="a number of rows", got=f"scale {scale:g}")
        if n is not None and not 1 <= n <= 10**10:
            raise UsageError("a number of rows is needed", wanted="from 1 to 10,000,000,000", got=n)
        model = self.only
        wish = conditions.wish(model, **wishes, key=Key(seed) / "tables")
        rows = wishes.get("rows")
        if rows is not None:
            n = rows.num_rows if n is None else min(n, rows.num_rows)
        yield model.name, single.rows(model, n or model.rows, Key(seed) / "tables" / model.name, wish)

    def save(self, path: str | Path) -> None:
        """Write the model to a file."""
        store: dict[str, Any] = {}
        tables = {name: table.plain(store) for name, table in self.tables.items()}
        links = {name: [asdict(link) for link in own] for name, own in self.links.items()}
        store |= {f"public.{name}": public.packed(table) for name, table in self.public.items()}
        own = {"tables": tables, "notes": list(self.notes), "links": links, "public": list(self.public)}
        modelfile.save(Path(path), own, store)

    @classmethod
    def load(cls, path: Path) -> Model:
        """The model in a file; TableError when it is none."""
        own, store = modelfile.load(path)
        try:
            schemas = from_plain({"tables": {name: table["schema"] for name, table in own["tables"].items()}}, str(path))
            links = {name: [Link(**link) for link in part] for name, part in own["links"].items()}
            tables = {name: TableModel.restore(name, table, store, schemas[name]) for name, table in own["tables"].items()}
            known = {name: public.unpacked(store[f"public.{name}"]) for name in own.get("public", ())}
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OSError) as error:
            raise TableError("the model is broken", where=path, got=type(error).__name__) from None
        return cls(tables, tuple(own["notes"]), links, known)


def fit(
    data: Any,
    *,
    schema: Mapping[str, Schema] | str | Path | None = None,
    privacy: str | Settings = "standard",
    owners: int | None = None,
    columns: Sequence[str] | None = None,
    seed: int = 0,
    drop_ragged: bool = False,
    budget: Budget | None = None,
) -> Model:
    """Learn from ``data`` (whatever :func:`understudy.tables.source.read` reads).

    schema : of each table, or its file (guessed if None); privacy : a level of settings.LEVELS, or Settings; owners : rows
    that must share whatever is learnt (k); columns : learn only these; budget : learn under differential privacy, by
    a schema that is public knowledge (levels, owners and seed have then no say)
    """
    if budget is None:
        needs_scikit_learn()
    own = settings.level(privacy, owners)
    tables = data if isinstance(data, Tables) else read(data, drop_ragged=drop_ragged)
    tables = _chosen(tables, columns)
    if budget is not None:
        return _privately(tables, schema, columns, budget)
    notes = list(tables.notes)
    for name, table in tables.tables.items():
        single.not_too_wide(table, name)
    if schema is None:
        schemas, more = detect(tables, own.owners)
        notes += more
    else:
        schemas = from_yaml(Path(schema)) if isinstance(schema, str | Path) else dict(schema)
    strange = set(schemas) ^ set(tables.tables)
    if strange:
        raise TableError(
            "the schema and the data have other tables",
            where=schema if isinstance(schema, str | Path) else "schema",
            wanted=", ".join(tables.tables),
            got=", ".join(schemas),
        )
    tables, schemas, known = public.set_apart(tables, schemas)
    if len(tables.tables) > 1:
        models, links, more = relations.fit(tables, schemas, own, Key(seed) / "fit")
        return Model(models, (*notes, *more), links, known)
    models = {}
    for name, table in tables.tables.items():
        done = single.fit(table, schemas[name], name, own, Key(seed) / "fit")
        models[name] = done.model
        notes += done.notes
    return Model(models, tuple(notes), public=known)


def _privately(
    tables: Tables, schema: Mapping[str, Schema] | str | Path | None, columns: Sequence[str] | None, budget: Budget
) -> Model:
    """Under differential privacy. No note on what was read is kept: it would tell of rows."""
    from understudy.tables.private.fit import fit as private_fit
    from understudy.tables.private.ledger import needs_public_schema

    needs_public_schema(schema)
    schemas = from_yaml(Path(schema)) if isinstance(schema, str | Path) else dict(schema)
    given = {}
    if len(tables.tables) > 1 and set(schemas) == set(tables.tables):
        tables, schemas, given = public.set_apart(tables, schemas, secret=True)
    if len(tables.tables) > 1:
        if set(schemas) != set(tables.tables):
            raise TableError(
                "the schema and the data have other tables",
                where="schema",
                wanted=", ".join(tables.tables),
                got=", ".join(schemas),
            )
        from understudy.tables.private.linked import fit as linked_fit

        models, links = linked_fit(tables, schemas, budget)
        return Model(models, links=links, public=given)
    ((name, table),) = tables.tables.items()
    if len(schemas) != 1:
        raise TableError("the schema has other tables than the data", where=name, got=", ".join(schemas))
    ((known, own),) = schemas.items()
    if columns is not None:
        own = replace(own, columns={c: own.columns[c] for c in columns if c in own.columns})
    return Model({known: private_fit(table, own, known, budget)}, public=given)


def _chosen(tables: Tables, columns: Sequence[str] | None) -> Tables:
    if columns is None:
        return tables
    if len(tables.tables) != 1:
        raise UsageError("columns are chosen of one table", wanted="one table", got=", ".join(tables.tables))
    ((name, table),) = tables.tables.items()
    absent = [c for c in columns if c not in table.column_names]
    if absent:
        raise UsageError("no column has this name", where=name, wanted=", ".join(table.column_names[:20]), got=absent[0])
    return Tables({name: table.select(list(columns))}, tables.notes, tables.keys, tables.links)


def needs_scikit_learn() -> None:
    """MissingDependency, with the command that mends it, where scikit-learn is absent."""
    if find_spec("sklearn") is None:
        raise MissingDependency("scikit-learn is missing: trees are grown with it", remedy=REMEDY)
