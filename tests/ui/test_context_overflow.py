"""A conversation that outgrows its model: told before it is sent, with what can be done about it."""

from dataclasses import replace

from textual.pilot import Pilot
from textual.widgets import OptionList

from streamtui.config import Endpoint, ModelSettings
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.context_overflow_dialog import ContextOverflowDialog
from tests.ui.conftest import MakeApp, Model, answered, ask, data, pane, piece, running, status, until


def small(model: Model, window: int = 400) -> Endpoint:
    """An endpoint whose model takes few tokens."""
    return replace(model.endpoint, models={"m-1": ModelSettings(window=window)})


def long(start: str, words: int = 90) -> str:
    """A prompt of about so many tokens."""
    return f"{start} " + "abc " * words


def finish(model: Model) -> None:
    """Ends the reply of a server that counts no tokens."""
    for part in (piece(finish="stop"), data("[DONE]"), None):
        model.pieces.put_nowait(part)


async def talked(app: StreamTUI, pilot: Pilot[None], model: Model) -> None:
    """Fills the window with three turns."""
    for i in range(3):
        model.say(f"reply {i}")
        finish(model)
        await ask(pilot, long(f"prompt {i}"))
        await until(lambda: answered(app) and app.chat.conversation.progress.state == "ready")


def sent(model: Model) -> str:
    """The last request."""
    return str(model.bodies[-1]["messages"])


def choices(app: StreamTUI) -> list[str]:
    """What the panel offers."""
    options = app.screen.query_one(OptionList)
    return [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]


async def test_the_oldest_turns_are_left_out_and_marked(make_app: MakeApp, model: Model) -> None:
    app = make_app(small(model))
    async with running(app, (100, 40)) as pilot:
        await talked(app, pilot, model)
        await ask(pilot, long("prompt 3", 60))
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        assert len(model.bodies) == 3, "nothing is sent before it is decided"
        assert len(choices(app)) == 3
        assert choices(app)[0].startswith("Omit the 4 oldest messages")
        model.say("And now this.")
        model.finish()
        await pilot.press("enter")
        await until(lambda: "And now this." in pane(app) and answered(app))
        assert "prompt 0" not in sent(model)
        assert "prompt 1" not in sent(model)
        assert "prompt 2" in sent(model)
        assert "prompt 3" in sent(model)
        await pilot.press("alt+up", "alt+up", "alt+up", "alt+up")
        assert "4 messages above are no longer sent" in pane(app)
        session = app.chat.conversation.session
    later = make_app(small(model), session_id=session.id)
    async with running(later, (100, 40)) as pilot:
        await until(lambda: "And now this." in pane(later))
        await pilot.press("alt+up", "alt+up", "alt+up", "alt+up")
        await until(lambda: "4 messages above are no longer sent" in pane(later))
        assert "┊ prompt 1" in pane(later) or "┊ reply 1" in pane(later)
        await pilot.press("shift+f9")
        assert "no longer sent" not in pane(later)
        assert "┊" not in pane(later)
        model.say("All of it.")
        model.finish()
        await pilot.press("i")
        await ask(pilot, "short")
        await until(lambda: isinstance(later.screen, ContextOverflowDialog))
        await pilot.press("end", "enter")
        await until(lambda: "All of it." in pane(later))
        assert "prompt 0" in sent(model)


async def test_a_summary_is_sent_in_their_place_and_can_be_read(make_app: MakeApp, model: Model) -> None:
    app = make_app(small(model))
    async with running(app, (100, 40)) as pilot:
        await talked(app, pilot, model)
        await ask(pilot, long("prompt 3", 60))
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        await pilot.press("down", "enter")
        await until(lambda: len(model.bodies) == 4)
        await until(lambda: "summarizing" in status(app))
        assert "next: prompt 3" in str(app.chat.queue.render())
        model.say("They counted ", "to two.")
        model.finish()
        await until(lambda: len(model.bodies) == 5)
        model.say("Three.")
        model.finish()
        await until(lambda: "Three." in pane(app) and answered(app))
        assert "They counted to two." in sent(model)
        assert "reply 0" not in sent(model)
        await pilot.press("alt+up", "alt+up", "alt+up", "alt+up")
        assert "▸ Summary by m-1 sent instead" in pane(app)
        assert "They counted" not in pane(app)
        await pilot.press("space")
        assert "▾ Summary by m-1" in pane(app)
        assert "They counted to two." in pane(app)


async def test_all_of_it_is_sent_where_the_user_says_so_and_not_asked_again(make_app: MakeApp, model: Model) -> None:
    app = make_app(small(model))
    async with running(app, (100, 40)) as pilot:
        await talked(app, pilot, model)
        for word in ("first", "second"):
            model.say(f"Sent: {word}")
            finish(model)
            await ask(pilot, long(word, 40))
            if word == "first":
                await until(lambda: isinstance(app.screen, ContextOverflowDialog))
                await pilot.press("end", "enter")
            await until(lambda: f"Sent: {word}" in pane(app) and answered(app))
        assert "prompt 0" in sent(model)


async def test_esc_puts_the_prompt_back(make_app: MakeApp, model: Model) -> None:
    app = make_app(small(model))
    async with running(app, (100, 40)) as pilot:
        await talked(app, pilot, model)
        await ask(pilot, long("prompt 3", 60))
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        app.chat.save_draft()
        assert app.chat.drafts.saved.text.startswith("prompt 3"), "kept meanwhile"
        await pilot.press("escape")
        await until(lambda: app.chat.prompt.text.startswith("prompt 3"))
        assert len(model.bodies) == 3
        assert len(app.chat.conversation.session.path()) == 6
        assert not app.chat.queue.display


async def test_a_summary_that_is_stopped_or_fails_puts_the_prompt_back(make_app: MakeApp, model: Model) -> None:
    app = make_app(replace(small(model), retries=0))
    async with running(app, (100, 40)) as pilot:
        await talked(app, pilot, model)
        await ask(pilot, long("prompt 3", 60))
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        await pilot.press("down", "enter")
        await until(lambda: "summarizing" in status(app) and len(model.bodies) == 4)
        await pilot.press("escape")
        await until(lambda: app.chat.prompt.text.startswith("prompt 3"))
        assert "stopped" in status(app)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        await pilot.press("down", "enter")
        await until(lambda: len(model.bodies) == 5)
        model.pieces.put_nowait(None)
        await until(lambda: any("No summary:" in note.message for note in app._notifications))
        await until(lambda: app.chat.prompt.text.startswith("prompt 3"))
        assert all(message.recap is None for message in app.chat.conversation.session.path())


async def test_a_prompt_too_long_by_itself_can_only_be_sent_as_it_is(make_app: MakeApp, model: Model) -> None:
    app = make_app(small(model))
    async with running(app) as pilot:
        await ask(pilot, long("endless", 600))
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        assert [choice[:15] for choice in choices(app)] == ["Send everything"]
        model.say("Well.")
        model.finish()
        await pilot.press("enter")
        await until(lambda: "Well." in pane(app))


async def test_asking_again_with_a_smaller_model_is_told_too(make_app: MakeApp, model: Model) -> None:
    windows = {"m-1": ModelSettings(window=10_000), "m-2": ModelSettings(window=150)}
    app = make_app(replace(model.endpoint, models=windows))
    async with running(app, (100, 40)) as pilot:
        await talked(app, pilot, model)
        app.chat.models.switch_to("m-2")
        await pilot.press("f5")
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        assert "reply 2" in pane(app)
        await pilot.press("escape")
        await until(lambda: not app.chat.is_replying)
        assert "reply 2" in pane(app), "nothing has changed"
        await pilot.press("f5")
        await until(lambda: isinstance(app.screen, ContextOverflowDialog))
        model.say("Again.")
        model.finish()
        await pilot.press("enter")
        await until(lambda: "Again." in pane(app) and answered(app))
        assert "prompt 1" not in sent(model)
        assert "2/2" in pane(app)
