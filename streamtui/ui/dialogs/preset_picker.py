"""The preset picker: the configured presets with a preview of what each one sets."""

from collections.abc import Iterator, Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from streamtui import paths
from streamtui.config import Preset
from streamtui.core.sanitize import clean_line
from streamtui.ui.dialogs.dialog import ListDialog, best_matches
from streamtui.ui.dialogs.parameter_fields import describe_parameters
from streamtui.ui.widgets.clean_input import CleanInput


class PresetPicker(ListDialog):
    """Return the name of a preset."""

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

    def __init__(self, presets: Mapping[str, Preset], current: str) -> None:
        super().__init__(classes="" if presets else "none")
        self._presets = presets
        self._current = current

    def compose(self) -> ComposeResult:
        """Create the filter, the list and the preview."""
        with Vertical(id="dialog"):
            yield CleanInput(placeholder=self.PLACEHOLDER, id="filter")
            yield OptionList(markup=False)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Fill the list."""
        self.set_title("Presets", *(["enter apply"] if self._presets else []), "esc close")
        self.update_options()

    def update_options(self) -> None:
        """List the matching presets, or say how to add one."""
        super().update_options()
        if not self.options.option_count:
            no_match = 'No matches. Run "streamtui config edit" to add presets.'
            self.query_one("#preview", Static).update(no_match if self._presets else _how_to_add_one())

    def matching(self, text: str) -> Iterator[Option]:
        """Return the presets whose names match `text`."""
        for name in best_matches(text, self._presets):
            yield Option(Content.assemble(name, ("  current" if name == self._current else "", "dim")), id=name)

    @on(OptionList.OptionHighlighted)
    def preview(self, event: OptionList.OptionHighlighted) -> None:
        """Show what the highlighted preset sets."""
        preset = self._presets[event.option_id or ""]
        self.query_one("#preview", Static).update(Content(describe_preset(preset)))


def _how_to_add_one() -> str:
    return f"""\
No presets yet. Add one to {clean_line(str(paths.config_file()))}:

[presets.coder]
system = "Answer with code and few words."
parameters = {{ temperature = 0 }}

Run "streamtui config edit" to open the file, then restart streamtui."""


def describe_preset(preset: Preset) -> str:
    """Return what `preset` sets, line by line."""
    lines = (
        f"model: {preset.model}" if preset.model else "",
        f"endpoint: {preset.endpoint}" if preset.endpoint else "",
        f"parameters: {', '.join(describe_parameters(preset.parameters))}" if preset.parameters else "",
        preset.system,
    )
    return "\n".join(filter(None, lines)) or "Sets nothing"
