"""The endpoint given by --base-url or OPENAI_BASE_URL, and its API key."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from streamtui.config import validators
from streamtui.config.settings import ConfigError
from streamtui.core.endpoint import DEMO, OPENAI_MODEL, OPENAI_URL, Endpoint, with_basic_auth
from streamtui.core.sanitize import clean_line


def endpoint_from(
    environ: Mapping[str, str], *, base_url: str = "", api_key_env: str = "", model: str = "", demo: bool = False
) -> Endpoint:
    """Return the endpoint that the flags and the environment specify.

    A key is only sent to the server it was set for: OPENAI_API_KEY to OPENAI_BASE_URL (OpenAI by default). For any
    other `base_url`, only the key in `api_key_env` is sent.

    Raise ConfigError if the URL isn't http:// or https://, or if the variable `api_key_env` is not set.
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
    """Return the base URL that the OPENAI_* variables apply to."""
    return environ.get("OPENAI_BASE_URL", "").strip().rstrip("/") or OPENAI_URL


def openai_api_key(environ: Mapping[str, str]) -> str:
    """Return the key in OPENAI_API_KEY; empty if it is not set."""
    return environ.get("OPENAI_API_KEY", "").strip()


def key_from_variable(environ: Mapping[str, str], api_key_env: str) -> str:
    """Return the key in the variable named by --api-key-env. Raise ConfigError if it is not set."""
    key = environ.get(api_key_env, "").strip()
    if not key:
        raise ConfigError(f"The variable {api_key_env}, named by --api-key-env, is not set. Set it, or omit the flag.")
    return key


def _checked_url(url: str, source: str) -> str:
    try:
        return validators.url(url)
    except ValueError as error:
        raise ConfigError(f"Invalid URL in {source}: {clean_line(url)!r} {error}.") from None


def _name_of(url: str) -> str:
    if url == OPENAI_URL:
        return "openai"
    return urlsplit(url).netloc.rpartition("@")[2]
