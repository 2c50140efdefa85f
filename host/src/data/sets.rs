//! Finding a data set by name or in a folder.

use super::{Count, DataSet, Request, Splits, cifar, draw, fetch as fetching, idx};
use crate::error::{Error, Result};
use crate::network::Shape;
use crate::zoo;
use std::path::{Path, PathBuf};

/// Where Debian's package puts Fashion-MNIST.
const DEBIAN_FASHION: &str = "/usr/share/datasets/fashion-mnist";

/// Test images of Fashion-MNIST that come with skimp.
const OWN_TEST_IMAGES: usize = 1000;

/// Opens the data set `name`: `fashion-mnist`, `digits`, `cifar10`, or a folder as the [module](super) describes.
/// `progress` is told about anything that takes long.
///
/// # Errors
/// [`Error::Argument`] for a name that is neither, [`Error::Mismatch`] if a split has fewer images than
/// asked for, [`Error::Tool`] if CIFAR-10 can't be fetched, and errors that name a file that is missing or
/// damaged.
pub fn open(name: &str, request: Request, progress: &dyn Fn(&str)) -> Result<Splits> {
    match name {
        "fashion-mnist" => fashion(&zoo::models_folder().join("data/fashion-mnist"), request),
        "digits" => Ok(in_folder(&zoo::models_folder().join("data/digits"), request)?.named("digits", 10)),
        "cifar10" => in_folder(&fetch("cifar10", progress)?, request),
        path if Path::new(path).is_dir() => in_folder(Path::new(path), request),
        other => Err(Error::Argument(format!(
            "\"{other}\" is no data set: give fashion-mnist, digits, cifar10, or a folder with IDX or \
             CIFAR-10 files"
        ))),
    }
}

/// Puts a data set into the cache, if it is not there yet; returns its folder.
///
/// # Errors
/// [`Error::Argument`] for a set that is not fetched, [`Error::Tool`] if fetching fails.
pub fn fetch(name: &str, progress: &dyn Fn(&str)) -> Result<PathBuf> {
    match name {
        "cifar10" => {
            let folder = cache_folder()?.join("cifar10");
            fetching::cifar10(&folder, progress)?;
            Ok(folder)
        }
        "fashion-mnist" => Err(Error::Argument(
            "fashion-mnist comes with the source; all its 10,000 test images with\n  \
             apt-get install dataset-fashion-mnist"
                .into(),
        )),
        "digits" => Err(Error::Argument("digits come with the source; there is nothing to fetch".into())),
        other => Err(Error::Argument(format!("no data set called \"{other}\" can be fetched; cifar10 can"))),
    }
}

/// The folder for what is fetched: `$SKIMP_CACHE`, else `skimp` in `$XDG_CACHE_HOME`, else in `~/.cache`.
///
/// # Errors
/// [`Error::Argument`] if neither those nor `$HOME` are set.
pub fn cache_folder() -> Result<PathBuf> {
    folder_from("SKIMP_CACHE")
        .or_else(|| Some(folder_from("XDG_CACHE_HOME")?.join("skimp")))
        .or_else(|| Some(folder_from("HOME")?.join(".cache/skimp")))
        .ok_or_else(|| Error::Argument("no folder to cache data in: set SKIMP_CACHE to one".into()))
}

fn folder_from(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The committed parts in `own`, and the rest of the test images from Debian's package.
fn fashion(own: &Path, request: Request) -> Result<Splits> {
    let test = Count {
        least: request.test.least.min(OWN_TEST_IMAGES),
        most: request.test.most.min(OWN_TEST_IMAGES),
    };
    let mut splits = in_folder(own, Request { test, ..request })?;
    if request.test.least > OWN_TEST_IMAGES {
        let debian = Path::new(DEBIAN_FASHION);
        let Some(files) = pair(debian, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte") else {
            return Err(Error::file(
                debian,
                format!(
                    "more than {OWN_TEST_IMAGES} test images of Fashion-MNIST need the full set, which is not \
                     here: apt-get install dataset-fashion-mnist"
                ),
            ));
        };
        splits.test = read_pair(&files)?.first(request.test)?;
    }
    Ok(splits.named("fashion-mnist", 10))
}

impl Splits {
    /// What the files do not tell.
    fn named(mut self, name: &str, classes: usize) -> Splits {
        for set in [&mut self.test, &mut self.calibration, &mut self.selection] {
            set.name = name.into();
            set.classes = classes;
        }
        self
    }
}

/// The splits in a folder of IDX or CIFAR-10 files.
fn in_folder(folder: &Path, request: Request) -> Result<Splits> {
    let original =
        |name: &str| pair(folder, &format!("{name}-images-idx3-ubyte"), &format!("{name}-labels-idx1-ubyte"));
    let own =
        |name: &str| pair(folder, &format!("{name}-images.idx3-ubyte"), &format!("{name}-labels.idx1-ubyte"));
    let test = || match own("test").or_else(|| original("t10k")) {
        Some(files) => read_pair(&files),
        None => read_cifar(folder, &[&["cifar10_test.bin"], &["test_batch.bin"]], "test images"),
    };
    let train = || match original("train") {
        Some(files) => read_pair(&files),
        None => {
            let batches = [1, 2, 3, 4, 5].map(|i| format!("data_batch_{i}.bin"));
            let batches = batches.each_ref().map(String::as_str);
            read_cifar(folder, &[&["cifar10_train.bin"], &batches], "training images")
        }
    };
    // Sets of which no image is wanted are not read.
    let test = if request.test == Count::default() { None } else { Some(test()?.first(request.test)?) };
    let (calibration, selection) = match (request.calibration, request.selection) {
        (Count { most: 0, .. }, Count { most: 0, .. }) => (None, None),
        (calibration, selection) => match (own("calibration"), own("selection")) {
            (Some(first), Some(second)) => {
                let read = |files: &[PathBuf; 2], count: Count| read_pair(files)?.first(count);
                (Some(read(&first, calibration)?), Some(read(&second, selection)?))
            }
            _ => {
                let train = train()?;
                let (first, second) = draw::halves(train.len());
                let (first, second) = draw::draw(&train, calibration.of(first), selection.of(second))?;
                (Some(first), Some(second))
            }
        },
    };
    let sets: Vec<&DataSet> = [&test, &calibration, &selection].into_iter().flatten().collect();
    let shape = sets.first().map_or(Shape::new(1, 1, 1), |set| set.shape);
    if sets.iter().any(|set| set.shape != shape) {
        return Err(Error::file(folder, "its files have images of different sizes"));
    }
    // Where only labels tell, a split may lack the last class.
    let classes = sets.iter().map(|set| set.classes).max().unwrap_or(1);
    let finish = |set: Option<DataSet>| DataSet {
        name: folder.display().to_string(),
        classes,
        ..set.unwrap_or(DataSet { name: String::new(), images: vec![], shape, labels: vec![], classes })
    };
    Ok(Splits { test: finish(test), calibration: finish(calibration), selection: finish(selection) })
}

/// The two files of an IDX set in `folder`, plain or gzipped, if both are there.
fn pair(folder: &Path, images: &str, labels: &str) -> Option<[PathBuf; 2]> {
    let find = |name: &str| {
        let gzipped = folder.join(format!("{name}.gz"));
        [folder.join(name), gzipped].into_iter().find(|path| path.is_file())
    };
    // Bytes with signs are called so in the format's own words.
    let images = find(images).or_else(|| find(&images.replace("ubyte", "byte")))?;
    Some([images, find(labels)?])
}

fn read_pair([images, labels]: &[PathBuf; 2]) -> Result<DataSet> {
    idx::read(images, labels, None)
}

/// Reads the first of `alternatives` whose files are all in `folder`.
fn read_cifar(folder: &Path, alternatives: &[&[&str]], what: &str) -> Result<DataSet> {
    for names in alternatives {
        let files: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        if files.iter().all(|path| path.is_file()) {
            return cifar::read(&files);
        }
    }
    Err(Error::file(
        folder,
        format!(
            "has no {what}: neither IDX files (images and labels) nor CIFAR-10 files ({})",
            alternatives[0][0]
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idx_files(folder: &Path, images: &str, labels: &str, values: std::ops::Range<u8>) {
        let count = values.len() as u8;
        let bytes: Vec<u8> = values.collect();
        let with = |header: &[u8]| [header, &bytes].concat();
        std::fs::write(folder.join(images), with(&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, 1]))
            .unwrap();
        std::fs::write(folder.join(labels), with(&[0, 0, 8, 1, 0, 0, 0, count])).unwrap();
    }

    fn request(test: usize, calibration: usize, selection: usize) -> Request {
        let [test, calibration, selection] = [test, calibration, selection].map(Count::exactly);
        Request { test, calibration, selection }
    }

    #[test]
    fn draws_from_training_images_where_splits_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        idx_files(folder.path(), "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 0..5);
        idx_files(folder.path(), "train-images-idx3-ubyte", "train-labels-idx1-ubyte", 0..20);
        let name = folder.path().to_str().unwrap();
        let splits = open(name, request(3, 10, 10), &|_| {}).unwrap();
        assert_eq!(splits.test.labels, [0, 1, 2]);
        let mut all = [splits.calibration.labels, splits.selection.labels].concat();
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<u8>>());
        assert_eq!(splits.test.classes, 20);
        assert!(open(name, request(6, 0, 0), &|_| {}).unwrap_err().to_string().contains("has 5 images"));
        assert!(open(name, request(0, 0, 0), &|_| {}).unwrap().test.is_empty());

        idx_files(folder.path(), "calibration-images.idx3-ubyte", "calibration-labels.idx1-ubyte", 30..34);
        idx_files(folder.path(), "selection-images.idx3-ubyte", "selection-labels.idx1-ubyte", 40..44);
        let splits = open(name, request(0, 2, 1), &|_| {}).unwrap();
        assert_eq!((splits.calibration.labels, splits.selection.labels), (vec![30, 31], vec![40]));

        let up_to = |most| Count { least: 1, most };
        let splits =
            open(name, Request { test: up_to(99), calibration: up_to(3), selection: up_to(99) }, &|_| {});
        let splits = splits.unwrap();
        assert_eq!([splits.test.len(), splits.calibration.len(), splits.selection.len()], [5, 3, 4]);
    }

    #[test]
    fn says_what_a_name_or_folder_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().to_str().unwrap();
        let message = open(name, request(1, 0, 0), &|_| {}).unwrap_err().to_string();
        assert!(message.starts_with(name) && message.contains("cifar10_test.bin"), "{message}");
        let message = open("cifar100", request(1, 0, 0), &|_| {}).unwrap_err().to_string();
        assert!(message.contains("\"cifar100\" is no data set"), "{message}");
    }

    #[test]
    fn opens_the_digits_that_come_along() {
        let splits = open("digits", request(510, 1029, 258), &|_| {}).unwrap();
        assert_eq!([splits.test.len(), splits.calibration.len(), splits.selection.len()], [510, 1029, 258]);
        assert_eq!((splits.test.shape, splits.test.classes), (Shape::new(8, 8, 1), 10));
        // Every form begins with all digits.
        assert_eq!(splits.test.labels[..11], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
        let message = open("digits", request(511, 0, 0), &|_| {}).unwrap_err().to_string();
        assert!(message.contains("has 510 images, 511 were asked for"), "{message}");
    }

    #[test]
    fn opens_the_fashion_mnist_that_comes_along() {
        let splits = open("fashion-mnist", request(1000, 512, 1000), &|_| {}).unwrap();
        assert_eq!([splits.test.len(), splits.calibration.len(), splits.selection.len()], [1000, 512, 1000]);
        assert_eq!((splits.test.shape, splits.test.classes), (Shape::new(28, 28, 1), 10));
        assert_eq!(splits.test.labels[..5], [9, 2, 1, 1, 6]);
    }
}
