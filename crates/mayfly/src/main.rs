//! The whole of Mayfly in one process for development, and its operator commands.
fn main() {}
