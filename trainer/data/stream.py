"""The batches of a run, in order: drawn ahead by the loader, and encoded there or here, on the training device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trainer.config import TrainConfig
from trainer.data.batches import Batch, DrawnBatch, TrainingBatches, TrainingExamples, encoded
from trainer.data.loader import Loader
from trainer.data.mixture import Source
from trainer.latents.codec import LatentCodec
from trainer.latents.text import BYTES, TextEncoder


class BatchStream:
    """Iterates over batches number start, start + 1, ... stop - 1; `close` ends the workers.

    Weights stay in this process: what they are not needed for is done by the workers.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        codec: LatentCodec,
        text: TextEncoder,
        config: TrainConfig,
        *,
        rows: range,
        start: int,
        stop: int,
    ) -> None:
        """rows: of every batch, those that this device trains on."""
        self._codec, self._text, self._config = codec, text, config
        geometry = codec.geometry
        if geometry is codec and text is BYTES:
            maker: TrainingExamples = TrainingBatches(sources=sources, codec=codec, config=config, rows=rows)
        else:
            maker = TrainingExamples(sources=sources, codec=geometry, config=config, rows=rows)
        self._loader: Loader[Batch | DrawnBatch] = Loader(maker, start=start, stop=stop, config=config.loader)

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Clips that were left out up to now, with the reason."""
        return self._loader.unreadable

    def __iter__(self) -> Iterator[Batch]:
        for made in self._loader:
            yield made if isinstance(made, Batch) else encoded(made, self._codec, self._text, self._config)

    def close(self) -> None:
        self._loader.close()
