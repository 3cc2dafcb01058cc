"""The named check `exports`: layouts that tax programs import have the shape of one, and boxes that some year has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lotlaw.schema import shape_problems
from lotlaw.source import Document, Problem, Problems, read_yaml

NAME = "exports"


def layout_problems(folder: Path, documents: Iterable[Document]) -> Iterator[Problem]:
    """What is wrong in the layouts of a folder, beside the rule files of all years."""
    forms = [document.value for document in documents if document.value.get("form") == "form_8949"]
    boxes, codes = (sorted({name for form in forms for name in form[key]}) for key in ("boxes", "codes"))
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = read_yaml(path)
        except Problems as found:
            yield from (Problem(p.place, p.message, NAME) for p in found.problems)
            continue
        wrong = shape_problems(document, "export")
        yield from (Problem(p.place, p.message, NAME) for p in wrong or _unknown(document, boxes, codes))


def _unknown(document: Document, boxes: list[str], codes: list[str]) -> Iterator[Problem]:
    """Boxes and codes that no year's Form 8949 has."""
    said = document.value
    for box in said["boxes"]:
        if box not in boxes:
            yield Problem(document.key("boxes", box), f"no year's Form 8949 has a box {box}", NAME)
    for n, form in enumerate(said.get("forms", ())):
        for m, box in enumerate(form["boxes"]):
            if box not in said["boxes"]:
                yield Problem(document.place("forms", n, "boxes", m), f"box {box} is not among `boxes`", NAME)
    for n, code in enumerate(said["codes"] if isinstance(said["codes"], list) else ()):
        if code not in codes:
            yield Problem(document.place("codes", n), f"no year's Form 8949 has a code {code}", NAME)
