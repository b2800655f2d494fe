//! One list of fields for each shape, whether it is written whole or with its data left out.
//!
//! A body is streamed, so its text has to be known without its data. Every shape that holds data
//! writes its fields through [`Shape`]: with [`Marks`], the place of each base64 text is noted and
//! nothing is written there; without, the base64 stands in the JSON as in any other.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Write};

use base64_simd::STANDARD;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::data::Data;

/// What can be written with its data left out.
pub(crate) trait Shape {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error>;
}

impl<T: Shape> Shape for [T] {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(|item| Shaped(item, marks)))
    }
}

/// A shape on its way into a serializer.
pub(crate) struct Shaped<'a, T: ?Sized>(pub(crate) &'a T, pub(crate) Option<&'a Marks>);

impl<T: Shape + ?Sized> Serialize for Shaped<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer, self.1)
    }
}

/// Implements `Serialize` by `Shape`.
macro_rules! serialize_by_shape {
    ($($shape:ty),+) => {$(
        impl serde::Serialize for $shape {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::shape::Shape::write(self, serializer, None)
            }
        }
    )+};
}

pub(crate) use serialize_by_shape;

/// Where data belongs in a text, in the text's order.
#[derive(Default)]
pub(crate) struct Marks {
    written: Cell<u64>,
    places: RefCell<Vec<(u64, Data)>>,
}

impl Marks {
    /// Writes a shape's text, which is compact JSON, and gives the places of its data.
    pub(crate) fn of<T: Shape + ?Sized>(
        shape: &T,
        writer: impl Write,
    ) -> serde_json::Result<(u64, Vec<(u64, Data)>)> {
        let marks = Self::default();
        let counting = Counting { writer, marks: &marks };
        serde_json::to_writer(counting, &Shaped(shape, Some(&marks)))?;
        Ok((marks.written.get(), marks.places.into_inner()))
    }
}

struct Counting<'a, W> {
    writer: W,
    marks: &'a Marks,
}

impl<W: Write> Write for Counting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.marks.written.set(self.marks.written.get() + count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A string of a few characters and the base64 of `data`.
pub(crate) struct Base64<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) data: &'a Data,
    pub(crate) marks: Option<&'a Marks>,
}

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(marks) = self.marks {
            return serializer.collect_str(&Place { base64: self, marks });
        }
        let bytes = self.data.read_all().map_err(S::Error::custom)?;
        let mut text = self.prefix.to_owned();
        STANDARD.encode_append(&bytes, &mut text);
        serializer.serialize_str(&text)
    }
}

/// Notes how far the text has come when it is displayed, which `serde_json` does between writing
/// the two quotation marks.
struct Place<'a> {
    base64: &'a Base64<'a>,
    marks: &'a Marks,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base64.prefix)?;
        let place = (self.marks.written.get(), self.base64.data.clone());
        self.marks.places.borrow_mut().push(place);
        Ok(())
    }
}
