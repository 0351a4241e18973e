"""The manual: complete, current, and found by the questions people ask."""

import re

import pytest

from streamtui import commands, manual


def test_every_section_says_something() -> None:
    sections = manual.sections()
    assert len({section.title for section in sections}) == len(sections) > 10
    assert all(len(section.text) > 80 and section.keywords for section in sections)


def test_nothing_is_left_to_fill_in() -> None:
    for section in manual.sections():
        assert re.search(r"\{[a-z_:.]+\}|<!--", section.text) is None


def test_the_table_of_keys_is_the_programs() -> None:
    section = next(section for section in manual.sections() if section.title == "Keys")
    for command in commands.COMMANDS:
        assert f"| {command.shown_keys} | {command.description} |" in section.text


def test_keys_are_filled_in() -> None:
    assert manual.fill_in("{key:prompt.newline}") == "`ctrl+j` or `shift+enter` or `alt+enter`"
    with pytest.raises(KeyError):
        manual.fill_in("{key:no.such_key}")


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("what is streamtui?", "What streamtui is"),
        ("What are the keyboard shortcuts?", "Keys"),
        ("how do I set my openai api key", "Connecting to OpenAI"),
        ("can I use LM Studio?", "Connecting to a local server"),
        ("connecting to llama.cpp", "Connecting to a local server"),
        ("how to use it with openrouter", "Connecting to OpenRouter"),
        ("which command line flags are there", "Starting"),
        ("where is the config file", "Settings"),
        ("how do I change the settings", "Settings"),
        ("what is a preset", "Settings"),
        ("can I remap keys in config.toml", "Settings"),
        ("how do I switch to another server", "Endpoints"),
        ("put my key into the keyring", "Endpoints"),
        ("how to use azure", "Connecting to OpenRouter"),
        ("use it with groq", "Connecting to OpenRouter"),
        ("set a system prompt", "System prompt"),
        ("how do I change the model", "Models and favorites"),
        ("how do I run a relay for other programs", "Relay"),
        ("can I use it as an openai compatible proxy with curl", "Relay"),
        ("what are favorites", "Models and favorites"),
        ("how do I open an old conversation", "Sessions"),
        ("continue my last session", "Sessions"),
        ("where is the database file", "Where sessions are stored"),
        ("how do I export a session", "Exporting"),
        ("save it as an html file", "Exporting"),
        ("import my chatgpt conversations", "Importing"),
        ("move from elia or oterm", "Importing"),
        ("export as markdown", "Exporting"),
        ("how do I cancel", "Stopping"),
        ("ask again / regenerate", "Stopping"),
        ("continue a reply that was cut off", "Stopping"),
        ("the conversation is too long for the context window", "Long conversations"),
        ("how do I quit", "Stopping"),
        ("how do I type a new line", "Prompts"),
        ("multiline?", "Prompts"),
        ("how do I scroll up", "Scrolling"),
        ("copy to the clipboard", "Copying"),
        ("what does the status bar say", "The status bar"),
        ("what does it cost?", "Tokens, context windows and cost"),
        ("how are tokens counted", "Tokens, context windows and cost"),
        ("where do prices come from", "Tokens, context windows and cost"),
        ("how do I set the temperature", "Parameters"),
        ("which parameters are there", "Parameters"),
        ("is it safe against escape sequences", "Safety"),
        ("is there telemetry", "Privacy"),
        ("connection refused", "When something"),
        ("I get a 401", "When something"),
        ("what is this demo", "The demo"),
    ],
)
def test_questions_find_their_section(question: str, title: str) -> None:
    section = manual.search(question)
    assert section is not None
    assert section.title.startswith(title)


@pytest.mark.parametrize("question", ["", "?", "what is the capital of France", "write a poem", "2 + 2"])
def test_other_questions_find_none(question: str) -> None:
    assert manual.search(question) is None


def test_points_and_hyphens_end_no_word() -> None:
    assert manual.words("gpt-4.1-- -x. ... c++ " + "-." * 500_000) == ["gpt-4.1", "-x", "c++"]
