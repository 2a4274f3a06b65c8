"""One lock for loading whatever a process loads once: editors, encoders, word vectors.

Two visitors who come first at the same time wait for one load instead of making two. The lock is
the same for all kinds, because the libraries change torch itself while they build a model, and a
second one built at that moment could come out without weights.
"""

from __future__ import annotations

import threading

LOADING = threading.RLock()  # loading one thing may load another
