"""What answers: one provider for every server that speaks an OpenAI API."""

from streamtui.config import Endpoint
from streamtui.providers.base import Provider
from streamtui.providers.client import OpenAIProvider
from streamtui.providers.demo import demo_provider


def connect(endpoint: Endpoint) -> Provider:
    """Returns the provider for `endpoint`. Nothing is imported or opened before the first use."""
    return demo_provider(endpoint) if endpoint.demo else OpenAIProvider(endpoint)
