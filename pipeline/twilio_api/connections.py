"""The connections to Twilio's REST API: one pool a process, kept open, straight on urllib3.

Twilio's own HTTP client goes through `requests`, which puts every request together from scratch, the environment's
proxies included; that cost an eighth of a worker's CPU. Its base class is made for others to be put there:
https://www.twilio.com/docs/libraries/python/custom-http-client
"""

import logging
import ssl
from typing import Any
from urllib.parse import urlencode

import certifi
import requests
import urllib3
from requests.utils import select_proxy
from twilio.http import HttpClient
from twilio.http.response import Response

# More than a process has threads, so that no connection is given up for want of room.
_KEPT = 80


def pool_for(base_url: str) -> urllib3.PoolManager:
    """Connections to this address, by way of the proxy and with the certificates that the environment names
    (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE), which is asked once."""
    named = requests.Session().merge_environment_settings(base_url, {}, None, None, None)
    authorities = named["verify"] if isinstance(named["verify"], str) else certifi.where()
    # Nothing is tried again here, and no redirect followed: what became of a POST is for others to find out.
    options: dict[str, Any] = {
        "maxsize": _KEPT,
        "retries": False,
        "ssl_context": ssl.create_default_context(cafile=authorities),
    }
    proxy = select_proxy(base_url, named["proxies"])
    if proxy is None:
        return urllib3.PoolManager(**options)
    known = urllib3.util.parse_url(proxy).auth
    return urllib3.ProxyManager(proxy, proxy_headers=urllib3.make_headers(proxy_basic_auth=known), **options)


class KeptConnections(HttpClient):
    """HTTP for one thread's Twilio client, over the connections of all. `retry_after` is for how many seconds the last
    answer wanted to be left alone. Raises urllib3's HTTPError."""

    def __init__(self, pool: urllib3.PoolManager, timeout: urllib3.Timeout) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), is_async=False, timeout=None)
        self.retry_after: float | None = None
        self._pool = pool
        self._timeout = timeout

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request; the parameters are those that Twilio's client passes."""
        answer = self._pool.request(
            method,
            f"{url}?{urlencode(params, doseq=True)}" if params else url,
            body=urlencode(data, doseq=True) if data else None,
            headers={**(headers or {}), **(urllib3.make_headers(basic_auth=":".join(auth)) if auth else {})},
            timeout=self._timeout,
        )
        seconds = answer.headers.get("Retry-After", "")
        self.retry_after = float(seconds) if seconds.isascii() and seconds.isdecimal() else None
        return Response(answer.status, answer.data.decode(errors="replace"), answer.headers)


def never_left(error: urllib3.exceptions.HTTPError) -> bool:
    """Whether no connection was made, so that Twilio cannot have seen the request."""
    cause = error.original_error if isinstance(error, urllib3.exceptions.ProxyError) else error
    return isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)
