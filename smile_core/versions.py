"""Versions of what shapes the numbers of a run."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

__version__ = "0.1.0"

_PACKAGES = {
    "torch": "torch",
    "diffusers": "diffusers",
    "transformers": "transformers",
    "numpy": "numpy",
    "sklearn": "scikit-learn",
    "pot": "pot",
    "gensim": "gensim",
}


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Return the versions of this project, Python and the libraries behind the numbers."""
    found = {"smile": __version__, "python": platform.python_version()}
    for key, package in _PACKAGES.items():
        try:
            found[key] = version(package)
        except PackageNotFoundError:  # vendored, or built without metadata
            found[key] = "unknown"
    return found
