//! From pixels to the values a network was trained on.

use crate::error::{Error, Result};

/// The network's input value of a pixel: `(pixel / 255 - mean) / std`, by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocess {
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Preprocess {
    /// One mean and one standard deviation per channel, for pixels from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are none or not equally many, or if one is not finite or a deviation 0.
    pub fn new(mean: &[f32], std: &[f32]) -> Result<Self> {
        if mean.is_empty() || mean.len() != std.len() {
            return Err(Error::Argument(format!(
                "{} means and {} standard deviations; give one of each per channel",
                mean.len(),
                std.len()
            )));
        }
        if !mean.iter().chain(std).all(|x| x.is_finite()) || std.contains(&0.0) {
            return Err(Error::Argument(format!(
                "mean {mean:?} and standard deviation {std:?} make no scale"
            )));
        }
        Ok(Preprocess { mean: mean.to_vec(), std: std.to_vec() })
    }

    /// Pixels as they are, 0 to 255.
    pub fn raw(channels: usize) -> Self {
        Preprocess { mean: vec![0.0; channels], std: vec![1.0 / 255.0; channels] }
    }

    /// Pixels from 0 to 1.
    pub fn unit(channels: usize) -> Self {
        Preprocess { mean: vec![0.0; channels], std: vec![1.0; channels] }
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.mean.len()
    }

    /// Mean of each channel.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Standard deviation of each channel.
    pub fn std(&self) -> &[f32] {
        &self.std
    }

    /// The value of `pixel` in `channel`.
    pub fn value(&self, channel: usize, pixel: u8) -> f32 {
        (f32::from(pixel) / 255.0 - self.mean[channel]) / self.std[channel]
    }

    /// Converts `pixels` (channels innermost) into `values` of the same length.
    pub fn fill(&self, pixels: &[u8], values: &mut [f32]) {
        let channels = self.channels();
        for (pixels, values) in pixels.chunks(channels).zip(values.chunks_mut(channels)) {
            for (channel, (&pixel, value)) in pixels.iter().zip(values).enumerate() {
                *value = self.value(channel, pixel);
            }
        }
    }

    /// The values of `pixels` (channels innermost).
    pub fn apply(&self, pixels: &[u8]) -> Vec<f32> {
        let mut values = vec![0.0; pixels.len()];
        self.fill(pixels, &mut values);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_by_channel() {
        let preprocess = Preprocess::new(&[0.0, 1.0], &[1.0, 0.5]).unwrap();
        assert_eq!(preprocess.apply(&[255, 255, 0, 0]), [1.0, 0.0, 0.0, -2.0]);
        for pixel in 0..=255 {
            assert!((Preprocess::raw(1).value(0, pixel) - f32::from(pixel)).abs() < 1e-4);
        }
    }

    #[test]
    fn refuses_what_makes_no_scale() {
        assert!(Preprocess::new(&[], &[]).is_err());
        assert!(Preprocess::new(&[0.0], &[1.0, 1.0]).is_err());
        assert!(Preprocess::new(&[0.0], &[0.0]).is_err());
        assert!(Preprocess::new(&[f32::NAN], &[1.0]).is_err());
    }
}
