"""What fine-tuning took away: the plain image-to-video loss and sample quality of a model before and after it."""

from trainer.forgetting.run import Options, forgetting

__all__ = ["Options", "forgetting"]
