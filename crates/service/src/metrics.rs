use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{encoding::text::encode, registry::Registry};

/// The figures of one process. Cheap to clone; all clones are one.
///
/// Every crate declares its figures in one struct and registers it here, so names cannot be spelt in two ways.
#[derive(Clone)]
pub struct Metrics(Arc<Mutex<Inner>>);

struct Inner {
    registry: Registry,
    registered: HashMap<TypeId, Box<dyn Any + Send>>,
}

impl Metrics {
    /// The type of [`Metrics::encode`]'s text.
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Registers a struct of figures. The same type again gives the same figures: several workers in one process share theirs.
    pub fn register<T: Clone + Send + 'static>(&self, build: impl FnOnce(&mut Registry) -> T) -> T {
        let mut inner = self.lock();
        if let Some(known) = inner.registered.get(&TypeId::of::<T>()).and_then(|known| known.downcast_ref::<T>()) {
            return known.clone();
        }
        let figures = build(&mut inner.registry);
        inner.registered.insert(TypeId::of::<T>(), Box::new(figures.clone()));
        figures
    }

    /// All figures as OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail; a figure that cannot be written is cut rather than fatal.
        let _ = encode(&mut text, &self.lock().registry);
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner { registry: Registry::with_prefix("mayfly"), registered: HashMap::new() })))
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[derive(Clone)]
    struct Figures {
        jobs: Counter,
    }

    fn figures(registry: &mut Registry) -> Figures {
        let jobs = Counter::default();
        registry.register("jobs", "Jobs done", jobs.clone());
        Figures { jobs }
    }

    #[test]
    fn two_owners_of_the_same_figures_count_together() {
        let metrics = Metrics::default();
        metrics.register(figures).jobs.inc();
        metrics.register(figures).jobs.inc();
        let text = metrics.encode();
        assert!(text.contains("mayfly_jobs_total 2"), "{text}");
        assert_eq!(text.matches("# TYPE").count(), 1, "{text}");
    }
}
