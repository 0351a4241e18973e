"""Keeps the developer's machine out of the tests: folders of their own, no keys, no network."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from streamtui.error_log import LOG
from streamtui.storage import Store

# A busy machine fails nothing: time is measured in tests/bench.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A background job of a shell ignores SIGINT, and so would every program that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test has folders of its own and an environment without keys."""
    hidden = ("OPENAI_", "XDG_", "TMUX", "NO_COLOR", "TEXTUAL", "TIKTOKEN_", "DATA_GYM_", "COLUMNS", "LINES")
    for name in [name for name in os.environ if name.startswith(hidden)]:
        monkeypatch.delenv(name)
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield
    for handler in list(LOG.handlers):  # of an error log that a test has started
        LOG.removeHandler(handler)
        handler.close()
    LOG.setLevel(logging.NOTSET)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of its own."""
    store = Store(tmp_path / "sessions.db")
    yield store
    store.close()
