"""Where the Wan VAE's latents lie in time and space, without its weights. Shapes: F' latents, Y X latent grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.latents.layout import LatentLayout, Segments, check_segments

STRIDE = 4  # frames of every latent but a segment's first, which is one frame


@dataclass(frozen=True)
class WanGeometry:
    """cell_px: pixels of a latent cell, 8 (Wan2.1) or 16 (Wan2.2).

    The encoder takes 1 + 4k frames. Of a segment of another length, the first frame stands alone and the last 1 + 4k
    frames follow, so that both ends survive and up to two frames in between have no latent; of the last segment, up
    to three frames at its end have none.
    """

    cell_px: int

    def grid(self, height_px: int, width_px: int) -> tuple[int, int]:
        cell = self.cell_px
        if height_px % cell or width_px % cell:
            raise ValueError(
                f"codec: a {height_px} x {width_px} picture does not divide into cells of {cell} px; "
                f"render at a multiple of {cell}"
            )
        return height_px // cell, width_px // cell

    def layout(self, segments: Segments) -> LatentLayout:
        first, last, starts = [], [], []
        for start, stop in pieces(segments):
            edges = [start, *range(start + 1, stop, STRIDE)]
            first += edges
            last += [edge - 1 for edge in edges[1:]] + [stop - 1]
            starts += [True] + [False] * (len(edges) - 1)
        last_frame = np.array(last)
        return LatentLayout(
            first_frame=np.array(first),
            last_frame=last_frame,
            time=last_frame / STRIDE,
            starts=np.array(starts),
        )


def pieces(segments: Segments) -> list[tuple[int, int]]:
    """Ranges of 1 + 4k frames, each encoded by itself; see `WanGeometry` for what is left out."""
    check_segments(segments)
    found = []
    for start, stop in segments[:-1]:
        if (stop - start - 1) % STRIDE == 0:
            found.append((start, stop))
        else:
            found += [(start, start + 1), (stop - 1 - (stop - start - 2) // STRIDE * STRIDE, stop)]
    start, stop = segments[-1]
    return [*found, (start, stop - (stop - start - 1) % STRIDE)]
