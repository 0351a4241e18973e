"""ParametersDialog: the system prompt and every parameter of a session, with what holds where nothing is written."""

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static, TextArea

from streamtui.config import Endpoint
from streamtui.core.parameters import EFFORTS, Parameters
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.dialogs.parameter_fields import FIELDS, NOT_SENT, Field, format_parameter, parse_parameters
from streamtui.ui.widgets.clean_input import CleanInput, CleanTextArea

LEGEND = (
    f"What is written holds for this session; grey is what holds without it. A parameter of {NOT_SENT} is not sent."
)
NARROW = 64
"""Cells below which names stand above their fields."""


class _Line(CleanInput):
    """A field of one line, left by the arrow keys too."""

    BINDINGS = [("up", "app.focus_previous", "field above"), ("down", "app.focus_next", "field below")]


class ParametersDialog(Dialog[tuple[str, Parameters] | None]):
    """Ends with the system prompt and the parameters that are written, or with None when left."""

    BINDINGS = [
        ("escape", "dismiss(None)", "leave"),
        ("ctrl+s", "save", "save"),
    ]
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
        """`system` and `parameters`: of the session; the others: whose settings hold where it has none."""
        super().__init__()
        self._system = system
        self._parameters = parameters
        self._endpoint = endpoint
        self._model = model
        self._told: dict[str, tuple[str, bool]] = {}
        """What stands below the fields, and whether it is a mistake."""

    def compose(self) -> ComposeResult:
        """A field below another."""
        with VerticalScroll(id="dialog", can_focus=False):
            yield Static(LEGEND, classes="legend")
            with Vertical(classes="field"):
                yield Static("system prompt", classes="name")
                yield CleanTextArea(self._system, id="system", placeholder="none")
            for field in FIELDS:
                with Vertical(classes="field"):
                    yield Static(field.name.replace("_", " "), classes="name")
                    with Vertical(classes="side"):
                        yield self._box_of(field)
                        yield Static(id=f"below-{field.name}", classes="below", markup=False)

    def _box_of(self, field: Field) -> Input | TextArea:
        text, without = (
            format_parameter(self._parameters, field.name),
            f"{self._without(field.name)} · {field.expected}",
        )
        if field.name == "extra":
            return CleanTextArea(text, id=field.name, placeholder=Content(without))
        suggester = SuggestFromList(EFFORTS) if field.name == "reasoning_effort" else None
        return _Line(text, id=field.name, placeholder=without, suggester=suggester, select_on_focus=False)

    def _without(self, name: str) -> str:
        """What is sent where the session sets nothing, and who says so."""
        levels = (
            (self._endpoint.settings_for(self._model).parameters, f"set for {self._model}"),
            (self._endpoint.parameters, f"set for {self._endpoint.name}"),
        )
        for parameters, origin in levels:
            if text := format_parameter(parameters, name):
                return f"{'not sent' if text == NOT_SENT else text}, {origin}"
        return "not sent"

    def on_mount(self) -> None:
        """Names the panel."""
        self.set_title(f"Parameters · {self._model or 'no model yet'}", "enter, ctrl+s save", "esc leave")
        self._tell({})
        self.query_one("#system").focus()

    def on_resize(self, event: events.Resize) -> None:
        """Puts names above their fields where there is little room."""
        self.set_class(event.size.width < NARROW, "narrow")

    @on(Input.Changed)
    @on(TextArea.Changed)
    def mend(self) -> None:
        """Brings what is told of the fields up to date; new mistakes wait until it is saved."""
        _, mistakes = parse_parameters(self._texts())
        self._tell({name: mistake for name, mistake in mistakes.items() if self._told.get(name, ("", False))[1]})

    @on(Input.Submitted)
    def action_save(self) -> None:
        """Ends with what is written, unless there is a mistake in it."""
        parameters, mistakes = parse_parameters(self._texts())
        self._tell(mistakes)
        if mistakes:
            self.query_one(f"#{next(iter(mistakes))}").focus()
        else:
            self.dismiss((self.query_one("#system", TextArea).text.strip(), parameters))

    def _texts(self) -> dict[str, str]:
        return {field.name: self._text(field.name) for field in FIELDS}

    def _text(self, name: str) -> str:
        box = self.query_one(f"#{name}")
        return box.value if isinstance(box, Input) else self.query_one(f"#{name}", TextArea).text

    def _tell(self, mistakes: dict[str, str]) -> None:
        """Says below every field what is wrong with it, else what it stands in place of."""
        for name, text in self._texts().items():
            without = self._without(name)
            session = "this session does not send it" if text.strip() == NOT_SENT else "this session"
            told = mistakes.get(name) or (f"{session}; without: {without}" if text.strip() else "")
            if (told, name in mistakes) != self._told.get(name):
                self._told[name] = told, name in mistakes
                below = self.query_one(f"#below-{name}", Static)
                below.set_class(name in mistakes, "wrong")
                below.display = bool(told)
                below.update(Content(told))
