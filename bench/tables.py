"""The figures of the tables wing: fidelity, use, attacks, time and memory, for one engine and any number of others.

    python bench/tables.py census.csv.gz --target income [--rows 24421] [--seeds 3] [--privacy standard,careful]
    python bench/tables.py berka/data --split account [--public-tables district]    # linked: keys, links, accuracy across
    python bench/tables.py census.csv.gz --target income --rows 10000 --epsilon 1 [--public]    # differential privacy
    python bench/tables.py berka/data --split account --public-tables district --epsilon 1,3 [--public] --unit account \
        --most disp.account_id=2,order.account_id=3,loan.account_id=1,card.disp_id=1            # the same, linked
    python bench/tables.py census.csv.gz --target income --peer mostlyai --python ENV/bin/python [--minutes 2]
    python bench/tables.py census.csv.gz --target income --rows 10000 --epsilon 1 --public --peer dpgan    # other engines
    python bench/tables.py census.csv.gz --target income --shadow 128          # shadow refits alone, of one split
    python bench/tables.py census.csv.gz --million             # a million rows: time, memory, flat in rows sampled

Each seed splits the table anew into train and holdout of equal size; with --swap each split is used both ways round and
the two runs are averaged, so that the luck of a split (to whom of two halves made rows come nearer by chance) cancels. Every
line is followed by the bound: the holdout beside the train rows. Time is processor time of this process from an import-free
start to the last made row.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORK = """
import json, sys, time
start = time.process_time()
from pathlib import Path
from understudy.tables import fit
from understudy.tables.output import write
if sys.argv[4].startswith("epsilon "):
    from understudy.tables.private.ledger import Budget
    budget = Budget(float(sys.argv[4].split()[1]), float(sys.argv[4].split()[2]))
    model = fit(sys.argv[1], schema=sys.argv[1] + ".yaml", budget=budget)
else:
    model = fit(sys.argv[1], privacy=sys.argv[4], seed=int(sys.argv[5]))
fitted = time.process_time()
chunks = next(iter(model.stream(int(sys.argv[3]), seed=int(sys.argv[5]))))[1]
write(chunks, Path(sys.argv[2]))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps({"fit_s": fitted - start, "sample_s": time.process_time() - fitted, "mb": int(peak.split()[1]) / 1024}))
"""


def apart(work: Path, n: int, privacy: str, seed: int) -> dict:
    """Fit and sample in a process of its own, imports included."""
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(work / "train.parquet"), str(work / "made.parquet"), str(n), privacy, str(seed)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def by_peer(args, work: Path, n: int, level: str, seed: int) -> dict:
    """Another engine's rows, and the processor time of all its processes."""
    train = work / "train.parquet"
    command = [sys.executable, "-m", "understudy", "table", "peer", str(train), "--engine", args.peer, "-n", str(n)]
    command += ["-o", str(work / "made.parquet"), "--seed", str(seed)]
    if args.peer == "dpgan":
        command += ["--schema", f"{train}.yaml", "--epsilon", level.split()[1], "--delta", level.split()[2]]
    else:
        command += ["--python", str(args.python), "--minutes", str(args.minutes)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": cpu_s, "clock_s": time.perf_counter() - start}


def figures(train, holdout, made, target: str, seed: int, attacks: bool = True) -> dict[str, float]:
    """All figures of one made table."""
    from understudy.key import Key
    from understudy.tables.detect import detect
    from understudy.tables.measure import attacks as privacy
    from understudy.tables.measure.accuracy import accuracy
    from understudy.tables.measure.learners import tell_apart, train_on_made
    from understudy.tables.measure.lens import Lens
    from understudy.tables.source import Tables

    schema = detect(Tables({"t": train}))[0]["t"]
    lens = Lens.on(train, schema)
    (a, sizes), (b, _), (c, _) = lens.bins(made), lens.bins(holdout), lens.bins(train)
    row = {}
    for ways in (1, 2, 3):
        row[f"{ways}-way"], row[f"{ways}-way bound"] = accuracy(a, b, sizes, ways)[0], accuracy(c, b, sizes, ways)[0]
    row["tstr"] = train_on_made(lens, train, holdout, made, target, ("boosting",))["boosting"]["ratio"]
    row["c2st"], row["c2st bound"] = tell_apart(lens, holdout, made)[0], tell_apart(lens, holdout, train)[0]
    if attacks:
        near = privacy.membership(lens, train, holdout, made)
        row |= {"mia": near["auc"][0], "exact": near["exact"], "exact control": near["exact_control"]}
        key = Key(seed) / "bench"
        for name, risk in (
            ("singling", privacy.singling_out(lens, train, holdout, made, key)),
            ("linking", privacy.linkability(lens, train, holdout, made, key)),
            ("inference", privacy.inference(lens, train, holdout, made, target, key)),
        ):
            row |= {f"{name}": risk.risk, f"{name} upper": risk.high}
    return row


def show(title: str, rows: list[dict[str, float]]) -> None:
    print(f"\n{title} ({len(rows)} splits)")
    for name in rows[0]:
        own = [row[name] for row in rows]
        spread = ""
        if len(own) > 1:
            spread = f"  ({min(own):.4f} to {max(own):.4f}; mean +- {statistics.stdev(own) / len(own) ** 0.5:.4f})"
        print(f"  {name:16} {statistics.mean(own):8.4f}{spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", default="")
    parser.add_argument("--rows", type=int, default=24421, help="rows to train on, and as many to hold out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--privacy", default="standard")
    parser.add_argument("--epsilon", metavar="E,...", help="learn under differential privacy instead of the levels")
    parser.add_argument("--delta", type=float, default=1e-6)
    parser.add_argument("--public", action="store_true", help="names and bounds are public (as data sets' notes list them)")
    parser.add_argument("--split", metavar="TABLE", help="a folder of linked tables: halve it by the rows of this table")
    parser.add_argument("--public-tables", default="", metavar="A,B", help="linked tables whose rows are public knowledge")
    parser.add_argument("--unit", default="", metavar="TABLE", help="linked tables, --epsilon: whose rows are protected")
    parser.add_argument("--most", default="", metavar="TABLE.COLUMN=N,...", help="the same: rows that refer to one row")
    parser.add_argument("--swap", action="store_true", help="use each split both ways round")
    parser.add_argument("--peer", metavar="NAME", help="another engine: mostlyai (with --python) or dpgan (with --epsilon)")
    parser.add_argument("--python", type=Path, help="bin/python of the other engine's environment")
    parser.add_argument("--minutes", type=float, default=2.0, help="the other engine trains no longer, by the clock")
    parser.add_argument("--shadow", type=int, metavar="N", help="membership by so many shadow refits")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--fidelity-only", action="store_true")
    args = parser.parse_args()
    import pyarrow as pa
    import pyarrow.parquet as pq

    from understudy.key import Key
    from understudy.tables.source import read

    if args.split:
        linked(args)
        return
    (table,) = read(args.data).tables.values()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if args.million:
            million(table, work)
            return
        n = min(args.rows, table.num_rows // 2)
        asked = args.epsilon or args.privacy
        levels = [f"epsilon {e} {args.delta:g}" if args.epsilon else e for e in asked.split(",")]
        target = args.target or table.column_names[-1]
        if args.epsilon:
            (work / "train.parquet.yaml").write_text(declared(table, target, args.public))
        if args.shadow:
            shadows(table.take(pa.array(Key(0).child("split").permutation(table.num_rows)[:n])), args.shadow, args.privacy)
            return
        for level in levels:
            rows = []
            for seed in range(args.seeds):
                order = Key(seed).child("split").permutation(table.num_rows)
                halves = [table.take(pa.array(part)) for part in (order[:n], order[n : 2 * n])]
                both = []
                for train, holdout in (halves, halves[::-1])[: 1 + args.swap]:
                    pq.write_table(train, work / "train.parquet")
                    run = by_peer(args, work, n, level, seed) if args.peer else apart(work, n, level, seed)
                    made = pq.read_table(work / "made.parquet")
                    both.append(figures(train, holdout, made, target, seed, not args.fidelity_only) | run)
                rows.append({name: statistics.mean(run[name] for run in both) for name in both[0]})
            show(f"{args.data.name}, {n:,} rows, {args.peer or 'ours'}, {level}", rows)


def shadows(train, refits: int, privacy: str) -> None:
    """What `table report --refits` prints of its attack by shadow models, alone."""
    from understudy.key import Key
    from understudy.tables import fit
    from understudy.tables.detect import detect
    from understudy.tables.measure.lens import Lens
    from understudy.tables.measure.shadow import shadow
    from understudy.tables.source import Tables

    schemas, _ = detect(Tables({"t": train}))

    def refit(rows, number):
        model = fit(Tables({"t": rows}), schema=schemas, privacy=privacy, seed=number)
        made = model.sample(rows.num_rows, seed=number)["t"]
        return made, lambda known: model.only.chain.log_likelihood(model.only.encode(known))

    found = shadow(train, Lens.on(train, schemas["t"]), refit, Key(0) / "bench" / "shadow", refits)
    for name, own in found.items():
        print(
            f"{refits} refits, {own.targets} targets, {privacy}; {name}: {own.auc:.4f} ({own.low:.4f} to {own.high:.4f}), "
            f"found at one in a hundred {own.found_at_one_percent:.4f}",
            flush=True,
        )


def declared(table, target: str, public: bool) -> str:
    """The schema that a private fit takes for public: kinds alone, or names and rounded bounds too."""
    import dataclasses

    from understudy.tables.detect import detect
    from understudy.tables.schema import to_yaml
    from understudy.tables.source import Tables

    schema = detect(Tables({"train": table}))[0]["train"]
    schema = stated(schema, table) if public else schema
    return to_yaml({"train": dataclasses.replace(schema, target=target)})


def stated(schema, table):
    """The schema with names and rounded bounds of the table stated."""
    import dataclasses
    import math

    from understudy.tables.schema import NAMED, NUMERIC
    from understudy.tables.single import contents

    columns = dict(schema.columns)
    for name, own in contents(table, schema, "train").items():
        spec = columns[name]
        if spec.kind in NUMERIC:
            given = own.x[own.token < 0]
            low, high = float(min(given)), float(max(given))
            step = 10.0 ** max(math.floor(math.log10(max(high - low, 1))) - 1, 0)
            low, high = math.floor(low / step) * step, math.ceil(high / step) * step
            columns[name] = dataclasses.replace(spec, low=low, high=high)
        elif spec.kind in NAMED and spec.stored != "bool":
            columns[name] = dataclasses.replace(spec, names=own.labels)
    return dataclasses.replace(schema, columns=columns)


def linked(args) -> None:
    """Learn one half of the rows of ``split`` with all that hangs on them; compare what is made with the other half."""
    import dataclasses

    from understudy.key import Key
    from understudy.tables import fit
    from understudy.tables.detect import detect
    from understudy.tables.private.ledger import Budget
    from understudy.tables.source import Tables, read

    folder, split, open_to_all = args.data, args.split, args.public_tables.split(",")
    tables = read(folder)
    schemas, _ = detect(tables)
    schemas = {n: dataclasses.replace(s, public=n in open_to_all, unit=n == args.unit) for n, s in schemas.items()}
    if args.public:
        schemas = {n: s if s.public else stated(s, tables.tables[n]) for n, s in schemas.items()}
    for text in filter(None, args.most.split(",")):
        (name, _, column), most = text.partition("=")[0].partition("."), int(text.partition("=")[2])
        spec = dataclasses.replace(schemas[name].columns[column], most=most)
        schemas[name] = dataclasses.replace(schemas[name], columns={**schemas[name].columns, column: spec})
    for epsilon in (args.epsilon or "0").split(","):
        rows = []
        for seed in range(args.seeds):
            order = Key(seed).child("split").permutation(tables.tables[split].num_rows)
            halves = order[: len(order) // 2], order[len(order) // 2 :]
            a, b = (part(tables.tables, schemas, split, half) for half in halves)
            start = time.process_time()
            budget = Budget(float(epsilon), args.delta) if float(epsilon) else None
            made = fit(Tables(a), schema=schemas, seed=seed, budget=budget).sample(seed=seed)
            row = {"seconds": time.process_time() - start, "orphans": 0.0, "keys twice": 0.0}
            for name, schema in schemas.items():
                row[f"rows of {name}"] = made[name].num_rows / max(a[name].num_rows, 1)
                for column, spec in schema.columns.items():
                    values = made[name][column].to_pylist()
                    if spec.kind == "key":
                        row["keys twice"] += len(values) - len(set(values))
                    elif spec.kind == "link":
                        parent, _, key = spec.parent.rpartition(".")
                        row["orphans"] += len(set(values) - {None, *made[parent][key].to_pylist()})
                        own, bound = across(a, b, made, schemas, name, column)
                        row[f"{name}.{column}"], row[f"{name}.{column} bound"] = own, bound
            rows.append(row)
        by = f"epsilon {epsilon}" if float(epsilon) else "standard"
        show(f"{folder.name}, halved by {split}, {by}; columns of a table with columns of its parent, and counts", rows)


def part(tables, schemas, split: str, rows) -> dict:
    """The chosen rows of one table, every row that hangs on them, and the rows of other tables that those refer to."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = {split: tables[split].take(pa.array(rows))}
    links = [
        (name, column, *spec.parent.rpartition(".")[::2])
        for name, schema in schemas.items()
        for column, spec in schema.columns.items()
        if spec.kind == "link"
    ]
    for _ in schemas:  # what hangs on the split table
        for name, column, parent, key in links:
            if parent in kept and name not in kept:
                kept[name] = tables[name].filter(pc.is_in(tables[name][column], kept[parent][key].combine_chunks()))
    for _ in schemas:  # what that refers to; tables that refer to nothing (towns) stay whole: both halves live there
        for name, column, parent, key in links:
            if name in kept and parent not in kept:
                whole = parent not in {n for n, *_ in links}
                kept[parent] = (
                    tables[parent]
                    if whole
                    else tables[parent].filter(pc.is_in(tables[parent][key], kept[name][column].combine_chunks()))
                )
    return {name: kept[name] for name in tables}


def across(a: dict, b: dict, made: dict, schemas, name: str, column: str) -> tuple[float, float]:
    """Mean two-way accuracy over (child's column, parent's column) and (parent's column, number of children)."""
    import numpy as np
    import pyarrow as pa

    from understudy.tables.measure.lens import Lens

    parent, _, key = schemas[name].columns[column].parent.rpartition(".")
    lenses = [Lens.on(a[t], schemas[t]) for t in (name, parent)]

    def shares(tables: dict) -> list:
        child, above = tables[name], tables[parent]
        place = {k: i for i, k in enumerate(above[key].to_pylist())}
        at = np.array([place.get(v, -1) for v in child[column].to_pylist()])
        child, at = child.take(pa.array(np.flatnonzero(at >= 0))), at[at >= 0]
        (x, nx), (y, ny) = lenses[0].bins(child), lenses[1].bins(above)
        count = np.minimum(np.bincount(at, minlength=above.num_rows), 10)
        found = [
            np.bincount(x[i] * ny[j] + y[j][at], minlength=nx[i] * ny[j]) / len(at)
            for i in range(len(nx))
            for j in range(len(ny))
        ]
        return found + [np.bincount(count * ny[j] + y[j], minlength=11 * ny[j]) / above.num_rows for j in range(len(ny))]

    one, two, three = shares(made), shares(b), shares(a)
    alike = lambda p, q: float(np.mean([1 - 0.5 * np.abs(u - v).sum() for u, v in zip(p, q)]))  # noqa: E731
    return alike(one, two), alike(three, two)


def million(table, work: Path) -> None:
    """A million rows resampled with noise in the quantities; then ten times as many sampled, to see memory stay flat."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from understudy.key import Key
    from understudy.tables.content import PLAIN_NUMBER

    big = table.take(pa.array((Key(0).child("rows").uniforms(1_000_000) * table.num_rows).astype(np.int64)))
    columns = {}
    for name in big.column_names:
        import pyarrow.compute as pc

        own = big[name]
        if pc.all(pc.match_substring_regex(pc.fill_null(own, "0"), PLAIN_NUMBER)).as_py():
            x = np.array(pc.cast(own, pa.float64()).to_numpy(), dtype=float)
            spread = 0.02 * x.std() * Key(0).child("noise", name).normals(len(x))
            own = pa.array(np.where(x != 0, np.round(x + spread), x))
        columns[name] = own
    pq.write_table(pa.table(columns), work / "train.parquet")
    del big, columns
    for n in (1_000_000, 10_000_000):
        start = time.perf_counter()
        cost = apart(work, n, "standard", 0)
        print(
            f"a million rows learnt, {n:,} made: fit {cost['fit_s']:.1f} s, sample {cost['sample_s']:.1f} s of CPU, "
            f"{cost['mb']:.0f} MB, {time.perf_counter() - start:.1f} s by the clock",
            flush=True,
        )


if __name__ == "__main__":
    main()
    print(
        f"\n(bench itself: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, {time.process_time():.0f} s)",
        file=sys.stderr,
    )
