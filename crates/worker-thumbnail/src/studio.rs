use std::sync::Arc;

use clap::Args;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::PictureError;

/// What can be set about pictures.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Thumbnails")]
pub struct ThumbnailSettings {
    /// The largest picture that is decoded, in megapixels
    #[arg(long, env = "THUMBNAIL_MAX_MEGAPIXELS", value_name = "MP", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub thumbnail_max_megapixels: u64,

    /// How much memory all pictures together may take while they are decoded, in MiB. Jobs wait for their share; a picture
    /// that would need more than all of it is refused
    #[arg(long, env = "THUMBNAIL_MEMORY_MIB", value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..))]
    pub thumbnail_memory_mib: u32,
}

impl Default for ThumbnailSettings {
    fn default() -> Self {
        Self { thumbnail_max_megapixels: 100, thumbnail_memory_mib: 512 }
    }
}

/// What all thumbnail jobs of a process share: the memory for their pixels.
///
/// A few compressed bytes may stand for hundreds of megabytes, so concurrency alone does not bound memory.
#[derive(Debug)]
pub struct Studio {
    pub(crate) allowed_pixels: u64,
    memory_mib: u32,
    free_mib: Arc<Semaphore>,
}

/// A job's share of the memory; whoever holds the pixels holds this too.
#[derive(Debug)]
pub(crate) struct Share {
    _permit: OwnedSemaphorePermit,
}

impl Studio {
    /// An empty studio.
    #[must_use]
    pub fn new(settings: &ThumbnailSettings) -> Self {
        Self {
            allowed_pixels: settings.thumbnail_max_megapixels * 1_000_000,
            memory_mib: settings.thumbnail_memory_mib,
            free_mib: Arc::new(Semaphore::new(settings.thumbnail_memory_mib as usize)),
        }
    }

    /// Waits until so many bytes are free. First come, first served, so that a large picture is not starved by small ones.
    ///
    /// # Errors
    /// [`PictureError::TooMuchMemory`] if there will never be so much.
    pub(crate) async fn share(&self, bytes: u64) -> Result<Share, PictureError> {
        let needed_mib = bytes.div_ceil(1 << 20);
        let too_much = PictureError::TooMuchMemory { needed_mib, allowed_mib: self.memory_mib.into() };
        let wanted = u32::try_from(needed_mib).ok().filter(|wanted| *wanted <= self.memory_mib).ok_or(too_much)?;
        let permit = Arc::clone(&self.free_mib).acquire_many_owned(wanted).await.expect("the semaphore is never closed");
        Ok(Share { _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use futures::FutureExt;

    use super::*;

    fn studio(memory_mib: u32) -> Studio {
        Studio::new(&ThumbnailSettings { thumbnail_memory_mib: memory_mib, ..ThumbnailSettings::default() })
    }

    #[test]
    fn pictures_wait_for_memory_and_give_it_back() {
        let studio = studio(100);
        let first = studio.share(60 << 20).now_or_never().unwrap().unwrap();
        assert!(studio.share(41 << 20).now_or_never().is_none());
        drop(first);
        assert!(studio.share(100 << 20).now_or_never().unwrap().is_ok());
    }

    #[test]
    fn a_picture_that_would_wait_for_ever_is_refused() {
        let error = studio(100).share((100 << 20) + 1).now_or_never().unwrap().unwrap_err();
        assert_eq!(error.code(), "image_too_large");
        assert_eq!(error.to_string(), "the picture is too large: it takes 101 MiB to decode, where 100 MiB are allowed");
    }
}
