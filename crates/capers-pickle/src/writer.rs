//! The writing half of the format: instructions into bytes.
//!
//! The writer owns the output buffer, framing (protocol 4 and later) and the choice of the shortest opcode. It knows
//! nothing of objects, of the memo's keys or of where the bytes go; whoever drives it asks for one instruction after the
//! other. Choices and frame boundaries are those of CPython's `Modules/_pickle.c` (read in 3.11 to 3.15), so that plain data
//! comes out byte for byte as the C pickler writes it.
//!
//! A *checkpoint* marks a place to which the output can be cut back: the by-value side writes a value, finds that it
//! leads back to a class still being made, and takes the attempt back.

use crate::opcode::{HIGHEST_PROTOCOL, Op};

/// Bytes in a frame before it is closed at the next object, as in `_pickle.c` (`FRAME_SIZE_TARGET`).
pub const FRAME_TARGET: usize = 64 * 1024;
/// A frame with less content than this loses its header (`FRAME_SIZE_MIN`).
const FRAME_MIN: usize = 4;
/// The `FRAME` opcode and its 8-byte length.
const FRAME_HEADER: usize = 9;

/// No frame is open.
const NO_FRAME: usize = usize::MAX;

/// A place in the output to which [`Writer::rewind`] can return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    length: usize,
    frame_start: usize,
    frames: usize,
    /// The content of the open frame while it is so short that closing it may drop its header and move it.
    head: [u8; FRAME_MIN],
}

impl Checkpoint {
    /// Its offset in what has been written and not handed on.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.length
    }
}

/// Where the bytes go: a vector, or memory that is to become the result.
pub trait Buffer {
    /// How many bytes it holds.
    fn len(&self) -> usize;
    /// Whether it holds none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Adds one byte.
    fn push(&mut self, byte: u8);
    /// Adds these bytes.
    fn extend_from_slice(&mut self, bytes: &[u8]);
    /// Drops what stands behind the first `len` bytes.
    fn truncate(&mut self, len: usize);
    /// What it holds.
    fn as_slice(&self) -> &[u8];
    /// What it holds, to be changed in place.
    fn as_mut_slice(&mut self) -> &mut [u8];
}

impl Buffer for Vec<u8> {
    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.push(byte);
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        self
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [u8] {
        self
    }
}

/// Writes the instructions of one pickle.
#[derive(Debug)]
pub struct Writer<B = Vec<u8>> {
    buf: B,
    frame_start: usize,
    /// Headers of frames in the buffer.
    frames: usize,
    protocol: u8,
    framing: bool,
    spelt: bool,
    /// Short frames keep their headers, so that what has been written stays where it is.
    keeps_frames: bool,
}

impl<B: Buffer> Writer<B> {
    /// A writer of `protocol` (0 to 5) that continues in `buf`, which is emptied.
    #[must_use]
    pub fn new(protocol: u8, mut buf: B) -> Self {
        buf.truncate(0);
        Self {
            buf,
            frame_start: NO_FRAME,
            frames: 0,
            protocol: protocol.min(HIGHEST_PROTOCOL),
            framing: false,
            spelt: false,
            keeps_frames: false,
        }
    }

    /// The protocol being written.
    #[inline]
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Whether memo indices are spelt out by `PUT` where `MEMOIZE` would leave counting to the reader.
    pub fn spell_indices(&mut self, spelt: bool) {
        self.spelt = spelt;
    }

    /// Whether opcodes of protocol 1 and later may be used.
    #[inline]
    #[must_use]
    pub fn binary(&self) -> bool {
        self.protocol > 0
    }

    /// What has been written and not taken yet.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.buf.as_slice()
    }

    /// The buffer, for whoever writes whole instructions into it by other means; what stands there must stay.
    #[inline]
    pub fn buffer_mut(&mut self) -> &mut B {
        &mut self.buf
    }

    /// How many bytes may be written before [`Writer::boundary`] closes the frame; without a frame, any number.
    #[inline]
    #[must_use]
    pub fn until_boundary(&self) -> usize {
        match self.frame_start {
            NO_FRAME => usize::MAX,
            start => (start + FRAME_HEADER + FRAME_TARGET).saturating_sub(self.buf.len()),
        }
    }

    /// Opens a frame, as the next instruction would; one that stays empty leaves no trace.
    #[inline]
    pub fn open_frame(&mut self) {
        self.open();
    }

    /// How many bytes have been written and not handed on, without the headers of frames.
    #[must_use]
    pub fn content_len(&self) -> usize {
        self.buf.len() - self.frames * FRAME_HEADER
    }

    /// How many bytes have been written and not handed on, without the open frame.
    #[must_use]
    pub fn committed_len(&self) -> usize {
        if self.frame_start == NO_FRAME { self.buf.len() } else { self.frame_start }
    }

    /// The content of the open frame so far.
    #[must_use]
    pub fn frame_content(&self) -> &[u8] {
        if self.frame_start == NO_FRAME { &[] } else { &self.buf.as_slice()[self.frame_start + FRAME_HEADER..] }
    }

    /// Gives the buffer back, for its content or for reuse.
    #[must_use]
    pub fn into_buffer(self) -> B {
        self.buf
    }

    /// Forgets everything that has been handed on to a file. Only right after [`Writer::commit_frame`].
    pub fn clear_written(&mut self) {
        debug_assert_eq!(self.frame_start, NO_FRAME);
        self.buf.truncate(0);
        self.frames = 0;
    }

    /// Writes the header of a pickle.
    pub fn start(&mut self) {
        if self.protocol >= 2 {
            self.buf.extend_from_slice(&[Op::Proto as u8, self.protocol]);
        }
        self.framing = self.protocol >= 4;
    }

    /// Writes `STOP` and closes the last frame.
    pub fn finish(&mut self) {
        self.op(Op::Stop);
        self.commit_frame();
        self.framing = false;
    }

    /// Called before each object: closes a frame that has grown to its target size. Tells whether there is as much as a
    /// frame to be handed on.
    #[inline]
    pub fn boundary(&mut self) -> bool {
        if self.buf.len() < FRAME_TARGET {
            return false;
        }
        self.full()
    }

    #[cold]
    fn full(&mut self) -> bool {
        if self.frame_start != NO_FRAME {
            if self.buf.len() - self.frame_start - FRAME_HEADER < FRAME_TARGET {
                return false;
            }
            self.commit_frame();
        }
        true
    }

    /// Closes the open frame, if there is one.
    pub fn commit_frame(&mut self) {
        if self.frame_start == NO_FRAME {
            return;
        }
        let start = self.frame_start;
        let end = self.buf.len();
        let content = end - start - FRAME_HEADER;
        let frame = &mut self.buf.as_mut_slice()[start..];
        if content >= FRAME_MIN || self.keeps_frames {
            frame[0] = Op::Frame as u8;
            frame[1..FRAME_HEADER].copy_from_slice(&(content as u64).to_le_bytes());
        } else {
            frame.copy_within(FRAME_HEADER.., 0);
            self.buf.truncate(end - FRAME_HEADER);
            self.frames -= 1;
        }
        self.frame_start = NO_FRAME;
    }

    /// From here on no frame loses its header, so that offsets into what has been written hold.
    pub fn keep_frames(&mut self) {
        self.keeps_frames = true;
    }

    /// Puts `bytes` in the place of the finished pickle, or of the part of it that has not been handed on.
    pub fn replace(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.frame_start, NO_FRAME);
        self.buf.truncate(0);
        self.buf.extend_from_slice(bytes);
    }

    /// The present place, for [`Writer::rewind`].
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        let mut head = [0; FRAME_MIN];
        if self.frame_start != NO_FRAME {
            let content = &self.buf.as_slice()[self.frame_start + FRAME_HEADER..];
            let short = content.len().min(FRAME_MIN);
            head[..short].copy_from_slice(&content[..short]);
        }
        Checkpoint { length: self.buf.len(), frame_start: self.frame_start, frames: self.frames, head }
    }

    /// What has been written since `from`, if the frame that was open then is still open.
    #[must_use]
    pub fn since(&self, from: &Checkpoint) -> Option<&[u8]> {
        let same = from.frame_start != NO_FRAME && from.frame_start == self.frame_start && from.frames == self.frames;
        if same { self.buf.as_slice().get(from.length..) } else { None }
    }

    /// Takes back everything written since `to`. Nothing of it may have been handed on.
    ///
    /// A frame that was open at the checkpoint and has been closed since is open again; its header is written once
    /// more when it closes.
    pub fn rewind(&mut self, to: Checkpoint) {
        if to.frame_start != NO_FRAME && to.length - to.frame_start - FRAME_HEADER < FRAME_MIN {
            let content = to.length - to.frame_start - FRAME_HEADER;
            self.buf.truncate(to.frame_start);
            self.buf.extend_from_slice(&[0; FRAME_HEADER]);
            self.buf.extend_from_slice(&to.head[..content]);
        } else {
            self.buf.truncate(to.length);
        }
        self.frame_start = to.frame_start;
        self.frames = to.frames;
    }

    #[inline]
    fn open(&mut self) {
        if self.frame_start == NO_FRAME && self.framing {
            self.frame_start = self.buf.len();
            self.frames += 1;
            self.buf.extend_from_slice(&[0; FRAME_HEADER]);
        }
    }

    /// Writes finished bytes as they are, inside the frame.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.open();
        self.buf.extend_from_slice(bytes);
    }

    /// Writes an opcode without argument.
    #[inline]
    pub fn op(&mut self, op: Op) {
        self.open();
        self.buf.push(op as u8);
    }

    #[inline]
    fn op_with(&mut self, op: Op, argument: &[u8]) {
        self.open();
        self.buf.push(op as u8);
        self.buf.extend_from_slice(argument);
    }

    /// Writes `True` or `False`.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        if self.protocol >= 2 {
            self.op(if value { Op::NewTrue } else { Op::NewFalse });
        } else {
            self.raw(if value { b"I01\n" } else { b"I00\n" });
        }
    }

    /// Writes an integer of any 64-bit value.
    #[inline]
    pub fn int(&mut self, value: i64) {
        match i32::try_from(value) {
            Ok(small) if self.binary() => match u32::try_from(small) {
                Ok(n) if n <= 0xff => self.op_with(Op::BinInt1, &[n as u8]),
                Ok(n) if n <= 0xffff => self.op_with(Op::BinInt2, &(n as u16).to_le_bytes()),
                _ => self.op_with(Op::BinInt, &small.to_le_bytes()),
            },
            Ok(small) => self.text_line(Op::Int, small.to_string().as_bytes()),
            Err(_) if self.protocol >= 2 => {
                let bytes = value.to_le_bytes();
                let mut len = bytes.len();
                let fill = if value < 0 { 0xff } else { 0 };
                while len > 1 && bytes[len - 1] == fill && (bytes[len - 2] ^ fill) & 0x80 == 0 {
                    len -= 1;
                }
                self.long(&bytes[..len]);
            }
            Err(_) => self.long_text(&value.to_string()),
        }
    }

    /// Writes an integer given as little-endian two's complement without superfluous bytes (protocol 2 and later).
    /// `false` if it is too long for the format.
    pub fn long(&mut self, bytes: &[u8]) -> bool {
        if let Ok(len) = u8::try_from(bytes.len()) {
            self.op_with(Op::Long1, &[len]);
        } else if let Ok(len) = i32::try_from(bytes.len()) {
            self.op_with(Op::Long4, &len.to_le_bytes());
        } else {
            return false;
        }
        self.buf.extend_from_slice(bytes);
        true
    }

    /// Writes an integer given as decimal digits (protocols 0 and 1).
    pub fn long_text(&mut self, digits: &str) {
        self.op_with(Op::Long, digits.as_bytes());
        self.buf.extend_from_slice(b"L\n");
    }

    /// Writes a float in binary (protocol 1 and later).
    #[inline]
    pub fn float(&mut self, value: f64) {
        self.op_with(Op::BinFloat, &value.to_be_bytes());
    }

    /// Writes an opcode whose argument is a line of text.
    pub fn text_line(&mut self, op: Op, line: &[u8]) {
        self.op_with(op, line);
        self.buf.push(b'\n');
    }

    /// Writes `GLOBAL` with its two lines.
    pub fn global(&mut self, module: &[u8], name: &[u8]) {
        self.text_line(Op::Global, module);
        self.buf.extend_from_slice(name);
        self.buf.push(b'\n');
    }

    /// Writes an extension code (protocol 2 and later).
    pub fn ext(&mut self, code: u32) {
        match code {
            0..=0xff => self.op_with(Op::Ext1, &[code as u8]),
            0x100..=0xffff => self.op_with(Op::Ext2, &(code as u16).to_le_bytes()),
            _ => self.op_with(Op::Ext4, &code.to_le_bytes()),
        }
    }

    /// Writes the header of a string of `len` bytes of UTF-8 (protocol 1 and later); the content follows by
    /// [`Writer::payload`]. `false` if the protocol cannot carry that length.
    #[inline]
    pub fn str_header(&mut self, len: usize) -> bool {
        if len <= 0xff && self.protocol >= 4 {
            self.op_with(Op::ShortBinUnicode, &[len as u8]);
        } else if let Ok(short) = u32::try_from(len) {
            self.large_header(len, Op::BinUnicode, &short.to_le_bytes());
        } else if self.protocol >= 4 {
            self.large_header(len, Op::BinUnicode8, &(len as u64).to_le_bytes());
        } else {
            return false;
        }
        true
    }

    /// Writes the header of a bytes object of `len` bytes (protocol 3 and later).
    #[inline]
    pub fn bytes_header(&mut self, len: usize) -> bool {
        if len <= 0xff {
            self.op_with(Op::ShortBinBytes, &[len as u8]);
        } else if let Ok(short) = u32::try_from(len) {
            self.large_header(len, Op::BinBytes, &short.to_le_bytes());
        } else if self.protocol >= 4 {
            self.large_header(len, Op::BinBytes8, &(len as u64).to_le_bytes());
        } else {
            return false;
        }
        true
    }

    /// Writes the header of a bytearray of `len` bytes (protocol 5).
    pub fn bytearray_header(&mut self, len: usize) {
        self.large_header(len, Op::ByteArray8, &(len as u64).to_le_bytes());
    }

    /// A header in front of content that stands outside any frame when it is large.
    fn large_header(&mut self, len: usize, op: Op, argument: &[u8]) {
        if len >= FRAME_TARGET {
            self.commit_frame();
            self.buf.push(op as u8);
            self.buf.extend_from_slice(argument);
        } else {
            self.op_with(op, argument);
        }
    }

    /// Writes the content that belongs to the header just written.
    #[inline]
    pub fn payload(&mut self, content: &[u8]) {
        self.buf.extend_from_slice(content);
    }

    /// Stores the top of the stack under memo index `index`, the next unused one.
    #[inline]
    pub fn memoize(&mut self, index: usize) {
        if self.protocol >= 4 && !self.spelt {
            self.op(Op::Memoize);
        } else if !self.binary() {
            self.text_line(Op::Put, index.to_string().as_bytes());
        } else if let Ok(short) = u8::try_from(index) {
            self.op_with(Op::BinPut, &[short]);
        } else {
            self.op_with(Op::LongBinPut, &(index as u32).to_le_bytes());
        }
    }

    /// Pushes the object stored under memo index `index`.
    #[inline]
    pub fn get(&mut self, index: usize) {
        if !self.binary() {
            self.text_line(Op::Get, index.to_string().as_bytes());
        } else if let Ok(short) = u8::try_from(index) {
            self.op_with(Op::BinGet, &[short]);
        } else {
            self.op_with(Op::LongBinGet, &(index as u32).to_le_bytes());
        }
    }

    /// Pushes an empty dict.
    pub fn empty_dict(&mut self) {
        if self.binary() {
            self.op(Op::EmptyDict);
        } else {
            self.raw(&[Op::Mark as u8, Op::Dict as u8]);
        }
    }

    /// Opens a tuple of `len` items that follow; [`Writer::tuple_end`] with the same `len` closes it.
    #[inline]
    pub fn tuple_begin(&mut self, len: usize) {
        if len > 3 || (self.protocol < 2 && len > 0) {
            self.op(Op::Mark);
        }
    }

    /// Closes the tuple opened with the same `len`.
    #[inline]
    pub fn tuple_end(&mut self, len: usize) {
        match len {
            0 if self.binary() => self.op(Op::EmptyTuple),
            0 => self.raw(&[Op::Mark as u8, Op::Tuple as u8]),
            1 if self.protocol >= 2 => self.op(Op::Tuple1),
            2 if self.protocol >= 2 => self.op(Op::Tuple2),
            3 if self.protocol >= 2 => self.op(Op::Tuple3),
            _ => self.op(Op::Tuple),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: u8, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer: Writer = Writer::new(protocol, Vec::new());
        writer.start();
        write(&mut writer);
        writer.finish();
        writer.into_buffer()
    }

    #[test]
    fn integers_take_the_shortest_opcode() {
        assert_eq!(written(3, |w| w.int(255)), b"\x80\x03K\xff.");
        assert_eq!(written(3, |w| w.int(256)), b"\x80\x03M\x00\x01.");
        assert_eq!(written(3, |w| w.int(-1)), b"\x80\x03J\xff\xff\xff\xff.");
        assert_eq!(written(3, |w| w.int(1 << 31)), b"\x80\x03\x8a\x05\x00\x00\x00\x80\x00.");
        assert_eq!(written(3, |w| w.int(-(1 << 31) - 1)), b"\x80\x03\x8a\x05\xff\xff\xff\x7f\xff.");
        assert_eq!(written(3, |w| w.int(i64::MIN)), b"\x80\x03\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.");
        assert_eq!(written(0, |w| w.int(-7)), b"I-7\n.");
        assert_eq!(written(1, |w| w.int(1 << 40)), b"L1099511627776L\n.");
    }

    #[test]
    fn a_tiny_frame_loses_its_header() {
        assert_eq!(written(4, |w| w.int(1)), b"\x80\x04K\x01.");
        assert_eq!(written(4, |w| w.int(300)), b"\x80\x04\x95\x04\x00\x00\x00\x00\x00\x00\x00M\x2c\x01.");
    }

    #[test]
    fn large_content_stands_outside_frames() {
        let data = vec![7; FRAME_TARGET];
        let out = written(4, |w| {
            w.op(Op::Mark);
            assert!(w.bytes_header(data.len()));
            w.payload(&data);
            w.memoize(0);
        });
        assert_eq!(&out[..9], b"\x80\x04(B\x00\x00\x01\x00\x07");
        assert_eq!(out.len(), 2 + 1 + 5 + FRAME_TARGET + 2);
    }

    #[test]
    fn rewinding_restores_an_open_frame() {
        let with = written(4, |w| {
            w.int(70_000);
            let place = w.checkpoint();
            w.int(1 << 40);
            w.commit_frame();
            w.int(5);
            w.rewind(place);
            w.int(9);
        });
        let without = written(4, |w| {
            w.int(70_000);
            w.int(9);
        });
        assert_eq!(with, without);
    }

    #[test]
    fn rewinding_restores_a_frame_that_had_lost_its_header() {
        let out = written(4, |w| {
            w.op(Op::Mark);
            let place = w.checkpoint();
            assert!(w.bytes_header(FRAME_TARGET));
            w.payload(&vec![0; FRAME_TARGET]);
            w.rewind(place);
            w.int(70_000);
        });
        assert_eq!(out, b"\x80\x04\x95\x07\x00\x00\x00\x00\x00\x00\x00(J\x70\x11\x01\x00.");
    }

    #[test]
    fn tuples_use_marks_where_the_protocol_needs_them() {
        let pair = |w: &mut Writer| {
            w.tuple_begin(2);
            w.int(1);
            w.int(2);
            w.tuple_end(2);
        };
        assert_eq!(written(2, pair), b"\x80\x02K\x01K\x02\x86.");
        assert_eq!(written(1, pair), b"(K\x01K\x02t.");
        assert_eq!(written(0, |w| w.tuple_end(0)), b"(t.");
    }
}
