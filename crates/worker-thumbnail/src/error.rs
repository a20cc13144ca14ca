use shared::limits::MAX_PAYLOAD;

use crate::{Format, MAX_WIDTH, MAX_WIDTHS};

/// Why there are no previews. Every message is for the person who chose the picture; none of them goes away by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Nothing was sent.
    #[error("no picture was sent: `image` is missing or empty")]
    Missing,
    /// Not a picture, or one of another kind; what it seems to be, if that is known.
    #[error("{}; JPEG, PNG, WebP and GIF pictures can be read", .0.map_or("this is not a picture".to_owned(), |name| format!("{name} pictures cannot be read")))]
    Unsupported(Option<&'static str>),
    /// More pixels than allowed, according to the header; nothing was decoded.
    #[error("the picture is too large: {width} × {height} pixels, where {} megapixels are allowed", .allowed / 1_000_000)]
    TooManyPixels {
        /// As stored.
        width: u32,
        /// As stored.
        height: u32,
        /// Pixels.
        allowed: u64,
    },
    /// Decoding would take more memory than this worker may use.
    #[error("the picture is too large: it takes {needed_mib} MiB to decode, where {allowed_mib} MiB are allowed")]
    TooMuchMemory {
        /// What the header promises.
        needed_mib: u64,
        /// The setting.
        allowed_mib: u64,
    },
    /// Its header alone takes more memory than any sensible picture's.
    #[error("the {0} picture is too large: its header takes more memory than is allowed")]
    HeaderTooLarge(Format),
    /// Cut short, or its contents contradict each other.
    #[error("the {format} picture is damaged or incomplete: {reason}")]
    Damaged {
        /// What it is otherwise.
        format: Format,
        /// What the decoder says.
        reason: String,
    },
    /// The wanted widths make no sense.
    #[error("`widths` must be 1 to {MAX_WIDTHS} numbers from 1 to {MAX_WIDTH}: {0}")]
    Widths(String),
    /// The previews do not fit into one result.
    #[error("the previews take more than {} MB together; ask for fewer or smaller widths", MAX_PAYLOAD / 1_000_000)]
    PreviewsTooLarge,
    /// A preview could not be written: a defect of this worker.
    #[error("the preview could not be made: {0}")]
    Preview(String),
}

impl PictureError {
    /// The stable name that clients' programs see.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "image_missing",
            Self::Unsupported(_) => "unsupported_format",
            Self::TooManyPixels { .. } | Self::TooMuchMemory { .. } | Self::HeaderTooLarge(_) => "image_too_large",
            Self::Damaged { .. } => "image_damaged",
            Self::Widths(_) => "invalid_request",
            Self::PreviewsTooLarge => "previews_too_large",
            Self::Preview(_) => "internal",
        }
    }
}
