"""`make learn`: train until the hidden state is remembered, on one event type at 32 px, and report whether it was.

    python -m benchmarks.learn [--out learn] [--minutes 35] [--clips 288] [--heldout 12]

Renders filling glasses that are never interrupted (the trainer darkens them itself), trains `STEPS` steps of the recipe
`small`, and probes it on other scenes in which the light really goes out. A second run resumes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from render_jobs.commands import RenderOptions, render
from trainer.config import override
from trainer.probe.run import probe
from trainer.recipes import recipe
from trainer.train import train

SPECS = Path(__file__).parent / "specs"
STEPS = 5000  # what fits into half an hour of two busy cores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("learn"))
    parser.add_argument("--minutes", type=float, default=35.0, help="of training, at most")
    parser.add_argument("--clips", type=int, default=288, help="to train on")
    parser.add_argument("--heldout", type=int, default=12, help="to probe on")
    options = parser.parse_args()
    out: Path = options.out
    for name, count in (("train", options.clips), ("heldout", options.heldout)):
        if status := render([SPECS / f"learn_{name}.yaml"], out / name, RenderOptions(count=count)):
            return status
    config = override(recipe("small"), {"steps": str(STEPS), "optim.decay_steps": str(STEPS // 2)})
    train(config, out / "train", out / "run", heldout_dir=out / "heldout", minutes=options.minutes, resume=True)
    probe(out / "run", out / "heldout", out / "report")
    print(f"report   {out / 'report' / 'index.html'}   (open it in a browser)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
