"""All endpoints by name: the built-in ones and those of config.toml, with their API keys."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from streamtui.config.adhoc_endpoint import openai_base_url
from streamtui.config.settings import FileSettings
from streamtui.config.value_sources import IN_KEYRING, Sources, variable
from streamtui.core.builtin_endpoints import BUILTIN
from streamtui.core.endpoint import DEMO, OPENAI_URL, Endpoint, with_basic_auth
from streamtui.core.parameters import Parameters

_OPENAI_VARIABLES = {"organization": "OPENAI_ORG_ID", "project": "OPENAI_PROJECT_ID"}


def configured_endpoints(
    settings: FileSettings, environ: Mapping[str, str], in_keyring: frozenset[str], sources: Sources
) -> dict[str, Endpoint]:
    """Return all endpoints that have a base URL, those in the file first, and record the source of each value.

    `in_keyring` has the names of endpoints whose keys are in the system keyring.
    """
    found: dict[str, Endpoint] = {}
    for name in dict.fromkeys([*settings.endpoints, *BUILTIN]):
        endpoint = with_defaults(_merged(name, settings.endpoints.get(name, {})), settings)
        _record_sources(name, settings, sources)
        if endpoint.base_url:
            endpoint = _with_environment(endpoint, settings.endpoints.get(name, {}), environ, sources)
            found[name] = _with_keyring(endpoint, in_keyring, sources)
    return {**found, DEMO.name: DEMO}


def _record_sources(name: str, settings: FileSettings, sources: Sources) -> None:
    """Record the position in the file of each field and parameter of the endpoint `name`."""
    given = settings.endpoints.get(name, {})
    for parameter in settings.parameters.as_dict():
        sources[f"endpoints.{name}.parameters.{parameter}"] = settings.source("parameters", parameter)
    for key, value in given.items():
        sources[f"endpoints.{name}.{key}"] = settings.source("endpoints", name, key)
        for parameter in value.as_dict() if isinstance(value, Parameters) else ():
            sources[f"endpoints.{name}.{key}.{parameter}"] = settings.source("endpoints", name, key, parameter)


def with_defaults(endpoint: Endpoint, settings: FileSettings) -> Endpoint:
    """Return `endpoint` with the settings that the file has for all endpoints, unless it overrides them."""
    system = endpoint.system or settings.values.get("system", "")
    return replace(endpoint, system=system, parameters=endpoint.parameters.over(settings.parameters))


def _merged(name: str, given: Mapping[str, Any]) -> Endpoint:
    """Return the built-in endpoint `name`, if any, with the fields `given` in the file on top."""
    default = BUILTIN.get(name, Endpoint(name))
    if default.base_url and given.get("base_url", default.base_url) != default.base_url:
        default = Endpoint(name)  # the default key and model belong to the default URL
    return with_basic_auth(replace(default, **given))


def _with_environment(
    endpoint: Endpoint, given: Mapping[str, Any], environ: Mapping[str, str], sources: Sources
) -> Endpoint:
    """Return `endpoint` with its key, organization and project from the environment."""
    name = f"endpoints.{endpoint.name}"
    if endpoint.name == "openai" and endpoint.base_url == OPENAI_URL:
        endpoint = _with_openai_variables(endpoint, given, environ, sources)
    key = environ.get(endpoint.api_key_env, "").strip()
    if not key:
        return endpoint
    sources[f"{name}.api_key"] = variable(endpoint.api_key_env)
    return replace(endpoint, api_key=key, api_key_command="", api_key_keyring=False)


def _with_openai_variables(
    endpoint: Endpoint, given: Mapping[str, Any], environ: Mapping[str, str], sources: Sources
) -> Endpoint:
    """Apply the OPENAI_* variables, which belong to OPENAI_BASE_URL unless the file says otherwise."""
    if openai_base_url(environ) != OPENAI_URL:
        return replace(endpoint, api_key_env=given.get("api_key_env", ""))
    own = {key: environ.get(name, "").strip() for key, name in _OPENAI_VARIABLES.items()}
    sources.update((f"endpoints.openai.{key}", variable(_OPENAI_VARIABLES[key])) for key, value in own.items() if value)
    return replace(
        endpoint,
        organization=own["organization"] or endpoint.organization,
        project=own["project"] or endpoint.project,
    )


def _with_keyring(endpoint: Endpoint, in_keyring: frozenset[str], sources: Sources) -> Endpoint:
    name = f"endpoints.{endpoint.name}"
    if endpoint.name not in in_keyring or sources.get(f"{name}.api_key") == variable(endpoint.api_key_env):
        return endpoint
    sources.setdefault(f"{name}.api_key_keyring", IN_KEYRING)
    return replace(endpoint, api_key_keyring=True)
