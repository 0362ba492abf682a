"""Several runs compared: arms over seeds, probed on the same splits."""
