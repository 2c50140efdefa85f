//! The benchmark of emulation: workload W with every table, every kernel, the baseline and real layers.
//!
//! Times include everything that is done for a batch: padding or unfolding images and building tables. What
//! is done once for a layer and a multiplier, the plan, is reported apart.

use super::candidate::{Multiplier, expected_acc};
use super::figures::Figures;
use super::l1;
use super::layers::{self, LayerFigures, NetworkFigures};
use super::measure::{Contestant, Race, Threads};
use super::scalar::Scalar;
use super::tables::{self, Spread, TableFigures};
use super::workload::{Activations, Shape, W};
use crate::emulate::{ConvPlan, Kernel};
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::multiplier::{Choice, Library, Scheme, TruthTable};
use crate::quantize::QuantizedConv;
use serde::Serialize;

/// What to measure, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Seconds for each measurement.
    pub seconds: f64,
    /// Images in a batch of W.
    pub images: usize,
    /// Whether to measure real layers too.
    pub layers: bool,
}

/// How fast W is with a kernel.
#[derive(Debug, Serialize)]
pub struct KernelFigures {
    /// The kernel.
    pub kernel: Kernel,
    /// The instructions it may use.
    pub isa: &'static str,
    /// The multiplier it was measured with.
    pub multiplier: String,
    /// Billions of multiplications a second.
    pub gmps: Figures<f64>,
}

/// Everything that was measured. Rates are billions of multiplications a second.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The fastest instructions of this processor, which everything but `kernels` uses.
    pub isa: &'static str,
    /// How many "all threads" are.
    pub threads: usize,
    /// Images in a batch of W.
    pub images: usize,
    /// W by vector tables with the slowest table: ReLU-like activations, one thread.
    pub w_relu_1t: f64,
    /// The same with all threads.
    pub w_relu_nt: f64,
    /// W by vector tables with the slowest table: uniform activations, one thread.
    pub w_uniform_1t: f64,
    /// The same with all threads.
    pub w_uniform_nt: f64,
    /// The slowest table of all, with one thread; kernels and layers are measured with it.
    pub worst_table: String,
    /// The slowest table of each figure.
    pub worst_tables: Figures<String>,
    /// W by the baseline with one thread, with the activations that it likes better.
    pub scalar_1t: f64,
    /// The same with all threads.
    pub scalar_nt: f64,
    /// W by the baseline.
    pub scalar: Figures<f64>,
    /// How many times as fast as the baseline vector tables with the slowest table are.
    pub times_scalar: Figures<f64>,
    /// 16-bit products that one thread can load from the first-level cache, billions a second.
    pub l1_limit_1t: f64,
    /// `w_relu_1t` as a share of that.
    pub l1_share_relu_1t: f64,
    /// `w_uniform_1t` as a share of that.
    pub l1_share_uniform_1t: f64,
    /// Over all tables, by vector tables.
    pub vector_tables: Figures<Spread>,
    /// Over all tables, by the kernels of the plan's choice.
    pub planned: Figures<Spread>,
    /// Every table.
    pub tables: Vec<TableFigures>,
    /// Every kernel with every set of instructions.
    pub kernels: Vec<KernelFigures>,
    /// Real layers, if they were asked for.
    pub layers: Vec<LayerFigures>,
    /// Networks of these layers.
    pub networks: Vec<NetworkFigures>,
}

/// Measures with the multipliers `choices` of an unsigned `library`; `progress` is told what is being done.
pub fn run(
    library: &Library,
    choices: &[Choice],
    options: Options,
    progress: &dyn Fn(&str),
) -> Result<Report> {
    let threads = Threads::new()?;
    let conv = W.convolution();
    let batches = Activations::ALL.map(|activations| activations.codes(W, options.images));
    let race = Race {
        batches: &batches,
        images: options.images,
        outputs: options.images * conv.pixels() * conv.outputs(),
        threads: &threads,
        seconds: options.seconds,
    };
    let multipliers: Vec<Multiplier> = choices
        .iter()
        .map(|choice| {
            let table = &library.multipliers()[choice.multiplier].table;
            Multiplier::new(choice.name(library), table, choice.swapped, &conv)
        })
        .collect::<Result<_>>()?;

    progress("first-level cache");
    let l1_before = l1::limit_gmps(&threads, options.seconds);
    let tables = tables::measure(&conv, &multipliers, &race, &|round| {
        progress(&format!("{} tables, {round}", multipliers.len()));
    })?;
    let spread = |figures: &dyn Fn(&TableFigures) -> Figures<f64>| -> Option<Figures<Spread>> {
        let of = |value: fn(&Figures<f64>) -> f64| {
            Spread::of(tables.iter().map(|t| (value(&figures(t)), t.multiplier.as_str())).collect())
        };
        Some(Figures {
            relu_1t: of(|f| f.relu_1t)?,
            relu_nt: of(|f| f.relu_nt)?,
            uniform_1t: of(|f| f.uniform_1t)?,
            uniform_nt: of(|f| f.uniform_nt)?,
        })
    };
    let spreads = spread(&|t| t.vector_tables_gmps).zip(spread(&|t| t.planned_gmps));
    let (vector_tables, planned) =
        spreads.ok_or_else(|| Error::Argument("there is no multiplier to measure with".into()))?;
    let slowest = [&vector_tables.relu_1t, &vector_tables.uniform_1t]
        .into_iter()
        .min_by(|x, y| x.worst.total_cmp(&y.worst))
        .map_or(String::new(), |spread| spread.worst_table.clone());
    let place = multipliers.iter().position(|multiplier| multiplier.name == slowest).unwrap_or(0);

    let (kernels, scalar) = kernels(&conv, &multipliers[place], &race, &|round| {
        progress(&format!("kernels and the baseline, {round}"));
    })?;
    let (layers, networks) = if options.layers {
        let choice = choices[place];
        let table = &library.multipliers()[choice.multiplier].table;
        let multiplier = |shape: Shape| {
            let conv = shape.convolution();
            let multiplier = Multiplier::new(slowest.clone(), table, choice.swapped, &conv)?;
            Ok((conv, multiplier))
        };
        layers::measure(multiplier, &threads, options.seconds, progress)?
    } else {
        Default::default()
    };
    progress("first-level cache");
    let l1_limit_1t = l1_before.max(l1::limit_gmps(&threads, options.seconds));

    let w = vector_tables.map(|spread| spread.worst);
    Ok(Report {
        isa: Isa::best().name(),
        threads: threads.count(),
        images: options.images,
        w_relu_1t: w.relu_1t,
        w_relu_nt: w.relu_nt,
        w_uniform_1t: w.uniform_1t,
        w_uniform_nt: w.uniform_nt,
        worst_table: slowest,
        worst_tables: vector_tables.map(|spread| spread.worst_table.clone()),
        scalar_1t: scalar.relu_1t.max(scalar.uniform_1t),
        scalar_nt: scalar.relu_nt.max(scalar.uniform_nt),
        scalar,
        times_scalar: w.zip(&scalar, |w, scalar| w / scalar),
        l1_limit_1t,
        l1_share_relu_1t: w.relu_1t / l1_limit_1t,
        l1_share_uniform_1t: w.uniform_1t / l1_limit_1t,
        vector_tables,
        planned,
        tables,
        kernels,
        layers,
        networks,
    })
}

/// Every kernel with every set of instructions, and the baseline.
fn kernels(
    conv: &QuantizedConv,
    multiplier: &Multiplier,
    race: &Race,
    progress: &dyn Fn(&str),
) -> Result<(Vec<KernelFigures>, Figures<f64>)> {
    // What the matrix kernel is for.
    let exact = Multiplier::new("exact".to_owned(), &TruthTable::exact(false), false, conv)?;
    let mut plans = Vec::new();
    for kernel in Kernel::ALL {
        let multiplier = if kernel == Kernel::Matrix { &exact } else { multiplier };
        for isa in Isa::available() {
            let approximate = &multiplier.approximate;
            let plan = ConvPlan::with_kernel(conv, Scheme::Unsigned, approximate, kernel, isa)?;
            plans.push((multiplier, kernel, isa, plan));
        }
    }
    let expected = expected_acc(conv, multiplier, race.batches)?;
    let exact_expected = expected_acc(conv, &exact, race.batches)?;
    let scalar = Scalar::new(conv, Scheme::Unsigned, &multiplier.approximate)?;
    let baseline = Contestant::new("the baseline".to_owned(), expected.clone(), |inputs, acc| {
        scalar.accumulate(inputs, acc);
    });
    let mut contestants = vec![baseline];
    contestants.extend(plans.iter().map(|(multiplier, kernel, _, plan)| {
        let expected = if *kernel == Kernel::Matrix { &exact_expected } else { &expected };
        multiplier.contestant(plan, expected)
    }));
    race.run(&mut contestants, progress)?;
    let multiplications = conv.multiplications() * race.images as u64;
    let mut figures = contestants.iter().map(|c| Figures::gmps(multiplications, &c.seconds));
    let baseline = figures.next().expect("the baseline is the first contestant");
    let kernels = plans.iter().zip(figures).map(|((multiplier, kernel, isa, _), gmps)| KernelFigures {
        kernel: *kernel,
        isa: isa.name(),
        multiplier: multiplier.name.clone(),
        gmps,
    });
    Ok((kernels.collect(), baseline))
}
