"""`python -m stack [NAME…]`: the supervisor in this process, for all components or for those named."""

import sys

from settings import Settings
from stack import supervisor
from stack.component_table import components

settings = Settings()
wanted = sys.argv[1:]
supervisor.run(
    lambda: tuple(component for component in components(settings) if not wanted or component.name in wanted),
    settings.home.resolve(),
)
