//! Which kernel computes a layer fastest, and why.

use super::vector_tables;
use crate::kernels::{self, Isa};
use crate::multiplier::ProductTable;
use crate::quantize::QuantizedConv;

/// A way to compute a convolution. All give the same integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// One lookup for each product, in the row of the weight.
    Rows,
    /// One vector of lookups for each tap, in tables built for the layer's weights.
    VectorTables,
    /// Exact products of transformed operands.
    Matrix,
}

impl Kernel {
    /// Every kernel.
    pub const ALL: [Kernel; 3] = [Kernel::Rows, Kernel::VectorTables, Kernel::Matrix];

    /// `rows`, `vector-tables` or `matrix`.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Rows => "rows",
            Kernel::VectorTables => "vector-tables",
            Kernel::Matrix => "matrix",
        }
    }
}

/// Estimated time of a layer, in nanoseconds of one thread; infinite for a kernel that can't compute it.
#[derive(Debug, Clone, Copy)]
pub struct Estimate {
    /// For all its pixels.
    pub pixels_ns: f64,
    /// For building tables.
    pub build_ns: f64,
}

/// Nanoseconds on one core of the machine the planner was tuned on (Zen 5, 3.9 GHz), fitted to what
/// `skimp bench emulation --layers` says of each kernel. Only their ratios matter.
struct Costs {
    /// A product by row lookup.
    product: f64,
    /// Beginning and ending the sum of one output by row lookup.
    sum: f64,
    /// A tap of a pixel in tables of 16, 32 and 64 lanes.
    entry: [f64; 3],
    /// Copying a tap's code where taps are not side by side.
    scattered: f64,
    /// Beginning and ending the sums of a pixel in a block of lanes.
    block: f64,
    /// Building one lane of a tap's table.
    build_lane: f64,
    /// A tap of a pixel in a panel of the matrix product.
    panel: f64,
    /// Gathering a tap of a pixel for the matrix product.
    gather: f64,
}

impl Costs {
    fn of(isa: Isa) -> Costs {
        let costs = Costs {
            product: 0.30,
            sum: 4.0,
            entry: [0.9, 1.6, 2.9],
            scattered: 0.5,
            block: 8.0,
            build_lane: 200.0,
            panel: 2.0,
            gather: 0.05,
        };
        match isa.name() {
            "avx512" => Costs { entry: [0.27, 0.37, 0.62], build_lane: 8.0, panel: 0.17, ..costs },
            "avx2" => Costs { entry: [0.29, 0.48, 0.96], build_lane: 12.0, panel: 0.34, ..costs },
            _ => costs,
        }
    }
}

/// What `kernel` would take for `pixels` output pixels that share tables.
pub fn estimate(
    kernel: Kernel,
    isa: Isa,
    conv: &QuantizedConv,
    products: &ProductTable,
    pixels: usize,
) -> Estimate {
    let costs = Costs::of(isa);
    let (taps, groups) = (conv.taps() as f64, conv.groups as f64);
    let group_outputs = conv.outputs() / conv.groups;
    let pixels = pixels as f64;
    match kernel {
        Kernel::Rows => {
            // Windows between those wanted are looked up along with them.
            let product = costs.product * f64::from(conv.window.stride[1]);
            Estimate {
                pixels_ns: pixels * conv.outputs() as f64 * (taps * product + costs.sum),
                build_ns: 0.0,
            }
        }
        Kernel::VectorTables => {
            let lanes = vector_tables::lanes(group_outputs, isa.table_block().0);
            let scattered = match vector_tables::has_blocks_of_channels(isa, conv) {
                true => 0.0,
                false => costs.scattered,
            };
            let block = |&lanes: &usize| costs.block + taps * (costs.entry[(lanes / 32).min(2)] + scattered);
            Estimate {
                pixels_ns: pixels * groups * lanes.iter().map(block).sum::<f64>(),
                build_ns: taps * groups * lanes.iter().sum::<usize>() as f64 * costs.build_lane,
            }
        }
        Kernel::Matrix => {
            let terms = products.terms().map_or(f64::INFINITY, |terms| terms.len() as f64);
            let panels = group_outputs.div_ceil(kernels::panel_channels()) as f64;
            let taps = terms * taps * (panels * costs.panel + costs.gather);
            Estimate { pixels_ns: pixels * groups * (panels * costs.block + taps), build_ns: 0.0 }
        }
    }
}

/// The fastest kernel for `pixels` output pixels at a time, with the reason.
pub fn choose(isa: Isa, conv: &QuantizedConv, products: &ProductTable, pixels: usize) -> (Kernel, String) {
    let time = |kernel: Kernel| {
        let estimate = estimate(kernel, isa, conv, products, pixels);
        estimate.pixels_ns + estimate.build_ns
    };
    let kernel = Kernel::ALL.into_iter().min_by(|&a, &b| time(a).total_cmp(&time(b))).unwrap_or(Kernel::Rows);
    let structure = match products.terms().map(<[_]>::len) {
        Some(0) => "of zeros only".to_owned(),
        Some(1) => "a product of functions of one operand".to_owned(),
        Some(n) => format!("a sum of {n} products of functions of one operand"),
        None => "of no structure".to_owned(),
    };
    let slower = |other: Kernel| format!("{} {:.1} times as long", other.name(), time(other) / time(kernel));
    let others = Kernel::ALL.into_iter().filter(|&other| other != kernel && time(other).is_finite());
    let others: Vec<String> = others.map(slower).collect();
    (kernel, format!("multiplier {structure}; by estimate {}", others.join(", ")))
}

/// So many pixels, and fewer, are sooner looked up in rows than tables are built; `None` where nothing is
/// built.
pub fn few_pixels(kernel: Kernel, isa: Isa, conv: &QuantizedConv, products: &ProductTable) -> Option<usize> {
    let of = |kernel| estimate(kernel, isa, conv, products, 1);
    let saved_ns = of(Kernel::Rows).pixels_ns - of(kernel).pixels_ns;
    let pixels = (of(kernel).build_ns / saved_ns) as usize;
    (saved_ns > 0.0 && pixels > 0).then_some(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Scheme, TruthTable};
    use skimp_runtime::arithmetic::CodeRange;
    use skimp_runtime::image::{OutputKind, Tensor, Window};

    fn conv(channels: u16, outputs: u16, groups: u16, side: u16) -> QuantizedConv {
        let input = Tensor { offset: 0, height: side, width: side, channels };
        QuantizedConv {
            input,
            output: Tensor { channels: outputs, ..input },
            window: Window { kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
            groups: groups.into(),
            input_scale: 1.0,
            input_zero_point: 0,
            weights: vec![1; 9 * usize::from(channels / groups) * usize::from(outputs)],
            weight_scales: vec![1.0; outputs.into()],
            weight_zero_point: 0,
            bias: vec![0.0; outputs.into()],
            output_scale: 1.0,
            output_kind: OutputKind::Codes(CodeRange { zero_point: 0, min: 0, max: 255 }),
        }
    }

    fn products(product: impl Fn(i32, i32) -> i32) -> ProductTable {
        let table = TruthTable::from_fn(false, product).unwrap();
        ProductTable::new(&table, Scheme::Unsigned, false, 0).unwrap()
    }

    #[test]
    fn structure_shape_and_number_of_pixels_decide() {
        let exact = products(|a, w| a * w);
        let any = products(|a, w| (a * w - (a * w * 7) % 13).max(0));
        let (layer, depthwise) = (conv(64, 64, 1, 16), conv(64, 64, 64, 16));
        for isa in Isa::available() {
            let kernel = |conv, products, pixels| choose(isa, conv, products, pixels).0;
            assert_eq!(kernel(&layer, &any, 8192), Kernel::VectorTables, "{isa}");
            assert_eq!(kernel(&layer, &any, 2), Kernel::Rows, "{isa}");
            assert_eq!(kernel(&depthwise, &any, 8192), Kernel::Rows, "{isa}");
            assert_eq!(kernel(&layer, &exact, 8192), Kernel::Matrix, "{isa}");
            assert_eq!(few_pixels(Kernel::Matrix, isa, &layer, &exact), None, "{isa}");
            let few = few_pixels(Kernel::VectorTables, isa, &layer, &any).unwrap();
            assert_eq!(kernel(&layer, &any, few), Kernel::Rows, "{isa}");
            assert_eq!(kernel(&layer, &any, few + 2), Kernel::VectorTables, "{isa}");
        }
    }

    #[test]
    fn the_reason_names_structure_and_alternatives() {
        let (_, reason) = choose(Isa::PORTABLE, &conv(8, 8, 1, 9), &products(|a, w| a * w), 1000);
        assert!(reason.contains("a product of functions of one operand"), "{reason}");
        assert!(reason.contains("rows") && reason.contains("times as long"), "{reason}");
    }
}
