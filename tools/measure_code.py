"""The size and the names of the code: lines that are code, and public classes that share their name with another.

    python tools/measure_code.py

Both figures may only fall: it ends with 1 where one is above `LINES_MAX` or `SHARED_MAX`.

Blank lines, comments and docstrings are not counted. `Migration`, `Meta` and configurations of apps are not counted as
sharing a name, because Django asks for them.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

LINES_MAX = 94_300
SHARED_MAX = 14

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
_LAYOUT = {tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def modules() -> Iterator[Path]:
    """The modules of the product, without those that Django writes."""
    return (path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts)


def lines_of_code(source: str) -> int:
    """The lines on which something stands that is neither a comment nor a docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    used = {
        line
        for it in tokens
        if it.type not in _LAYOUT and it.type != tokenize.ENDMARKER
        for line in range(it.start[0], it.end[0] + 1)
    }
    return len(used - _docstrings(ast.parse(source)))


def _docstrings(tree: ast.AST) -> set[int]:
    """The lines of the strings that document something, also those below a variable."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if isinstance(node, _DOCUMENTED) else ():
            is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if is_constant and isinstance(statement.value.value, str):
                lines |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return lines


def lines_of_functions(tree: ast.Module) -> Iterator[int]:
    """The lines of each function, its docstring included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def public_classes(tree: ast.Module) -> Iterator[str]:
    """The classes of a module that others may use."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not _is_left_out(node.name):
            yield node.name


def _is_left_out(name: str) -> bool:
    return name.startswith("_") or name in {"Migration", "Meta"} or name.endswith("Config")


def main() -> int:
    sources = {path: path.read_text() for path in modules()}
    trees = [ast.parse(source) for source in sources.values()]
    modules_lines = [lines_of_code(source) for source in sources.values()]
    lines = sum(modules_lines)
    functions = [count for tree in trees for count in lines_of_functions(tree)]
    classes = Counter(name for tree in trees for name in public_classes(tree))
    shared = sum(count for count in classes.values() if count > 1)
    total = classes.total()
    print(f"{lines:,} lines of code in {len(sources):,} modules; the median module has {median(modules_lines):.0f}")
    print(f"{len(functions):,} functions; the median function has {median(functions):.0f} lines")
    print(f"{shared:,} of {total:,} public classes ({shared / total:.1%}) share their name with another")
    if lines > LINES_MAX or shared > SHARED_MAX:
        print(
            f"more than the {LINES_MAX:,} lines and {SHARED_MAX} classes of before: write it smaller, or say why here"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
