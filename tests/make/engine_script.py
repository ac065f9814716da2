"""``python engine_script.py OUT COUNT WORKERS DELAY_S [SEED]``: a run over the fakes, for tests that kill it."""

import logging
import os
import sys

if __name__ == "__main__":
    import engine_fakes

    from understudy.errors import UnderstudyError
    from understudy.make import generate

    logging.basicConfig(level=os.environ.get("LEVEL", "WARNING"))
    out, count, workers, delay, *rest = sys.argv[1:]
    recipe = engine_fakes.FakeRecipe(world=engine_fakes.Rectangles(refuse=0.3),
                                     renderer=engine_fakes.Painter(delay_s=float(delay)),
                                     seed=int(rest[0]) if rest else 0)
    try:
        report = generate(recipe, out, count=int(count), workers=int(workers))
    except UnderstudyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(report.made, report.now)
