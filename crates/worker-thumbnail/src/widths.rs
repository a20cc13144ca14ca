use crate::PictureError;

/// The widest preview, in pixels.
pub const MAX_WIDTH: u32 = 4096;
/// How many previews one job may ask for.
pub const MAX_WIDTHS: usize = 8;
/// The widths of a job that names none.
pub const DEFAULT_WIDTHS: [u32; 3] = [64, 256, 1024];

/// # Errors
/// [`PictureError::Widths`] for none, too many, or one out of bounds.
pub(crate) fn check(widths: &[u32]) -> Result<(), PictureError> {
    if widths.is_empty() {
        return Err(PictureError::Widths("there is none".to_owned()));
    }
    if widths.len() > MAX_WIDTHS {
        return Err(PictureError::Widths(format!("there are {}", widths.len())));
    }
    match widths.iter().find(|&&width| width == 0 || width > MAX_WIDTH) {
        Some(width) => Err(PictureError::Widths(format!("{width} is not"))),
        None => Ok(()),
    }
}

/// The previews' sizes for an upright picture, smallest first.
///
/// Nothing is enlarged: a wider preview than the picture becomes one of the picture's own size, and widths that come to
/// the same are one preview. So there may be fewer previews than widths.
pub(crate) fn sizes(widths: &[u32], (width, height): (u32, u32)) -> Vec<(u32, u32)> {
    let mut widths: Vec<u32> = widths.iter().map(|wanted| (*wanted).min(width)).collect();
    widths.sort_unstable();
    widths.dedup();
    widths.into_iter().map(|scaled| (scaled, scaled_height(scaled, width, height))).collect()
}

/// Rounded to the nearest, but never nothing: a line stays a line.
fn scaled_height(scaled: u32, width: u32, height: u32) -> u32 {
    let exact = (u64::from(height) * u64::from(scaled) + u64::from(width) / 2) / u64::from(width).max(1);
    u32::try_from(exact).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn previews_keep_the_proportions() {
        assert_eq!(sizes(&[64, 256, 1024], (4000, 3000)), [(64, 48), (256, 192), (1024, 768)]);
        assert_eq!(sizes(&[100], (3, 2)), [(3, 2)]);
        assert_eq!(sizes(&[2], (3, 2)), [(2, 1)]);
    }

    #[test]
    fn nothing_is_enlarged_and_nothing_is_made_twice() {
        assert_eq!(sizes(&[1024, 64, 256, 64], (200, 100)), [(64, 32), (200, 100)]);
    }

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(sizes(&[64], (60_000, 1)), [(64, 1)]);
        assert_eq!(sizes(&[64], (1, 60_000)), [(1, 60_000)]);
    }

    #[test]
    fn widths_out_of_bounds_are_refused_with_the_bounds() {
        assert_eq!(check(&[1, MAX_WIDTH]), Ok(()));
        for widths in [&[][..], &[0], &[64, MAX_WIDTH + 1], &[64; MAX_WIDTHS + 1]] {
            let error = check(widths).unwrap_err();
            assert_eq!(error.code(), "invalid_request");
            assert!(error.to_string().starts_with("`widths` must be 1 to 8 numbers from 1 to 4096: "), "{error}");
        }
    }
}
