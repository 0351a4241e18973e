"""Start-up is a feature: what is heavy is loaded late, and importing does no work."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CORE = [
    "commands", "config", "conversation", "core", "exporters", "highlighting", "importers", "manual", "markdown",
    "providers", "storage", "tokens",
]  # fmt: skip


def loaded_by(code: str, *names: str) -> list[str]:
    """Which of the packages `names` a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport json, sys; print(json.dumps([n for n in {list(names)!r} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_the_app_loads_neither_openai_nor_tiktoken_nor_fastapi() -> None:
    code = "import streamtui.ui.app, streamtui.ui.screens.chat"
    late = ("openai", "httpx2", "tiktoken", "genai_prices", "fastapi", "pygments.lexers", "markdown_it")
    assert loaded_by(code, *late) == []


def test_help_loads_no_textual() -> None:
    code = "from streamtui.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert loaded_by(code, "textual", "rich", "openai", "sqlite3", "asyncio") == []


def test_the_sessions_command_loads_no_textual() -> None:
    code = "from streamtui.cli import main; main(['sessions', 'list'])"
    assert loaded_by(code, "textual", "openai", "markdown_it", "pygments.lexers", "asyncio") == []


@pytest.mark.parametrize("module", CORE)
def test_the_core_knows_no_textual(module: str) -> None:
    assert loaded_by(f"import streamtui.{module}", "textual", "openai", "httpx2") == []


def test_importing_makes_no_folder(tmp_path: Path) -> None:
    code = "import streamtui.cli, streamtui.ui.app, streamtui.storage, streamtui.providers, streamtui.paths"
    loaded_by(code)
    assert [path for path in tmp_path.rglob("*") if "streamtui" in path.name] == []


def test_a_start_without_a_file_reads_none() -> None:
    code = "from streamtui.config.loader import CliOverrides, load; load(CliOverrides(), {})"
    assert (
        loaded_by(code, "tomllib", "difflib", "streamtui.config.settings_parser", "streamtui.config.toml_positions")
        == []
    )
