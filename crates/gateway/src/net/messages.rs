//! Finds the messages in what is sent to clients: the events and acks of socket.io, and not what socket.io, engine.io and
//! websockets say for themselves. Attachments go with the message before them.

/// What stands between two packets in a polling request's answer.
const SEPARATOR: u8 = 0x1e;
/// What ends the head of an HTTP answer.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// A frame's longest header, and what of its payload tells whether it is a message.
const START: usize = 10 + KIND;
const KIND: usize = 2;
/// The opcode of frames with text.
const TEXT: u8 = 1;

/// Reads along from the answer on that makes a connection a websocket.
#[derive(Debug)]
pub(super) enum Frames {
    /// In the answer's head, behind so many bytes of what would end it.
    Head(usize),
    /// In a frame of which so many bytes are known.
    Start([u8; START], usize),
    /// So many bytes before the end of a frame.
    Rest { bytes: u64, is_message: bool },
}

/// The messages in the answer to a polling request.
pub(super) fn polled(body: &[u8]) -> usize {
    body.split(|byte| *byte == SEPARATOR).filter(|packet| is_message(packet)).count()
}

/// `4` is engine.io's message; in it are an event, an ack, and both with attachments.
fn is_message(packet: &[u8]) -> bool {
    matches!(packet, [b'4', b'2' | b'3' | b'5' | b'6', ..])
}

impl Frames {
    const NEXT: Self = Self::Start([0; START], 0);

    /// Takes what was written next. Tells how many messages are complete with it.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> usize {
        let mut messages = 0;
        while let [first, behind @ ..] = bytes {
            match self {
                Self::Head(matching) => {
                    *matching = if *first == HEAD_END[*matching] { *matching + 1 } else { usize::from(*first == HEAD_END[0]) };
                    if *matching == HEAD_END.len() {
                        *self = Self::NEXT;
                    }
                    bytes = behind;
                }
                Self::Start(start, known) => {
                    start[*known] = *first;
                    *known += 1;
                    if let Some(rest) = Self::rest(&start[..*known]) {
                        *self = rest;
                    }
                    bytes = behind;
                }
                Self::Rest { bytes: left, .. } => {
                    let passed = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= passed as u64;
                    bytes = &bytes[passed..];
                }
            }
            if let Self::Rest { bytes: 0, is_message } = self {
                messages += usize::from(*is_message);
                *self = Self::NEXT;
            }
        }
        messages
    }

    /// What follows the start of a frame, once that is long enough to tell. A server's frames are not masked.
    fn rest(start: &[u8]) -> Option<Self> {
        let (header, length) = match start.get(1)? & 0x7f {
            126 => (4, u16::from_be_bytes(start.get(2..4)?.try_into().ok()?).into()),
            127 => (10, u64::from_be_bytes(start.get(2..10)?.try_into().ok()?)),
            short => (2, short.into()),
        };
        let kind = usize::try_from(length).map_or(KIND, |length| length.min(KIND));
        let payload = start.get(header..header + kind)?;
        Some(Self::Rest { bytes: length - kind as u64, is_message: start[0] & 0x0f == TEXT && is_message(payload) })
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self::Head(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT_FRAME: u8 = 0x81;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = payload.len();
        let mut frame = vec![first];
        match length {
            0..126 => frame.push(length as u8),
            126..65_536 => frame.extend([&[126], &(length as u16).to_be_bytes()[..]].concat()),
            _ => frame.extend([&[127], &(length as u64).to_be_bytes()[..]].concat()),
        }
        frame.extend(payload);
        frame
    }

    /// Everything that a connection may carry; four messages are in it.
    fn stream() -> Vec<u8> {
        let large = format!(r#"42["job:event","{}"]"#, "x".repeat(70_000));
        let (binary, close, ping, pong) = (0x82, 0x88, 0x89, 0x8a);
        let parts: [Vec<u8>; 14] = [
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\n\r\n".to_vec(),
            frame(TEXT_FRAME, br#"0{"sid":"a"}"#),
            frame(TEXT_FRAME, br#"40{"sid":"a"}"#),
            frame(TEXT_FRAME, br#"42["welcome",{}]"#),
            frame(TEXT_FRAME, b"2"),
            frame(TEXT_FRAME, b""),
            frame(TEXT_FRAME, format!(r#"431["{}"]"#, "x".repeat(200)).as_bytes()),
            frame(TEXT_FRAME, br#"452-["picture",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#),
            frame(binary, b"42 is how this picture begins"),
            frame(binary, b""),
            frame(pong, b"42"),
            frame(ping, b""),
            frame(TEXT_FRAME, large.as_bytes()),
            frame(close, b""),
        ];
        parts.concat()
    }

    #[test]
    fn messages_are_found_among_all_else_however_the_stream_is_cut() {
        let stream = stream();
        for size in [1, 2, 3, 7, 100, 4_096, stream.len()] {
            let mut frames = Frames::default();
            let found: usize = stream.chunks(size).map(|chunk| frames.read(chunk)).sum();
            assert_eq!(found, 4, "in pieces of {size}");
        }
    }

    #[test]
    fn a_message_has_left_with_its_last_byte() {
        let mut frames = Frames::default();
        assert_eq!(frames.read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), 0);
        let message = frame(TEXT_FRAME, br#"42["welcome",{}]"#);
        let (last, rest) = message.split_last().unwrap_or_else(|| unreachable!("it has bytes"));
        assert_eq!(frames.read(rest), 0);
        assert_eq!(frames.read(&[*last]), 1);
    }

    #[test]
    fn polled_messages_are_found_among_all_else() {
        let answer = "40{\"sid\":\"a\"}\u{1e}42[\"welcome\",{}]\u{1e}2\u{1e}451-[\"picture\",{\"_placeholder\":true,\"num\":0}]\u{1e}b42AA\u{1e}6\u{1e}431[]";
        assert_eq!(polled(answer.as_bytes()), 3);
        assert_eq!((polled(b""), polled(b"ok"), polled(b"2")), (0, 0, 0));
    }
}
