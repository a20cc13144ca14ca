//! Makes thumbnails of a picture in several widths.
