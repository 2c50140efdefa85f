//! FlatBuffers read with every access checked.
//!
//! The format (flatbuffers.dev/internals) is simple enough to read in place: a table begins with the distance back to
//! its vtable, which has each field's distance from the table's beginning. The `flatbuffers` crate hands out fields by
//! `unsafe` calls unless generated code verified the file before, and verification walks all of it; here only what is
//! asked for is looked at, an access outside the file is an error, and nothing is followed by itself, so that no file
//! makes the reader run long or deep.

/// A table in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    file: &'a [u8],
    /// Where the table begins.
    at: usize,
    /// Distances of the fields from there, two bytes each; 0 for a field that is left out.
    fields: &'a [u8],
}

/// A vector of elements of `N` bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vector<'a, const N: usize> {
    file: &'a [u8],
    /// Where the first element begins.
    at: usize,
    elements: &'a [[u8; N]],
}

const OUTSIDE: &str = "an offset points outside the file";

/// The `N` bytes at `at`.
fn bytes<const N: usize>(file: &[u8], at: usize) -> Result<[u8; N], String> {
    let found = file.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().ok_or_else(|| OUTSIDE.into())
}

/// Where the offset stored at `at` points, which is counted from there.
fn target(file: &[u8], at: usize) -> Result<usize, String> {
    let distance = u32::from_le_bytes(bytes(file, at)?) as usize;
    at.checked_add(distance).filter(|&target| target < file.len()).ok_or_else(|| OUTSIDE.into())
}

impl<'a> Table<'a> {
    /// The root table of `file`, whose identifier has to be `identifier`.
    pub(super) fn root(file: &'a [u8], identifier: &[u8; 4]) -> Result<Table<'a>, String> {
        match bytes::<4>(file, 4) {
            Ok(found) if found == *identifier => Table::at(file, target(file, 0)?),
            _ => Err(format!("it lacks the identifier {}", identifier.escape_ascii())),
        }
    }

    fn at(file: &'a [u8], at: usize) -> Result<Table<'a>, String> {
        let back = i64::from(i32::from_le_bytes(bytes(file, at)?));
        // A table lies within the file, so its beginning fits an i64.
        let vtable = usize::try_from(at as i64 - back).map_err(|_| OUTSIDE)?;
        let size = usize::from(u16::from_le_bytes(bytes(file, vtable)?));
        let whole = file.get(vtable..vtable.saturating_add(size)).ok_or(OUTSIDE)?;
        // The vtable's size and the table's come before the fields.
        let fields = whole.get(4..).ok_or("a table has no fields at all")?;
        Ok(Table { file, at, fields })
    }

    /// Where field `index` is stored; `None` if it is left out.
    fn place(&self, index: usize) -> Option<usize> {
        let (distances, _) = self.fields.as_chunks::<2>();
        let distance = usize::from(u16::from_le_bytes(*distances.get(index)?));
        (distance != 0).then_some(self.at.saturating_add(distance))
    }

    fn number<const N: usize>(&self, index: usize) -> Result<Option<[u8; N]>, String> {
        self.place(index).map(|at| bytes(self.file, at)).transpose()
    }

    /// A byte, or `default` if it is left out.
    pub(super) fn u8(&self, index: usize, default: u8) -> Result<u8, String> {
        Ok(self.number(index)?.map_or(default, u8::from_le_bytes))
    }

    /// A number of 32 bits with a sign.
    pub(super) fn i32(&self, index: usize, default: i32) -> Result<i32, String> {
        Ok(self.number(index)?.map_or(default, i32::from_le_bytes))
    }

    /// A number of 32 bits without a sign.
    pub(super) fn u32(&self, index: usize, default: u32) -> Result<u32, String> {
        Ok(self.number(index)?.map_or(default, u32::from_le_bytes))
    }

    /// A number of 64 bits without a sign.
    pub(super) fn u64(&self, index: usize, default: u64) -> Result<u64, String> {
        Ok(self.number(index)?.map_or(default, u64::from_le_bytes))
    }

    /// A table that this one refers to.
    pub(super) fn table(&self, index: usize) -> Result<Option<Table<'a>>, String> {
        self.place(index).map(|at| Table::at(self.file, target(self.file, at)?)).transpose()
    }

    /// A vector of elements of `N` bytes; an empty one if it is left out.
    pub(super) fn vector<const N: usize>(&self, index: usize) -> Result<Vector<'a, N>, String> {
        let Some(at) = self.place(index) else {
            return Ok(Vector { file: self.file, at: 0, elements: &[] });
        };
        let start = target(self.file, at)?;
        let count = u32::from_le_bytes(bytes(self.file, start)?) as usize;
        let at = start + 4;
        let length = count.checked_mul(N).ok_or(OUTSIDE)?;
        let all = self.file.get(at..at.saturating_add(length)).ok_or(OUTSIDE)?;
        Ok(Vector { file: self.file, at, elements: all.as_chunks().0 })
    }

    /// A string; an empty one if it is left out. Bytes that are no UTF-8 are replaced, and what is longer than 200
    /// bytes is cut, as a small file could name one long string again and again.
    pub(super) fn string(&self, index: usize) -> Result<String, String> {
        let bytes = self.vector::<1>(index)?.elements.as_flattened();
        Ok(String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned())
    }
}

impl<'a, const N: usize> Vector<'a, N> {
    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    /// The elements, least significant byte first.
    pub(super) fn elements(&self) -> &'a [[u8; N]] {
        self.elements
    }
}

impl<'a> Vector<'a, 4> {
    /// The table that element `i` refers to.
    pub(super) fn table(&self, i: usize) -> Result<Table<'a>, String> {
        if i >= self.len() {
            return Err(format!("index {i} exceeds the {} elements of its list", self.len()));
        }
        Table::at(self.file, target(self.file, self.at + 4 * i)?)
    }

    /// The elements as numbers.
    pub(super) fn i32s(&self) -> impl Iterator<Item = i32> + use<'a> {
        self.elements.iter().map(|&bytes| i32::from_le_bytes(bytes))
    }

    /// The elements as floats.
    pub(super) fn f32s(&self) -> impl Iterator<Item = f32> + use<'a> {
        self.elements.iter().map(|&bytes| f32::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root table whose only field is a byte of 7.
    const FILE: [u8; 21] = [12, 0, 0, 0, b'T', b'F', b'L', b'3', 6, 0, 5, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7];

    fn file() -> [u8; 21] {
        let mut file = FILE;
        // The vtable at 8 (6 bytes), the table at 16.
        file[0] = 16;
        file[8..14].copy_from_slice(&[6, 0, 5, 0, 4, 0]);
        file[16] = 8;
        file
    }

    #[test]
    fn fields_are_found_or_have_their_defaults() {
        let file = file();
        let root = Table::root(&file, b"TFL3").unwrap();
        assert_eq!((root.u8(0, 1), root.u8(1, 9), root.u8(1000, 3)), (Ok(7), Ok(9), Ok(3)));
        assert_eq!((root.string(5), root.vector::<4>(2).unwrap().len()), (Ok(String::new()), 0));
        assert!(root.table(3).unwrap().is_none());
        // A field of more bytes than are left.
        assert_eq!(root.i32(0, 0), Err(OUTSIDE.into()));
        assert!(root.table(0).is_err() && root.vector::<1>(0).is_err());
    }

    #[test]
    fn no_cut_and_no_byte_makes_it_panic() {
        let file = file();
        let look = |file: &[u8]| {
            let Ok(root) = Table::root(file, b"TFL3") else { return };
            for field in 0..3 {
                let _ = (root.u8(field, 0), root.u64(field, 0), root.string(field));
                let _ = root.table(field).map(|table| table.map(|table| table.u32(0, 0)));
                let _ = root.vector::<4>(field).map(|list| list.table(0).map(|table| table.u8(0, 0)));
            }
        };
        for end in 0..file.len() {
            look(&file[..end]);
        }
        for at in 0..file.len() {
            for value in [0, 1, 4, 0x7f, 0x80, 0xff] {
                let mut file = file;
                file[at] = value;
                look(&file);
            }
        }
        assert!(Table::root(b"GIF89a", b"TFL3").unwrap_err().contains("TFL3"));
    }
}
