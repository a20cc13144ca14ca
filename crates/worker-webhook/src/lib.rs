//! Delivers signed webhooks after the Standard Webhooks specification.
