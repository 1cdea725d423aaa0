"""The least that any Flask receiver costs: one route that returns the same TwiML, and does nothing else."""

from flask import Flask, Response

app = Flask(__name__, static_folder=None)


@app.post("/webhook")
def message() -> Response:
    """Says that it came."""
    return Response("<Response/>", content_type="text/xml")
