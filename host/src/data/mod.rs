//! Labelled images.
//!
//! A data set for skimp has three parts: **calibration** images, training images that ranges and
//! compensation are fitted to; **selection** images, other training images that candidates are scored on;
//! and **test** images, which only ever measure. [`open`] knows two sets by name and folders of the user's:
//!
//! - `fashion-mnist`: 512, 1,000 and 1,000 images come with the source; more test images from Debian's
//!   package `dataset-fashion-mnist`.
//! - `cifar10`: fetched into the cache at first use ([`fetch`]).
//! - a folder with `test-images.idx3-ubyte` and `test-labels.idx1-ubyte`, and likewise for `calibration`
//!   and `selection`, each plain or with `.gz`.

mod cifar10;
mod idx;
mod preprocess;

pub use preprocess::Preprocess;

use crate::error::{Error, Result};
use crate::network::Shape;
use crate::zoo;
use std::path::{Path, PathBuf};

/// Images of one shape with their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Height, width and channels of each image.
    pub shape: Shape,
    /// Pixels, image after image, channels innermost.
    pub images: Vec<u8>,
    /// One class an image.
    pub labels: Vec<u8>,
}

impl DataSet {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Pixels of image `i`.
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.shape.elements();
        &self.images[i * size..(i + 1) * size]
    }

    /// The images at `indices`, in that order.
    fn pick(&self, indices: impl IntoIterator<Item = usize>) -> DataSet {
        let mut picked = DataSet { shape: self.shape, images: Vec::new(), labels: Vec::new() };
        for i in indices {
            picked.images.extend(self.image(i));
            picked.labels.push(self.labels[i]);
        }
        picked
    }

    /// The first `count` images; `what` and `path` name the set if it has fewer.
    fn first(&self, count: usize, what: &str, path: &Path) -> Result<DataSet> {
        if count > self.len() {
            let reason = format!("{count} {what} images were asked for, it has {}", self.len());
            return Err(Error::file(path, reason));
        }
        Ok(self.pick(0..count))
    }
}

/// How many images of each part are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Test images, the first ones of the set.
    pub test: usize,
    /// Calibration images.
    pub calibration: usize,
    /// Selection images.
    pub selection: usize,
}

/// The three parts of a data set.
#[derive(Debug, Clone)]
pub struct Splits {
    /// Only for measuring.
    pub test: DataSet,
    /// To fit to.
    pub calibration: DataSet,
    /// To score candidates on.
    pub selection: DataSet,
}

/// Opens a data set of the zoo or a folder. What takes time is told to `progress`.
pub fn open(name: &str, request: &Request, progress: &mut dyn FnMut(&str)) -> Result<Splits> {
    match name {
        "fashion-mnist" => fashion_mnist(request),
        "cifar10" => cifar10::open(request, progress),
        _ if Path::new(name).is_dir() => folder(Path::new(name), request),
        _ => Err(Error::Argument(format!(
            "\"{name}\" is neither a folder nor a data set of the zoo (fashion-mnist, cifar10)"
        ))),
    }
}

/// Puts a data set into the cache, if it is not there, and checks it; returns its folder.
pub fn fetch(name: &str, progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    match name {
        "cifar10" => cifar10::fetch(progress),
        "fashion-mnist" => Err(Error::Argument(
            "fashion-mnist comes with the source; for all 10,000 test images run\n  \
             apt-get install dataset-fashion-mnist"
                .into(),
        )),
        _ => Err(Error::Argument(format!("no data set is called \"{name}\"; cifar10 can be fetched"))),
    }
}

/// Where Debian's package puts the whole of Fashion-MNIST.
const FASHION_MNIST_DEBIAN: &str = "/usr/share/datasets/fashion-mnist";

fn fashion_mnist(request: &Request) -> Result<Splits> {
    let committed = zoo::models_folder().join("data/fashion-mnist");
    let mut splits = folder(&committed, &Request { test: 0, ..*request })?;
    let (few, _) = part(&committed, "test")?;
    let whole = Path::new(FASHION_MNIST_DEBIAN);
    splits.test = if request.test <= few.len() {
        few.first(request.test, "test", &committed)?
    } else if whole.is_dir() {
        let all =
            idx::read(&whole.join("t10k-images-idx3-ubyte.gz"), &whole.join("t10k-labels-idx1-ubyte.gz"))?;
        all.first(request.test, "test", whole)?
    } else {
        let (wanted, here) = (request.test, few.len());
        return Err(Error::Argument(format!(
            "{wanted} test images were asked for; {here} come with the source, all 10,000 with\n  \
             apt-get install dataset-fashion-mnist"
        )));
    };
    Ok(splits)
}

fn folder(folder: &Path, request: &Request) -> Result<Splits> {
    let take = |name: &str, count: usize| {
        let (set, path) = part(folder, name)?;
        set.first(count, name, &path)
    };
    Ok(Splits {
        test: take("test", request.test)?,
        calibration: take("calibration", request.calibration)?,
        selection: take("selection", request.selection)?,
    })
}

/// One part of a folder, and the file its images are in.
fn part(folder: &Path, name: &str) -> Result<(DataSet, PathBuf)> {
    let find = |file: String| {
        let candidates = [folder.join(format!("{file}.gz")), folder.join(&file)];
        candidates
            .iter()
            .find(|path| path.exists())
            .cloned()
            .ok_or_else(|| Error::file(folder, format!("has neither {file} nor {file}.gz")))
    };
    let images = find(format!("{name}-images.idx3-ubyte"))?;
    let labels = find(format!("{name}-labels.idx1-ubyte"))?;
    Ok((idx::read(&images, &labels)?, images))
}

/// `SKIMP_CACHE`, or skimp's folder among the user's caches.
fn cache_folder() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("SKIMP_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("skimp")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/skimp")))
        .ok_or_else(|| Error::Argument("set SKIMP_CACHE to a folder for fetched data".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_images_are_there() {
        let request = Request { test: 1000, calibration: 512, selection: 1000 };
        let splits = open("fashion-mnist", &request, &mut |_| {}).unwrap();
        for (set, count) in [(&splits.test, 1000), (&splits.calibration, 512), (&splits.selection, 1000)] {
            assert_eq!(set.len(), count);
            assert_eq!(set.shape, Shape::new(28, 28, 1));
            assert_eq!(set.images.len(), count * 784);
        }
        assert_ne!(splits.calibration.image(0), splits.selection.image(0));
    }

    #[test]
    fn unknown_names_and_missing_files_are_named() {
        let request = Request { test: 1, calibration: 1, selection: 1 };
        let error = |name: &str| open(name, &request, &mut |_| {}).unwrap_err().to_string();
        assert!(error("mnist-3d").contains("fashion-mnist, cifar10"));
        let folder = tempfile::tempdir().unwrap();
        let message = error(folder.path().to_str().unwrap());
        assert!(message.contains("test-images.idx3-ubyte"), "{message}");
    }

    #[test]
    fn asking_for_too_many_images_says_how_many_there_are() {
        let request = Request { test: 10, calibration: 513, selection: 0 };
        let message = open("fashion-mnist", &request, &mut |_| {}).unwrap_err().to_string();
        assert!(message.contains("513 calibration images") && message.contains("has 512"), "{message}");
    }
}
