//! The thumbnail worker.

use std::process::ExitCode;

use worker_thumbnail::{Studio, Thumbnail, ThumbnailSettings};

fn main() -> ExitCode {
    worker::main::<Thumbnail, ThumbnailSettings>("worker-thumbnail", async |settings, _| Ok(Studio::new(&settings)))
}
