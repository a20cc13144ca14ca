//! Durations with bounds.

use crate::error::Error;
use std::{ops::RangeInclusive, time::Duration};

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long messages may be kept.
pub(super) const RETENTION: RangeInclusive<Duration> = Duration::from_secs(10 * 60)..=Duration::from_secs(31 * DAY.as_secs());

/// Checks a duration from the wire.
pub(super) fn within(field: &str, value: prost_types::Duration, bounds: &RangeInclusive<Duration>) -> Result<Duration, Error> {
    Duration::try_from(value).ok().filter(|duration| bounds.contains(duration)).ok_or_else(|| {
        Error::invalid(format!(
            "Invalid {field} {value}: it must be between {}s and {}s.",
            bounds.start().as_secs(),
            bounds.end().as_secs()
        ))
    })
}

/// To the wire.
pub(super) fn wire(duration: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).expect("bounded durations fit")
}

/// A duration that [`within`] has accepted.
pub(super) fn accepted(duration: prost_types::Duration) -> Duration {
    Duration::try_from(duration).expect("it was checked when it was set")
}
