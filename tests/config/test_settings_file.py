"""Reading and validating config.toml."""

from pathlib import Path

import pytest

from streamtui.config import Api, ModelSettings, Preset, Timeouts
from streamtui.config.settings import FileSettings
from streamtui.config.settings_file import read_settings
from streamtui.core.parameters import Parameters

FULL = """\
endpoint = "box"
model = "m"
system = '''
Be brief.
Be kind.'''
preset = "coder"
pace = 300
title_model = "small"
theme = "paper"
moderate = true
max_reply_mb = 2.5
parameters = { temperature = 1 }

[endpoints.box]
base_url = "http://box.example:81/v1/"
api_key_env = "BOX_KEY"
api_key_command = "pass show box"
api_key_keyring = true
api_key = " sk-1 "
organization = "org"
project = "proj"
headers = { "X-Title" = "streamtui" }
timeouts.connect = 3
timeouts.silence = 0.5
proxy = "socks5://proxy.example:1080"
api = "responses"
model = "big"
favorites = ["big", "small"]
system = "Be quick."
retries = 0

[endpoints.box.parameters]
max_tokens = 100
stop = "END"
extra = { top_k = 40, nested = { a = [1, 2] } }

[endpoints.box.models."org/big:1"]
api = "completions"
window = 8192
input_price = 0
output_price = 1.5
parameters.seed = 7

[presets.coder]
system = "Write code."
endpoint = "box"
model = "big"
parameters.reasoning_effort = "high"

[keys]
"turn.retry" = "Alt+R, shift+f11"
chat.pick_model = ["f2"]
"conversation.fold" = "space"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the test's config.toml."""
    return tmp_path / "config.toml"


def read(file: Path, text: str) -> FileSettings:
    """Write `text` to `file` and return its settings."""
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return read_settings(file)


def test_all_settings_are_read(file: Path) -> None:
    settings = read(file, FULL)
    assert settings.warnings == []
    assert settings.values == {
        "endpoint": "box", "model": "m", "system": "Be brief.\nBe kind.", "preset": "coder", "pace": 300.0,
        "title_model": "small", "theme": "paper", "moderate": True, "max_reply_mb": 2.5,
    }  # fmt: skip
    assert settings.parameters == Parameters(temperature=1.0)
    assert settings.endpoints == {
        "box": {
            "base_url": "http://box.example:81/v1",
            "api_key_env": "BOX_KEY",
            "api_key_command": "pass show box",
            "api_key_keyring": True,
            "api_key": "sk-1",
            "organization": "org",
            "project": "proj",
            "headers": {"X-Title": "streamtui"},
            "timeouts": Timeouts(connect=3.0, silence=0.5),
            "proxy": "socks5://proxy.example:1080",
            "api": Api.RESPONSES,
            "model": "big",
            "favorites": ("big", "small"),
            "system": "Be quick.",
            "retries": 0,
            "parameters": Parameters(max_tokens=100, stop=("END",), extra={"top_k": 40, "nested": {"a": [1, 2]}}),
            "models": {
                "org/big:1": ModelSettings(Parameters(seed=7), Api.COMPLETIONS, 8192, 0.0, 1.5),
            },
        }
    }
    assert settings.presets == {
        "coder": Preset("coder", "Write code.", "box", "big", Parameters(reasoning_effort="high"))
    }
    assert settings.keymap == {"turn.retry": "alt+r,shift+f11", "model.switch": "f2", "conversation.fold": "space"}


def test_missing_file_is_fine(file: Path) -> None:
    assert read_settings(file) == FileSettings(file)


INVALID = [
    ("moderate = 1", "moderate should be true or false"),
    ("max_reply_mb = 0", "max_reply_mb should be a number above 0 and up to 1,024"),
    ("model = 1", "model should be a string in quotes"),
    ("pace = 0", "pace should be a number above 0 and up to 1,000,000"),
    ("pace = true", "pace should be a number above 0 and up to 1,000,000"),
    ("pace = nan", "pace should be a number above 0 and up to 1,000,000"),
    ("endpoint = 'nope'", "endpoint should be the name of an endpoint: azure, deepseek, demo, groq, llamacpp, "
                          "lmstudio, mistral, ollama, openai, openrouter, vllm (ignored)."),
    ("endpoint = 'olama'", "endpoint should be the name of an endpoint, perhaps ollama"),
    ("endpoint = 'azure'", "endpoint was ignored. No address for azure yet. Set base_url = "),
    ("presets.a.endpoint = 'azure'", "presets.a.endpoint was ignored. No address for azure yet. Set base_url = "),
    ("preset = 'x'", "preset should be the name of a preset: none exist yet (ignored)."),
    ("presets.a.endpoint = 'grok'", "presets.a.endpoint should be the name of an endpoint, perhaps groq"),
    ("endpoints = 1", "endpoints should be a table, as in [endpoints]"),
    ("endpoints.box = 1", "endpoints.box should be a table, as in [endpoints.box]"),
    ("endpoints.box.model = 'x'", 'endpoints.box needs a base_url, as in base_url = "http://localhost:11434/v1"'),
    ("endpoints.azure.model = 'x'", 'endpoints.azure needs a base_url, as in base_url = "https://RESOURCE.openai'),
    ("endpoints.demo.model = 'x'", "endpoints.demo is built in and can't be changed (ignored)."),
    ("endpoints.'a b'.model = 'x'", 'endpoints."a b" should have only letters, digits and ._:-'),
    ("endpoints.groq.base_url = 'api.groq.com/v1'", "endpoints.groq.base_url should be a URL, as in http://loc"),
    ("endpoints.groq.base_url = 'http://x:99999/'", "endpoints.groq.base_url should be a URL"),
    ("endpoints.groq.base_url = \"http://x/\\u001b[2J\"", "endpoints.groq.base_url should be a URL"),
    ("endpoints.groq.api_key_env = 'sk-not-a-name'", "endpoints.groq.api_key_env should be the name of an environment "
                                                     "variable, not the key itself"),
    ("endpoints.groq.api_key = 'schlüssel'", "endpoints.groq.api_key should be an API key in quotes"),
    ("endpoints.groq.api_key = \"a\\nb\"", "endpoints.groq.api_key should be an API key in quotes"),
    ("endpoints.groq.api_key_command = ['pass']", "endpoints.groq.api_key_command should be a command in quotes"),
    ("endpoints.groq.headers = { a = \"b\\nc: d\" }", "endpoints.groq.headers should be a table of headers"),
    ("endpoints.groq.headers = { 'a b' = 'c' }", "endpoints.groq.headers should be a table of headers"),
    ("endpoints.groq.timeouts.first = 0", "endpoints.groq.timeouts.first should be a number above 0 and up to 86,400"),
    ("endpoints.groq.timeouts = 5", "endpoints.groq.timeouts should be a table, as in [endpoints.groq.timeouts]"),
    ("endpoints.groq.timeouts.read = 5", 'Unknown setting "endpoints.groq.timeouts.read" (ignored). Known settings: '),
    ("endpoints.groq.proxy = 'proxy:80'", "endpoints.groq.proxy should be the URL of a proxy"),
    ("endpoints.groq.api = 'messages'", "endpoints.groq.api should be chat, completions or responses"),
    ("endpoints.groq.favorites = 'a'", "endpoints.groq.favorites should be a list of strings"),
    ("endpoints.groq.favorites = ['a', 1]", "endpoints.groq.favorites should be a list of strings"),
    ("endpoints.groq.retries = -1", "endpoints.groq.retries should be an integer from 0 to 20"),
    ("endpoints.groq.retries = 1.5", "endpoints.groq.retries should be an integer from 0 to 20"),
    ("endpoints.groq.models.x.window = 0", "endpoints.groq.models.x.window should be an integer from 1 to"),
    ("endpoints.groq.models.'x.y'.input_price = -1", 'endpoints.groq.models."x.y".input_price should be a number, 0'),
    ("parameters.temperature = 3", "parameters.temperature should be a number from 0 to 2"),
    ("parameters.temprature = 1", 'Unknown parameter "parameters.temprature" (ignored). Did you mean "temperature"? '),
    ("parameters.top_k = 40", 'Unknown parameter "parameters.top_k" (ignored). Did you mean "top_p"? Server-specific '
                              "fields belong in extra."),
    ("parameters.extra = { day = 1979-05-27 }", "parameters.extra should contain no dates, infinities or NaN"),
    ("parameters.extra = 1", "parameters.extra should be a table of fields"),
    ("parameters.stop = [1]", "parameters.stop should be a text, or a list of texts"),
    ("presets.a.temperature = 1", 'Unknown setting "presets.a.temperature" (ignored). Known settings: endpoint, model'),
    ("retries = 1", 'Unknown setting "retries" (ignored). It belongs in [endpoints.NAME].'),
    ("endpoints.groq.theme = 'x'", 'Unknown setting "endpoints.groq.theme" (ignored). It belongs above the'),
    ("endpoints.groq.retrys = 1", 'Unknown setting "endpoints.groq.retrys" (ignored). Did you mean "retries"?'),
    ("Endpoint = 'groq'", 'Unknown setting "Endpoint" (ignored). Did you mean "endpoint"?'),
    ("\"a\\u001b[2J\" = 1", 'Unknown setting "a␛[2J" (ignored).'),
    ("keys.chat.retry = 5", "keys.chat.retry should be a key, or several"),
    ("keys.'turn.retyr' = 'f9'", 'keys."turn.retyr" should be the name of an action, perhaps turn.retry'),
    ("keys.'turn.retry' = 'f99'", 'keys."turn.retry" should be a key, as in f9 or ctrl+g; f99 is none'),
    ("keys.'turn.retry' = \"\\u001b\"", 'keys."turn.retry" should be a key, as in f9 or ctrl+g; ␛ is none'),
    ("keys.'turn.retry' = 'strg+r'", 'keys."turn.retry" should be a key with alt, ctrl'),
    ("keys.'turn.retry' = 'ctrl+i'", 'keys."turn.retry" should be another key: ctrl+i can\'t be told from tab'),
    ("keys.'turn.retry' = 'ctrl+['", 'keys."turn.retry" should be another key: ctrl+left_square_bracket can\'t be'),
    ("keys.'turn.retry' = 'r'", 'keys."turn.retry" should be a key with ctrl or alt, or F1 to F12: r is needed for w'),
    ("keys.'turn.retry' = 'ctrl+f'", 'keys."turn.retry" should be another key: ctrl+f is bound to find.open'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "warning"), INVALID, ids=[text for text, _ in INVALID])
def test_warning_names_file_line_and_setting(file: Path, text: str, warning: str) -> None:
    settings = read(file, f"# a comment\ntheme = 'paper'\n{text}\n")
    assert len(settings.warnings) == 1
    assert settings.warnings[0].startswith(f"{file}, line 3: {warning}")
    assert settings.warnings[0].endswith((".", "?"))
    assert "sk-not-a-name" not in settings.warnings[0]
    assert settings.values["theme"] == "paper", "valid settings are used"


def test_one_error_ignores_only_that_setting(file: Path) -> None:
    settings = read(file, FULL.replace("retries = 0", "retries = 'no'").replace("seed = 7", "seed = 'x'"))
    assert [warning.partition(": ")[2] for warning in settings.warnings] == [
        "endpoints.box.retries should be an integer from 0 to 20 (ignored).",
        'endpoints.box.models."org/big:1".parameters.seed should be a whole number (ignored).',
    ]
    assert settings.endpoints["box"]["model"] == "big"
    assert settings.endpoints["box"]["models"]["org/big:1"].window == 8192
    assert "retries" not in settings.endpoints["box"]


def test_warnings_are_in_file_order(file: Path) -> None:
    settings = read(file, "endpoint = 'x'\nmoderate = 1\n[endpoints.groq]\nretrys = 1\nretries = 'a'\n[keys]\nx = 'f9'")
    assert [int(warning.partition("line ")[2].partition(":")[0]) for warning in settings.warnings] == [1, 2, 4, 5, 7]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a = 1\nb = \n", ", line 2: TOML syntax error: Invalid value. The whole file is ignored until this is fixed."),
        ("a = 1\na = 2\n", ", line 2: TOML syntax error: Cannot overwrite a value."),
        ("[x", ", end of file: TOML syntax error: Expected ']'"),
        ("a = 'x\x1b'", ", line 1: TOML syntax error: "),
        ("a = " + "[" * 5000, " was ignored because it is nested too deeply."),
    ],
)
def test_invalid_toml_is_ignored(file: Path, text: str, error: str) -> None:
    settings = read(file, text)
    assert len(settings.warnings) == 1
    assert settings.warnings[0].startswith(f"{file}{error}")
    assert not settings.values


def test_unreadable_file_is_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "config.toml"
    folder.mkdir()
    assert read_settings(folder).warnings == [f"{folder} was ignored because it can't be read: Is a directory."]
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"a = '\xff'")
    assert read_settings(binary).warnings == [f"{binary} was ignored because it is not UTF-8 text."]


def test_bom_and_crlf_are_accepted(file: Path) -> None:
    file.write_bytes('\ufefftheme = "paper"\r\nmoderate = 5\r\n'.encode())
    settings = read_settings(file)
    assert settings.values == {"theme": "paper"}
    assert "line 2: moderate" in settings.warnings[0]


def test_warns_of_key_that_others_can_read(file: Path) -> None:
    settings = read(file, "[endpoints.groq]\napi_key = 'gsk-1'\n[endpoints.openai]\napi_key = 'sk-1'\n")
    assert settings.warnings == []
    file.chmod(0o644)
    settings = read_settings(file)
    assert settings.warnings == [
        f"{file}, line 2: endpoints.groq.api_key can be read by other users of this machine. Run: chmod 600 {file}"
    ]
    assert settings.endpoints["groq"]["api_key"] == "gsk-1", "the key is still used"


def test_control_characters_are_replaced(file: Path) -> None:
    settings = read(file, 'system = "a\\u001b[2J\\nb"\nmodel = "m\\u009b1"\n[presets."p\\u0007"]\n')
    assert settings.values == {"system": "a␛[2J\nb", "model": "m\ufffd1"}
    assert list(settings.presets) == ["p␇"]


def test_two_actions_can_swap_keys(file: Path) -> None:
    settings = read(file, "[keys]\n'turn.retry' = 'ctrl+f'\n'find.open' = 'f5'\n")
    assert settings.warnings == []
    assert settings.keymap == {"turn.retry": "ctrl+f", "find.open": "f5"}


def test_keys_by_the_ids_of_earlier_versions_work(file: Path) -> None:
    settings = read(file, "[keys]\n'chat.retry' = 'f9'\nchat.continue_reply = 'f5'\n'pane.fold' = 'z'\n")
    assert settings.warnings == []
    assert settings.keymap == {"turn.retry": "f9", "turn.continue": "f5", "conversation.fold": "z"}


def test_the_id_of_today_wins_over_that_of_an_earlier_version(file: Path) -> None:
    settings = read(file, "[keys]\n'turn.retry' = 'alt+r'\n'chat.retry' = 'alt+x'\n")
    assert settings.keymap == {"turn.retry": "alt+r"}


def test_old_spelling_of_a_setting_still_works(file: Path) -> None:
    settings = read(file, '[endpoints.groq]\nfavourites = ["a"]\n')
    assert settings.endpoints["groq"] == {"favorites": ("a",)}
    assert settings.warnings == []
    assert str(settings.source("endpoints", "groq", "favorites")) == "config.toml, line 2"
