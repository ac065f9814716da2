"""Does a blend of made and real rows tell how good a learner is on a population that has few rows?

    python bench/shift.py census.csv.gz --target income --where "age > 60" --few 300 --groups education,occupation,sex,race

One part of the table trains a model and a learner; ``--few`` rows of another part are the real ones at hand; all others of
that part are the truth. Printed, over the seeds, by size of group: mean absolute error of the real rows alone, of made rows
alone and of the blend, and how often the blend's 95 % interval holds the truth.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def learner_of(table, target: str):
    """Boosted trees on ranks of names, as predict(frame)."""
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier

    frame = table.to_pandas()
    names = {
        c: {v: i for i, v in enumerate(sorted(frame[c].dropna().unique()))} for c in frame if frame[c].dtype.kind not in "if"
    }

    def coded(own: pd.DataFrame) -> pd.DataFrame:
        return own.assign(**{c: own[c].map(names[c]).astype(float) for c in names if c != target})

    fitted = HistGradientBoostingClassifier(random_state=0).fit(coded(frame).drop(columns=target), frame[target])
    return lambda own: fitted.predict(coded(own))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--where", default="age > 60")
    parser.add_argument("--trained-where", default="", help="the learner sees these rows only")
    parser.add_argument("--few", type=int, default=300)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--groups", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    import numpy as np
    import pyarrow as pa

    from understudy.key import Key
    from understudy.tables import fit
    from understudy.tables.constraints import plain_values
    from understudy.tables.detect import detect
    from understudy.tables.expressions import parse
    from understudy.tables.output import typed
    from understudy.tables.shift import shifted
    from understudy.tables.single import contents
    from understudy.tables.source import Tables, read

    (table,) = read(args.data).tables.values()
    schema = detect(Tables({"t": table}))[0]["t"]
    table = typed(table, schema, "t")
    values = {c: plain_values(v) for c, v in contents(table, schema, "t").items()}
    inside = parse(args.where, schema).holds(values, missing=False)
    lines, words = [], []
    for seed in range(args.seeds):
        order = Key(seed).child("split").permutation(table.num_rows)
        train, rest = order[: args.rows], order[args.rows :]
        belongs = rest[inside[rest]]
        few, truth = belongs[: args.few], belongs[args.few :]
        model = fit(Tables({"t": table.take(pa.array(train))}), seed=seed)
        seen = train
        if args.trained_where:
            seen = train[parse(args.trained_where, schema).holds({c: v[train] for c, v in values.items()}, missing=False)]
        learner = learner_of(table.take(pa.array(seen)), args.target)
        asked = {"where": [args.where], "groups": args.groups.split(","), "seed": seed}
        own = shifted(model, learner, args.target, real=table.take(pa.array(few)), **asked)
        known = shifted(model, learner, args.target, real=table.take(pa.array(truth)), **asked)
        right = {row["group"]: row for row in known["groups"]}
        for row in own["groups"]:
            true = right.get(row["group"])
            if true and true["real rows"] >= 100 and row["real"] is not None and row["made"] is not None:
                low, high = row["interval"]
                held = low <= true["real"] <= high
                off = [abs(row[side] - true["real"]) for side in ("real", "made", "estimate")]
                lines.append([row["real rows"], *off, held])
                words.append((row["made rows' part"].partition(":")[0], off[2] < off[0]))
        print(
            f"seed {seed}: all {own['groups'][0]['estimate']:.3f}, truth {right['all']['real']:.3f}, {own['offset']}",
            flush=True,
        )
    found = np.array(lines, float)
    for low, high in ((0, 20), (20, 60), (60, 1e9)):
        part = found[(found[:, 0] >= low) & (found[:, 0] < high)]
        if len(part):
            mean, nearer = part[:, 1:].mean(0), (part[:, 3] < part[:, 1]).mean()
            print(
                f"groups of {low:g} to {high:g} real rows ({len(part)}): off by {mean[0]:.4f} real alone, "
                f"{mean[1]:.4f} made alone, {mean[2]:.4f} blended; interval holds {mean[3]:.0%}; "
                f"blend nearer in {nearer:.0%}"
            )
    for word in dict.fromkeys(w for w, _ in words):
        own = [nearer for w, nearer in words if w == word]
        print(f"said {word!r} of {len(own)} groups: the blend was nearer in {np.mean(own):.0%}")


if __name__ == "__main__":
    main()
