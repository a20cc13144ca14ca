use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use shared::limits::MAX_RETRY_AFTER;

/// Reads a `Retry-After` header: seconds, or a date as HTTP writes it. At most [`MAX_RETRY_AFTER`]; `None` for what is
/// over already or cannot be read.
pub(crate) fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let pause = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has is a long time too.
        value.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        let date = DateTimeParser::new().parse_timestamp(value).ok()?;
        Duration::try_from(date.duration_since(now)).ok()?
    };
    (!pause.is_zero()).then(|| pause.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn parsed(value: &str) -> Option<Duration> {
        parse(value, "2026-11-23T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn receivers_ask_in_seconds_or_by_date() {
        assert_eq!(parsed(" 120 "), Some(Duration::from_mins(2)));
        assert_eq!(parsed("Mon, 23 Nov 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
    }

    #[test]
    fn nobody_puts_a_job_off_for_longer_than_the_limit() {
        for value in ["601", "99999999999999999999999", "Tue, 24 Nov 2026 12:00:00 GMT"] {
            assert_eq!(parsed(value), Some(MAX_RETRY_AFTER), "{value}");
        }
    }

    #[test]
    fn what_is_over_or_makes_no_sense_asks_for_nothing() {
        for value in ["0", "", "-5", "soon", "1.5", "Mon, 23 Nov 2026 11:59:00 GMT"] {
            assert_eq!(parsed(value), None, "{value}");
        }
    }
}
