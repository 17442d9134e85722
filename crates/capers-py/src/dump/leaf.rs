//! Objects without parts: atoms, strings, bytes and buffers.

use std::borrow::Cow;

use capers_pickle::Op;
use capers_pickle::writer::FRAME_TARGET;
use pyo3::exceptions::PyOverflowError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyFloat, PyInt, PyString, PyTuple};

use super::sink::Content;
use super::{Begun, Dumper, Frame, complaint};
use crate::ffi::access::{bytearray_copy, encode, int_bytes, int_value, is_long, is_only_ascii, str_bytes};
use crate::ffi::buffer::View;
use crate::ffi::kind::Kind;
use crate::ffi::make::{bytes, latin1};
use crate::ffi::reserve;
use crate::wire::Wire;

impl<'py> Dumper<'py> {
    /// Writes `None`, booleans, integers and floats; `false` for everything else.
    #[inline]
    pub(super) fn write_atom(&mut self, kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<bool> {
        match kind {
            Kind::None => self.writer.op(Op::None),
            Kind::Bool => self.writer.bool(object.is_truthy()?),
            Kind::Int => {
                let int = object.cast::<PyInt>()?;
                match int_value(int) {
                    Some(value) => self.writer.int(value),
                    None => self.write_long(int)?,
                }
            }
            Kind::Float => {
                let value = object.cast::<PyFloat>()?.value();
                if self.writer.binary() {
                    self.writer.float(value);
                } else {
                    let text = object.repr()?;
                    self.writer.text_line(Op::Float, &str_bytes(&text)?);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    #[cold]
    fn write_long(&mut self, int: &Bound<'py, PyInt>) -> PyResult<()> {
        if self.writer.protocol() < 2 {
            let digits = int.repr()?;
            self.writer.long_text(&digits.to_string_lossy());
            return Ok(());
        }
        if self.writer.long(&int_bytes(int)?) {
            Ok(())
        } else {
            Err(PyOverflowError::new_err("int too large to pickle"))
        }
    }

    /// Writes and memoizes an exact `str`.
    #[inline]
    pub(super) fn write_str(&mut self, text: &Bound<'py, PyString>) -> PyResult<()> {
        self.write_text(text)?;
        self.memoize(text.as_any());
        Ok(())
    }

    /// Writes a string without memoizing it.
    #[inline]
    fn write_text(&mut self, text: &Bound<'py, PyString>) -> PyResult<()> {
        if !self.writer.binary() {
            let line = raw_unicode_escape(text)?;
            self.writer.text_line(Op::Unicode, &line);
            return Ok(());
        }
        if is_long(text) {
            return self.write_long_text(text);
        }
        let content = str_bytes(text)?;
        self.write_text_header(content.len())?;
        self.write_content(&content)
    }

    /// Writes a string of so many characters that its UTF-8, if it is not the string's own memory, had better not be kept in
    /// the string.
    #[cold]
    fn write_long_text(&mut self, text: &Bound<'py, PyString>) -> PyResult<()> {
        if is_only_ascii(text)? {
            let content = str_bytes(text)?;
            self.write_text_header(content.len())?;
            return self.write_large(&Content::Fixed(&content));
        }
        let encoded = encode(text)?;
        self.write_text_header(encoded.as_bytes().len())?;
        self.write_large(&Content::Bytes(&encoded))
    }

    #[inline]
    fn write_text_header(&mut self, len: usize) -> PyResult<()> {
        if self.writer.str_header(len) {
            return Ok(());
        }
        Err(PyOverflowError::new_err("serializing a string larger than 4 GiB requires pickle protocol 4 or higher"))
    }

    /// Writes the content, which cannot change, that belongs to the header just written.
    #[inline]
    fn write_content(&mut self, content: &[u8]) -> PyResult<()> {
        if content.len() >= FRAME_TARGET {
            return self.write_large(&Content::Fixed(content));
        }
        self.writer.payload(content);
        Ok(())
    }

    /// Writes a text of a definition: by value, so that its identity does not show.
    pub(super) fn write_definition_text(&mut self, text: &Bound<'py, PyString>) -> PyResult<()> {
        match self.memo.text(text) {
            Some(index) => self.writer.get(index),
            None => {
                self.write_text(text)?;
                let index = self.memo.put_text(text);
                self.writer.memoize(index);
            }
        }
        Ok(())
    }

    pub(super) fn begin_bytes(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let bytes = object.cast::<PyBytes>()?;
        if self.writer.protocol() < 3 {
            return self.begin_old_bytes(bytes);
        }
        self.write_bytes_object(bytes)?;
        self.memoize(object);
        Ok(Begun::Done)
    }

    /// Protocols without bytes call `bytes()` or encode a latin-1 string, as the C pickler does.
    fn begin_old_bytes(&mut self, bytes: &Bound<'py, PyBytes>) -> PyResult<Begun<'py>> {
        let py = self.py;
        let content = bytes.as_bytes();
        if content.is_empty() {
            return self.begin_call(bytes.as_any(), py.get_type::<PyBytes>().into_any(), PyTuple::empty(py));
        }
        let encode = py.import("_codecs")?.getattr("encode")?;
        let args = PyTuple::new(py, [latin1(py, content)?, intern!(py, "latin1").clone()])?;
        self.begin_call(bytes.as_any(), encode, args)
    }

    /// Writes a bytes object (protocol 3 and later).
    fn write_bytes_object(&mut self, bytes: &Bound<'py, PyBytes>) -> PyResult<()> {
        let content = bytes.as_bytes();
        self.write_bytes_header(content.len())?;
        if content.len() >= FRAME_TARGET {
            return self.write_large(&Content::Bytes(bytes));
        }
        self.writer.payload(content);
        Ok(())
    }

    fn write_bytes_header(&mut self, len: usize) -> PyResult<()> {
        if self.writer.bytes_header(len) {
            return Ok(());
        }
        Err(PyOverflowError::new_err(
            "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher",
        ))
    }

    /// Writes the bytes of a definition in the way of the protocol, without memoizing them.
    pub(super) fn write_bytes(&mut self, content: &[u8]) -> PyResult<()> {
        if self.writer.protocol() >= 3 {
            self.write_bytes_header(content.len())?;
            return self.write_content(content);
        }
        self.write_wire(Wire::Encode);
        self.writer.tuple_begin(2);
        self.write_text(&latin1(self.py, content)?)?;
        self.write_definition_text(intern!(self.py, "latin1"))?;
        self.writer.tuple_end(2);
        self.writer.op(Op::Reduce);
        Ok(())
    }

    pub(super) fn begin_bytearray(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.writer.protocol() >= 5 {
            let view = View::new(object)?;
            self.writer.bytearray_header(view.len());
            self.write_large(&Content::Shared(&view))?;
            self.memoize(object);
            return Ok(Begun::Done);
        }
        let content = bytearray_copy(object.cast::<PyByteArray>()?)?;
        let args = if content.is_empty() {
            PyTuple::empty(self.py)
        } else {
            PyTuple::new(self.py, [bytes(self.py, &content)?])?
        };
        let callable = self.py.get_type::<PyByteArray>().into_any();
        self.begin_call(object, callable, args)
    }

    /// A `PickleBuffer`: handed to the callback, or in band as bytes or bytearray.
    pub(super) fn begin_buffer(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.writer.protocol() < 5 {
            return Err(self.pickling_error(complaint::old_protocol_for_buffer()));
        }
        let Some(view) = View::flat(object)? else {
            return Err(self.pickling_error("PickleBuffer can not be pickled when pointing to a non-contiguous buffer"));
        };
        let readonly = view.is_readonly();
        if let Some(callback) = self.hooks.buffer_callback.clone() {
            let in_band = callback.call1((object,))?.is_truthy()?;
            if !in_band {
                self.writer.op(Op::NextBuffer);
                if readonly {
                    self.writer.op(Op::ReadOnlyBuffer);
                }
                return Ok(Begun::Done);
            }
        }
        if !readonly {
            self.writer.bytearray_header(view.len());
            self.write_large(&Content::Shared(&view))?;
        } else if let Some(Ok(whole)) = view.owner(self.py).map(Bound::cast_into_exact::<PyBytes>)
            && whole.as_bytes().len() == view.len()
        {
            self.write_bytes_object(&whole)?;
        } else {
            self.write_bytes_header(view.len())?;
            self.write_large(&Content::Shared(&view))?;
        }
        self.memoize(object);
        Ok(Begun::Done)
    }

    /// Starts `callable(*args)` as the reduction of `object`.
    pub(super) fn begin_call(
        &mut self,
        object: &Bound<'py, PyAny>,
        callable: Bound<'py, PyAny>,
        args: Bound<'py, PyTuple>,
    ) -> PyResult<Begun<'py>> {
        Ok(Begun::Frame(Frame::Reduce(Box::new(super::reduce::Reduce::call(object.clone(), callable, args)))))
    }
}

/// The text form of a string in protocol 0.
///
/// As `raw_unicode_escape`, with backslash, newline, carriage return, NUL and 0x1a escaped too, as `_pickle.c` does.
fn raw_unicode_escape<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
    let content = str_bytes(text)?;
    if content.is_ascii() && !content.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r' | 0 | 0x1a)) {
        return Ok(content);
    }
    let mut line = Vec::new();
    for code in text.call_method1("encode", ("utf-32-le", "surrogatepass"))?.cast::<PyBytes>()?.as_bytes().chunks(4) {
        let point = u32::from_le_bytes([code[0], code[1], code[2], code[3]]);
        reserve::reserve(&mut line, 10);
        match point {
            0x5c | 0x0a | 0x0d | 0 | 0x1a | 0x100..=0xffff => {
                line.extend_from_slice(format!("\\u{point:04x}").as_bytes());
            }
            0x1_0000.. => {
                line.extend_from_slice(format!("\\U{point:08x}").as_bytes());
            }
            _ => line.push(point as u8),
        }
    }
    Ok(Cow::Owned(line))
}
