"""The endpoint at an address that a flag or the environment names, and the key that goes there."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from streamtui.config import validators
from streamtui.config.settings import ConfigError
from streamtui.core.endpoint import DEMO, OPENAI_MODEL, OPENAI_URL, Endpoint, with_basic_auth
from streamtui.core.sanitize import clean_line


def endpoint_from(
    environ: Mapping[str, str], *, base_url: str = "", api_key_env: str = "", model: str = "", demo: bool = False
) -> Endpoint:
    """Returns the endpoint that flags and environment ask for.

    A key goes to the server it was set for and to no other: OPENAI_API_KEY to the server that OPENAI_BASE_URL
    names (OpenAI, if it names none). With the flag `base_url` naming another server, only the key that
    `api_key_env` names is sent.

    Raises ConfigError for an address without http:// or https://, or an `api_key_env` that is not set.
    """
    if demo:
        return DEMO if not model else Endpoint(DEMO.name, DEMO.base_url, model=model, demo=True)
    environment_url = openai_base_url(environ)
    url = _checked_url(base_url or environment_url, "--base-url" if base_url else "OPENAI_BASE_URL")
    own = url == environment_url
    key = key_from_variable(environ, api_key_env) if api_key_env else openai_api_key(environ) if own else ""
    endpoint = Endpoint(
        name=_name_of(url),
        base_url=url,
        api_key=key,
        organization=environ.get("OPENAI_ORG_ID", "").strip() if own else "",
        project=environ.get("OPENAI_PROJECT_ID", "").strip() if own else "",
        model=model or (OPENAI_MODEL if url == OPENAI_URL else ""),
        api_key_env=api_key_env or ("OPENAI_API_KEY" if own and (key or url == OPENAI_URL) else ""),
    )
    return with_basic_auth(endpoint)


def openai_base_url(environ: Mapping[str, str]) -> str:
    """Returns the address of the server that the variables of OpenAI are meant for."""
    return environ.get("OPENAI_BASE_URL", "").strip().rstrip("/") or OPENAI_URL


def openai_api_key(environ: Mapping[str, str]) -> str:
    """Returns the key of that server; empty where there is none."""
    return environ.get("OPENAI_API_KEY", "").strip()


def key_from_variable(environ: Mapping[str, str], api_key_env: str) -> str:
    """Returns the key in the variable that a flag names. Raises ConfigError where there is none."""
    key = environ.get(api_key_env, "").strip()
    if not key:
        raise ConfigError(f"--api-key-env names {api_key_env}, which is not set; set it, or leave the flag out.")
    return key


def _checked_url(url: str, source: str) -> str:
    try:
        return validators.url(url)
    except ValueError as error:
        raise ConfigError(f"{source} is {clean_line(url)!r}, which is no address; it {error}.") from None


def _name_of(url: str) -> str:
    if url == OPENAI_URL:
        return "openai"
    return urlsplit(url).netloc.rpartition("@")[2]
