"""Which server is meant, and which key goes there."""

import pytest

from streamtui.config import OPENAI_MODEL, OPENAI_URL, ConfigError, endpoint_from, is_loopback

KEY = {"OPENAI_API_KEY": "sk-mine", "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1"}


def test_a_key_alone_means_openai() -> None:
    endpoint = endpoint_from(KEY)
    assert (endpoint.name, endpoint.base_url, endpoint.api_key) == ("openai", OPENAI_URL, "sk-mine")
    assert (endpoint.organization, endpoint.project, endpoint.model) == ("org-1", "proj-1", OPENAI_MODEL)
    assert not endpoint.needs_key


def test_no_key_and_no_server_needs_a_key() -> None:
    assert endpoint_from({}).needs_key
    assert endpoint_from({"OPENAI_API_KEY": "  ", "OPENAI_BASE_URL": ""}).needs_key


def test_a_key_goes_to_the_server_of_the_environment() -> None:
    endpoint = endpoint_from({**KEY, "OPENAI_BASE_URL": "https://proxy.example/v1/"})
    assert (endpoint.name, endpoint.base_url, endpoint.api_key) == (
        "proxy.example",
        "https://proxy.example/v1",
        "sk-mine",
    )


def test_a_key_never_goes_to_a_server_named_by_a_flag() -> None:
    endpoint = endpoint_from(KEY, base_url="http://localhost:11434/v1")
    assert (endpoint.api_key, endpoint.organization, endpoint.project) == ("", "", "")
    assert endpoint.name == "localhost:11434"
    assert not endpoint.needs_key


def test_a_flag_that_names_the_servers_own_address_gets_its_key() -> None:
    assert endpoint_from(KEY, base_url=OPENAI_URL).api_key == "sk-mine"


def test_the_flag_names_the_key() -> None:
    environ = {**KEY, "OTHER": "sk-other"}
    assert endpoint_from(environ, base_url="https://x.example/v1", api_key_env="OTHER").api_key == "sk-other"
    with pytest.raises(ConfigError, match="NOT_THERE"):
        endpoint_from(environ, base_url="https://x.example/v1", api_key_env="NOT_THERE")


@pytest.mark.parametrize("url", ["localhost:9911/v1", "ftp://x/v1", "http://", "nonsense"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="--base-url"):
        endpoint_from({}, base_url=url)


def test_a_key_in_an_address_is_in_no_name() -> None:
    assert endpoint_from({}, base_url="http://user:secret@host.example:81/v1").name == "host.example:81"


def test_no_key_in_what_is_printed() -> None:
    assert "sk-mine" not in repr(endpoint_from(KEY))


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("a.localhost", True),
        ("192.168.1.4", False),
        ("x", False),
    ],
)
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_demo() -> None:
    endpoint = endpoint_from(KEY, demo=True, model="demo-fast")
    assert endpoint.demo
    assert (endpoint.model, endpoint.api_key) == ("demo-fast", "")
