"""The demo endpoint: the provider of every server, over a transport that is answered in this process."""

from typing import TYPE_CHECKING

from streamtui.config import DEMO, Endpoint
from streamtui.providers.openai_provider import OpenAIProvider

if TYPE_CHECKING:
    from streamtui.providers.demo.transport import DemoTransport


def demo_provider(endpoint: Endpoint = DEMO, *, pace: float = 1.0) -> OpenAIProvider:
    """Return the provider of the demo. `pace` stretches its time: 2 is half as fast, 0 answers at once."""

    def transport() -> "DemoTransport":
        # Imported here because it needs httpx2, which is loaded at the first use.
        from streamtui.providers.demo.transport import DemoTransport

        return DemoTransport(pace)

    return OpenAIProvider(endpoint, transport=transport)
