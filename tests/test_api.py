"""What a Python program gets from `import lotlaw`: four functions, and nothing that takes time before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"polars", "jsonschema", "jinja2", "pypdf"}

EVERY_MODULE = """\
import importlib, pkgutil
for module in pkgutil.walk_packages(lotlaw.__path__, "lotlaw."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def fresh(code: str) -> object:
    """The JSON that `code` prints in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", ["lotlaw", "lotlaw.cli"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    loaded = fresh(f"import {module}, sys, json; print(json.dumps([name.split('.')[0] for name in sys.modules]))")
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize("before", ["", EVERY_MODULE], ids=["at once", "after every module was imported"])
def test_the_four_functions(before: str) -> None:
    code = (
        f"import lotlaw, json\n{before}print(json.dumps({{n: str(type(getattr(lotlaw, n))) for n in lotlaw.__all__}}))"
    )
    kinds = fresh(code)
    functions = {name for name, kind in kinds.items() if kind == "<class 'function'>"}
    assert functions == {"load", "read", "compute", "render"}
    assert set(kinds) - functions == {"__version__"}


def test_what_is_not_there_is_named() -> None:
    import lotlaw

    with pytest.raises(AttributeError, match="module 'lotlaw' has no attribute 'rendr'"):
        lotlaw.rendr  # noqa: B018
