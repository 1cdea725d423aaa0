"""Twilio's REST API: send a message, list recent ones. Every failure is a SendError that says what to do."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from pipeline.errors import SendError
from pipeline.messages import Listed
from pipeline.twilio_api.codes import decide
from pipeline.twilio_api.connections import KeptConnections, never_left, pool_for

_TIMEOUT_SECONDS = 10
# Making a connection is given up early: a POST that leaves long after its attempt was recorded may meet another worker
# that has settled the attempt meanwhile.
_CONNECT_SECONDS = 3
# A chat reply that Twilio could not hand on for ten minutes is no longer an answer to anything.
_VALIDITY_SECONDS = 600
_PAGE_SIZE = 100
# What Twilio's client raises over an answer that is not what it expects.
_UNREADABLE = (TwilioException, ValueError, TypeError, KeyError, AttributeError)


class TwilioRest:
    """Our account at Twilio; safe to share, for each thread has a client of its own, over connections for all."""

    def __init__(
        self, account_sid: str, credentials: tuple[str, str], base_url: str, sender: str, status_callback: str
    ) -> None:
        self._account_sid = account_sid
        self._credentials = credentials
        self._base_url = base_url
        self._sender = sender
        self._status_callback = status_callback
        self._threads = threading.local()
        self._pool = pool_for(base_url)
        # At INFO this logger writes whole requests, phone numbers and texts included.
        logging.getLogger("twilio.http_client").setLevel(logging.WARNING)

    def send(self, to: str, text: str, reference: str, content_sid: str = "", variables: str = "") -> str:
        """Posts one message, free text or an approved template (`content_sid`, with variables as JSON), and returns
        Twilio's SID of it. Raises SendError."""
        content = {"content_sid": content_sid, "content_variables": variables} if content_sid else {"body": text}
        try:
            message = self._client.messages.create(
                to=to,
                from_=self._sender,
                **content,
                status_callback=f"{self._status_callback}?{urlencode({'ref': reference})}",
                validity_period=_VALIDITY_SECONDS,
            )
        except (TwilioRestException, TwilioServiceException) as error:
            raise self._refusal(error) from None
        except HTTPError as error:
            raise SendError("retry" if never_left(error) else "in doubt") from None
        except _UNREADABLE:
            # An answer that cannot be read: the message may have been taken.
            raise SendError("in doubt") from None
        if not isinstance(message.sid, str) or not message.sid:
            raise SendError("in doubt")
        return message.sid

    def sent_to(self, address: str, since: datetime) -> list[Listed]:
        """Our messages to this person that Twilio created at or after `since`, newest first. Raises SendError."""
        # Twilio's own filter goes by the sent date, which is empty while a message is queued.
        listed = self._listed(to=address, from_=self._sender)
        found = []
        for message in listed:
            if message.created < since:
                break
            if not message.inbound:
                found.append(message)
        return found

    def received(self, since: datetime) -> list[Listed]:
        """Messages to us that Twilio took at or after `since`, oldest first. Raises SendError."""
        found: list[Listed] = []
        older = 0
        # Newest first; a whole page of older ones says that there is nothing more.
        for message in self._listed(to=self._sender):
            older = 0 if message.created >= since else older + 1
            if older > _PAGE_SIZE:
                break
            if message.inbound and message.created >= since:
                found.append(message)
        # Twilio's times are whole seconds: within one, its order decides.
        found.reverse()
        return sorted(found, key=lambda message: message.created)

    def _listed(self, **wanted: Any) -> Iterator[Listed]:
        try:
            for message in self._client.messages.stream(page_size=_PAGE_SIZE, **wanted):
                yield Listed(
                    sid=message.sid or "",
                    inbound=message.direction == "inbound",
                    address=message.from_ or "",
                    text=message.body or "",
                    created=message.date_created or datetime.now(UTC),
                    media=int(message.num_media or 0),
                )
        except (TwilioRestException, TwilioServiceException) as error:
            raise self._refusal(error) from None
        except (HTTPError, *_UNREADABLE):
            raise SendError("retry") from None

    def _refusal(self, error: TwilioRestException | TwilioServiceException) -> SendError:
        code = int(error.code) if str(error.code).isdecimal() else 0
        return SendError(decide(code, int(error.status)), code, self._threads.http.retry_after)

    @property
    def _client(self) -> Client:
        if not hasattr(self._threads, "client"):
            timeout = Timeout(connect=_CONNECT_SECONDS, read=_TIMEOUT_SECONDS)
            http = self._threads.http = KeptConnections(self._pool, timeout)
            client = Client(*self._credentials, self._account_sid, http_client=http)
            client.api.base_url = self._base_url
            self._threads.client = client
        client = self._threads.client
        assert isinstance(client, Client)
        return client
