"""The parameters panel: what is written, what holds without it, mistakes told, small terminals."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from streamtui.config import ModelSettings
from streamtui.core.parameters import EFFORTS, Parameters
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.parameter_fields import FIELDS, format_parameter, parse_parameters
from streamtui.ui.dialogs.parameters_dialog import ParametersDialog
from tests.ui.conftest import MakeApp, Model, answered, ask, running, until

PLAIN = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN
PARAMETERS = st.builds(
    Parameters,
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.none() | st.integers(1, 10**6),
    seed=st.none() | st.integers(-(2**63), 2**63 - 1),
    stop=st.lists(PLAIN, max_size=3).map(tuple),
    presence_penalty=st.none() | st.floats(-2, 2),
    frequency_penalty=st.none() | st.floats(-2, 2),
    reasoning_effort=st.sampled_from(["", *EFFORTS]),
    extra=st.dictionaries(PLAIN, JSON, max_size=3),
)


@given(PARAMETERS, st.sets(st.sampled_from([field.name for field in FIELDS])))
def test_what_a_field_shows_is_what_it_takes(parameters: Parameters, unset: set[str]) -> None:
    parameters = parameters.over(Parameters(unset=tuple(sorted(unset))))
    texts = {field.name: format_parameter(parameters, field.name) for field in FIELDS}
    assert parse_parameters(texts) == (parameters, {})


@given(st.dictionaries(st.sampled_from([field.name for field in FIELDS]), st.text(max_size=20)))
def test_whatever_is_written_is_a_value_or_a_mistake_with_a_sentence(texts: dict[str, str]) -> None:
    parameters, mistakes = parse_parameters(texts)
    written = {name for name, text in texts.items() if text.strip()}
    assert set(mistakes) <= written
    assert all(sentence.startswith(name) for name, sentence in mistakes.items())
    assert {*parameters.as_dict(), *parameters.unset} - {"unset"} <= written - set(mistakes)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("temperature", "hot", "temperature should be a number from 0 to 2."),
        ("temperature", "nan", "temperature should be a number from 0 to 2."),
        ("max_tokens", "1.5", "max_tokens should be a whole number above 0."),
        ("stop", '["a", 3]', "stop should be a text, or a list of texts."),
        ("extra", '{"a": }', "extra is not valid JSON (line 1, column 7): Expecting value."),
        ("extra", "[1]", "extra should be a table of fields."),
        ("extra", '{"a": NaN}', "extra is not valid JSON: NaN is not allowed."),
        ("extra", "[" * 100_000, "extra is nested too deeply."),
    ],
    ids=lambda text: text[:20],
)
def test_mistakes(name: str, text: str, sentence: str) -> None:
    assert parse_parameters({name: text})[1] == {name: sentence}


# In the app


async def opened(pilot: Pilot[None]) -> ParametersDialog:
    """Opens the panel."""
    app = pilot.app
    await pilot.press("f4")
    await until(lambda: isinstance(app.screen, ParametersDialog) and app.focused is not None)
    assert isinstance(app.screen, ParametersDialog)
    return app.screen


def below(panel: ParametersDialog, name: str) -> str:
    """What is told below a field."""
    told = panel.query_one(f"#below-{name}", Static)
    return str(told.content) if told.display else ""


async def write(pilot: Pilot[None], name: str, text: str) -> None:
    """Pastes `text` into a field that is empty."""
    pilot.app.screen.query_one(f"#{name}").focus()
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


async def saved(app: StreamTUI) -> Parameters:
    """What the disk has of the session."""
    found = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
    return found.parameters


async def test_what_is_written_is_sent_and_saved(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await opened(pilot)
        await pilot.press(*"Be", "enter", *"brief")
        await write(pilot, "temperature", "0.2")
        await write(pilot, "seed", "7")
        await write(pilot, "extra", '{"top_k": 40}')
        await pilot.press("ctrl+s")
        await until(lambda: app.screen is app.chat)
        told = [note.message for note in app._notifications]
        assert told == ['From the next prompt on: new system prompt, temperature 0.2, seed 7, extra {"top_k": 40}']
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        body = model.bodies[0]
        assert body["messages"][0] == {"role": "system", "content": "Be\nbrief"}
        assert (body["temperature"], body["seed"], body["top_k"]) == (0.2, 7, 40)
        assert "top_p" not in body
        assert await saved(app) == Parameters(temperature=0.2, seed=7, extra={"top_k": 40})
        panel = await opened(pilot)
        assert panel.query_one("#system", TextArea).text == "Be\nbrief"
        seed = panel.query_one("#seed", Input)
        assert seed.value == "7"
        seed.focus()
        await pilot.press("end", "backspace", "enter")
        await until(lambda: app.screen is app.chat)
        assert (await saved(app)).seed is None


async def test_what_holds_without_the_session_is_shown(make_app: MakeApp, model: Model) -> None:
    settings = {"m-1": ModelSettings(parameters=Parameters(max_tokens=100))}
    app = make_app(replace(model.endpoint, parameters=Parameters(temperature=0.7, max_tokens=9), models=settings))
    async with running(app) as pilot:
        panel = await opened(pilot)
        grey = {field.name: str(panel.query_one(f"#{field.name}").placeholder) for field in FIELDS}  # type: ignore[attr-defined]
        assert grey["temperature"] == "0.7, set for test · 0 to 2"
        assert grey["max_tokens"] == "100, set for m-1 · a whole number"
        assert grey["seed"] == "not sent · a whole number"
        await write(pilot, "temperature", "1")
        await pilot.pause()
        assert below(panel, "temperature") == "set for this session; default: 0.7, set for test"
        await pilot.press("backspace")
        await pilot.pause()
        assert below(panel, "temperature") == ""


async def test_what_the_endpoint_sets_need_not_be_sent(make_app: MakeApp, model: Model) -> None:
    app = make_app(replace(model.endpoint, parameters=Parameters(temperature=0.7, seed=7)))
    async with running(app) as pilot:
        panel = await opened(pilot)
        await write(pilot, "temperature", "-")
        await pilot.pause()
        assert below(panel, "temperature") == "omitted from this session; default: 0.7, set for test"
        await pilot.press("enter")
        await until(lambda: app.screen is app.chat)
        assert [note.message for note in app._notifications] == ["From the next prompt on: temperature not sent"]
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert "temperature" not in model.bodies[0]
        assert model.bodies[0]["seed"] == 7
        assert await saved(app) == Parameters(unset=("temperature",))
        panel = await opened(pilot)
        field = panel.query_one("#temperature", Input)
        assert field.value == "-"
        field.focus()
        await pilot.press("end", "backspace", "enter")
        await until(lambda: app.screen is app.chat)
        model.say("hi")
        model.finish()
        await ask(pilot, "hello again")
        await until(lambda: len(model.bodies) == 2 and answered(app))
        assert model.bodies[1]["temperature"] == 0.7


async def test_a_mistake_is_told_below_its_field_and_nothing_is_saved(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        panel = await opened(pilot)
        await write(pilot, "seed", "7")
        await write(pilot, "temperature", "3")
        assert below(panel, "temperature") == "set for this session; default: not sent"
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is panel
        assert below(panel, "temperature") == "temperature should be a number from 0 to 2."
        assert app.focused is panel.query_one("#temperature")
        await pilot.press("backspace", "2")
        await pilot.pause()
        assert "should" not in below(panel, "temperature")
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        assert app.chat.conversation.session.parameters == Parameters()
        assert not app._notifications


async def test_it_works_in_a_small_terminal(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, (40, 12)) as pilot:
        panel = await opened(pilot)
        assert panel.query_one("#dialog").region.size == (40, 12)
        await pilot.press("shift+tab")
        extra = panel.query_one("#extra")
        assert app.focused is extra
        await until(lambda: panel.region.contains_region(extra.region))
        await pilot.press("tab", "tab", "down", *"3", "ctrl+s")
        await until(lambda: below(panel, "top_p") != "")
        assert panel.region.contains_region(panel.query_one("#below-top_p").region)
        await pilot.press("backspace", "1", "up", "1", "enter")
        await until(lambda: app.screen is app.chat)
        assert app.chat.conversation.session.parameters == Parameters(temperature=1.0, top_p=1.0)


async def test_arrow_keys_leave_the_system_prompt_from_its_edges_only_by_tab(make_app: MakeApp) -> None:
    app = make_app(system="one\ntwo")
    async with running(app) as pilot:
        panel = await opened(pilot)
        await pilot.press("down", "down", "down")
        assert app.focused is panel.query_one("#system")
        await pilot.press("tab")
        assert app.focused is panel.query_one("#temperature")


async def test_a_paste_is_cleaned(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await opened(pilot)
        app.post_message(events.Paste("a\x1b[2Jb\r\nc"))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(lambda: app.screen is app.chat)
        assert app.chat.conversation.session.system == "a␛[2Jb\nc"
