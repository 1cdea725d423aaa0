"""What the bot says of the house it speaks for: the login page, the team behind SUPPORT, how long things are kept."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Desk:
    """The facts of the house that the conversation needs; made once from the settings.

    `otp_waits`: how long to wait before each next try to have an OTP sent while the Auth API is down; when they are
    used up, the person is told and sent to SUPPORT.
    """

    web_app_url: str
    support_email: str
    support_phone: str
    support_hours: str
    session_hours: int
    contact_days: int
    otp_waits: tuple[timedelta, ...]

    def login_link(self, phone: str) -> str:
        """Where a registered person logs in; `phone` is `+91XXXXXXXXXX`."""
        return f"{self.web_app_url.rstrip('/')}/login?{urlencode({'phone': phone, 'source': 'whatsapp'})}"
