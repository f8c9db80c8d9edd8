"""`python -m stack [--no-sample] [NAME…]`: the supervisor in this process, for all components or for those named."""

import sys

from settings import Settings
from stack import supervisor
from stack.table import components

names = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
table = components(Settings(), sample="--no-sample" not in sys.argv)
supervisor.run(tuple(component for component in table if not names or component.name in names), Settings().home)
