"""Write hints on how to set up a backend."""

from __future__ import annotations

from ..common import plugin_files
from ..common.i18n import tr
from .kinds import Kind


def setup_command(kind: Kind = Kind.MAPPING) -> str:
    """Return the shell command that sets up a backend of a kind."""
    folder = plugin_files.plugin_folder()
    command = f'cd "{folder.parent}" && python3 -m {folder.name}.environment install'
    return command if kind is Kind.MAPPING else f"{command} --kind {kind.value}"


def setup_hint() -> str:
    """Return one line for users about how to set up a backend."""
    return tr(
        "Open the menu Plugins > SAR Land Cover (DINO) > Set up backend…, or run in a shell: {command}. If you have a "
        "Python environment with the packages in {list}, choose its interpreter in the same menu, or name it in the "
        "environment variable SARDINO_PYTHON."
    ).format(command=setup_command(), list=plugin_files.requirements_file())


def pytorch_hint() -> str:
    """Return one line for users whose run needs PyTorch, which their installation lacks."""
    return tr(
        "Set up the backend again, and choose With PyTorch: menu Plugins > SAR Land Cover (DINO) > Set up backend…, "
        "or run in a shell: {}"
    ).format(setup_command(Kind.PYTORCH))
