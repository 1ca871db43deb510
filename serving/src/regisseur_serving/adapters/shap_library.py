"""The library shap, imported by the process that explains and by nothing else.

It takes seconds and a hundred MiB. Without its compiler: that would take half a minute and 120 MiB
more, for loops that are short.
"""

import warnings

from numba import config

config.DISABLE_JIT = True  # type: ignore[attr-defined]  # it is made of environment variables

with warnings.catch_warnings(action="ignore"):
    import shap

__all__ = ["shap"]
