"""Which part may know which: the shape of the program, held by test."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PIPELINE = ROOT / "pipeline"

WORDS = {"broadcast", "messages", "session", "effects", "errors", "settings", "desk"}
# Each part of the core may import the words and what is listed.
CORE = {"conversation": {"steps", "answers", "texts"}, "steps": {"answers", "texts"}, "answers": set(), "texts": set()}
# Edges know words only; what is stored is sealed, so the store knows the seal.
EDGES: dict[str, set[str]] = {
    "store": {"seal"},
    "twilio_api": set(),
    "auth_api": set(),
    "pace": set(),
    "logs": set(),
    "seal": set(),
}
ABOVE_THE_CORE = {"attend", "delivery", "jobs", "runtime", "housekeeping", "wakeups", "intake", "clock", "catch_up"}
DATA_PACKAGES = {"phonenumbers", "indian_pincode"}


def modules_of(part: str) -> list[Path]:
    folder = PIPELINE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imported(path: Path) -> set[str]:
    """The full names of all that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where things come from"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} if node.module else set()
    return names


def parts_of_ours(path: Path) -> set[str]:
    """The parts of `pipeline` that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("pipeline.")}


def third_parties(path: Path) -> set[str]:
    import sys

    return {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - {"pipeline"}


@pytest.mark.parametrize("part", CORE)
def test_the_core_knows_words_and_what_is_below_it(part: str) -> None:
    for path in modules_of(part):
        assert parts_of_ours(path) <= WORDS - {"settings"} | CORE[part] | {part}, path


@pytest.mark.parametrize("part", [*CORE, *sorted(WORDS - {"settings"})])
def test_the_core_is_pure(part: str) -> None:
    banned = {
        "os",
        "time",
        "random",
        "secrets",
        "socket",
        "threading",
        "subprocess",
        "pathlib",
        "io",
        "logging",
        "uuid",
    }
    for path in modules_of(part):
        assert third_parties(path) <= DATA_PACKAGES, path
        assert not {name.split(".")[0] for name in imported(path)} & banned, path
        assert not re.search(r"\b(now|today|utcnow|time)\(\)|\bopen\(|\bprint\(", path.read_text()), path


@pytest.mark.parametrize("part", sorted(WORDS))
def test_words_know_words_only(part: str) -> None:
    for path in modules_of(part):
        assert parts_of_ours(path) <= WORDS, path


@pytest.mark.parametrize("part", EDGES)
def test_edges_know_words_and_never_each_other(part: str) -> None:
    for path in modules_of(part):
        assert parts_of_ours(path) <= WORDS | EDGES[part] | {part}, path


def test_nobody_imports_the_entry_points_and_the_simulators_import_nothing_of_ours() -> None:
    for path in PIPELINE.rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {"web", "worker", "sandbox", "tests"}, path
    for path in (ROOT / "sandbox").rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {"web", "worker", "pipeline", "tests"}, path


def test_the_receiver_never_loads_the_conversation_nor_a_client_of_twilio() -> None:
    """Everything that `web.py` imports, however far down; what a function imports when it is called does not count."""
    seen: set[Path] = set()
    waiting = [ROOT / "web.py"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pipeline"):
                for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    base = ROOT.joinpath(*name.split("."))
                    waiting += [each for each in (base.with_suffix(".py"), base / "__init__.py") if each.exists()]
    names = {path.relative_to(ROOT).as_posix() for path in seen}
    assert "pipeline/receiver.py" in names
    assert not {name for name in names if re.match(r"pipeline/(conversation|steps|answers|attend|delivery)", name)}
    assert "pipeline/twilio_api/rest.py" not in names


def test_the_environment_is_read_in_one_place() -> None:
    for path in [*PIPELINE.rglob("*.py"), ROOT / "web.py", ROOT / "worker.py"]:
        if path != PIPELINE / "settings.py":
            assert not re.search(r"\bos\.(environ|getenv)", path.read_text()), path


def test_names_of_redis_keys_stand_in_the_store_only() -> None:
    for path in [*PIPELINE.rglob("*.py"), ROOT / "web.py", ROOT / "worker.py"]:
        if PIPELINE / "store" not in path.parents:
            assert "msme:" not in path.read_text() and "PREFIX" not in path.read_text(), path


def test_every_key_is_explained() -> None:
    explained = (PIPELINE / "store" / "__init__.py").read_text()
    for script in (PIPELINE / "store" / "lua").glob("*.lua"):
        for name in re.findall(r"P \.\. '([a-z_]+)", script.read_text()):
            assert re.search(rf"`{name}[:`]", explained), f"{script.name} writes {name}, which is explained nowhere"


def test_twilios_names_stand_in_one_folder() -> None:
    for path in PIPELINE.rglob("*.py"):
        if "twilio_api" not in path.parts:
            code = ast.parse(path.read_text())
            texts = [node.value for node in ast.walk(code) if isinstance(node, ast.Constant)]
            assert not {"Body", "MessageStatus", "From", "NumMedia"} & {text for text in texts if isinstance(text, str)}


def test_nothing_is_loaded_that_could_run_what_it_reads() -> None:
    for path in [*PIPELINE.rglob("*.py"), ROOT / "web.py", ROOT / "worker.py"]:
        assert not {name.split(".")[0] for name in imported(path)} & {"pickle", "marshal", "shelve", "dill"}, path
        assert not re.search(r"(?<![.\w])(eval|exec)\(", path.read_text()), path
