"""Changes of files, worked out in memory: each finds its place or refuses."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "scripts" / "templates"


class Refused(Exception):
    pass


class Files(dict):
    """Paths and what shall be in them; what is in none of them yet is read from the tree."""

    def __missing__(self, path):
        if not (ROOT / path).is_file():
            raise Refused(f"there is no {path} to change")
        return (ROOT / path).read_text()


def fill(template, name):
    text = (TEMPLATES / template).read_text()
    return text.replace("__NAME__", name).replace("__SNAKE__", snake(name)).replace("__TYPE__", pascal(name))


def insert_line(files, path, line, like):
    """Inserts a line among those of its like, in their alphabetical order."""
    lines = files[path].split("\n")
    places = [number for number, other in enumerate(lines) if re.match(like, other)]
    if not places:
        raise Refused(f"{path} has no line like `{line}` to put it beside")
    at = next((number for number in places if lines[number] > line), places[-1] + 1)
    files[path] = "\n".join(lines[:at] + [line] + lines[at:])


def insert_before(files, path, text, landmark):
    """Inserts whole lines before the only line that begins like this."""
    found = re.findall(rf"^{re.escape(landmark)}", files[path], re.MULTILINE)
    if len(found) != 1:
        raise Refused(f"{path} has {len(found)} lines that begin with `{landmark}`, and one would show where to put `{text.strip().splitlines()[0]}`")
    at = re.search(rf"^{re.escape(landmark)}", files[path], re.MULTILINE).start()
    files[path] = files[path][:at] + text + files[path][at:]


def append(files, path, text):
    files[path] = files[path].rstrip("\n") + "\n" + text


def add_to_list(files, path, name, to):
    """Appends to a line `NAME=a,b`."""
    changed, times = re.subn(rf"^({name}=[a-z0-9,-]+)$", rf"\1,{to}", files[path], flags=re.MULTILINE)
    if times != 1:
        raise Refused(f"{path} has {times} lines {name}=… to add `{to}` to, and should have one")
    files[path] = changed


def snake(name):
    return name.replace("-", "_")


def pascal(name):
    return "".join(part.capitalize() for part in name.split("-"))
