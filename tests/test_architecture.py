"""The rules of the house, held against every file of the package."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from architecture_table import architecture_table

PACKAGE = Path(__file__).parents[1] / "bayes_sp"
PAGE = PACKAGE.parent / "ARCHITECTURE.md"
# The files of the root may be used by every room; a room imports only from itself and from rooms before it.
ROOT = (
    "safe_text", "names", "shown", "errors", "exports", "calls", "endings", "files", "arrays", "jit",
    "threads", "unneeded",
)  # fmt: skip
ROOMS = ("model", "records", "design", "effects", "inference", "analysis", "sensitivity", "report", "cli")
ORDER = (*ROOT, *ROOMS[:-1], "plot", "old_spellings", ROOMS[-1], "__main__")
MOST_MODULES = 15  # of a folder; families may be more
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {
    ".".join(("bayes_sp", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in FILES
}


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return the tree of a file and all that is below it, read once."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def in_files(offends: Callable[[Path], object]) -> list[str]:
    """Return the files of the package in which something offends against a rule."""
    return [str(path.relative_to(PACKAGE)) for path in FILES if offends(path)]


@cache
def imported(path: Path) -> frozenset[str]:
    """Return every module that a file imports, also within functions and under TYPE_CHECKING."""
    found: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: line {node.lineno} is a relative import"
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in below if name in MODULES} | {str(node.module)}
    return frozenset(found)


def room(module: str) -> str:
    return module.split(".")[1]


def own_imports() -> dict[str, set[str]]:
    """Return what each module imports of the package; a module of a room also imports the room's ``__init__``."""
    found = {}
    for module, path in MODULES.items():
        if module != "bayes_sp":
            names = {name for name in imported(path) if name.split(".")[0] == "bayes_sp"}
            found[module] = names | {name.rpartition(".")[0] for name in names if name.count(".") > 1}
    return found


def test_every_module_has_a_place_in_the_order_of_the_rooms():
    """A new room must be given its place before anything is built on it."""
    assert {room(module) for module in MODULES if module != "bayes_sp"} == set(ORDER)


def test_a_folder_has_no_more_modules_than_can_be_told_apart():
    """A reader finds the file that they look for at a glance."""
    folders = Counter(path.parent.relative_to(PACKAGE).as_posix() for path in FILES if path.name != "__init__.py")
    assert {folder for folder, count in folders.items() if count > MOST_MODULES} <= {"model/families"}


def test_imports_follow_the_direction_of_the_rooms():
    """A module imports from its own room or from rooms before it, never from a later one."""
    upward = [
        f"{module} imports {name}"
        for module, names in own_imports().items()
        for name in names
        if name != "bayes_sp" and ORDER.index(room(name)) > ORDER.index(room(module))
    ]
    assert upward == []


def test_the_run_folders_need_only_errors_and_files():
    """Writing and reading run folders knows nothing of statistics."""
    names = own_imports()["bayes_sp.report.folders.run"] - {"bayes_sp.report", "bayes_sp.report.folders"}
    assert names == {"bayes_sp.errors", "bayes_sp.files", "bayes_sp.endings"}
    assert own_imports()["bayes_sp.files"] == {"bayes_sp.errors", "bayes_sp.endings"}


def test_nothing_imports_the_package_itself():
    """The root hands names on; a module that imported it would close a circle."""
    assert [module for module, names in own_imports().items() if "bayes_sp" in names] == []


def test_no_modules_import_each_other_in_a_circle():
    """Modules can be put in a row in which each imports only from those before it."""
    waiting = {module: names & MODULES.keys() for module, names in own_imports().items()}
    while free := [module for module, names in waiting.items() if not names & waiting.keys()]:
        for module in free:
            del waiting[module]
    assert waiting == {}


def test_every_import_of_the_package_names_a_module_that_exists():
    """An import of a name that no file has would go unseen by the rules above."""
    unknown = {name for names in own_imports().values() for name in names} - MODULES.keys()
    assert unknown == set()


def test_a_file_has_at_most_300_lines():
    """A file can be read in one sitting."""
    assert in_files(lambda path: len(path.read_text(encoding="utf-8").splitlines()) > 300) == []


def test_a_function_body_has_at_most_60_lines():
    """A function can be seen at once; its docstring does not count."""
    long = []
    for path in FILES:
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if body and body[-1].end_lineno - body[0].lineno + 1 > 60:
                    long.append((path.name, node.name))
    assert long == []


def test_the_sampler_is_imported_in_the_room_of_inference_only():
    """Everything beside inference works without pymc."""
    sampler = {"pymc", "nutpie", "pytensor"}
    users = in_files(lambda path: {name.split(".")[0] for name in imported(path)} & sampler)
    assert [user for user in users if not user.startswith("inference/")] == []
    assert users


def test_figures_are_drawn_in_the_room_of_the_report_only():
    """Nothing but the report needs matplotlib."""
    users = in_files(lambda path: "matplotlib" in {name.split(".")[0] for name in imported(path)})
    assert [user for user in users if not user.startswith("report/")] == []
    assert users


def test_the_formulas_need_numpy_alone():
    """The arithmetic of effects can be read and used without the rest of the package."""
    names = imported(PACKAGE / "effects" / "formulas.py") | imported(PACKAGE / "effects" / "patients.py")
    others = {name.split(".")[0] for name in names - {"bayes_sp.effects.patients", "bayes_sp.arrays"}}
    assert others - set(sys.stdlib_module_names) == {"numpy"}


def test_the_init_of_a_room_says_what_the_room_is_for():
    """Importing one module of a room imports no other; the public room ``sensitivity`` hands names on when asked."""
    for path in FILES:
        if path.name == "__init__.py" and path.parent != PACKAGE:
            (sentence, *rest) = ast.parse(path.read_text(encoding="utf-8")).body
            assert isinstance(sentence, ast.Expr)
            if path.parent == PACKAGE / "sensitivity":
                assert imported(path) == {"__future__", "bayes_sp.exports"}
            else:
                assert rest == []


def test_only_the_command_line_prints():
    """A library is silent."""

    def prints(path):
        calls = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]
        return any(isinstance(call, ast.Name) and call.id == "print" for call in calls)

    printers = in_files(prints)
    assert [printer for printer in printers if not printer.startswith("cli/")] == []


def test_no_handler_catches_every_exception():
    """A handler names the errors it expects, so that a fault of ours is never taken for a user's mistake."""

    def catches_all(path):
        caught = [node.type for node in nodes_of(path) if isinstance(node, ast.ExceptHandler)]
        names = {part.id for kind in caught if kind for part in ast.walk(kind) if isinstance(part, ast.Name)}
        return None in caught or names & {"Exception", "BaseException"}

    assert in_files(catches_all) == []


def test_the_words_of_the_study_stand_in_its_own_room_only():
    """No text that the program prints speaks of the study's variables, save in the study's room."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    words = re.compile("(?i:belonging|loneliness|appointment)|PROCESS|Process(?!es)")

    def speaks(path):
        docstrings = {id(node.body[0].value) for node in nodes_of(path) if isinstance(node, documented)
                      and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
        texts = [node.value for node in nodes_of(path) if isinstance(node, ast.Constant)
                 and isinstance(node.value, str) and id(node) not in docstrings]  # fmt: skip
        return [text for text in texts if words.search(text)]

    speakers = in_files(speaks)
    own = ("records/published/", "records/example/", "analysis/comparison/recovery.py")
    assert [speaker for speaker in speakers if not speaker.startswith(own)] == []
    assert speakers


def test_the_table_of_modules_is_made_of_their_first_sentences():
    """The table in ARCHITECTURE.md says of every room and module what its docstring says."""
    assert architecture_table(ORDER) in PAGE.read_text(encoding="utf-8"), "run python tests/architecture_table.py"


def test_the_page_on_architecture_is_one_page():
    """The page stays short enough to be read, beside its table of modules."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if not line.startswith("|")]) <= 60


def test_html_is_made_in_one_place():
    """What a notebook shows is made by ``safe_text.html``, which escapes everything, and by nothing else."""
    for path in FILES:
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef) and node.name == "_repr_html_":
                (returned,) = (part.value for part in ast.walk(node) if isinstance(part, ast.Return))
                called = {ast.unparse(part.func) for part in ast.walk(returned) if isinstance(part, ast.Call)}
                assert "html" in called
                kept = returned
                while isinstance(kept, ast.BinOp):  # html(...) + another's _repr_html_()
                    assert ast.unparse(kept.right).endswith("._repr_html_()")
                    kept = kept.left
                assert isinstance(kept, ast.Call)
                assert ast.unparse(kept.func) == "html"
            if isinstance(node, ast.Attribute) and path.name != "safe_text.py":
                assert node.attr != "to_html"
