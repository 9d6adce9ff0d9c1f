//! Messages among the bytes of a WebSocket, read while they pass. RFC 6455, section 5.2.

use bytes::{Buf, BytesMut};
use std::io::Cursor;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The longest head of a frame.
const MAX_HEAD: usize = 14;

/// Text messages of one direction. Those beyond `limit` bytes, and all that are not text, pass unread.
pub(super) struct Frames {
    limit: usize,
    /// Of a head that has begun.
    head: BytesMut,
    /// Of a frame whose payload passes.
    open: Option<Open>,
    /// Of a text message that has begun.
    message: BytesMut,
    /// What continuation frames go on with.
    text: bool,
    /// A Close frame has begun: nothing else follows.
    closed: bool,
    /// The bytes are no WebSocket; nothing more is read.
    lost: bool,
}

struct Open {
    left: u64,
    mask: Option<[u8; 4]>,
    /// How far the mask has been applied.
    at: usize,
    is_text: bool,
    /// Ends the message.
    is_last: bool,
}

impl Frames {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            head: BytesMut::new(),
            open: None,
            message: BytesMut::new(),
            text: false,
            closed: false,
            lost: false,
        }
    }

    /// Whether all frames that have begun are whole.
    pub(super) fn at_boundary(&self) -> bool {
        !self.lost && self.open.is_none() && self.head.is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Calls `each` with every text message that these bytes complete.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while !bytes.is_empty() && !self.lost {
            match self.open.take() {
                Some(open) => self.payload(open, &mut bytes, &mut each),
                None => self.header(&mut bytes, &mut each),
            }
        }
    }

    /// Adds to the head byte by byte until it is whole: what follows it must not be taken with it.
    fn header(&mut self, bytes: &mut &[u8], each: &mut impl FnMut(&[u8])) {
        self.head.extend_from_slice(&bytes[..1]);
        bytes.advance(1);
        match FrameHeader::parse(&mut Cursor::new(&self.head[..])) {
            Ok(Some((header, length))) => {
                self.head.clear();
                let open = self.begin(&header, length);
                self.settle(open, each);
            }
            Ok(None) if self.head.len() < MAX_HEAD => {}
            _ => self.lost = true,
        }
    }

    fn begin(&mut self, header: &FrameHeader, length: u64) -> Open {
        let is_text = match header.opcode {
            OpCode::Data(Data::Continue) => self.text,
            OpCode::Data(data) => {
                self.text = data == Data::Text;
                self.text
            }
            OpCode::Control(control) => {
                self.closed |= control == Control::Close;
                false
            }
        };
        Open { left: length, mask: header.mask, at: 0, is_text, is_last: header.is_final }
    }

    fn payload(&mut self, mut open: Open, bytes: &mut &[u8], each: &mut impl FnMut(&[u8])) {
        let count = usize::try_from(open.left).unwrap_or(usize::MAX).min(bytes.len());
        if open.is_text && self.message.len() <= self.limit {
            let from = self.message.len();
            self.message.extend_from_slice(&bytes[..count]);
            open.unmask(&mut self.message[from..]);
        }
        bytes.advance(count);
        open.left -= count as u64;
        self.settle(open, each);
    }

    /// Tells the message if this was its last byte.
    fn settle(&mut self, open: Open, each: &mut impl FnMut(&[u8])) {
        if open.left > 0 {
            self.open = Some(open);
            return;
        }
        if open.is_text && open.is_last {
            if self.message.len() <= self.limit {
                each(&self.message);
            }
            self.message.clear();
        }
    }
}

impl Open {
    fn unmask(&mut self, bytes: &mut [u8]) {
        let Some(mask) = self.mask else { return };
        for byte in bytes {
            *byte ^= mask[self.at % mask.len()];
            self.at += 1;
        }
    }
}
