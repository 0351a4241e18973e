"""Which endpoint flags and environment ask for."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from streamtui.config.endpoint import DEMO, OPENAI_MODEL, OPENAI_URL, Endpoint
from streamtui.config.settings import ConfigError


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
    environment_url = environ.get("OPENAI_BASE_URL", "").strip() or OPENAI_URL
    url = _checked_url(base_url or environment_url, "--base-url" if base_url else "OPENAI_BASE_URL")
    own = url == environment_url.rstrip("/")
    return Endpoint(
        name=_name_of(url),
        base_url=url,
        api_key=_key_from(environ, api_key_env, own),
        organization=environ.get("OPENAI_ORG_ID", "") if own else "",
        project=environ.get("OPENAI_PROJECT_ID", "") if own else "",
        model=model or (OPENAI_MODEL if url == OPENAI_URL else ""),
    )


def _key_from(environ: Mapping[str, str], api_key_env: str, own: bool) -> str:
    if not api_key_env:
        return environ.get("OPENAI_API_KEY", "").strip() if own else ""
    key = environ.get(api_key_env, "").strip()
    if not key:
        raise ConfigError(f"--api-key-env names {api_key_env}, which is not set; set it, or leave the flag out.")
    return key


def _checked_url(url: str, source: str) -> str:
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{source} is {url!r}, which is no address; it should look like http://localhost:11434/v1.")
    return url


def _name_of(url: str) -> str:
    if url == OPENAI_URL:
        return "openai"
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]
