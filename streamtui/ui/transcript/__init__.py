"""The conversation pane."""

from streamtui.ui.transcript.pane import Transcript

__all__ = ["Transcript"]
