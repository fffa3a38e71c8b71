//! Moments: now, as a version is made of it, and others as people and programs read them.

use std::time::{Duration, SystemTime};

use dunlin_core::draft::Moment;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Now, in UTC.
pub(crate) fn now() -> Moment {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let part = |it: i8| u8::try_from(it).unwrap_or_default();
    Moment {
        year: u16::try_from(now.year()).unwrap_or_default(),
        month: part(now.month()),
        day: part(now.day()),
        hour: part(now.hour()),
        minute: part(now.minute()),
        second: part(now.second()),
    }
}

/// `2026-05-02T10:14:07.123456Z`
pub(crate) fn rfc3339(at: SystemTime) -> Option<String> {
    Timestamp::try_from(at).ok().map(|at| at.to_string())
}

/// `2026-05-02 10:14:07`, in UTC.
pub(crate) fn readable(at: SystemTime) -> String {
    let at = Timestamp::try_from(at).ok();
    at.map_or_else(String::new, |at| at.strftime("%F %T").to_string())
}

/// `7 ms`, `2.4 s`, `3 min 20 s`.
pub(crate) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..60_000 => format!("{seconds}.{} s", ms % 1000 / 100),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
