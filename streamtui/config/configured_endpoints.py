"""Puts together the endpoints that can be named: the ready-made ones and those of the file, with their keys."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from streamtui.config.adhoc_endpoint import openai_base_url
from streamtui.config.settings_file import FileSettings
from streamtui.config.value_sources import IN_KEYRING, Sources, variable
from streamtui.core.builtin_endpoints import BUILTIN
from streamtui.core.endpoint import DEMO, OPENAI_URL, Endpoint, with_basic_auth
from streamtui.core.parameters import Parameters

_OPENAI = {"organization": "OPENAI_ORG_ID", "project": "OPENAI_PROJECT_ID"}


def configured_endpoints(
    settings: FileSettings, environ: Mapping[str, str], in_keyring: frozenset[str], sources: Sources
) -> dict[str, Endpoint]:
    """Returns every endpoint that has an address, by name, those of the file first; notes where values come from.

    `in_keyring` names those whose keys streamtui has put into the keyring.
    """
    found: dict[str, Endpoint] = {}
    for name in dict.fromkeys([*settings.endpoints, *BUILTIN]):
        endpoint = with_defaults(_merged(name, settings.endpoints.get(name, {})), settings)
        _note_sources(name, settings, sources)
        if endpoint.base_url:
            endpoint = _of_environment(endpoint, settings.endpoints.get(name, {}), environ, sources)
            found[name] = _with_keyring(endpoint, in_keyring, sources)
    return {**found, DEMO.name: DEMO}


def _note_sources(name: str, settings: FileSettings, sources: Sources) -> None:
    """Notes where each field of the endpoint `name` stands in the file, and each of its parameters."""
    given = settings.endpoints.get(name, {})
    for parameter in settings.parameters.as_dict():
        sources[f"endpoints.{name}.parameters.{parameter}"] = settings.source("parameters", parameter)
    for key, value in given.items():
        sources[f"endpoints.{name}.{key}"] = settings.source("endpoints", name, key)
        for parameter in value.as_dict() if isinstance(value, Parameters) else ():
            sources[f"endpoints.{name}.{key}.{parameter}"] = settings.source("endpoints", name, key, parameter)


def with_defaults(endpoint: Endpoint, settings: FileSettings) -> Endpoint:
    """Returns `endpoint` with what the file sets for all of them, where it has nothing of its own."""
    system = endpoint.system or settings.values.get("system", "")
    return replace(endpoint, system=system, parameters=endpoint.parameters.over(settings.parameters))


def _merged(name: str, given: Mapping[str, Any]) -> Endpoint:
    """The ready-made endpoint called `name`, if there is one, with the fields `given` in the file above."""
    usual = BUILTIN.get(name, Endpoint(name))
    if usual.base_url and given.get("base_url", usual.base_url) != usual.base_url:
        usual = Endpoint(name)  # its key and its model belong to the usual address
    return with_basic_auth(replace(usual, **given))


def _of_environment(
    endpoint: Endpoint, given: Mapping[str, Any], environ: Mapping[str, str], sources: Sources
) -> Endpoint:
    """With the key, organisation and project that the environment holds for it."""
    name = f"endpoints.{endpoint.name}"
    if endpoint.name == "openai" and endpoint.base_url == OPENAI_URL:
        endpoint = _of_openai(endpoint, given, environ, sources)
    key = environ.get(endpoint.api_key_env, "").strip()
    if not key:
        return endpoint
    sources[f"{name}.api_key"] = variable(endpoint.api_key_env)
    return replace(endpoint, api_key=key, api_key_command="", api_key_keyring=False)


def _of_openai(endpoint: Endpoint, given: Mapping[str, Any], environ: Mapping[str, str], sources: Sources) -> Endpoint:
    """The variables of OpenAI belong to the server that OPENAI_BASE_URL names, unless the file says otherwise."""
    if openai_base_url(environ) != OPENAI_URL:
        return replace(endpoint, api_key_env=given.get("api_key_env", ""))
    own = {key: environ.get(name, "").strip() for key, name in _OPENAI.items()}
    sources.update((f"endpoints.openai.{key}", variable(_OPENAI[key])) for key, value in own.items() if value)
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
