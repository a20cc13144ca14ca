//! The number that orders a job's events for its clients.
//!
//! It folds the delivery (Pub/Sub counts how often it handed the job out) and the step within that delivery into one
//! integer, so that it only grows, also when a second worker takes the job over without knowing what the first one said.

/// Steps within one delivery: a million, far above what progress conflation lets through.
const STEP_BITS: u32 = 20;

/// The `seq` of an event: `delivery` counts from 1, `step` from 0. Stays below 2^53, which JavaScript can hold.
///
/// A step beyond a million stays at the last one: such an event counts as not newer and is dropped, never misordered.
#[must_use]
pub fn seq(delivery: u32, step: u32) -> u64 {
    let last_step = (1 << STEP_BITS) - 1;
    (u64::from(delivery) << STEP_BITS) | u64::from(step.min(last_step))
}

#[cfg(test)]
mod tests {
    use super::seq;

    #[test]
    fn a_second_delivery_outranks_every_step_of_the_first() {
        assert!(seq(2, 0) > seq(1, u32::MAX));
    }

    #[test]
    fn javascript_can_hold_the_largest() {
        assert!(seq(u32::MAX, u32::MAX) < 1 << 53);
    }
}
