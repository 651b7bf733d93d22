"""Conversions without their check figures, which have tests of their own."""

from __future__ import annotations

import pytest


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tool_use_om.data.plots.write_debug", lambda folder: folder)
