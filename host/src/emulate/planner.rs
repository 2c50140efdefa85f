//! Which kernel computes a layer fastest, and why.

use super::kernels::{self, Isa};
use super::vector_tables;
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

impl std::str::FromStr for Kernel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Kernel::ALL.map(Kernel::name).join(", ");
        let kernel = Kernel::ALL.into_iter().find(|kernel| kernel.name() == text);
        kernel.ok_or_else(|| format!("\"{text}\" is no kernel; use one of {names}"))
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

/// Nanoseconds on one core of the machine the planner was tuned on (Zen 5, 3.9 GHz), found by
/// `skimp bench emulation`. Only their ratios matter.
struct Costs {
    /// A product by row lookup.
    product: f64,
    /// A tap of a pixel in tables of 16, 32 and 64 lanes.
    entry: [f64; 3],
    /// Building one lane of a tap's table.
    build_lane: f64,
    /// A tap of a pixel in a panel of the matrix product.
    pair: f64,
    /// Gathering a tap of a pixel for the matrix product.
    gather: f64,
}

impl Costs {
    fn of(isa: Isa) -> Costs {
        match isa.name() {
            "avx512" => {
                Costs { product: 0.34, entry: [0.28, 0.40, 0.65], build_lane: 10.0, pair: 0.17, gather: 0.05 }
            }
            "avx2" => {
                Costs { product: 0.34, entry: [0.30, 0.52, 0.95], build_lane: 15.0, pair: 0.36, gather: 0.05 }
            }
            _ => Costs { product: 0.34, entry: [0.9, 1.7, 3.3], build_lane: 200.0, pair: 2.3, gather: 0.05 },
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
            Estimate { pixels_ns: pixels * taps * conv.outputs() as f64 * costs.product, build_ns: 0.0 }
        }
        Kernel::VectorTables => {
            let lanes = vector_tables::lanes(group_outputs, isa.table_block().0);
            let entry = |&lanes: &usize| costs.entry[(lanes / 32).min(2)];
            let build = lanes.iter().sum::<usize>() as f64 * costs.build_lane;
            Estimate {
                pixels_ns: pixels * taps * groups * lanes.iter().map(entry).sum::<f64>(),
                build_ns: taps * groups * build,
            }
        }
        Kernel::Matrix => {
            let terms = products.terms().map_or(f64::INFINITY, |terms| terms.len() as f64);
            let panels = group_outputs.div_ceil(kernels::panel_channels()) as f64;
            Estimate {
                pixels_ns: pixels * terms * taps * groups * (panels * costs.pair + costs.gather),
                build_ns: 0.0,
            }
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
        Some(0) => "all products are 0".to_owned(),
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
