//! Small TensorFlow Lite files for tests.

/// A table being put together.
#[derive(Default, Clone)]
pub(super) struct Table(Vec<(usize, Field)>);

#[derive(Clone)]
enum Field {
    Bytes(Vec<u8>),
    /// Number of elements and their bytes.
    Vector(usize, Vec<u8>),
    Table(Table),
    Tables(Vec<Table>),
}

impl Table {
    fn with(mut self, index: usize, field: Field) -> Self {
        self.0.push((index, field));
        self
    }

    pub(super) fn u8(self, index: usize, value: u8) -> Self {
        self.with(index, Field::Bytes(vec![value]))
    }

    pub(super) fn i32(self, index: usize, value: i32) -> Self {
        self.with(index, Field::Bytes(value.to_le_bytes().to_vec()))
    }

    fn i32s(self, index: usize, values: &[i32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.with(index, Field::Vector(values.len(), bytes))
    }

    fn bytes(self, index: usize, values: &[u8]) -> Self {
        self.with(index, Field::Vector(values.len(), values.to_vec()))
    }

    fn tables(self, index: usize, tables: Vec<Table>) -> Self {
        self.with(index, Field::Tables(tables))
    }

    fn table(self, index: usize, table: Table) -> Self {
        self.with(index, Field::Table(table))
    }

    /// Appends the table to `file`, all it refers to behind it; gives where it begins.
    fn write(&self, file: &mut Vec<u8>) -> usize {
        let fields = self.0.iter().map(|(index, _)| index + 1).max().unwrap_or(0);
        let mut distances = vec![0u16; fields];
        let mut inline = vec![0; 4];
        for (index, field) in &self.0 {
            distances[*index] = inline.len() as u16;
            match field {
                Field::Bytes(bytes) => inline.extend(bytes),
                _ => inline.extend([0; 4]),
            }
        }
        let vtable =
            [4 + 2 * fields as u16, inline.len() as u16].into_iter().chain(distances.iter().copied());
        let vtable: Vec<u8> = vtable.flat_map(u16::to_le_bytes).collect();
        inline[..4].copy_from_slice(&(vtable.len() as i32).to_le_bytes());
        file.extend(vtable);
        let at = file.len();
        file.extend(inline);
        for (index, field) in &self.0 {
            let place = at + usize::from(distances[*index]);
            let target = match field {
                Field::Bytes(_) => continue,
                Field::Table(table) => table.write(file),
                Field::Vector(count, bytes) => {
                    let target = file.len();
                    file.extend((*count as u32).to_le_bytes());
                    file.extend(bytes);
                    target
                }
                Field::Tables(tables) => {
                    let target = file.len();
                    file.extend((tables.len() as u32).to_le_bytes());
                    file.extend(vec![0; 4 * tables.len()]);
                    for (i, table) in tables.iter().enumerate() {
                        let element = target + 4 + 4 * i;
                        let written = table.write(file);
                        patch(file, element, written);
                    }
                    target
                }
            };
            patch(file, place, target);
        }
        at
    }
}

/// Makes the offset at `place` point to `target`.
fn patch(file: &mut [u8], place: usize, target: usize) {
    file[place..place + 4].copy_from_slice(&((target - place) as u32).to_le_bytes());
}

/// A model being put together; its tensors are numbered as they are added.
#[derive(Default, Clone)]
pub(super) struct Model {
    tensors: Vec<Table>,
    buffers: Vec<Table>,
    operators: Vec<Table>,
    codes: Vec<Table>,
    pub(super) inputs: Vec<i32>,
    pub(super) outputs: Vec<i32>,
}

/// Types of elements by number.
pub(super) const FLOAT32: u8 = 0;
pub(super) const INT32: u8 = 2;
pub(super) const INT8: u8 = 9;

/// Scales, zero point, and the dimension of the scales.
pub(super) type Coding<'a> = Option<(&'a [f32], i64, i32)>;

impl Model {
    /// Adds a tensor called `t` and its number; `data` is empty for one that is computed.
    pub(super) fn tensor(&mut self, dims: &[i32], kind: u8, data: &[u8], coding: Coding) -> i32 {
        let id = self.tensors.len() as i32;
        let mut table = Table::default().i32s(0, dims).u8(1, kind).i32(2, self.buffers.len() as i32);
        table = table.bytes(3, format!("t{id};fused").as_bytes());
        if let Some((scales, zero_point, dimension)) = coding {
            let scale_bytes = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
            let zeros = scales.iter().flat_map(|_| zero_point.to_le_bytes()).collect();
            let quantization = Table::default()
                .with(2, Field::Vector(scales.len(), scale_bytes))
                .with(3, Field::Vector(scales.len(), zeros))
                .i32(6, dimension);
            table = table.table(4, quantization);
        }
        self.tensors.push(table);
        self.buffers.push(if data.is_empty() { Table::default() } else { Table::default().bytes(0, data) });
        id
    }

    /// A computed tensor of int8 codes.
    pub(super) fn coded(&mut self, dims: &[i32], scale: f32, zero_point: i64) -> i32 {
        self.tensor(dims, INT8, &[], Some((&[scale], zero_point, 0)))
    }

    /// A constant tensor of int32.
    pub(super) fn ints(&mut self, dims: &[i32], values: &[i32]) -> i32 {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(dims, INT32, &bytes, None)
    }

    /// A constant tensor of floats.
    pub(super) fn floats(&mut self, dims: &[i32], values: &[f32]) -> i32 {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(dims, FLOAT32, &bytes, None)
    }

    /// Adds the operator of that number with options of that kind.
    pub(super) fn operator(
        &mut self,
        builtin: i32,
        inputs: &[i32],
        output: i32,
        options: Option<(u8, Table)>,
    ) {
        let code = Table::default().u8(0, builtin.min(127) as u8).i32(3, builtin);
        let mut table = Table::default().i32(0, self.codes.len() as i32).i32s(1, inputs).i32s(2, &[output]);
        if let Some((kind, options)) = options {
            table = table.u8(3, kind).table(4, options);
        }
        self.codes.push(code);
        self.operators.push(table);
    }

    /// The file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let graph = Table::default()
            .tables(0, self.tensors.clone())
            .i32s(1, &self.inputs)
            .i32s(2, &self.outputs)
            .tables(3, self.operators.clone());
        let root = Table::default()
            .i32(0, 3)
            .tables(1, self.codes.clone())
            .tables(2, vec![graph])
            .tables(4, self.buffers.clone());
        let mut file = vec![0, 0, 0, 0, b'T', b'F', b'L', b'3'];
        let at = root.write(&mut file);
        patch(&mut file, 0, at);
        file
    }
}
