//! Compensating assignments, one convolution after another.

use super::live_tensors::{LiveTensors, ReadUntil};
use super::prefix::Prefix;
use super::weight_map::WeightMaps;
use super::{Steps, scale_shift};
use crate::emulate::{ApproximateConv, ConvPlan, requantize_codes};
use crate::error::{Error, Result};
use crate::multiplier::{Choice, ProductCache};
use crate::quantize::{QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp};
use skimp_runtime::image::OutputKind;
use std::sync::Arc;

/// Compensates assignments of one network, remembering what depends on a multiplier alone.
pub struct Compensator<'n> {
    network: &'n QuantizedNetwork,
    products: &'n ProductCache<'n>,
    steps: Steps,
    exact: Choice,
    /// Codes of the calibration images, one after another; none if nothing is fitted to them.
    inputs: &'n [u8],
    /// For each convolution, the exact network's accumulators on the calibration images.
    targets: Vec<Vec<i32>>,
    calibration_reads: ReadUntil,
    scored_reads: ReadUntil,
    maps: WeightMaps<'n>,
}

impl<'n> Compensator<'n> {
    /// Prepares to compensate `network` on the calibration images whose codes `inputs` holds, one after
    /// another.
    pub fn new(
        network: &'n QuantizedNetwork,
        products: &'n ProductCache<'n>,
        steps: Steps,
        inputs: &'n [u8],
    ) -> Result<Self> {
        if steps.scale_shift && inputs.is_empty() {
            return Err(Error::Argument("the scale and shift fit needs calibration images".into()));
        }
        let mut compensator = Compensator {
            network,
            products,
            // The targets are those of the network as it is.
            steps: Steps::NONE,
            exact: Choice::exact(products.library()),
            inputs: if steps.scale_shift { inputs } else { &[] },
            targets: Vec::new(),
            calibration_reads: ReadUntil::convolutions_only(network),
            scored_reads: ReadUntil::whole(network),
            maps: WeightMaps::new(products),
        };
        if steps.scale_shift {
            compensator.targets = compensator.exact_accumulators()?;
        }
        compensator.steps = steps;
        Ok(compensator)
    }

    /// The network that is compensated.
    pub fn network(&self) -> &'n QuantizedNetwork {
        self.network
    }

    /// How many calibration images every convolution is run on.
    pub fn calibration_images(&self) -> usize {
        self.inputs.len() / self.network.tensors[self.network.input].shape.elements()
    }

    /// The assignment of the exact multiplier to every layer.
    pub fn exact_assignment(&self) -> Vec<Choice> {
        vec![self.exact; self.network.convs().count()]
    }

    /// The network with the multipliers of `assignment`, one for each convolution, and its compensation.
    pub fn compensate(&self, assignment: &[Choice]) -> Result<Vec<ApproximateConv>> {
        self.check(assignment)?;
        let mut prefix = self.start(&[]);
        for &choice in assignment {
            prefix = self.extend(&prefix, choice)?;
        }
        Ok(prefix.into_convs())
    }

    /// Refuses an assignment of too few or too many multipliers.
    pub fn check(&self, assignment: &[Choice]) -> Result<()> {
        let (wanted, given) = (self.network.convs().count(), assignment.len());
        if given != wanted {
            return Err(Error::Mismatch(format!(
                "{} has {wanted} layers that multiply, but {given} were given multipliers",
                self.network.name
            )));
        }
        Ok(())
    }

    /// The prefix before the first convolution, over the calibration images and the images whose codes
    /// `scored` holds, one after another (or none).
    pub fn start(&self, scored: &[u8]) -> Prefix {
        let mut prefix = Prefix {
            convs: Vec::new(),
            layers: 0,
            all_exact: true,
            calibration: LiveTensors::new(self.network, self.inputs),
            scored: LiveTensors::new(self.network, scored),
            logits: None,
        };
        self.run_to_convolution(&mut prefix);
        prefix
    }

    /// `prefix` and one convolution more, with the multiplier `choice`: it is fitted to the outputs that the
    /// ones before it have on the calibration images, and run on all images. `prefix` stays as it is, and
    /// the two share the tensors that both need. Uses all threads.
    pub fn extend(&self, prefix: &Prefix, choice: Choice) -> Result<Prefix> {
        let (layer, conv) = self.next_convolution(prefix)?;
        let mut approximate = self.unfitted(conv, choice)?;
        let all_exact = prefix.all_exact && choice == self.exact;
        let mut codes = None;
        // As long as the network is the exact one there is nothing to fit.
        if self.steps.scale_shift && !all_exact {
            let acc = self.calibration_accumulators(prefix, layer, conv, &approximate)?;
            let target = &self.targets[prefix.convs.len()];
            let shifts = scale_shift::fit(conv, self.network.scheme, &mut approximate, &acc, target);
            codes = Some(self.calibration_codes(layer, conv, &approximate, &acc, &shifts));
        }
        self.append(prefix, approximate, all_exact, codes)
    }

    /// The logits of the scored images, one image after another, once `prefix` is the whole network.
    pub fn logits(&self, prefix: &Prefix) -> Option<Vec<i32>> {
        if prefix.layers < self.network.layers.len() {
            return None;
        }
        match self.network.output_kind {
            OutputKind::Logits => prefix.logits.clone(),
            OutputKind::Codes(range) => {
                let codes = prefix.scored.get(self.network.output).iter();
                Some(codes.map(|&code| i32::from(code) - i32::from(range.zero_point)).collect())
            }
        }
    }

    /// For each convolution of the exact network, its accumulators on the calibration images.
    fn exact_accumulators(&self) -> Result<Vec<Vec<i32>>> {
        let mut prefix = self.start(&[]);
        let mut all = Vec::new();
        for (layer, conv) in self.network.convs() {
            let approximate = self.unfitted(conv, self.exact)?;
            let acc = self.calibration_accumulators(&prefix, layer, conv, &approximate)?;
            let shifts = vec![0; conv.outputs()];
            let codes = self.calibration_codes(layer, conv, &approximate, &acc, &shifts);
            prefix = self.append(&prefix, approximate, true, Some(codes))?;
            all.push(acc);
        }
        Ok(all)
    }

    /// The layer behind `prefix`, which is a convolution unless the network ends there.
    fn next_convolution(&self, prefix: &Prefix) -> Result<(&'n QuantizedLayer, &'n QuantizedConv)> {
        match self.network.layers.get(prefix.layers) {
            Some(layer @ QuantizedLayer { op: QuantizedOp::Conv2d(conv), .. }) => Ok((layer, conv)),
            _ => Err(Error::Mismatch(format!("{} has no further layer that multiplies", self.network.name))),
        }
    }

    /// The convolution before any fit to data.
    fn unfitted(&self, conv: &QuantizedConv, choice: Choice) -> Result<ApproximateConv> {
        let products = self.products.get(choice, conv.input_zero_point)?;
        let mut approximate = ApproximateConv::uncompensated(conv, self.network.scheme, products);
        if self.steps.weight_map {
            let map = self.maps.get(choice, conv.input_zero_point)?;
            approximate.weights.iter_mut().for_each(|w| *w = map[usize::from(*w)]);
        }
        Ok(approximate)
    }

    fn plan<'a>(
        &self,
        layer: &QuantizedLayer,
        conv: &'a QuantizedConv,
        approximate: &'a ApproximateConv,
    ) -> Result<ConvPlan<'a>> {
        ConvPlan::new(conv, self.network.scheme, approximate)
            .map_err(|e| Error::Mismatch(format!("layer {}: {e}", layer.name)))
    }

    /// Accumulators on the calibration images, `[image][pixel][output channel]`.
    fn calibration_accumulators(
        &self,
        prefix: &Prefix,
        layer: &QuantizedLayer,
        conv: &QuantizedConv,
        approximate: &ApproximateConv,
    ) -> Result<Vec<i32>> {
        let mut acc = vec![0; prefix.calibration.images() * conv.pixels() * conv.outputs()];
        let plan = self.plan(layer, conv, approximate)?;
        plan.accumulate(prefix.calibration.get(layer.inputs[0]), &mut acc);
        Ok(acc)
    }

    /// Codes of accumulators on the calibration images, each channel's shifted; none if no later convolution
    /// depends on them.
    fn calibration_codes(
        &self,
        layer: &QuantizedLayer,
        conv: &QuantizedConv,
        approximate: &ApproximateConv,
        acc: &[i32],
        shifts: &[i32],
    ) -> Vec<u8> {
        if !self.calibration_reads.is_read(layer.output) {
            return Vec::new();
        }
        let mut codes = vec![0; acc.len()];
        requantize_codes(conv, approximate, acc, shifts, &mut codes);
        codes
    }

    /// `prefix` and the next convolution as `approximate` has it, with the layers up to the one after it.
    /// `calibration_codes` are its outputs on the calibration images, where they are known already.
    fn append(
        &self,
        prefix: &Prefix,
        approximate: ApproximateConv,
        all_exact: bool,
        calibration_codes: Option<Vec<u8>>,
    ) -> Result<Prefix> {
        let (layer, conv) = self.next_convolution(prefix)?;
        let (input, output) = (layer.inputs[0], layer.output);
        let plan = self.plan(layer, conv, &approximate)?;
        let run = |images: &LiveTensors| {
            let mut codes = vec![0; images.images() * conv.pixels() * conv.outputs()];
            plan.codes(images.get(input), &mut codes);
            codes
        };
        let mut next = prefix.clone();
        if !prefix.calibration.is_empty() && self.calibration_reads.is_read(output) {
            next.calibration.put(output, calibration_codes.unwrap_or_else(|| run(&prefix.calibration)));
        }
        if !prefix.scored.is_empty() {
            match conv.output_kind {
                OutputKind::Codes(_) => next.scored.put(output, run(&prefix.scored)),
                OutputKind::Logits => next.logits = Some(plan.logits(prefix.scored.get(input))),
            }
        }
        next.convs.push(Arc::new(approximate));
        next.all_exact = all_exact;
        self.complete_layer(&mut next);
        self.run_to_convolution(&mut next);
        Ok(next)
    }

    /// Runs layers without multiplications up to the next convolution.
    fn run_to_convolution(&self, prefix: &mut Prefix) {
        while let Some(QuantizedLayer { op: QuantizedOp::Fixed(op), inputs, output, .. }) =
            self.network.layers.get(prefix.layers)
        {
            let elements = self.network.tensors[*output].shape.elements();
            for (tensors, reads) in
                [(&mut prefix.calibration, &self.calibration_reads), (&mut prefix.scored, &self.scored_reads)]
            {
                if !tensors.is_empty() && reads.is_read(*output) {
                    tensors.run_fixed(op, inputs, *output, elements);
                }
            }
            self.complete_layer(prefix);
        }
    }

    /// Counts the layer that was run and drops the tensors that no later one reads.
    fn complete_layer(&self, prefix: &mut Prefix) {
        prefix.calibration.drop_unread(&self.calibration_reads, prefix.layers);
        prefix.scored.drop_unread(&self.scored_reads, prefix.layers);
        prefix.layers += 1;
    }
}
