"""The scripts that complete: what a place offers, in the language of each shell."""

import shlex
from collections.abc import Iterable

from streamtui.cli.completion import FILES, NAMES, NOTHING, Option, Place

_ASK = f"completion {NAMES}"
"""Arguments that print names, with a tab between each and what it is; behind them the kind and the words before."""


def bash(places: list[Place]) -> str:
    """Returns the script for bash, from version 3.2 on."""
    return f"""\
# Completes streamtui in bash: eval "$(streamtui completion bash)"
_streamtui() {{
    local words=() word i line title quoted path=
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        # bash cuts name:tag in three
        if [[ ${{#words[@]}} -gt 0 && ($word == :* || ${{words[${{#words[@]}} - 1]}} == *:) ]]; then
            words[${{#words[@]}} - 1]+=$word
        else
            words+=("$word")
        fi
    done
    local last=$((${{#words[@]}} - 1))
    local current=${{words[last]}} before=
    ((last > 0)) && before=${{words[last - 1]}}
    # and --option=value too
    if [[ $current == = ]]; then current=; elif [[ $before == = ]]; then before=${{words[last - 2]}}; fi
    for ((i = 0; i < last; i++)); do
        case "$path ${{words[i]}}" in
            {_paths(places, "|")}) path="$path ${{words[i]}}" ;;
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
    elif [[ -n $kind && $kind != nothing && $current != -* ]]; then
        while IFS=$'\\t' read -r line title; do
            printf -v quoted %q "$line"
            [[ $quoted == "$current"* || $line == "$current"* ]] || continue
            # The titles of sessions are shown, and gone once one is left.
            [[ $kind == ids || $kind == deleted ]] && quoted="$quoted  $title"
            COMPREPLY+=("$quoted")
        done < <("${{COMP_WORDS[0]}}" {_ASK} $kind "${{words[@]:0:last}}" 2>/dev/null)
        [[ ${{#COMPREPLY[@]}} == 1 ]] && COMPREPLY=("${{COMPREPLY[0]%%  *}}")
        # What stands before a colon stays where it is.
        if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then
            for i in "${{!COMPREPLY[@]}}"; do COMPREPLY[i]=${{COMPREPLY[i]#"${{current%"${{current##*:}}"}}"}}; done
        fi
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
    compset -P '--*=' && before=${{words[CURRENT]%%=*}}
    for ((i = 2; i < CURRENT; i++)); do
        case "$where ${{words[i]}}" in
            {_paths(places, "|")}) where="$where ${{words[i]}}" ;;
        esac
    done
    local -a offers options commands names
    local kind=
    case "$where $before" in
{_cases(_zsh_values(places), 8)}
        *)
            case "$where" in
{_cases(_zsh_words(places), 16)}
            esac ;;
    esac
    if [[ $kind != (|files|nothing) && $PREFIX != -* ]]; then
        for line in "${{(@f)$("${{words[1]}}" {_ASK} $kind "${{(@Q)words[2,CURRENT-1]}}" 2>/dev/null)}}"; do
            [[ -n $line ]] && names+=("${{${{line%%$'\\t'*}}//:/\\:}}:${{${{line#*$'\\t'}}//:/\\:}}")
        done
        _describe -V ${{kind%s}} names
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
function __streamtui_names
    set -l words (commandline -opc)
    $words[1] {_ASK} $argv[1] $words[2..-1] 2>/dev/null
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
    if place.kind == FILES:
        yield f"{at} -F"
    elif place.kind != NOTHING:
        yield f"{at} -k -a '(__streamtui_names {place.kind})'"
    for option in place.options:
        yield f"{at} {_fish_option(option)} -d {_quoted(option.does)}"


def _fish_option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    if option.kind is None:
        return names
    if option.kind == FILES:
        return f"{names} -r -F"
    if option.kind == NOTHING:
        return f"{names} -x -a {_quoted(' '.join(option.choices))}"
    return f"{names} -x -k -a '(__streamtui_names {option.kind})'"
