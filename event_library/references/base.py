"""What a reference law is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Reference = Callable[[Any, Array], dict[str, Array]]  # (event, t_s ascending from >= 0) -> some of its variables
