"""The dialog for a session's system prompt and parameters, with the defaults of its endpoint."""

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static, TextArea

from streamtui.config import Endpoint
from streamtui.core.parameters import EFFORTS, Parameters
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.dialogs.parameter_fields import FIELDS, OMITTED, Field, format_parameter, parse_parameters
from streamtui.ui.widgets.clean_input import CleanInput, CleanTextArea

LEGEND = f"Applies to this session. Gray: default. Type {OMITTED} to omit a parameter."
NARROW = 64
"""Width in cells below which names are shown above their fields."""


class _FieldInput(CleanInput):
    """A single-line field that the arrow keys leave."""

    BINDINGS = [("up", "app.focus_previous", "Previous field"), ("down", "app.focus_next", "Next field")]


class ParametersDialog(Dialog[tuple[str, Parameters] | None]):
    """Return the system prompt and the parameters, or None when closed."""

    BINDINGS = [("escape", "dismiss(None)", "Close"), ("ctrl+s", "save", "Save")]
    DEFAULT_CSS = """
    ParametersDialog {
        .field { height: auto; layout: horizontal; }
        .name { width: 19; height: auto; }
        .side { width: 1fr; height: auto; }
        .below { height: auto; color: $foreground 60%; }
        .below.wrong { color: $error; }
        .legend { height: auto; color: $foreground 60%; margin: 0 0 1 0; }
        Input { margin: 0; width: 1fr; }
        TextArea { border: none; padding: 0 2; height: auto; min-height: 1; max-height: 6; background: $panel; }
        TextArea:focus { border: none; }
    }
    ParametersDialog.narrow .field { layout: vertical; }
    """

    def __init__(self, system: str, parameters: Parameters, endpoint: Endpoint, model: str) -> None:
        """`system` and `parameters` belong to the session; `endpoint` and `model` provide the defaults."""
        super().__init__()
        self._system = system
        self._parameters = parameters
        self._endpoint = endpoint
        self._model = model
        self._notes: dict[str, tuple[str, bool]] = {}
        """The note below each field, and whether it is an error."""

    def compose(self) -> ComposeResult:
        """Create the fields."""
        with VerticalScroll(id="dialog", can_focus=False):
            yield Static(LEGEND, classes="legend")
            with Vertical(classes="field"):
                yield Static("system prompt", classes="name")
                yield CleanTextArea(self._system, id="system", placeholder="none")
            for field in FIELDS:
                with Vertical(classes="field"):
                    yield Static(field.name.replace("_", " "), classes="name")
                    with Vertical(classes="side"):
                        yield self._input_of(field)
                        yield Static(id=f"below-{field.name}", classes="below", markup=False)

    def _input_of(self, field: Field) -> Input | TextArea:
        text = format_parameter(self._parameters, field.name)
        placeholder = f"{self._default(field.name)} · {field.expected}"
        if field.name == "extra":
            return CleanTextArea(text, id=field.name, placeholder=Content(placeholder))
        suggester = SuggestFromList(EFFORTS) if field.name == "reasoning_effort" else None
        return _FieldInput(text, id=field.name, placeholder=placeholder, suggester=suggester, select_on_focus=False)

    def _default(self, name: str) -> str:
        """Return what is sent if the session does not set `name`, and where that is configured."""
        levels = (
            (self._endpoint.settings_for(self._model).parameters, f"set for {self._model}"),
            (self._endpoint.parameters, f"set for {self._endpoint.name}"),
        )
        for parameters, origin in levels:
            if text := format_parameter(parameters, name):
                return f"{'not sent' if text == OMITTED else text}, {origin}"
        return "not sent"

    def on_mount(self) -> None:
        """Set the title and focus the system prompt."""
        self.set_title(f"Parameters · {self._model or 'no model'}", "enter, ctrl+s save", "esc close")
        self._show_notes({})
        self.query_one("#system").focus()

    def on_resize(self, event: events.Resize) -> None:
        """Show names above their fields on a narrow screen."""
        self.set_class(event.size.width < NARROW, "narrow")

    @on(Input.Changed)
    @on(TextArea.Changed)
    def update_notes(self) -> None:
        """Update the notes; errors in fields that had none appear only on saving."""
        _, errors = parse_parameters(self._texts())
        self._show_notes({name: error for name, error in errors.items() if self._notes.get(name, ("", False))[1]})

    @on(Input.Submitted)
    def action_save(self) -> None:
        """Close with the values if all are valid."""
        parameters, errors = parse_parameters(self._texts())
        self._show_notes(errors)
        if errors:
            self.query_one(f"#{next(iter(errors))}").focus()
        else:
            self.dismiss((self.query_one("#system", TextArea).text.strip(), parameters))

    def _texts(self) -> dict[str, str]:
        texts = {str(field.id): field.value for field in self.query(_FieldInput)}
        return texts | {"extra": self.query_one("#extra", TextArea).text}

    def _show_notes(self, errors: dict[str, str]) -> None:
        """Show the error of each field, or the default that its value overrides."""
        for name, text in self._texts().items():
            verb = "omitted from this session" if text.strip() == OMITTED else "set for this session"
            note = errors.get(name) or (f"{verb}; default: {self._default(name)}" if text.strip() else "")
            if (note, name in errors) != self._notes.get(name):
                self._notes[name] = note, name in errors
                below = self.query_one(f"#below-{name}", Static)
                below.set_class(name in errors, "wrong")
                below.display = bool(note)
                below.update(Content(note))
