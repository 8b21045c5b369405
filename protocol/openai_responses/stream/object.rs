//! A JSON object, field by field straight into a buffer.

use serde::Serialize;

use crate::json;

/// An object under way; [`Self::end`] closes it.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    /// Opens an object at the buffer's end.
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    pub(super) fn field<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        self.name(name);
        json::append(self.out, value);
        self
    }

    /// A field whose value is JSON already.
    pub(super) fn json(mut self, name: &str, value: &[u8]) -> Self {
        self.name(name);
        self.out.extend_from_slice(value);
        self
    }

    /// A list whose items are JSON already, commas included.
    pub(super) fn list(mut self, name: &str, items: &[u8]) -> Self {
        self.name(name);
        self.out.push(b'[');
        self.out.extend_from_slice(items);
        self.out.push(b']');
        self
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    fn name(&mut self, name: &str) {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// Appends an item to a list that [`Object::list`] is to write.
pub(super) fn push_item(list: &mut Vec<u8>, item: &[u8]) {
    if !list.is_empty() {
        list.push(b',');
    }
    list.extend_from_slice(item);
}
