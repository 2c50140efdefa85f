//! Models, images and data that are no good.

use crate::*;

fn evaluate<'d>(dir: &'d Dir, rest: &str) -> harness::Skimp<'d> {
    dir.skimp(&format!("evaluate {rest}"))
}

#[test]
fn what_is_no_model_is_named() {
    let dir = Dir::new();
    dir.write("text.onnx", "It was a dark and stormy night;\n");
    dir.write("model.pt", "PK");
    dir.write("empty.onnx", "");
    dir.folder("folder.onnx");
    dir.folder("models");
    evaluate(&dir, "nosuch").refused(&["\"nosuch\"", "fashion-cnn, digits-cnn, resnet8"]);
    evaluate(&dir, "nosuch.onnx --data fashion-mnist").refused(&["error: nosuch.onnx: "]);
    evaluate(&dir, "text.onnx --data fashion-mnist").refused(&["error: text.onnx: not an ONNX model"]);
    dir.write("text.tflite", "It was a dark and stormy night;\n");
    evaluate(&dir, "text.tflite --data fashion-mnist")
        .refused(&["error: text.tflite: not a TensorFlow Lite model"]);
    evaluate(&dir, "empty.onnx --data fashion-mnist").refused(&["error: empty.onnx: ", "empty"]);
    evaluate(&dir, "folder.onnx --data fashion-mnist").refused(&["error: folder.onnx: "]);
    evaluate(&dir, "model.pt --data fashion-mnist").refused(&["error: model.pt: ", ".onnx"]);
    evaluate(&dir, "fashion-cnn").env("SKIMP_MODELS", "models").refused(&["models/fashion-cnn.onnx"]);
    dir.skimp("optimize text.onnx --data fashion-mnist --out out").refused(&["error: text.onnx: "]);
    let build = "image build text.onnx --data fashion-mnist --assignment exact --out a.skimp";
    dir.skimp(build).refused(&["error: text.onnx: "]);
}

#[test]
fn scales_that_a_model_does_not_have_can_not_be_kept() {
    evaluate(&Dir::new(), "fashion-cnn --range model").refused(&["no scales of its own", "--range minmax"]);
}

#[test]
fn cut_models_are_refused_wherever_the_cut_is() {
    let dir = Dir::new();
    let model = std::fs::read(models().join("fashion-cnn.onnx")).unwrap();
    let cuts = [1, 2, 8, 19, 20, 100, 1000, 10_000, model.len() / 2, model.len() - 10];
    for end in cuts.into_iter().chain((model.len() - 3)..model.len()) {
        dir.write("cut.onnx", &model[..end]);
        evaluate(&dir, "cut.onnx --data fashion-mnist").refused(&["error: cut.onnx: not an ONNX model"]);
    }
}

#[test]
fn a_model_file_runs_as_the_zoo_s_does() {
    let dir = Dir::new();
    let model = std::fs::read(models().join("fashion-cnn.onnx")).unwrap();
    dir.write("net.onnx", model);
    evaluate(&dir, "net.onnx").refused(&["net.onnx", "--data"]);
    let data = models().join("data/fashion-mnist");
    let own = evaluate(&dir, &format!("fashion-cnn {FEW} --json")).json();
    let set = evaluate(&dir, &format!("net.onnx --data fashion-mnist {FEW} --json")).json();
    let folder = evaluate(&dir, &format!("net.onnx --data {} {FEW} --json", data.display())).json();
    for key in ["accuracy_float", "accuracy_8bit"] {
        assert_eq!([&set[key], &folder[key]], [&own[key]; 2], "{key}");
    }
}

#[test]
fn data_that_is_not_there_or_does_not_fit_is_named() {
    let dir = Dir::new();
    dir.folder("empty");
    dir.write("text", "no folder");
    evaluate(&dir, "fashion-cnn --data nosuch").refused(&["\"nosuch\"", "fashion-mnist, digits, cifar10"]);
    evaluate(&dir, "fashion-cnn --data text").refused(&["\"text\""]);
    evaluate(&dir, "fashion-cnn --data empty").refused(&["error: empty: has no test images"]);
    evaluate(&dir, "resnet8 --data fashion-mnist").refused(&["32x32x3", "28x28x1", "fashion-mnist"]);
    evaluate(&dir, "fashion-cnn --test-images 20000").refused(&["fashion-mnist", "images"]);
    evaluate(&dir, "fashion-cnn --calibration-images 600").refused(&["512 images", "600"]);
    evaluate(&dir, "fashion-cnn --calibration-images 0").refused(&["calibration"]);
    evaluate(&dir, "fashion-cnn --test-images 0").refused(&[]);
    dir.skimp("data fetch fashion-mnist").refused(&["comes with the source"]);
    dir.skimp("data fetch nosuch").refused(&["\"nosuch\"", "cifar10"]);
}

#[test]
fn preprocessing_that_makes_no_sense_is_refused() {
    let dir = Dir::new();
    let with = |options: &str| evaluate(&dir, &format!("fashion-cnn {options}"));
    with("--mean 0.1,0.2,0.3").refused(&["--mean has 3 values", "1 channel"]);
    with("--std 0.1,0.2").refused(&["--std has 2 values"]);
    with("--std 0").refused(&["--std 0"]);
    with("--std=-1").refused(&["--std -1"]);
    with("--mean nan").refused(&["--mean NaN"]);
    with("--mean x").misused(&["--mean", "'x'"]);
    with("--mean 0.1,").misused(&["--mean"]);
}

#[test]
fn no_threads_are_refused_everywhere() {
    let dir = Dir::new();
    evaluate(&dir, "fashion-cnn --threads 0").refused(&["--threads"]);
    dir.skimp("--threads 0 optimize fashion-cnn --out out").refused(&["--threads"]);
    dir.skimp("--threads x image inspect a.skimp").misused(&["--threads"]);
}

#[test]
fn absurdly_many_threads_do_not_hang() {
    let line = format!("fashion-cnn {FEW} --no-float --threads 100000");
    evaluate(&Dir::new(), &line).within(Duration::from_secs(10)).run();
}

#[test]
fn output_that_nobody_takes_is_no_panic() {
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    for command in ["image inspect a.skimp", "image inspect a.skimp --json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        dir.skimp(command).printing_to(writer).run();
        #[cfg(target_os = "linux")]
        {
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            dir.skimp(command).printing_to(full).refused(&[]);
        }
    }
}

#[test]
fn the_demo_checks_its_arguments_before_it_begins() {
    let dir = Dir::new();
    dir.skimp("demo --board arduino").refused(&["\"arduino\"", "mps2-an386, "]);
    dir.skimp("demo --images 0").refused(&["--images"]);
    dir.skimp("demo --selection-images 0").refused(&["--selection-images"]);
}
