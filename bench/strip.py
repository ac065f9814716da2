"""How fast `understudy table strip` replaces names, e-mails, IBANs and cards, and whether any fake is a value of the source.

    python bench/strip.py [--rows 200000]

Every row has other values. The command runs in a process of its own on one core: once as a user would (start and imports
included), then again in the same process (without them). Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WORK = """
import json, sys, time
from understudy.cli import main
found = []
for _ in range(4):
    before = time.process_time() if found else 0.0
    main(["table", "strip", sys.argv[1], "-o", sys.argv[2]])
    found.append(time.process_time() - before)
print(json.dumps(found))
"""


def people(rows: int):
    """Clients with values that nobody else has, as a bank's would be: no example domains, no land QZ."""
    import pyarrow as pa

    from understudy.key import Key
    from understudy.tables.entities import fake
    from understudy.tables.entities.checksums import iban_digits, luhn_digit

    words = Key(3).words(2 * rows).reshape(rows, 2)
    letters = np.array(list("abcdefghij"))
    digits = (words[:, :1] // np.uint64(10) ** np.arange(18, dtype=np.uint64) % np.uint64(10)).astype(np.int64)
    own = ["".join(letters[list(map(int, str(i)))]) for i in range(rows)]
    names = [f"{name} {more}" for name, more in zip(fake("name", words), own)]
    mails = [f"{name.replace(' ', '.').lower()}@bank.real" for name in names]
    account = np.hstack([np.full((rows, 1), 3), digits[:, :17]])
    ibans = [f"DE{c:02}{''.join(map(str, a))}" for c, a in zip(iban_digits("DE", account), account)]
    body = np.hstack([np.full((rows, 1), 4), digits[:, :14]])
    cards = ["".join(map(str, b)) + str(c) for b, c in zip(body, luhn_digit(body))]
    return pa.table({"name": names, "email": mails, "iban": ibans, "card": cards})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    args = parser.parse_args()
    import pyarrow.csv as pc

    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "clients.csv", Path(folder) / "out.csv"
        real = people(args.rows)
        pc.write_csv(real, given)
        done = subprocess.run([sys.executable, "-c", WORK, str(given), str(out)], check=True, capture_output=True, text=True)
        first, *again = json.loads(done.stdout.splitlines()[-1])
        types = pc.ConvertOptions(column_types={c: "string" for c in real.column_names})
        made = pc.read_csv(out, convert_options=types)
        print(f"{args.rows:,} rows; the whole command {first:.2f} s, {args.rows / first:,.0f} rows/s")
        print(f"again in the same process {min(again):.2f} to {max(again):.2f} s, {args.rows / np.mean(again):,.0f} rows/s")
        for column in real.column_names:
            known = set(real[column].to_pylist())
            own = made[column].to_pylist()
            print(f"  {column:6} {len(known & set(own))} collisions with the source, {len(set(own)):,} different fakes")


if __name__ == "__main__":
    main()
