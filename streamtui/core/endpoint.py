"""Endpoints: servers with their API keys and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from typing import ClassVar
from urllib.parse import unquote, urlsplit, urlunsplit

from streamtui.core.parameters import Parameters
from streamtui.core.redaction import without_password

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-6-luna"


class Api(StrEnum):
    """The three ways to ask a model."""

    CHAT = "chat"
    """``/chat/completions``: what nearly every server speaks."""
    COMPLETIONS = "completions"
    """``/completions``: the model goes on with a text."""
    RESPONSES = "responses"
    """``/responses``: OpenAI's newest, the only one some of its models speak."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds."""

    connect: float = 10.0
    """Until a connection stands."""
    first: float = 120.0
    """From the request to the first piece of the reply."""
    silence: float = 120.0
    """Between two pieces of it."""
    first_setting: ClassVar[str] = "timeouts.first"
    """What sets `first`, by the name a user knows."""
    silence_setting: ClassVar[str] = "timeouts.silence"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What the user has set for one model of an endpoint."""

    parameters: Parameters = field(default_factory=Parameters)
    api: Api | None = None
    window: int | None = None
    """Tokens of context; None: as far as `streamtui.core.models` knows."""
    input_price: float | None = None
    """US dollars a million tokens; None: as far as `streamtui.core.pricing` knows."""
    output_price: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server with its key."""

    name: str
    base_url: str = ""
    api_key: str = ""
    """Empty for a server that wants none, and for a key that is still to be fetched. Beside a keyring: the key
    written in the file, for when the keyring has none."""
    organization: str = ""
    project: str = ""
    model: str = ""
    """The model for a new session; empty: the one used last, else the server's first."""
    demo: bool = False
    """True for the built-in demo, which needs no network."""
    api_key_env: str = ""
    """The environment variable that holds, or should hold, the key."""
    api_key_command: str = ""
    """A command line that prints the key; run at the first use."""
    api_key_keyring: bool = False
    """Whether the key lies in the system's keyring; asked at the first use."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More headers for every request."""
    proxy: str = ""
    """The address of a proxy; empty: what the environment says, for servers elsewhere; "none": none."""
    api: Api | None = None
    """None: chosen by the model, see `streamtui.core.models`."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: int = 3
    """How often a request that failed before its first piece is sent again."""
    favorites: tuple[str, ...] = ()
    """Names of models that F3 steps through, beside those marked in the model picker."""
    system: str = ""
    """The system prompt of a new session."""
    input_price: float | None = None
    """US dollars a million tokens of any of its models that has no prices of its own; see `ModelSettings`."""
    output_price: float | None = None
    parameters: Parameters = field(default_factory=Parameters)
    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    """Settings by the name of the model."""

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r}, {self.base_url!r}, key={'set' if self.api_key else 'none'})"

    @property
    def address(self) -> str:
        """The base URL without user name, password and query: what is saved with sessions."""
        return without_password(self.base_url)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def needs_key(self) -> bool:
        """Whether it can't work as it is: a key should be set, and is not, and there is no way to fetch one."""
        return bool(self.key_variable) and not (self.demo or self.api_key or self.fetches_key)

    @property
    def key_variable(self) -> str:
        """The environment variable to set where a key is missing; empty for a server that wants none."""
        return self.api_key_env or ("OPENAI_API_KEY" if self.base_url == OPENAI_URL else "")

    @property
    def fetches_key(self) -> bool:
        """Whether a command or the keyring is asked for the key at the first use."""
        return bool(self.api_key_command) or self.api_key_keyring

    def settings_for(self, model: str) -> ModelSettings:
        """Return what is set for `model`, with the endpoint's prices where it has none."""
        own = self.models.get(model) or ModelSettings()
        if own.input_price is None and own.output_price is None:
            return replace(own, input_price=self.input_price, output_price=self.output_price)
        return own

    def parameters_for(self, model: str) -> Parameters:
        """Return the parameters set for `model`, above those of the endpoint."""
        return self.settings_for(model).parameters.over(self.parameters)


def with_basic_auth(endpoint: Endpoint) -> Endpoint:
    """Return `endpoint` with the user name and password of its address, if it has some, as a header instead.

    In the address they would stand in logs and errors.
    """
    parts = urlsplit(endpoint.base_url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return endpoint
    import base64

    word = base64.b64encode(unquote(userinfo).encode()).decode()
    return replace(
        endpoint,
        base_url=urlunsplit(parts._replace(netloc=host)),
        headers={"Authorization": f"Basic {word}", **endpoint.headers},
    )


DEMO = Endpoint(name="demo", base_url="http://demo.invalid/v1", model="demo-1", demo=True)


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
