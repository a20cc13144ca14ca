use bytes::Bytes;
use shared::{Payload, PayloadError, limits::MAX_PAYLOAD};
use worker::{Job, JobError, JobHandle, cpu};

use crate::{
    PictureError, Preview, Previews, Studio, Thumbnail,
    picture::{Header, Picture},
    studio::Share,
    widths,
};

/// What a result takes beside the files: names and numbers.
const RESULT_OVERHEAD: usize = 4096;

impl Job for Thumbnail {
    const KIND: &'static str = "thumbnail";
    type Context = Studio;
    type Output = Previews;
    /// Cores and memory have bounds of their own; this one says how many uploads lie in memory.
    const CONCURRENCY: usize = 8;

    fn decode(payload: &Payload) -> Result<Self, PayloadError> {
        Self::from_payload(payload)
    }

    async fn run(self, job: &JobHandle, studio: &Studio) -> Result<Previews, JobError> {
        self.develop(job, studio).await.map_err(|error| JobError::fail(error.code(), error.to_string()))?.ok_or_else(stopped)
    }
}

impl Thumbnail {
    /// `None` when it was asked to stop between two steps.
    async fn develop(self, job: &JobHandle, studio: &Studio) -> Result<Option<Previews>, PictureError> {
        widths::check(&self.widths)?;
        let (image, allowed) = (self.image.clone(), studio.allowed_pixels);
        let header = cpu::run(move || Header::read(&image, allowed)).await?;
        let (format, upright) = (header.format, header.upright());
        let sizes = widths::sizes(&self.widths, upright);
        let share = tokio::select! {
            share = studio.share(header.memory(largest(&sizes))) => share?,
            () = job.cancelled() => return Ok(None),
        };
        let steps = sizes.len() + 1;
        let mut desk = Desk::lay(share, self.image, header).await?;
        job.progress(fraction(1, steps));

        let mut previews = Vec::with_capacity(sizes.len());
        let mut total = RESULT_OVERHEAD;
        for size in sizes {
            if job.is_cancelled() {
                return Ok(None);
            }
            let preview;
            (desk, preview) = desk.preview(size).await?;
            total += preview.bytes.len();
            if total > MAX_PAYLOAD {
                return Err(PictureError::PreviewsTooLarge);
            }
            previews.push(preview);
            job.progress(fraction(previews.len() + 1, steps));
        }
        Ok(Some(Previews { width: upright.0, height: upright.1, format, previews }))
    }
}

/// A decoded picture with the memory that it takes. It travels to the threads and back: should nobody wait for it any
/// more, the memory is free when the pixels are.
struct Desk {
    picture: Picture,
    _share: Share,
}

impl Desk {
    async fn lay(share: Share, image: Bytes, header: Header) -> Result<Self, PictureError> {
        cpu::run(move || Ok(Self { picture: Picture::decode(&image, &header)?, _share: share })).await
    }

    async fn preview(self, size: (u32, u32)) -> Result<(Self, Preview), PictureError> {
        cpu::run(move || {
            let preview = self.picture.preview(size)?;
            Ok((self, preview))
        })
        .await
    }
}

fn largest(sizes: &[(u32, u32)]) -> (u32, u32) {
    sizes.last().copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a handful of steps")]
fn fraction(done: usize, steps: usize) -> f32 {
    done as f32 / steps as f32
}

fn stopped() -> JobError {
    JobError::retry("stopped before the previews were made")
}
