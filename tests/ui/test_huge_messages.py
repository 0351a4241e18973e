"""Messages of hundreds of kilobytes: shown over several frames, so that keys are never late and nothing is missing."""

from textual import events

from streamtui.core.message import Delta, Message, Role
from streamtui.ui.app import StreamTUI
from streamtui.ui.transcript.view import TranscriptView
from tests.ui.conftest import MakeApp, pane, running, until

FLOOD = "[ words " * 10_000 + "\n\nThe end."


def shown(app: StreamTUI) -> list[str]:
    """What the pane shows, without the bars and the line that says how much is below."""
    return [line.strip(" ▎█") for line in pane(app).splitlines()[:-1]]


async def totals_until(transcript: TranscriptView) -> list[int]:
    """Wait until all text is parsed; return how many lines there were in between."""
    totals = [transcript.flow.total]

    def is_done() -> bool:
        totals.append(transcript.flow.total)
        return not transcript.flow.is_parsing and not transcript._pending

    await until(is_done)
    return totals


async def test_a_huge_delta_is_shown_over_several_frames(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        transcript = app.chat.transcript
        transcript.add(Message(Role.ASSISTANT, ""), growing=True)
        transcript.append(Delta(FLOOD))
        await until(lambda: transcript.flow.total > 10)
        app.post_message(events.Key("x", "x"))
        await until(lambda: app.chat.prompt.text == "x")
        assert "The end." not in pane(app)
        totals = await totals_until(transcript)
        assert len(set(totals)) > 3
        assert totals == sorted(totals)
        assert "The end." in pane(app)
        assert transcript.flow.entries[-1].text == FLOOD


async def test_a_reply_that_ends_at_once_is_shown_to_its_end(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        transcript = app.chat.transcript
        message = Message(Role.ASSISTANT, "")
        transcript.add(message, growing=True)
        text = f"See [this][1].\n\n{FLOOD}\n\n[1]: https://example.org\n"
        transcript.append(Delta(text, reasoning=FLOOD))
        transcript.finish()
        entry = transcript.flow.entries[-1]
        assert not entry.growing
        assert entry.text == text
        await totals_until(transcript)
        assert "The end." in pane(app)
        assert entry.body is not None
        assert ("this", "link:https://example.org") in entry.body.blocks[0].line(0)[1]


async def test_a_saved_message_is_shown_over_several_frames(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        transcript = app.chat.transcript
        transcript.load([Message(Role.USER, "go"), Message(Role.ASSISTANT, FLOOD)])
        assert transcript.flow.is_parsing
        totals = await totals_until(transcript)
        assert len(set(totals)) > 3
        assert transcript.following
        assert "The end." in pane(app)


async def test_the_view_stays_where_it_is_while_a_message_above_grows(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        transcript = app.chat.transcript
        below = "\n\n".join(f"line {number}" for number in range(40))
        transcript.load([Message(Role.ASSISTANT, FLOOD), Message(Role.USER, below)])
        transcript.show_line(transcript.flow.top(1), above=3)
        assert not transcript.following
        assert transcript.flow.is_parsing
        before, lines = transcript.scroll_y, shown(app)
        assert "line 1" in lines[5:]
        await totals_until(transcript)
        assert transcript.scroll_y != before
        assert shown(app)[3:] == lines[3:]


async def test_copying_takes_what_is_not_shown_yet(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app):
        transcript = app.chat.transcript
        transcript.load([Message(Role.ASSISTANT, f"{FLOOD}\n```\nx = 1\n```\n")])
        assert transcript.flow.is_parsing
        kinds = [block.kind for _, _, block in transcript.flow.entries[0].blocks()]
        assert "code" in kinds
        transcript.settle()
        await totals_until(transcript)
        assert "x = 1" in pane(app)
