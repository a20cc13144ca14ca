//! Pictures made for the tests, good and bad.

use image::{DynamicImage, Frame, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage, codecs::gif::GifEncoder};

pub(super) const RED: Rgb<u8> = Rgb([220, 30, 30]);
pub(super) const GREEN: Rgb<u8> = Rgb([30, 200, 30]);
pub(super) const BLUE: Rgb<u8> = Rgb([30, 30, 220]);
pub(super) const WHITE: Rgb<u8> = Rgb([250, 250, 250]);

/// Red, green / blue, white: no two sides are alike.
pub(super) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => RED,
        (false, true) => GREEN,
        (true, false) => BLUE,
        (false, false) => WHITE,
    })
}

/// Red on the left; on the right a green that nobody can see.
pub(super) fn half_transparent(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, _| if x < width / 2 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) })
}

/// Something that does not compress to nothing.
pub(super) fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    })
}

pub(super) fn file(pixels: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    pixels.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

pub(super) fn animated_gif(frames: &[RgbaImage]) -> Vec<u8> {
    let mut file = Vec::new();
    GifEncoder::new(&mut file).encode_frames(frames.iter().cloned().map(Frame::new)).unwrap();
    file
}

pub(super) fn written<'a, E: ImageEncoder>(pixels: &RgbImage, encoder: impl FnOnce(&'a mut Vec<u8>) -> E, file: &'a mut Vec<u8>) {
    pixels.write_with_encoder(encoder(file)).unwrap();
}

/// What a camera that was held like this would have stored: EXIF says for every orientation which side of the scene is
/// the first row, and which is the first column.
pub(super) fn as_stored(scene: &RgbImage, orientation: u8) -> RgbImage {
    let (width, height) = scene.dimensions();
    let (rows, columns) = if orientation < 5 { (height, width) } else { (width, height) };
    RgbImage::from_fn(columns, rows, |column, row| {
        let (x, y) = match orientation {
            1 => (column, row),
            2 => (width - 1 - column, row),
            3 => (width - 1 - column, height - 1 - row),
            4 => (column, height - 1 - row),
            5 => (row, column),
            6 => (width - 1 - row, column),
            7 => (width - 1 - row, height - 1 - column),
            8 => (row, height - 1 - column),
            _ => unreachable!(),
        };
        *scene.get_pixel(x, y)
    })
}

/// A TIFF structure with one entry: the orientation, a short.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    [b"MM\0\x2a\0\0\0\x08", &b"\0\x01"[..], b"\x01\x12\0\x03\0\0\0\x01\0", &[orientation], b"\0\0", b"\0\0\0\0"].concat()
}

/// Puts the structure where cameras put it: into an APP1 segment right after the start.
pub(super) fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let segment = [b"Exif\0\0", exif].concat();
    let length = u16::try_from(segment.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, &segment, &jpeg[2..]].concat()
}

pub(super) mod bombs {
    //! A few bytes that ask for gigabytes.

    pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            png_chunk(*b"IHDR", &header),
            png_chunk(*b"IDAT", b"\x78\x9c\x03\0\0\0\0\x01"),
            png_chunk(*b"IEND", b""),
        ]
        .concat()
    }

    pub(crate) fn gif(width: u16, height: u16) -> Vec<u8> {
        framed_gif((width, height), (width, height))
    }

    /// A screen, and a frame in it that need not fit.
    pub(crate) fn framed_gif(screen: (u16, u16), frame: (u16, u16)) -> Vec<u8> {
        let le = |size: (u16, u16)| [size.0.to_le_bytes(), size.1.to_le_bytes()].concat();
        let palette = [0, 0, 0, 255, 255, 255];
        [b"GIF89a", &le(screen)[..], &[0x80, 0, 0], &palette, b"\x2c\0\0\0\0", &le(frame), b"\0\x02\x02\x44\x01\0\x3b"].concat()
    }

    pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
        [
            b"\xff\xd8\xff\xc0\0\x11\x08",
            &size[..],
            b"\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0\0\xff\xd9",
        ]
        .concat()
    }

    /// An extended WebP: a canvas, and a lossy frame in it that need not fit.
    pub(crate) fn webp(canvas: (u32, u32), frame: (u16, u16)) -> Vec<u8> {
        let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
        let extended = [vec![0; 4], side(canvas.0), side(canvas.1)].concat();
        let lossy = [b"\x10\0\0\x9d\x01\x2a", &frame.0.to_le_bytes()[..], &frame.1.to_le_bytes(), &[0; 20]].concat();
        webp_chunk(*b"RIFF", &[b"WEBP".to_vec(), webp_chunk(*b"VP8X", &extended), webp_chunk(*b"VP8 ", &lossy)].concat())
    }

    fn webp_chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
        [&name[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat()
    }

    fn png_chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
        let named = [&name[..], body].concat();
        [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &named, &crc(&named).to_be_bytes()].concat()
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }
}
