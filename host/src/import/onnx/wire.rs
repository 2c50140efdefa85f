//! A look over the protocol buffer before it is decoded.
//!
//! The decoder allocates what a length field says and recurses as deep as messages nest, so a few bad
//! bytes could ask for terabytes or overflow the stack. This pass makes sure that every length lies inside
//! its message, that nesting and the number of messages are bounded, and that packed numbers are whole.

/// Deepest nesting of messages; a model without control flow needs 7.
const MAX_DEPTH: usize = 32;

/// Most messages in a file: each may take some hundred bytes once decoded.
const MAX_MESSAGES: usize = 1 << 20;

/// The message types of the ONNX schema that the decoder enters.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    SequenceType,
    Shape,
    Leaf,
}

/// What a length-delimited field holds.
enum Content {
    Message(Message),
    Varints,
    Fixed(usize),
    Opaque,
}

impl Message {
    /// What field `number` holds, by the schema (`onnx.proto3`).
    fn content(self, number: u64) -> Content {
        use Content::{Fixed, Opaque, Varints};
        let message = match (self, number) {
            (Message::Model, 7) => Message::Graph,
            (Message::Model, 8 | 14) => Message::Leaf,
            (Message::Graph, 1) => Message::Node,
            (Message::Graph, 5) => Message::Tensor,
            (Message::Graph, 11..=13) => Message::ValueInfo,
            (Message::Node, 5) => Message::Attribute,
            (Message::Attribute, 5) => Message::Tensor,
            (Message::Attribute, 6) => Message::Graph,
            (Message::Tensor, 4) => return Fixed(4),
            (Message::Tensor, 5 | 7) => return Varints,
            (Message::Tensor, 10) => return Fixed(8),
            (Message::Tensor, 13) => Message::Leaf,
            (Message::ValueInfo, 2) => Message::Type,
            (Message::Type, 1) => Message::TensorType,
            (Message::Type, 4) => Message::SequenceType,
            (Message::TensorType, 2) => Message::Shape,
            (Message::SequenceType, 1) => Message::Type,
            (Message::Shape, 1) => Message::Leaf,
            _ => return Opaque,
        };
        Content::Message(message)
    }
}

/// Whether `bytes` are a well-formed model message; the error says what is wrong and where.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    Checker { bytes, position: 0, messages: 0 }.message(Message::Model, bytes.len(), 0)
}

struct Checker<'a> {
    bytes: &'a [u8],
    position: usize,
    messages: usize,
}

impl Checker<'_> {
    fn message(&mut self, message: Message, end: usize, depth: usize) -> Result<(), String> {
        self.messages += 1;
        if depth > MAX_DEPTH || self.messages > MAX_MESSAGES {
            return Err(format!("too many messages at byte {}", self.position));
        }
        while self.position < end {
            let at = self.position;
            let tag = self.varint(end)?;
            match tag & 7 {
                0 => {
                    self.varint(end)?;
                }
                1 => self.skip(8, end)?,
                5 => self.skip(4, end)?,
                2 => {
                    let length = self.varint(end)?;
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    if length > end - self.position {
                        return Err(format!(
                            "the field at byte {at} says {length} bytes where {} are left (is the file cut?)",
                            end - self.position
                        ));
                    }
                    self.content(message.content(tag >> 3), self.position + length, depth)?;
                }
                _ => return Err(format!("no field starts at byte {at}")),
            }
        }
        Ok(())
    }

    fn content(&mut self, content: Content, end: usize, depth: usize) -> Result<(), String> {
        let (at, length) = (self.position, end - self.position);
        match content {
            Content::Message(message) => return self.message(message, end, depth + 1),
            // The decoder would read on behind the end, or forever in one of more than ten bytes.
            Content::Varints => {
                while self.position < end {
                    self.varint(end)?;
                }
            }
            Content::Fixed(size) if !length.is_multiple_of(size) => {
                return Err(format!("the numbers at byte {at} are cut"));
            }
            Content::Fixed(_) | Content::Opaque => {}
        }
        self.position = end;
        Ok(())
    }

    fn skip(&mut self, count: usize, end: usize) -> Result<(), String> {
        if count > end - self.position {
            return Err(format!("a number at byte {} is cut", self.position));
        }
        self.position += count;
        Ok(())
    }

    fn varint(&mut self, end: usize) -> Result<u64, String> {
        let mut value = 0;
        for (i, &byte) in self.bytes[self.position..end].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                if i == 9 && byte > 1 {
                    break;
                }
                self.position += i + 1;
                return Ok(value);
            }
        }
        Err(format!("no number at byte {}", self.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rten_onnx::onnx::ModelProto;

    /// A length-delimited field.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length > 127 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(content);
        bytes
    }

    #[test]
    fn refuses_lengths_beyond_the_file() {
        // raw_data of 2^62 bytes inside an initializer.
        let mut tensor = vec![9 << 3 | 2];
        tensor.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
        let message = check(&field(7, &field(5, &tensor))).unwrap_err();
        assert!(message.contains("bytes where 0 are left"), "{message}");
        assert!(check(&[]).is_err());
    }

    #[test]
    fn refuses_endless_nesting() {
        let mut graph = Vec::new();
        for _ in 0..10_000 {
            graph = field(1, &field(5, &field(6, &graph)));
        }
        assert!(check(&field(7, &graph)).unwrap_err().contains("too many messages"));
    }

    #[test]
    fn refuses_packed_numbers_that_are_cut() {
        for tensor in [field(4, &[1, 2, 3, 4, 5]), field(10, &[0; 9])] {
            assert!(check(&field(7, &field(5, &tensor))).unwrap_err().contains("are cut"));
        }
        for tensor in [field(7, &[0x80]), field(5, &[0xff; 11])] {
            assert!(check(&field(7, &field(5, &tensor))).unwrap_err().contains("no number"));
        }
        check(&field(7, &field(5, &field(7, &[0x80, 1])))).unwrap();
    }

    proptest! {
        #[test]
        fn what_passes_is_decoded_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if check(&bytes).is_ok() {
                let _ = ModelProto::parse_buf(&bytes);
            }
        }
    }
}
