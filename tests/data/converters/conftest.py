"""Converting without what costs most of the time: figures, thousands of trial splits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tool_use_om.data import plots, splits


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "write_debug", lambda folder: None)
        patch.setattr(splits, "N_TRIALS", 100)
        yield
