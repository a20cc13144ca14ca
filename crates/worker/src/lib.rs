//! The job SDK: one trait to write, one runner that keeps the promises.
