"""The `streamtui config` command."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from streamtui import paths
from streamtui.cli import main
from streamtui.cli.options import config_from, endpoint_flags
from streamtui.commands import COMMANDS as UI_COMMANDS
from streamtui.config import Api
from streamtui.config.settings_file import read_settings
from streamtui.config.settings_parser import ENDPOINT, MODEL, PARAMETERS, PRESET, TIMEOUTS, TOP
from streamtui.core.parameters import Parameters
from tests.support import ROOT

SECRETS = "sk-secret-0123456789-abcdef"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run `streamtui config`; return its exit status, stdout and stderr."""
    try:
        status = main(["config", *arguments])
    except SystemExit as error:
        status = int(error.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def write(text: str) -> Path:
    """Write config.toml."""
    file = paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return file


def uncommented(text: str) -> str:
    """Return the template with every setting active. Explanations have a space after the #, settings do not."""
    return re.sub(r"^#(?! |$)", "", text, flags=re.MULTILINE)


def test_init_creates_a_private_template(capsys: pytest.CaptureFixture[str]) -> None:
    file = paths.config_file()
    status, out, _ = run(capsys, "init")
    assert status == 0
    assert str(file) in out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert tomllib.loads(file.read_text(encoding="utf-8")) == {}
    assert run(capsys, "check")[0] == 0


def test_init_overwrites_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    file = write("theme = 'paper'\n")
    status, _, err = run(capsys, "init")
    assert status == 1
    assert "already exists" in err
    assert file.read_text() == "theme = 'paper'\n"


def test_uncommented_template_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "init")
    file = paths.config_file()
    file.write_text(uncommented(file.read_text(encoding="utf-8")), encoding="utf-8")
    settings = read_settings(file)
    assert settings.warnings == []
    assert run(capsys, "check")[:2] == (0, f"{file}: no errors\n")


def test_template_has_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "init")
    data = tomllib.loads(uncommented(paths.config_file().read_text(encoding="utf-8")))
    box = data["endpoints"]["box"]
    assert data.keys() == {*TOP, "parameters", "endpoints", "presets", "keys"}
    assert box.keys() == {*ENDPOINT, "parameters", "timeouts", "models"}
    assert box["timeouts"].keys() == set(TIMEOUTS)
    assert box["parameters"].keys() == set(PARAMETERS)
    assert box["models"]["big"].keys() == {*MODEL, "parameters"}
    assert data["presets"]["coder"].keys() == {*PRESET, "parameters"}


def test_check_reports_all_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check")[:2] == (
        0,
        f"{paths.config_file()} does not exist. To create it, run streamtui config init.\n",
    )
    file = write("theme = 'papr'\nretries = 1\nmoderate = 2\n")
    status, out, _ = run(capsys, "check")
    assert status == 1
    lines = out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [f"{file},"] * 3
    assert "line 1: unknown theme 'papr'. Did you mean paper?" in out
    assert 'line 2: Unknown setting "retries"' in out
    assert "line 3: moderate" in out


def test_check_validates_user_themes(capsys: pytest.CaptureFixture[str]) -> None:
    paths.themes_dir().mkdir(parents=True)
    (paths.themes_dir() / "mine.toml").write_text("primari = 'red'")
    status, out, _ = run(capsys, "check")
    assert status == 1
    assert "mine.toml: unknown" in out


def test_path_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "path")[1] == f"{paths.config_file()}\n"
    write("[keys]\n'turn.retry' = 'alt+r'\n")
    lines = run(capsys, "keys")[1].splitlines()
    assert len(lines) == len(UI_COMMANDS)
    assert any(re.match(r"turn\.retry +alt\+r +Request another reply", line) for line in lines)


def test_edit_opens_the_editor_and_checks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", f"{sys.executable} -c \"import sys; open(sys.argv[1], 'a').write('pase = 1\\n')\"")
    status, out, _ = run(capsys, "edit")
    assert status == 1
    assert 'Unknown setting "pase" (ignored). Did you mean "pace"?' in out
    assert "All settings are listed here" in paths.config_file().read_text(encoding="utf-8"), "the template came first"
    monkeypatch.setenv("VISUAL", "true")
    assert run(capsys, "edit")[0] == 1, "the mistake is still there"
    monkeypatch.setenv("VISUAL", "no-such-editor")
    status, _, err = run(capsys, "edit")
    assert status == 1
    assert "no-such-editor" in err
    monkeypatch.setenv("VISUAL", "false")
    assert "exited with status 1" in run(capsys, "edit")[2]


def row(text: str, name: str) -> list[str]:
    """Return the value and the source of the table row `name`."""
    line = next(line for line in text.splitlines() if line.split()[:1] == [name])
    return [cell for cell in re.split(r" {2,}", line.strip())[1:] if cell]


def test_show_gives_the_source_of_each_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOX_KEY", SECRETS)
    write(
        "theme = 'paper'\nparameters = { seed = 1, top_p = 1 }\n[endpoints.box]\nbase_url = 'http://box.example/v1'\n"
        "api_key_env = 'BOX_KEY'\nparameters.seed = 2\nmodels.'a b'.window = 5\n"
        "[presets.p]\nparameters.max_tokens = 7\n[keys]\nturn.retry = 'alt+r'\n"
    )
    status, out, _ = run(capsys, "show", "-e", "box", "-m", "big", "--temperature", "0.5", "--preset", "p")
    assert status == 0
    assert row(out, "endpoint") == ["box", "--endpoint"]
    assert row(out, "model") == ["big", "--model"]
    assert row(out, "theme") == ["paper", "config.toml, line 1"]
    assert row(out, "parameters.temperature") == ["0.5", "--temperature"]
    assert row(out, "parameters.max_tokens") == ["7", "--preset p"]
    assert row(out, "keys.turn.retry") == ["alt+r", "config.toml, line 11"]
    assert row(out, "base_url") == ["http://box.example/v1", "config.toml, line 4"]
    assert row(out, "api_key") == ["…cdef", "BOX_KEY"]
    assert row(out, "parameters.seed") == ["2", "config.toml, line 6"]
    assert row(out, "parameters.top_p") == ["1.0", "config.toml, line 2"]
    assert row(out, "retries") == ["3", "default"]
    assert row(out, "groq") == ["https://api.groq.com/openai/v1", "key: none: set GROQ_API_KEY"]
    assert row(out, "azure") == ["no base URL", "set base_url in [endpoints.azure]"]
    assert SECRETS not in out


def test_show_lists_unset_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "parameters = { seed = 1 }\n[endpoints.box]\nbase_url = 'http://box.example/v1'\ninput_price = 0\n"
        "parameters.unset = ['seed']\nparameters.top_p = 1\n"
    )
    status, out, _ = run(capsys, "show", "-e", "box", "--unset", "top-p", "--unset", "stop")
    assert status == 0
    assert re.findall(r"parameters.top_p +(\S.*?)  +(.*)", out) == [
        ("not sent", "--unset"),
        ("1.0", "config.toml, line 6"),
    ]
    assert row(out, "parameters.stop") == ["not sent", "--unset"]
    assert row(out, "parameters.seed") == ["not sent", "config.toml, line 5"]
    assert row(out, "input_price") == ["0.0", "config.toml, line 4"]


def test_show_hides_every_secret(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{SECRETS}-env")
    write(
        f"""
        [endpoints.box]
        base_url = "https://me:{SECRETS}@box.example/v1?key={SECRETS}"
        api_key = "{SECRETS}-literal"
        api_key_command = "printf {SECRETS}"
        headers = {{ Authorization = "Bearer {SECRETS}", "X-Whatever" = "{SECRETS}", "X-Title" = "mine" }}
        proxy = "http://me:{SECRETS}@proxy.example:3128"
        parameters.extra = {{ api_token = "{SECRETS}", deep = {{ password = ["{SECRETS}"] }}, top_k = 40 }}
        models.m.parameters.extra = {{ secret = "{SECRETS}" }}
        [presets.p]
        parameters.extra = {{ key = "{SECRETS}" }}
        system = "say {SECRETS}-literal"
        """
    )
    for flags in ([], ["-e", "box"], ["--preset", "p"]):
        status, out, err = run(capsys, "show", *flags)
        assert status == 0
        assert SECRETS not in out + err
        assert "box.example" in out
        assert '"X-Title": "mine"' in out
        assert '"top_k": 40' in out


def test_invalid_flags_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in [
        (["-e", "grok"], 'Did you mean "groq"?'),
        (["-e", "groq", "--base-url", "http://x/v1"], "--endpoint can't be combined with --base-url"),
        (["--demo", "-e", "groq"], "--demo can't be combined with"),
        (["--temperature", "3"], "--temperature should be a number from 0 to 2."),
        (["--max-tokens", "0"], "--max-tokens should be a whole number above 0."),
        (["--extra", "top_k"], "--extra 'top_k' must be KEY=JSON"),
        (["--temperature", "0", "--unset", "temperature"], "--temperature can't be combined with --unset temperature"),
        (["--extra", "a=NaN"], "--extra 'a' must be KEY=JSON"),
        (["--pace", "-5"], "--pace must be a positive number of characters"),
    ]:
        status, _, err = run(capsys, "show", *arguments)
        assert status == 2
        assert words in err


def test_flags_become_parameters() -> None:
    from streamtui.cli.chat import parser

    flags = (
        "-e ollama --api responses --temperature 0.5 --top-p .9 --max-tokens 10 --seed -3 --stop a --stop b "
        "--presence-penalty -1 --frequency-penalty 1.5 --reasoning-effort low --extra top_k=40 --pace 50"
    )
    args = parser().parse_args([*flags.split(), "--extra", 'user="me"'])
    config = config_from(args)
    assert config.parameters == Parameters(0.5, 0.9, 10, -3, ("a", "b"), -1.0, 1.5, "low", {"top_k": 40, "user": "me"})
    assert (config.endpoint.name, config.endpoint.api, config.pace) == ("ollama", Api.RESPONSES, 50.0)
    assert str(config.source_of("parameters.presence_penalty")) == "--presence-penalty"


def keyring_command(tmp_path: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program with the test's own keyring."""
    environ = {
        **os.environ,
        "FILE_KEYRING": str(tmp_path / "keyring.json"),
        "PYTHON_KEYRING_BACKEND": "tests.support.file_keyring.Keyring",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, "-m", "streamtui", "config", *arguments],
        input=given, capture_output=True, text=True, env=environ, check=False,
    )  # fmt: skip


def test_api_key_is_stored_and_removed(tmp_path: Path) -> None:
    done = keyring_command(tmp_path, "set-key", "groq", given=f"{SECRETS}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Stored the groq API key in the keyring. It is sent to https://api.groq.com/openai/v1 only.\n"
    assert SECRETS in (tmp_path / "keyring.json").read_text()
    assert SECRETS not in paths.keyring_list().read_text()
    shown = keyring_command(tmp_path, "show", "-e", "groq").stdout
    assert row(shown, "api_key") == ["read from the keyring on first use"]
    done = keyring_command(tmp_path, "remove-key", "groq")
    assert done.returncode == 0
    assert SECRETS not in (tmp_path / "keyring.json").read_text()
    assert "none: set GROQ_API_KEY" in keyring_command(tmp_path, "show", "-e", "groq").stdout


def test_what_is_no_key_is_not_kept(tmp_path: Path) -> None:
    for given, words in (("\n", "No API key was entered"), ("schlüssel\n", "should be an API key in quotes")):
        done = keyring_command(tmp_path, "set-key", "groq", given=given)
        assert done.returncode == 2
        assert words in done.stderr
    done = keyring_command(tmp_path, "set-key", "grok", given="x\n")
    assert (done.returncode, 'Endpoint "grok" is not configured. Did you mean "groq"?' in done.stderr) == (2, True)
    done = keyring_command(tmp_path, "set-key", "azure", given="x\n")
    assert (done.returncode, "No address for azure yet. Set base_url = " in done.stderr) == (2, True)
    done = keyring_command(tmp_path, "remove-key", "groq")
    assert done.returncode == 1
    assert "there is no such key" in done.stderr


def test_closed_pipe_is_silent() -> None:
    command = f"{sys.executable} -m streamtui config keys | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.startswith("prompt.submit")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("flags", "name", "again"),
    [
        ("", "openai", ""),
        ("", "ollama", "-e ollama"),
        ("", "demo", "--demo"),
        ("--demo", "demo", "--demo"),
        ("-e groq", "groq", "-e groq"),
        ("-e groq", "openai", "-e openai"),
        ("--base-url http://me:pw@x.example/v1", "x.example", "--base-url http://x.example/v1"),
        ("--base-url http://x/v1 --api-key-env HOME", "x", "--base-url http://x/v1 --api-key-env HOME"),
        ("--base-url http://x/v1", "ollama", "-e ollama"),
        ("", "x.example", ""),
    ],
)
def test_flags_that_continue_a_session(flags: str, name: str, again: str) -> None:
    from streamtui.cli.chat import parser

    args = parser().parse_args(flags.split())
    assert endpoint_flags(config_from(args), args, name) == again.split()


def test_default_endpoint_needs_no_flag() -> None:
    from streamtui.cli.chat import parser

    write("endpoint = 'groq'\n")
    args = parser().parse_args([])
    assert endpoint_flags(config_from(args), args, "groq") == []
    assert endpoint_flags(config_from(args), args, "openai") == ["-e", "openai"]
