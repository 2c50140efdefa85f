//! Operators that the crate's features leave out are refused, all others run. With every feature this shows
//! that all run; `cargo test -p skimp-runtime --no-default-features`, with features or without, shows the rest.

use skimp_runtime::arithmetic::{AddRescale, CodeRange};
use skimp_runtime::image::*;
use skimp_runtime::{Error, Network, Silent};

const RANGE: CodeRange = CodeRange { zero_point: 0, min: 0, max: 255 };
const WINDOW: Window = Window { kernel: [1, 1], stride: [1, 1], padding: [0, 0] };
const ROWS: RowSource = RowSource { table: 0, copy: None };
const OPERAND: Operand = Operand::Masked { mask: 255, shift: 0 };

/// The sections: a row of a table, a bias or weights of 0, a shift.
const ROW: Section = Section { offset: 0, bytes: 512 };
const SHIFT: Section = Section { offset: 512, bytes: 1 };
const SECTION_BYTES: usize = 516;
const SHIFT_VALUE: u8 = 40;

#[repr(align(4))]
struct Aligned([u8; 1024]);

/// One code at `offset`.
fn code_at(offset: u32) -> Tensor {
    Tensor { offset, height: 1, width: 1, channels: 1 }
}

fn zeros(bytes: u32) -> Section {
    Section { offset: 0, bytes }
}

/// A dense layer of one weight.
fn conv(kernel: Kernel, scratch_bytes: u32) -> Op {
    Op::Conv2d(Conv2d {
        input: code_at(0),
        output: code_at(1),
        scratch: Scratch { offset: 4, bytes: scratch_bytes },
        window: WINDOW,
        groups: 1,
        input_zero_point: 0,
        kernel,
        bias: zeros(4),
        multipliers: zeros(4),
        shifts: SHIFT,
        activation_sums: None,
        output_kind: OutputKind::Codes(RANGE),
    })
}

/// An image whose only layer is `op`.
fn image(op: Op) -> Aligned {
    let head = Head {
        name: "",
        arena_bytes: 1024,
        input: code_at(0),
        input_scale: 1.0,
        input_zero_point: 0,
        output: code_at(1),
        output_kind: OutputKind::Codes(RANGE),
        output_scale: 1.0,
        table_count: 1,
        point_count: 1,
    };
    let table = Table { name: "", entry: EntryKind::U16, rows: 1, entries: ROW };
    let point = Point { name: "", layer_count: 1 };
    let mut image = Aligned([0; 1024]);
    let records = (head, table, point, Layer { name: "", multiplier: "", op });
    let description_bytes = postcard::to_slice(&records, &mut image.0[HEADER_BYTES..]).unwrap().len();
    let sections = (HEADER_BYTES + description_bytes).next_multiple_of(ALIGNMENT_BYTES);
    image.0[sections + SHIFT.offset as usize] = SHIFT_VALUE;
    let total = sections + SECTION_BYTES;
    let mut header =
        Header { total_bytes: total as u32, checksum: 0, description_bytes: description_bytes as u32 };
    image.0[..HEADER_BYTES].copy_from_slice(&header.encode());
    header.checksum = checksum(&image.0[..total]);
    image.0[..HEADER_BYTES].copy_from_slice(&header.encode());
    image
}

/// Loads and runs the layer.
fn run(op: &Op) -> Result<(), Error> {
    let image = image(op.clone());
    let network = Network::load(&image.0)?;
    network.infer(&mut Aligned([0; 1024]).0, &[7], &mut [0], &mut Silent)
}

#[test]
fn what_is_left_out_is_refused_and_all_else_runs() {
    let (add, max, average) =
        (cfg!(feature = "add"), cfg!(feature = "max-pool"), cfg!(feature = "average-pool"));
    let (table, product) = (cfg!(feature = "table"), cfg!(feature = "product"));
    let (depthwise, movement) = (cfg!(feature = "depthwise"), cfg!(feature = "movement"));
    let (input, output, range) = (code_at(0), code_at(1), RANGE);
    let (coding, width) = (WeightCoding::Row, WeightWidth::I8);
    let rescale = AddRescale { zero_points: [0; 2], factors: [1; 2], shift: 1 };
    let average_pool =
        AveragePool { input, output, window: WINDOW, input_zero_point: 0, multiplier: 1, shift: 1, range };
    let cases = [
        (table, conv(Kernel::Table { rows: ROWS, coding, weights: zeros(1) }, 8)),
        (product, conv(Kernel::Product { operand: OPERAND, width, weights: zeros(8) }, 36)),
        (table && depthwise, conv(Kernel::DepthwiseTable { rows: ROWS, coding, weights: zeros(4) }, 12)),
        (
            product && depthwise,
            conv(Kernel::DepthwiseProduct { operand: OPERAND, width, weights: zeros(4) }, 12),
        ),
        (add, Op::Add(Add { inputs: [input, input], output, rescale, range })),
        (max, Op::MaxPool(MaxPool { input, output, window: WINDOW })),
        (average, Op::AveragePool(average_pool)),
        (movement, Op::Slice(Slice { input, output, start: [0; 3], step: [1; 3] })),
        (movement, Op::Pad(Pad { input, output, before: [0; 3], zero_point: 0 })),
        (table, Op::CopyTable(CopyTable { table: 0, to: Scratch { offset: 4, bytes: 512 } })),
    ];
    for (there, op) in cases {
        assert_eq!(op.is_supported(), there, "{op:?}");
        assert_eq!(run(&op), if there { Ok(()) } else { Err(Error::Unsupported) }, "{op:?}");
    }
}
