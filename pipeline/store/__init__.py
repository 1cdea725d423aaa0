"""What we keep in Redis. Every key is named and explained here, and written by the modules and scripts of this folder.

`K` is a contact key (`seal.Hasher.contact_key`), `A` the key of one address: the same kind of hash, and equal to K for
the first address a person wrote from. All names begin with `msme:`; beside them stand RQ's own (`rq:…`, see
`pipeline.wakeups`). Times are milliseconds of Redis's own clock. *Sealed* is explained in `pipeline.seal`. Nothing
personal stands here outside a seal.

Of one person:

| key | type | what | kept |
|---|---|---|---|
| `alias:A` | string | K of whoever writes from this address | as the contact |
| `inbox:K` | list | waiting messages, oldest first: `sid A sealed` | until taken |
| `outbox:K` | list | what is to be said, oldest first: JSON `{ref, at, body}`, the body sealed | until sent |
| `lock:K` | string | the token of the worker that talks with this person | 8 s, renewed |
| `session:K` | string | sealed Session | SESSION_HOURS from the last turn |
| `contact:K` | string | sealed Contact | CONTACT_DAYS from the last message |
| `person:K` | hash | what scripts must read, see below | as the contact |
| `status:K` | hash | reference → `rank status sid code time`: how each of our messages fares | 48 h |
| `last:K` | string | the reply sent last as it stood in the outbox, in case it must be sent once more | 48 h |

`person:K` holds `last_in` (arrival of the last message), `step` (the last one known), `timer` (when the session wants
a turn without a message), `starts` and `raised` (of the inbox head: how often begun, how often failed), `attempt` and
`attempted_at` (the reference and time of a POST whose outcome is not recorded), `tries`, `out_due` (of the outbox head:
how often refused, when next), `last_post` (time of the last attempt), `resend` and `resend_at` (a reference that Twilio
took and then failed to deliver), `addresses` (every A of this person), `slow` (more came than the inbox takes),
`slowed` (when the person was told so last), `broadcast` (the one whose message is to be released to them), `erased`
(only the receipt of the erasure is still to be said).

Of all:

| key | type | what | kept |
|---|---|---|---|
| `received:SID` | string | this message came through the door | 7 days |
| `due` | sorted set | K → when to look after this person next, if nobody does before | while there is work |
| `optouts` | hash | K → since when nothing may be sent that we start | for ever |
| `people:STEP` | sorted set | K by arrival of the last message, of those whose last step is STEP | as the contact |
| `live:STEP` | sorted set | K by the end of the session, of those who stand at STEP | the session |
| `erased_sids` | sorted set | SIDs of the last messages to people who had themselves erased → when | 2 min |
| `support` | sorted set | K → when this person asked for the team | as the contact |
| `pace:SENDER` | list | times of the last attempts of one WhatsApp sender | 1 min |
| `stopped` | hash | `code since probe_at`: Twilio refuses everything we send | until a send succeeds |
| `auth_down` | string | the Auth API is not to be asked before this key expires | seconds |
| `auth_asked` | string | somebody asked for the Auth API's health, and nobody else is to | 10 s |
| `auth_health` | string | 1 when it was well then, else 0 | 30 s |
| `auth_failures` | string | how often in a row it could not be asked | 10 min |
| `failed` | hash | id → JSON of what went wrong with a message, the text sealed | FAILED_DAYS |
| `failed_at` | sorted set | id → when | FAILED_DAYS |
| `broadcasts` | sorted set | id → when it was made | 90 days |
| `broadcasts_open` | sorted set | id → when it starts, of those that are not over | until over |
| `broadcast:B` | hash | state, times, name, step, the sealed text, why paused, counters `n_*`, its token | 90 days |
| `broadcast_rows:B` | hash | K → `state detail time generation` | 90 days |
| `broadcast_queue:B` | list | K of whoever is to be reached still | until reached |
| `broadcast_recent:B` | list | of the last 100 results, 1 for a failure | 7 days |
| `broadcast_in_hand` | sorted set | `B K` handed to a worker → when | until served or given back |
| `broadcast_pace` | string | until when the broadcasts' share of the pace is used up | for ever |
| `broadcast_turn` | string | whose turn it is | for ever |
| `reply_count` | string | attempts at replies since recipients were handed out last | for ever |
| `audit` | list | who did what, newest first, as JSON | the newest 10,000 |
| `tally:DAY` | hash | counters of one day of India (days since 1970) | 400 days |
| `totals` | hash | the same counters since the beginning | for ever |
| `alive:KIND` | sorted set | worker processes, clocks → when they last said so | 1 min after the last |
| `last_in` | string | when the last message of anybody came in | for ever |
| `alarms` | hash | kind of alarm → when it was said last | for ever |
| `waiting` | sorted set | K → since when the oldest message waits for its answer | while there is one |
| `wrong_tries:H` | string | how often whoever stands behind the hash H guessed at a token | 1 min |
| `signed_in:H` | string | whoever's visit of the dashboard is behind the hash H has signed in | 8 h |
| `watermark` | string | up to when Twilio's own list of messages to us was read | for ever |
| `watermark_asked` | string | when something may have been missed last, so that the list is read again | for ever |
| `canary` | string | sealed; opens only with the keys that belong to this Redis | for ever |
"""

from datetime import datetime

PREFIX = "msme:"


def milliseconds(moment: datetime) -> int:
    """How moments stand in Redis: since 1970."""
    return int(moment.timestamp() * 1000)
