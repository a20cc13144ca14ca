use std::fmt::Write;

use crate::{Health, Lifecycle, Metrics, ServiceSettings};

/// What a process is and has; everything in it is shared with everybody in the process.
#[derive(Clone)]
pub struct Process {
    /// When to leave.
    pub lifecycle: Lifecycle,
    /// What works.
    pub health: Health,
    /// What can be counted.
    pub metrics: Metrics,
    /// The machine's or the pod's name.
    pub hostname: String,
    /// Names this process among all that ever ran, so that two can never share a subscription by accident.
    pub instance: String,
}

impl Process {
    /// A process of these settings.
    #[must_use]
    pub fn new(settings: &ServiceSettings) -> Self {
        let hostname = settings.hostname.clone().unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned());
        let (lifecycle, metrics) = (Lifecycle::new(settings.drain_budget), Metrics::default());
        let health = Health::new(lifecycle.clone(), metrics.clone());
        Self { lifecycle, health, metrics, instance: unique_instance(&hostname), hostname }
    }
}

/// The host's name in the alphabet of Pub/Sub ids, and 64 random bits.
fn unique_instance(hostname: &str) -> String {
    let mut name: String =
        hostname.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' }).take(40).collect();
    // Writing to a String cannot fail.
    let _ = write!(name, "-{:016x}", rand::random::<u64>());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_a_legal_name_and_never_the_same_twice() {
        let (one, other) = (unique_instance("Pod_7.example"), unique_instance("Pod_7.example"));
        assert_ne!(one, other);
        assert!(one.starts_with("pod-7-example-"), "{one}");
    }
}
