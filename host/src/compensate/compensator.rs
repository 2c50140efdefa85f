//! Compensating assignments, one convolution after another.

mod codes;
mod fitting;

use super::exact_run::ExactLayer;
use super::kept::KeptCodes;
use super::live_tensors::{LiveTensors, ReadUntil};
use super::prefix::Prefix;
use super::steps::Steps;
use crate::emulate::{ApproximateConv, ConvPlan, requantize_codes};
use crate::error::{Error, Result};
use crate::multiplier::{Choice, ProductCache};
use crate::quantize::{QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp};
use skimp_runtime::image::OutputKind;
use std::sync::Arc;

/// Compensates assignments of one network, remembering what depends on a layer and its multiplier alone.
pub struct Compensator<'n> {
    network: &'n QuantizedNetwork,
    products: &'n ProductCache<'n>,
    steps: Steps,
    exact: Choice,
    /// Codes of the calibration images, one after another.
    inputs: &'n [u8],
    /// The convolutions of the exact network on the calibration images; none if nothing is fitted to them.
    exact_layers: Arc<Vec<ExactLayer>>,
    kept: Arc<KeptCodes>,
    calibration_reads: ReadUntil,
    scored_reads: ReadUntil,
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
        let compensator = Compensator {
            network,
            products,
            steps: Steps::NONE,
            exact: Choice::exact(products.library()),
            inputs,
            exact_layers: Arc::default(),
            kept: Arc::default(),
            calibration_reads: ReadUntil::convolutions_only(network),
            scored_reads: ReadUntil::whole(network),
        };
        compensator.with_steps(steps)
    }

    /// The same with other steps. What the exact network computes, and the weight codes that were made so far,
    /// are shared.
    pub fn with_steps(&self, steps: Steps) -> Result<Self> {
        if steps.fits() && self.inputs.is_empty() {
            return Err(Error::Argument(format!("the compensation {steps} needs calibration images")));
        }
        let mut compensator = Compensator {
            steps,
            exact_layers: self.exact_layers.clone(),
            kept: self.kept.clone(),
            calibration_reads: ReadUntil::convolutions_only(self.network),
            scored_reads: ReadUntil::whole(self.network),
            ..*self
        };
        if steps.fits() && compensator.exact_layers.is_empty() {
            compensator.exact_layers = Arc::new(compensator.run_exactly()?);
            // Codes made without what the exact network says are others.
            compensator.kept = Arc::default();
        }
        Ok(compensator)
    }

    /// The steps it takes.
    pub fn steps(&self) -> Steps {
        self.steps
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
        let inputs = if self.steps.fits_outputs() { self.inputs } else { &[] };
        self.start_with(inputs, scored)
    }

    fn start_with(&self, calibration: &[u8], scored: &[u8]) -> Prefix {
        let mut prefix = Prefix {
            convs: Vec::new(),
            layers: 0,
            all_exact: true,
            calibration: LiveTensors::new(self.network, calibration),
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
        let mut approximate = self.unfitted(prefix.convs.len(), conv, choice)?;
        let all_exact = prefix.all_exact && choice == self.exact;
        // As long as the network is the exact one there is nothing to fit.
        let codes = match self.exact_layers.get(prefix.convs.len()) {
            Some(exact) if self.steps.fits_outputs() && !all_exact => {
                let allowed = self.allowed(conv, choice)?;
                Some(self.fit(prefix, (layer, conv), exact, &mut approximate, allowed.as_deref())?)
            }
            _ => None,
        };
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

    /// Runs the exact network on the calibration images.
    fn run_exactly(&self) -> Result<Vec<ExactLayer>> {
        let mut prefix = self.start_with(self.inputs, &[]);
        let mut layers = Vec::new();
        for (layer, conv) in self.network.convs() {
            let products = self.products.get(self.exact, conv.input_zero_point)?;
            let approximate = ApproximateConv::uncompensated(conv, self.network.scheme, products);
            let acc = self.calibration_accumulators(&prefix, layer, conv, &approximate)?;
            let place = (prefix.layers, conv);
            layers.push(ExactLayer::new(self.network, place, &approximate, &prefix.calibration, &acc));
            let shifts = vec![0; conv.outputs()];
            let codes = self.calibration_codes(layer, conv, &approximate, &acc, &shifts);
            prefix = self.append(&prefix, approximate, true, Some(codes))?;
        }
        Ok(layers)
    }

    /// The layer behind `prefix`, which is a convolution unless the network ends there.
    fn next_convolution(&self, prefix: &Prefix) -> Result<(&'n QuantizedLayer, &'n QuantizedConv)> {
        match self.network.layers.get(prefix.layers) {
            Some(layer @ QuantizedLayer { op: QuantizedOp::Conv2d(conv), .. }) => Ok((layer, conv)),
            _ => Err(Error::Mismatch(format!("{} has no further layer that multiplies", self.network.name))),
        }
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
