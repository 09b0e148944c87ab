"""What the site holds besides docs/: README, change log, notebooks, pages made from the code."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from site_gallery import gallery_text, make_thumbnail

from lstm_strategy.cli import manual_page

ROOT = Path(__file__).parents[1]
PACKAGE = "lstm_strategy"
# the command line has a page of its own, made from its options; its room has no names for others
FACES = sorted(
    face.parent.relative_to(ROOT)
    for face in (ROOT / PACKAGE).rglob("__init__.py")
    if "cli" not in face.parts
)
ERRORS = Path(PACKAGE, "errors")
PAGES = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GALLERY = "notebooks/index.md"


def on_config(config: MkDocsConfig) -> None:
    """Fill the sections of the navigation that follow from the tree."""
    _package.cache_clear()  # the tree may have changed while the site is served
    for section in config.nav or []:
        if "Notebooks" in section:
            section["Notebooks"] = [GALLERY, *(f"notebooks/{file.name}" for file in NOTEBOOKS)]
        if "API" in section:
            section["API"] = _api_section()


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside docs/."""
    for file in NOTEBOOKS:
        name = f"notebooks/{file.name}"
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
        thumbnail = f"notebooks/{file.stem}.png"
        files.append(File.generated(config, thumbnail, content=make_thumbnail(file)))
    files.append(File.generated(config, GALLERY, content=gallery_text(NOTEBOOKS)))
    for page, source in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "command-line.md", content=manual_page()))
    for face in [*FACES, ERRORS]:
        files.append(File.generated(config, _api_page(face), content=_api_text(face)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let links that are right in the repository be right on the site."""
    if page.file.src_uri == "index.md":
        page.meta["hide"] = ["navigation"]  # the tabs lead on; its own column would be empty
    if page.file.src_uri in PAGES:
        markdown = markdown.replace("](docs/", "](")
        for page_uri, source in PAGES.items():
            markdown = markdown.replace(f"]({source})", f"]({page_uri})")
    markdown = markdown.replace("](../notebooks/", "](notebooks/")
    markdown = markdown.replace("](../../notebooks/", "](../notebooks/")
    # what the site doesn't hold is named, not linked
    return re.sub(r"\[([^\]]+)\]\((?:\.\./)*(?:LICENSE|benchmarks/[^)]*)\)", r"`\1`", markdown)


def _api_page(face: Path) -> str:
    parts = face.parts[1:] or ("index",)
    is_group = any(other.parent == face for other in FACES)
    return "/".join(("api", *parts)) + ("/index.md" if is_group and face.parts[1:] else ".md")


def _api_section() -> list[object]:
    """The faces by room, those of rooms with sub-rooms one level deeper."""
    section: list[object] = [_api_page(Path(PACKAGE))]
    for room in (face for face in FACES if len(face.parts) == 2):
        inside = [face for face in FACES if room in face.parents]
        pages: list[object] = [{".".join(face.parts[2:]): _api_page(face)} for face in inside]
        own = _api_page(room)
        section.append({room.name: [own, *pages] if inside else own})
    return [*section, {"errors": _api_page(ERRORS)}]


def _public_names(face: Path) -> list[str]:
    tree = ast.parse((ROOT / face / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [name for name in ast.literal_eval(node.value) if not name.startswith("__")]
    return []


def _homes() -> dict[str, str]:
    """The face that documents each name of the package itself."""
    names = set(_public_names(Path(PACKAGE)))
    return {
        name: f"{'.'.join(face.parts)}.{name}"
        for face in FACES[1:]
        for name in _public_names(face)
        if name in names
    }


def _api_text(face: Path) -> str:
    module = ".".join(face.parts)
    if face == Path(PACKAGE):
        return _package_text()
    title = f"# `{'.'.join(face.parts[1:])}`\n\n"
    if face == ERRORS:
        return f"{title}::: {module}\n"
    package = _package()
    names = [name for name in _public_names(face) if _is_ours(package, f"{module}.{name}")]
    members = json.dumps(sorted(names, key=str.isupper))  # constants last
    imports = f"`from {module} import ...`\n\n" if names else ""
    return f"{title}{imports}::: {module}\n    options:\n      members: {members}\n"


def _package_text() -> str:
    package, homes = _package(), _homes()
    rows = [
        f"| [`{name}`][{homes[name]}] | {_summary(package, homes[name])} |"
        for name in _public_names(Path(PACKAGE))
        if name in homes
    ]
    return (
        "# API reference\n\n`from lstm_strategy import` any of these, each of which is loaded on "
        "first use:\n\n| name | |\n|---|---|\n" + "\n".join(rows) + "\n\nThe other pages hold "
        "every name that a room offers to other rooms and to you. What isn't listed is private.\n"
    )


@cache
def _package() -> griffe.Object | griffe.Alias:
    return griffe.load(PACKAGE, search_paths=[ROOT], resolve_aliases=True)


def _is_ours(package: griffe.Object | griffe.Alias, path: str) -> bool:
    """Whether a name is defined here, and not handed on from another library."""
    member = package[path.removeprefix(f"{PACKAGE}.")]
    try:
        return member.final_target is not None if member.is_alias else True
    except griffe.AliasResolutionError as error:
        if error.alias.target_path.startswith(f"{PACKAGE}."):
            raise
        return False


def _summary(package: griffe.Object | griffe.Alias, path: str) -> str:
    docstring = package[path.removeprefix(f"{PACKAGE}.")].docstring
    return docstring.value.split("\n\n")[0].replace("\n", " ") if docstring else ""
