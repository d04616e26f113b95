"""Masking keys that are the same every time."""

import os

import pytest

from ws6455.framing import frames


@pytest.fixture
def fixed_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    # A client's replies can be compared only if they are masked alike.
    monkeypatch.setattr(os, "urandom", bytes)
    monkeypatch.setattr(frames, "_masking_keys", [])
