"""Say how to set up a backend."""

from __future__ import annotations

from ..common import plugin_files
from ..common.i18n import tr


def setup_command() -> str:
    """Return the shell command that sets up a backend."""
    folder = plugin_files.plugin_folder()
    return f'cd "{folder.parent}" && python3 -m {folder.name}.environment install'


def setup_hint() -> str:
    """Return one line for users about how to set up a backend."""
    return tr(
        "Open the menu Plugins > SAR Land Cover (DINO) > Set up backend…, or run in a shell: {command}. If you have a "
        "Python environment with PyTorch (the packages in {list}), choose its interpreter in the same menu, or name it "
        "in the environment variable SARDINO_PYTHON."
    ).format(command=setup_command(), list=plugin_files.requirements_file())
