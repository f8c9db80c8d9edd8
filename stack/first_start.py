"""What the script ./foretick does after it has installed the packages, done by the first `up` where there is none."""

import subprocess
from pathlib import Path

from settings import places
from settings.home import private
from settings.version import package_version
from stack.errors import MachineError
from stack.system import say

STAMP = "compiled"


def compile_ahead(home: Path) -> None:
    """Compile the indicators and the modules of the components, once for each installed version; not in a checkout.

    Else the first training would, in the time that a start may take.
    """
    installed = f"{package_version()} {(places.ROOT / 'features' / '__init__.py').stat().st_ctime_ns}\n"
    stamp = home / STAMP
    if places.CHECKOUT or (stamp.exists() and stamp.read_text() == installed):
        return
    say("first start of this version: compiling the indicators (about a minute)")
    private(home)
    environment = places.environment()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # writing it is what this is for
    commands = [places.module(name) for name in ("stack.kafka_classes", "stack.bytecode", "features")]
    running = [subprocess.Popen(one, cwd=places.FOLDER, env=environment) for one in commands]  # noqa: S603 - our own commands
    codes = [process.wait() for process in running]
    if any(codes[1:]):  # without its classes, which has said why, Kafka only starts more slowly
        raise MachineError("the indicators could not be compiled; what Python said is above")
    stamp.write_text(installed)
