"""Twilio: its webhooks (`webhooks`), its REST API (`rest`) and what its error codes mean for us (`codes`).

Twilio's own names for things (`MessageSid`, `Body`) appear in this folder and nowhere else. `webhooks` does not import
the REST client, which is slow to import and which the receiver never needs.
"""
