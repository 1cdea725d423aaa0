"""The turn as a Dramatiq actor: python -m dramatiq benchmarks.peers.dramatiq_app -p 1 -t THREADS."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers import turn as peer

dramatiq.set_broker(RedisBroker(url=peer.redis_url()))
turn = dramatiq.actor(peer.turn, actor_name="turn")
