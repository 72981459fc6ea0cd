"""List the packages of the wheel; all else is in pyproject.toml.

resources/ lies next to the packages, in the checkout and in the plugin; in the wheel it becomes backend/resources.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["backend", "backend.*", "training", "training.*"]), "backend.resources"],
    package_dir={"backend.resources": "resources"},
    package_data={
        "backend": ["py.typed"],
        "backend.resources": ["models/*/*", "geoid/*"],
        "training": ["py.typed", "recipes/*.toml"],
        "training.study": ["*.j2"],
    },
)
