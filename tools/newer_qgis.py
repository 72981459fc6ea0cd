"""Run the plugin's tests in newer versions of QGIS: `make test-qgis-next`.

    python -m tools.newer_qgis [--mirror URI] [--release trixie sid] [-- options for pytest]

The versions come from releases of Debian: trixie has QGIS 3.40 with Python 3.13, sid a later one. Each gets its own
root folder (build/roots/RELEASE, about 2.5 GB), made once with debootstrap; an interrupted one is completed. The tests
run with the QGIS and Python of that root. The backend that they start runs on this machine's system, in `.venv`: as
with users, QGIS and the backend are two processes with two Pythons.

Needs root's rights (or sudo) to make roots and to mount, and Debian's package `debootstrap`. All mounts are made in a
mount namespace that ends with the tests, so nothing has to be unmounted, and a root can be deleted like any folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.setup.environment import REQUIREMENTS
from tools.setup.process import ROOT, SetupError, run
from tools.setup.system import QGIS_PACKAGES, become_root, install_packages

ROOTS = ROOT / "build" / "roots"
RELEASES = ("trixie", "sid")
# Markdown is needed to pack the plugin.
PACKAGES = [*QGIS_PACKAGES, "python3-venv", "python3-pytest", "python3-hypothesis", "python3-markdown"]
NOTE = "sardino-packages"  # written into a root when all that it names is installed there
BACKEND = "usr/local/bin/sardino-backend-python"
MACHINE = "machine"  # mount point of the machine's file system in a root
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Arguments: the root, the checkout, then the command. The machine is mounted first, so that it holds none of the other
# mounts. A root is bound onto itself, because package scripts expect `/` to be a mount point. The shell stays as the
# first process of a process namespace: it reaps orphans, and none of them outlives it.
ENTER = f"""set -e
root=$1 checkout=$2; shift 2
mount --bind "$root" "$root"
mkdir -p "$root/{MACHINE}" "$root$checkout"
mount --rbind / "$root/{MACHINE}"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind /tmp "$root/tmp"
mount --bind "$checkout" "$root$checkout"
chroot "$root" "$@"
"""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(f"newer QGIS: {text}", flush=True)


def output_of(command: Sequence[str]) -> str:
    """Return the output of a program; an empty string if it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def machine_mirror() -> str:
    """Return the Debian mirror of this machine's apt.

    Raises:
        SetupError: There is none: this is not Debian, or `apt-get update` has never run.
    """
    lines = output_of(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian", "Identifier: Packages"])
    if not lines.strip():
        raise SetupError(
            "this machine's apt knows no mirror of Debian. Run `apt-get update` first; on another system name a\n"
            "  mirror:  python -m tools.newer_qgis --mirror URI"
        )
    return lines.split()[0]


def apt_settings() -> str:
    """Return the settings by which this machine's apt reaches its mirror: proxies, certificates, date checks."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-")
    lines = output_of(["apt-config", "dump"]).splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith(wanted))


def rights() -> list[str]:
    """Return the command prefix for root's rights; raise SetupError if there is none."""
    prefix = become_root()
    if prefix is None:
        raise SetupError("making a root folder and mounting in it needs root's rights: run this as root, or with sudo")
    return prefix


def inside(release: str, *command: str) -> list[str]:
    """Return the command that runs `command` in the root of a release, with nothing of this environment but threads."""
    variables = [
        f"PATH={PATH}", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "QT_QPA_PLATFORM=offscreen",
        "XDG_RUNTIME_DIR=/run/sardino", f"SARDINO_TEST_BACKEND=/{BACKEND}", f"PYTHONPATH={ROOTS / 'test-packages'}",
        "PYTHONDONTWRITEBYTECODE=1",
        *(f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS",) if name in os.environ),
    ]  # fmt: skip
    unshare = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    enter = [*rights(), *unshare, "sh", "-c", ENTER, "sh", str(ROOTS / release), str(ROOT)]
    return [*enter, "env", "-i", "-C", str(ROOT), *variables, *command]


def run_inside(release: str, what: str, *command: str) -> None:
    """Run a command in the root of a release; raise SetupError naming `what` when it fails."""
    status = subprocess.run(inside(release, *command), check=False).returncode
    if status != 0:
        raise SetupError(f"{what} failed in {ROOTS / release} (exit status {status}): {' '.join(command)}")


def write(path: Path, text: str, mode: str = "644") -> None:
    """Write a file of a root, as root."""
    command = [*rights(), "sh", "-c", 'cat > "$1" && chmod "$2" "$1"', "sh", str(path), mode]
    if subprocess.run(command, input=text, text=True, check=False).returncode != 0:
        raise SetupError(f"{path} can't be written")


def ensure_base(release: str, mirror: str) -> None:
    """Make the root of a release with the base system of Debian, unless it exists."""
    root = ROOTS / release
    if root.is_dir():
        return
    if not shutil.which("debootstrap", path=PATH):
        install_packages(["debootstrap"])
    say(f"making {root} (two minutes)")
    partial, packages = ROOTS / f"{release}.partial", ROOTS / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    # Files unpacked before an interruption are unreliable; downloads are kept in the other folder.
    run([*rights(), "rm", "-rf", str(partial)], "removing what was half made")
    run(
        [*rights(), "env", f"PATH={PATH}", "debootstrap", "--variant=minbase", "--include=ca-certificates",
         f"--cache-dir={packages}", release, str(partial), mirror],
        "debootstrap",
    )  # fmt: skip
    run([*rights(), "mv", str(partial), str(root)], "naming the root")


def ensure_packages(release: str) -> None:
    """Install QGIS and the test tools in the root of a release, and note that there."""
    root = ROOTS / release
    wanted = "\n".join(PACKAGES) + "\n"
    if (root / NOTE).is_file() and (root / NOTE).read_text() == wanted:
        return
    say(f"installing QGIS in {root} (three to ten minutes)")
    write(root / "etc/apt/apt.conf.d/00machine", apt_settings())
    for name in ("resolv.conf", "hosts"):
        if Path("/etc", name).is_file():
            write(root / "etc" / name, Path("/etc", name).read_text())
    write(root / "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", "755")  # no services are started there
    # After an interruption. What lacks other packages is finished by `--fix-broken` below.
    subprocess.run(inside(release, "dpkg", "--configure", "-a"), check=False)
    run_inside(release, "refreshing the package lists", "apt-get", "-q", "update")
    install = ["apt-get", "-q", "install", "-y", "--fix-broken", "--no-install-recommends", *PACKAGES]
    run_inside(release, "installing QGIS", *install)
    run_inside(release, "removing the packages' files", "apt-get", "clean")
    write(root / NOTE, wanted)


def ensure_test_packages() -> None:
    """Put pytest-qgis, which Debian lacks, next to the roots: it is plain Python, and one copy serves all."""
    pins = [line for line in (REQUIREMENTS / "qgis.txt").read_text().splitlines() if line.startswith("pytest-qgis")]
    folder = ROOTS / "test-packages"
    if not (folder / "pytest_qgis").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        run([*pip, *pins], "installing pytest-qgis")


def run_tests(release: str, options: Sequence[str]) -> bool:
    """Run the plugin's tests in the root of a release; return whether they passed."""
    # The backend runs on the machine's system. Both see the checkout and /tmp under the same names.
    leave = f'#!/bin/sh\nexec chroot /{MACHINE} /usr/bin/env -C "$PWD" "{sys.executable}" "$@"\n'
    write(ROOTS / release / BACKEND, leave, "755")
    run_inside(release, "making the runtime folder", "install", "-d", "-m", "700", "/run/sardino")
    said = output_of(inside(release, "python3", "-c", "from qgis.core import Qgis; print(Qgis.version())"))
    say(f"{release}: QGIS {said.strip() or 'does not import'}")
    tests = [] if any(word.startswith("tests/") for word in options) else ["tests/plugin"]
    pytest = ["python3", "-m", "pytest", "-p", "no:cacheprovider", *tests, *options]
    return subprocess.run(inside(release, *pytest), check=False).returncode == 0


def main() -> int:
    """Make missing root folders, then test in each release; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.newer_qgis", description=__doc__.splitlines()[0])
    parser.add_argument("--release", nargs="+", default=RELEASES, help="releases of Debian (default: trixie sid)")
    parser.add_argument("--mirror", default="", help="address of a Debian mirror (default: this machine's own)")
    parser.add_argument("options", nargs="*", help="options for pytest, after --")
    arguments = parser.parse_args()
    failed = []
    try:
        for release in arguments.release:
            ensure_base(release, arguments.mirror or machine_mirror())
            ensure_packages(release)
        ensure_test_packages()
        for release in arguments.release:
            if not run_tests(release, arguments.options):
                failed.append(release)
    except SetupError as error:
        print(f"newer QGIS: {error}", file=sys.stderr)
        return 1
    say(f"tests failed in {', '.join(failed)}" if failed else f"tests passed in {', '.join(arguments.release)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
