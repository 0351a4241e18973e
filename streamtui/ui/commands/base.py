"""What handlers of commands have in common: registration by id, availability, background work."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.worker import Worker

    from streamtui.ui.screens.chat import ChatScreen

Params = ParamSpec("Params")
Check = Callable[["ChatScreen"], str]
"""Returns why a command is not available now, in a sentence; "" if it is."""


class Controller:
    """The commands of one feature, with the chat they act on."""

    def __init__(self, chat: "ChatScreen") -> None:
        self.chat = chat

    @property
    def screen(self) -> "Screen[Any]":
        """The screen that runs the background work."""
        return self.chat


class HasScreen(Protocol):
    """Anything with a screen to run background work."""

    @property
    def screen(self) -> "Screen[Any]":
        """The screen."""


Owner = TypeVar("Owner", bound=HasScreen)
Method = TypeVar("Method", bound=Callable[..., object])


class Handler(NamedTuple):
    """Runs a command."""

    run: Callable[[], object]
    checks: Sequence[Check]

    def reason(self, chat: "ChatScreen") -> str:
        """Return why the command is not available now; "" if it is."""
        return next(filter(None, (check(chat) for check in self.checks)), "")


def handles(*ids: str, checks: Sequence[Check] = ()) -> Callable[[Method], Method]:
    """Register a method of a controller for the commands `ids`; they are available when all `checks` pass."""

    def register(method: Method) -> Method:
        method.command_ids, method.checks = ids, checks  # type: ignore[attr-defined]
        return method

    return register


def handlers_of(controller: object) -> Iterator[tuple[str, Handler]]:
    """Yield the handlers of `controller` by command id."""
    for name, method in vars(type(controller)).items():
        for command_id in getattr(method, "command_ids", ()):
            yield command_id, Handler(getattr(controller, name), method.checks)


def in_worker(
    group: str, *, exclusive: bool = True
) -> Callable[
    [Callable[Concatenate[Owner, Params], Coroutine[None, None, None]]],
    Callable[Concatenate[Owner, Params], "Worker[None]"],
]:
    """Run a controller's method as a worker of its screen, like Textual's `work`, which is for widgets only."""

    def decorate(
        method: Callable[Concatenate[Owner, Params], Coroutine[None, None, None]],
    ) -> Callable[Concatenate[Owner, Params], "Worker[None]"]:
        @wraps(method)
        def start(owner: Owner, /, *args: Params.args, **kwargs: Params.kwargs) -> "Worker[None]":
            work = partial(method, owner, *args, **kwargs)
            return owner.screen.run_worker(work, method.__name__, group=group, exclusive=exclusive)

        return start

    return decorate


def no_reply_running(chat: "ChatScreen") -> str:
    """Require that no reply is arriving."""
    return "A reply is arriving. Press Esc to stop it first." if chat.is_replying else ""


def has_messages(chat: "ChatScreen") -> str:
    """Require a message."""
    return "" if chat.conversation.session.messages else "This session has no messages yet."
