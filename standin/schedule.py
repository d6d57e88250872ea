"""What runs by itself, and what of it is switched off; pure but for one look into the database."""

from datetime import UTC, datetime
from typing import Any

from standin.configuration import configuration

#: Id of what is switched off, in Configuration.
SETTING = "scheduler"
#: Applying retention policies, and moving old events to files.
RETENTION, EVENT_RETENTION = "Retention", "EventRetention"
NAMES = (EVENT_RETENTION, RETENTION)
#: Retention's times: whenever so many seconds of the day, UTC, have passed, as a cron line does.
RETENTION_EVERY = 4 * 3600.0
#: Seconds between two looks for events that are old enough.
EVENTS_EVERY = 3600.0
#: Days that events stay in the database when nobody says otherwise (octopus-facts §1b).
EVENT_DAYS = 90
#: Events stay until somebody starts it: the audit trail is what experiments compare with.
_OFF_AT_FIRST = (EVENT_RETENTION,)


def retention_is_due(began: datetime, last: datetime | None, now: datetime) -> bool:
    """Say whether the schedule's latest time lies after a node's start and after retention was last queued."""
    due = datetime.fromtimestamp(now.timestamp() // RETENTION_EVERY * RETENTION_EVERY, UTC)
    return due > began and (last is None or last < due)


async def stopped(conn: Any) -> set[str]:
    """Return the names of what is switched off."""
    return set((await configuration(conn, SETTING)).get("Stopped", _OFF_AT_FIRST))


async def event_days(conn: Any) -> int:
    """Return after how many days events are moved to files."""
    kept = await configuration(conn, "eventretention")
    return int(kept.get("EventRetentionDays") or EVENT_DAYS)
