//! Runs the jobs of the kind `__NAME__`.

mod __SNAKE__;

pub use __SNAKE__::{__TYPE__, __TYPE__Result};
