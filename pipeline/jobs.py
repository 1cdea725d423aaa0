"""What RQ runs, by name: `pipeline.jobs.wake` and its like (the list of names is in `pipeline.wakeups`)."""

from datetime import UTC, datetime

from pipeline import broadcasts, logs
from pipeline.attend import attend
from pipeline.catch_up import YOUNGEST
from pipeline.catch_up import catch_up as _catch_up
from pipeline.runtime import Runtime

log = logs.get(__name__)

_bound: list[Runtime] = []


def bind(runtime: Runtime) -> None:
    """Gives this process's jobs what they work with; called once, before the first job."""
    _bound[:] = [runtime]


def wake(key: str, sid: str) -> None:
    """Look after the person behind `key`. `sid` names the message that caused it, for whoever reads the queue."""
    log.debug("woken", trace=sid)
    try:
        attend(_bound[0], key)
    except Exception as error:
        # The job boundary. Nothing is lost: the person is still due and the sweep wakes somebody for them.
        log.error("wake_failed", error=error, trace=sid)


def sweep() -> None:
    """Wakes whoever is overdue, ahead of the queue: the clock's safety net behind the workers' own sweep."""
    sweep_once(_bound[0], at_front=True)


def catch_up() -> None:
    """Takes in what Twilio could not bring us, every five minutes or when asked. Dying over it costs seconds: whether
    it has to be done is known only by what was done."""
    if _bound[0].watermark.is_behind(datetime.now(UTC)):
        _catch_up(_bound[0], youngest=YOUNGEST)


def upkeep() -> None:
    """Removes what has outlived its time."""
    _bound[0].upkeep.remove_old(datetime.now(UTC))


def broadcast(id_: str) -> None:
    """Makes the list of a broadcast that is due, and lets it run."""
    try:
        broadcasts.start(_bound[0], id_)
    except Exception as error:
        # The clock finds a broadcast that was not started and has it done again.
        log.error("broadcast_not_started", error=error, broadcast=id_)


def sweep_once(runtime: Runtime, at_front: bool = False) -> float:
    """One sweep: claims the overdue and wakes a worker for each. Answers the seconds until somebody is due next."""
    overdue, seconds = runtime.schedule.claim()
    runtime.wakeups.wake(overdue, at_front)
    if overdue:
        log.debug("swept", people=len(overdue))
    return seconds
