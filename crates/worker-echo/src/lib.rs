//! Returns what it is given; can sleep, report progress, fail and panic on request.
