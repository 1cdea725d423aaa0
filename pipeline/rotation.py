"""Rotating the seal keys while the service runs."""

from pipeline import care, logs
from pipeline.errors import SealError
from pipeline.runtime import Runtime
from pipeline.store import canary

log = logs.get(__name__)


def rotate(runtime: Runtime) -> int:
    """Seals everything anew with the first key, each person under their lock; answers how many people were looked at.

    Run again after an interruption, it passes over what is done. What no key opens is logged and left as it is.
    """
    people = 0
    try:
        runtime.resealer.reseal_broadcasts()
    except SealError as error:
        log.error("not_resealed", problem=str(error))
    for key in runtime.resealer.people():
        with care.held(runtime, key) as (hold, _):
            try:
                runtime.resealer.reseal(hold)
            except SealError as error:
                log.error("not_resealed", problem=str(error))
        people += 1
    canary.reseal(runtime.redis, runtime.seal, runtime.hasher)
    return people
