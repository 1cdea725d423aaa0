"""A person with WhatsApp, as seen from Twilio: what they write reaches the product as signed webhooks."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sandbox.ledger import Message
from sandbox.webhooks import Delivery, Form

if TYPE_CHECKING:
    from sandbox.twilio import FakeTwilio


class NoReply(AssertionError):
    """The bot said less than was waited for."""


@dataclass(frozen=True)
class Person:
    """Somebody at an address such as `whatsapp:+919800000001` or, without a number, `whatsapp:IN.1349…`."""

    twilio: "FakeTwilio"
    address: str
    name: str = "Asha"
    external_user_id: str = ""

    def say(self, text: str, *, again_after: float | None = None, delivered: bool = True, **fields: str) -> Delivery:
        """Write something; returns when the product has answered the webhook.

        `again_after`: Twilio delivers it a second time, that many seconds after it began with the first.
        `delivered=False`: Twilio has the message on record, and the webhook never comes: an outage.
        `fields`: further parameters of the webhook, or other values for the usual ones.
        """
        message = Message(
            account_sid=self.twilio.account.sid,
            from_=self.address,
            to=self.twilio.account.number,
            body=text,
            direction="inbound",
            status="received",
            form=fields,
        )
        message.sent_at = message.created_at
        self.twilio.ledger.add(message)
        if not delivered:
            return Delivery(message.sid)
        send = partial(self.twilio.post_webhook, self._form(message, fields), message.sid)
        if again_after is not None:
            self.twilio.later.call(again_after, send)
        return send()

    def send_picture(self, caption: str = "") -> Delivery:
        """Send a photo."""
        url = f"{self.twilio.url}/media/0"
        return self.say(caption, NumMedia="1", MessageType="image", MediaUrl0=url, MediaContentType0="image/jpeg")

    def send_location(self, latitude: float = 18.93, longitude: float = 72.83) -> Delivery:
        """Share a place, by default in Mumbai."""
        return self.say("", MessageType="location", Latitude=str(latitude), Longitude=str(longitude))

    def tap(self, text: str, button: str) -> Delivery:
        """Tap a quick reply: its title and its id."""
        return self.say(text, MessageType="button", ButtonText=text, ButtonPayload=button)

    @property
    def replies(self) -> list[str]:
        """What the bot has said to this person so far."""
        return [message.body for message in self.twilio.ledger.sent_to(self.address)]

    def wait_for_replies(self, count: int, seconds: float = 20.0) -> list[str]:
        """All replies as soon as there are `count` of them. Raises NoReply when the time is over."""
        replies = [message.body for message in self.twilio.ledger.wait_for(self.address, count, seconds)]
        if len(replies) < count:
            raise NoReply(f"{len(replies)} replies instead of {count} within {seconds:g} s: {replies}")
        return replies

    def _form(self, message: Message, fields: dict[str, str]) -> Form:
        form = {
            "AccountSid": message.account_sid,
            "ApiVersion": "2010-04-01",
            "Body": message.body,
            "From": message.from_,
            "MessageSid": message.sid,
            "MessageType": "text",
            "NumMedia": "0",
            "NumSegments": "1",
            "ProfileName": self.name,
            "ReferralNumMedia": "0",
            "SmsMessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "To": message.to,
        }
        if self.address.startswith("whatsapp:+"):
            form["WaId"] = self.address.removeprefix("whatsapp:+")
        if self.external_user_id:
            form["ExternalUserId"] = self.external_user_id
        return list({**form, **fields}.items())
