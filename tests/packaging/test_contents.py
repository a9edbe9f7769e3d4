"""What the wheel and the sdist hold, and what an index shows."""

import tarfile
import zipfile
from pathlib import Path

from tests.support.building import PROJECT, STEM


def sources(checkout: Path) -> set[str]:
    """Every file of the package, by its name in the wheel."""
    package = checkout / "components" / "esc_oidc"
    return {f"esc_oidc/{path.relative_to(package).as_posix()}" for path in package.rglob("*") if path.is_file()}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    """It has every file of `esc_oidc`, with `py.typed`, and its own metadata."""
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    held = {name for name in names if not name.startswith(f"{STEM}.dist-info/")}
    assert held == sources(built / "checkout")
    assert "esc_oidc/py.typed" in held
    assert f"{STEM}.dist-info/licenses/LICENSE" in names


def test_the_sdist_holds_only_the_sources_of_the_wheel(built):
    """Tests, plugin and examples are in the repository."""
    with tarfile.open(built / f"{STEM}.tar.gz") as sdist:
        names = {member.name.removeprefix(f"{STEM}/") for member in sdist if member.isfile()}
    held = {name for name in names if not name.startswith("components/esc_oidc.egg-info/")}
    own = {"PKG-INFO", "LICENSE", "README.md", "pyproject.toml", "setup.cfg"}
    assert held - {"MANIFEST.in"} == {f"components/{name}" for name in sources(built / "checkout")} | own


def test_the_metadata_is_that_of_the_project(metadata):
    """An index shows the project's name, version, license, Pythons and README."""
    assert metadata["Name"] == "esc-oidc"
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    pythons = [name for name in metadata.get_all("Classifier") if name.startswith("Programming Language :: Python :: ")]
    assert [name.rpartition(" ")[2] for name in pythons] == ["3.11", "3.12", "3.13", "3.14"]


def test_the_base_install_is_small(metadata):
    """It needs Pulumi, its two providers and YAML; moto, Flask and the rest come only with extras."""
    required = [each for each in metadata.get_all("Requires-Dist") if "extra ==" not in each]
    assert sorted(each.partition("<")[0] for each in required) == [
        "pulumi", "pulumi-aws", "pulumi-pulumiservice", "pyyaml",
    ]  # fmt: skip
    assert {"cli", "sandbox"} <= set(metadata.get_all("Provides-Extra"))
