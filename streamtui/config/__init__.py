"""Configuration from flags, environment variables and config.toml."""

from streamtui.config.adhoc_endpoint import endpoint_from
from streamtui.config.settings import MAX_REPLY_MB, MB, Config, ConfigError, Preset
from streamtui.config.value_sources import Origin, Source
from streamtui.core.endpoint import DEMO, OPENAI_MODEL, OPENAI_URL, Api, Endpoint, ModelSettings, Timeouts, is_loopback

__all__ = [
    "DEMO",
    "MAX_REPLY_MB",
    "MB",
    "OPENAI_MODEL",
    "OPENAI_URL",
    "Api",
    "Config",
    "ConfigError",
    "Endpoint",
    "ModelSettings",
    "Origin",
    "Preset",
    "Source",
    "Timeouts",
    "endpoint_from",
    "is_loopback",
]
