"""Everything outside the product, small enough for a laptop: Twilio, the Auth API, a Valkey server, a phone.

`python -m sandbox` runs the product against all of it (see `__main__`). Tests use the same pieces in their own process:

    with FakeTwilio(webhook_url=...) as twilio, FakeAuth() as auth:
        asha = twilio.person("whatsapp:+919800000001")
        asha.say("Hi")

Nothing here imports `pipeline/`: were a mistake shared by both sides, no test would see it.
"""
