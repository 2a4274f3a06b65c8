"""What came of a run is decided before any weight is looked at."""

import numpy as np
import pytest

from smile_core.explanation import ANY_UNIT, CHANCE, EDITED, UNCHANGED
from smile_core.outcome import outcome_of
from smile_core.visible import VISIBLE

SEEN = VISIBLE + 0.1


@pytest.mark.parametrize(
    ("visible", "beyond_chance", "expected"),
    [
        (VISIBLE - 0.1, True, UNCHANGED),
        (VISIBLE - 0.1, False, UNCHANGED),
        (SEEN, False, CHANCE),
        (SEEN, True, EDITED),
        (None, True, EDITED),  # there is nothing to compare with yet
    ],
)
def test_whether_anything_happened(visible, beyond_chance, expected):
    assert outcome_of(visible, beyond_chance=beyond_chance) == expected


@pytest.mark.parametrize(
    ("responses", "judged", "expected"),
    [
        ([1, 0.96, 1.01], True, ANY_UNIT),
        ([1, 0.94, 1.01], True, EDITED),  # one of them lost more than is negligible
        ([1, 0.96, 1.01], False, EDITED),  # too few edits to say so
    ],
)
def test_any_unit_is_enough_when_no_edit_lost_anything(responses, judged, expected):
    found = outcome_of(SEEN, beyond_chance=True, responses=np.array(responses), judged=judged)
    assert found == expected
