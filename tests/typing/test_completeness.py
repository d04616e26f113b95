"""The public interface has types that every type checker reads alike.

pyright counts the symbols whose type is declared, in a copy of the package that is installed into
an environment of its own: it does not look at an editable one. The environment has no other
package, so that the score does not depend on the extras that are installed.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import ws6455

PACKAGE = Path(ws6455.__file__).parent
LEAST_SCORE = 0.98
# More functions than 2% of the package's symbols.
UNANNOTATED = "\n".join(f"def function_{number}(argument): return argument" for number in range(80))


def install(folder: Path) -> Path:
    """Make an environment with a copy of the package; return the folder of the copy."""
    venv.create(folder, with_pip=False)
    bases = {"base": str(folder), "platbase": str(folder)}
    copy = Path(sysconfig.get_path("purelib", "venv", bases)) / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def verify(folder: Path) -> tuple[float, list[str]]:
    """Return pyright's score, from 0 to 1, and the symbols whose type is not fully declared."""
    scripts = sysconfig.get_path("scripts", "venv", {"base": str(folder)})
    environment = os.environ | {"PATH": os.pathsep.join([scripts, os.environ["PATH"]])}
    environment.pop("PYTHONPATH", None)  # it may lead to the package itself
    arguments = ["--verifytypes", PACKAGE.name, "--ignoreexternal", "--outputjson"]
    checked = subprocess.run(
        [sys.executable, "-m", "pyright", *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=folder,
        env=environment,
    )
    assert checked.stdout, checked.stderr
    completeness = json.loads(checked.stdout)["typeCompleteness"]
    assert Path(completeness["packageRootDirectory"]).is_relative_to(folder.resolve())
    unclear = [
        symbol["name"]
        for symbol in completeness["symbols"]
        if symbol["isExported"] and not (symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"])
    ]
    return completeness["completenessScore"], unclear


def test_the_public_interface_is_annotated(tmp_path: Path) -> None:
    install(tmp_path)
    score, unclear = verify(tmp_path)
    assert score >= LEAST_SCORE, f"{score:.1%}; not declared: {', '.join(unclear)}"


def test_an_unannotated_module_is_found(tmp_path: Path) -> None:
    (install(tmp_path) / "planted.py").write_text(UNANNOTATED)
    score, unclear = verify(tmp_path)
    assert score < LEAST_SCORE
    assert "ws6455.planted.function_0" in unclear
