"""Installs the machine's requirements: by apt if we may, else prints one line with what to install.

`python -m stack.system` installs the servers; it needs no packages, so that ./foretick can run it beside theirs.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from stack.errors import MachineError

DEBIAN_FOLDER = Path("/usr/lib/postgresql")
BUILD = Path(__file__).with_name("timescaledb.sh")
BUILD_PACKAGES = ("cmake", "gcc", "g++", "make", "dpkg-dev", "libssl-dev", "libkrb5-dev", "ca-certificates")
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The programs of a Chromium, the first that there is; the one without windows takes a fifth less of the processor."""
DOCKER_WAY = "or run the servers in containers: docker compose up"


def postgres_folders() -> list[Path]:
    """Return the folders of programs of each PostgreSQL server installed, newest first."""
    results = [path.parent for path in DEBIAN_FOLDER.glob("*/bin/initdb")]
    elsewhere = shutil.which("initdb")
    if elsewhere and Path(elsewhere).resolve().parent not in [path.resolve() for path in results]:
        results.append(Path(elsewhere).resolve().parent)
    return sorted(results, key=major, reverse=True)


def major(binaries: Path) -> int:
    """Return the major version of the PostgreSQL in a folder of programs."""
    output = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    match = re.search(r"(\d+)(\.|beta|rc|devel|$)", output.stdout.strip().split("PostgreSQL)")[-1])
    return int(match.group(1)) if match else 0


def has_timescaledb(binaries: Path) -> bool:
    """Return whether a PostgreSQL has the TimescaleDB library."""
    folder = subprocess.run([str(binaries / "pg_config"), "--pkglibdir"], capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    return folder.returncode == 0 and (Path(folder.stdout.strip()) / "timescaledb.so").exists()


def postgres_folder(version: str | None = None) -> Path | None:
    """Return the programs of the newest PostgreSQL that has TimescaleDB (of that major version, if given), or None."""
    for binaries in postgres_folders():
        if has_timescaledb(binaries) and version in (None, str(major(binaries))):
            return binaries
    return None


def missing(*, postgres: bool, redis: bool, browser: bool) -> list[str]:
    """Return the missing requirements, by the names of Debian's packages, and "timescaledb"."""
    absent = []
    if postgres and not postgres_folders():
        absent.append("postgresql")
    if postgres and postgres_folder() is None:
        absent.append("timescaledb")
    if redis and shutil.which("redis-server") is None:
        absent.append("redis-server")
    if browser and chromium() is None:
        absent.append(BROWSERS[0])
    if not has_library("libgomp.so.1"):
        absent.append("libgomp1")
    return absent


def chromium() -> str | None:
    """Return the path of a Chromium, None if there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def has_library(name: str) -> bool:
    """Return whether a shared library can be loaded (LightGBM needs GCC's OpenMP, which its wheel lacks)."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def ensure(*, postgres: bool, redis: bool, browser: bool = False) -> None:
    """Install what is missing; raises MachineError, with what to install, if we may not or cannot."""
    absent = missing(postgres=postgres, redis=redis, browser=browser)
    if not absent:
        return
    prefix = root_prefix()
    if shutil.which("apt-get") is None or prefix is None:
        raise MachineError(how_to_install(absent))
    say(f"installing {', '.join(absent)} (apt)")
    run([*prefix, "apt-get", "-qq", "update"])
    packages = [name for name in absent if name != "timescaledb"]
    if packages:
        install(prefix, *packages)
    if "timescaledb" in absent:
        install_timescaledb(prefix)
    left = missing(postgres=postgres, redis=redis, browser=browser)
    if left:
        raise MachineError(f"apt succeeded, but {', '.join(left)} is still missing; {DOCKER_WAY}")


def install_timescaledb(prefix: list[str]) -> None:
    """Install the distribution's package for the newest PostgreSQL that has one, else build Debian's source package."""
    for binaries in postgres_folders():
        package = f"postgresql-{major(binaries)}-timescaledb"
        known = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)  # noqa: S603, S607 - apt's own
        if known.returncode == 0 and known.stdout:
            install(prefix, package)
            return
    binaries = postgres_folders()[0]
    say("building TimescaleDB from Debian's source package (about a minute)")
    install(prefix, *BUILD_PACKAGES, f"postgresql-server-dev-{major(binaries)}")
    run([*prefix, "sh", str(BUILD), str(binaries / "pg_config")])


def install(prefix: list[str], *packages: str) -> None:
    """Install Debian packages non-interactively."""
    quiet = ["-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"]
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    run([*prefix, *environment, "apt-get", "-qq", "-y", "--no-install-recommends", *quiet, "install", *packages])


def root_prefix() -> list[str] | None:
    """Return the prefix to run a command as root: nothing, sudo, or None if neither is allowed."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if sys.stdin.isatty():
        return ["sudo"]
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)  # noqa: S607 - sudo of the PATH
    return ["sudo", "-n"] if allowed.returncode == 0 else None


def how_to_install(absent: list[str]) -> str:
    """Return the message for a user who may not install packages here."""
    packages = [name for name in absent if name != "timescaledb"]
    if "timescaledb" in absent:
        packages.append(
            "postgresql-17-timescaledb (Debian 13; on Debian 12 `./foretick up` builds it when run as root)"
        )
    return f"not installed: {', '.join(absent)}. As root: apt-get install {' '.join(packages)}; {DOCKER_WAY}"


def run(command: list[str]) -> None:
    """Run a command of the installation; its output goes to stderr only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-4000:])
        raise MachineError(f"`{' '.join(command)}` failed ({done.returncode}); its output is above; {DOCKER_WAY}")


def named_servers() -> set[str]:
    """Return the keys of the settings file, none if it is absent or faulty: `up` itself tells of that."""
    home = os.environ.get("FORETICK_HOME") or Path(__file__).resolve().parents[1] / ".foretick"
    path = Path(os.environ.get("FORETICK_CONFIG") or Path(home) / "foretick.toml").expanduser()
    try:
        return set(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()


def say(line: str) -> None:
    """Print a message about slow work on stderr."""
    sys.stderr.write(f"foretick: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        named = named_servers()
        ensure(postgres="database_url" not in named, redis="redis_url" not in named)
    except MachineError as error:
        sys.exit(f"foretick: {error}")
