//! What every Mayfly process has: settings, telemetry, health and a drain.
