"""Imports the components' modules, so that Python caches the bytecode: `python -m stack.bytecode`, after an install.

Without it each of the processes of a first `up` compiles the same modules; compiling all packages takes longer, and a
quarter more space.
"""

from importlib import import_module

MODULES = (
    *(
        "stream.worker",
        "stream.persist",
        "learning.watch",
        "learning.trainer",
        "learning.deployment.announce",
        "alerts.worker",
    ),
    *("dashboard.serve", "api.serve", "stack.prepare", "stack.sample", "stack.mlflow_server", "mlflow.server"),
    *("cli.main", "stack.supervisor", "stack.component_table"),
)
"""The modules started by `stack.component_table`, and those that MLflow's component imports when it runs."""

if __name__ == "__main__":
    for module in MODULES:
        import_module(module)
