"""The scripts that complete: what a place offers, in the language of each shell."""

import shlex
from collections.abc import Iterable

from streamtui.cli.completion import DELETED, FILES, IDS, Option, Place

_LIST = "sessions list --plain-ids --limit 100"
"""Arguments that print ids and titles, with a tab between them."""


def bash(places: list[Place]) -> str:
    """Returns the script for bash, from version 3.2 on."""
    return f"""\
# Completes streamtui in bash: eval "$(streamtui completion bash)"
_streamtui() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} path= i line title
    # bash cuts --option=value in three
    if [[ $current == = ]]; then current=; elif [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$path ${{COMP_WORDS[i]}}" in
            {_paths(places, "|")}) path="$path ${{COMP_WORDS[i]}}" ;;
        esac
    done
    local offers= options= kind=
    case "$path $before" in
{_cases(_values(places), 8)}
        *)
            case "$path" in
{_cases(_words(places), 16)}
            esac ;;
    esac
    COMPREPLY=()
    if [[ $kind == files ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    elif [[ ($kind == ids || $kind == deleted) && $current != -* ]]; then
        [[ $kind == deleted ]] && options=--trash || options=
        # The titles are shown, and gone once one is left.
        while IFS=$'\\t' read -r line title; do
            [[ $line == "$current"* ]] && COMPREPLY+=("$line  $title")
        done < <("${{COMP_WORDS[0]}}" {_LIST} $options 2>/dev/null)
        [[ ${{#COMPREPLY[@]}} == 1 ]] && COMPREPLY=("${{COMPREPLY[0]%%  *}}")
        return
    fi
    [[ $current == -* || "$offers $kind" == ' nothing' ]] && offers="$offers $options"
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$offers" -- "$current")
}}
complete -F _streamtui streamtui
"""


def _paths(places: list[Place], separator: str) -> str:
    return separator.join(_quoted(_key(place)) for place in places if place.path)


def _key(place: Place) -> str:
    return "".join(f" {word}" for word in place.path)


def _values(places: list[Place]) -> Iterable[tuple[list[str], str]]:
    """What follows an option."""
    for place in places:
        for option in place.options:
            if option.kind is not None:
                yield [f"{_key(place)} {name}" for name in option.names], _offer(option.choices, option.kind)


def _words(places: list[Place]) -> Iterable[tuple[list[str], str]]:
    """What stands at a place."""
    for place in places:
        names = [name for option in place.options for name in option.names]
        offers = _offer([*place.commands, *place.choices], place.kind)
        yield [_key(place)], f"{offers} options={_quoted(' '.join(names))}"


def _offer(words: Iterable[str], kind: str) -> str:
    return f"offers={_quoted(' '.join(words))} kind={kind}"


def _cases(cases: Iterable[tuple[list[str], str]], indent: int) -> str:
    return "\n".join(f"{' ' * indent}{'|'.join(map(_quoted, keys))}) {does} ;;" for keys, does in cases)


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else "''"


def zsh(places: list[Place]) -> str:
    """Returns the script for zsh."""
    return f"""\
#compdef streamtui
# Completes streamtui in zsh: eval "$(streamtui completion zsh)", behind compinit
_streamtui() {{
    local where= i line
    local before=${{words[CURRENT - 1]}}
    for ((i = 2; i < CURRENT; i++)); do
        case "$where ${{words[i]}}" in
            {_paths(places, "|")}) where="$where ${{words[i]}}" ;;
        esac
    done
    local -a offers options commands sessions trash
    local kind=
    case "$where $before" in
{_cases(_zsh_values(places), 8)}
        *)
            case "$where" in
{_cases(_zsh_words(places), 16)}
            esac ;;
    esac
    if [[ ($kind == ids || $kind == deleted) && $PREFIX != -* ]]; then
        [[ $kind == deleted ]] && trash=(--trash)
        for line in "${{(@f)$("${{words[1]}}" {_LIST} $trash 2>/dev/null)}}"; do
            sessions+=("${{line%%$'\\t'*}}:${{${{line#*$'\\t'}}//:/\\\\:}}")
        done
        _describe -V session sessions
    fi
    [[ $kind == files ]] && _files
    (( $#commands )) && _describe command commands
    (( $#offers )) && _describe value offers
    [[ $PREFIX == -* || "$#commands $#offers $kind" == '0 0 nothing' ]] && _describe option options
    return 0
}}
compdef _streamtui streamtui
"""


def _zsh_values(places: list[Place]) -> Iterable[tuple[list[str], str]]:
    for place in places:
        for option in place.options:
            if option.kind is not None:
                keys = [f"{_key(place)} {name}" for name in option.names]
                yield keys, f"offers=({' '.join(map(_quoted, option.choices))}) kind={option.kind}"


def _zsh_words(places: list[Place]) -> Iterable[tuple[list[str], str]]:
    for place in places:
        commands = [*(_described(name, does) for name, does in place.commands.items()), *map(_quoted, place.choices)]
        options = [_described(name, option.does) for option in place.options for name in option.names]
        yield [_key(place)], f"commands=({' '.join(commands)}) options=({' '.join(options)}) kind={place.kind}"


def _described(name: str, does: str) -> str:
    return _quoted(f"{name}:{does}" if does else name)


def fish(places: list[Place]) -> str:
    """Returns the script for fish."""
    lines = [line for place in places for line in _fish_lines(place)]
    return f"""\
# Completes streamtui in fish: streamtui completion fish > ~/.config/fish/completions/streamtui.fish
function __streamtui_at
    set -l path
    for word in (commandline -opc)[2..-1]
        switch "$path $word"
            case {_paths(places, " ")}
                set path "$path $word"
        end
    end
    test "$path" = "$argv[1]"
end
complete -c streamtui -f
{chr(10).join(lines)}
"""


def _fish_lines(place: Place) -> Iterable[str]:
    at = f"complete -c streamtui -n {_quoted(f'__streamtui_at {_quoted(_key(place))}')}"
    for name, does in place.commands.items():
        yield f"{at} -a {_quoted(name)} -d {_quoted(does)}"
    if place.choices:
        yield f"{at} -a {_quoted(' '.join(place.choices))}"
    if place.kind in (IDS, DELETED):
        yield f"{at} -k -a '(streamtui {_LIST}{' --trash' if place.kind == DELETED else ''})'"
    if place.kind == FILES:
        yield f"{at} -F"
    for option in place.options:
        yield f"{at} {_fish_option(option)} -d {_quoted(option.does)}"


def _fish_option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    if option.kind is None:
        return names
    if option.kind == IDS:
        return f"{names} -x -k -a '(streamtui {_LIST})'"
    if option.kind == FILES:
        return f"{names} -r -F"
    return f"{names} -x -a {_quoted(' '.join(option.choices))}"
