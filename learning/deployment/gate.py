"""Which versions may challenge a champion: a coarse filter before the decisive live test. Pure."""

from math import hypot

from learning.runs.step_results import WalkForwardSkill

ERRORS = 2.0
"""By how many standard errors of the difference a version must be worse to be rejected."""


def refused(skill: WalkForwardSkill | None, champion: WalkForwardSkill | None) -> str | None:
    """Return in a line why a version may not challenge, None if it may.

    It may not if its skill in the walk forward is unknown, or lower than the champion's was in the champion's own walk
    by more than twice the standard error of the difference. The two walks are over different days, but each skill is
    against the naive model on the same days, and the live test, on the same bars, decides which is better.
    """
    if skill is None or skill.mean is None or skill.error is None:
        return "its skill in the walk forward is unknown"
    if champion is None or champion.mean is None or champion.error is None:
        return None
    error = hypot(skill.error, champion.error)
    if champion.mean - skill.mean > ERRORS * error:
        return (
            f"its skill in the walk forward, {100 * skill.mean:+.2f} %, is below the champion's, "
            f"{100 * champion.mean:+.2f} %, by more than {ERRORS:g} standard errors ({100 * error:.2f})"
        )
    return None
