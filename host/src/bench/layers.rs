//! The layers of real networks, each distinct shape once.

use super::candidate::{Multiplier, expected_acc};
use super::figures::Figures;
use super::measure::{Contestant, Race, Threads};
use super::workload::{Activations, Shape};
use crate::emulate::{ConvPlan, Kernel};
use crate::error::Result;
use crate::multiplier::Scheme;
use crate::quantize::QuantizedConv;
use serde::Serialize;
use skimp_runtime::arithmetic::requantize;
use skimp_runtime::image::OutputKind;
use std::sync::Arc;

/// Images in a batch.
pub const IMAGES: usize = 128;

/// Networks whose layers these are: ResNet-8 as in the zoo, ResNet-20 for CIFAR-10 with shortcuts that have no
/// weights.
const NETWORKS: [&str; 2] = ["resnet8", "resnet20"];

/// A shape, and how many layers of each network have it.
struct Layer {
    shape: Shape,
    counts: [usize; 2],
}

/// 3x3 windows that keep or halve the side.
const fn conv3x3(inputs: u16, outputs: u16, side: u16, stride: u16, counts: [usize; 2]) -> Layer {
    Layer { shape: Shape { kernel: 3, stride, padding: 1, inputs, outputs, side, groups: 1 }, counts }
}

/// Shortcuts, and dense layers on images of one pixel.
const fn conv1x1(inputs: u16, outputs: u16, side: u16, stride: u16, counts: [usize; 2]) -> Layer {
    Layer { shape: Shape { kernel: 1, stride, padding: 0, inputs, outputs, side, groups: 1 }, counts }
}

const LAYERS: [Layer; 10] = [
    conv3x3(3, 16, 32, 1, [1, 1]),
    conv3x3(16, 16, 32, 1, [2, 6]),
    conv3x3(16, 32, 32, 2, [1, 1]),
    conv3x3(32, 32, 16, 1, [1, 5]),
    conv3x3(32, 64, 16, 2, [1, 1]),
    conv3x3(64, 64, 8, 1, [1, 5]),
    conv1x1(16, 32, 32, 2, [1, 0]),
    conv1x1(32, 64, 16, 2, [1, 0]),
    conv1x1(64, 10, 1, 1, [1, 1]),
    // Depthwise, in neither network: nothing to share among output channels.
    Layer {
        shape: Shape { kernel: 3, stride: 1, padding: 1, inputs: 64, outputs: 64, side: 16, groups: 64 },
        counts: [0, 0],
    },
];

/// How fast a layer is, from codes to codes.
#[derive(Debug, Serialize)]
pub struct LayerFigures {
    /// Its shape in words.
    pub layer: String,
    /// Layers of this shape in ResNet-8.
    pub resnet8_count: usize,
    /// Layers of this shape in ResNet-20.
    pub resnet20_count: usize,
    /// Multiplications for an image.
    pub multiplications: u64,
    /// The kernel of the plan's choice.
    pub kernel: Kernel,
    /// Billions of multiplications a second.
    pub gmps: Figures<f64>,
    /// What the other kernels reach.
    pub others: Vec<KernelRate>,
}

/// What a kernel reaches that the plan has not chosen.
#[derive(Debug, Serialize)]
pub struct KernelRate {
    /// The kernel.
    pub kernel: Kernel,
    /// Billions of multiplications a second.
    pub gmps: Figures<f64>,
}

/// How fast all convolutions and dense layers of a network are together.
#[derive(Debug, Serialize)]
pub struct NetworkFigures {
    /// The network.
    pub network: &'static str,
    /// Multiplications for an image.
    pub multiplications: u64,
    /// Billions of multiplications a second.
    pub gmps: Figures<f64>,
}

/// Measures every layer with the multiplier that `multiplier` puts into its shape.
pub(super) fn measure(
    multiplier: impl Fn(Shape) -> Result<(QuantizedConv, Multiplier)>,
    threads: &Threads,
    seconds: f64,
    progress: &dyn Fn(&str),
) -> Result<(Vec<LayerFigures>, Vec<NetworkFigures>)> {
    let mut layers = Vec::new();
    for layer in &LAYERS {
        let (conv, multiplier) = multiplier(layer.shape)?;
        layers.push(of_layer(layer, &conv, &multiplier, threads, seconds, progress)?);
    }
    let networks = NETWORKS.iter().enumerate();
    let networks = networks.map(|(n, network)| {
        let counted = LAYERS.iter().zip(&layers).map(|(layer, figures)| {
            let multiplications = figures.multiplications * layer.counts[n] as u64;
            (multiplications, figures.gmps.map(|gmps| multiplications as f64 / gmps))
        });
        let none = Figures { relu_1t: 0.0, relu_nt: 0.0, uniform_1t: 0.0, uniform_nt: 0.0 };
        let (multiplications, times) = counted.fold((0, none), |(multiplications, times), layer| {
            (multiplications + layer.0, times.zip(&layer.1, |sum, time| sum + time))
        });
        NetworkFigures { network, multiplications, gmps: times.map(|time| multiplications as f64 / time) }
    });
    let networks = networks.collect();
    Ok((layers, networks))
}

fn of_layer(
    layer: &Layer,
    conv: &QuantizedConv,
    multiplier: &Multiplier,
    threads: &Threads,
    seconds: f64,
    progress: &dyn Fn(&str),
) -> Result<LayerFigures> {
    let name = describe(layer.shape);
    progress(&format!("layer {name}"));
    let batches = Activations::ALL.map(|activations| activations.codes(layer.shape, IMAGES));
    let acc = expected_acc(conv, multiplier, &batches)?;
    let code = |(i, &acc): (usize, &i32)| {
        let (m, r) = multiplier.approximate.requantization[i % conv.outputs()];
        match conv.output_kind {
            OutputKind::Codes(range) => range.code(requantize(acc, m, r)),
            OutputKind::Logits => 0,
        }
    };
    let codes = |acc: &Vec<i32>| acc.iter().enumerate().map(code).collect();
    let expected = acc.iter().map(|images| images.each_ref().map(codes)).collect();
    let planned = ConvPlan::new(conv, Scheme::Unsigned, &multiplier.approximate)?;
    let kernel = planned.kernel();
    let forced = |kernel: &Kernel| {
        let (approximate, isa) = (&multiplier.approximate, planned.isa());
        // A kernel that can't compute the multiplier has no rate.
        ConvPlan::with_kernel(conv, Scheme::Unsigned, approximate, *kernel, isa).ok()
    };
    let others: Vec<ConvPlan> = Kernel::ALL.iter().filter(|&&k| k != kernel).filter_map(forced).collect();
    let race = Race {
        batches: &batches,
        images: IMAGES,
        outputs: IMAGES * conv.pixels() * conv.outputs(),
        threads,
        seconds,
    };
    let expected = Arc::new(expected);
    let contestants = std::iter::once(&planned).chain(&others).map(|plan| {
        let run = |inputs: &[u8], codes: &mut [u8]| plan.codes(inputs, codes);
        Contestant::new(format!("layer {name}, {}", plan.kernel().name()), Arc::clone(&expected), run)
    });
    let mut contestants: Vec<_> = contestants.collect();
    race.run(&mut contestants, &|_| ())?;
    let rates = |contestant: usize| {
        Figures::gmps(conv.multiplications() * IMAGES as u64, &contestants[contestant].seconds)
    };
    let others = others.iter().enumerate();
    let others = others.map(|(i, plan)| KernelRate { kernel: plan.kernel(), gmps: rates(i + 1) });
    Ok(LayerFigures {
        layer: name.clone(),
        resnet8_count: layer.counts[0],
        resnet20_count: layer.counts[1],
        multiplications: conv.multiplications(),
        kernel,
        gmps: rates(0),
        others: others.collect(),
    })
}

/// Such as `3x3 16 -> 32, 32x32, stride 2`.
fn describe(shape: Shape) -> String {
    let Shape { kernel, stride, inputs, outputs, side, groups, .. } = shape;
    let stride = if stride == 1 { String::new() } else { format!(", stride {stride}") };
    let groups = if groups == 1 { "" } else { ", depthwise" };
    match side {
        1 => format!("dense {inputs} -> {outputs}"),
        _ => format!("{kernel}x{kernel} {inputs} -> {outputs}, {side}x{side}{stride}{groups}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_counts_add_up_to_the_networks() {
        let of = |n: usize| -> (usize, u64) {
            let layers = LAYERS.iter().map(|layer| {
                let each = layer.shape.convolution().multiplications();
                (layer.counts[n], each * layer.counts[n] as u64)
            });
            layers.fold((0, 0), |sums, layer| (sums.0 + layer.0, sums.1 + layer.1))
        };
        assert_eq!(of(0), (10, 12_501_632));
        assert_eq!(of(1), (20, 40_551_040));
    }
}
