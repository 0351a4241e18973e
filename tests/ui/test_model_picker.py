"""The model picker with lists that no honest server sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import OptionList

from streamtui.config import Endpoint
from streamtui.core.models import ModelInfo, model_info
from streamtui.ui.dialogs import dialog, model_picker
from streamtui.ui.dialogs.model_picker import ModelPicker
from streamtui.ui.fuzzy import LONGEST, folded, score
from tests.ui.conftest import MakeApp, Model, listed, running, until


async def test_of_thousands_of_models_only_those_in_view_are_looked_up(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.models = [f"vendor/model-{number:05}" for number in range(10_000)]
    looked_up: list[str] = []

    def counting(endpoint: Endpoint, name: str, said: ModelInfo | None) -> ModelInfo:
        looked_up.append(name)
        return model_info(endpoint, name, said)

    monkeypatch.setattr(model_picker, "model_info", counting)
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker) and len(listed(app.screen)) > 10)
        options = app.screen.query_one(OptionList)
        assert options.option_count <= 2 * dialog.PAGE
        assert len(set(looked_up)) <= 2 * dialog.PAGE
        await pilot.press(*"9999")
        assert listed(app.screen)[0] == "vendor/model-09999"
        assert listed(app.screen)[-1] == "9999  as typed"
        await pilot.press(*["backspace"] * 4)
        for _ in range(2 * dialog.PAGE):
            options.action_cursor_down()
            await pilot.pause(0)
        assert options.option_count > 2 * dialog.PAGE, "more are added on the way down"
        assert options.highlighted == 2 * dialog.PAGE
        options.scroll_end(animate=False)
        count = options.option_count
        await until(lambda: options.option_count > count)
        await pilot.press("enter")
        await until(lambda: app.chat.conversation.model == f"vendor/model-{2 * dialog.PAGE - 1:05}")


async def test_a_long_name_is_cut_and_can_be_picked(make_app: MakeApp, model: Model) -> None:
    long, wide = "a" * 5_000, "日" * 300
    model.models = [long, wide]
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker) and len(listed(app.screen)) == 3)
        options = app.screen.query_one(OptionList)
        for line in listed(app.screen)[1:]:
            assert line.endswith("…")
            assert len(line) <= 80
        assert options.virtual_size.height == 3, "a line each"
        await pilot.press("a", "enter")
        await until(lambda: app.chat.conversation.model == long)


def test_what_stands_in_a_name_comes_before_what_is_spread_over_it() -> None:
    names = ["s-o-n-n-e-t", "xsonnet", "claude-sonnet-4", "sonnet-4", "sonnet", "sonne"]
    found = sorted((name for name in names if score("sonnet", name)), key=lambda name: -score("sonnet", name))
    assert found == ["sonnet", "sonnet-4", "claude-sonnet-4", "xsonnet", "s-o-n-n-e-t"]


@given(st.text("ab-", max_size=6), st.text("ab-", max_size=12))
def test_a_name_fits_if_it_has_the_letters_in_order(letters: str, name: str) -> None:
    rest = iter(name)
    assert bool(score(letters, name)) == all(letter in rest for letter in letters)


def test_letters_that_stand_in_a_name_in_countless_ways_are_found_at_once() -> None:
    """Textual's matcher would try 10^25 ways here."""
    assert score("a" * 30, folded("a-" * 1_000))
    assert not score("a" * 29 + "b", folded("a-" * 1_000))
    assert not score("a" * 31, folded("a-" * 1_000))
    assert len(folded("A" * 5_000)) == LONGEST
