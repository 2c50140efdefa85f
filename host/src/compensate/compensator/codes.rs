//! Weight codes that depend on a layer and its multiplier alone.

use super::Compensator;
use crate::compensate::allowed_codes::{self, AllowedCodes};
use crate::compensate::kept::Kept;
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::multiplier::Choice;
use crate::quantize::QuantizedConv;
use std::sync::Arc;

impl Compensator<'_> {
    /// What a multiplier's errors come to in the layer at place `layer` of those that multiply, when all that
    /// depends on the two alone was done about them: the variance of the layer's results about the exact ones,
    /// summed over output channels, in their real unit squared. `None` where nothing is fitted to calibration
    /// images. Uses all threads.
    pub fn noise(&self, layer: usize, choice: Choice) -> Result<Option<f64>> {
        match self.network.convs().nth(layer) {
            Some((_, conv)) => Ok(self.kept(layer, conv, choice)?.noise),
            None => Ok(None),
        }
    }

    /// The layer at place `layer` of those that multiply with the multiplier `choice`, as it is before any fit to what
    /// comes from the layers before it: with the weight codes that depend on the two alone. Uses all threads.
    pub fn unfitted_conv(&self, layer: usize, choice: Choice) -> Result<ApproximateConv> {
        let (_, conv) = self.network.convs().nth(layer).ok_or_else(|| {
            Error::Mismatch(format!("{} has no layer {layer} that multiplies", self.network.name))
        })?;
        self.unfitted(layer, conv, choice)
    }

    /// The convolution at place `place` before any fit to what comes from the layers before it.
    pub(super) fn unfitted(
        &self,
        place: usize,
        conv: &QuantizedConv,
        choice: Choice,
    ) -> Result<ApproximateConv> {
        let products = self.products.get(choice, conv.input_zero_point)?;
        let mut approximate = ApproximateConv::uncompensated(conv, self.network.scheme, products);
        if choice != self.exact {
            approximate.weights.clone_from(&self.kept(place, conv, choice)?.weights);
        }
        Ok(approximate)
    }

    fn kept(&self, place: usize, conv: &QuantizedConv, choice: Choice) -> Result<Arc<Kept>> {
        let allowed = self.allowed(conv, choice)?;
        let exact = self.exact_layers.get(place);
        self.kept.get(self.steps, self.products, (place, conv), exact, choice, allowed.as_deref())
    }

    /// The codes that weights of `conv` may take for `choice`, if not all: for all layers that would have the same
    /// table the same.
    pub(super) fn allowed(&self, conv: &QuantizedConv, choice: Choice) -> Result<Option<Arc<AllowedCodes>>> {
        let zero_point = self.products.relevant(conv.input_zero_point);
        self.kept.allowed(self.steps, (choice, zero_point), |most, free_mean| {
            let products = self.products.get(choice, conv.input_zero_point)?;
            let exact = self.products.get(self.exact, conv.input_zero_point)?;
            let mut uses = Vec::new();
            for (place, (_, other)) in self.network.convs().enumerate() {
                let table = self.products.get(choice, other.input_zero_point)?;
                if Arc::ptr_eq(&table, &products) || table == products {
                    let shares = self.exact_layers.get(place).map(|exact| &exact.shares);
                    uses.push(allowed_codes::Use { weights: &other.weights, shares });
                }
            }
            let scheme = self.network.scheme;
            Ok(allowed_codes::choose((&products, &exact), scheme, &uses, most, free_mean))
        })
    }
}
