"""Which versions may challenge a champion: a coarse sieve before the test that counts, which is live. Pure."""

from math import hypot

from learning.results import Skill

ERRORS = 2.0
"""Standard errors of a difference by which a version must be worse to be kept back."""


def refused(skill: Skill | None, champion: Skill | None) -> str | None:
    """Return in a line why a version is not to challenge, None where it may.

    It may not where its skill in the walk forward is unknown, or is lower than the champion's was in the champion's
    own walk by more than twice the standard error of the difference. Those walks are over different days: but both
    skills are against the naive model on the same days, and the live test, on the same bars, decides what is better.
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
