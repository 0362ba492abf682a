"""Probe: did a generated clip remember, in units of the state? Definitions: docs of `metrics` and `readout`."""
