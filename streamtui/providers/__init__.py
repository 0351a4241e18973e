"""Providers: one for every server with an OpenAI-compatible API, and the demo."""

from streamtui.config import Endpoint
from streamtui.providers.base import Provider
from streamtui.providers.demo.provider import demo_provider
from streamtui.providers.openai_provider import OpenAIProvider


def connect(endpoint: Endpoint) -> Provider:
    """Return the provider for `endpoint`. Nothing is imported or opened before the first use."""
    return demo_provider(endpoint) if endpoint.demo else OpenAIProvider(endpoint)
