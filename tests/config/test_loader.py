"""Merging of flags, environment, file and defaults, and the recorded source of each value."""

from pathlib import Path

import pytest

from streamtui import paths
from streamtui.config import DEMO, OPENAI_MODEL, OPENAI_URL, Api, Config, ConfigError, Origin
from streamtui.config.keyring_index import names_in_keyring, update_keyring_index
from streamtui.config.loader import CliOverrides, load
from streamtui.core.endpoint import ModelSettings
from streamtui.core.parameters import Parameters

BOX = '[endpoints.box]\nbase_url = "http://box.example/v1"\nmodel = "big"\n'
KEYS = {"OPENAI_API_KEY": "sk-mine", "GROQ_API_KEY": "gsk-mine", "BOX_KEY": "sk-box"}


def loaded(flags: CliOverrides | None = None, environ: dict[str, str] | None = None, text: str = "") -> Config:
    """Return the configuration for these flags and variables and a config.toml with `text`."""
    file = paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return load(flags or CliOverrides(), environ or {})


def test_default_is_openai() -> None:
    config = load(CliOverrides(), {})
    assert (config.endpoint.name, config.endpoint.base_url, config.endpoint.model) == (
        "openai",
        OPENAI_URL,
        OPENAI_MODEL,
    )
    assert config.endpoint.needs_key
    assert config.warnings == ()
    assert config.source_of("endpoint").origin is Origin.DEFAULT


def test_builtin_endpoints_by_name() -> None:
    config = load(CliOverrides(endpoint="groq"), KEYS)
    assert (config.endpoint.base_url, config.endpoint.api_key) == ("https://api.groq.com/openai/v1", "gsk-mine")
    assert str(config.source_of("endpoints.groq.api_key")) == "GROQ_API_KEY"
    assert set(config.endpoints) == {
        "openai", "ollama", "lmstudio", "llamacpp", "vllm", "openrouter", "groq", "mistral", "deepseek", "demo",
    }  # fmt: skip
    assert config.endpoints["openai"].api_key == "sk-mine"
    assert not config.endpoints["ollama"].needs_key
    assert config.endpoints["mistral"].needs_key
    assert load(CliOverrides(endpoint="demo"), KEYS).endpoint == DEMO


def test_azure_needs_a_base_url() -> None:
    line = r'No address for azure yet\. Set base_url = "https://RESOURCE\.openai\.azure\.com/openai/v1", with the name '
    with pytest.raises(ConfigError, match=line + r"of your RESOURCE, in \[endpoints\.azure\] of .*config\.toml\.$"):
        load(CliOverrides(endpoint="azure"), {})
    text = '[endpoints.azure]\nbase_url = "https://mine.openai.azure.com/openai/v1/"\nmodel = "my-deployment"\n'
    config = loaded(CliOverrides(endpoint="azure"), {"AZURE_OPENAI_API_KEY": "az"}, text)
    assert (config.endpoint.base_url, config.endpoint.api_key, config.endpoint.model) == (
        "https://mine.openai.azure.com/openai/v1",
        "az",
        "my-deployment",
    )


def test_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r'Endpoint "grok" is not configured\. Did you mean "groq"\?'):
        load(CliOverrides(endpoint="grok"), {})
    with pytest.raises(ConfigError, match=r'Endpoint "nope" is not configured\. Available: azure, deepseek, demo'):
        load(CliOverrides(endpoint="nope"), {})
    with pytest.raises(ConfigError, match=r'Preset "coder" does not exist\. Available: none\.'):
        load(CliOverrides(preset="coder"), {})


def test_file_overrides_parts_of_builtin_endpoint() -> None:
    config = loaded(CliOverrides(endpoint="groq"), KEYS, '[endpoints.groq]\nmodel = "llama"\nretries = 1\n')
    assert (config.endpoint.model, config.endpoint.retries, config.endpoint.api_key) == ("llama", 1, "gsk-mine")
    assert str(config.source_of("endpoints.groq.model")) == "config.toml, line 2"
    assert config.source_of("endpoints.groq.base_url").origin is Origin.DEFAULT


@pytest.mark.parametrize("name", ["openai", "groq"])
def test_default_key_is_not_sent_to_another_url(name: str) -> None:
    config = loaded(CliOverrides(endpoint=name), KEYS, f'[endpoints.{name}]\nbase_url = "https://else.example/v1"\n')
    assert (config.endpoint.api_key, config.endpoint.api_key_env, config.endpoint.model) == ("", "", "")
    text = f'[endpoints.{name}]\nbase_url = "https://else.example/v1"\napi_key_env = "BOX_KEY"\n'
    assert loaded(CliOverrides(endpoint=name), KEYS, text).endpoint.api_key == "sk-box"


def test_openai_variables_belong_to_openai_base_url() -> None:
    environ = {**KEYS, "OPENAI_BASE_URL": "https://proxy.example/v1", "OPENAI_ORG_ID": "org-1"}
    config = load(CliOverrides(), environ)
    assert (config.endpoint.name, config.endpoint.api_key, config.endpoint.organization) == (
        "proxy.example",
        "sk-mine",
        "org-1",
    )
    assert str(config.source_of("endpoint")) == "OPENAI_BASE_URL"
    other = load(CliOverrides(endpoint="openai"), environ)
    assert (other.endpoint.base_url, other.endpoint.api_key, other.endpoint.organization) == (OPENAI_URL, "", "")
    assert all(endpoint.api_key != "sk-mine" for name, endpoint in config.endpoints.items() if name != "proxy.example")
    named = loaded(CliOverrides(endpoint="openai"), environ, '[endpoints.openai]\napi_key_env = "OPENAI_API_KEY"\n')
    assert named.endpoint.api_key == "sk-mine", "the file names the variable explicitly"


def test_organization_and_project_are_sent_to_openai_only() -> None:
    environ = {**KEYS, "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1"}
    config = loaded(environ=environ, text=f'{BOX}[endpoints.openai]\norganization = "of the file"\n')
    assert (config.endpoint.organization, config.endpoint.project) == ("org-1", "proj-1")
    assert str(config.source_of("endpoints.openai.organization")) == "OPENAI_ORG_ID"
    others = [endpoint for name, endpoint in config.endpoints.items() if name != "openai"]
    assert not any(endpoint.organization or endpoint.project for endpoint in others)


def test_endpoint_precedence() -> None:
    text = f'endpoint = "box"\npreset = "p"\n{BOX}[presets.p]\nendpoint = "ollama"\n[presets.q]\nendpoint = "groq"\n'
    there = {"OPENAI_BASE_URL": "http://there.example/v1"}
    assert loaded(text=f'endpoint = "box"\n{BOX}').endpoint.name == "box"
    assert loaded(text=text).endpoint.name == "ollama"
    assert loaded(environ=there, text=text).endpoint.name == "there.example"
    assert loaded(CliOverrides(preset="q"), there, text).endpoint.name == "groq"
    assert loaded(CliOverrides(preset="q", endpoint="mistral"), there, text).endpoint.name == "mistral"
    assert loaded(CliOverrides(base_url="http://x.example/v1"), there, text).endpoint.name == "x.example"
    assert loaded(CliOverrides(demo=True), there, text).endpoint == DEMO


def test_model_precedence() -> None:
    text = f'endpoint = "box"\nmodel = "top"\n{BOX}[presets.p]\nmodel = "of-preset"\n[presets.q]\nendpoint = "groq"\n'
    assert loaded(text=text).endpoint.model == "top"
    assert loaded(text=text).model == "", "not given by a flag, so a resumed session keeps its own"
    assert loaded(text='preset = "p"\n' + text).endpoint.model == "of-preset"
    assert loaded(CliOverrides(endpoint="groq"), text=text).endpoint.model == "", "it belongs to another server"
    assert loaded(CliOverrides(endpoint="box"), text=text).endpoint.model == "big"
    flagged = loaded(CliOverrides(preset="p"), text=text)
    assert (flagged.endpoint.model, flagged.model) == ("of-preset", "of-preset")
    assert str(flagged.source_of("endpoints.box.model")) == "--preset p"
    asked = loaded(CliOverrides(model="m", preset="p"), text=text)
    assert (asked.endpoint.model, asked.model) == ("m", "m")
    assert asked.endpoints["box"].model == "m"


def test_system_prompt_precedence() -> None:
    text = f'system = "top"\n{BOX}[endpoints.groq]\nsystem = "of groq"\n[presets.p]\nsystem = "of preset"\n'
    assert loaded(text=text).system == "top"
    assert str(loaded(text=text).source_of("system")) == "config.toml, line 1"
    assert loaded(CliOverrides(endpoint="groq"), text=text).system == "of groq"
    assert loaded(CliOverrides(endpoint="groq", preset="p"), text=text).system == "of preset"
    assert loaded(CliOverrides(system="asked\x1b", preset="p"), text=text).system == "asked␛"


def test_parameter_precedence() -> None:
    text = (
        f"parameters = {{ temperature = 1, seed = 1 }}\n{BOX}parameters = {{ seed = 2, top_p = 0.5 }}\n"
        "[presets.p]\nparameters = { top_p = 0.25, max_tokens = 9 }\n"
    )
    config = loaded(CliOverrides(endpoint="box", preset="p", parameters=Parameters(max_tokens=5)), text=text)
    assert config.endpoint.parameters == Parameters(temperature=1.0, seed=2, top_p=0.5)
    assert config.endpoints["groq"].parameters == Parameters(temperature=1.0, seed=1)
    assert config.parameters == Parameters(max_tokens=5, top_p=0.25)
    written = loaded(text=f'preset = "p"\n{text}')
    assert written.parameters == Parameters(), "not given by flags, so a resumed session keeps its own"
    assert written.new_parameters == Parameters(top_p=0.25, max_tokens=9)


def test_preset_of_file_is_ignored_for_another_endpoint() -> None:
    text = f'preset = "p"\n{BOX}[presets.p]\nendpoint = "box"\nsystem = "of preset"\nmodel = "m"\n'
    assert loaded(text=text).preset == "p"
    other = loaded(CliOverrides(endpoint="groq"), text=text)
    assert (other.preset, other.system, other.endpoint.model) == ("", "", "")
    same = loaded(CliOverrides(endpoint="box"), text=text)
    assert (same.preset, same.endpoint.model) == ("p", "m")


def test_api_flag_overrides_model_settings() -> None:
    text = f'{BOX}api = "responses"\n[endpoints.box.models.big]\napi = "responses"\nwindow = 5\n'
    config = loaded(CliOverrides(endpoint="box", api=Api.COMPLETIONS), text=text)
    assert config.endpoint.api is Api.COMPLETIONS
    assert config.endpoint.models == {"big": ModelSettings(window=5)}


def test_api_key_precedence() -> None:
    text = f'{BOX}api_key_env = "BOX_KEY"\napi_key_command = "pass box"\napi_key_keyring = true\napi_key = "sk-file"\n'
    box = loaded(environ=KEYS, text=text).endpoints["box"]
    assert (box.api_key, box.fetches_key) == ("sk-box", False)
    box = loaded(environ={"BOX_KEY": "  "}, text=text).endpoints["box"]
    assert (box.api_key, box.api_key_command, box.api_key_keyring) == ("sk-file", "pass box", True)
    assert not box.needs_key
    flagged = loaded(CliOverrides(endpoint="box", api_key_env="GROQ_API_KEY"), KEYS, text).endpoint
    assert (flagged.api_key, flagged.fetches_key) == ("gsk-mine", False)
    with pytest.raises(ConfigError, match="NOT_THERE"):
        loaded(CliOverrides(endpoint="box", api_key_env="NOT_THERE"), KEYS, text)


def test_keyring_is_used_for_keys_stored_by_streamtui() -> None:
    update_keyring_index("groq", True)
    update_keyring_index("mistral", True)
    update_keyring_index("mistral", False)
    assert names_in_keyring() == {"groq"}
    config = load(CliOverrides(), {})
    assert config.endpoints["groq"].api_key_keyring
    assert not config.endpoints["mistral"].api_key_keyring
    assert not load(CliOverrides(), KEYS).endpoints["groq"].api_key_keyring, "the environment takes precedence"


def test_other_settings() -> None:
    text = 'pace = 100\ntheme = "paper"\ntitle_model = "small"\nmoderate = true\n[keys]\nchat.retry = "alt+r"\n'
    config = loaded(text=text)
    assert (config.pace, config.theme, config.title_model, config.moderate) == (100.0, "paper", "small", True)
    assert config.keymap == {"turn.retry": "alt+r"}
    assert str(config.source_of("pace")) == "config.toml, line 1"
    assert loaded(CliOverrides(pace=5.0), text=text).pace == 5.0


def test_invalid_settings_do_not_prevent_a_start() -> None:
    config = loaded(environ=KEYS, text='endpoint = "nope"\npace = "fast"\ntheme = "paper"\n')
    assert (config.endpoint.name, config.pace, config.theme) == ("openai", None, "paper")
    assert len(config.warnings) == 2


def test_repr_of_config_has_no_key() -> None:
    text = f'{BOX}api_key = "sk-in-the-file"\n'
    assert "sk-" not in repr(loaded(environ=KEYS, text=text).endpoints)


def test_warns_of_unreadable_keyring_index(tmp_path: Path) -> None:
    paths.keyring_list().mkdir(parents=True)
    assert "Keys in the keyring are not used" in load(CliOverrides(), {}).warnings[0]


def test_password_in_url_becomes_a_header() -> None:
    config = loaded(
        CliOverrides(endpoint="box"), text='[endpoints.box]\nbase_url = "https://me:p%40ss@box.example:81/v1"\n'
    )
    assert config.endpoint.base_url == "https://box.example:81/v1"
    assert config.endpoint.headers == {"Authorization": "Basic bWU6cEBzcw=="}
    config = load(CliOverrides(base_url="http://me:pass@box.example/v1"), {})
    assert (config.endpoint.name, config.endpoint.base_url) == ("box.example", "http://box.example/v1")
    assert "Authorization" in config.endpoint.headers
