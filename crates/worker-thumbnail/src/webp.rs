//! What a WebP's chunks tell before it is decoded: the decoder believes each frame's own size and compares it with the
//! picture's only afterwards, when the memory is already taken.

/// `RIFF size WEBP`, then chunks `name size …`, padded to even lengths.
const CHUNKS: usize = 12;
/// An animation frame's position, size and duration, before its own chunks.
const FRAME_HEADER: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frames {
    /// A frame is drawn onto a canvas, which takes memory of its own.
    pub(crate) animated: bool,
}

/// # Errors
/// Why the picture cannot be decoded: it is cut short, or a frame is larger than the whole.
pub(crate) fn scan(bytes: &[u8], (width, height): (u32, u32)) -> Result<Frames, &'static str> {
    let promised = le32(bytes.get(4..8)).ok_or("it ends within its header")?;
    if bytes.len() < 8 + promised as usize {
        return Err("it ends too early");
    }
    let mut frames = Frames { animated: false };
    for (name, chunk) in chunks(bytes.get(CHUNKS..).unwrap_or_default()) {
        let frame = match name {
            b"ANMF" => {
                frames.animated = true;
                chunks(chunk.get(FRAME_HEADER..).unwrap_or_default()).find(|(name, _)| *name == b"VP8 ").map(|(_, frame)| frame)
            }
            b"VP8 " => Some(chunk),
            _ => None,
        };
        if frame.and_then(frame_size).is_some_and(|size| size.0 > width || size.1 > height) {
            return Err("a frame is larger than the picture");
        }
    }
    Ok(frames)
}

fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (name, after) = bytes.split_first_chunk()?;
        let size = le32(after.get(..4))? as usize;
        let body = after.get(4..)?;
        bytes = body.get(size.checked_next_multiple_of(2)?..).unwrap_or_default();
        Some((name, body.get(..size).unwrap_or(body)))
    })
}

/// The size in a lossy frame's header: a tag and a start code of three bytes each, then 14 bits of width and of height.
fn frame_size(frame: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from(u16::from_le_bytes([*frame.get(at)?, *frame.get(at + 1)?]) & 0x3fff));
    Some((side(6)?, side(8)?))
}

fn le32(bytes: Option<&[u8]>) -> Option<u32> {
    bytes?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut chunk = [name, &u32::try_from(body.len()).unwrap_or_default().to_le_bytes()[..], body].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    }

    fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
        chunk(b"RIFF", &[b"WEBP", &chunks.concat()[..]].concat())
    }

    fn frame(width: u16, height: u16) -> Vec<u8> {
        [&[0, 0, 0, 0x9d, 0x01, 0x2a], &width.to_le_bytes()[..], &height.to_le_bytes()[..]].concat()
    }

    #[test]
    fn frames_fit_into_the_picture() {
        let lossy = webp(&[chunk(b"EXIF", &[1, 2, 3]), chunk(b"VP8 ", &frame(10, 20))]);
        assert_eq!(scan(&lossy, (10, 20)), Ok(Frames { animated: false }));
        assert_eq!(scan(&lossy, (10, 19)), Err("a frame is larger than the picture"));
        let inner = [vec![0; FRAME_HEADER], chunk(b"ALPH", &[0]), chunk(b"VP8 ", &frame(16_383, 1))].concat();
        let animated = webp(&[chunk(b"ANMF", &inner)]);
        assert_eq!(scan(&animated, (16_383, 1)), Ok(Frames { animated: true }));
        assert_eq!(scan(&animated, (10, 10)), Err("a frame is larger than the picture"));
    }

    #[test]
    fn a_picture_that_is_cut_anywhere_is_known_to_be() {
        let whole = webp(&[chunk(b"VP8 ", &frame(10, 20))]);
        for length in 12..whole.len() {
            assert!(scan(&whole[..length], (10, 20)).is_err(), "{length}");
        }
    }
}
