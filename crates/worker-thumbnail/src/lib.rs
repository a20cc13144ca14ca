//! Makes thumbnails of a picture in several widths.
//!
//! The job is [`Thumbnail`], its result [`Previews`]. Pictures come from strangers, so the header is judged before anything
//! is decoded, all pictures together have one budget of memory, and whatever is wrong with one is told to whoever sent it.

mod error;
mod format;
mod job;
mod jpeg;
mod picture;
mod preview;
mod schema;
mod studio;
#[cfg(test)]
mod tests;
mod thumbnail;
mod webp;
mod widths;

pub use error::PictureError;
pub use format::Format;
pub use preview::Preview;
pub use studio::{Studio, ThumbnailSettings};
pub use thumbnail::{Previews, Thumbnail};
pub use widths::{DEFAULT_WIDTHS, MAX_WIDTH, MAX_WIDTHS};
