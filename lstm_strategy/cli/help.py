"""What `--help` shows: each option with its default, wrapped at words in any width."""

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_WIDEST = 100  # longer lines are hard to read
_NARROWEST = 20
_WIDEST_TERM = 26
_FEWEST_FOR_TWO_COLUMNS = 64
_EXAMPLES = "\nExamples:\n"
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


@dataclass(frozen=True)
class Entry:
    """One option or argument as a reader gets it.

    Attributes:
        panel: The heading under which it stands.
        term: How it is written: `-o, --out DIR`.
        text: What it is, in sentences.
        default: What holds without it; "required" where it must be given.
    """

    panel: str
    term: str
    text: str
    default: str

    @property
    def whole_text(self) -> str:
        """The sentences with the default behind them."""
        if self.default == "required":
            return f"{self.text} [required]"
        # the first word stays with its label
        return f"{self.text} [default:\0{self.default}]" if self.default else self.text


@dataclass(frozen=True)
class Manual:
    """What the docstring of a command says.

    Attributes:
        paragraphs: What it does; the first is its summary.
        examples: Command lines.
    """

    paragraphs: tuple[str, ...]
    examples: tuple[str, ...]


def read_manual(command: Any) -> Manual:
    r"""What the docstring of a command says.

    Example:
        >>> from lstm_strategy.cli.help import HelpfulCommand
        >>> read_manual(HelpfulCommand("go", help="Go on.\n\nExamples:\n    go")).examples
        ('go',)
    """
    text, _, examples = inspect.cleandoc(command.help or "").partition(_EXAMPLES)
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    lines = (line.strip() for line in examples.splitlines())
    return Manual(tuple(filter(None, paragraphs)), tuple(filter(None, lines)))


def list_entries(command: Any, context: Any) -> list[Entry]:
    """The arguments and options of a command, by their headings."""
    entries = [_describe(param, context) for param in command.get_params(context)]
    headings = list(dict.fromkeys(entry.panel for entry in entries))
    usual = [name for name in ("Arguments", "Options") if name in headings]
    order = [*usual, *(name for name in headings if name not in usual)]
    return sorted(entries, key=lambda entry: order.index(entry.panel))


def _describe(param: Any, context: Any) -> Entry:
    if param.param_type_name == "argument":
        default = "required" if param.required else str(param.show_default or "")
        return Entry("Arguments", param.metavar, param.help, default)
    is_switch = param.is_flag
    names = sorted([*param.opts, *param.secondary_opts], key=lambda name: name.startswith("--"))
    metavar = "" if is_switch else f" {param.metavar or param.type.name.upper()}"
    panel = param.rich_help_panel or "Options"
    return Entry(panel, f"{', '.join(names)}{metavar}", param.help, _default_of(param))


def _default_of(param: Any) -> str:
    if param.required:
        return "required"
    if isinstance(param.show_default, str):
        return str(param.show_default)
    if not param.show_default or param.default is None or param.name == "help":
        return ""
    if param.is_flag and param.secondary_opts:
        return str((param.opts if param.default else param.secondary_opts)[0])
    return str(param.default)


class HelpfulCommand(TyperCommand):
    """A command whose help is written here, and not by typer."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, what the command does, its options with their defaults, and examples."""
        formatter.write(_lay_out(self, ctx, list_entries(self, ctx)))


class HelpfulGroup(TyperGroup):
    """The command line as a whole, with the help of each command written here."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, what the commands do, and the options."""
        commands = [
            Entry("Commands", name, read_manual(command).paragraphs[0], "")
            for name, command in self.commands.items()
        ]
        formatter.write(_lay_out(self, ctx, [*commands, *list_entries(self, ctx)]))


def usage_of(command: Any, context: Any) -> str:
    """The line that says how a command is called."""
    if isinstance(command, TyperGroup):
        return f"{context.command_path} COMMAND [OPTIONS]"
    arguments = (p for p in command.get_params(context) if p.param_type_name == "argument")
    words = (p.metavar if p.required else f"[{p.metavar}]" for p in arguments)
    return " ".join([context.command_path, *words, "[OPTIONS]"])


def _lay_out(command: Any, context: Any, entries: list[Entry]) -> str:
    width = min(max(shutil.get_terminal_size().columns - 1, _NARROWEST), _WIDEST)
    manual = read_manual(command)
    blocks = [_wrap(f"Usage: {usage_of(command, context)}", width, "       ")]
    blocks += [_wrap(paragraph.replace("`", ""), width) for paragraph in manual.paragraphs]
    for panel in dict.fromkeys(entry.panel for entry in entries):
        shown = [entry for entry in entries if entry.panel == panel]
        blocks.append("\n".join([_heading(panel), *_lay_out_entries(shown, width)]))
    if manual.examples:
        shell = (_wrap_shell(line, width) for line in manual.examples)
        blocks.append("\n".join([_heading("Examples"), *shell]))
    return "\n\n".join(blocks) + "\n"


def _heading(text: str) -> str:
    return typer.style(f"{text}:", bold=True)


def _lay_out_entries(entries: list[Entry], width: int) -> Iterator[str]:
    """Two columns where the terminal has room for them, else the text below the term."""
    widest = min(max(len(entry.term) for entry in entries), _WIDEST_TERM)
    has_columns = width >= _FEWEST_FOR_TWO_COLUMNS
    indent = " " * (widest + 4 if has_columns else 6)
    for entry in entries:
        lines = _wrap(f"{indent}{entry.whole_text}", width, indent)
        if has_columns and len(entry.term) <= widest:
            yield f"  {entry.term:<{widest}}  {lines.lstrip()}"
        else:
            yield f"{_wrap(f'  {entry.term}', width, '    ')}\n{lines}"


def _wrap(text: str, width: int, indent: str = "") -> str:
    lines = textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return lines.replace("\0", " ")


def _wrap_shell(line: str, width: int) -> str:
    """A command line that a shell takes as it stands, over several lines if need be."""
    whole = _QUOTED.sub(lambda quoted: quoted[0].replace(" ", "\0"), line)
    return _wrap(f"  {whole}", width - 2, "      ").replace("\n", " \\\n")
