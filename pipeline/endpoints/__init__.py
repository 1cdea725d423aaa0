"""The HTTP endpoints, one module for each kind of caller; `web.py` puts them together.

| module | who calls |
|---|---|
| `twilio` | Twilio: messages and status callbacks, signed |
| `health` | load balancers and operators: open, tells no secrets |
| `broadcasts` | admins |
| `admin`, `visits` | the admin's browser |
| `access` | what stands before everything an admin may ask |
"""
