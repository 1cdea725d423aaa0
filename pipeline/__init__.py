"""A WhatsApp bot that registers small businesses on MSMEBazaar.

The path of a message:

1.  `endpoints.twilio` checks Twilio's signature and reads the form (`twilio_api.webhooks`).
2.  `intake` makes it durable in one transaction: sealed into the person's inbox (`store.door`), and a wake-up on RQ
    (`wakeups`). Only then Twilio gets its 200.
3.  A worker thread (`lean_worker`) gets the wake-up, `jobs.wake` calls `attend`.
4.  `attend` takes the person's lock and reads how things stand (`store.turns`).
5.  `conversation.advance` decides what is said. It is pure: a value in, a value out.
6.  What a step asks of the world (`effects`) is done by `attend`: an OTP through `auth_api`.
7.  One commit: session, replies into the outbox, the message off the inbox, counters.
8.  `delivery` sends the outbox, each attempt recorded before it is made (`store.outboxes`, `twilio_api.rest`).
9.  Status callbacks tell how it fared (`store.statuses`).
10. `housekeeping` and `clock` find whoever was forgotten by something that died.

Words: a *contact* is a person on WhatsApp; their *address* is how Twilio names them, opaque to us; the *contact key* is
its keyed hash, which stands for the person everywhere. A *turn* is one exchange, a *step* where a conversation stands,
a *reply* what a turn says, an *effect* what it asks of the world. An *attempt* is one POST of one reply; it is *in
doubt* while its outcome is unknown. The *sweep* wakes a worker for whoever is overdue. The *window* are the 24 hours
after a person's last message in which WhatsApp takes free text.
"""
