"""Two hours at five times the sample's rate: `python -m bench.soak [--minutes 120] [--save]`.

The database is slow for a twelfth of the time, in the middle. Prints the figures by quarter, and what is not as it is
to be: memory that grew, a lag that was not worked off, a row that is missing, a restart, an error that nothing
explains. Exit code 1 where there is any.
"""

import argparse
import json
import sys

from bench.report import save
from bench.soak.figures import findings
from bench.soak.run import run

OURS = ("worker", "persist", "watch", "trainer", "alerts", "dashboard", "api", "mlflow", "supervisor")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    figures = run(options.minutes)
    wrong = findings(figures, OURS)
    print(json.dumps(figures.as_json(), indent=2))
    print("\n".join(wrong) or "all as it is to be")
    if options.save:
        save(
            "chaos/soak", f"python -m bench.soak --minutes {options.minutes:g}", figures.as_json() | {"findings": wrong}
        )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
