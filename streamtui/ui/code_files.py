"""Code saved to files, and links opened in the browser."""

from pathlib import Path
from urllib.parse import urlsplit

OPENABLE = ("http", "https", "mailto")
_EXTENSIONS = {
    "python": "py", "py": "py", "javascript": "js", "js": "js", "typescript": "ts", "ts": "ts", "bash": "sh",
    "sh": "sh", "shell": "sh", "rust": "rs", "go": "go", "c": "c", "cpp": "cpp", "c++": "cpp", "java": "java",
    "json": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "html": "html", "css": "css", "sql": "sql",
    "markdown": "md", "md": "md", "ruby": "rb", "kotlin": "kt", "swift": "swift", "diff": "diff", "xml": "xml",
}  # fmt: skip


def extension(language: str) -> str:
    """Return the file extension of `language`, "txt" if unknown."""
    return _EXTENSIONS.get(language.lower(), "txt")


def save_code(code: str, language: str, folder: Path) -> Path:
    """Save `code` in `folder` under a new name and return the file. Raise OSError."""
    number = 1
    while True:
        file = folder / f"code-{number}.{extension(language)}"
        try:
            with file.open("x", encoding="utf-8") as new:
                new.write(code if code.endswith("\n") else f"{code}\n")
            return file
        except FileExistsError:
            number += 1


def can_open(url: str) -> bool:
    """Return whether `url` has a scheme that a browser or mail program opens."""
    try:
        return urlsplit(url).scheme.lower() in OPENABLE
    except ValueError:
        return False
