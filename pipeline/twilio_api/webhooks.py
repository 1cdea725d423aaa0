"""Twilio's webhooks: are they from Twilio, and what do they say?"""

import re
from collections.abc import Iterable, Mapping

from twilio.request_validator import RequestValidator, compare, get_signature_algorithm
from werkzeug.datastructures import MultiDict

from pipeline.messages import DeliveryStatus, Inbound

_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_REFERENCE = re.compile(r"[0-9a-f]{32}-[0-9A-Za-z-]{1,100}")


# A message of nobody: the doctor posts it to see whether webhooks come through, and nothing is taken in.
PROBE_SID = "SM" + 32 * "0"
PROBE_HEADER = "X-Webhook-Probe"


def probe(account_sid: str) -> dict[str, str]:
    """The form of such a message."""
    return {"AccountSid": account_sid, "MessageSid": PROBE_SID, "From": "whatsapp:probe"}


class _Values(dict[str, list[str]]):
    """A form in the shape that Twilio's validator tries first: any other costs an exception a field."""

    getall = dict.__getitem__


class Signature:
    """Checks that a webhook was signed by Twilio with one of our auth tokens.

    What is signed is the URL as Twilio called it: the public base and the raw request target, never a URL put together
    again by a framework, which decodes `%27` and loses a proxy's scheme, host and path.
    """

    def __init__(self, public_url: str, auth_tokens: Iterable[str]) -> None:
        self._public_url = public_url
        self._validators = [RequestValidator(token) for token in auth_tokens]

    def holds(self, target: str, form: "MultiDict[str, str]", signature: str | None, settings: str | None) -> bool:
        """Whether `signature` (header X-Twilio-Signature) is right for this target and form; `settings` is the header
        that names the algorithm when it is not the usual one."""
        if not signature or not signature.isascii():
            return False
        url, algorithm = self._public_url + target, get_signature_algorithm(settings)
        values = _Values(form.to_dict(flat=False))
        try:
            # `validate` hashes the URL with and without its port; as a rule it was signed just as it stands.
            return any(
                compare(validator.compute_signature(url, values, algorithm), signature)
                or validator.validate(url, values, signature, algorithm)
                for validator in self._validators
            )
        except ValueError:
            # urllib refuses some targets that no Twilio ever called.
            return False


def inbound(form: Mapping[str, str]) -> Inbound | None:
    """The message a webhook brings; None for a form that is not one. (A plain dictionary: Werkzeug's takes ten times as
    long to say that a field is not there.)"""
    sid, address = form.get("MessageSid", ""), form.get("From", "")
    if not _SID.fullmatch(sid) or not address:
        return None
    external_id = form.get("ExternalUserId", "")
    if external_id and not external_id.startswith("whatsapp:"):
        external_id = f"whatsapp:{external_id}"
    return Inbound(
        sid=sid,
        address=address,
        text=form.get("Body", ""),
        media=_whole_number(form.get("NumMedia", "")),
        location="Latitude" in form,
        tapped=form.get("ButtonPayload", "") or form.get("ListId", ""),
        opt_out=form.get("OptOutType", ""),
        external_id="" if external_id == address else external_id,
    )


def delivery_status(reference: str, form: Mapping[str, str]) -> DeliveryStatus | None:
    """What a status callback says of the message with our `reference`; None for a form that is not one."""
    sid = form.get("MessageSid", "")
    status = "read" if form.get("EventType") == "READ" else form.get("MessageStatus", "")
    if not _SID.fullmatch(sid) or not _REFERENCE.fullmatch(reference) or not re.fullmatch(r"[a-z_]{1,20}", status):
        return None
    return DeliveryStatus(reference, sid, status, _whole_number(form.get("ErrorCode", "")))


def _whole_number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
