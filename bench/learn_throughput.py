"""Images that one thread learns from in a CPU-second: forward, backward and step, and the loop with everything around it.

    python bench/learn_throughput.py [--side 160] [--task semantic] [--rounds 12]

The best of several steps counts, since a shared machine only ever adds time. Aims at 160 pixels: nano 250, tiny 140.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from understudy.key import Key
from understudy.learn.augment import DRAWS, Strength, framed, recoloured, window
from understudy.learn.native import loop
from understudy.learn.native.backbone import SIZES, normalised
from understudy.learn.native.network import Spec, built, weights


def steps(size: str, task: str, side: int, bf16: bool, rounds: int, batch: int = 16) -> float:
    """Images a CPU-second of forward, backward and AdamW step."""
    network = built(Spec(task, ("person",), size, side, tuple(f"p{i}" for i in range(17))), 0)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)
    images = torch.randint(0, 256, (batch, side, side, 3), dtype=torch.uint8)
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            out = network(normalised(images))
        loss = sum(o.float().square().mean() for o in out.values())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        best = min(best, time.process_time() - start)
    return batch / best


def augmentation(side: int, rounds: int) -> float:
    """Milliseconds of CPU time that one picture's augmentation takes."""
    image = np.random.default_rng(0).integers(0, 256, (side * 6 // 5, side * 6 // 5, 3), dtype=np.uint8)
    pool = Key(0).normals(1 << 20)
    best = float("inf")
    for k in range(rounds):
        u = Key(k).uniforms(32, DRAWS)
        start = time.process_time()
        for row in u:
            recoloured(framed(image, window(row, Strength()), side), row, Strength(), pool)
        best = min(best, (time.process_time() - start) / 32)
    return best * 1000


def main() -> None:
    import cv2

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--task", default="semantic", choices=("semantic", "box", "mask", "keypoint"))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=12)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print(f"bfloat16 in the processor: {'yes' if loop.bf16_is_faster() else 'no'}; one augmentation "
          f"{augmentation(args.side, args.rounds):.2f} ms")
    print(f"\n| {args.task}, {args.side} px | weights | fp32 | bf16 | aim |\n|---|---|---|---|---|")
    for size in SIZES:
        count = weights(built(Spec(args.task, ("person",), size, args.side, tuple(f"p{i}" for i in range(17))), 0))
        rates = [steps(size, args.task, args.side, bf16, args.rounds, args.batch) for bf16 in (False, True)]
        print(f"| {size} | {count:,} | {rates[0]:.0f} | {rates[1]:.0f} | {({'nano': 250, 'tiny': 140}).get(size, '')} |",
              flush=True)


if __name__ == "__main__":
    main()
