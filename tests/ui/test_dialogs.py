"""What every panel has in common."""

import pytest

from streamtui.config import Endpoint, Preset
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.api_key_dialog import ApiKeyDialog
from streamtui.ui.dialogs.endpoint_picker import EndpointPicker
from streamtui.ui.dialogs.export_dialog import ExportDialog
from streamtui.ui.dialogs.history_dialog import HistoryDialog
from streamtui.ui.dialogs.model_picker import ModelPicker
from streamtui.ui.dialogs.preset_picker import PresetPicker
from streamtui.ui.dialogs.target_dialog import TargetDialog
from streamtui.ui.screens.tree import TreeScreen
from tests.ui.conftest import MakeApp, answered, ask, running, until

SMALL = (40, 12)


def screen_of(app: StreamTUI) -> str:
    """What is on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


PANELS = {
    "f2": ModelPicker,
    "shift+f2": EndpointPicker,
    "shift+f4": PresetPicker,
    "ctrl+t": TreeScreen,
    "f6": ExportDialog,
    "ctrl+r": HistoryDialog,
    "f8,a": TargetDialog,
}


@pytest.mark.parametrize("keys", PANELS)
async def test_the_keys_of_a_panel_are_not_cut_in_a_small_terminal(make_app: MakeApp, keys: str) -> None:
    app = make_app(settings={"presets": {"coder": Preset("coder", model="m")}})
    async with running(app, SMALL) as pilot:
        await ask(pilot, "show me code")
        await until(lambda: answered(app))
        await pilot.press(*keys.split(","))
        await until(lambda: isinstance(app.screen, PANELS[keys]))
        await until(lambda: "esc " in screen_of(app).splitlines()[-1])
        last = screen_of(app).splitlines()[-1]
        assert "enter " in last
        assert "…" not in last


async def test_keys_come_back_with_room_for_them(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, SMALL) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker))
        await pilot.resize_terminal(100, 30)
        await until(lambda: "shift+F2 endpoints" in screen_of(app))


async def test_a_hint_is_in_view_in_a_small_terminal(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app, SMALL) as pilot:
        app.push_screen(ApiKeyDialog(Endpoint("openrouter", "https://openrouter.ai/api/v1", api_key_env="KEY")))
        await until(lambda: isinstance(app.screen, ApiKeyDialog))
        await pilot.press("enter")
        await until(lambda: "Paste an API key" in screen_of(app))
