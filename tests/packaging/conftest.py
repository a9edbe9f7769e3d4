"""The package as users get it: built, and installed into an empty environment. No network."""

import shutil
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import HeaderParser

import pytest

from tests.support.building import BUILD, ROOT, STEM, run


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The sdist of a copy of this checkout, and the wheel made from that sdist, as installers do it."""
    folder = tmp_path_factory.mktemp("built")
    ignored = shutil.ignore_patterns(".[!.]*", "__pycache__", "*.egg-info", "build", "dist", "node_modules", "bin")
    shutil.copytree(ROOT, folder / "checkout", ignore=ignored)
    run(sys.executable, "-c", BUILD, "build_sdist", folder, cwd=folder / "checkout")
    with tarfile.open(folder / f"{STEM}.tar.gz") as sdist:
        sdist.extractall(folder, filter="data")
    run(sys.executable, "-c", BUILD, "build_wheel", folder, cwd=folder / STEM)
    return folder


@pytest.fixture(scope="session")
def installed(built, tmp_path_factory):
    """The Python of an empty environment that has the wheel, and beside it this environment's packages."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    wheel = built / f"{STEM}-py3-none-any.whl"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    # A .pth file adds a folder but not what that folder's own .pth files add: the editable install stays out.
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    return python


@pytest.fixture(scope="session")
def metadata(built):
    """What the wheel says of itself."""
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as wheel:
        return HeaderParser().parsestr(wheel.read(f"{STEM}.dist-info/METADATA").decode())
