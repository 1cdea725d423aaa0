"""The family of errors. An error carries the decision: whoever catches it asks its fields, never its message.

Messages are written for logs, so nothing personal may stand in them.
"""

from typing import Literal

# What an error of Twilio means for the message it is about; `twilio_api.codes` holds which code means what.
Decision = Literal["retry", "in doubt", "drop", "unreachable", "opted out", "outside window", "stop all", "our fault"]


class PipelineError(Exception):
    """Whatever we raise ourselves."""


class SettingsError(PipelineError):
    """The environment cannot be run with; `problems` names all that is wrong at once, never a secret's value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["The settings cannot be used:", *(f"  - {problem}" for problem in problems)]))


class SealError(PipelineError):
    """A sealed value cannot be opened: sealed with a key we don't have, moved from elsewhere, or damaged."""


class WrongKeysError(PipelineError):
    """The keys in the settings are not those that sealed what stands in this Redis."""


class LockLostError(PipelineError):
    """The person's lock is no longer ours: another worker goes on from what was committed. Not a failure."""


class SendError(PipelineError):
    """A message was not, or perhaps not, taken by Twilio.

    `code` is Twilio's error code (0: none came), `decision` what to do about it, `retry_after` the seconds Twilio
    asked us to wait, where it named them.
    """

    def __init__(self, decision: Decision, code: int = 0, retry_after: float | None = None) -> None:
        self.decision = decision
        self.code = code
        self.retry_after = retry_after
        super().__init__(f"{decision} (Twilio code {code})")
