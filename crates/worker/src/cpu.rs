//! Work that occupies a core: pixels, compression, hashing.

use std::{
    panic::resume_unwind,
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};

use tokio::sync::Semaphore;

/// Cores belong to the machine, so there is one bound per process, whatever number of kinds it serves.
static CORES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from))));

/// Runs `work` on a thread where it may block, at most as many at a time as there are cores; the others wait in line.
///
/// Dropping the future before its turn means that `work` never runs. Once begun, `work` runs to its end and holds its
/// core, whether or not anybody still waits: move a clone of the [`crate::JobHandle`] into long work and return early
/// when [`crate::JobHandle::is_cancelled`].
///
/// # Panics
/// When `work` panics, with its message: in a handler that is a failed attempt.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let core = Arc::clone(&CORES).acquire_owned().await.expect("the semaphore is never closed");
    #[expect(clippy::disallowed_methods, reason = "this is the bounded door to it")]
    let running = tokio::task::spawn_blocking(move || {
        let _core = core;
        work()
    });
    match running.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Blocking tasks cannot be aborted once begun: the runtime is shutting down and nobody waits for this.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_run_at_a_time_than_there_are_cores() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let work = || {
            MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            (0..1000).for_each(|_| std::thread::yield_now());
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        };
        futures::future::join_all((0..32).map(|_| run(work))).await;
        assert!(MOST.load(Ordering::SeqCst) <= available_parallelism().map_or(1, usize::from));
    }

    #[tokio::test]
    async fn a_panic_is_the_callers_panic() {
        let panic = tokio::spawn(run(|| panic!("out of paper"))).await.map_err(tokio::task::JoinError::into_panic);
        assert_eq!(panic.err().and_then(|panic| panic.downcast_ref::<&str>().copied()), Some("out of paper"));
    }
}
