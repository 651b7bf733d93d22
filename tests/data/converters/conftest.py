"""Converting without what costs most of the time: figures, thousands of trial splits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tool_use_om.data.format import splits


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """Leave out the check figures, which have tests of their own, and most trial splits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tool_use_om.data.show.plots.write_debug", lambda folder: folder)
        patch.setattr(splits, "N_TRIALS", 100)
        yield


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tool_use_om.data.show.plots.write_debug", lambda folder: folder)
