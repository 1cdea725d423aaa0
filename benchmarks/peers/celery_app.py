"""The turn as a Celery task: python -m celery -A benchmarks.peers.celery_app worker -P threads."""

from celery import Celery

from benchmarks.peers import turn as peer

app = Celery("peer", broker=peer.redis_url())
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    broker_connection_retry_on_startup=True,
    # The turn logs by itself, to the same standard error.
    worker_redirect_stdouts=False,
)
turn = app.task(peer.turn, name="turn")
