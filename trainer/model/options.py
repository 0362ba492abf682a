"""Choices of the transformer that a configuration names; without torch, so that reading one stays quick."""

from __future__ import annotations

from typing import Literal

CameraMode = Literal["none", "phase", "full", "prope"]  # how attention sees cameras, see wan.py
AttentionBackend = Literal["sdpa", "flex"]  # which kernel applies the mask, see kernels.py
