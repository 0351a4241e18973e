"""PresetPicker: the presets of the settings, each with what it asks for, to pick one."""

from collections.abc import Iterator, Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui import paths
from streamtui.config import Preset
from streamtui.core.sanitize import clean_line
from streamtui.ui.dialogs.dialog import ListDialog
from streamtui.ui.dialogs.parameter_fields import describe_parameters
from streamtui.ui.widgets.clean_input import CleanInput


class PresetPicker(ListDialog):
    """Ends with the name of the preset picked, or with "" when left."""

    DEFAULT_CSS = """
    PresetPicker #preview {
        height: auto;
        max-height: 8;
        border-top: solid $foreground 25%;
        padding: 0 2;
        color: $foreground 75%;
    }
    PresetPicker.none #preview { max-height: 100%; border-top: none; }
    PresetPicker.none Input, PresetPicker.none OptionList { display: none; }
    """

    def __init__(self, presets: Mapping[str, Preset], in_use: str) -> None:
        super().__init__(classes="" if presets else "none")
        self._presets = presets
        self._in_use = in_use

    def compose(self) -> ComposeResult:
        """A filter above the list, what the highlighted one asks for below."""
        with Vertical(id="dialog"):
            yield CleanInput(placeholder="Filter", id="filter")
            yield OptionList(id="presets", markup=False)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Fills the list."""
        self.set_title("Presets", *(["enter use preset"] if self._presets else []), "esc leave")
        self.show("")

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Shows what fits the filter, the best first."""
        self.show(event.value)

    def show(self, text: str) -> None:
        """Fills the list with the presets that fit `text`."""
        self.options.clear_options()
        self.options.add_options(Option(self._line(name), id=name) for name in self._fitting(text))
        if self.options.option_count:
            self.options.highlighted = 0
        else:
            nothing = "None fits. streamtui config edit adds presets." if self._presets else _how_to_write_one()
            self.query_one("#preview", Static).update(nothing)

    def _fitting(self, text: str) -> list[str]:
        matcher = Matcher(text)
        scores = {name: matcher.match(name) if text else 1.0 for name in self._presets}
        return sorted((name for name in scores if scores[name]), key=lambda name: -scores[name])

    def _line(self, name: str) -> Content:
        return Content.assemble(name, ("  in use" if name == self._in_use else "", "dim"))

    @on(OptionList.OptionHighlighted)
    def preview(self, event: OptionList.OptionHighlighted) -> None:
        """Shows what the highlighted preset asks for."""
        preset = self._presets[event.option_id or ""]
        self.query_one("#preview", Static).update(Content("\n".join(describe_preset(preset))))


def _how_to_write_one() -> str:
    return f"""\
There are no presets yet. One is written into {clean_line(str(paths.config_file()))} like this:

[presets.coder]
system = "Answer with code and few words."
parameters = {{ temperature = 0 }}

streamtui config edit opens the file; it holds from the next start on."""


def describe_preset(preset: Preset) -> Iterator[str]:
    """Yields what `preset` asks for, line by line."""
    who = [preset.model, preset.endpoint and f"at {preset.endpoint}"]
    if any(who):
        yield f"asks: {' '.join(filter(None, who))}"
    if preset.parameters:
        yield f"with: {', '.join(describe_parameters(preset.parameters))}"
    if preset.system:
        yield from preset.system.splitlines()
    if not (any(who) or preset.parameters or preset.system):
        yield "asks for nothing"
