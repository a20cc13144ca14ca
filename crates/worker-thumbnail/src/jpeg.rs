//! What a JPEG's markers tell before it is decoded. The decoder fills what is missing with grey, as browsers do while a
//! picture loads; a worker should say that half of it is missing.

/// Start of image, then segments `FF marker length…`; a scan is followed by entropy-coded data in which `FF` is stuffed.
const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scans {
    /// More than one pass over the picture: the decoder then keeps all coefficients.
    pub(crate) several: bool,
}

/// Walks over the segments to the end of the picture; what comes after it does not matter. `None` if there is no end.
pub(crate) fn scan(bytes: &[u8]) -> Option<Scans> {
    let mut scans = 0_u32;
    let mut rest = bytes.get(2..)?;
    loop {
        let (marker, after) = next_marker(rest)?;
        rest = match marker {
            END_OF_IMAGE => return Some(Scans { several: scans > 1 }),
            // Restarts within entropy-coded data, and two markers without a segment.
            0x01 | 0xd0..=0xd8 => after,
            _ => {
                scans += u32::from(marker == START_OF_SCAN);
                let length = u16::from_be_bytes([*after.first()?, *after.get(1)?]);
                after.get(usize::from(length)..)?
            }
        };
    }
}

/// The next marker and what follows it: `FF 00` is data and `FF FF` is padding.
fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = bytes.iter().position(|byte| *byte == 0xff)?;
        bytes = &bytes[at + 1..];
        match *bytes.first()? {
            0x00 | 0xff => {}
            marker => return Some((marker, &bytes[1..])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: &[u8] =
        &[0xff, 0xd8, 0xff, 0xc0, 0, 4, 1, 2, 0xff, 0xda, 0, 3, 9, 7, 0xff, 0x00, 0xff, 0xd0, 8, 0xff, 0xff, 0xd9, 0xff, 0xd8];

    #[test]
    fn a_whole_picture_ends_whatever_follows() {
        assert_eq!(scan(BASELINE), Some(Scans { several: false }));
    }

    #[test]
    fn a_picture_that_is_cut_anywhere_has_no_end() {
        for length in 0..BASELINE.len() - 2 {
            assert_eq!(scan(&BASELINE[..length]), None, "{length}");
        }
    }

    #[test]
    fn an_end_within_a_segment_is_that_of_an_embedded_thumbnail() {
        assert_eq!(scan(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 1]), None);
    }

    #[test]
    fn progressive_pictures_have_several_scans() {
        let progressive = [0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0xda, 0, 2, 1, 0xff, 0xd9];
        assert_eq!(scan(&progressive), Some(Scans { several: true }));
    }
}
