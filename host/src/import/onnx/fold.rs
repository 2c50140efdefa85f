//! Subgraphs that do not depend on the image, computed at import. Exporters write shapes and paddings as
//! chains of these operators.

use super::attributes::{Call, axis};
use super::constant::{Array, Data, decode, element_count};
use super::quantized;
use super::slice::cuts;
use rten_onnx::onnx::DataType;

/// Most elements that an operator may make out of a few bytes, `ConstantOfShape` above all.
const MAX_MADE: usize = 1 << 20;

/// The result of a node all of whose inputs are constant; `None` if it is no operator on constants.
pub(super) fn fold(call: &Call) -> Result<Option<Array>, String> {
    Ok(Some(match call.operator() {
        "Constant" => constant(call)?,
        "ConstantOfShape" => constant_of_shape(call)?,
        "Cast" => cast(call)?,
        "Concat" => concat(call)?,
        "DequantizeLinear" => quantized::constant(call)?,
        "Gather" => gather(call)?,
        "Reshape" => reshape(call)?,
        "Shape" => {
            let dims = call.required(0)?.dims.iter().map(|&side| side as i64).collect();
            Array::list(shape_part(call, dims)?)
        }
        "Slice" => slice(call)?,
        "Squeeze" => squeeze(call)?,
        "Transpose" => transpose(call)?,
        "Unsqueeze" => unsqueeze(call)?,
        _ => return Ok(None),
    }))
}

fn constant(call: &Call) -> Result<Array, String> {
    if let Some(tensor) = call.tensor("value")? {
        return decode(tensor).map_err(|reason| format!("value {reason}"));
    }
    if let Some(value) = call.float("value_float")? {
        return Array::new(vec![], Data::Floats(vec![value]));
    }
    if let Some(values) = call.ints("value_ints")? {
        return Ok(Array::list(values.to_vec()));
    }
    if call.node.attribute.iter().any(|attribute| attribute.name.as_deref() == Some("value_int")) {
        return Array::new(vec![], Data::Ints(vec![call.int("value_int", 0)?]));
    }
    Err("has no value; value, value_float, value_int and value_ints are read".into())
}

fn constant_of_shape(call: &Call) -> Result<Array, String> {
    let dims = super::constant::sides(call.required(0)?.ints()?)?;
    let count = element_count(&dims).filter(|&count| count <= MAX_MADE);
    let count = count.ok_or_else(|| format!("a constant of {dims:?} is too large"))?;
    let value = match call.tensor("value")? {
        Some(tensor) => decode(tensor)?.data,
        None => Data::Floats(vec![0.0]),
    };
    let data = match value {
        Data::Floats(value) if value.len() == 1 => Data::Floats(vec![value[0]; count]),
        Data::Ints(value) if value.len() == 1 => Data::Ints(vec![value[0]; count]),
        _ => return Err("value must be one element".into()),
    };
    Array::new(dims, data)
}

fn cast(call: &Call) -> Result<Array, String> {
    let input = call.required(0)?;
    let to = DataType(i32::try_from(call.int("to", 0)?).unwrap_or(0));
    let data = match (&input.data, to) {
        (Data::Floats(values), DataType::FLOAT | DataType::DOUBLE) => Data::Floats(values.clone()),
        (Data::Ints(values), DataType::INT32 | DataType::INT64) => Data::Ints(values.clone()),
        (Data::Ints(values), DataType::FLOAT) => Data::Floats(values.iter().map(|&x| x as f32).collect()),
        // Towards zero, as the operator says.
        (Data::Floats(values), DataType::INT64) => Data::Ints(values.iter().map(|&x| x as i64).collect()),
        _ => return Err(format!("casting to type {to} is not supported")),
    };
    Array::new(input.dims.clone(), data)
}

/// Elements before, at and after `axis`: the loops around a part along it.
fn around(dims: &[usize], axis: usize) -> (usize, usize, usize) {
    (dims[..axis].iter().product(), dims[axis], dims[axis + 1..].iter().product())
}

fn concat(call: &Call) -> Result<Array, String> {
    let parts = (0..call.inputs.len()).map(|i| call.required(i)).collect::<Result<Vec<_>, _>>()?;
    let first = *parts.first().ok_or("has no inputs")?;
    let along = axis(call.int("axis", 0)?, first.dims.len())?;
    let mut dims = first.dims.clone();
    dims[along] = 0;
    for part in &parts {
        let mut others = part.dims.clone();
        let side = others.get_mut(along).ok_or("joins tensors of different ranks")?;
        dims[along] = dims[along].checked_add(*side).ok_or("joins tensors that are too large")?;
        *side = dims[along];
        if others != dims {
            return Err("joins tensors of different shapes".into());
        }
    }
    if element_count(&dims).is_none_or(|count| count > MAX_MADE) {
        return Err(format!("a constant of {dims:?} is too large"));
    }
    let outer = around(&dims, along).0;
    let mut data = match first.data {
        Data::Floats(_) => Data::Floats(Vec::new()),
        Data::Ints(_) => Data::Ints(Vec::new()),
    };
    for row in 0..outer {
        for part in &parts {
            let (_, side, inner) = around(&part.dims, along);
            let range = row * side * inner..(row + 1) * side * inner;
            match &mut data {
                Data::Floats(values) => values.extend_from_slice(&part.floats()?[range]),
                Data::Ints(values) => values.extend_from_slice(&part.ints()?[range]),
            }
        }
    }
    Array::new(dims, data)
}

fn gather(call: &Call) -> Result<Array, String> {
    let (input, indices) = (call.required(0)?, call.required(1)?);
    let along = axis(call.int("axis", 0)?, input.dims.len())?;
    let (outer, side, inner) = around(&input.dims, along);
    let chosen = indices.ints()?.iter().map(|&i| axis(i, side)).collect::<Result<Vec<_>, _>>()?;
    let mut dims = input.dims.clone();
    dims.splice(along..=along, indices.dims.iter().copied());
    if element_count(&dims).is_none_or(|count| count > MAX_MADE) {
        return Err(format!("a constant of {dims:?} is too large"));
    }
    let chosen = &chosen;
    let picked = (0..outer).flat_map(move |row| {
        chosen.iter().flat_map(move |&i| (0..inner).map(move |column| (row * side + i) * inner + column))
    });
    Ok(input.pick(dims, picked))
}

fn reshape(call: &Call) -> Result<Array, String> {
    let input = call.required(0)?;
    let target = call.required(1)?.ints()?;
    let mut known = Vec::new();
    for (i, &side) in target.iter().enumerate() {
        known.push(match side {
            0 => *input.dims.get(i).ok_or("copies a side that is not there")?,
            -1 => 1,
            side => usize::try_from(side).map_err(|_| format!("has a side of {side}"))?,
        });
    }
    let elements = element_count(&input.dims).unwrap_or(0);
    if let Some(open) = target.iter().position(|&side| side == -1) {
        let others = element_count(&known).filter(|&count| count > 0);
        known[open] = elements / others.ok_or("can't tell the open side")?;
    }
    Array::new(known, input.data.clone())
}

/// The sides from attribute `start` to `end` of a `Shape` node.
pub(super) fn shape_part(call: &Call, dims: Vec<i64>) -> Result<Vec<i64>, String> {
    let rank = dims.len() as i64;
    let index = |value: i64| {
        let absolute = if value < 0 { value.saturating_add(rank) } else { value };
        absolute.clamp(0, rank) as usize
    };
    let (start, end) = (index(call.int("start", 0)?), index(call.int("end", rank)?));
    Ok(dims.get(start..end).unwrap_or(&[]).to_vec())
}

fn slice(call: &Call) -> Result<Array, String> {
    let mut array = call.required(0)?.clone();
    for cut in cuts(call, array.dims.len())? {
        let (outer, side, inner) = around(&array.dims, cut.axis);
        let (first, count) = cut.range(side)?;
        let at = |i: usize| (first as i64 + i as i64 * cut.step()) as usize;
        let picked = (0..outer).flat_map(|row| {
            (0..count).flat_map(move |i| (0..inner).map(move |column| (row * side + at(i)) * inner + column))
        });
        let mut dims = array.dims.clone();
        dims[cut.axis] = count;
        array = array.pick(dims, picked);
    }
    Ok(array)
}

fn squeeze(call: &Call) -> Result<Array, String> {
    let input = call.required(0)?;
    let rank = input.dims.len();
    let gone = match call.ints_or_input("axes", 1)? {
        Some(list) => list.iter().map(|&i| axis(i, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).filter(|&i| input.dims[i] == 1).collect(),
    };
    let dims = (0..rank).filter(|i| !gone.contains(i)).map(|i| input.dims[i]).collect();
    Array::new(dims, input.data.clone())
}

fn unsqueeze(call: &Call) -> Result<Array, String> {
    let input = call.required(0)?;
    let list = call.ints_or_input("axes", 1)?.ok_or("has no axes")?;
    let rank = input.dims.len() + list.len();
    let mut axes = list.iter().map(|&i| axis(i, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    let mut dims = input.dims.clone();
    for index in axes {
        if index > dims.len() {
            return Err("names an axis twice".into());
        }
        dims.insert(index, 1);
    }
    Array::new(dims, input.data.clone())
}

fn transpose(call: &Call) -> Result<Array, String> {
    let input = call.required(0)?;
    let rank = input.dims.len();
    let permutation = match call.ints("perm")? {
        Some(list) => list.iter().map(|&i| axis(i, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(format!("{permutation:?} does not permute {rank} axes"));
    }
    let strides: Vec<usize> = (0..rank).map(|i| around(&input.dims, i).2).collect();
    let dims: Vec<usize> = permutation.iter().map(|&i| input.dims[i]).collect();
    let picked = (0..element_count(&dims).unwrap_or(0)).map(|mut index| {
        let mut at = 0;
        for (&side, &axis) in dims.iter().zip(&permutation).rev() {
            at += index % side * strides[axis];
            index /= side;
        }
        at
    });
    Ok(input.pick(dims.clone(), picked))
}
