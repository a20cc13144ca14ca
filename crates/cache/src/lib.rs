//! The one place that talks to Redis, and what stands in when there is none.
