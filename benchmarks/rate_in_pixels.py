"""How much of a hidden change is in the pictures before it, for a linear reader: what a model can be asked to remember.

    python -m benchmarks.rate_in_pixels DATASET [--seen 8] [--hidden 8] [--clips 400]

For each event type of an uninterrupted data set: the change of the probed variable over `--hidden` frames is predicted
from every second picture of the `--seen` frames before, by ridge regression (five folds of scenes; the penalty that
does best of five, which flatters a little). Recovery is max(0, 1 - |predicted / true change - 1|). "Usual change" is
the mean of the other folds: the prior-only predictor. What lies between the two is what memory of this one event can
win. In brackets the slope `memory` of the probe (`trainer.probe.habit`): 0 for habit alone, 1 for the truth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.clip import Clip, list_clips
from trainer.probe.bootstrap import clustered_slopes

PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
Array = NDArray[np.float64]


def read(dataset: Path, seen: int, hidden: int, most: int) -> dict[str, tuple[Array, Array]]:
    """Event type -> pictures [N, P, pixels], and the true change [N]."""
    pictures: dict[str, list[Array]] = {}
    changes: dict[str, list[float]] = {}
    for path in list_clips(dataset):
        clip = Clip.open(path)
        event, kind = next(iter(clip.manifest["event_types"].items()))
        if len(changes.setdefault(kind, [])) == most:
            continue
        variables = clip.variables[event]
        probed = next(name for name, meta in variables.items() if meta["min_delta"] is not None)
        values = clip.series(event, probed)
        shown = clip.rgb.frames(range(0, seen + 1, 2)).astype(np.float64) / 255.0
        pictures.setdefault(kind, []).append(shown.reshape(len(shown), -1))
        changes[kind].append(float(values[seen + hidden] - values[seen]))
    return {kind: (np.stack(pictures[kind]), np.array(changes[kind])) for kind in changes}


def recovery(predicted: Array, true: Array) -> float:
    return float(np.maximum(0.0, 1.0 - np.abs(predicted / true - 1.0)).mean())


def memory(predicted: Array, true: Array) -> float:
    """Slope of predicted on true change, both less the usual one: as in `trainer.probe.habit` at one hidden time."""
    usual = np.full_like(true, true.mean())
    return clustered_slopes(predicted, np.stack([usual, true - usual], 1), range(len(true)))[1].mean


def held_out(features: Array | None, true: Array, penalty: float) -> Array:
    """[N] predictions, each from four folds that do not hold it; the mean alone without features."""
    order = np.random.default_rng(0).permutation(len(true))
    predicted = np.empty(len(true))
    gram = None if features is None else (centred := features - features.mean(0)) @ centred.T
    for fold in np.array_split(order, 5):
        rest = np.setdiff1d(order, fold)
        predicted[fold] = mean = true[rest].mean()
        if gram is not None:
            weights = np.linalg.solve(gram[np.ix_(rest, rest)] + penalty * np.eye(len(rest)), true[rest] - mean)
            predicted[fold] += gram[np.ix_(fold, rest)] @ weights
    return predicted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seen", type=int, default=8, help="frames before")
    parser.add_argument("--hidden", type=int, default=8, help="frames that are hidden")
    parser.add_argument("--clips", type=int, default=400, help="of each type, at most")
    options = parser.parse_args()
    print("| event type | clips | usual change | last picture | all pictures | differences of pictures |")
    print("|---|---|---|---|---|---|")
    for kind, (shown, true) in read(options.dataset, options.seen, options.hidden, options.clips).items():
        count = len(true)
        views = (shown[:, -1], shown.reshape(count, -1), np.diff(shown, axis=1).reshape(count, -1))
        guesses = [[held_out(view, true, penalty) for penalty in PENALTIES] for view in views]
        best = [max(tried, key=lambda guess: recovery(guess, true)) for tried in guesses]
        cells = [f"{recovery(guess, true):.2f} ({memory(guess, true):.2f})" for guess in best]
        print(f"| {kind} | {count} | {recovery(held_out(None, true, 0.0), true):.2f} (0) | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
