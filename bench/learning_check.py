"""First learning check: does a network trained on made people alone find real ones?

    python bench/learning_check.py MADE REAL_TRAIN REAL_VAL [--images 60000] [--seeds 1] [--json results.json]

MADE is any data set that Understudy reads (person masks are merged into one foreground); REAL_* are folders with
``images/`` and ``masks/`` (PNG, 0/255). One small residual feature-pyramid network (about 1 M weights, no pre-training)
is trained three times with the same budget of images: on the made pictures, on the real ones, on both (15 % of each batch
real). Nothing is chosen on REAL_VAL: the last averaged weights are scored. Printed: mean IoU of person and background
over all of REAL_VAL's pixels, with a 95 % bootstrap interval over pictures, and the worst ten pictures of "made".
Needs torch. One thread, bfloat16 where the processor has it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

SIDE = 160  # the network's input; pictures are kept at STORE and cropped
STORE = 192


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(True))
        self.b = nn.Sequential(nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout))
        self.shortcut = nn.Identity() if cin == cout and stride == 1 else nn.Conv2d(cin, cout, 1, stride)

    def forward(self, x):
        return F.relu(self.b(self.a(x)) + self.shortcut(x))


class Segmenter(nn.Module):
    """Residual encoder to stride 32, feature pyramid back to stride 4, one logit."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        w = [width, width * 2, width * 3, width * 4, width * 5]
        self.stem = nn.Sequential(nn.Conv2d(3, w[0], 3, 2, 1, bias=False), nn.BatchNorm2d(w[0]), nn.ReLU(True))
        self.stages = nn.ModuleList(nn.Sequential(Block(w[i], w[i + 1], 2), Block(w[i + 1], w[i + 1], 1)) for i in range(4))
        self.side = nn.ModuleList(nn.Conv2d(c, 48, 1) for c in w[1:])
        self.smooth = nn.ModuleList(nn.Sequential(nn.Conv2d(48, 48, 3, 1, 1), nn.ReLU(True)) for _ in range(4))
        self.head = nn.Conv2d(48, 1, 1)

    def forward(self, x):
        x = self.stem(x)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        y = None
        for level, side, smooth in list(zip(levels, self.side, self.smooth))[::-1]:
            y = side(level) if y is None else side(level) + F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = smooth(y)
        return self.head(y)


def load_real(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures (h, w, 3) uint8 and masks (h, w) bool at their own sizes."""
    pairs = []
    for path in sorted((folder / "images").iterdir()):
        mask = Image.open(folder / "masks" / f"{path.stem}.png").convert("L")
        pairs.append((np.asarray(Image.open(path).convert("RGB")), np.asarray(mask) > 127))
    return pairs


def load_made(path: Path, limit: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same from a written data set, at STORE pixels a side to keep memory small."""
    from understudy.writers import read

    pairs = []
    for record in read(path):
        w, h = record.picture.size_wh
        mask = np.zeros((h, w), bool)
        for instance in record.instances:
            mask |= instance.mask.decode()
        pairs.append(stored(record.picture.decode(), mask))
        if len(pairs) == limit:
            break
    return pairs


def stored(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both at STORE x STORE: (STORE, STORE, 3) uint8 and (STORE, STORE) bool."""
    size, shrink = (STORE, STORE), Image.Resampling.BOX
    small = Image.fromarray(image).resize(size, shrink if image.shape[0] > STORE else Image.Resampling.BILINEAR)
    small_mask = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, shrink)
    return np.array(small), np.array(small_mask) > 127


def batch(pairs, picks, rng) -> tuple[torch.Tensor, torch.Tensor]:
    """Crop, flip, light, colour, blur and noise: the same augmentation for all three runs."""
    images, masks = [], []
    for i in picks:
        image, mask = pairs[i]
        side = int(STORE * rng.uniform(0.6, 1.0))
        wide = int(np.clip(side * rng.uniform(0.8, 1.25), 32, STORE))
        y, x = rng.integers(0, STORE - side + 1), rng.integers(0, STORE - wide + 1)
        image, mask = image[y:y + side, x:x + wide], mask[y:y + side, x:x + wide]
        if rng.random() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        image = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
        mask = torch.from_numpy(mask.copy())[None, None].float()
        image = F.interpolate(image, (SIDE, SIDE), mode="bilinear", antialias=True)[0]
        mask = F.interpolate(mask, (SIDE // 4, SIDE // 4), mode="bilinear", antialias=True)[0]
        gain = torch.from_numpy(rng.uniform(0.85, 1.15, (3, 1, 1)).astype(np.float32))
        image = (image.clamp(1e-4, 1) ** rng.uniform(0.6, 1.6)) * gain * rng.uniform(0.75, 1.25)
        if rng.random() < 0.1:
            image = image.mean(0, keepdim=True).expand(3, -1, -1)
        if rng.random() < 0.2:
            image = F.avg_pool2d(image[None], 3, 1, 1)[0]
        image = image + torch.from_numpy(rng.normal(0, rng.uniform(0, 0.04), (3, SIDE, SIDE)).astype(np.float32))
        images.append((image.clamp(0, 1) - 0.45) / 0.25)
        masks.append(mask)
    return torch.stack(images).contiguous(memory_format=torch.channels_last), torch.stack(masks)


def train(made, real, images: int, seed: int, size: int = 16) -> Segmenter:
    """AdamW with a cosine; averaged weights. With both sets, 15 % of the pictures are real."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Segmenter().to(memory_format=torch.channels_last)
    mean = Segmenter().to(memory_format=torch.channels_last)
    mean.load_state_dict(net.state_dict())
    steps = images // size
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps, pct_start=0.1)
    pairs = made + real
    for step in range(steps):
        if made and real:
            picks = np.where(rng.random(size) < 0.15, len(made) + rng.integers(0, len(real), size),
                             rng.integers(0, len(made), size))
        else:
            picks = rng.integers(0, len(pairs), size)
        x, y = batch(pairs, picks, rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x)
        logits = logits.float()
        p = logits.sigmoid()
        dice = 1 - (2 * (p * y).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + y.sum((1, 2, 3)) + 1)
        loss = F.binary_cross_entropy_with_logits(logits, y) + 0.5 * dice.mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        keep = min(0.995, (1 + step) / (10 + step))
        with torch.no_grad():
            for a, b in zip(mean.state_dict().values(), net.state_dict().values()):
                a.lerp_(b, 1 - keep) if a.is_floating_point() else a.copy_(b)
        if step % 200 == 0:
            print(f"  step {step}/{steps} loss {loss.item():.3f}", flush=True)
    return mean.eval()


@torch.no_grad()
def counts(net: Segmenter, pairs) -> tuple[np.ndarray, list[np.ndarray]]:
    """Per picture: intersection and union of person, of background: (n, 4); and the predicted masks."""
    rows, masks = [], []
    for image, truth in pairs:
        x = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
        x = (F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True) - 0.45) / 0.25
        logits = (net(x) + net(x.flip(3)).flip(3)) / 2
        found = F.interpolate(logits, truth.shape, mode="bilinear")[0, 0].numpy() > 0
        rows.append([(found & truth).sum(), (found | truth).sum(), (~found & ~truth).sum(), (~found | ~truth).sum()])
        masks.append(found)
    return np.array(rows, float), masks


def mean_iou(rows: np.ndarray) -> tuple[float, float]:
    """(mean of person's and background's IoU, person's IoU), pixels pooled over the pictures."""
    a, b, c, d = rows.sum(0)
    return (a / b + c / d) / 2, a / b


def interval(rows: np.ndarray, seed: int = 0) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    scores = [mean_iou(rows[rng.integers(0, len(rows), len(rows))])[0] for _ in range(2000)]
    return tuple(np.quantile(scores, (0.025, 0.975)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("made", type=Path)
    parser.add_argument("real_train", type=Path)
    parser.add_argument("real_val", type=Path)
    parser.add_argument("--images", type=int, default=60_000, help="pictures shown to each network")
    parser.add_argument("--made-count", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", choices=("made", "real", "both"), help="train one of the three")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--worst", type=Path, help="write a sheet of the ten worst pictures of the first run here")
    args = parser.parse_args()
    torch.set_num_threads(1)
    made = load_made(args.made, args.made_count)
    val = load_real(args.real_val)
    real = [stored(*pair) for pair in load_real(args.real_train)]
    print(f"{len(made)} made, {len(real)} real for training, {len(val)} real for measuring; "
          f"{sum(p.numel() for p in Segmenter().parameters()):,} weights; {args.images:,} pictures shown", flush=True)
    results = []
    for name, sets in {"made": (made, []), "real": ([], real), "both": (made, real)}.items():
        if args.only not in (None, name):
            continue
        for seed in range(args.seeds):
            start = time.process_time()
            net = train(*sets, args.images, seed)
            rows, masks = counts(net, val)
            miou, person = mean_iou(rows)
            low, high = interval(rows)
            figures = {"miou": miou, "person_iou": person, "low": low, "high": high}
            results.append({"trained_on": name, "seed": seed, "n": len(val), "cpu_s": round(time.process_time() - start),
                            **{k: round(float(v), 4) for k, v in figures.items()}})
            print(results[-1], flush=True)
            if args.worst and len(results) == 1:
                sheet(val, masks, rows, args.worst)
    print("\n| trained on | seed | mean IoU | 95 % interval | person IoU | CPU-seconds |\n|---|---|---|---|---|---|")
    for r in results:
        print(f"| {r['trained_on']} | {r['seed']} | {r['miou']:.3f} | {r['low']:.3f} to {r['high']:.3f} "
              f"| {r['person_iou']:.3f} | {r['cpu_s']} |")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def sheet(val, masks, rows, path: Path, n: int = 10, side: int = 240) -> None:
    """The n pictures with the lowest person IoU: found in red, missed in blue."""
    worst = np.argsort(rows[:, 0] / rows[:, 1])[:n]
    canvas = Image.new("RGB", (5 * side, -(-n // 5) * side))
    for k, i in enumerate(worst):
        image, truth = val[i]
        shown = np.array(Image.fromarray(image).resize(truth.shape[::-1])).astype(float)  # masks may be smaller
        shown[masks[i]] = shown[masks[i]] * 0.5 + np.array([255, 0, 0]) * 0.5
        missed = truth & ~masks[i]
        shown[missed] = shown[missed] * 0.5 + np.array([0, 80, 255]) * 0.5
        tile = Image.fromarray(shown.astype(np.uint8))
        tile.thumbnail((side, side))
        canvas.paste(tile, ((k % 5) * side, k // 5 * side))
    canvas.save(path)


if __name__ == "__main__":
    main()
