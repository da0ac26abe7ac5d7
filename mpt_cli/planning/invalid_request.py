"""The error of a request that is refused before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.model.choices import OnError
from mpt_cli.model.errors import InputError, IssueCode

if TYPE_CHECKING:
    from mpt_cli.config.sections import Config


def refusal(problems: int, config: Config, *, too_few: bool) -> InputError:
    """Return the error of a request that validation refuses.

    Args:
        problems: Number of clips and parameters that cannot be used.
        config: The configuration that holds for the request.
        too_few: Whether each problem is one of a clip that could be left out.
    """
    why, hint = "", None
    if too_few and config.processing.on_error is OnError.FAIL:
        hint = "add --on-error skip to leave bad clips out"
    elif too_few:
        why = f" and less than {config.processing.required_success_rate:.0%} of the clips is left"
        hint = "lower --min-success-rate to go on with fewer"
    message = f"{problems} problem{'s' if problems != 1 else ''} found before any work{why}; nothing was written"
    return InputError(IssueCode.VALIDATION_FAILED, message, hint=hint)
