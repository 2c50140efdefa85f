//! Constant tensors: weights, and the small integers that shapes are computed with.

use rten_onnx::onnx::{DataLocation, DataType, TensorProto};

/// A constant of the model, in the model's own axis order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// Sides, outermost first; empty for a scalar.
    pub(super) dims: Vec<usize>,
    /// As many elements as the sides say.
    pub(super) data: Data,
    /// What else is known of the elements.
    pub(super) origin: Origin,
}

/// What the elements of an [`Array`] were in the file, where it matters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Origin {
    Plain,
    /// Bytes without a sign.
    Uint8,
    /// Codes with the zero point 0.
    Codes {
        /// Real value of one step: one for all, or one for each index along `axis`.
        scales: Vec<f32>,
        axis: usize,
    },
}

/// The elements of an [`Array`], in one of the two kinds that matter here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
}

impl Array {
    /// A constant from its sides and elements, whose number must agree.
    pub(super) fn new(dims: Vec<usize>, data: Data) -> Result<Self, String> {
        let array = Array { dims, data, origin: Origin::Plain };
        if element_count(&array.dims) == Some(array.len()) {
            Ok(array)
        } else {
            Err(format!("has {} elements, which are not {:?}", array.len(), array.dims))
        }
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        match &self.data {
            Data::Floats(values) => values.len(),
            Data::Ints(values) => values.len(),
        }
    }

    /// A list of integers.
    pub(super) fn list(values: Vec<i64>) -> Self {
        Array { dims: vec![values.len()], data: Data::Ints(values), origin: Origin::Plain }
    }

    /// The elements as floats.
    pub(super) fn floats(&self) -> Result<&[f32], String> {
        match &self.data {
            Data::Floats(values) => Ok(values),
            Data::Ints(_) => Err("a constant has integers where floats belong".into()),
        }
    }

    /// The elements as integers.
    pub(super) fn ints(&self) -> Result<&[i64], String> {
        match &self.data {
            Data::Ints(values) => Ok(values),
            Data::Floats(_) => Err("a constant has floats where integers belong".into()),
        }
    }

    /// The only element, as a float.
    pub(super) fn scalar(&self) -> Result<f32, String> {
        match self.floats()? {
            [value] => Ok(*value),
            values => Err(format!("a constant has {} elements where one belongs", values.len())),
        }
    }

    /// The elements at `indices`, in that order, as a tensor of `dims`. Indices must be in range.
    pub(super) fn pick(&self, dims: Vec<usize>, indices: impl Iterator<Item = usize>) -> Array {
        let data = match &self.data {
            Data::Floats(values) => Data::Floats(indices.map(|i| values[i]).collect()),
            Data::Ints(values) => Data::Ints(indices.map(|i| values[i]).collect()),
        };
        Array { dims, data, origin: Origin::Plain }
    }
}

/// Product of the sides, if neither it nor the product of any of them overflows.
pub(super) fn element_count(dims: &[usize]) -> Option<usize> {
    let product = dims.iter().try_fold(1usize, |product, &side| product.checked_mul(side.max(1)))?;
    Some(if dims.contains(&0) { 0 } else { product })
}

/// Sides as the file gives them, none negative.
pub(super) fn sides(dims: &[i64]) -> Result<Vec<usize>, String> {
    let side = |&side: &i64| usize::try_from(side).map_err(|_| format!("has a side of {side}"));
    dims.iter().map(side).collect()
}

/// Decodes a tensor of the file. Floats and doubles become f32, all integers and booleans i64.
pub(super) fn decode(tensor: &TensorProto) -> Result<Array, String> {
    if tensor.data_location == Some(DataLocation::EXTERNAL) {
        return Err("is stored in an external data file; save the model as a single file \
                    (onnx.save without save_as_external_data)"
            .into());
    }
    let raw = tensor.raw_data.as_ref().map(|cell| cell.borrow());
    let raw = raw.as_deref().map(Vec::as_slice);
    let kind = tensor.data_type.unwrap_or(DataType(0));
    let data = match kind {
        DataType::FLOAT => Data::Floats(match raw {
            Some(raw) => numbers(raw, f32::from_le_bytes)?,
            None => tensor.float_data.clone(),
        }),
        DataType::DOUBLE => Data::Floats(match raw {
            Some(raw) => numbers(raw, |bytes| f64::from_le_bytes(bytes) as f32)?,
            None => tensor.double_data.iter().map(|&x| x as f32).collect(),
        }),
        DataType::INT64 => Data::Ints(match raw {
            Some(raw) => numbers(raw, i64::from_le_bytes)?,
            None => tensor.int64_data.clone(),
        }),
        DataType::INT32 => Data::Ints(match raw {
            Some(raw) => numbers(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))?,
            None => tensor.int32_data.iter().map(|&x| i64::from(x)).collect(),
        }),
        DataType::INT8 => Data::Ints(match raw {
            Some(raw) => raw.iter().map(|&x| i64::from(x as i8)).collect(),
            None => tensor.int32_data.iter().map(|&x| i64::from(x)).collect(),
        }),
        DataType::BOOL | DataType::UINT8 => Data::Ints(match raw {
            Some(raw) => raw.iter().map(|&x| i64::from(x)).collect(),
            None => tensor.int32_data.iter().map(|&x| i64::from(x)).collect(),
        }),
        other => {
            return Err(format!(
                "has elements of type {other}; FLOAT, INT64, INT32, INT8 and UINT8 are read"
            ));
        }
    };
    let mut array = Array::new(sides(&tensor.dims)?, data)?;
    if kind == DataType::UINT8 {
        array.origin = Origin::Uint8;
    }
    Ok(array)
}

/// Little-endian numbers of `N` bytes.
fn numbers<const N: usize, T>(raw: &[u8], number: impl Fn([u8; N]) -> T) -> Result<Vec<T>, String> {
    let (whole, rest) = raw.as_chunks::<N>();
    if rest.is_empty() {
        Ok(whole.iter().map(|&bytes| number(bytes)).collect())
    } else {
        Err(format!("has {} bytes of data, which are no numbers of {N}", raw.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn tensor(dims: &[i64], kind: DataType, raw: &[u8]) -> TensorProto {
        TensorProto {
            dims: dims.to_vec(),
            data_type: Some(kind),
            raw_data: Some(RefCell::new(raw.to_vec())),
            ..Default::default()
        }
    }

    #[test]
    fn decodes_both_ways_of_storing() {
        let raw = decode(&tensor(&[2], DataType::FLOAT, &[0, 0, 128, 63, 0, 0, 0, 64])).unwrap();
        let typed = TensorProto {
            dims: vec![2],
            data_type: Some(DataType::FLOAT),
            float_data: vec![1.0, 2.0],
            ..Default::default()
        };
        assert_eq!(raw, decode(&typed).unwrap());
        assert_eq!(
            decode(&tensor(&[], DataType::INT32, &[254, 255, 255, 255])).unwrap().ints(),
            Ok(&[-2][..])
        );
    }

    #[test]
    fn refuses_sizes_that_disagree() {
        let reason = |tensor: TensorProto| decode(&tensor).unwrap_err();
        assert!(reason(tensor(&[3], DataType::FLOAT, &[0; 8])).contains("2 elements"));
        assert!(reason(tensor(&[1], DataType::FLOAT, &[0; 5])).contains("5 bytes"));
        assert!(reason(tensor(&[-1], DataType::FLOAT, &[])).contains("side of -1"));
        assert!(reason(tensor(&[i64::MAX, i64::MAX], DataType::FLOAT, &[])).contains("not"));
        assert!(reason(tensor(&[1], DataType::FLOAT16, &[0, 0])).contains("FLOAT16"));
        let external =
            TensorProto { data_location: Some(DataLocation::EXTERNAL), ..tensor(&[1], DataType::FLOAT, &[]) };
        assert!(reason(external).contains("single file"));
    }
}
