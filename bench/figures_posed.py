"""How well random figures are posed: feet on the ground, nothing inside anything, and what a pose costs.

    python bench/figures_posed.py [--figures 500] [--seed 77]

Prints a table: n, seed, CPU time. The default recipe's population and poses; a draw that cannot be made true is drawn again,
as in a run, and counted.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.key import Key
from understudy.worlds.people import pose
from understudy.worlds.people.body import BODY_VERTICES
from understudy.worlds.people.contact import soles
from understudy.worlds.people.penetration import self_depth
from understudy.worlds.people.population import Body
from understudy.worlds.people.population import sample as sample_person
from understudy.worlds.people.pose import Posing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--figures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=77)
    args = parser.parse_args()
    depths, feet, redrawn, seconds = [], [], 0, []
    for i in range(args.figures):
        for attempt in range(20):
            draws = Draws(Key(args.seed) / i / attempt)
            try:
                person = sample_person(draws.at("body"), Body())
                start = time.process_time()
                stance = pose.sample(draws.at("pose"), person.rest, Posing(), person.age)
                seconds.append(time.process_time() - start)
                break
            except Unsatisfiable:
                redrawn += 1
        depths.append((*self_depth(stance.body), stance.family, stance.arms))
        lowest = float(stance.body.vertices[:BODY_VERTICES, 2].min())
        feet.append(max([abs(lowest), *(abs(float(stance.body.vertices[soles(s), 2].min())) for s in stance.planted)]))
    depths.sort(key=lambda row: -row[0])
    print(f"| {args.figures} random figures, seed {args.seed} | aim | measured |")
    print("|---|---|---|")
    print(f"| deepest self-penetration | under 20 mm | {1000 * depths[0][0]:.1f} mm ({', '.join(depths[0][1:])}) |")
    print(f"| figures above 20 mm | 0 | {sum(d[0] > 0.02 for d in depths)} |")
    print(f"| feet that carry, and the lowest point, off the ground | under 10 mm | {1000 * max(feet):.1f} mm at most |")
    print(f"| draws refused and drawn again | | {redrawn} |")
    print(f"| a pose | | {1000 * float(np.median(seconds)):.1f} ms (median, CPU) |")


if __name__ == "__main__":
    main()
