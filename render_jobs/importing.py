"""Publishing an imported video in a data set, beside rendered clips and in the same way."""

from __future__ import annotations

import shutil
from pathlib import Path

from render_jobs.dataset import dataset_to_fill
from simulator.clip import Clip
from simulator.durable import sync_tree
from simulator.importing import ImportRequest, read_import, write_imported


def import_clip(request: ImportRequest, out: Path) -> tuple[Path, bool]:
    """The published clip, and whether it is new. A bad video or camera file leaves the data set untouched.

    Raises ValueError for those, when `out` is no data set, and when another import of the same clip is at work.
    """
    dataset, clip_id = dataset_to_fill(out), request.clip_id
    if dataset.is_done(clip_id):
        return dataset.clip(clip_id), False
    imported = read_import(request)
    with dataset.claims() as claims:
        if not claims.take(clip_id):
            raise ValueError(f"{out}: another import of this video is at work; wait for it")
        dataset.drop_torn(clip_id)
        attempt = dataset.attempt_dir(clip_id, 1)
        try:
            write_imported(imported, attempt)
            Clip.open(attempt)  # what no reader would take must not come among the clips
            sync_tree(attempt)
            return dataset.publish(attempt, clip_id), True
        finally:
            shutil.rmtree(attempt, ignore_errors=True)
