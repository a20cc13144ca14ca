//! What happens between a message on a job topic and its job's terminal event.
//!
//! One task per delivery owns it from [`serve`] to its end: [`intake`] reads the message and decides whether the job is to
//! run, [`execution`] runs it [`attempt`] by attempt, [`reporter`] tells its audience. A delivery is acknowledged only after
//! its terminal event was confirmed, or after another message carries the job on ([`handover`]). What was delivered before
//! and came to nothing may have killed its worker: [`suspicion`].

mod attempt;
mod claim;
pub(crate) mod control;
pub(crate) mod core;
mod docket;
mod execution;
mod handover;
mod hints;
mod intake;
mod ledger;
mod past;
mod reject;
mod reporter;
pub(crate) mod serve;
mod slots;
mod suspicion;
mod tombstones;
